"""What became of an attempt to deliver, and when to try again: all policy on SMTP errors stands here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailticket.text.clean import one_line

Kind = Literal["sent", "retry", "permanent", "uncertain", "configuration"]
"""sent: the server has it. retry: not now. permanent: never, by this mail's fault. uncertain: the line died when the
server may have had it already. configuration: no mail will pass until a person has changed something."""

Phase = Literal["connect", "hello", "tls", "sign-in", "sender", "recipient", "data", "message"]
"""How far an attempt came. data: the DATA command, before any byte of the mail; message: after its first byte."""

# What follows from (no response, 4yz, 5yz) in each phase. RFC 5321 4.2.1: 4yz may pass, 5yz will not. Before the
# recipient a refusal is about us and would meet every mail; after it, about this one. After the message silence may
# hide a success (RFC 5321 4.5.3.2.6, 6.1).
_POLICY: dict[Phase, tuple[Kind, Kind, Kind]] = {
    "connect": ("retry", "retry", "configuration"),
    "hello": ("retry", "retry", "configuration"),
    "tls": ("retry", "retry", "configuration"),
    "sign-in": ("retry", "retry", "configuration"),
    "sender": ("retry", "retry", "configuration"),
    "recipient": ("retry", "retry", "permanent"),
    "data": ("retry", "retry", "permanent"),
    "message": ("uncertain", "retry", "permanent"),
}

# The server wants a sign-in or a better one (RFC 4954 6): about us, in whatever phase it says so.
_SIGN_IN_WANTED = frozenset({530, 534, 535, 538})
# Refused with the sender's command but about this mail: too big (RFC 1870 6.1, RFC 3463 X.3.4), or an address or header
# that needs SMTPUTF8 (RFC 6531 3.5: X.6.7, X.6.9).
_ABOUT_THE_MAIL = frozenset({"5.3.4", "5.6.7", "5.6.9"})

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t\n]|$)")
LONGEST_TEXT = 500  # characters of a server's words

_QUICK = (timedelta(seconds=30), timedelta(minutes=2))
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(hours=4)
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `code` is 0 without a response; `status` is the enhanced code (RFC 3463) or empty.

    refused: of a mail that was sent, whose copies the server did not take, and why.
    """

    kind: Kind
    phase: Phase
    code: int = 0
    status: str = ""
    text: str = ""
    refused: tuple[str, ...] = ()

    @property
    def about_the_server(self) -> bool:
        """True when the next mail would fare no better: the trouble came before this mail's recipient was named."""
        return self.kind == "configuration" or (
            self.kind == "retry" and self.phase not in ("recipient", "data", "message")
        )

    def __str__(self) -> str:
        details = " ".join(part for part in (str(self.code or ""), self.status, self.text) if part)
        return f"{self.kind} ({self.phase}): {details}"


def from_response(phase: Phase, code: int, text: str) -> Outcome:
    """What a response means. A code that answers nothing that was asked counts as no response."""
    enhanced = _ENHANCED.match(text)
    status = enhanced[1] if enhanced else ""
    rest = one_line(text[len(status) :], LONGEST_TEXT)
    if phase == "message" and 200 <= code < 300:
        return Outcome("sent", phase, code, status, rest)
    if 400 <= code < 500:
        return Outcome(_POLICY[phase][1], phase, code, status, rest)
    if 500 <= code < 600:
        return Outcome(_refusal(phase, code, status), phase, code, status, rest)
    return without_response(phase, f"unexpected response: {code} {rest}")


def _refusal(phase: Phase, code: int, status: str) -> Kind:
    if code in _SIGN_IN_WANTED:
        return "configuration"
    if phase == "sender" and (code == 552 or status in _ABOUT_THE_MAIL):
        return "permanent"
    return _POLICY[phase][2]


def without_response(phase: Phase, text: str) -> Outcome:
    """The line died or timed out in this phase."""
    return Outcome(_POLICY[phase][0], phase, text=one_line(text, LONGEST_TEXT))


_QUEUED = re.compile(
    r"(?:queued(?: mail for delivery)? as|\bid=|\bid:?|message accepted for delivery:?|^ok:?)[ \t]{1,3}<?([\w.-]{8,80})"
    r"|\bid=<?([\w.-]{8,80})|([0-9A-Za-z]{8,80}) message accepted",
    re.IGNORECASE,
)


def queue_id(text: str) -> str:
    """The name under which a server says that it took a mail ("queued as 4XbQ2z1kNTz", "Ok 0102..."); "" without one.

    RFC 5321 leaves these words to servers; names without a digit or shorter than 8 characters are none.
    """
    for match in _QUEUED.finditer(text[:LONGEST_TEXT]):
        name = next(group for group in match.groups() if group).rstrip(".")
        if any(c.isdigit() for c in name):
            return name
    return ""


def retry_at(
    created_at: datetime,
    now: datetime,
    attempts: int,
    random: Callable[[], float],
    *,
    outcome: Outcome,
    give_up_hours: float,
) -> datetime | None:
    """When to try a mail again after `attempts` attempts; None when it is time to give up.

    Two quick retries heal a restarting server. A refused recipient may be greylisted and waits five minutes at least.
    After that the age decides, without a counter, as in Postfix: the next attempt comes at twice the age, at least
    5 minutes and at most 4 hours from now. A quarter is added at random, so that mails do not come in step.
    The last attempt is made at the end of the time. `random` gives numbers from 0 to 1.
    """
    end = created_at + timedelta(hours=give_up_hours)
    if now >= end:
        return None
    if outcome.phase != "recipient" and 1 <= attempts <= len(_QUICK):
        wait = _QUICK[attempts - 1]
    else:
        wait = min(max(now - created_at, _SHORTEST), _LONGEST)
    return min(now + wait * (1 + _JITTER * random()), end)
