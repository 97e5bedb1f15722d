"""The record of incoming mail: which UIDs were listed, what became of each, and what the server's copy still needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, select, text, update
from sqlmodel import Session, col

from mailticket.errors import NotFound, Refused
from mailticket.models import Folder, Incoming, Message
from mailticket.settings import Mailbox
from mailticket.store.rows import Prepared, execute, insert_many, insert_values, table_of, update_row
from mailticket.triage.rules import SENT

_TABLE = table_of(Incoming)
FILED_ALONE = "incoming.state = 'filed' AND incoming.ticket_id IS NULL"  # in the words of the partial index
OUT_OF_SIGHT = f"{FILED_ALONE} AND incoming.rule != '{SENT}'"  # nobody misses what lies in a folder of sent mail
RENUMBERED = "the folder's UIDs were renumbered; listed again"
MOVED_AWAY = "the mailbox reads another account or folder now; the mail lies where it was"
NOT_GIVEN = "not given"  # the rule by which a mail is quarantined that the server lists and does not give
_STATE = Prepared(select(_TABLE.c.state).where(_TABLE.c.id == bindparam("mail")).with_for_update())


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recorded mail that still waits: for its outcome, or for its copy on the server to be flagged or moved."""

    id: int
    uid: int
    size: int
    arrived_at: datetime
    attempted_at: datetime | None
    alone_attempts: int


