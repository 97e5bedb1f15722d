"""What several hosts have left behind, mail by mail: each is one row of one ticket, each letter left once."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import text

from tests.helpdesk import message_id

if TYPE_CHECKING:
    from tests.soak.several import Hosts

_ACKNOWLEDGEMENTS = ("acknowledgement", "duplicate-notice")
_STAFF_RANK = 1
_RECOVERED = re.compile(r"on their way out (\d+) are queued again, (\d+) uncertain")
_ANEW = "was given up; it starts anew"
_SPARE_ROWS = 5  # of hosts that could not write to the end that they have joined

Row = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A mail that somebody wrote.

    copied: its bytes went to both mailboxes. first: the Message-ID of the mail that a repeat says again. ticket: the
    key of the one that a reply answers.
    """

    person: str
    kind: Literal["request", "copied", "repeat", "reply"]
    first: str = ""
    ticket: str = ""


class Left:
    """The rows and what arrived at the SMTP server."""

    def __init__(self, world: Hosts) -> None:
        with world.database.read() as session:
            connection = session.connection()

            def rows(words: str) -> list[Row]:
                return [dict(row) for row in connection.execute(text(words)).mappings()]

            self.incoming = rows("SELECT id, message_id, state, route, rule, reason, copy_of, ticket_id FROM incoming")
            self.messages = rows("SELECT id, ticket_id, incoming_id, message_id, from_address, direction, kind, text "
                                 "FROM message")  # fmt: skip
            self.tickets = {row["id"]: row for row in rows("SELECT id, key, duplicate_of, requester_id FROM ticket")}
            self.outgoing = rows(
                "SELECT id, ticket_id, cause_id, kind, rank, recipient, message_id, state, sent_again, attempts, "
                "begun_at, sent_at, claimed_by, last_error FROM outgoing ORDER BY id"
            )
            self.uncertain = {
                (row["ticket_id"], row["kind"])
                for row in rows("SELECT ticket_id, kind FROM event WHERE kind LIKE '% uncertain'")
            }
            self.hosts = rows("SELECT id, pid, dead_at, stopped_at FROM host")
        self.copies: Counter[tuple[str, str]] = Counter()
        self.first_at: dict[str, int] = {}
        for at, mail in enumerate(world.sink.accepted):
            name = message_id(mail.raw)
            self.copies.update((name, recipient) for recipient in mail.recipients)
            self.first_at.setdefault(name, at)

    def copies_of(self, row: Row) -> int:
        return self.copies[row["message_id"], row["recipient"]]

    def was_uncertain(self, row: Row) -> bool:
        """Whether the history says that nobody knew of the letter whether it had left."""
        return (row["ticket_id"], f"{row['kind']} uncertain") in self.uncertain


def figures(world: Hosts) -> Iterator[str]:
    """What happened, a line each."""
    left = Left(world)
    yield f"mails written {len(world.written)} ({_count(mail.kind for mail in world.written.values())})"
    yield f"deliveries {world.deliveries}, rows {len(left.incoming)} ({_count(row['state'] for row in left.incoming)})"
    repeats = sum(bool(ticket["duplicate_of"]) for ticket in left.tickets.values())
    yield f"tickets {len(left.tickets)}, flagged as repeats {repeats}"
    yield f"letters and answers {len(left.outgoing)} ({_count(row['state'] for row in left.outgoing)})"
    yield from _windows(left)
    yield f"happened: {_count(world.happened)}"
    cuts = Counter({side: sum(relay.cuts[side] for ways in world.ways for relay in ways.commits)
                    for side in ("before", "after")})  # fmt: skip
    yield f"commits cut: {cuts['before']} before the server heard of it, {cuts['after']} before the client heard of it"
    log = [line for site in world.sites for line in site.log]
    recovered = [match for line in log if (match := _RECOVERED.search(line))]
    again, unsure = (sum(int(match[group]) for match in recovered) for group in (1, 2))
    yield f"leases lost {_lines(log, _ANEW)}, hosts given up by others {_lines(log, 'and is given up')}"
    yield f"claims recovered: {again} not begun, {unsure} uncertain; deliveries let go {_lines(log, 'it was let go')}"
    yield f"host rows {len(left.hosts)} for {world.starts} starts, {sum(bool(h['dead_at']) for h in left.hosts)} dead"
    for kind, times in sorted(world.times.items()):
        yield _spread(kind, times)
    yield _spread("all", [time for times in world.times.values() for time in times])


