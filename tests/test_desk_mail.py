"""The desk hears by mail what concerns it, and nobody else does: who is told of what, in which rows, and what holds."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select
from sqlmodel import col

from mailticket.desk.tickets import Change, Desk
from mailticket.errors import NotFound, Refused
from mailticket.letters import Quoted
from mailticket.models import Incoming, News, Outgoing
from mailticket.outbox import desk_mail
from mailticket.outbox.deliver import Outbox
from mailticket.smtp import Outcome
from mailticket.store import desk_mail as state
from mailticket.store import knowledge, outgoing, overview, tickets, watch
from mailticket.triage import marks
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail, message_id, parsed, words
from tests.servers.databases import Databases

BOB = "Bob Miller <bob@mail.example>"
PANIC = "I cannot log in, somebody hacked my account and is withdrawing my coins right now! Please block it at once."
STAFF = [
    {"name": "mia", "signs": "Mia", "addresses": ["mia@coinharbor.com", "mia@home.example"]},
    {"name": "tom", "signs": "Tom", "addresses": ["tom@coinharbor.com"]},
    {"name": "ann", "addresses": ["ann@coinharbor.com"]},
]
TEAMS = [
    {"name": "money", "members": ["mia", "ann"], "lead": "ann", "categories": ["deposit", "withdrawal"]},
    {"name": "rest", "members": ["mia", "tom"], "lead": "tom"},
]
INSIDE = {"mia@coinharbor.com", "tom@coinharbor.com", "ann@coinharbor.com"}


@pytest.fixture
def databases(each_database: Databases) -> Databases:
    return each_database


@pytest.fixture
def open_desk(open_desk: OpenDesk) -> OpenDesk:
    return lambda **tables: open_desk(**{"staff": STAFF, "team": TEAMS, **tables})


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk()


def told(desk: HelpDesk, *events: str) -> list[tuple[str, str]]:
    """Who was told of what, in order."""
    return [(row.member, row.event) for row in desk.outbox() if row.member and (not events or row.event in events)]


def newest(desk: HelpDesk, member: str) -> Outgoing:
    return [row for row in desk.outbox() if row.member == member][-1]


def ask(desk: HelpDesk, text: str = PANIC, sender: str = BOB, subject: str = "cannot log in") -> str:
    key = desk.receive(mail(sender, subject, text)).ticket
    assert key is not None
    return key


# --- who hears of what ------------------------------------------------------------------------------------------------


def test_an_urgent_request_reaches_each_of_its_team_once_and_its_writer_one_letter(desk: HelpDesk) -> None:
    key = ask(desk)
    assert desk.ticket(key).row.priority == "urgent"
    assert told(desk) == [("mia", "new"), ("tom", "new")]
    kinds = [(row.kind, row.recipient, row.state) for row in desk.outbox()]
    assert kinds == [
        ("acknowledgement", "bob@mail.example", "queued"),
        ("desk", "mia@coinharbor.com", "queued"),
        ("desk", "tom@coinharbor.com", "queued"),
    ]


@pytest.mark.parametrize(("new", "number"), [("each", 2), ("urgent", 0), ("none", 0)])
def test_what_is_not_urgent_is_told_as_the_desk_wants(open_desk: OpenDesk, new: str, number: int) -> None:
    desk = open_desk(desk={"new": new})
    ask(desk, "What are your fees for a deposit in euro? Thank you, Bob", subject="Fees")
    assert len(told(desk)) == number


def test_none_hears_at_once_where_the_desk_wants_none(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"new": "none"})
    ask(desk)
    assert told(desk) == []


def test_what_no_team_serves_is_everybodys(open_desk: OpenDesk) -> None:
    desk = open_desk(team=TEAMS[:1])
    ask(desk)
    assert told(desk) == [("mia", "new"), ("tom", "new"), ("ann", "new")]


def test_without_staff_no_mail_leaves_but_to_requesters(open_desk: OpenDesk) -> None:
    desk = open_desk(staff=[], team=[])
    key = ask(desk)
    Desk(desk.site, "root").note(key, "A note for @mia")
    Desk(desk.site, "root").assign(key, "somebody")
    assert [row.kind for row in desk.outbox()] == ["acknowledgement"]


def test_a_reply_reaches_whom_the_ticket_is_assigned_to_else_the_team(desk: HelpDesk) -> None:
    key = ask(desk)
    ours = desk.deliver()[0]
    desk.receive(mail(BOB, "Re: cannot log in", "It happens again and again.", answers=ours))
    assert told(desk, "reply") == [("mia", "reply"), ("tom", "reply")]
    Desk(desk.site, "ann").assign(key, "tom")
    desk.receive(mail(BOB, "Re: cannot log in", "And once more this morning.", answers=ours))
    assert told(desk, "reply")[2:] == [("tom", "reply")]


def test_an_out_of_office_note_of_the_requester_is_no_reply(desk: HelpDesk) -> None:
    ask(desk)
    ours = desk.deliver()[0]
    desk.receive(mail(BOB, "Out of office", "I am away.", answers=ours, Auto_Submitted="auto-replied"))
    assert told(desk, "reply") == []


def test_nobody_hears_of_their_own_deeds(desk: HelpDesk) -> None:
    key = ask(desk)
    before = len(told(desk))
    Desk(desk.site, "mia").assign(key, "mia")
    Desk(desk.site, "mia").note(key, "I look at it, says @mia")
    assert len(told(desk)) == before
    Desk(desk.site, "tom").note(key, "She called me")
    assert told(desk)[before:] == [("mia", "note")]


def test_an_assignment_by_somebody_else_is_told_once(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").assign(key, "ann")
    Desk(desk.site, "tom").assign(key, "ann")
    assert told(desk, "assigned") == [("ann", "assigned")]
    assert newest(desk, "ann").message_id.split(".")[4] == "talk"


def test_who_is_named_in_a_note_hears_of_it_and_nobody_twice(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "mia").assign(key, "mia")
    before = len(told(desk))
    Desk(desk.site, "tom").note(key, "@Ann, @mia: see bob@tom.example, @nobody. And @ann!")
    assert sorted(told(desk)[before:]) == [("ann", "mention"), ("mia", "mention")]
    assert "see bob@tom.example" in words(newest(desk, "ann").wire)


def test_spam_tells_nobody_but_what_colleagues_do_to_it(desk: HelpDesk) -> None:
    key = desk.receive(mail(BOB, "cannot log in", PANIC, X_Spam_Flag="YES")).ticket
    assert told(desk) == []
    Desk(desk.site, "mia").assign(str(key), "tom")
    assert told(desk) == [("tom", "assigned")]


def test_a_member_who_asks_is_not_told_of_it(desk: HelpDesk) -> None:
    ask(desk, sender="Tom <tom@coinharbor.com>")
    assert ("tom", "new") not in told(desk)


def test_a_mail_from_quarantine_is_told_and_has_nobody_to_answer(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"new": "each"})
    key = ask(desk)
    with desk.database.write() as session:
        ticket = tickets.by_key(session, key)
        ticket.requester_id = None
        session.add(ticket)
        session.flush()
        numbers = desk_mail.tell(session, desk.site, ticket, "new", desk.now, to=("mia",))
    wire = next(row.wire for row in desk.outbox() if row.id in numbers)
    assert words(wire).count("Your answer stays inside: a note.") == 1 and ".talk." in message_id(wire)


# --- rows and marks ---------------------------------------------------------------------------------------------------


def test_its_mark_says_what_an_answer_becomes_and_gives_no_right_to_append(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").note(key, "@mia look")
    for event, purpose in (("new", "ask"), ("mention", "talk")):
        row = next(r for r in desk.outbox() if r.member == "mia" and r.event == event)
        mark = marks.read_mark(desk.site.keys, row.message_id)
        assert mark is not None and (mark.key, mark.member, mark.purpose) == (key, "mia", purpose)
        assert parsed(row.wire)["Message-ID"] == row.message_id
        assert mark.symbols in words(row.wire)


def test_a_ticket_is_one_thread_of_one_subject(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").assign(key, "mia")
    Desk(desk.site, "tom").note(key, "Look at her passport")
    rows = [row for row in desk.outbox() if row.member == "mia"]
    mails = [parsed(row.wire) for row in rows]
    assert {str(one["Subject"]) for one in mails} == {f"[{key}] cannot log in"}
    roots = {str(one["References"]).split()[0] for one in mails}
    assert len(roots) == 1 and marks.read_root(desk.site.keys, roots.pop()) == key
    assert [str(one["In-Reply-To"]) for one in mails[1:]] == [row.message_id for row in rows[:-1]]


def test_programs_can_sort_it_and_answer_machines_keep_still(desk: HelpDesk) -> None:
    key = ask(desk)
    one = parsed(newest(desk, "mia").wire)
    assert (one["X-Mailticket-Ticket"], one["X-Mailticket-Team"]) == (key, "rest")
    assert (one["X-Mailticket-Priority"], one["X-Mailticket-Event"]) == ("urgent", "new")
    assert one["Auto-Submitted"] == "auto-generated" and one["X-Loop"] == desk.site.head.loop_mark
    assert str(one["From"]) == f"Bob Miller via Coin Harbor Support <{SUPPORT}>"
    assert one.get_content_type() == "text/plain"


def test_a_signed_reply_address_stands_where_the_site_uses_them_and_it_is_short_enough(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"signed_reply_address": True, "address": "s@coinharbor.com"})
    ask(desk)
    reply_to = parsed(newest(desk, "mia").wire)["Reply-To"]
    assert reply_to is None or marks.read_mark(desk.site.keys, str(reply_to)) is not None


def test_a_letter_never_waits_for_a_desk_mail_nor_one_for_a_letter(desk: HelpDesk) -> None:
    key = ask(desk)
    with desk.database.write() as session:
        first = outgoing.claim(session, desk.now, 1)
        assert [one.kind for one in first] == ["acknowledgement"]
        outgoing.set_outcome(session, first[0].id, state="deferred", next_attempt_at=desk.now.replace(hour=12))
        rest = outgoing.claim(session, desk.now, 10)
    assert [one.kind for one in rest] == ["desk", "desk"]
    with desk.database.write() as session:
        for one in rest:
            outgoing.set_outcome(session, one.id, state="deferred", next_attempt_at=desk.now.replace(hour=12))
    Desk(desk.site, "mia").reply(key, "We look into it.")
    with desk.database.write() as session:
        assert [one.kind for one in outgoing.claim(session, desk.now, 10)] == ["staff-reply"]


def test_desk_mails_of_one_member_and_ticket_leave_in_order(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").assign(key, "mia")
    with desk.database.write() as session:
        rows = outgoing.claim(session, desk.now, 10)
    assert [row.id for row in rows if row.recipient.startswith("mia")] == [2]


def test_no_figure_about_letters_counts_desk_mail(desk: HelpDesk) -> None:
    key = ask(desk)
    with desk.database.write() as session:
        for row in session.execute(select(Outgoing).where(col(Outgoing.kind) != "desk")).scalars():
            row.state = "withheld"
            session.add(row)
    desk.later(hours=3)
    caps = desk.site.settings.caps
    with desk.database.read() as session:
        assert outgoing.overdue(session, desk.now) == (0, None)
        assert overview.figures(session, desk.now, desk.now).oldest_due is None
        assert watch.refused_by_all(session)[0] == 0
        assert knowledge.counts(session, "mia@coinharbor.com", desk.now, caps, verified=True).address_day == 0
        assert [r.kind for r in outgoing.of_messages(session, desk.ticket(key).messages).values()] == [
            "acknowledgement"
        ]
    assert [message.kind for message in desk.ticket(key).messages] == ["request", "acknowledgement"]


def test_a_copy_of_a_mail_is_not_answered_because_staff_heard_of_it(open_desk: OpenDesk) -> None:
    """An acknowledgement that was withheld is still owed when only the desk heard of the mail."""
    desk = open_desk(caps={"per_address_hour": 1})
    raw = mail(BOB, "cannot log in", PANIC, Message_ID="<one@mail.example>")
    result = desk.receive(raw)
    with desk.database.read() as session:
        row = session.get(Incoming, result.incoming_id)
        assert row is not None
    with desk.database.write() as session:
        letter = session.execute(select(Outgoing).where(col(Outgoing.kind) == "acknowledgement")).scalar_one()
        letter.state = "withheld"
        session.add(letter)
    with desk.database.read() as session:
        copies = session.execute(knowledge._ANSWERED_COPIES).all()
    assert [copy.answered for copy in copies] == [False]


def test_an_uncertain_desk_mail_is_not_sent_again(desk: HelpDesk) -> None:
    ask(desk)
    with desk.database.write() as session:
        [row] = [r for r in outgoing.claim(session, desk.now, 10) if r.recipient.startswith("mia")]
        outgoing.set_begun(session, row.id, desk.now)
        outgoing.recover(session, desk.now)
    assert newest(desk, "mia").state == "uncertain"


# --- the cap ----------------------------------------------------------------------------------------------------------


def test_beyond_the_cap_of_the_hour_news_waits_for_a_gathering(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"new": "each", "per_person_hour": 3}, team=[])
    for number in range(8):
        ask(desk, f"{PANIC} {number}", f"person{number}@mail.example", f"Trouble {number}")
    assert {name: sum(who == name for who, _ in told(desk)) for name in ("mia", "tom")} == {"mia": 3, "tom": 3}
    with desk.database.read() as session:
        names = list(session.execute(select(col(News.member))).scalars())
    assert names.count("mia") == 5
    desk.later(minutes=61)
    ask(desk, f"{PANIC} soon", "soon@mail.example", "Trouble soon")
    assert sum(who == "mia" for who, _ in told(desk)) == 3  # nothing overtakes what is to be gathered
    with desk.database.write() as session:
        assert len(state.take_news(session, "mia")) == 6
    ask(desk, f"{PANIC} later", "late@mail.example", "Trouble later")
    assert sum(who == "mia" for who, _ in told(desk)) == 4


def test_receipts_are_no_news_and_no_cap_holds_them(open_desk: OpenDesk) -> None:
    desk = open_desk(desk={"per_person_hour": 1})
    key = ask(desk)
    mia = desk.site.roster.staff[0]
    for _ in range(3):
        with desk.database.write() as session:
            ticket = tickets.by_key(session, key)
            desk_mail.receipt(
                session, desk.site, mia, desk_mail.Receipt("refused"), desk.now, ticket=ticket, cause_id=None
            )
    assert told(desk, "receipt-refused") == [("mia", "receipt-refused")] * 3
    desk.later(minutes=61)
    with desk.database.read() as session:
        assert state.told_since(session, "mia", desk.now.replace(hour=9)) == 0


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_answers_the_mail_and_leads_to_what_is_held(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "tom").reply(key, "I have answered.")
    held = Desk(desk.site, "mia").reply(key, "Me too.").held
    assert held is not None and held.number
    theirs = desk.receive(mail(BOB, "Another thing", "Something else, dear support. What are the fees?"))
    value = desk_mail.Receipt(
        "held", (("collision", "tom answered before"),), "Me too.", (Quoted("Bob", desk.now, "Hurry up"),),
        (Quoted("tom", desk.now, "I have answered."),), (desk_mail.Passage("#mine", "nothing"),),
        hint="send",
    )  # fmt: skip
    with desk.database.write() as session:
        number = desk_mail.receipt(
            session, desk.site, desk.site.roster.staff[0], value, desk.now,
            ticket=tickets.by_key(session, key), cause_id=theirs.incoming_id, message_row=held.number,
        )  # fmt: skip
    row = newest(desk, "mia")
    assert (row.id, row.event, row.message_row, row.recipient) == (
        number,
        "receipt-held",
        held.number,
        "mia@coinharbor.com",
    )
    shown = words(row.wire)
    for text in ("tom answered before", "Me too.", "Hurry up", "I have answered.", "#mine", "#send sends what is held"):
        assert text in shown
    assert parsed(row.wire)["In-Reply-To"] == desk.record(theirs).message_id
    with desk.database.read() as session:
        assert outgoing.by_id(session, int(row.id or 0)).message_row == held.number
    Desk(desk.site, "mia").send_held(held.number)  # its row goes, and the receipt stays
    assert newest(desk, "mia").message_row is None


def test_a_receipt_goes_to_no_one_who_left_the_configuration(desk: HelpDesk) -> None:
    gone = desk.site.roster.staff[0].model_copy(update={"name": "eve", "addresses": ("eve@evil.example",)})
    with desk.database.write() as session:
        assert desk_mail.receipt(session, desk.site, gone, desk_mail.Receipt("sent"), desk.now, ticket=None,
                                 cause_id=None) is None  # fmt: skip
    assert desk.outbox() == []


# --- whom mail does not reach -----------------------------------------------------------------------------------------


def bounce(row: Outgoing, address: str) -> bytes:
    """A delivery report about a mail of ours (RFC 3464)."""
    original = parsed(row.wire)
    headers = "".join(f"{name}: {original[name]}\r\n" for name in ("From", "To", "Subject", "Message-ID"))
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {SUPPORT}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        "Date: Mon, 23 Nov 2026 09:10:00 +0000\r\nMessage-ID: <report@mx.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
        f"--b\r\nContent-Type: message/rfc822-headers\r\n\r\n{headers}\r\n--b--\r\n"
    ).encode()


def test_a_desk_mail_that_bounces_makes_its_member_unreachable_and_the_lead_gets_theirs(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.deliver()
    result = desk.receive(bounce(newest(desk, "mia"), "mia@coinharbor.com"))
    assert result.state == "filed"
    with desk.database.read() as session:
        row = state.members(session)["mia"]
    assert row.unreachable_since == desk.now and "no such user" in row.unreachable_why
    assert told(desk, "unreachable") == [("tom", "unreachable")]
    shown = words(newest(desk, "tom").wire)
    assert "Desk mail to mia does not arrive" in shown and "somebody hacked my account" in shown
    assert desk.ticket(key).happened("desk failed")
    desk.deliver()
    before = len(told(desk))
    Desk(desk.site, "ann").assign(key, "mia")
    assert told(desk)[before:] == [("tom", "assigned")]


def test_bounces_of_bounces_come_to_an_end(desk: HelpDesk) -> None:
    ask(desk)
    for _ in range(10):
        desk.deliver()
        alive = [row for row in desk.outbox("sent") if row.kind == "desk"]
        if not alive:
            break
        for row in alive:
            desk.receive(bounce(row, row.recipient))
    assert [row for row in desk.outbox("queued", "sent") if row.kind == "desk"] == []
    assert {row.recipient for row in desk.outbox() if row.kind == "desk"} <= INSIDE
    assert len(told(desk)) <= 8


def test_the_same_bounce_twice_is_one_mail_to_the_lead(desk: HelpDesk) -> None:
    key = ask(desk)
    Desk(desk.site, "ann").assign(key, "mia")  # of which the lead has not heard
    desk.deliver()
    row = newest(desk, "mia")
    for number in range(3):
        desk.receive(bounce(row, "mia@coinharbor.com").replace(b"report@mx", b"report-%d@mx" % number))
    assert told(desk, "unreachable") == [("tom", "unreachable")]


def test_a_mail_of_the_member_makes_them_reachable_again(desk: HelpDesk) -> None:
    with desk.database.write() as session:
        assert state.lost(session, "mia", desk.now, "bounced")
        assert not state.lost(session, "mia", desk.now, "bounced again")
        assert state.unreachable(session) == {"mia"}
        state.proved(session, "mia", "mark", desk.now)
        assert state.reachable(session, "mia", desk.now)
        assert not state.reachable(session, "mia", desk.now)
        assert state.unreachable(session) == frozenset()
        row = state.member(session, "mia")
        assert (row.last_proof, row.last_proof_at, row.unreachable_why) == ("mark", desk.now, "")


@dataclass
class _Refusing:
    """A courier to whom a server says no."""

    outcome: Outcome
    tried: list[str] = field(default_factory=list)

    async def deliver(self, _from: str, to: str, *_: object, **__: object) -> Outcome:
        self.tried.append(to)
        return self.outcome if to == "mia@coinharbor.com" else Outcome("sent", "data", 250, "2.0.0", "ok")

    async def close(self) -> None: ...


def test_a_refusal_at_delivery_makes_the_member_unreachable_too(desk: HelpDesk) -> None:
    ask(desk)
    courier = _Refusing(Outcome("permanent", "recipient", 550, "5.1.1", "no such user"))
    asyncio.run(Outbox(desk.site, courier).deliver_due())  # type: ignore[arg-type]
    assert newest(desk, "mia").state == "failed"
    with desk.database.read() as session:
        assert state.unreachable(session) == {"mia"}
    assert told(desk, "unreachable") == [("tom", "unreachable")]


# --- and never anybody else -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_desk_mail_goes_to_an_address_that_is_not_of_staff(open_desk: OpenDesk, seed: int) -> None:
    dice = random.Random(seed)
    desk = open_desk(desk={"new": "each", "per_person_hour": 20})
    keys = [ask(desk)]
    people = (BOB, "Eve <eve@post.example>", "Mia <mia@coinharbor.com>", '"ann@coinharbor.com" <x@evil.example>')

    def act() -> None:
        at = Desk(desk.site, dice.choice(("mia", "tom", "ann", "root")))
        key = dice.choice(keys)
        match dice.randrange(8):
            case 0 | 1:
                sent = desk.outbox("sent")
                answered = dice.choice(sent).message_id if sent and dice.random() < 0.6 else ""
                result = desk.receive(mail(dice.choice(people), f"Help {dice.randrange(99)}", PANIC, answers=answered))
                keys.extend([result.ticket] if result.ticket else [])
            case 2:
                at.note(key, f"@{dice.choice(('mia', 'tom', 'bob', 'ann'))} look {dice.randrange(99)}")
            case 3:
                at.assign(key, dice.choice(("mia", "tom", "ann", "")))
            case 4:
                at.merge(key, dice.choice(keys), anyway=True)
            case 5:
                at.reply(key, "We look into it.")
            case 6:
                at.change(key, Change(priority=dice.choice(("urgent", "low"))))
            case 7:
                at.add_participant(key, "law@firm.example")

    for _ in range(40):
        desk.later(minutes=dice.randrange(1, 60))
        with suppress(Refused, NotFound):
            act()
        desk.deliver()
    rows = [row for row in desk.outbox() if row.kind == "desk"]
    assert len(rows) > 10
    for row in rows:
        one = parsed(row.wire)
        assert row.recipient in INSIDE and str(one["To"]) == row.recipient
        assert not row.copies and one["Cc"] is None and one["Bcc"] is None
    assert all(row.member == "" for row in desk.outbox() if row.kind != "desk")
