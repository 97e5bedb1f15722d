"""Raw mails: each stored once under its digest, compressed where that pays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select, text, update
from sqlmodel import Session, col

from mailticket.mail.packing import Packed, unpack
from mailticket.models import Message, Raw
from mailticket.store.rows import Prepared, table_of

_TABLE = table_of(Raw)
_COLUMNS = [column.name for column in _TABLE.columns]
_ADD = Prepared(
    text(
        f"INSERT INTO raw ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "  # noqa: S608
        "ON CONFLICT (digest) DO UPDATE SET stored_at = excluded.stored_at"
    ).bindparams(*(bindparam(column.name, type_=column.type) for column in _TABLE.columns))
)


def put(session: Session, packed: Packed, now: datetime, mask_after: datetime | None = None) -> None:
    """Store a raw mail. Bytes that are there already are kept from now on, and may get a time of masking."""
    _ADD.change(
        session, digest=packed.digest, size=packed.size, packing=packed.packing, data=packed.data,
        complete=packed.complete, stored_at=now, mask_after=mask_after,
    )  # fmt: skip
    if mask_after is not None:
        waits = update(Raw).where(col(Raw.digest) == packed.digest, col(Raw.mask_after).is_(None))
        session.execute(waits.values(mask_after=mask_after))


def get(session: Session, digest: str) -> bytes | None:
    """The raw bytes, or None when retention has removed them."""
    row = session.execute(select(col(Raw.packing), col(Raw.data)).where(col(Raw.digest) == digest)).first()
    if row is None:
        return None
    return unpack(row.packing, row.data)


def of_opening(session: Session, ticket_id: int) -> tuple[bytes, datetime] | None:
    """The raw mail that opened a ticket and when it arrived; None for a ticket that no mail opened, or without it."""
    query = select(col(Message.raw_digest), col(Message.at)).where(
        func.coalesce(col(Message.home_ticket_id), col(Message.ticket_id)) == ticket_id, col(Message.kind) == "request"
    )
    row = session.execute(query.order_by(col(Message.id)).limit(1)).first()
    raw = get(session, row.raw_digest) if row and row.raw_digest else None
    return (raw, row.at) if row and raw is not None else None


def replace_bytes(session: Session, digest: str, packed: Packed) -> None:
    """Put other bytes under a digest that rows point to: the masked form of a mail that held a secret."""
    rewrite(session, digest, packed)
    session.execute(update(Raw).where(col(Raw.digest) == digest).values(mask_after=None))


def rewrite(session: Session, digest: str, packed: Packed) -> None:
    """Put other bytes under a digest that rows point to; a secret in them is still to be masked at its time."""
    values = {"packing": packed.packing, "data": packed.data, "complete": packed.complete}
    session.execute(update(Raw).where(col(Raw.digest) == digest).values(**values))


def to_mask(session: Session, now: datetime, limit: int) -> list[str]:
    """Digests of raw mails whose secrets have been kept long enough, oldest first."""
    due = select(col(Raw.digest)).where(col(Raw.mask_after) <= now).order_by(col(Raw.mask_after)).limit(limit)
    return list(session.execute(due).scalars())