def _windows(left: Left) -> Iterator[str]:
    twice = [row for row in left.outgoing if left.copies_of(row) == 2]
    answers = sum(_may_be_twice(left, row) for row in twice)
    yield f"sent twice: {answers} answers of staff whose first sending was uncertain, {len(twice) - answers} others"
    unsure = [row for row in left.outgoing if row["state"] == "uncertain"]
    arrived = sum(bool(left.copies_of(row)) for row in unsure)
    yield f"uncertain at the end: {arrived} that arrived, {len(unsure) - arrived} that did not"


def _may_be_twice(left: Left, row: Row) -> bool:
    """The window that nobody can close: the data had gone, and its host was no more to say so. Only answers are sent
    once more then."""
    return row["rank"] == _STAFF_RANK and row["sent_again"] and left.was_uncertain(row)


def _count(values: Any) -> str:
    return ", ".join(f"{name} {number}" for name, number in Counter(values).most_common())


def _lines(log: Sequence[str], words: str) -> int:
    return sum(words in line for line in log)


def _spread(kind: str, times: Sequence[float]) -> str:
    if not times:
        return f"take-over ({kind}): none"
    return f"take-over ({kind}): {len(times)}, median {statistics.median(times):.1f} s, worst {max(times):.1f} s"


def broken(world: Hosts) -> Iterator[str]:
    left = Left(world)
    yield from _mails(world, left)
    yield from _letters(world, left)
    yield from _answers(world, left)
    yield from _order(left)
    yield from _troubles(world, left)


def _mails(world: Hosts, left: Left) -> Iterator[str]:
    """Each mail is one message of one ticket, and each ticket one conversation."""
    rows: dict[str, list[Row]] = defaultdict(list)
    messages: dict[int, list[Row]] = defaultdict(list)
    for row in left.incoming:
        rows[row["message_id"]].append(row)
    for message in left.messages:
        if message["direction"] == "in":
            messages[message["incoming_id"]].append(message)
    for name in rows.keys() - world.written.keys():
        yield f"nobody wrote {name}: {rows[name]}"
    conversations: Counter[int] = Counter()
    for name, mail in world.written.items():
        main = [row for row in rows[name] if row["state"] != "known"]
        known = [row for row in rows[name] if row["state"] == "known"]
        if len(main) != 1 or len(known) != (mail.kind == "copied") or any(r["copy_of"] != main[0]["id"] for r in known):
            yield f"{mail.kind} {name} of {mail.person} has these rows: {rows[name]}"
            continue
        wanted = "appended" if mail.kind == "reply" else "opened"
        one, shown = main[0], messages[main[0]["id"]]
        if one["state"] != wanted or len(shown) != 1 or any(messages[row["id"]] for row in known):
            yield f"{mail.kind} {name} is {one}, with the messages {shown}"
            continue
        ticket = left.tickets[one["ticket_id"]]
        if (shown[0]["ticket_id"], shown[0]["message_id"], shown[0]["from_address"]) != (
            ticket["id"], name, mail.person,
        ):  # fmt: skip
            yield f"{mail.kind} {name} of {mail.person} is the message {shown[0]} of {ticket}"
        if mail.kind == "reply":
            if ticket["key"] != mail.ticket:
                yield f"the reply {name} to {mail.ticket} lies on {ticket}"
        else:
            conversations[ticket["id"]] += 1
        if mail.kind == "repeat":
            yield from _repeat(left, name, ticket, rows[mail.first])
    if set(conversations) != set(left.tickets) or set(conversations.values()) - {1}:
        yield f"{len(left.tickets)} tickets, {len(conversations)} conversations"


