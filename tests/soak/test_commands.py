"""Everything that staff, requesters, the clock and a dying program can do to one database, in a random order; then no
row is left in a state that nobody would ever end, and nothing was sent twice or lost.

In this process and quick: real intake, desk, housekeeping and outbox on a real database; the SMTP server is an object
that does what the dice say. A seed plays the same game again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from mailticket.errors import MailticketError
from mailticket.intake import take_in
from mailticket.intake.quarantine import Isolation
from mailticket.models import Incoming, Message, Outgoing, Ticket
from mailticket.observe.failpoints import FAILPOINTS
from mailticket.outbox import deliver
from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Outcome
from mailticket.store import Session
from mailticket.store.engine import Database
from mailticket.store.outgoing import STAFF_RANK
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, OpenDesk, mail, message_id
from tests.servers.machine import PATIENCE

STEPS = 120
MATTERS = ("Deposit of BTC has not arrived", "The API answers 401", "My passport was rejected", "Withdrawal hangs",
           "A fee I do not understand")  # fmt: skip
SENT = Outcome("sent", "message", 250, "2.0.0", "queued")
OTHERWISE = (
    Outcome("retry", "recipient", 450, "4.2.1", "greylisted"), Outcome("retry", "connect", 0, "", "no server"),
    Outcome("permanent", "recipient", 550, "5.7.1", "no"), Outcome("permanent", "message", 554, "5.7.1", "spam"),
)  # fmt: skip
ENDS = {"sent", "failed", "uncertain", "withheld", "cancelled"}


class Killed(Exception):
    """The program is gone: nothing of it writes any more, whatever it does with this."""


class World:
    """A help desk, an SMTP server, and what must be true of each mail at the end."""

    def __init__(self, desk: HelpDesk, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.random, self.patch = desk, random.Random(seed), monkeypatch
        self.accepted: Counter[str] = Counter()  # by Message-ID
        self.again: Counter[str] = Counter()  # how often a person, or the rule for staff answers, let one go once more
        self.cancelled: dict[str, int] = {}  # how often it had been accepted when it was cancelled
        self.arrived = 0
        self.raws: list[bytes] = []
        self.calm = self.dead = False
        self.fail_at, self.poisonous = "", False
        self.outbox: Outbox
        monkeypatch.setattr(deliver, "_LAST_REPLY", 0.01)
        monkeypatch.setattr(deliver, "_SERVER_PAUSE", (0.0, 0.0))
        for module in (deliver, take_in):
            monkeypatch.setattr(module, "failpoint", self._failpoint)
        monkeypatch.setattr(Database, "write", self._while_alive(Database.write))
        monkeypatch.setattr(take_in, "prepare", self._prepare(take_in.prepare))

    # --- how it breaks ------------------------------------------------------------------------------------------------

    def _failpoint(self, name: str) -> None:
        if name == self.fail_at:
            self.fail_at, self.dead = "", True
            raise Killed(name)

    def _while_alive(self, plain: Any) -> Any:
        @contextmanager
        def write(database: Database, **options: Any) -> Iterator[Session]:
            if self.dead:
                raise Killed
            with plain(database, **options) as session:
                yield session

        return write

    def _prepare(self, plain: Any) -> Any:
        def prepare(raw: bytes, *more: Any) -> Any:
            if self.poisonous:
                raise RuntimeError("a defect of ours")
            return plain(raw, *more)

        return prepare

    @contextmanager
    def life(self) -> Iterator[None]:
        """What happens inside may kill the program, which is started again afterwards."""
        try:
            yield
        except Killed:
            pass
        finally:
            self.dead, self.fail_at = False, ""

    # --- the SMTP server ----------------------------------------------------------------------------------------------

    async def deliver(self, sender: str, recipient: str, wire: bytes, begin: Any, **how: Any) -> Outcome:
        name, dice = message_id(wire), 1.0 if self.calm else self.random.random()
        if dice < 0.25:
            return self.random.choice(OTHERWISE)
        if dice < 0.3:
            raise LookupError("a defect of the courier")
        await begin()
        self._by_the_way()
        if dice < 0.35:
            return Outcome("uncertain", "message", text="the line died")
        self.accepted[name] += 1
        self._by_the_way()
        if dice < 0.4:
            return Outcome("uncertain", "message", text="the line died")
        if dice < 0.45:
            raise LookupError("a defect of the courier")
        if dice < 0.5:  # a reply that never comes, and a reload
            self.outbox.stop()
            await asyncio.Event().wait()
        return SENT

    async def close(self) -> None:
        """There is nothing to close."""

    def _by_the_way(self) -> None:
        """Somebody does something while a mail is on its way, to it or to others."""
        if not self.calm and self.random.random() < 0.5:
            self.random.choice(
                (self.cancel, self.retry, self.send, self.reply, self.split, self.merge, self.close_one)
            )()

    # --- what people do -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        sender = f"p{self.random.randrange(12)}@mail.example"
        matter = self.random.choice(MATTERS)
        answers = (
            self.random.choice([row.wire for row in self._outgoing()] or [b""]) if self.random.random() < 0.4 else b""
        )
        word = self.random.choice(("STATUS", "It is solved.", "SOLVED", f"{matter}, number {self.random.random()}."))
        automatic = {"Auto_Submitted": "auto-replied"} if self.random.random() < 0.1 else {}
        self.raws.append(mail(sender, subject=matter, text=word if answers else matter, answers=answers, **automatic))
        self._receive(self.raws[-1])

    def copy(self) -> None:
        if self.raws:
            self._receive(
                b"Received: by mx.example.com; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + self.random.choice(self.raws)
            )

    def poison(self) -> None:
        self.poisonous = True
        self.write()
        self.poisonous = False

    def _receive(self, raw: bytes) -> None:
        self.arrived += 1
        if self.random.random() < 0.1:
            self.fail_at = self.random.choice([name for name in FAILPOINTS if name.startswith("intake.")])
        with self.life():
            self.desk.receive(raw)
        self._take_up(raw)

    def _take_up(self, raw: bytes) -> None:
        """The daemon takes in what was left, as its next start does."""
        with self.desk.database.read() as session:
            left = list(session.execute(select(Incoming).where(col(Incoming.state) == "listed")).scalars())
        for row in left:
            arrival = take_in.Arrival(int(row.id or 0), raw, row.arrived_at, row.route, afterwards=False,
                                      alone_attempts=row.alone_attempts)  # fmt: skip
            take_in.Intake(self.desk.site).take_in([arrival], alone=True)

    def _outgoing(self) -> list[Outgoing]:
        return self.desk.outbox()

    def _row(self) -> Outgoing | None:
        rows = self._outgoing()
        if self.random.random() < 0.5:
            rows = [row for row in rows if row.state == "sending"] or rows
        return self.random.choice(rows) if rows else None

    def _key(self) -> str:
        with self.desk.database.read() as session:
            keys = list(session.execute(select(col(Ticket.key)).order_by(col(Ticket.id))).scalars())
        return self.random.choice(keys) if keys else "MT-0000-0000"

    def _try(self, deed: Callable[..., object], *arguments: Any) -> bool:
        try:
            deed(*arguments)
        except MailticketError:
            return False
        return True

    def cancel(self) -> None:
        row = self._row()
        if row and self._try(self.desk.desk.cancel_outgoing, row.id):
            self.cancelled[row.message_id] = self.accepted[row.message_id]

    def retry(self) -> None:
        row = self._row()
        if row and self._try(self.desk.desk.retry_outgoing, row.id):
            self.again[row.message_id] += 1
            self.cancelled.pop(row.message_id, None)

    def send(self) -> None:
        self.desk.desk.release(
            None if self.random.random() < 0.3 else [int(row.id or 0) for row in self._outgoing()[-9:]]
        )

    def reply(self) -> None:
        self._try(self.desk.desk.reply, self._key(), f"We look into it: {self.random.random()}.")

    def close_one(self) -> None:
        self._try(self.desk.desk.close, self._key())

    def reopen(self) -> None:
        self._try(self.desk.desk.reopen, self._key())

    def merge(self) -> None:
        self._try(partial(self.desk.desk.merge, anyway=True), self._key(), self._key())

    def split(self) -> None:
        self._try(self.desk.desk.split, self._key())

    def quarantine(self) -> None:
        with self.desk.database.read() as session:
            ids = list(session.execute(select(col(Incoming.id)).where(col(Incoming.state) == "quarantined")).scalars())
        if ids:
            deed = self.random.choice(("retry", "retry", "release", "discard"))
            self.poisonous = self.random.random() < 0.3
            with self.life():
                self._try(getattr(Isolation(self.desk.site), deed), self.random.choice(ids))
            self.poisonous = False

    def time(self) -> None:
        """Mostly it goes on; now and then somebody sets the clock."""
        self.desk.later(hours=self.random.choice((0.1, 1, 5, 30, 100, -0.5, -2)))

    def keep_house(self) -> None:
        Upkeep(self.desk.site).run()

    def send_round(self) -> None:
        """A life of the outbox: until nothing is due, or it is stopped or killed."""
        if not self.calm and self.random.random() < 0.3:
            self.fail_at = self.random.choice([name for name in FAILPOINTS if name.startswith("outbox.")])
        self.outbox = outbox = Outbox(self.desk.site, self, on_beat=self._stop_when_idle)  # type: ignore[arg-type]
        with self.life():
            asyncio.run(asyncio.wait_for(outbox.run(), PATIENCE))

    def _stop_when_idle(self) -> None:
        if not self.outbox._tasks:
            self.outbox.stop()

    # --- the game -----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        deeds = {
            self.write: 10, self.copy: 2, self.poison: 2, self.quarantine: 3, self.cancel: 2, self.retry: 2,
            self.send: 1, self.reply: 5, self.close_one: 2, self.reopen: 2, self.merge: 3, self.split: 2, self.time: 4,
            self.keep_house: 1, self.send_round: 8,
        }  # fmt: skip
        for _ in range(STEPS):
            (deed,) = self.random.choices(list(deeds), list(deeds.values()))
            deed()

    def settle(self) -> None:
        """Everything works again, and time goes on."""
        self.calm = True
        for _ in range(20):
            self.send_round()
            self.desk.later(hours=6)
            self.keep_house()
            if not self.desk.outbox("queued", "deferred", "sending"):
                return


def broken(world: World) -> Iterator[str]:
    """Every promise that does not hold, in words."""
    desk = world.desk
    with desk.database.read() as session:
        states = Counter(session.execute(select(col(Incoming.state))).scalars())
        rows = list(session.execute(select(Outgoing).order_by(col(Outgoing.id))).scalars())
        tickets = {row.id: row for row in session.execute(select(Ticket)).scalars()}
        lying = dict(
            session.execute(select(col(Message.ticket_id), func.count()).group_by(col(Message.ticket_id))).all()
        )
    if sum(states.values()) != world.arrived or states["listed"]:
        yield f"{world.arrived} mails arrived, and there are {dict(states)}"
    for row in rows:
        name = f"{row.kind} {row.id}"
        if row.state not in ENDS or row.begun_at is not None:
            yield f"{name} is {row.state}, begun at {row.begun_at}"
        times, allowed = world.accepted[row.message_id], 1 + world.again[row.message_id]
        if row.rank == STAFF_RANK:
            allowed += 1
        if times > allowed:
            yield f"{name} was sent {times} times, which {allowed} might be"
        if row.state == "sent" and not times:
            yield f"{name} counts as sent and was not"
        if row.message_id in world.cancelled and times != world.cancelled[row.message_id]:
            yield f"{name} was cancelled and left all the same"
    for number, ticket in tickets.items():
        if ticket.merged_into is not None and (lying.get(number) or ticket.status != "closed"):
            yield f"{ticket.key} is merged, {ticket.status}, and holds {lying.get(number, 0)} messages"
        if ticket.merged_into is None and not lying.get(number):
            yield f"{ticket.key} holds no message"
        if (ticket.status == "closed") != (ticket.closed_at is not None):
            yield f"{ticket.key} is {ticket.status} and was closed at {ticket.closed_at}"
        if (ticket.waiting_for == "us") != (ticket.waiting_since is not None):
            yield f"{ticket.key} waits for {ticket.waiting_for} since {ticket.waiting_since}"
        if ticket.waiting_for == "us" and ticket.status in ("pending", "solved", "closed"):
            yield f"{ticket.key} is {ticket.status} and waits for us"


@pytest.fixture
def desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> HelpDesk:
    kind = request.getfixturevalue("postgres_databases" if request.param == "postgres" else "databases")
    return open_desk(
        on=kind, smtp={"host": "127.0.0.1", "port": 25, "security": "none", "connections": 1},
        caps={"per_address_hour": 9, "per_address_day": 99}, support={"close_after_days": 2},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("desk", "seed"),
    [("sqlite", 1), ("sqlite", 2), pytest.param("postgres", 3, marks=pytest.mark.postgres)],
    indirect=["desk"],
)
def test_nothing_is_left_that_nobody_would_end(
    desk: HelpDesk, seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "mailticket")  # its defects are part of the game
    world = World(desk, seed, monkeypatch)
    world.play()
    world.settle()
    assert list(broken(world)) == []
    assert {"sent", "failed", "uncertain"} <= {row.state for row in desk.outbox()}, "the game was not rich enough"
