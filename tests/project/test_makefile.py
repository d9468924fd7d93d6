"""What `make` does on a machine that is not ready for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_an_old_python_is_refused_before_anything_is_made(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    old = tmp_path / "python3.9"  # what `python3.9 -c …` would do
    prelude = "import sys; sys.version, sys.version_info = '3.9.2 (old)', (3, 9, 2); exec(sys.argv[2])"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{prelude}" "$@"\n', encoding="utf-8")
    old.chmod(0o755)
    made = subprocess.run(
        ["make", ".venv/.made", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert made.returncode != 0
    first = made.stderr.splitlines()[0]
    assert "Python 3.11" in first and "3.9.2" in first and "make PYTHON=" in first
    assert not (tmp_path / ".venv").exists()