def _repeat(left: Left, name: str, ticket: Row, first: Sequence[Row]) -> Iterator[str]:
    """Whichever of the two came first, the other is flagged as its repetition, and both are one person's."""
    others = [left.tickets[row["ticket_id"]] for row in first if row["state"] == "opened"]
    pairs = [(one["duplicate_of"], two["id"]) for other in others for one, two in ((ticket, other), (other, ticket))]
    if sum(one == two for one, two in pairs) != 1 or {other["requester_id"] for other in others} != {
        ticket["requester_id"]
    }:
        yield f"the repeat {name} has {ticket}, what it repeats {others}"


def _letters(world: Hosts, left: Left) -> Iterator[str]:
    """One acknowledgement a request, and nothing leaves twice but what may."""
    causes: Counter[int] = Counter()
    for row in left.outgoing:
        copies = left.copies_of(row)
        if row["kind"] in _ACKNOWLEDGEMENTS:
            causes[row["cause_id"]] += 1
        if row["state"] not in ("sent", "uncertain"):
            yield f"not at its end: {row}"
        if row["state"] == "sent" and not copies:
            yield f"counts as sent, and did not arrive: {row}"
        if row["state"] == "uncertain" and not left.was_uncertain(row):
            yield f"uncertain, and the history does not say so: {row}"
        if copies > 1 and not (copies == 2 and _may_be_twice(left, row)):
            yield f"arrived {copies} times: {row}"
    known = {(row["message_id"], row["recipient"]) for row in left.outgoing}
    for name, recipient in left.copies.keys() - known:
        yield f"{recipient} got {name}, which is in no outbox"
    persons = {row["id"]: world.written[row["message_id"]].person for row in left.incoming
               if row["message_id"] in world.written}  # fmt: skip
    for row in left.incoming:
        if causes[row["id"]] != (row["state"] == "opened"):
            yield f"{causes[row['id']]} acknowledgements of {row}"
    for row in left.outgoing:
        if row["cause_id"] is not None and persons.get(row["cause_id"]) != row["recipient"]:
            yield f"the mail of {persons.get(row['cause_id'])} is answered to another: {row}"


def _answers(world: Hosts, left: Left) -> Iterator[str]:
    texts = [message["text"] for message in left.messages if message["kind"] == "staff-reply"]
    for words, taken in world.answers.items():
        number = sum(words in one for one in texts)
        if number > 1 or number < taken:
            yield f"the answer {words!r} ({'taken' if taken else 'refused or unheard'}) is there {number} times"


def _order(left: Left) -> Iterator[str]:
    """Within a ticket who was written first goes first, unless what is more urgent overtakes."""
    by_ticket: dict[int, list[Row]] = defaultdict(list)
    for row in left.outgoing:
        if row["message_id"] in left.first_at and not left.was_uncertain(row):
            by_ticket[row["ticket_id"]].append(row)
    for rows in by_ticket.values():
        for earlier, later in ((one, two) for at, one in enumerate(rows) for two in rows[at + 1 :]):
            in_order = left.first_at[earlier["message_id"]] < left.first_at[later["message_id"]]
            if earlier["rank"] <= later["rank"] and not in_order:
                yield f"out of order: {earlier} after {later}"


def _troubles(world: Hosts, left: Left) -> Iterator[str]:
    """Each kind of trouble has come, none was a defect of ours, and no host was made again and again."""
    log = [line for site in world.sites for line in site.log]
    for line in log:
        if "defect" in line or "Traceback" in line:
            yield line
    came = {
        "connection cut": world.happened["connections cut"],
        "commit cut": sum(sum(relay.cuts.values()) for ways in world.ways for relay in ways.commits),
        "lease lost": _lines(log, _ANEW),
        "claim recovered": sum(_RECOVERED.search(line) is not None for line in log),
        "answer": world.happened["answers"],
        "promotion": world.happened["promotion of a synchronous standby"],
    }
    for trouble, number in came.items():
        if not number:
            yield f"no {trouble}: the run shows nothing of it"
    anew = _lines(log, _ANEW)
    if len(left.hosts) > world.starts + anew + _SPARE_ROWS:
        yield f"{len(left.hosts)} host rows of {world.starts} starts and {anew} that began anew"
