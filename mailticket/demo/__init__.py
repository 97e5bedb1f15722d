"""`mailticket demo`: the main job on embedded servers, shown live: who wrote, what it became and why, the answer."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TextIO

import click

from mailticket.cli import terminal
from mailticket.config.files import shipped_folder
from mailticket.config.read import read_settings
from mailticket.demo import senders
from mailticket.demo.servers import PATIENCE, Accepted, InboxServer, PostServer
from mailticket.intake.take_in import Result
from mailticket.service.daemon import Daemon, Watchers
from mailticket.settings import Settings
from mailticket.store import meta, overview
from mailticket.store.engine import Database

_PASSWORD = "demo"  # noqa: S105 of a server that lives for a minute on loopback
_SIGNS = {"opened": "●", "appended": "↳", "filed": "·", "known": "=", "quarantined": "!"}
_COLOURS = {"opened": "green", "appended": "cyan", "filed": "bright_black", "known": "bright_black"}


@dataclass
class Stage:
    """The servers, the daemon, and what was seen of them so far."""

    out: TextIO
    folder: Path
    inbox: InboxServer = field(init=False)
    post: PostServer = field(init=False)
    configuration: Path = field(init=False)
    settings: Settings = field(init=False)
    daemon: Daemon = field(init=False)
    seconds: list[float] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def open(self) -> None:
        """Start the servers and the daemon."""
        self.inbox = InboxServer(senders.SUPPORT, _PASSWORD)
        self.post = PostServer(senders.SUPPORT, self.inbox.deliver)
        self.inbox.start()
        self.post.start()
        self.configuration = self.folder / "mailticket.toml"
        self.configuration.write_text(_configuration(self.inbox.port, self.post.port), "utf-8")
        self.settings = read_settings(self.configuration, {})
        self.daemon = Daemon(lambda: self.settings, Watchers(taken=self._taken))
        self._thread = threading.Thread(target=self.daemon.run, name="demo daemon")
        self._thread.start()
        if not self.daemon.ready.wait(PATIENCE):
            raise RuntimeError("the daemon did not start")
        self._wait_until_it_looked()

    def _wait_until_it_looked(self) -> None:
        """Pymap never shows a mail that comes while a folder is being selected: not to a search, not to an IDLE."""
        database = Database(self.settings.database.url)
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                with database.read() as session:
                    if any(part.last_success_at for part in meta.health(session) if part.name.startswith("mailbox ")):
                        return
                time.sleep(0.02)
        finally:
            database.close()
        raise RuntimeError("the daemon did not reach the inbox")

    def close(self) -> None:
        self.daemon.stop()
        self._thread.join(PATIENCE)
        self.post.stop()
        self.inbox.stop()

    def say(self, text: str = "") -> None:
        click.echo(text, file=self.out)

    def _taken(self, results: Sequence[Result]) -> None:
        with self._news:
            self.results.extend(results)
            self._news.notify_all()

    def feed(self, raw: bytes, when: datetime | None = None) -> EmailMessage | None:
        """Let a mail arrive, show what it becomes, and return the answer that it caused, if any."""
        seen, letters = len(self.results), len(self.post.accepted)
        began = time.monotonic()
        self.inbox.deliver(raw, when)
        with self._news:
            if not self._news.wait_for(lambda: len(self.results) > seen, PATIENCE):
                raise RuntimeError("the daemon did not take the mail in")
            result = self.results[seen]
        self._show(result)
        if not result.letter or result.withheld:
            self._show_silence(result)
            return None
        accepted = self.post.wait_for(lambda mail: mail in self.post.accepted[letters:])
        return self._show_answer(result, accepted, began) if accepted else None

    def _show(self, result: Result) -> None:
        mail = result.mail
        if mail is None:
            return
        who = mail.sender_address or (mail.from_[0] if mail.from_ else None)
        name = f"{who.name} <{who.address}>" if who and who.name else (who.address if who else "nobody")
        self.say(f"{click.style('✉', bold=True)}  {click.style(name, bold=True)}  “{mail.subject}”")
        became = f"{_SIGNS.get(result.state, '?')} {result.state} {result.ticket or ''}".rstrip()
        self.say(f"   {click.style(became, fg=_COLOURS.get(result.state, 'red'))}: {result.reason}")
        if result.duplicate_of:
            self.say(f"   {click.style(f'≈ looks like {result.duplicate_of}', fg='yellow')}: flagged, kept as its own")
        for file in mail.attachments:
            self.say(f"   + {file.name}, {file.type}, {file.size} bytes")

    def _show_silence(self, result: Result) -> None:
        why = result.withheld or ("an automaton gets no answer" if result.mail and result.mail.automatic else
                                   "a reply is not acknowledged again")  # fmt: skip
        self.say(click.style(f"   – no answer: {why}\n", fg="bright_black"))

    def _show_answer(self, result: Result, accepted: Accepted, began: float) -> EmailMessage:
        took = accepted.at - began
        self.seconds.append(took)
        answer = _parsed(accepted.raw)
        self.say(f"   ← {result.letter} after {took:.2f} s: “{answer['Subject']}”\n")
        return answer


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)


def _configuration(imap_port: int, smtp_port: int) -> str:
    """The demo's configuration file: other commands are to find what the daemon finds."""
    return f"""
[support]
name = "Demo Exchange Support"
address = "{senders.SUPPORT}"
[database]
url = "sqlite:///demo.db"
[[mailbox]]
name = "support"
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "{senders.SUPPORT}"
password = "{_PASSWORD}"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
[trust]
authserv_id = "{senders.BORDER}"
[articles]
folder = {json.dumps(str(shipped_folder("config") / "articles"))}
"""


