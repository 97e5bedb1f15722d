"""What is done about members of the desk: their digest, a test of the way to them, an end of what they were sent."""

from __future__ import annotations

from typing import Any

from mailticket.errors import NotFound, Refused
from mailticket.letters.desk_text import Pen
from mailticket.outbox import desk_mail
from mailticket.outbox.desk_digest import digest as digest_of
from mailticket.settings import Staff
from mailticket.site import Site
from mailticket.store import desk_mail as state


def digest(site: Site, name: str, *, mail: bool = False) -> dict[str, Any]:
    """A member's digest as a text; mail: it is sent to them too, unless nothing is in it."""
    member, now = _member(site, name), site.clock()
    with site.database.read() as session:
        passages = digest_of(session, site, member, now)
    number = None
    if mail and passages:
        with site.database.write() as session:
            number = desk_mail.general(session, site, member, "digest", passages, now)
    pen = Pen(site.head, now)
    return {"name": member.name, "text": pen.sections(passages) if passages else "", "outgoing": number}


def revoke(site: Site, name: str) -> dict[str, Any]:
    """From now on no desk mail that a member was sent until now gives them anything."""
    member = _member(site, name)
    with site.database.write() as session:
        state.revoke(session, member.name, site.clock())
    return {"name": member.name}


def test(site: Site, name: str) -> dict[str, Any]:
    """Send a member a mail whose answer shows that both ways work, and what it proves."""
    member, now = _member(site, name), site.clock()
    with site.database.write() as session:
        number = desk_mail.general(session, site, member, "test", (), now)
    return {"name": member.name, "address": member.addresses[0], "outgoing": number}


def _member(site: Site, name: str) -> Staff:
    member = site.roster.member(name)
    if member is not None:
        return member
    names = ", ".join(one.name for one in site.roster.staff)
    if not names:
        raise Refused("nobody is of staff: the configuration has no [[staff]]")
    raise NotFound(f"{name!r} is no member of staff; there are: {names}")
