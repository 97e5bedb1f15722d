"""Who was forgotten, by keyed hashes that tell a restored backup whom it brings back; and who is being forgotten."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from mailticket.models import Address, Erasure, Meta, Outgoing, Participant, Requester, Tombstone
from mailticket.store import meta

_KEY = "tombstone_key"  # the row of meta that holds the key of the tombstones


def unfinished(session: Session) -> list[Erasure]:
    """Those who are being forgotten, as of when that was begun. One without keys is in no row any more, and its bytes
    may still lie between the rows."""
    return list(session.execute(select(Erasure).order_by(col(Erasure.id))).scalars())


def overwritten(session: Session) -> None:
    """Write down that no byte is left of those who are in no row any more."""
    for row in unfinished(session):
        if not row.keys:
            session.delete(row)


def put(session: Session, keys: Iterable[str], now: datetime) -> None:
    """Leave a tombstone for each address."""
    secret = _secret(session)
    for key in keys:
        session.merge(Tombstone(mac=_mac(secret, key), forgotten_at=now))
    session.flush()


def _secret(session: Session) -> str:
    secret = meta.value(session, _KEY)
    if not secret:
        secret = secrets.token_hex(32)
        meta.set_value(session, _KEY, secret)
        session.flush()
    return secret


def _mac(secret: str, key: str) -> str:
    return hmac.new(bytes.fromhex(secret), key.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All tombstones of a database with their key, to be carried into a restored one."""

    secret: str = ""
    times: dict[str, datetime] = field(default_factory=dict)


def standing(session: Session) -> Tombstones:
    """Who was forgotten, as it is carried over."""
    rows = session.execute(select(Tombstone)).scalars()
    return Tombstones(meta.value(session, _KEY), {row.mac: row.forgotten_at for row in rows})


def carry_over(session: Session, before: Tombstones) -> None:
    """Put tombstones into a restored database. Its own are among them, unless the database before was made anew."""
    if before.secret:
        session.merge(Meta(name=_KEY, value=before.secret))
        for mac, at in before.times.items():
            session.merge(Tombstone(mac=mac, forgotten_at=at))
        session.flush()


def returned(session: Session) -> list[str]:
    """Addresses of people who were forgotten and whose data of before that are here, as after a restore."""
    known = standing(session)
    if not known.times:
        return []
    sources = (
        select(col(Address.key), col(Requester.created_at)).join(
            Requester, col(Requester.id) == col(Address.requester_id)
        ),
        select(col(Participant.key), col(Participant.added_at)),
        select(col(Outgoing.recipient_key), func.min(col(Outgoing.created_at)))
        .where(col(Outgoing.recipient_key) != "")
        .group_by(col(Outgoing.recipient_key)),
    )
    people: set[str] = set()
    for query in sources:
        for key, since in session.execute(query.execution_options(yield_per=1000)):
            at = known.times.get(_mac(known.secret, key))
            if at is not None and since < at:
                people.add(key)
    return sorted(people)
