"""Whose mail it is where From is our own address or nobody's: groups and forms name the person in another header."""

from __future__ import annotations

import re

from mailticket.mail import addresses
from mailticket.mail.address import Address, address_key
from mailticket.mail.bounce_words import DAEMON_ADDRESS
from mailticket.mail.parts import Headers
from mailticket.mail.values import Ourselves
from mailticket.settings import serving
from mailticket.text.patterns import lazy_pattern

# What groups (Google) put beside a From that they rewrote, and forms beside a no-reply address; the surest first.
_HEADERS = (
    ("reply-to", "Reply-To"),
    ("x-original-from", "X-Original-From"),
    ("x-original-sender", "X-Original-Sender"),
)
NOBODY = lazy_pattern(
    r"^(?:(?:.{1,60}[-_.+])?(?:no|not|non|donot|do-not|do_not|dont|don't)[-_.]?(?:reply|respond|answer|replay)"
    r"|autoreply|auto-reply|autoresponder"
    r"|bounces?(?:[-_+].{0,200})?|noreply.{0,60}|mail-noreply|notifications?-noreply)(?:\+.{0,200})?@",
    re.IGNORECASE,
)


def is_ours(key: str, ourselves: Ourselves) -> bool:
    """Whether an address in its compared form is one of ours, with or without a tag behind "+"."""
    return serving(key, ourselves.own_addresses) is not None


def claimed(headers: Headers, sender: Address | None, ourselves: Ourselves) -> tuple[Address, str] | None:
    """The person for whom a group or a form writes, and the header that says so; None for every other mail.

    Only where From is our own address or one that nobody answers for. The claim is unverified whatever was verified of
    From. A header that names several people besides ourselves claims nobody.
    """
    if sender is None or not (is_ours(sender.key, ourselves) or NOBODY.match(sender.address[:400])):
        return None
    for name, title in _HEADERS:
        people = {address.key: address for address in addresses.listed(headers, name) if _is_person(address, ourselves)}
        if len(people) == 1:
            return next(iter(people.values())), title
    return None


def _is_person(address: Address, ourselves: Ourselves) -> bool:
    return (
        addresses.is_address(address.address)
        and not is_ours(address.key, ourselves)
        and not NOBODY.match(address.address)
        and not DAEMON_ADDRESS.match(address.address)
    )


def speaks_for_person(sender: Address, person: Address, ourselves: Ourselves) -> bool:
    """Whether a person wrote what came from this address: through us, or through another's form.

    A Reply-To within the domain of a foreign no-reply address names that company's desk, as shops and banks do.
    """
    ours = {address_key(own).rpartition("@")[2] for own in ourselves.own_addresses}
    theirs = (sender.domain, person.domain)
    return sender.domain in ours or not any(f".{a}".endswith(f".{b}") for a, b in (theirs, theirs[::-1]))
