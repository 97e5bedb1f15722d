"""A person's rights: what is held about them, to be shown and to be forgotten. For administrators, over the shell."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from mailticket.desk.faces import moment
from mailticket.errors import NotFound, Refused, WorldError
from mailticket.mail.address import address_key
from mailticket.mail.addresses import is_bare_address
from mailticket.observe.failpoints import failpoint
from mailticket.settings import Settings
from mailticket.store import Session, meta, person, restored, search, tickets, tombstones
from mailticket.store.engine import Database
from mailticket.store.person import Hindrances, Person, Toll
from mailticket.triage import ticket_keys

Progress = Callable[[str, float], None]  # what is done, and how much of it: 0 to 1
_PORTION = 200  # texts that are changed in one transaction


def _checked(settings: Settings, addresses: Sequence[str]) -> list[str]:
    """The addresses in their compared form. Refused for what is none, is ours, or is a member's."""
    for address in addresses:
        if not is_bare_address(address):
            raise Refused(f"{address!r} is not one e-mail address such as ann@example.org")
        if {address_key(address), address.lower()} & settings.own_addresses:
            raise Refused(f"{address} is our own address")
        for member in settings.staff:
            if address_key(address) in {address_key(one) for one in member.addresses}:
                raise Refused(
                    f"{address} is of {member.name}, a member of staff; take them out of the [[staff]] tables first"
                )
    return [address_key(address) for address in addresses]


def identified(session: Session, settings: Settings, addresses: Sequence[str]) -> Person:
    """Who is meant. Refused as above, NotFound for somebody about whom nothing is held."""
    whose = person.identify(session, _checked(settings, addresses))
    if not whose.is_known:
        raise NotFound(f"nothing is held about {', '.join(addresses)}")
    return whose


def holdings(database: Database, settings: Settings, addresses: Sequence[str]) -> dict[str, Any]:
    """What is held about a person, in JSON's values."""
    with database.read() as session:
        whose = identified(session, settings, addresses)
        wrong = person.hindrances(session, whose)
        rows = [tickets.by_id(session, number) for number in whose.tickets]
        faces = [
            {"id": row.key, "role": _role(session, whose, int(row.id or 0)), "status": row.status,
             "subject": row.subject, "created_at": moment(row.created_at), "closed_at": moment(row.closed_at),
             "legal_hold": row.legal_hold or None}
            for row in rows
        ]  # fmt: skip
        figures = asdict(person.holdings(session, whose))
    return {
        "addresses": list(whose.keys),
        "linked": sorted(set(whose.keys) - {address_key(address) for address in addresses}),
        "names": list(whose.names),
        "tickets": faces,
        **figures,
        "waiting": list(wrong.waiting),
        "legal_holds": list(wrong.held),
    }


def _role(session: Session, whose: Person, number: int) -> str:
    """What a person is on a ticket: requester, claimed (by a form), participant, writer, addressee or mentioned."""
    if number in whose.own:
        return "claimed" if tickets.by_id(session, number).claimed else "requester"
    if any(guest.key in whose.keys for guest in tickets.participants(session, number)):
        return "participant"
    mine, others = person.messages_of(session, whose, number)
    if any(row.direction == "in" for row in mine):
        return "writer"
    named = {address_key(one.strip()) for row in (*mine, *others)
             for one in f"{row.to_address},{row.cc_address}".split(",")}  # fmt: skip
    return "addressee" if named & set(whose.keys) else "mentioned"


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would be forgotten, and what is in the way."""

    whose: Person
    hindrances: Hindrances
    tickets: tuple[str, ...]
    shared: tuple[str, ...]


def plan(database: Database, settings: Settings, addresses: Sequence[str]) -> Plan:
    """What forgetting somebody would touch. Refused for our own and staff's addresses, NotFound for strangers."""
    with database.read() as session:
        whose = identified(session, settings, addresses)
        keys = [[tickets.by_id(session, number).key for number in ids] for ids in (whose.own, whose.others)]
        return Plan(whose, person.hindrances(session, whose), tuple(keys[0]), tuple(keys[1]))


