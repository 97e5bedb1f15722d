"""The deeds of the desk by name, plain values in and out: the same code behind a command and behind the socket."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

from mailticket.desk import faces
from mailticket.desk.answers import Answered, Then, Wish
from mailticket.desk.tickets import Change, Desk
from mailticket.errors import MailticketError, NotFound, Refused, StoreUnavailable, WorldError
from mailticket.letters import File
from mailticket.store import desk as looks
from mailticket.store import outgoing, overview, tickets

Face = dict[str, Any]
Deed = Callable[..., Face | Iterator[Face]]


def list_(
    desk: Desk,
    *,
    status: list[str] = [],  # noqa: B006 - never changed
    category: str = "",
    requester: str = "",
    duplicates: bool = False,
    merged: bool = False,
    since: datetime | None = None,
    waiting: Literal["", "us", "them"] = "",
    everything: bool = False,
    mine: bool = False,
    assigned: str | None = None,
    team: str = "",
    held: bool = False,
    sort: Literal["", "promise", "waiting", "updated"] = "",
    limit: int | None = None,
) -> Iterator[Face]:
    """Tickets as `ticket list` shows them; those at their end only when they are asked for."""
    asked_for = everything or status or requester or duplicates or merged
    criteria = overview.Filter(
        status=tuple(status), category=category, requester=requester, duplicates=duplicates, merged=merged, since=since,
        waiting=waiting, unfinished=not asked_for, team=team, held=held, sort=sort,
        assigned=desk.actor if mine else "" if assigned == "none" else assigned,
    )  # fmt: skip
    return overview.ticket_rows(
        desk.site.database, criteria, limit,
        lambda session, row: faces.ticket(row, tickets.position(session, row.ticket)),
    )  # fmt: skip


def show(desk: Desk, *, name: str, unmask: bool = False) -> Face:
    """A ticket with its conversation and history; who is shown it has seen it."""
    unmasked = desk.unmasked(name) if unmask else {}
    with desk.site.database.read() as session:
        row = desk.find(session, name, lock=False)
        ticket_id = int(row.id or 0)
        conversation = tickets.conversation(session, ticket_id)
        files = tickets.attachments_of(session, [int(m.id or 0) for m in conversation])
        deliveries = outgoing.of_messages(session, conversation)
        addresses = tickets.addresses_of(session, row.requester_id)
        face = {
            **faces.ticket(overview.ticket_row(session, row), tickets.position(session, row)),
            "linked_by": tickets.linked_by(session, ticket_id),
            "check_word": row.check_word,
            "promise_reason": row.promise_reason,
            "requester_name": tickets.name_of(session, row.requester_id),
            "participants": [p.address for p in tickets.participants(session, ticket_id)],
            "addresses": [a.address for a in addresses],
            "undeliverable": [a.address for a in addresses if a.undeliverable_since],
            "conversation": [faces.message(m, files.get(n, []), unmasked.get(n), deliveries.get(n))
                             for m in conversation for n in [int(m.id or 0)]],
            "held": [faces.held(m) for m in conversation if m.kind == "held"],
            "history": [faces.event(e) for e in tickets.events(session, ticket_id)],
        }  # fmt: skip
    if conversation:
        _note_sight(desk, ticket_id, max(int(m.id or 0) for m in conversation))
    return face


def _note_sight(desk: Desk, ticket_id: int, newest: int) -> None:
    """Remember what was shown; a database that takes nothing at the moment keeps nobody from reading."""
    with suppress(StoreUnavailable), desk.site.database.write() as session:
        looks.saw(session, desk.actor, ticket_id, newest, desk.site.clock())


def next_(desk: Desk, *, team: str = "", take: bool = False) -> Face:
    """The first ticket of the queue, or `{"id": null}`."""
    key = desk.next(team, take=take)
    if key is None:
        return {"id": None, "taken": False}
    with desk.site.database.read() as session:
        row = desk.find(session, key, lock=False)
        face = faces.ticket(overview.ticket_row(session, row), tickets.position(session, row))
    return {**face, "taken": take}


def reply(
    desk: Desk,
    *,
    name: str,
    text: str = "",
    signs: str | None = None,
    files: list[dict[str, str]] = [],  # noqa: B006 - never changed
    copies: list[str] = [],  # noqa: B006 - never changed
    canned: str = "",
    then: Then = "pending",
    seen: int | None = None,
    anyway: bool = False,
) -> Face:
    """Answer a ticket. files: each with `name`, `type` and its bytes in base64 as `content`."""
    enclosed = tuple(_file(file) for file in files)
    return _answered(desk.reply(name, text, Wish(signs, enclosed, tuple(copies), canned, then, seen, anyway)))


def _file(face: Mapping[str, str]) -> File:
    try:
        return File(face["name"], face["type"], base64.b64decode(face["content"], validate=True))
    except (KeyError, ValueError):
        raise Refused("a file of the answer did not arrive whole") from None


def _answered(answered: Answered) -> Face:
    held, bounced = answered.held, [one.text for one in answered.passed if one.code == "bounced"]
    return {
        "id": answered.key,
        "outgoing": answered.outgoing,
        "to": answered.to,
        "cc": list(answered.copies),
        "held": {
            "number": held.number,
            "reasons": [one.code for one in held.hindrances],
            "texts": [one.text for one in held.hindrances],
            "answers": [{"by": a.by or None, "at": faces.moment(a.at), "text": a.text} for a in held.newer],
        } if held else None,
        "warning": bounced[0] if bounced else None,
        "new_since": [{"number": m.id, "at": faces.moment(m.at), "text": m.new_text} for m in answered.new_since],
    }  # fmt: skip


def recipients(desk: Desk, *, name: str) -> Face:
    """To whom an answer would go."""
    to, copies = desk.recipients(name)
    return {"to": to, "cc": list(copies)}


def send(desk: Desk, *, number: int, anyway: bool = False) -> Face:
    """Let a held answer leave."""
    return _answered(desk.send_held(number, anyway=anyway))


def drop(desk: Desk, *, number: int) -> Face:
    """Throw a held answer away."""
    return {"id": desk.drop_held(number)}


def note(desk: Desk, *, name: str, text: str) -> Face:
    return {"id": desk.note(name, text)}


def change(
    desk: Desk, *, names: list[str], category: str = "", priority: str = "", team: str | None = None, subject: str = ""
) -> Iterator[Face]:
    """Say anew what tickets are about."""
    for name in names:
        yield _tried(name, _change, desk, Change(category, priority, team, subject))


def _change(name: str, desk: Desk, wanted: Change) -> Face:
    changed = desk.change(name, wanted)
    return {"id": changed.key, "changes": list(changed.details), "promised_by": faces.moment(changed.promised_by)}


def close(desk: Desk, *, names: list[str], notify: bool = False) -> Iterator[Face]:
    for name in names:
        yield _tried(name, lambda one: {"id": desk.close(one, notify=notify)})


def solve(desk: Desk, *, names: list[str], notify: bool = False) -> Iterator[Face]:
    for name in names:
        yield _tried(name, lambda one: {"id": desk.solve(one, notify=notify)})


def reopen(desk: Desk, *, names: list[str]) -> Iterator[Face]:
    for name in names:
        yield _tried(name, lambda one: {"id": desk.reopen(one)})


def assign(desk: Desk, *, names: list[str], to: str) -> Iterator[Face]:
    """Give tickets to somebody; `before` is whose each was."""
    for name in names:
        yield _tried(name, _assign, desk, to)


def take(desk: Desk, *, names: list[str]) -> Iterator[Face]:
    """Take tickets."""
    return assign(desk, names=names, to=desk.actor)


def _assign(name: str, desk: Desk, to: str) -> Face:
    key, before = desk.assign(name, to)
    return {"id": key, "assigned_to": to or None, "before": before or None}


def split(desk: Desk, *, names: list[str]) -> Iterator[Face]:
    for name in names:
        yield _tried(name, lambda one: {"id": desk.split(one)})


def _tried(name: str, act: Callable[..., Face], *arguments: object) -> Face:
    """What became of one of several tickets. What the world is to blame for ends them all."""
    try:
        return {**act(name, *arguments), "error": None}
    except WorldError:
        raise
    except MailticketError as error:
        return {"id": name, "error": str(error)}


def merge(desk: Desk, *, name: str, into: str, anyway: bool = False) -> Face:
    source, target = desk.merge(name, into, anyway=anyway)
    return {"id": source, "into": target}


def participant(desk: Desk, *, name: str, address: str) -> Face:
    return {"id": desk.add_participant(name, address), "address": address}


def requester(desk: Desk, *, name: str, address: str) -> Face:
    return {"id": desk.set_requester(name, address), "address": address}


def same(desk: Desk, *, address: str, other: str) -> Face:
    desk.link_addresses(address, other)
    return {"address": address, "other": other}


def mail_again(desk: Desk, *, address: str) -> Face:
    desk.mail_again(address)
    return {"address": address}


def files(desk: Desk, *, name: str) -> Iterator[Face]:
    """The files of a ticket, or of one number: each with name, type and its bytes in base64."""
    if name.isdecimal():
        numbers = [int(name)]
    else:
        with desk.site.database.read() as session:
            row = desk.find(session, name, lock=False)
            rows = [int(m.id or 0) for m in tickets.conversation(session, int(row.id or 0))]
            attached = tickets.attachments_of(session, rows)
            numbers = [int(a.id or 0) for one in rows for a in attached.get(one, [])]
        if not numbers:
            raise NotFound(f"{row.key} has no attachments")
    for number in numbers:
        file = desk.attachment(number)
        yield {"number": number, "name": file.name, "type": file.type,
               "content": base64.b64encode(file.content).decode("ascii")}  # fmt: skip


def staff(desk: Desk) -> Iterator[Face]:
    """The members, with what is theirs."""
    with desk.site.database.read() as session:
        for member in desk.roster.staff:
            figures = looks.workload(session, member.name, desk.site.clock())
            yield {
                "name": member.name,
                "addresses": list(member.addresses),
                "teams": list(desk.roster.teams_of(member.name)),
                "open": figures.unfinished,
                "slipping": figures.overdue,
                "held": figures.held,
                "last_answer_at": faces.moment(figures.last_answer_at),
                "last_proof": None,
                "unreachable_since": None,
            }


LOOKING: Mapping[str, Deed] = {  # what a visitor may ask
    "list": list_,
    "show": show,
    "files": files,
    "recipients": recipients,
    "staff": staff,
}
DEEDS: Mapping[str, Deed] = {
    **LOOKING,
    "next": next_,
    "reply": reply,
    "send": send,
    "drop": drop,
    "note": note,
    "change": change,
    "close": close,
    "solve": solve,
    "reopen": reopen,
    "assign": assign,
    "take": take,
    "split": split,
    "merge": merge,
    "participant": participant,
    "requester": requester,
    "same": same,
    "mail_again": mail_again,
}
