"""What the servers need of the machine: free ports, an unprivileged user, waiting for a port, ending a process."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds after which a server that does not do what is awaited counts as broken."""


_PORTS = range(10240, 32768)  # below those that Linux gives to clients, which would take one between look and use


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no other process is given by this while ours lives.

    An abstract Unix socket of the port's name is the sign of that: whoever comes second cannot bind it, and it goes
    with the process, however that ends.
    """
    for port in (secrets.choice(_PORTS) for _ in range(1_000)):  # tests may have seeded `random`
        with contextlib.suppress(OSError), socket.socket() as probe, socket.socket(socket.AF_UNIX) as sign:
            sign.bind(f"\0mailticket-test-port-{port}")
            probe.bind(("127.0.0.1", port))
            sign.detach()
            return port
    raise AssertionError("there is no free port")


def until(question: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask again and again, every 10 ms, until the answer is yes; fail with `what` when patience ends."""
    end = time.monotonic() + patience
    while not question():
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.01)


def answers(port: int, greeting: bytes = b"") -> bool:
    """True when something accepts connections on the port and its first bytes begin with the greeting."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        return not greeting or connection.recv(len(greeting)) == greeting
    return False


def stands_still(pid: int) -> bool:
    """Whether a process was stopped by SIGSTOP and not woken."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
    return False


class Unprivileged:
    """The user under whom a server runs: `nobody` when the tests run as root, else whoever runs them."""

    def __init__(self) -> None:
        entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.name, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid

    def own(self, path: Path) -> None:
        """Hand one file or folder to the user."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def folder(self, prefix: str) -> Path:
        """A new temporary folder of this user with a short path, because Unix sockets allow about 100 characters."""
        path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
        path.chmod(0o755)
        self.own(path)
        return path

    def start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program as this user in a process group of its own; what it prints goes to the log.

        It ends with the process of the tests, even where that is killed and closes nothing.
        """
        setpriv = program("setpriv", "/usr/bin")
        command = [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command
        with log.open("ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._options())

    def run(self, command: list[str]) -> str:
        """Run a program to its end as this user and return what it printed; fail if it failed."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2, **self._options())
        if done.returncode:
            raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return str(done.stdout)

    def _options(self) -> dict[str, Any]:
        as_user: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"start_new_session": True, "cwd": "/", **as_user}


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a process group that a test started: ask, wait, then kill."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE / 3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE / 3)


def program(name: str, *folders: str) -> str | None:
    """The full path of a program on PATH or in one of the folders, or None."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *folders]))


def require(found: object, what: str) -> None:
    """Skip the test with a plain reason when something is missing; under CI=true that is a failure."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is not installed here")