def must_be_free(wrong: Hindrances, *, anyway: bool) -> None:
    """Raises Refused, or WorldError where it passes by itself, for what is in the way. anyway: nobody need be answered
    first; what the law has us keep stays in the way."""
    if wrong.held:
        raise Refused(
            f"kept by law: {', '.join(wrong.held)}; `mailticket ticket hold ID --lift` ends that, and only then can "
            "they be forgotten"
        )
    if wrong.waiting and not anyway:
        raise Refused(
            f"waiting for an answer: {', '.join(wrong.waiting)}; answer and close them first, or --anyway closes them "
            "unanswered"
        )
    if wrong.leaving or wrong.unsent:
        numbers = ", ".join(map(str, (*wrong.leaving, *wrong.unsent)))
        raise WorldError(
            f"mail that is about to leave is in the way (outgoing {numbers}); try again in a minute, or "
            "`mailticket outbox cancel NUMBER`"
        )


def forget(
    database: Database, settings: Settings, addresses: Sequence[str], now: datetime, by: str, progress: Progress, *,
    anyway: bool = False,
) -> Toll:  # fmt: skip
    """Forget a person: everything in small transactions, so that mail goes on meanwhile.

    What is cut short is on record, and the same call finishes it. Raises what `plan` and `must_be_free` raise.
    """
    with database.read() as session:  # all texts are looked through, which may take a while
        whose = identified(session, settings, addresses)
    with database.write() as session:
        must_be_free(person.hindrances(session, whose), anyway=anyway)
        person.begin(session, whose, now, by)
    failpoint("forget.begun")
    toll = Toll()
    _forget_in_tickets(database, whose, now, progress, toll)
    progress("looking through what was filed", -1)
    place: int | None = 0
    while place is not None:
        with database.write() as session:
            place = person.forget_unfiled(session, whose, place, now)
    failpoint("forget.filed")
    progress("looking through all other texts", -1)
    with database.read() as session:
        places = person.remnants(session, whose)
    for first in range(0, len(places), _PORTION):
        with database.write() as session:
            person.sweep(session, whose, places[first : first + _PORTION])
    failpoint("forget.swept")
    with database.write() as session:
        if keys := person.opened_since(session, whose):
            raise WorldError(
                f"they wrote meanwhile ({', '.join(keys)}); settle that, and run the same command again to finish"
            )
        person.finish(session, whose, now)
    failpoint("forget.finished")
    toll.overwritten = overwrite(database, progress)
    return toll


def overwrite(database: Database, progress: Progress) -> bool:
    """Leave no byte of what was erased between the rows; False where the disk lacks room, or somebody reads."""
    progress("overwriting", -1)
    search.purge(database)
    done = database.rewrite()
    if done:
        with database.write() as session:
            tombstones.overwritten(session)
        database.forget_overwritten()
    return done


def must_overwrite(database: Database) -> bool:
    """Whether bytes of somebody forgotten may still lie between the rows."""
    with database.read() as session:
        return any(not row.keys for row in tombstones.unfinished(session))


def _forget_in_tickets(database: Database, whose: Person, now: datetime, progress: Progress, toll: Toll) -> None:
    for done, number in enumerate(whose.tickets):
        progress("forgetting", done / len(whose.tickets))
        with database.write() as session:
            prefix = tickets.by_id(session, number).key.partition("-")[0]
            fresh = partial(tickets.unused_key, session, partial(ticket_keys.new_key, prefix, secrets.randbelow))
            toll.add(person.forget_in_ticket(session, whose, number, now, fresh))
        failpoint("forget.ticket")


def again(database: Database) -> list[list[str]]:
    """Who is to be forgotten once more, each with the addresses that are one person's: those who came back with a
    backup, and those of whom it was cut short."""
    with database.read() as session:
        people = [list(row.keys) for row in tombstones.unfinished(session) if row.keys]
        met = {key for keys in people for key in keys}
        for key in tombstones.returned(session):
            if key not in met:
                keys = list(person.identify(session, [key]).keys)
                met |= set(keys)
                people.append(keys)
    return people


def last_backup(database: Database) -> datetime | None:
    """When the newest backup was made that this database knows of."""
    with database.read() as session:
        text = meta.value(session, "last_backup")
    return datetime.fromisoformat(text) if text else None


def copies_beside(database: Database) -> list[str]:
    """Former databases that a restore put aside, files or schemas: they hold what they held."""
    if database.file is None:
        with database.read() as session:
            return restored.schemas_put_aside(session)
    return sorted(str(path) for path in database.file.parent.glob(f"{database.file.name}.replaced-*"))
