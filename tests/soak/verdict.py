"""What the servers say at the end: every mail has its one end, and nobody heard a thing twice."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import text

from mailticket.config.read import read_settings
from mailticket.service.once import run_once
from mailticket.store import overview
from tests.e2e import post
from tests.helpdesk import message_id
from tests.servers.smtp import Accepted
from tests.soak.world import ARCHIVE, SENT, STAFF, World

_ROUNDS = 60


def finish(world: World) -> list[str]:
    """Rounds until nothing waits any more: first for the mail, then for what was put off, under a clock set forward."""
    settings = read_settings(world.site.configuration, {})
    for turn in range(_ROUNDS):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=min(turn, 20))):
            tally = run_once(settings)
        out = world.site.outgoing_states()
        waiting = sum(out.get(state, 0) for state in ("queued", "deferred", "sending"))
        saved = world.dovecot.status(folder=SENT)["UIDNEXT"] - 1  # copies of the last round are listed in the next
        if not waiting and not _listed(world) and not tally.troubles and saved == _rows_of_sent(world):
            return []
    return [f"after {_ROUNDS} rounds there is still something to do: {out}, {world.site.incoming_states()}"]


def _rows_of_sent(world: World) -> int:
    with world.site.database.read() as session:
        counted = text("SELECT count(*) FROM incoming WHERE route = 'support/Sent' AND uid IS NOT NULL")
        return int(session.connection().execute(counted).scalar() or 0)


def _listed(world: World) -> int:
    with world.site.database.read() as session:
        return sum(states.get("listed", 0) for states in overview.conservation(session).values())


def counts(world: World) -> dict[str, object]:
    return {
        "mails delivered": world.mails,
        "requests": len(world.requests),
        "replies": world.replies,
        "answers from a mail program": len(world.outside),
        "answers to desk mails": len(world.by_mail),
        "accepted by the SMTP server": len(world.sink.accepted),
        "incoming": world.site.incoming_states(),
        "outgoing": world.site.outgoing_states(),
        "happened": dict(world.happened.most_common()),
    }


def broken(world: World) -> Iterator[str]:
    """Every promise that does not hold, in words."""
    yield from _every_uid_has_a_row(world, "support", "INBOX")
    yield from _every_uid_has_a_row(world, "support/Sent", SENT)
    yield from _every_answer_counts_once(world)
    yield from _every_staff_mail_has_its_end(world)
    yield from _every_request_has_a_ticket(world)
    yield from _nobody_heard_twice(world)


def _every_uid_has_a_row(world: World, mailbox: str, name: str) -> Iterator[str]:
    """The server has given UIDNEXT - 1 UIDs in the folder's present life; so many rows there are."""
    status = world.dovecot.status(folder=name)
    with world.site.database.read() as session:
        rows = session.connection().execute(
            text("SELECT f.uidvalidity, i.uid, count(*), max(i.state) FROM incoming i "
                 "JOIN folder f ON f.id = i.folder_id WHERE f.retired_at IS NULL AND f.mailbox = :mailbox "
                 "GROUP BY 1, 2"), {"mailbox": mailbox}
        ).all()  # fmt: skip
    there = {mail.uid for mail in world.dovecot.messages(folder=name)}
    called_gone = [uid for validity, uid, _, state in rows if state == "vanished" and uid in there]
    if called_gone:
        yield f"mails that count as vanished are there: {called_gone[:5]}"
    recorded = {uid for validity, uid, _, _ in rows if validity == status["UIDVALIDITY"]}
    if there - recorded:
        yield f"{len(there - recorded)} mails on the server have no row: {sorted(there - recorded)[:5]}"
    doubled = [uid for _, uid, number, _ in rows if number != 1]
    if doubled:
        yield f"UIDs with more than one row: {doubled[:5]}"


def _every_answer_counts_once(world: World) -> Iterator[str]:
    """What was answered from a mail program stands once in its ticket, whatever copies came, and kept its promise."""
    with world.site.database.read() as session:
        rows = session.connection().execute(
            text("SELECT m.message_id, m.direction, m.kind, m.\"by\", t.first_response_at IS NOT NULL "
                 "FROM message m JOIN ticket t ON t.id = m.ticket_id")
        ).all()  # fmt: skip
    for name, person in world.outside.items():
        entries = [row[1:] for row in rows if row[0] == name]
        if len(entries) != 1 or entries[0][:2] != ("out", "staff-reply") or entries[0][2] not in STAFF:
            yield f"the answer {name} to {person} stands so in tickets: {entries}"
        elif not entries[0][3]:
            yield f"the answer {name} to {person} kept no promise"
    copies = Counter(message_id(mail.raw) for mail in world.dovecot.messages(folder=SENT))
    doubled = [name for name, number in copies.items() if number > 1]
    if doubled:
        yield f"the folder of sent mail holds more than one copy of {doubled[:5]}"


