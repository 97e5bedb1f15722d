"""Facts about the database itself: signing keys, the instance mark, and how each part of the system fares."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from mailticket.models import Health, Key, Meta
from mailticket.store import hosts
from mailticket.store.rows import take_turns


def value(session: Session, name: str) -> str:
    row = session.get(Meta, name)
    return row.value if row else ""


def set_value(session: Session, name: str, text: str) -> None:
    session.merge(Meta(name=name, value=text))


def is_made(session: Session) -> bool:
    """Whether there are a mark and a key, so that asking for them writes nothing."""
    return bool(value(session, "instance")) and session.execute(select(col(Key.id)).limit(1)).first() is not None


def instance_mark(session: Session) -> str:
    """The mark of this installation in X-Loop headers; made at first use."""
    mark = value(session, "instance")
    if not mark:
        take_turns(session, "instance")
        mark = value(session, "instance")  # another host may have made it meanwhile
    if not mark:
        mark = f"mailticket-{secrets.token_hex(8)}"
        set_value(session, "instance", mark)
    return mark


def next_alert(session: Session) -> int:
    """The number of the next alert: it makes their Message-IDs unique, whatever the clock does."""
    take_turns(session, "alerts")
    number = int(value(session, "alerts") or "0") + 1
    set_value(session, "alerts", str(number))
    session.flush()
    return number


def skip_alert_numbers(session: Session, many: int) -> None:
    """Leave out numbers that may have been given since this database was copied."""
    set_value(session, "alerts", str(int(value(session, "alerts") or "0") + many))


def keep_key(session: Session, key: bytes, now: datetime) -> int:
    """Record a key that was made elsewhere, as the oldest: it verifies and never signs. Returns its row's id."""
    known = session.execute(select(col(Key.id)).where(col(Key.secret) == key.hex())).scalar()
    if known is not None:
        return int(known)
    first = session.execute(select(func.min(col(Key.id)))).scalar()
    number = 0 if first is None else int(first) - 1
    session.add(Key(id=number, secret=key.hex(), created_at=now))
    session.flush()
    return number


def key_by_id(session: Session, number: int) -> bytes | None:
    row = session.get(Key, number)
    return bytes.fromhex(row.secret) if row else None


def signing_keys(session: Session, now: datetime) -> tuple[bytes, ...]:
    """All keys, the signing one first; the first key is made at first use."""
    newest_first = select(Key).order_by(col(Key.id).desc())
    rows = session.execute(newest_first).scalars().all()
    if not rows:
        take_turns(session, "keys")
        rows = session.execute(newest_first).scalars().all()  # another host may have made it meanwhile
    if not rows:
        return (add_key(session, now),)
    return tuple(bytes.fromhex(row.secret) for row in rows)


def add_key(session: Session, now: datetime) -> bytes:
    """A fresh key that signs from now on; the older ones still verify."""
    key = secrets.token_bytes(32)
    session.add(Key(secret=key.hex(), created_at=now))
    session.flush()
    return key


def _part(session: Session, name: str) -> Health:
    """The row of a part, made at first use, and locked: several hosts may write of the same part."""
    for _ in range(2):
        row: Health | None = session.get(Health, name, populate_existing=True, with_for_update=True)
        if row is not None:
            return row
        session.execute(text("INSERT INTO health (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": name})
    raise LookupError(name)


def went_well(session: Session, name: str, now: datetime, note: str = "") -> bool:
    """Record a success of a part ("mailbox support", "smtp"); True when it ends a trouble."""
    row = _part(session, name)
    recovered = bool(row.error)
    row.last_success_at, row.error, row.error_since, row.note = now, "", None, note
    session.add(row)
    session.flush()  # a group commit may ask for the same row again
    return recovered


def went_wrong(session: Session, name: str, now: datetime, error: str) -> None:
    """Record a trouble of a part, keeping since when it lasts."""
    row = _part(session, name)
    row.error = error
    row.error_since = row.error_since or now
    session.add(row)
    session.flush()


def is_unwell(session: Session, name: str) -> bool:
    row = session.get(Health, name)
    return row is not None and bool(row.error)


def health(session: Session) -> list[Health]:
    """How each part fares, but for those of hosts that live no more."""
    rows = list(session.execute(select(Health).order_by(col(Health.name))).scalars())
    past = hosts.past_parts(session, [row.name for row in rows])
    return [row for row in rows if row.name not in past]
