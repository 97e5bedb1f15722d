"""The demo is the main job on real servers: what it shows must be what happened."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailticket.demo import run_demo

OWN_MAIL = (
    b"From: eve@example.org\r\nSubject: my own mail\r\nMessage-ID: <own@example.org>\r\n\r\nMy login is blocked.\r\n"
)


@pytest.mark.timeout(120)
def test_the_demo_shows_every_sample_and_a_mail_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.eml"
    own.write_bytes(OWN_MAIL)
    out = io.StringIO()
    assert run_demo(out, keep=False, files=[own]) == 0
    shown = out.getvalue()
    assert shown.count("acknowledgement after") == 5
    assert shown.count("duplicate-notice after") == 1
    assert shown.count("● opened") == 6
    assert shown.count("↳ appended") == 1
    assert shown.count("· filed") == 3
    assert "提现一直没有到账" in shown
    assert "“my own mail”" in shown
    assert "median" in shown


@contextmanager
def kept_demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`demo --keep` in a process of its own, with the lines that it has printed when it waits."""
    environ = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "mailticket", "demo", "--keep"], env=environ, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    guard = threading.Timer(100, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "Ctrl-C ends" in line:
                break
        yield process, lines
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


@pytest.mark.timeout(200)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_kept_demo_serves_a_second_terminal_and_leaves_nothing_behind(how: signal.Signals) -> None:
    with tempfile.TemporaryDirectory(prefix="mt") as folder, kept_demo(Path(folder)) as (process, lines):
        text = "\n".join(lines)
        configuration = re.search(r"export MAILTICKET_CONFIG=(\S+)", text)
        assert configuration is not None, text
        calls = [shlex.split(line) for line in lines if line.strip().startswith(f"{sys.executable} -m mailticket ")]
        assert [call[3] for call in calls] == ["status", "ticket", "mail"]
        environ = {**os.environ, "MAILTICKET_CONFIG": configuration[1]}
        for call in [*calls, [*calls[0][:3], "ticket", "list"], [*calls[0][:3], "outbox", "list"]]:
            done = subprocess.run(call, env=environ, cwd=folder, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{call}: {done.stdout}{done.stderr}"
        assert process.stdout is not None
        for line in process.stdout:
            if "It is on its way." in line:
                break
        process.send_signal(how)
        assert process.wait(60) == 0
        assert list(Path(folder).iterdir()) == []
