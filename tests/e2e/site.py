"""One installation of mailticket in a folder: its configuration, its daemon as a subprocess, its commands."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailticket.desk import faces
from mailticket.store import Session, incoming, outgoing, overview, tickets
from mailticket.store.engine import Database
from tests.servers import forking
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import PATIENCE, until
from tests.servers.smtp import SmtpSink

SUPPORT = "support@example.com"
BORDER = "mx.example.com"
"""The mail server whose Authentication-Results the site trusts."""

_numbers = itertools.count(1)

Tables = Mapping[str, Mapping[str, object]]


class Site:
    """A folder with a mailticket.toml, at first the smallest one.

    `notices` are systemd's notifications, `log` the lines on standard error, both of all runs in order.
    """

    def __init__(self, folder: Path, dovecot: Dovecot, smtp: SmtpSink, url: str = "") -> None:
        self.folder = folder
        self.user = dovecot.user
        self.url = url or f"sqlite:///{folder}/mailticket.db"
        self.configuration = folder / "mailticket.toml"
        self.log: list[str] = []
        self.notices: list[str] = []
        self._noticed_at: dict[str, float] = {}
        self.process: forking.Forked | subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._database: Database | None = None
        self._tables: Tables = {
            "support": {"name": "Example Support", "address": SUPPORT},
            "database": {"url": self.url},
            "mailbox": {
                "name": "support", "host": "127.0.0.1", "port": dovecot.plain_port, "security": "none",
                "username": dovecot.user, "password": PASSWORD,
            },
            "smtp": {"host": "127.0.0.1", "port": smtp.port, "security": "none"},
            "trust": {"authserv_id": BORDER},
        }  # fmt: skip
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify_address = f"@mailticket-test-{os.getpid()}-{next(_numbers)}"
        self._notified.bind("\0" + self.notify_address[1:])
        self._listener = threading.Thread(target=self._listen, name="notify", daemon=True)
        self._listener.start()
        self.configure()

    def configure(self, **more: Mapping[str, object]) -> None:
        """The configuration anew: the smallest one with these keys on top (None leaves one out)."""
        names = [*self._tables, *(name for name in more if name not in self._tables)]
        lines = []
        for name in names:
            lines.append(f"[[{name}]]" if name == "mailbox" else f"[{name}]")
            values = {**self._tables.get(name, {}), **more.get(name, {})}
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
        self.configuration.write_text("\n".join(lines) + "\n", "utf-8")

    def start(self, fail: str = "", ready: bool = True, **environ: str) -> None:
        """Start the daemon, stopped by `fail` (a failpoint) if given; returns when it says that it is ready."""
        heard = len(self.notices)
        self.process = forking.start(self._command("run"), self.folder, self._environ(fail, **environ))
        reader = threading.Thread(target=self._read, args=(self.process,), name="log", daemon=True)
        reader.start()
        self._threads.append(reader)
        if ready:
            self.wait_notice("READY=1", since=heard)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal the daemon and wait for its end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """Wait until the daemon has ended by itself; returns its exit code."""
        assert self.process is not None
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("the daemon did not end\n" + self.told()) from None

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def hang_up(self) -> str:
        """SIGHUP; returns what the daemon says of itself when it is ready again."""
        assert self.process is not None
        heard = len(self.notices)
        self.process.send_signal(signal.SIGHUP)
        self.wait_notice("RELOADING=1", since=heard)
        return self.wait_notice("READY=1", since=heard)

    def once(self, fail: str = "", code: int = 0) -> dict[str, int]:
        """`run --once --json`: the counts."""
        done = self.cli("run", "--once", "--json", code=code, fail=fail)
        counts: dict[str, int] = json.loads(done.stdout)
        return counts

    def cli(
        self, *words: str, code: int | None = 0, fail: str = "", given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `code` is the exit code that it must have, None for any."""
        done = forking.run(self._command(*words), self.folder, self._environ(fail), given, 2 * PATIENCE)
        assert code in (None, done.returncode), f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str) -> list[dict[str, Any]]:
        """What a command prints with --json, an object a line."""
        return [json.loads(line) for line in self.cli(*words, "--json").stdout.splitlines()]

    def show(self, ticket: str) -> dict[str, Any]:
        return self.json("ticket", "show", ticket)[0]

    def tickets(self) -> list[dict[str, Any]]:
        """What `ticket list --json` prints, oldest first, without the cost of a command."""

        def face(session: Session, row: overview.TicketRow) -> dict[str, Any]:
            return faces.ticket(row, tickets.position(session, row.ticket))

        return [*overview.ticket_rows(self.database, overview.Filter(), None, face)][::-1]

    def outbox(self) -> list[dict[str, Any]]:
        """What `outbox list --json` prints."""
        with self.database.read() as session:
            return [faces.outgoing(row, key) for row, key in outgoing.listing(session)]

    @property
    def database(self) -> Database:
        """The database as another program sees it: for waiting, where a command for each look would be slow."""
        if self._database is None:
            self._database = Database(self.url)
        return self._database

    def incoming_states(self) -> dict[str, int]:
        """How many mails of the mailbox are in each state."""
        with self.database.read() as session:
            return dict(overview.conservation(session).get("support", {}))

    def outgoing_states(self) -> dict[str, int]:
        with self.database.read() as session:
            return overview.figures(session, datetime.now(UTC), datetime.now(UTC)).outgoing

    def raw_of(self, name: str) -> Any:
        """The record of a mail, by Message-ID or mailbox:UID."""
        with self.database.read() as session:
            return incoming.find(session, name)[0]

    def wait_incoming(self, **states: int) -> None:
        """Wait until so many mails are in these states."""
        until(lambda: self._reached(self.incoming_states, states), f"incoming mails {states}{self.told()}")

    def wait_outgoing(self, **states: int) -> None:
        until(lambda: self._reached(self.outgoing_states, states), f"outgoing mails {states}{self.told()}")

    def _reached(self, ask: Callable[[], dict[str, int]], states: Mapping[str, int]) -> bool:
        found = ask()
        return all(found.get(state, 0) == number for state, number in states.items())

    def wait_idle(self, mails: int) -> None:
        """Wait until so many mails have their outcome and nothing waits to be sent."""
        until(lambda: self._is_idle(mails), f"{mails} mails taken in and answered{self.told()}", 2 * PATIENCE)

    def _is_idle(self, mails: int) -> bool:
        taken, out = self.incoming_states(), self.outgoing_states()
        waiting = out.get("queued", 0) + out.get("sending", 0) + out.get("deferred", 0)
        return taken.get("listed", 0) == 0 and sum(taken.values()) == mails and waiting == 0

    def wait_log(self, words: str, since: int = 0) -> str:
        """Wait for a log line that contains the words, and return it."""
        return self._wait_for(self.log, words, since)

    def wait_notice(self, words: str, since: int = 0) -> str:
        return self._wait_for(self.notices, words, since)

    def quiet_since(self, notice: str) -> float:
        """Seconds since systemd was last told this."""
        with self._changed:
            return time.monotonic() - self._noticed_at.get(notice, 0.0)

    def _wait_for(self, said: list[str], words: str, since: int) -> str:
        found: list[str] = []

        def heard() -> bool:
            found[:] = [line for line in said[since:] if words in line]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(heard, PATIENCE):
                raise AssertionError(f"{words!r} was not said{self.told()}")
        return found[0]

    def told(self) -> str:
        """The end of the log, for the message of a failing test."""
        return "; the log ends:\n" + "\n".join(self.log[-25:])

    def limit_files(self, size: int = resource.RLIM_INFINITY) -> None:
        """Let no file of the running daemon grow beyond a size, as a full disk would."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        """End what still runs; the log goes to standard output, which pytest shows when the test failed."""
        print(*self.log, sep="\n")
        if self.process is not None and not self.has_ended:
            self.process.kill()
            self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._notified.shutdown(socket.SHUT_RD)
        self._listener.join(PATIENCE)
        self._notified.close()
        self.close_database()

    def close_database(self) -> None:
        """Look no longer into the database, before somebody replaces it."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "mailticket", *words, "--config", str(self.configuration)]

    def _environ(self, fail: str = "", **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        failing = {"MAILTICKET_FAIL": fail} if fail else {}
        return {**kept, "NOTIFY_SOCKET": self.notify_address, **failing, **more}

    def _read(self, process: forking.Forked | subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.hear(line.rstrip("\n"))

    def hear(self, line: str) -> None:
        """The program has said something."""
        with self._changed:
            self.log.append(line)
            self._changed.notify_all()

    def _listen(self) -> None:
        while notice := self._notified.recv(4096):
            with self._changed:
                self.notices.append(notice.decode())
                self._noticed_at[notice.decode()] = time.monotonic()
                self._changed.notify_all()
