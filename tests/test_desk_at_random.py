"""Staff, requesters and an attacker write mails at random: nothing inside leaves, nothing twice, all is recorded."""

from __future__ import annotations

import random
import re
from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlmodel import col

from mailticket.desk import release
from mailticket.desk.tickets import Desk
from mailticket.errors import NotFound, Refused
from mailticket.models import Incoming, Outgoing
from mailticket.triage.marks import shows_mark
from tests.conftest import OpenDesk
from tests.helpdesk import SUPPORT, HelpDesk, mail, words
from tests.test_desk_by_mail import MIA, PEOPLE, TOM, quote, reply

_STEPS = 120
_PEOPLE = ("bob@mail.example", "eve@post.example", "law@firm.example")
_STAFF = {"mia": MIA, "tom": TOM}
_BECOMES = {"answer", "note", "outside", "orders", "release", "test", "forward", "held"}
_COMMANDS = (
    "",
    "",
    "",
    "#note",
    "#send",
    "#take",
    "#solved",
    "#assgin x",
    "#cc law@firm.example",
    "#stop",
    "#mine",
    "#备注",
)


class _Day:
    """A day at the desk. `inside`: words that must not leave. `answers`: words of one mail of a member each."""

    def __init__(self, desk: HelpDesk, seed: int) -> None:
        self.desk, self.dice = desk, random.Random(seed)
        self.inside: list[str] = []
        self.answers: list[str] = []
        self.keys: list[str] = []
        self.received = 0
        self.of_staff: list[int] = []

    def word(self) -> str:
        return "".join(self.dice.choices("bcdfghjklmnpqrstvwxz", k=24))

    def take(self, raw: bytes, *, of_staff: bool = False) -> None:
        result = self.desk.receive(raw)
        self.received += 1
        if of_staff:
            self.of_staff.append(result.incoming_id)
        if result.ticket and result.state == "opened":
            self.keys.append(result.ticket)

    def desk_mail(self, member: str) -> Outgoing | None:
        rows = [row for row in self.desk.outbox() if row.member == member]
        return self.dice.choice(rows[-12:]) if rows else None

    def verdict(self) -> str | None:
        return self.dice.choice([None, "dmarc=pass"])

    def ask(self) -> None:
        rows = [row for row in self.desk.outbox() if not row.member]
        answered = self.dice.choice(rows).wire if rows and self.dice.random() < 0.6 else b""
        text = f"Where is my deposit number {self.dice.randrange(10**6)}?"
        self.take(mail(self.dice.choice(_PEOPLE), f"Deposit {self.dice.randrange(10**6)}", text, answers=answered))

    def text(self, command: str, event: str) -> str:
        """What a member types below a command: of their own words only an answer's may leave."""
        own = self.word()
        talks = event in ("note", "mention", "assigned") or command in ("#note", "#备注")
        (self.inside if talks else self.answers).append(own)
        return f"{command}\n{own}".strip()

    def work(self) -> None:
        member = self.dice.choice(list(_STAFF))
        row = self.desk_mail(member)
        if row is None:
            return
        command = self.dice.choice(_COMMANDS)
        if row.event.startswith("receipt-") and self.dice.random() < 0.7:
            text = self.dice.choice(["#send", "#stop", "yes", "no", "", "#send\n#solved"])
        elif command in ("#stop", "#mine", "#take") and self.dice.random() < 0.7:
            text = command
        else:
            text = self.text(command, row.event)
        more = {"Cc": self.dice.choice(_PEOPLE)} if self.dice.random() < 0.05 else {}
        self.take(reply(row.wire, text, _STAFF[member], result=self.verdict(), **more), of_staff=True)

    def write(self) -> None:
        """A mail of a member's own: a note, but with #send."""
        command = self.dice.choice(("", "#send", "#take"))
        own = self.word()
        self.answers.append(own)
        raw = mail(MIA, f"[{self.dice.choice(self.keys)}]", f"{command}\n{own}".strip(), result=self.verdict())
        self.take(raw, of_staff=True)

    def forward(self) -> None:
        self.inside.append(self.word())
        text = (
            f"{self.inside[-1]}\n\n---------- Forwarded message ---------\nFrom: <bob@mail.example>\n"
            f"Date: Sun, Nov 22, 2026 at 8:12 AM\nSubject: gone\nTo: mia@coinharbor.com\n\nIt is gone, {self.word()}.\n"
        )
        self.take(mail(MIA, f"Fwd: gone {self.word()}", text, result=self.verdict()), of_staff=True)

    def attack(self) -> None:
        """With marks of others, with members' names, and with members' From and nothing else."""
        row = self.desk_mail(self.dice.choice(list(_STAFF)))
        self.inside.append(self.word())
        if row is not None and self.dice.random() < 0.5:
            sender = self.dice.choice((*_PEOPLE, "Mia Berg <eve@post.example>"))
            self.take(mail(sender, "Re: x", f"{self.inside.pop()}\n\n{quote(row.wire)}", answers=row.wire))
        else:
            key = self.dice.choice(self.keys)
            self.take(mail(MIA, f"[{key}]", f"#send\n{self.inside[-1]}", result="dmarc=fail"))
            self.inside.pop()

    def tidy(self) -> None:
        with suppress(Refused, NotFound):
            desk = Desk(self.desk.site, self.dice.choice(list(_STAFF)))
            key, other = self.dice.choice(self.keys), self.dice.choice(self.keys)
            held = [m.id for s in self.desk.stored(merged=False) for m in s.messages if m.kind == "held"]
            act = self.dice.randrange(5)
            if act == 0:
                desk.merge(key, other, anyway=self.dice.random() < 0.3)
            elif act == 1:
                desk.split(key)
            elif act == 2 and held:
                release.send(desk, int(self.dice.choice(held) or 0))
            elif act == 3:
                desk.assign(key, self.dice.choice(list(_STAFF)))
            else:
                self.inside.append(self.word())
                desk.note(key, f"@tom {self.inside[-1]}")

    def run(self) -> None:
        acts = [self.ask, self.ask, self.work, self.work, self.work, self.work, self.write, self.forward, self.attack,
                self.tidy]  # fmt: skip
        self.ask()
        for _ in range(_STEPS):
            self.desk.later(minutes=self.dice.randrange(1, 40))
            self.dice.choice(acts)()
            if self.dice.random() < 0.6:
                self.desk.deliver()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_inside_leaves_and_nothing_leaves_twice(open_desk: OpenDesk, seed: int) -> None:
    desk = open_desk(**PEOPLE)
    day = _Day(desk, seed)
    day.run()
    leaving = [row for row in desk.outbox() if not row.member and row.state != "cancelled"]
    shown = [(row, words(row.wire)) for row in leaving]
    sent = [text for row, text in shown if row.kind == "staff-reply"]
    assert len(sent) > 3
    for row, text in shown:
        assert not shows_mark(text), row.id
        for word in day.inside:
            assert word not in text, row.id
        for address in ("mia@coinharbor.com", "tom@coinharbor.com"):
            whole = re.compile(rf"(?<![a-z0-9]){address}")  # the end of a random Message-ID may look like it
            assert row.recipient == address or not whole.search(text.lower().replace(SUPPORT, "")), row.id
    for word in day.answers:
        assert sum(word in text for text in sent) <= 1, word
    with desk.database.read() as session:
        rows = {row.id: row for row in session.execute(select(Incoming).order_by(col(Incoming.id))).scalars()}
    assert len(rows) == day.received
    assert all(row.state in ("opened", "appended", "filed", "known") for row in rows.values())
    for number in day.of_staff:
        rule = rows[number].rule
        ends = rule.removeprefix("staff: ") in _BECOMES or rule.startswith("automatic: ")
        own = {s.row.id for s in desk.stored() if s.requester in (("mia@coinharbor.com",), ("tom@coinharbor.com",))}
        assert ends or rule == "same content" or rows[number].ticket_id in own, rule
