"""An IMAP mailbox that lies as a test tells it: it answers whole sessions out of a table, and writes down each line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from tests.servers.scripted_imap import Conversation, ScriptedImap


class Mailbox:
    """Mails by UID, served to any number of connections. Change its fields between (or during) commands.

    size_of: sizes that the server announces in place of the true ones. after: a verb -> what happens once such a
    command was answered. refuse: a verb -> the line that answers it instead. before: a verb -> lines that come before
    its answer.
    """

    def __init__(self, *mails: bytes) -> None:
        self.mails = dict(enumerate(mails, 1))
        self.uidvalidity, self.uidnext = 7, len(mails) + 1
        self.arrived = datetime.now(UTC).strftime('"%d-%b-%Y %H:%M:%S +0000"').encode()
        self.size_of: dict[int, int] = {}
        self.seen: set[int] = set()
        self.after: dict[str, Callable[[], None]] = {}
        self.refuse: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.greeting = b"* OK ready"

    def serve(self) -> ScriptedImap:
        return ScriptedImap(self.session)

    def session(self, server: Conversation) -> None:
        """One connection, from greeting to LOGOUT."""
        server.send(self.greeting + b"\r\n")
        if not self.greeting.startswith(b"* OK"):
            return
        while True:
            tag, _, command = server.read_line().partition(b" ")
            verb = command.upper().removeprefix(b"UID ").split(b" ")[0].decode()
            if verb == "IDLE":
                server.send(b"+ idling\r\n")
                server.read_line()
            if verb in self.refuse:
                server.send(tag + b" " + self.refuse[verb] + b"\r\n")
            else:
                server.send(self.before.get(verb, b"") + self._answer(verb, command) + tag + b" OK done\r\n")
            if verb in self.after:
                self.after[verb]()
            if verb == "LOGOUT":
                return

    def _answer(self, verb: str, command: bytes) -> bytes:
        if verb == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE\r\n"
        if verb == "SELECT":
            return (
                b"* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] kept\r\n"
                b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] valid\r\n* OK [UIDNEXT %d] next\r\n"
                % (len(self.mails), self.uidvalidity, self.uidnext)
            )
        if verb == "SEARCH":
            return b"* SEARCH " + b" ".join(b"%d" % uid for uid in self._named(command)) + b"\r\n"
        if verb == "FETCH":
            return b"".join(self._fetched(uid, command) for uid in self._named(command))
        if verb == "STORE":
            self.seen |= set(self._named(command))
        return b""

    def _named(self, command: bytes) -> list[int]:
        """The UIDs of a command's set that are there."""
        found = re.search(rb"[\d:,*]*\d[\d:,*]*", command.partition(b" ")[2])
        assert found, command
        named: set[int] = set()
        for part in found[0].split(b","):
            first, _, last = part.partition(b":")
            end = max(self.mails, default=0) if last == b"*" else int(last or first)
            named |= {uid for uid in self.mails if int(first) <= uid <= end}
        return sorted(named)

    def _fetched(self, uid: int, command: bytes) -> bytes:
        raw = self.mails[uid]
        said = b"UID %d FLAGS () INTERNALDATE %s RFC822.SIZE %d" % (
            uid, self.arrived, self.size_of.get(uid, len(raw)),
        )  # fmt: skip
        part = re.search(rb"BODY\.PEEK\[\](?:<0\.(\d+)>)?", command)
        if part:
            given = raw[: int(part[1])] if part[1] else raw
            said += b" BODY[]%s {%d}\r\n%s" % (b"<0>" if part[1] else b"", len(given), given)
        return b"* %d FETCH (%s)\r\n" % (list(self.mails).index(uid) + 1, said)
