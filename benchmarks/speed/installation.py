"""An installation of the program in a temporary folder, its daemon as a process, and what that process takes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from benchmarks.speed.post import BORDER, SUPPORT
from tests.servers.dovecot import PASSWORD, Dovecot

# An installed program is compiled. Without this, a shell that forbids it had each call compile 250 modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PATIENCE = 900.0
# In a small process, for the system counts towards a program's memory what the process had that called it.
_COSTS = """
import json, resource, subprocess, sys, time
began = time.monotonic()
with subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as it:
    while it.stdout.read(1 << 16):
        pass
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1.024 / 1000]))
"""


class Costs(NamedTuple):
    """What a process took: seconds by the clock, of processor time, and MB of memory at most."""

    seconds: float
    processor: float
    memory: float


class Installation:
    """A folder with a configuration for some mailboxes and an SMTP port. `close` ends and removes everything."""

    def __init__(self, imap_port: int, users: list[str], smtp_port: int, more: str = "", url: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailticket-bench-"))
        self.database = self.folder / "mailticket.db"
        self.url = url or f"sqlite:///{self.database}"
        self.configuration = self.folder / "mailticket.toml"
        self._process: subprocess.Popen[bytes] | None = None
        lines = ["[support]", 'name = "Example Support"', f'address = "{SUPPORT}"', "[database]"]
        lines += [f'url = "{self.url}"', "[trust]", f'authserv_id = "{BORDER}"']
        for user in users:
            lines += ["[[mailbox]]", f'name = "{user.partition("@")[0]}"', 'host = "127.0.0.1"', f"port = {imap_port}"]
            lines += ['security = "none"', f'username = "{user}"', f'password = "{PASSWORD}"']
        lines += ["[smtp]", 'host = "127.0.0.1"', f"port = {smtp_port}", 'security = "none"', more]
        self.configuration.write_text("\n".join(lines) + "\n", "utf-8")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._address = f"@mailticket-bench-{os.getpid()}-{id(self)}"
        self._socket.bind("\0" + self._address[1:])
        self._socket.settimeout(60)

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, wrapper: list[str] | None = None, words: Sequence[str] = ()) -> float:
        """Start the daemon with further words; returns the seconds until it was ready."""
        began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(wrapper or [sys.executable, "-m", "mailticket"], "run", *words),
                env={**os.environ, "NOTIFY_SOCKET": self._address},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        while b"READY=1" not in self._socket.recv(4096):
            pass
        return time.monotonic() - began

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(90)
            self._process = None

    def close(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cli(self, *words: str) -> str:
        """What a command prints."""
        command = self._command([sys.executable, "-m", "mailticket"], *words)
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def costs(self, *words: str) -> Costs:
        """What a command takes; what it prints is thrown away."""
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _COSTS,
            *self._command([sys.executable, "-m", "mailticket"], *words),
        ]
        return Costs(*json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    def timed(self, *words: str, first_line: bool = False) -> float:
        """Seconds that a command takes, or takes to its first line."""
        began = time.monotonic()
        command = self._command([sys.executable, "-m", "mailticket"], *words)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            process.stdout.readline()
            if first_line:
                seconds = time.monotonic() - began
                process.kill()
                return seconds
            while process.stdout.read(1 << 16):
                pass
        return time.monotonic() - began

    def json(self, *words: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.cli(*words, "--json").splitlines()]

    def ask(self, query: str) -> int:
        """The first figure of a query, over a connection that only reads."""
        with contextlib.closing(self._connection()) as store:
            row = store.execute(query).fetchone()
            return int(row[0] or 0)

    def _connection(self) -> Any:
        if self.url.startswith("postgresql"):
            return psycopg.connect(self.url.replace("postgresql+psycopg", "postgresql"))
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)

    def waiting(self) -> int:
        """How many mails, incoming and outgoing, are not done."""
        return self.ask(
            "SELECT (SELECT count(*) FROM incoming WHERE state = 'listed') + (SELECT count(*) FROM outgoing "
            "WHERE state IN ('queued', 'deferred')) + (SELECT count(*) FROM outgoing WHERE state = 'sending')"
        )

    def newest(self) -> int:
        """The number of the newest record of a mail; 0 for none."""
        return self.ask("SELECT max(id) FROM incoming")

    def wait_idle(self, mails: int, more: Callable[[], None] = lambda: None, after: int = 0) -> None:
        """Wait until so many mails were listed and nothing waits; `more` is called at each look, every 0.2 s.

        after: the record behind which mails count: to count a million at each look would be most of the work.
        """
        query = f"SELECT count(*) FROM incoming WHERE id > {after}"
        until(lambda: self.ask(query) >= mails and self.waiting() == 0, "all done", more)

    def memory(self) -> tuple[float, float]:
        """Resident memory of the daemon, now and at most, in MB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return _kilobytes(status, "VmRSS") / 1000, _kilobytes(status, "VmHWM") / 1000

    def cpu(self) -> float:
        """Seconds of processor time that the daemon has taken."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def _command(self, program: list[str], *words: str) -> list[str]:
        return [*program, "--config", str(self.configuration), *words]


def until(done: Callable[[], bool], what: str, more: Callable[[], None] = lambda: None) -> None:
    """Ask every 0.2 s until it is so."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"waited {PATIENCE:.0f} s in vain for: {what}")
        more()
        time.sleep(0.2)


def _kilobytes(status: str, name: str) -> float:
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return float(line.split()[1]) * 1.024


@contextlib.contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot of our own; ends the program with a plain reason where there is none."""
    if not Dovecot.available():
        raise SystemExit("these benchmarks need Debian's dovecot-imapd and openssl")
    server = Dovecot()
    try:
        yield server
    finally:
        server.close()