def _every_staff_mail_has_its_end(world: World) -> Iterator[str]:
    """What was written in answer to a desk mail is an answer, a note or held; an answer leaves as one mail."""
    with world.site.database.read() as session:
        rows = session.connection().execute(
            text("SELECT message_id, rule FROM incoming WHERE rule LIKE 'staff:%' AND state != 'known'")
        ).all()  # fmt: skip
    ends = Counter(row[0] for row in rows)
    set_aside = world.site.incoming_states().get("quarantined", 0) + len(world.taken_away)
    lost = [name for name in world.by_mail if not ends[name]]
    if len(lost) > set_aside:
        yield f"{len(lost)} mails of staff have no end: {lost[:5]}"
    doubled = [name for name, number in ends.items() if number > 1]
    if doubled:
        yield f"mails of staff were carried out more than once: {doubled[:5]}"
    wires: dict[str, set[str]] = defaultdict(set)
    for mail in world.sink.accepted:
        if mail.recipients[0] not in STAFF.values():
            for phrase in re.findall(r"It is settled, number \d+ says so\.", post.text_of(mail)):
                wires[phrase].add(post.message_ids([mail])[0])
    sent_twice = [phrase for phrase, names in wires.items() if len(names) > 1]
    if sent_twice:
        yield f"answers left as more than one mail: {sent_twice[:5]}"
    answers = [row[0] for row in rows if row[1] == "staff: answer"]
    unsent = [name for name in answers if world.by_mail[name] not in wires]
    uncertain = world.site.outgoing_states().get("uncertain", 0)
    if len(unsent) > len(world.nobody) + uncertain:
        yield f"answers of staff never left: {unsent[:5]}"


def _every_request_has_a_ticket(world: World) -> Iterator[str]:
    tickets = Counter(ticket["requester"] for ticket in world.site.tickets())
    set_aside = world.site.incoming_states().get("quarantined", 0)
    lost = [person for person in world.requests if not tickets[person] and person not in world.taken_away]
    if len(lost) > set_aside:
        where = {person: _folders_with(world, person) for person in sorted(lost)[:5]}
        yield f"{len(lost)} requests have no ticket, {set_aside} are in quarantine; the server has them in: {where}"
    appended = world.site.incoming_states().get("appended", 0) - _appended_by_staff(world)
    if not world.replies - len(world.taken_away) - set_aside <= appended <= world.replies:
        yield f"{world.replies} replies were written, {appended} were appended"
    doubled = [person for person in world.requests if tickets[person] > 1]
    if doubled:
        yield f"{len(doubled)} requests have more than one ticket: {sorted(doubled)[:5]}"


def _appended_by_staff(world: World) -> int:
    with world.site.database.read() as session:
        counted = text("SELECT count(*) FROM incoming WHERE rule LIKE 'staff:%' AND state = 'appended'")
        return int(session.connection().execute(counted).scalar() or 0)


def _folders_with(world: World, person: str) -> list[str]:
    sender = f"<{person}>".encode()
    return [
        f"{folder} as UID {mail.uid}"
        for folder in ("INBOX", ARCHIVE)
        for mail in world.dovecot.messages(folder=folder)
        if sender in mail.raw[:1000]
    ]


def _nobody_heard_twice(world: World) -> Iterator[str]:
    """Acknowledgements are on the wire once at most; those that are missing are uncertain, refused or withheld."""
    rows = {row["message_id"]: row for row in world.site.outbox()}
    heard: dict[str, list[Accepted]] = defaultdict(list)
    for mail in world.sink.accepted:
        heard[post.message_ids([mail])[0]].append(mail)
    for name, mails in heard.items():
        staff = rows.get(name, {}).get("kind") == "staff-reply"
        if name not in rows:
            yield f"the SMTP server has {name}, which is not in the outbox"
        elif len(mails) > (2 if staff else 1):
            yield f"{rows[name]['kind']} {name} was sent {len(mails)} times"
    for name, row in rows.items():
        if row["state"] == "sent" and name not in heard:
            yield f"{row['kind']} {name} counts as sent, and the server never had it"
        elif row["state"] == "failed" and row["to"] not in world.nobody:
            yield f"{row['kind']} {name} failed: {row['last_error']}"
    acknowledged = Counter(row["to"] for row in rows.values() if row["kind"] != "staff-reply")
    for person, number in acknowledged.items():
        if person in world.requests and number > 1:
            yield f"{person} is owed {number} acknowledgements"
        elif person in world.automata:
            yield f"the automaton {person} was answered"
    with_ticket = {ticket["requester"] for ticket in world.site.tickets()}
    silent = [person for person in world.requests if person in with_ticket and not acknowledged[person]]
    if silent:
        yield f"{len(silent)} requests have a ticket and no acknowledgement: {sorted(silent)[:5]}"
