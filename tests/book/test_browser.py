"""What opens pages: without a browser, or without the driver that speaks to it, tests are skipped, and not failed."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.skipif(sys.platform == "win32", reason="the driver is a shell script here")
def test_a_driver_that_ends_at_once_is_a_missing_browser(tmp_path, monkeypatch):
    driver = tmp_path / "node"
    driver.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    driver.chmod(0o755)
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(driver))
    monkeypatch.setenv("CI", "false")
    # in a process of its own, as the tests of this one may have started a driver that works
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "tests/live/test_live_quiz.py::test_without_scripts_the_picture_stays[chromium]",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "1 skipped" in done.stdout, done.stdout
    assert "driver does not start" in done.stdout
