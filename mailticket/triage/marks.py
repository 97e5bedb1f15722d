"""The mark of a desk mail: a signed Message-ID that says to whom it went, of which ticket, and what an answer becomes.

A mark proves nothing of a ticket's own people: it has a form and a signature apart from those of `signatures`, so that
it never gives the right to append that a good reference gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mailticket.text.patterns import lazy_pattern
from mailticket.triage import ticket_keys
from mailticket.triage.signatures import good_mac, mac

MarkPurpose = Literal["ask", "talk", "receipt"]

_NO_TICKET = "none"
_LEFT = r"desk\.([a-z0-9]{4,20})\.([0-9a-f]{1,12})\.([a-z][a-z0-9=_-]{0,29})\.(ask|talk|receipt)\.([0-9a-f]{6,12})"
_MARK = lazy_pattern(rf"^<?({_LEFT})\.([a-z2-7]{{16}})@[^@<>\s]{{1,255}}>?$")
_REPLY_TO = lazy_pattern(rf"^[^@\s]{{1,64}}\+({_LEFT})\.([a-z2-7]{{16}})@")
_ROOT = lazy_pattern(r"^<?(desk-root\.([a-z0-9]{4,20}))\.([a-z2-7]{16})@[^@<>\s]{1,255}>?$")
_ANY = lazy_pattern(rf"{_LEFT}\.[a-z2-7]{{16}}|desk-root\.[a-z0-9]{{4,20}}\.[a-z2-7]{{16}}", re.IGNORECASE)
_LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1


@dataclass(frozen=True, slots=True)
class Mark:
    """What a good mark says.

    ticket: see ticket_keys.compact; "" for a mail about no one ticket. member: their word. purpose: an answer to `ask`
    goes to the requester, one to `talk` stays inside, one to `receipt` carries out what was held. made_at: when.
    mac: the signature, by which the mark is known and of which the marker line shows some symbols.
    """

    ticket: str
    serial: int
    member: str
    purpose: MarkPurpose
    made_at: datetime
    mac: str = ""

    @property
    def symbols(self) -> str:
        """What the marker line of the mail shows of its signature."""
        return self.mac[:7]

    @property
    def key(self) -> str:
        """The ticket's ID as it is written; "" for none."""
        return ticket_keys.from_compact(self.ticket) if self.ticket else ""


def make_mark(key: bytes, ticket: str, serial: int, member: str, purpose: MarkPurpose, now: datetime) -> Mark:
    """A signed mark. ticket: its ID, "" for none."""
    bare = Mark(ticket_keys.compact(ticket) if ticket else "", serial, member, purpose, now.replace(microsecond=0))
    return Mark(bare.ticket, serial, member, purpose, bare.made_at, mac(key, "desk-mark", _left(bare)))


def message_id_of(mark: Mark, domain: str) -> str:
    """The mark as a Message-ID (RFC 5322 section 3.6.4)."""
    return f"<{_left(mark)}.{mark.mac}@{domain}>"


def reply_address_of(mark: Mark, support_address: str) -> str:
    """The mark as an address that reaches us; "" where it would be longer than mail servers must take."""
    local, _, domain = support_address.rpartition("@")
    address = f"{local}+{_left(mark)}.{mark.mac}"
    return f"{address}@{domain}" if len(address) <= _LONGEST_LOCAL_PART else ""


def read_mark(keys: Sequence[bytes], text: str) -> Mark | None:
    """The mark that a Message-ID or reply address of ours bears; None for any other, altered or forged one."""
    written = text.strip().lower()
    match = _MARK.match(written) or _REPLY_TO.match(written)
    if match is None or not good_mac(keys, "desk-mark", match[1], match[7]):
        return None
    ticket, serial, member, purpose, made_at = match.group(2, 3, 4, 5, 6)
    return Mark(
        "" if ticket == _NO_TICKET else ticket, int(serial, 16), member.replace("=", "."),
        purpose, datetime.fromtimestamp(int(made_at, 16), UTC), match[7],  # type: ignore[arg-type]
    )  # fmt: skip


def looks_like_mark(text: str) -> bool:
    """Whether a Message-ID or address has the form of a mark, whatever its signature is worth."""
    written = text.strip().lower()
    return _MARK.match(written) is not None or _REPLY_TO.match(written) is not None


def shows_mark(text: str) -> bool:
    """Whether a text shows what has the form of a mark, or of a thread's root, anywhere."""
    return _ANY.search(text) is not None


def sign_root(key: bytes, ticket: str, domain: str) -> str:
    """The Message-ID that stands first in the References of all desk mails of a ticket: they are one thread."""
    left = f"desk-root.{ticket_keys.compact(ticket)}"
    return f"<{left}.{mac(key, 'desk-root', left)}@{domain}>"


def read_root(keys: Sequence[bytes], message_id: str) -> str:
    """The written ID of the ticket whose root this is; "" for anything else."""
    match = _ROOT.match(message_id.strip().lower())
    return ticket_keys.from_compact(match[2]) if match and good_mac(keys, "desk-root", match[1], match[3]) else ""


def _left(mark: Mark) -> str:
    member = mark.member.replace(".", "=")  # two dots in a row, or one at an end, may not stand there
    made_at = int(mark.made_at.timestamp())
    return f"desk.{mark.ticket or _NO_TICKET}.{mark.serial:x}.{member}.{mark.purpose}.{made_at:x}"