def run_demo(out: TextIO, *, keep: bool, files: Sequence[Path]) -> int:
    """Run the demo; returns the exit code."""
    logging.getLogger("mailticket").setLevel(logging.ERROR)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="mailticket-demo-") as folder:
        stage = Stage(out, Path(folder))
        stage.open()
        try:
            stage.say(click.style("The help desk of an exchange, on this machine alone.\n", bold=True))
            _play(stage, files)
            if keep:
                _keep(stage)
        finally:
            stage.close()
    return 0


def _play(stage: Stage, files: Sequence[Path]) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    first = stage.feed(senders.missing_deposit(), hour_ago)
    stage.feed(senders.missing_deposit_again())
    locked = stage.feed(senders.locked_account())
    mistyped = stage.feed(senders.mistyped_address())
    if first and locked and mistyped:
        stage.feed(senders.reply_to(first))
        stage.feed(senders.out_of_office(locked))
        stage.feed(senders.bounce(mistyped))
    stage.feed(senders.newsletter())
    stage.feed(senders.gbk_without_charset())
    for file in files:
        stage.feed(file.read_bytes())
    if first:
        _show_letter(stage, first)
    _show_tickets(stage)
    if stage.seconds:
        middle, slowest = statistics.median(stage.seconds), max(stage.seconds)
        stage.say(f"\nFrom arrival in the inbox to the answer accepted by the SMTP server: "
                  f"median {middle:.2f} s, slowest {slowest:.2f} s.")  # fmt: skip


def _show_letter(stage: Stage, letter: EmailMessage) -> None:
    stage.say(click.style("One acknowledgement in full", bold=True, underline=True))
    for header in ("From", "To", "Subject", "Auto-Submitted", "In-Reply-To", "Message-ID"):
        stage.say(click.style(f"{header}: {letter[header]}", fg="bright_black"))
    body = letter.get_body(("plain",))
    stage.say("\n" + (body.get_content() if body else ""))


def _show_tickets(stage: Stage) -> None:
    stage.say(click.style("The tickets", bold=True, underline=True))
    database = Database(stage.settings.database.url)
    try:
        rows = list(overview.ticket_rows(database, overview.Filter(), None, lambda _session, row: row))
    finally:
        database.close()
    lines = [(row.ticket.key, row.ticket.status, row.ticket.category, row.requester, row.messages,
              terminal.moment(row.ticket.promised_by), row.duplicate_of or "", row.ticket.subject)
             for row in reversed(rows)]  # fmt: skip
    terminal.table(
        ("TICKET", "STATUS", "CATEGORY", "REQUESTER", "MAILS", "PROMISED BY", "DUPLICATE OF", "SUBJECT"), lines
    )


def _keep(stage: Stage) -> None:
    mails = [result for result in stage.results if result.ticket and result.mail]
    key, message_id = (str(mails[0].ticket), mails[0].mail.message_id) if mails and mails[0].mail else ("ID", "ID")
    stage.say(f"""
The servers stay up. With an ordinary mail program:
  read the support inbox   IMAP, 127.0.0.1 port {stage.inbox.port}, no encryption
                           user {senders.SUPPORT}, password {_PASSWORD}
  write to support         SMTP, 127.0.0.1 port {stage.post.port}, no encryption, to {senders.SUPPORT}
In a second terminal, every command works with this configuration, for example:
  export MAILTICKET_CONFIG={stage.configuration}
  {_program()} status
  {_program()} ticket reply {key} --text "It is on its way."
  {_program()} mail why "{message_id}"
What mailticket sends is shown here. Ctrl-C ends.
""")
    seen = list(stage.post.accepted)
    try:
        while True:
            accepted = stage.post.wait_for(lambda mail: mail not in seen, 3600)
            if accepted is not None:
                seen.append(accepted)
                _show_letter(stage, _parsed(accepted.raw))
    except KeyboardInterrupt:
        stage.say("Stopping.")


def _program() -> str:
    """How this program was called, for lines to be typed."""
    called = Path(sys.argv[0])
    return sys.argv[0] if called.name == "mailticket" else f"{sys.executable} -m mailticket"