# The words of the partial indexes; with a parameter in their place SQLite would not see that they apply.
_WAITING = (
    select(*(_TABLE.c[field.name] for field in fields(Waiting)))
    .where(_TABLE.c.folder_id == bindparam("folder"))
    .order_by(_TABLE.c.uid)
    .limit(bindparam("most"))
)
_PENDING = Prepared(_WAITING.where(text("incoming.state = 'listed'")))
_AFTERWARDS = Prepared(_WAITING.where(text("incoming.afterwards = 'due'"), _TABLE.c.afterwards_at <= bindparam("now")))
_AFTERWARDS_DONE = (
    _TABLE.update()
    .where(_TABLE.c.id.in_(bindparam("rows", expanding=True)))
    .values(afterwards="done", afterwards_error="")
)
_ATTEMPTED = (
    _TABLE.update().where(_TABLE.c.id.in_(bindparam("rows", expanding=True))).values(attempted_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail as the server lists it. arrived_at is its INTERNALDATE; None when it was gone before we could ask."""

    uid: int
    size: int = 0
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose mail is watched: server, user, folder there. UIDs mean nothing in another."""

    host: str
    username: str
    path: str


def account_of(mailbox: Mailbox) -> Account:
    """The account of a mailbox of the configuration; hosts compare without regard to case."""
    return Account(mailbox.host.lower(), mailbox.username, mailbox.folder)


def enter_folder(
    session: Session, mailbox: str, account: Account, uidvalidity: int, uidnext: int, now: datetime,
    first_contact: timedelta,
) -> Folder:  # fmt: skip
    """The current life of a folder, begun anew on first contact, on another account or folder under the same name, on a
    new UIDVALIDITY, and when UIDs went back.

    Source: RFC 9051 section 2.3.1.1. What was still pending in the old life can no longer be fetched under its UID. The
    same folder, on whatever server, will list it again, so "before first contact" begins no later than the oldest of
    those. A row of a former release, which knew no account, is of the one that is met first.
    """
    folder = _present_life(session, mailbox)
    if folder is not None and folder.host is None:
        folder.host, folder.username, folder.path = astuple(account)
    goes_on = uidnext == 0 or folder is None or uidnext > folder.high_water
    if folder is not None and folder.uidvalidity == uidvalidity and _account(folder) == account and goes_on:
        return folder
    before = now - first_contact
    generation = 0
    if folder is not None:
        same = (folder.username, folder.path) == (account.username, account.path)
        oldest = _give_up_pending(session, folder, now, RENUMBERED if same else MOVED_AWAY)
        before = min(before, oldest) if same and oldest is not None else before
        folder.retired_at = now
        generation = folder.generation + 1
    host, username, path = astuple(account)
    fresh = Folder(mailbox=mailbox, host=host, username=username, path=path, uidvalidity=uidvalidity,
                   generation=generation, first_contact_at=now, before=before)  # fmt: skip
    session.add(fresh)
    session.flush()
    return fresh


def _present_life(session: Session, mailbox: str) -> Folder | None:
    query = select(Folder).where(col(Folder.mailbox) == mailbox, col(Folder.retired_at).is_(None))
    folder: Folder | None = session.execute(query).scalars().first()
    return folder


def _account(folder: Folder) -> Account:
    return Account(folder.host or "", folder.username or "", folder.path or "")


def _give_up_pending(session: Session, folder: Folder, now: datetime, reason: str) -> datetime | None:
    pending = (col(Incoming.folder_id) == folder.id, col(Incoming.state) == "listed")
    oldest = session.execute(select(func.min(col(Incoming.arrived_at))).where(*pending)).scalar()
    gone = {"state": "vanished", "decided_at": now, "reason": reason}
    session.execute(update(Incoming).where(*pending).values(**gone))
    stale = (col(Incoming.folder_id) == folder.id, col(Incoming.afterwards) == "due")
    session.execute(update(Incoming).where(*stale).values(afterwards="none"))
    return oldest


def record_listed(session: Session, folder: Folder, listed: Sequence[Listed], now: datetime) -> None:
    """Write a row for each UID before any body is fetched, and let the high-water mark pass them."""
    rows = []
    for mail in listed:
        state, reason = "listed", ""
        if mail.arrived_at is None:
            state, reason = "vanished", "gone before its size could be asked"
        elif mail.arrived_at < folder.before:
            state, reason = "before", "was in the folder before first contact"
        rows.append({
            "route": folder.mailbox, "folder_id": folder.id, "uid": mail.uid, "size": mail.size, "listed_at": now,
            "arrived_at": mail.arrived_at or now, "state": state, "reason": reason,
            "decided_at": None if state == "listed" else now,
        })  # fmt: skip
    if rows:
        insert_many(session, Incoming, rows)
        top = max(mail.uid for mail in listed)
        update_row(session, Folder, int(folder.id or 0), {"high_water": top})
        folder.high_water = top


def record_file(session: Session, arrived_at: datetime, size: int, now: datetime, route: str = "file") -> int:
    """Write the row of a mail that comes from a file or standard input; returns its id."""
    return insert_values(session, Incoming, {"route": route, "size": size, "arrived_at": arrived_at, "listed_at": now})


def pending(session: Session, folder_id: int, limit: int, without: Collection[int] = ()) -> list[Waiting]:
    """The mails that are owed an outcome, in order of UID, but for some that are passed over for now."""
    rows = _PENDING.all(session, folder=folder_id, most=limit + len(without))
    return [Waiting(*row) for row in rows if row.id not in without][:limit]


def give_up_files(session: Session, before: datetime, now: datetime, limit: int) -> int:
    """End the rows of files whose taking in was cut short: their bytes went with the process that read them."""
    stale = select(col(Incoming.id)).where(
        col(Incoming.state) == "listed", col(Incoming.folder_id).is_(None), col(Incoming.listed_at) < before
    )
    ids = list(session.execute(stale.limit(limit)).scalars())
    reason = "the program that read it from a file ended; its sender's mail server tries again"
    gone = {"state": "vanished", "decided_at": now, "reason": reason}
    lost = update(Incoming).where(col(Incoming.id).in_(ids), col(Incoming.state) == "listed")
    session.execute(lost.values(**gone))
    return len(ids)


def strays(session: Session, mailbox: str) -> list[int]:
    """The UIDs of a mailbox's mails that were listed and have no outcome."""
    query = select(col(Incoming.uid)).where(*_of_folders_of(mailbox), text("incoming.state = 'listed'"))
    return [uid or 0 for uid in session.execute(query.order_by(col(Incoming.uid))).scalars()]


def give_up(session: Session, mailbox: str, now: datetime, actor: str) -> int:
    """End the rows of a mailbox from which nobody will fetch any more: they vanished, as somebody says. Flags and moves
    that were still due there are given up too. Returns how many mails."""
    why = f"given up by {actor}: its mailbox is not configured any more"
    gone = {"state": "vanished", "decided_at": now, "rule": "given up", "reason": why, "attempted_at": None,
            "evidence": [["given up", why]]}  # fmt: skip
    owed = update(Incoming).where(*_of_folders_of(mailbox), text("incoming.state = 'listed'"))
    number = session.execute(owed.values(**gone)).rowcount  # type: ignore[attr-defined]
    due = update(Incoming).where(*_of_folders_of(mailbox), text("incoming.afterwards = 'due'"))
    session.execute(due.values(afterwards="none"))
    return int(number)


def _of_folders_of(mailbox: str) -> tuple[ColumnElement[bool], ...]:
    return col(Incoming.route) == mailbox, col(Incoming.folder_id).is_not(None)


def begin_attempts(session: Session, ids: Sequence[int], now: datetime) -> None:
    execute(session, _ATTEMPTED, {"rows": list(ids), "now": now})


def begin_alone(session: Session, incoming_id: int, attempt: int, now: datetime) -> None:
    """Record that a mail is taken in alone, for the attempt-th time: only these attempts make a mail poison."""
    update_row(session, Incoming, incoming_id, {"attempted_at": now, "alone_attempts": attempt})


def forget_attempts(session: Session, alone_attempts: Mapping[int, int]) -> None:
    """Take back attempts that ended through no fault of the mail: id -> how many alone were made before."""
    for number, before in alone_attempts.items():
        values = {"attempted_at": None, "alone_attempts": before}
        session.execute(update(Incoming).where(col(Incoming.id) == number).values(**values))


def finish(session: Session, incoming_id: int, now: datetime, **values: object) -> None:
    """Write the outcome of a mail: its state, rule, reason, evidence and where it went."""
    update_row(session, Incoming, incoming_id, {"decided_at": now, "attempted_at": None, **values})


def is_owed(session: Session, incoming_id: int, state: str = "listed") -> bool:
    """Whether the row, locked from here on, is still in the state from which a mail is taken in: a second daemon, an
    earlier life or another command may have given it its outcome."""
    return bool(_STATE.scalar(session, mail=incoming_id) == state)


def has_copy(session: Session, original: int, identity: str, route: str, delivered_to: str) -> bool:
    """Whether a copy of a mail that was taken in before came by this mailbox and address already."""
    same = (
        col(Incoming.identity) == identity, col(Incoming.copy_of) == original,
        col(Incoming.route) == route, col(Incoming.delivered_to) == delivered_to,
    )  # fmt: skip
    return session.execute(select(col(Incoming.id)).where(*same).limit(1)).first() is not None


def vanish(session: Session, ids: Sequence[int], now: datetime) -> None:
    gone = {"state": "vanished", "decided_at": now, "reason": "gone before it could be fetched", "attempted_at": None}
    session.execute(update(Incoming).where(col(Incoming.id).in_(ids), col(Incoming.state) == "listed").values(**gone))


def count_refusal(session: Session, incoming_id: int, most: int, reason: str, now: datetime) -> bool:
    """The server did not give a mail that it lists; after `most` times it is quarantined. Returns whether it is now."""
    row = _locked(session, incoming_id)
    if row.state != "listed":
        return False
    row.refusals += 1
    if row.refusals >= most:
        row.state, row.rule, row.decided_at = "quarantined", NOT_GIVEN, now
        row.reason = f"the server lists it but does not give it: {reason}"
    session.add(row)
    session.flush()
    return row.state == "quarantined"


def afterwards_due(session: Session, folder_id: int, now: datetime, limit: int = 500) -> list[Waiting]:
    """Mails whose server copy is still to be flagged or moved, and whose time for the next try has come."""
    return [Waiting(*row) for row in _AFTERWARDS.all(session, folder=folder_id, now=now, most=limit)]


def afterwards_done(session: Session, ids: Sequence[int]) -> None:
    execute(session, _AFTERWARDS_DONE, {"rows": list(ids)})


def afterwards_failed(session: Session, ids: Sequence[int], now: datetime, error: str) -> None:
    """Try again later: after 1, 2, 4 ... minutes, at most every hour."""
    for row in session.execute(select(Incoming).where(col(Incoming.id).in_(ids))).scalars():
        row.afterwards_attempts += 1
        row.afterwards_error = error
        row.afterwards_at = now + timedelta(minutes=min(60, 2 ** min(row.afterwards_attempts - 1, 6)))
        session.add(row)


def mark_answered(session: Session, ticket_id: int, member: str, without: Collection[int] = ()) -> None:
    """The requester's mails of a ticket have their answer: the server's copies are to be flagged, for colleagues.

    member: who answered, "" for nobody in particular. without: numbers of messages that the answer does not answer.
    """
    mails = select(col(Message.incoming_id)).where(
        col(Message.ticket_id) == ticket_id,
        col(Message.direction) == "in",
        col(Message.kind).in_(("request", "reply")),
        col(Message.incoming_id).is_not(None),
        col(Message.id).not_in(without),
    )
    flagging = update(Incoming).where(
        col(Incoming.id).in_(mails), col(Incoming.folder_id).is_not(None), col(Incoming.answered) == "none"
    )
    session.execute(flagging.values(answered="due", answered_by=member))


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail whose server copy is to be flagged as answered. member: who answered, "" for nobody in particular."""

    id: int
    uid: int
    message_id: str | None
    member: str


_MOST_FLAGGING = 5  # attempts


def answered_due(session: Session, folder_id: int, limit: int = 500) -> list[Answered]:
    """The mails of a folder that were answered and are not flagged so on the server."""
    query = select(col(Incoming.id), col(Incoming.uid), col(Incoming.message_id), col(Incoming.answered_by)).where(
        col(Incoming.folder_id) == folder_id, text("incoming.answered = 'due'")
    )
    return [Answered(*row) for row in session.execute(query.order_by(col(Incoming.uid)).limit(limit))]


def answered_done(session: Session, ids: Sequence[int], error: str = "") -> None:
    """They are flagged; or were refused, and are tried again a few times."""
    flagged = update(Incoming).where(col(Incoming.id).in_(ids))
    if not error:
        session.execute(flagged.values(answered="done"))
        return
    session.execute(flagged.values(answered_attempts=col(Incoming.answered_attempts) + 1))
    session.execute(flagged.where(col(Incoming.answered_attempts) >= _MOST_FLAGGING).values(answered="given up"))


def take_up(session: Session, mailbox: str, uid: int | None) -> int:
    """Owe an outcome to mails that were left alone as before first contact: one, or all of the folder's current life.
    Returns how many."""
    life = select(col(Folder.id)).where(col(Folder.mailbox) == mailbox, col(Folder.retired_at).is_(None))
    left = update(Incoming).where(col(Incoming.folder_id).in_(life), col(Incoming.state) == "before")
    if uid is not None:
        left = left.where(col(Incoming.uid) == uid)
    values = {"state": "listed", "decided_at": None, "reason": ""}
    return int(session.execute(left.values(**values)).rowcount)  # type: ignore[attr-defined]


def find(session: Session, name: str) -> list[Incoming]:
    """The rows of a mail, newest first, by Message-ID (brackets or not) or by mailbox:UID."""
    route, colon, uid = name.rpartition(":")
    if colon and uid.isdigit() and "@" not in name:
        query = select(Incoming).where(col(Incoming.route) == route, col(Incoming.uid) == int(uid))
    else:
        query = select(Incoming).where(col(Incoming.message_id) == f"<{name.strip().strip('<>')}>")
    return list(session.execute(query.order_by(col(Incoming.id).desc()).limit(100)).scalars())


def quarantined(session: Session, limit: int | None = None) -> list[Incoming]:
    query = select(Incoming).where(col(Incoming.state) == "quarantined").order_by(col(Incoming.id)).limit(limit)
    return list(session.execute(query).scalars())


def out_of_sight(session: Session, limit: int | None = None, rule: str = "") -> list[Incoming]:
    """Mails that were filed without a ticket, all or by one rule, newest first."""
    query = (
        select(Incoming)
        .where(text(FILED_ALONE if rule else OUT_OF_SIGHT))
        .order_by(col(Incoming.decided_at).desc(), col(Incoming.id).desc())
    )
    if rule:
        query = query.where(col(Incoming.rule) == rule)
    return list(session.execute(query.limit(limit)).scalars())


def filed_alone(session: Session, incoming_id: int) -> Incoming:
    """The row of a mail that was filed without a ticket, locked; Refused for any other."""
    row = _locked(session, incoming_id)
    if row.state != "filed" or row.ticket_id is not None:
        raise Refused(f"mail {incoming_id} is not filed without a ticket: it is {row.state}")
    return row


def dismiss(session: Session, incoming_id: int, now: datetime) -> None:
    """Staff have looked at a mail that was filed without a ticket: it is no longer counted as unseen."""
    row = filed_alone(session, incoming_id)
    row.dismissed_at = row.dismissed_at or now
    session.add(row)


def set_aside(session: Session, incoming_id: int) -> Incoming:
    """The row of a mail in quarantine, locked; Refused for any other."""
    row = _locked(session, incoming_id)
    if row.state != "quarantined":
        raise Refused(f"mail {incoming_id} is not in quarantine: it is {row.state}")
    return row


_LISTS = "`mailticket mail list --filed` and `mailticket quarantine list` show the numbers"


def _locked(session: Session, incoming_id: int) -> Incoming:
    query = select(Incoming).where(col(Incoming.id) == incoming_id).with_for_update()
    row: Incoming | None = session.execute(query).scalar()
    if row is None:
        raise NotFound(f"there is no incoming mail number {incoming_id}; {_LISTS}")
    return row


def ask_again(session: Session, incoming_id: int) -> None:
    """Owe a mail that the server did not give an outcome again, with all its attempts before it.

    Refused where nobody would ask for it: the folder in which it was listed is no longer read.
    """
    row = set_aside(session, incoming_id)
    folder = session.get(Folder, row.folder_id) if row.folder_id is not None else None
    if folder is None or folder.retired_at is not None:
        raise Refused(
            f"mail {incoming_id} was listed in a folder that is no longer read, so nobody can ask its server for it; "
            f"`mailticket quarantine release {incoming_id}` or `mailticket quarantine discard {incoming_id}` settles it"
        )
    row.state, row.alone_attempts, row.refusals, row.decided_at = "listed", 0, 0, None
    session.add(row)


def recorded_uids(session: Session, mailbox: str, account: Account, uidvalidity: int) -> tuple[int, set[int]] | None:
    """High-water mark and all recorded UIDs of a folder's current life; None before first contact."""
    folder = _present_life(session, mailbox)
    if folder is None or folder.uidvalidity != uidvalidity:
        return None
    if folder.host is not None and _account(folder) != account:
        return None
    uids = session.execute(select(col(Incoming.uid)).where(col(Incoming.folder_id) == folder.id)).scalars()
    return folder.high_water, {uid for uid in uids if uid is not None}


def by_id(session: Session, incoming_id: int) -> Incoming:
    row: Incoming | None = session.get(Incoming, incoming_id)
    if row is None:
        raise NotFound(f"there is no incoming mail number {incoming_id}; {_LISTS}")
    return row
