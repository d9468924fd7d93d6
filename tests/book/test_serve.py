"""The book on a port of this machine."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from conftest import ROOT, start

COMMAND = [sys.executable, ROOT / "book" / "serve.py"]


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run([*COMMAND, str(port)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"The book cannot be served on port {port}: ") and done.stderr.count("\n") == 1
    assert "make serve PORT=" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal to one process")
def test_it_ends_with_ctrl_c_and_without_a_traceback():
    process = start([*COMMAND, "0"])  # a port that is free
    assert re.fullmatch(r"The book is at http://127\.0\.0\.1:\d+ until you press Ctrl-C\n", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("\n", "") and process.returncode == 0
