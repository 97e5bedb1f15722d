"""Whatever people do: no word of a note, no address of staff and no word that staff mailed in leaves to a requester."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from mailticket.desk.answers import Wish
from mailticket.desk.tickets import Change, Desk
from mailticket.errors import NotFound, Refused
from mailticket.letters import File
from tests.conftest import OpenDesk
from tests.helpdesk import HelpDesk, mail, message_id, parsed, words
from tests.test_desk import STAFF, TEAMS

_STEPS = 80
_PEOPLE = ("bob@mail.example", "eve@post.example", "law@firm.example")
_MEMBERS = ("mia", "tom")


class _Shift:
    """A shift in which everybody does something at random. `inside` are the words that must not leave."""

    def __init__(self, desk: HelpDesk, seed: int) -> None:
        self.desk, self.dice = desk, random.Random(seed)
        self.inside: list[str] = []
        self.keys: list[str] = []
        self.held: list[int] = []
        self.sent: list[bytes] = []

    def words(self) -> str:
        """Words of one's own, that occur nowhere else."""
        self.inside.append("".join(self.dice.choices("bcdfghjklmnpqrstvwxz", k=24)))
        return f"Known fraudster {self.inside[-1]}, compare the photograph before you pay anything to this person."

    def at(self) -> Desk:
        return Desk(self.desk.site, self.dice.choice(_MEMBERS))

    def key(self) -> str:
        return self.dice.choice(self.keys)

    def write(self) -> None:
        answered = message_id(self.dice.choice(self.sent)) if self.sent and self.dice.random() < 0.6 else ""
        subject = f"Deposit {self.dice.randrange(10**6)}"
        self.take(mail(self.dice.choice(_PEOPLE), subject, f"Where is it? ({subject})", answers=answered))

    def forward(self) -> None:
        answered = message_id(self.dice.choice(self.sent)) if self.sent and self.dice.random() < 0.5 else ""
        text = (
            f"{self.words()}\n\n---------- Forwarded message ---------\nFrom: bob@mail.example\n\nMy deposit is gone.\n"
        )
        self.take(
            mail("Mia <mia@coinharbor.com>", f"Fwd: Deposit {self.dice.randrange(10**6)}", text, answers=answered)
        )

    def take(self, raw: bytes) -> None:
        result = self.desk.receive(raw)
        if result.ticket and result.state == "opened":
            self.keys.append(result.ticket)

    def note(self) -> None:
        self.at().note(self.key(), self.words())

    def reply(self) -> None:
        files = (File("a.txt", "text/plain", b"x"),) if self.dice.random() < 0.2 else ()
        copies = ("law@firm.example",) if self.dice.random() < 0.2 else ()
        text = f"We look into it. {self.dice.randrange(10**6)}"
        notes = [(s.row.key, m.text) for s in self.desk.stored(merged=False) for m in s.messages if m.kind == "note"]
        if self.dice.random() < 0.2 and notes:
            key, note = self.dice.choice(notes)
            assert self.at().reply(key, f"{text} {note}").outgoing is None
            return
        desk, key = self.at(), self.key()
        held = desk.reply(key, text, Wish(files=files, copies=copies)).held
        harmless = held is not None and all(h.code in ("collision", "assigned") for h in held.hindrances)
        if harmless and self.dice.random() < 0.5:
            desk.reply(key, text, Wish(files=files, copies=copies, anyway=True))
        elif held and held.number:
            self.held.append(held.number)

    def send(self) -> None:
        if self.held:
            self.at().send_held(self.held.pop())

    def tidy(self) -> None:
        act: Callable[[], object] = self.dice.choice(
            [
                lambda: self.at().merge(self.key(), self.key(), anyway=True),
                lambda: self.at().split(self.key()),
                lambda: self.at().close(self.key(), notify=True),
                lambda: self.at().solve(self.key(), notify=True),
                lambda: self.at().reopen(self.key()),
                lambda: self.at().assign(self.key(), self.dice.choice(_MEMBERS)),
                lambda: self.at().set_requester(self.key(), self.dice.choice(_PEOPLE)),
                lambda: self.at().add_participant(self.key(), self.dice.choice(_PEOPLE)),
                lambda: self.at().change(self.key(), Change(priority=self.dice.choice(("urgent", "low")))),
            ]
        )
        act()

    def run(self) -> None:
        acts = [self.write, self.forward, self.note, self.reply, self.reply, self.send, self.tidy, self.tidy]
        self.write()
        for _ in range(_STEPS):
            self.desk.later(minutes=self.dice.randrange(1, 90))
            with suppress(Refused, NotFound):
                self.dice.choice(acts)()
            self.sent += self.desk.deliver()


@pytest.mark.parametrize("seed", range(3))
def test_no_word_of_staff_but_their_answers_leaves(open_desk: OpenDesk, seed: int) -> None:
    desk = open_desk(staff=STAFF, team=TEAMS)
    shift = _Shift(desk, seed)
    shift.run()
    letters = [one for one in desk.outbox() if one.kind != "desk"]
    told = {one.id: words(one.wire) for one in letters if one.recipient_key != "mia@coinharbor.com"}
    assert len(told) > 8 and len(shift.inside) > 5
    for number, wire in told.items():
        for word in shift.inside:
            assert word not in wire, number
        for address in ("mia@coinharbor.com", "tom@coinharbor.com"):
            assert address not in wire.lower(), number
    mails = [one for one in desk.outbox() if one.kind == "desk"]
    assert len(mails) > 5
    assert {one.recipient for one in mails} <= {"mia@coinharbor.com", "tom@coinharbor.com"}
    assert not any(one.copies for one in mails)
    assert all(parsed(one.wire)["To"] == one.recipient and not parsed(one.wire)["Cc"] for one in mails)
