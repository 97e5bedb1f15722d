"""The deeds of the desk by name, plain values in and out: the same code behind a command and behind the socket."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from mailticket.desk import blocks, faces, looking, members, notices, release
from mailticket.desk.answers import Answered, Then, Wish
from mailticket.desk.hands import Change
from mailticket.desk.tickets import Desk
from mailticket.errors import MailticketError, NotFound, Refused, WorldError
from mailticket.letters import File
from mailticket.store import tickets

Face = dict[str, Any]
Deed = Callable[..., Face | Iterator[Face]]
GREATEST_NUMBER = 2**31 - 1  # of a row in the database
Number = Annotated[int, Field(ge=1, le=GREATEST_NUMBER)]


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
    seen: Number | None = None,
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


def send(desk: Desk, *, number: Number, anyway: bool = False) -> Face:
    """Let a held answer leave."""
    return _answered(release.send(desk, number, anyway=anyway))


def drop(desk: Desk, *, number: Number) -> Face:
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


def hold(desk: Desk, *, names: list[str], reason: str = "", lift: bool = False) -> Iterator[Face]:
    """Keep tickets from being erased, or lift that."""
    for name in names:
        yield _tried(name, lambda one: {"id": desk.lift_hold_by_law(one) if lift else desk.hold_by_law(one, reason)})


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
        if len(name) > len(str(GREATEST_NUMBER)) or int(name) > GREATEST_NUMBER:
            raise NotFound(f"there is no attachment number {name[:40]}; `mailticket ticket show` gives the numbers")
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


def show_unmasked(desk: Desk, *, name: str) -> Face:
    """`show`, with texts in which nothing doubtful is masked; the history notes who looked."""
    return looking.show_with(desk.onlooker, name, desk.unmasked(name))


def take_next(desk: Desk, *, team: str = "") -> Face:
    """Take the first ticket of the queue that is nobody's; `{"id": null}` for none."""
    key = desk.take_next(team)
    return looking.face_of(desk.onlooker, key) if key else dict(looking.NOTHING)


def set_notice(desk: Desk, *, texts: dict[str, str], categories: list[str], until: str) -> Face:
    """Tell everybody who writes about these categories."""
    return notices.set_notice(desk.site, desk.actor, texts=texts, categories=categories, until=until)


def list_notices(desk: Desk, *, ended: bool) -> Iterator[Face]:
    """The notices that last, or all."""
    return iter(notices.list_notices(desk.site, ended=ended))


def end_notice(desk: Desk, *, number: Number) -> Face:
    """End a notice."""
    return notices.end_notice(desk.site, desk.actor, number)


def block(desk: Desk, *, address: str, reason: str = "") -> Face:
    """File what comes from an address."""
    return blocks.block(desk.site, desk.actor, address, reason)


def unblock(desk: Desk, *, address: str) -> Face:
    """Take in what comes from an address again."""
    return blocks.unblock(desk.site, address)


def list_blocked(desk: Desk) -> Iterator[Face]:
    """What is blocked."""
    return iter(blocks.list_blocked(desk.site))


def staff_digest(desk: Desk, *, name: str, mail: bool = False) -> Face:
    """What a member's digest says; mail: it is sent to them too."""
    return members.digest(desk.site, name, mail=mail)


def staff_revoke(desk: Desk, *, name: str) -> Face:
    """End what the mails that a member was sent until now are good for."""
    return members.revoke(desk.site, name)


def staff_test(desk: Desk, *, name: str) -> Face:
    """Send a member a mail to be answered."""
    return members.test(desk.site, name)


DEEDS: Mapping[str, Deed] = {
    "staff_digest": staff_digest,
    "staff_revoke": staff_revoke,
    "staff_test": staff_test,
    "show_unmasked": show_unmasked,
    "files": files,
    "recipients": recipients,
    "take_next": take_next,
    "reply": reply,
    "send": send,
    "drop": drop,
    "note": note,
    "change": change,
    "close": close,
    "solve": solve,
    "reopen": reopen,
    "hold": hold,
    "assign": assign,
    "take": take,
    "split": split,
    "merge": merge,
    "participant": participant,
    "requester": requester,
    "same": same,
    "mail_again": mail_again,
    "set_notice": set_notice,
    "list_notices": list_notices,
    "end_notice": end_notice,
    "block": block,
    "unblock": unblock,
    "list_blocked": list_blocked,
}
