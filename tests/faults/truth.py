"""What the servers saw: the only witnesses whose word counts after a fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tests.e2e import post
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

_COMMAND = re.compile(rb"(?m)^\S+ (UID )?(FETCH|STORE|SEARCH|COPY|MOVE|EXPUNGE)\b[^\r\n]*", re.IGNORECASE)


def copies(sink: SmtpSink) -> Counter[str]:
    """How many mails the SMTP server has for each recipient."""
    return Counter(sink.recipients())


def each_was_answered_once(sink: SmtpSink, people: Iterable[str]) -> None:
    """One mail for each person and nobody else, each with a ticket ID of its own."""
    assert copies(sink) == dict.fromkeys(people, 1)
    tickets = [post.ticket_id(mail) for mail in sink.accepted]
    assert len(set(tickets)) == len(tickets), f"two mails name the same ticket: {tickets}"


def all_are_flagged(dovecot: Dovecot, count: int) -> None:
    """Wait until the IMAP server shows so many mails, all of them marked as seen."""

    def flagged() -> bool:
        flags = dovecot.flags()
        return len(flags) == count and all("\\Seen" in found for found in flags.values())

    until(flagged, f"{count} mails to be marked as seen on the server")


def unflagged(dovecot: Dovecot) -> int:
    """How many mails the IMAP server shows as not seen."""
    return sum("\\Seen" not in flags for flags in dovecot.flags().values())


def commands(wire: bytes) -> list[tuple[bool, str, str]]:
    """Of a client's bytes, all commands that name mails: whether by UID, the verb, the whole line."""
    return [
        (found[1] is not None, found[2].decode().upper(), found[0].decode("utf-8", "replace"))
        for found in _COMMAND.finditer(wire)
    ]
