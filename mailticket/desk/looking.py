"""What is seen of the desk: tickets, the queue, members. Needs no more than the database and the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mailticket.desk import faces
from mailticket.errors import NotFound, StoreUnavailable
from mailticket.models import Ticket
from mailticket.settings import FIRST_NAME, Settings
from mailticket.store import Session, desk_mail, outgoing, overview, tickets
from mailticket.store import desk as looks
from mailticket.store.engine import Database
from mailticket.triage import ticket_keys
from mailticket.triage.staff import Roster

Face = dict[str, Any]

_PREFIX = re.compile(r"\W*([A-Za-z][A-Za-z0-9]{0,7})-")  # with which a ticket ID begins


@dataclass(frozen=True)
class Onlooker:
    """Somebody who looks. `actor` is the member's word or the account's name."""

    settings: Settings
    database: Database
    actor: str
    clock: Callable[[], datetime]

    @property
    def roster(self) -> Roster:
        return Roster(self.settings.staff, self.settings.team)

    def find(self, session: Session, name: str, *, merged: bool = False, lock: bool = False) -> Ticket:
        """The ticket that a person means by an ID as they type it; a merged one leads to its target, unless it is meant
        itself. lock: for whoever changes it; who only looks locks nothing."""
        prefix = self.settings.support.prefix
        typed = _PREFIX.match(name)  # of a name that is no more, whose tickets go on
        prefixes = (*self.settings.prefixes, *([typed[1].upper()] if typed else []))
        keys = ticket_keys.find_keys(name, prefixes) or ticket_keys.find_keys(f"{prefix}-{name}", prefixes)
        if not keys:
            raise NotFound(f"{name!r} is no ticket ID: it looks like {prefix}-7F3K-92QX, is there a typing error?")
        return tickets.by_key(session, keys[0], follow_merge=not merged, lock=lock)

    def brand(self, name: str) -> str:
        """As tickets keep the brand that a person means by its name."""
        if name == FIRST_NAME:
            return ""
        self._must_be("brand", name, lambda: [FIRST_NAME, *(brand.name for brand in self.settings.brand)])
        return name

    def must_name(self, *, category: str, team: str, assigned: str) -> None:
        """Raise NotFound for a category, a team or a person that a list names, and of which there can be no tickets."""
        self._must_be("category", category, self._categories)
        self._must_be("team", team, lambda: [one.name for one in self.roster.teams])
        if self.settings.staff:  # without, every account is somebody
            self._must_be("assigned_to", assigned, lambda: [*(one.name for one in self.settings.staff), "none"])

    def _categories(self) -> list[str]:
        from mailticket.topics.categories import OTHER  # here, since hardly anybody who looks needs to know of topics
        from mailticket.topics.exchange import categories_of

        return list(dict.fromkeys([*(one.name for one in categories_of(self.settings.category)), OTHER]))

    def _must_be(self, column: overview.Named, name: str, names: Callable[[], Sequence[str]]) -> None:
        """Of what is configured no more there are tickets all the same."""
        if not name:
            return
        with self.database.read() as session:
            if overview.has_ticket(session, column, name):
                return
        if name not in (known := names()):
            what = "member" if column == "assigned_to" else column
            raise NotFound(f"there is no {what} {name!r}; there are: {', '.join(known) or 'none'}")

    def teams(self, team: str) -> tuple[str, ...]:
        """Whose queue is meant: the named team's, else that of a member's teams and of none; () for all."""
        names = [one.name for one in self.roster.teams]
        if team and team not in names:
            raise NotFound(f"there is no team {team!r}; there are: {', '.join(names) or 'none'}")
        own = self.roster.teams_of(self.actor)
        return (team,) if team else (*own, "") if own else ()


def list_(
    onlooker: Onlooker,
    *,
    status: list[str] = [],  # noqa: B006 - never changed
    category: str = "",
    requester: str = "",
    duplicates: bool = False,
    merged: bool = False,
    since: datetime | None = None,
    search: list[str] = [],  # noqa: B006 - never changed
    waiting: Literal["", "us", "them"] = "",
    everything: bool = False,
    mine: bool = False,
    assigned: str | None = None,
    team: str = "",
    held: bool = False,
    spam: bool = False,
    held_by_law: bool = False,
    brand: str = "",
    sort: Literal["", "promise", "waiting", "updated"] = "",
    limit: Annotated[int, Field(ge=0)] | None = None,
) -> Iterator[Face]:
    """Tickets as `ticket list` shows them; those at their end only when they are asked for."""
    onlooker.must_name(category=category, team=team, assigned=assigned or "")
    asked_for = everything or status or requester or duplicates or merged or search or held_by_law
    criteria = overview.Filter(
        status=tuple(status), category=category, requester=requester, duplicates=duplicates, merged=merged, since=since,
        waiting=waiting, unfinished=not asked_for, team=team, held=held, spam=spam, sort=sort,
        search=tuple(search), held_by_law=held_by_law, brand=onlooker.brand(brand) if brand else None,
        assigned=onlooker.actor if mine else "" if assigned == "none" else assigned,
    )  # fmt: skip
    return overview.ticket_rows(
        onlooker.database, criteria, limit,
        lambda session, row: faces.ticket(row, tickets.position(session, row.ticket)),
    )  # fmt: skip


def show(onlooker: Onlooker, *, name: str) -> Face:
    """A ticket with its conversation and history; who is shown it has seen it."""
    return show_with(onlooker, name, {})


def show_with(onlooker: Onlooker, name: str, unmasked: Mapping[int, tuple[str, str, str]]) -> Face:
    """`show`; unmasked: for some messages other texts, see `faces.message`."""
    with onlooker.database.read() as session:
        row = onlooker.find(session, name)
        ticket_id = int(row.id or 0)
        conversation = tickets.conversation(session, ticket_id)
        files = tickets.attachments_of(session, [int(m.id or 0) for m in conversation])
        deliveries = outgoing.of_messages(session, conversation)
        addresses = tickets.addresses_of(session, row.requester_id)
        face = {
            **_face(session, row),
            "linked_by": tickets.linked_by(session, ticket_id),
            "brand_address": _brand_address(onlooker.settings, row),
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
        _note_sight(onlooker, ticket_id, max(int(m.id or 0) for m in conversation))
    return face


def _brand_address(settings: Settings, row: Ticket) -> str | None:
    """From which address a ticket is answered; None where [support] is the only name."""
    return settings.of_brand(row.brand).support.address if settings.brand or row.brand else None


def _note_sight(onlooker: Onlooker, ticket_id: int, newest: int) -> None:
    """Remember what was shown; a database that takes nothing at the moment keeps nobody from reading."""
    with suppress(StoreUnavailable), onlooker.database.write() as session:
        looks.saw(session, onlooker.actor, ticket_id, newest, onlooker.clock())


NOTHING: Face = {"id": None, "taken": False}


def next_(onlooker: Onlooker, *, team: str = "") -> Face:
    """The first ticket of the queue that is nobody's or the onlooker's, or `{"id": null}`."""
    with onlooker.database.read() as session:
        ticket = looks.next_in_queue(session, ("", onlooker.actor), onlooker.teams(team), lock=False)
        return {**_face(session, ticket), "taken": False} if ticket else NOTHING


def face_of(onlooker: Onlooker, key: str) -> Face:
    """A ticket that was taken."""
    with onlooker.database.read() as session:
        return {**_face(session, onlooker.find(session, key)), "taken": True}


def _face(session: Session, row: Ticket) -> Face:
    return faces.ticket(overview.ticket_row(session, row), tickets.position(session, row))


def staff(onlooker: Onlooker) -> Iterator[Face]:
    """The members, with what is theirs."""
    with onlooker.database.read() as session:
        rows = desk_mail.members(session)
        for member in onlooker.roster.staff:
            figures, row = looks.workload(session, member.name, onlooker.clock()), rows.get(member.name)
            yield {
                "name": member.name,
                "addresses": list(member.addresses),
                "teams": list(onlooker.roster.teams_of(member.name)),
                "open": figures.unfinished,
                "slipping": figures.overdue,
                "held": figures.held,
                "last_answer_at": faces.moment(figures.last_answer_at),
                "last_proof": row.last_proof or None if row else None,
                "unreachable_since": faces.moment(row.unreachable_since) if row else None,
            }


def status(onlooker: Onlooker) -> Face:
    """How it goes, see `upkeep.state`."""
    from mailticket.upkeep.state import state  # what only shows tickets has no need of it

    return state(onlooker.settings, onlooker.database, onlooker.clock())


SIGHTS: Mapping[str, Callable[..., Face | Iterator[Face]]] = {
    "list": list_,
    "show": show,
    "next": next_,
    "staff": staff,
    "status": status,
}
