"""Who wrote a mail: its sender, the person for whom a form or a group writes, or nobody who could be answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from mailticket.mail.address import address_key
from mailticket.mail.bounce_words import DAEMON_ADDRESS
from mailticket.mail.claimed import NOBODY, is_ours
from mailticket.mail.values import Mail, Ourselves, Sender

_LONGEST_WAY = timedelta(days=5)  # for which servers usually try (RFC 5321 section 4.5.4.1)
_FASTEST_CLOCK = timedelta(minutes=30)  # less than the step between two zones
_REPORTS = ("bounce", "own", "read-receipt", "feedback-report", "auto-reply")


def with_writer(mail: Mail, ourselves: Ourselves) -> Mail:
    """The mail with its writer in the place of the sender.

    A claimed person is unverified whatever was verified of From, which is the form's or the group's own. Where From is
    our own address or one that nobody reads and no header claims a person, there is no writer. Reports of machines keep
    the sender they have: it says whose machine it is.
    """
    sender = mail.sender_address
    if sender is None or is_claimed(mail) or (mail.automatic is not None and mail.automatic.kind in _REPORTS):
        return mail
    if mail.claimed is not None:
        reason = f"{mail.claimed.key} is only claimed, by {mail.claimed_by} of {sender.key}"
        return replace(mail, sender_address=mail.claimed, trust="unknown", trust_reason=reason)
    if unanswerable(sender.address, ourselves):
        trust: Sender = "failed" if mail.trust == "failed" else "unknown"
        reason = mail.trust_reason if trust == "failed" else f"{sender.key} names no person"
        return replace(mail, sender_address=None, trust=trust, trust_reason=reason)
    return mail


def is_claimed(mail: Mail) -> bool:
    """Whether the writer of a mail is only claimed."""
    return mail.claimed is not None and mail.sender_address == mail.claimed


def writers_zone(mail: Mail, arrived_at: datetime) -> timezone | None:
    """By which zone the clock of a mail's writer goes; None where that is not sure, or it is a program's clock."""
    if mail.claimed is not None or mail.automatic is not None:
        return None
    return zone_of(mail.date, mail.date_offset, arrived_at)


def zone_of(date: datetime | None, offset: int | None, arrived_at: datetime) -> timezone | None:
    """The zone of a Date header, unless its clock is so wrong that its zone may be wrong as well.

    offset: in minutes, as `mail.identity.date_offset` has it. A mail may be long on its way, and never leaves after it
    has arrived.
    """
    if date is None or offset is None or not -_LONGEST_WAY <= date - arrived_at <= _FASTEST_CLOCK:
        return None
    return timezone(timedelta(minutes=offset))


def claim(mail: Mail) -> str:
    """Who claims the writer, for staff; "" for a mail with a sender of its own."""
    if not is_claimed(mail):
        return ""
    return f"claimed: by {mail.claimed_by} of {mail.from_[0].address if mail.from_ else 'nobody usable'}"


def unanswerable(address: str, ourselves: Ourselves) -> str:
    """Why nobody would read an answer to this address; "" where a person may."""
    if is_ours(address_key(address), ourselves):
        return "it is our own address"
    if NOBODY.match(address[:400]) or DAEMON_ADDRESS.match(address[:400]):
        return "nobody reads what is sent there"
    return ""


def names_us(mail: Mail, ourselves: Ourselves) -> bool:
    """Whether To or Cc holds an address of ours: its writer meant us, and not a list that we read."""
    return any(is_ours(address.key, ourselves) for address in (*mail.to, *mail.cc))
