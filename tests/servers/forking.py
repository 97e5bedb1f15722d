"""Programs of this Python, started in a hundredth of the time: by a process that has the modules loaded and forks.

Most of what a start of mailticket costs is loading it, and the tests start it a thousand times. What is started is a
process of its own as any other: arguments, environment, folder, signals and exit code are its own. Where the start is
the point (tests/boot, tests/cli/test_start.py), tests start it as everybody does.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from functools import cache
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

_LONGEST = 1 << 20  # bytes of a request: its arguments and its environment
_NEVER_LOADED = ("mailticket.__main__", "mailticket.demo", "mailticket.upkeep.plots", "mailticket.store.migrations.")


class Forked:
    """A program that was started so; as `subprocess.Popen`, as far as the tests use it."""

    def __init__(self, command: list[str], cwd: Path, env: dict[str, str], files: tuple[int, int, int]) -> None:
        """command: this Python, then "-m" and a module, or a script; files: the descriptors 0 to 2 that it gets."""
        self.args = command
        self.returncode: int | None = None
        self.stderr: IO[str] | None = None
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        self._state = ours.detach()
        weakref.finalize(self, os.close, self._state)
        with theirs:
            _nursery().start({"words": command[1:], "cwd": str(cwd), "env": env}, [*files, theirs.fileno()])
        self.pid = int(os.read(self._state, 64))

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._state], [], [], 0)[0]:
                self._end()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for its end; returns its exit code, as Popen's: minus the signal that ended it."""
        if not select.select([self._state], [], [], timeout)[0] and self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        code = self.poll()
        assert code is not None
        return code

    def _end(self) -> None:
        status = os.read(self._state, 64)  # empty for ever after, so that `select` above never waits again
        self.returncode = os.waitstatus_to_exitcode(int(status)) if status else -signal.SIGKILL

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(command: list[str], cwd: Path, env: dict[str, str]) -> Forked | subprocess.Popen[str]:
    """Start a program that is heard on its `stderr` only; one of this Python is forked."""
    if command[0] != sys.executable:
        return subprocess.Popen(
            command, cwd=cwd, env=env, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
    heard, said = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        program = Forked(command, cwd, env, (nothing, nothing, said))
    finally:
        os.close(said)
        os.close(nothing)
    program.stderr = os.fdopen(heard, encoding="utf-8", errors="replace")
    return program


def run(
    command: list[str], cwd: Path, env: dict[str, str], given: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `subprocess.run` with its output captured as text."""
    if command[0] != sys.executable:
        return subprocess.run(command, cwd=cwd, env=env, input=given, capture_output=True, text=True, timeout=timeout)
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3)]
        files[0].write(given)
        files[0].seek(0)
        program = Forked(command, cwd, env, (files[0].fileno(), files[1].fileno(), files[2].fileno()))
        try:
            code = program.wait(timeout)
        except subprocess.TimeoutExpired:
            program.kill()
            raise
        for file in files[1:]:
            file.seek(0)
        return subprocess.CompletedProcess(command, code, files[1].read(), files[2].read())


class _Nursery:
    """The process that has everything loaded, and the line to it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.forking", str(theirs.fileno())],
                cwd=Path(__file__).parents[2], pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        atexit.register(self.close)

    def start(self, request: dict[str, Any], files: list[int]) -> None:
        with self._lock:
            socket.send_fds(self._line, [json.dumps(request).encode()], files)

    def close(self) -> None:
        self._line.close()
        self._process.wait(30)


@cache
def _nursery() -> _Nursery:
    return _Nursery()


def _serve(line: socket.socket) -> list[str] | None:
    """Start what is asked for until nobody asks any more; in each child this returns what it is to run."""
    running: dict[int, tuple[int, socket.socket]] = {}  # a child's pidfd -> it, and who wants to know of its end
    while True:
        ready, _, _ = select.select([line, *running], [], [])
        for ended in [one for one in ready if one is not line]:
            pid, asker = running.pop(ended)
            with contextlib.suppress(OSError), asker:
                asker.send(str(os.waitpid(pid, 0)[1]).encode())
            os.close(ended)
        if line not in ready:
            continue
        text, files, _, _ = socket.recv_fds(line, _LONGEST, 4)
        if not text:
            for pid, _ in running.values():
                os.kill(pid, signal.SIGKILL)
            return None
        pid = os.fork()
        if not pid:
            for ended, (_, asker) in running.items():
                os.close(ended)
                asker.close()
            line.close()
            return _become(json.loads(text), files)
        asker = socket.socket(fileno=files.pop())
        for file in files:
            os.close(file)
        asker.send(str(pid).encode())
        running[os.pidfd_open(pid)] = (pid, asker)


def _become(request: dict[str, Any], files: list[int]) -> list[str]:
    """Take on folder, environment and files of a fresh program; returns its words."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    if request["env"].get("PYTHONFAULTHANDLER"):
        faulthandler.enable(2)
    return list(request["words"])


def _load() -> None:
    """All modules, and what a daemon makes at its first rest."""
    import mailticket

    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"
    for module in pkgutil.walk_packages(mailticket.__path__, "mailticket."):
        if not module.name.startswith(_NEVER_LOADED):
            importlib.import_module(module.name)
    from mailticket.intake.prepare import make_ready
    from mailticket.letters.values import Letterhead
    from mailticket.mail.values import Ourselves
    from mailticket.site import shipped_letters
    from mailticket.triage.brief import brief

    make_ready(brief(("MT",), (), Ourselves(), ()))
    shipped_letters().make_ready(Letterhead("Example", "support@example.com", "mark", ZoneInfo("UTC")))
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    place = int(sys.argv[1])
    _load()
    words = _serve(socket.socket(fileno=place))
    if words is not None and words[0] == "-m":
        sys.argv = ["", *words[2:]]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words is not None:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).parent))
        runpy.run_path(words[0], run_name="__main__")
