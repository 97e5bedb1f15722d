"""Whose mail staff do not want: blocked, unblocked, listed. Plain values in and out, so that a socket may stand before
it."""

from __future__ import annotations

from typing import Any

from mailticket.errors import Refused
from mailticket.mail.address import address_key
from mailticket.mail.addresses import is_bare_address
from mailticket.settings import Block
from mailticket.site import Site
from mailticket.store import blocks
from mailticket.text.clean import one_line

_LONGEST_REASON = 200


def block(site: Site, actor: str, address: str, reason: str = "") -> dict[str, Any]:
    """File mail from an address without a letter and a ticket from now on; "new" says whether it was not blocked
    before. Refused for what is no address, or one of ours or of staff."""
    if not is_bare_address(address):
        raise Refused(
            f"{address!r} is not one e-mail address such as ann@example.org; a domain is blocked by a [[block]] table"
        )
    if address_key(address) in site.settings.never_blocked:
        raise Refused(f"{address} is our own address or one of staff: it cannot be blocked")
    with site.database.write() as session:
        is_new = blocks.put(session, address, one_line(reason, _LONGEST_REASON), site.clock(), actor)
    site.blocked.forget()
    return {"address": address, "reason": one_line(reason, _LONGEST_REASON), "blocked_by": actor, "new": is_new}


def unblock(site: Site, address: str) -> dict[str, Any]:
    """Take in mail from an address again; Refused where no command blocked it."""
    with site.database.write() as session:
        lifted = blocks.remove(session, address)
    site.blocked.forget()
    if not lifted:
        raise Refused(f"{address} is not blocked by command; `mailticket person blocked` lists all blocks")
    return {"address": address}


def list_blocked(site: Site) -> list[dict[str, Any]]:
    """What is blocked: by command, the newest first, then by the configuration."""
    with site.database.read() as session:
        rows = blocks.all_of(session)
    by_command = [
        {"kind": "address", "value": row.address, "reason": row.reason, "blocked_at": row.blocked_at.isoformat(),
         "blocked_by": row.blocked_by}
        for row in rows
    ]  # fmt: skip
    return [*by_command, *map(_configured, site.settings.block)]


def _configured(block: Block) -> dict[str, Any]:
    kind = "address" if block.address else "domain" if block.domain else "header"
    value = block.address or block.domain or ": ".join(block.header)
    return {"kind": kind, "value": value, "reason": block.reason, "blocked_at": None, "blocked_by": None}
