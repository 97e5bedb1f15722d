"""Refresh tokens, encrypted: a lease for whoever is about to use one, and the new one that comes of it.

A provider may take each refresh token only once. So one process at a time may use it: it takes the lease in a
transaction, asks the provider outside of any, and stores what came in the next. The generation is compared, so that
nobody overwrites a newer token, whoever holds a lease.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from mailticket.models import Consent
from mailticket.store.hosts import shared_time

LEASE = timedelta(seconds=60)  # longer than an exchange with the provider may take


def consent(session: Session, name: str) -> Consent | None:
    return session.get(Consent, name, populate_existing=True)


def consents(session: Session) -> list[Consent]:
    return list(session.execute(select(Consent).order_by(col(Consent.name))).scalars())


def give(session: Session, name: str, sealed: bytes, key_mark: str, now: datetime, expires_at: datetime | None) -> None:
    """Keep the refresh token of a consent that was given just now; whatever was known of an older one is void.

    sealed: b"" for a flow without refresh tokens.
    """
    row = consent(session, name) or Consent(name=name, sealed=b"")
    row.generation += 1
    row.sealed, row.key_mark, row.expires_at, row.grows = sealed, key_mark, expires_at, None
    row.consented_at = row.rotated_at = row.used_at = now
    row.cut_short_at, row.lease_by, row.lease_until = None, "", None
    _clear_refusal(row)
    session.add(row)
    session.flush()


def _clear_refusal(row: Consent) -> None:
    row.refusal, row.refusal_text, row.refusal_remedy, row.refused_at = "", "", "", None


def lease(session: Session, name: str, holder: str, now: datetime) -> Consent | None:
    """The consent for whoever may use it now, marked as theirs; None while somebody else uses it, or there is none.

    A lease that has passed belonged to one who was cut short; so did one that ends later than any can, for the clock
    was set back meanwhile. Several hosts go by the database's clock, for theirs may differ.
    """
    now = shared_time(session, now)
    free = or_(col(Consent.lease_by) == "", col(Consent.lease_until) <= now, col(Consent.lease_until) > now + 2 * LEASE)
    row = consent(session, name)
    if row is None:
        return None
    was_cut_short = row.lease_by != ""
    values = {"lease_by": holder, "lease_until": now + LEASE}
    if was_cut_short:
        values["cut_short_at"] = now
    taken = session.execute(
        update(Consent)
        .where(col(Consent.name) == name, free, col(Consent.lease_by) == row.lease_by)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return consent(session, name) if taken.rowcount == 1 else None  # type: ignore[attr-defined]


def rotate(
    session: Session, name: str, generation: int, sealed: bytes, key_mark: str, now: datetime,
    expires_at: datetime | None, grows: bool | None,
) -> bool:  # fmt: skip
    """Store the refresh token that came of using the one of a generation, and end the lease; False, and nothing
    changed, when that one is not the newest any more."""
    changed = session.execute(
        update(Consent)
        .where(col(Consent.name) == name, col(Consent.generation) == generation)
        .values(
            generation=generation + 1, sealed=sealed, key_mark=key_mark, rotated_at=now, used_at=now,
            expires_at=expires_at, grows=grows, lease_by="", lease_until=None, cut_short_at=None,
            refusal="", refusal_text="", refusal_remedy="", refused_at=None,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def used(
    session: Session, name: str, generation: int, now: datetime, expires_at: datetime | None, grows: bool | None
) -> None:
    """An access token came and no new refresh token: the old one stays good, and the lease ends."""
    session.execute(
        update(Consent)
        .where(col(Consent.name) == name, col(Consent.generation) == generation)
        .values(
            used_at=now, expires_at=expires_at, grows=grows, lease_by="", lease_until=None, cut_short_at=None,
            refusal="", refusal_text="", refusal_remedy="", refused_at=None,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def release(session: Session, name: str, holder: str) -> None:
    """End a lease of which nothing came."""
    session.execute(
        update(Consent)
        .where(col(Consent.name) == name, col(Consent.lease_by) == holder)
        .values(lease_by="", lease_until=None)
        .execution_options(synchronize_session=False)
    )


def refused(session: Session, name: str, generation: int, now: datetime, code: str, text: str, remedy: str) -> None:
    """Write down why the provider gave nothing for the refresh token of a generation."""
    session.execute(
        update(Consent)
        .where(col(Consent.name) == name, col(Consent.generation) == generation)
        .values(refusal=code, refusal_text=text, refusal_remedy=remedy, refused_at=now)
        .execution_options(synchronize_session=False)
    )


def note_use(session: Session, name: str, now: datetime, code: str = "", text: str = "", remedy: str = "") -> None:
    """How the last use of a flow without refresh tokens went; its row is made at the first."""
    row = consent(session, name) or Consent(name=name, sealed=b"", consented_at=now)
    if code:
        row.refused_at = row.refused_at if row.refusal == code else now
        row.refusal, row.refusal_text, row.refusal_remedy = code, text, remedy
    else:
        row.used_at = now
        _clear_refusal(row)
    session.add(row)
    session.flush()


def carry_over(session: Session, newer: list[Consent]) -> int:
    """Into restored tables, the refresh tokens of the database that they replace, where those are newer; returns how
    many. A provider that takes each token only once has made those of the backup void."""
    carried = 0
    for row in newer:
        present = consent(session, row.name)
        if present is None or present.generation < row.generation:
            session.merge(row)
            carried += 1
    return carried
