"""The addresses that staff blocked by command."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from mailticket.mail.address import address_key
from mailticket.models import Blocked
from mailticket.store.rows import Prepared, table_of

_BLOCKED = table_of(Blocked)
_BY_ADDRESS = Prepared(select(_BLOCKED.c.key, _BLOCKED.c.reason, _BLOCKED.c.blocked_by))


def put(session: Session, address: str, reason: str, now: datetime, actor: str) -> bool:
    """Block an address, or give its block another reason; returns whether it was not blocked before."""
    key = address_key(address)
    before: Blocked | None = session.get(Blocked, key)
    row = before or Blocked(key=key, address=address, blocked_at=now)
    row.reason, row.blocked_by = reason, actor
    session.add(row)
    session.flush()
    return before is None


def remove(session: Session, address: str) -> bool:
    """Whether the address was blocked, and no longer is."""
    lifted = session.execute(delete(Blocked).where(col(Blocked.key) == address_key(address)))
    return int(lifted.rowcount) > 0  # type: ignore[attr-defined]


def all_of(session: Session) -> list[Blocked]:
    """All of them, the newest first."""
    query = select(Blocked).order_by(col(Blocked.blocked_at).desc(), col(Blocked.key))
    return list(session.execute(query).scalars())


def by_address(session: Session, _now: datetime) -> Mapping[str, str]:
    """Every blocked address as addresses are compared, with what `mail why` says of its block."""
    return {
        row.key: f"person block {row.key} by {row.blocked_by}" + (f": {row.reason}" if row.reason else "")
        for row in _BY_ADDRESS.all(session)
    }
