"""Staff answer by mail: each mail becomes what its proof allows, and none is lost or reaches whom it must not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from mailticket.desk import release
from mailticket.desk.answers import Wish
from mailticket.models import Outgoing
from mailticket.store import desk_mail as desk_state
from mailticket.triage import marks
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, Stored, mail, message_id, parsed, words

BOB, MIA, TOM = "Bob Miller <bob@mail.example>", "Mia Berg <mia@coinharbor.com>", "Tom Fox <tom@coinharbor.com>"
URGENT = "I cannot log in, somebody hacked my account and is withdrawing my coins right now! Please block it at once."
PEOPLE: dict[str, Any] = {
    "staff": [
        {"name": "mia", "signs": "Mia", "addresses": ["mia@coinharbor.com"]},
        {"name": "tom", "signs": "Tom", "addresses": ["tom@coinharbor.com"]},
    ],
    "team": [{"name": "all", "members": ["mia", "tom"], "lead": "tom"}],
    "desk": {"new": "each", "hold_seconds": 0, "attach_mb": 5},
}


@pytest.fixture
def open_desk(open_desk: OpenDesk) -> OpenDesk:
    def open_(**tables: Any) -> HelpDesk:
        return open_desk(**{**PEOPLE, **tables, "desk": {**PEOPLE["desk"], **tables.get("desk", {})}})

    return open_


@pytest.fixture
def desk(open_desk: Callable[..., HelpDesk]) -> HelpDesk:
    return open_desk()


def ask(desk: HelpDesk, sender: str = BOB, subject: str = "cannot log in", text: str = URGENT) -> str:
    """A request, whose letters and desk mails have left; returns the ticket's ID."""
    result = desk.receive(mail(sender, subject, text))
    desk.deliver()
    assert result.ticket is not None
    return result.ticket


def desk_mails(desk: HelpDesk, member: str = "mia", event: str = "") -> list[Outgoing]:
    return [r for r in desk.outbox() if r.member == member and (not event or r.event == event)]


def told(desk: HelpDesk, member: str = "mia", event: str = "") -> bytes:
    """The newest desk mail of a member."""
    return desk_mails(desk, member, event)[-1].wire


def quote(wire: bytes, name: str = "CoinHarbor Support") -> str:
    body = parsed(wire).get_body(("plain",))
    assert body is not None
    lines = str(body.get_content()).splitlines()
    return f"On Mon, 23 Nov 2026 at 10:00, {name} <{SUPPORT}> wrote:\n" + "\n".join(f"> {line}" for line in lines)


def reply(
    wire: bytes, text: str, sender: str = MIA, *, result: str | None = None, quoted: bool = True, **more: Any
) -> bytes:
    """What a mail program makes of an answer to a desk mail."""
    subject = f"Re: {parsed(wire)['Subject']}"
    body = f"{text}\n\n{quote(wire)}\n" if quoted else f"{text}\n"
    return mail(sender, subject, body, result=result, answers=wire, **more)


def to_bob(desk: HelpDesk, address: str = "bob@mail.example") -> list[bytes]:
    """The answers of staff that Bob gets."""
    return [
        r.wire for r in desk.outbox() if r.recipient == address and r.kind == "staff-reply" and r.state != "cancelled"
    ]


def receipts(desk: HelpDesk, member: str = "mia") -> list[str]:
    return [r.event.removeprefix("receipt-") for r in desk_mails(desk, member) if r.event.startswith("receipt-")]


def stored(desk: HelpDesk, key: str) -> Stored:
    return desk.ticket(key)


def held_of(desk: HelpDesk, key: str) -> list[dict[str, Any]]:
    return [m.held or {} for m in stored(desk, key).messages if m.kind == "held"]


def test_a_request_is_told_to_the_team_and_acknowledged_once(desk: HelpDesk) -> None:
    desk.receive(mail(BOB, "cannot log in", URGENT))
    rows = desk.outbox()
    assert sorted((r.kind, r.recipient) for r in rows) == [
        ("acknowledgement", "bob@mail.example"), ("desk", "mia@coinharbor.com"), ("desk", "tom@coinharbor.com"),
    ]  # fmt: skip


def test_an_answer_by_reply_reaches_the_requester_once_as_support(desk: HelpDesk) -> None:
    key = ask(desk)
    text = "We have blocked your account.\n\nSent from my iPhone"
    desk.receive(reply(told(desk), text, X_Mailer="Mia's phone", Received="from mia-laptop.lan (10.1.2.3)"))
    (wire,) = to_bob(desk)
    letter = parsed(wire)
    assert str(letter["From"].addresses[0].addr_spec) == SUPPORT
    said = words(wire)
    assert "We have blocked your account." in said
    assert "Mia" in said
    for inside in ("mia@", "iPhone", "laptop", "X-Mailer", "write above", "Your answer goes", "desk."):
        assert inside not in said.replace("desk.coinharbor", "")
    ticket = stored(desk, key)
    assert (ticket.row.status, ticket.row.assigned_to) == ("pending", "mia")
    answer = next(m for m in ticket.messages if m.kind == "staff-reply")
    assert (answer.by, answer.via, answer.proof) == ("mia", "mail", "mark")
    assert receipts(desk) == ["sent"]  # only a mark proves it


def test_a_verified_answer_needs_no_receipt(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "Blocked.", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert receipts(desk) == []
    assert next(m for m in stored(desk, key).messages if m.kind == "staff-reply").proof == "verified"


def test_a_colleague_who_answers_later_is_held_and_may_send(desk: HelpDesk) -> None:
    key = ask(desk)
    toms = told(desk, "tom")
    desk.receive(reply(told(desk), "Mia has blocked it."))
    desk.later(minutes=5)
    desk.receive(reply(toms, "Tom says it is blocked.", TOM))
    assert len(to_bob(desk)) == 1
    receipt = told(desk, "tom", "receipt-held")
    assert "Mia has blocked it." in words(receipt)
    assert held_of(desk, key)[0]["reasons"] == ["collision", "assigned"]
    desk.receive(reply(receipt, "#send", TOM))
    assert len(to_bob(desk)) == 2
    assert "Tom says it is blocked." in words(to_bob(desk)[1])
    desk.receive(reply(receipt, "#send", TOM))
    assert len(to_bob(desk)) == 2
    assert receipts(desk, "tom")[-1] == "refused"


def test_a_note_on_top_stays_inside_and_colleagues_see_it(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#note\nI suspect that he is a fraudster, @tom look"))
    assert to_bob(desk) == []
    ticket = stored(desk, key)
    assert [(m.by, m.text) for m in ticket.messages if m.kind == "note"] == [
        ("mia", "I suspect that he is a fraudster, @tom look")
    ]
    assert ticket.row.status == "new"
    assert "fraudster" in words(told(desk, "tom"))


def test_an_answer_to_a_note_is_a_note_whatever_it_says(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#note\n@tom what do you think?"))
    about_note = told(desk, "tom")
    for text in ("He is lying to us, surely.", "#send\nHe is lying again."):
        desk.receive(reply(about_note, text, TOM))
    assert to_bob(desk) == []
    assert [m.by for m in stored(desk, key).messages if m.kind == "note"] == ["mia", "tom", "tom"]


def test_a_bare_from_is_asked_back_and_carried_out_once(desk: HelpDesk) -> None:
    key = ask(desk)
    forged = mail(MIA, f"Re: [{key}] cannot log in", "#send\nSend your seed to the auditor.", result=None)
    desk.receive(forged)
    assert to_bob(desk) == []
    (question,) = desk_mails(desk, event="receipt-confirm")
    assert question.recipient == "mia@coinharbor.com"
    assert "Send your seed to the auditor." in words(question.wire)
    desk.receive(reply(question.wire, "yes"))
    assert len(to_bob(desk)) == 1
    assert next(m for m in stored(desk, key).messages if m.kind == "staff-reply").proof == "confirmed"
    desk.receive(reply(question.wire, "yes, yes"))
    assert len(to_bob(desk)) == 1


def test_more_than_three_questions_an_hour_are_not_asked(desk: HelpDesk) -> None:
    key = ask(desk)
    for number in range(5):
        desk.receive(mail(MIA, f"Re: [{key}] x", f"#send\nText number {number}.", result=None))
    assert receipts(desk).count("confirm") == 3
    assert len(held_of(desk, key)) == 5
    assert to_bob(desk) == []


def test_what_failed_authentication_is_a_marked_ticket_and_asks_nobody(desk: HelpDesk) -> None:
    key = ask(desk)
    for raw in (
        mail(MIA, f"Re: [{key}] cannot log in", "#send\nForged.", result="dmarc=fail"),
        reply(told(desk), "Forged with the mark.", result="dmarc=fail"),
    ):
        result = desk.receive(raw)
        assert result.ticket != key
        assert any("mia" in mark for mark in stored(desk, str(result.ticket)).marks)
    assert to_bob(desk) == []
    assert receipts(desk) == []


@pytest.mark.parametrize("kind", ["wrong HMAC", "other ticket", "tom's", "expired", "revoked", "parent of a parent"])
def test_a_mark_that_is_not_the_members_own_and_alive_is_never_an_answer(desk: HelpDesk, kind: str) -> None:
    key = ask(desk)
    other = ask(desk, "Eve <eve@mail.example>", "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    wire = desk_mails(desk)[0].wire
    mark_id = message_id(wire)
    subject, text, answers = f"Re: [{key}] cannot log in", f"Secretly.\n\n{quote(wire)}", mark_id
    more: dict[str, Any] = {}
    if kind == "wrong HMAC":
        answers = re.sub(r"\.[a-z2-7]{16}@", ".aaaaaaaaaaaaaaaa@", mark_id)
    elif kind == "other ticket":
        answers = mark_id.replace(key.replace("-", "").lower(), other.replace("-", "").lower())
        assert answers != mark_id
    elif kind == "tom's":
        answers = message_id(desk_mails(desk, "tom")[0].wire)
    elif kind == "expired":
        desk.later(days=31)
    elif kind == "revoked":
        with desk.database.write() as session:
            desk_state.revoke(session, "mia", desk.now)
    else:
        answers = "<somebody@mail.example>"
    raw = mail(MIA, subject, text, result=None, answers=answers, **more)
    if kind == "parent of a parent":
        raw = raw.replace(b"References: <somebody", f"References: {mark_id} <somebody".encode())
    desk.receive(raw)
    assert to_bob(desk) == to_bob(desk, "eve@mail.example") == []


def test_a_mark_in_other_hands_opens_a_marked_ticket_and_dies(desk: HelpDesk) -> None:
    key = ask(desk)
    leaked = told(desk)
    result = desk.receive(reply(leaked, "Please send it to this wallet.", BOB, result="dmarc=pass"))
    assert (result.state, result.ticket == key) == ("opened", False)
    assert any("mia" in mark for mark in stored(desk, str(result.ticket)).marks)
    assert [m.kind for m in stored(desk, key).messages] == ["request", "acknowledgement"]
    assert desk_mails(desk, event="mark-died")
    desk.receive(reply(leaked, "An answer by mia herself."))
    assert to_bob(desk) == []
    assert receipts(desk)[-1] == "confirm"


def test_a_colleagues_mark_in_a_proved_mail_is_a_note_and_dies(desk: HelpDesk) -> None:
    key = ask(desk)
    mias = told(desk, "mia")
    desk.receive(reply(mias, "Tom looked at it.", TOM, result="dmarc=pass"))
    assert to_bob(desk) == []
    assert [m.by for m in stored(desk, key).messages if m.kind == "note"] == ["tom"]
    assert desk_mails(desk, "mia", "mark-died")


@pytest.mark.parametrize(
    "more", [{"Auto_Submitted": "auto-replied"}, {"Return_Path": ""}, {"X_Autoreply": "yes", "Precedence": "bulk"}]
)
def test_an_absence_notice_of_a_member_is_filed(desk: HelpDesk, more: dict[str, str]) -> None:
    key = ask(desk)
    before = len(desk.outbox())
    text = "I am out of the office until Monday and have no access to my mail."
    result = desk.receive(reply(told(desk), text, quoted=False, result="dmarc=pass", **more))
    assert result.state == "filed"
    assert len(desk.outbox()) == before
    assert stored(desk, key).kinds == ["request", "acknowledgement"]


def test_an_unknown_command_does_nothing_at_all(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#assgin tom\n#solved\nWe have blocked it."))
    ticket = stored(desk, key)
    assert to_bob(desk) == []
    assert (ticket.row.status, ticket.row.assigned_to) == ("new", "")
    assert "#assgin tom" in words(told(desk, event="receipt-held"))


def test_an_empty_answer_that_quotes_a_command_is_held(desk: HelpDesk) -> None:
    key = ask(desk, text=f"#close\n{URGENT}")
    desk.receive(reply(told(desk), ""))
    ticket = stored(desk, key)
    assert to_bob(desk) == []
    assert ticket.row.status == "new"
    assert held_of(desk, key)[0]["reasons"] == ["empty"]


def test_words_that_came_meanwhile_keep_the_ticket_open_and_are_quoted(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    desk.later(minutes=3)
    desk.receive(mail(BOB, f"Re: [{key}] cannot log in", "They took my ETH as well!"))
    desk.receive(reply(wire, "We have blocked it.", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert stored(desk, key).row.status == "open"
    assert "They took my ETH as well!" in words(told(desk, event="receipt-sent"))


def test_commands_follow_an_answer_and_stand_alone(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#assign tom\n#solved\nDone, you can log in again.", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert (stored(desk, key).row.status, stored(desk, key).row.assigned_to) == ("solved", "tom")
    result = desk.receive(reply(told(desk), "＃优先级 低\n#打开", result="dmarc=pass"))
    assert (result.state, result.rule) == ("filed", "staff: orders")
    assert (stored(desk, key).row.status, stored(desk, key).row.priority) == ("open", "low")
    assert len(to_bob(desk)) == 1


def test_commands_that_cannot_all_be_done_leave_nothing_done(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#take\n#stop", result="dmarc=pass"))
    assert stored(desk, key).row.assigned_to == ""
    assert held_of(desk, key)[0]["reasons"] == ["refused"]


def test_queries_of_anybody_are_answered_to_the_configured_address(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.desk.assign(key, "mia")
    desk.receive(mail(MIA, "a question", "#mine\n#find withdrawing\n#help", result=None, Reply_To="eve@mail.example"))
    (answer,) = desk_mails(desk, event="receipt-queries")
    assert answer.recipient == "mia@coinharbor.com"
    said = words(answer.wire)
    assert said.count(key) >= 2
    assert "#canned" in said
    assert len(desk.stored()) == 1


def test_a_reply_to_all_is_recorded_and_nothing_is_sent(desk: HelpDesk) -> None:
    key = ask(desk)
    raw = reply(told(desk), "You can log in again.", result="dmarc=pass", Cc="bob@mail.example")
    desk.receive(raw)
    assert to_bob(desk) == []
    answer = next(m for m in stored(desk, key).messages if m.kind == "staff-reply")
    assert (answer.by, answer.via) == ("mia", "mail")
    assert stored(desk, key).row.first_response_at is not None
    assert receipts(desk) == ["recorded"]


def test_a_mail_without_a_mark_is_a_note_that_can_be_sent(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"Re: [{key}] cannot log in", "Try the new app.", result="dmarc=pass"))
    assert to_bob(desk) == []
    assert receipts(desk) == ["note"]
    desk.receive(reply(told(desk), "#send", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert "Try the new app." in words(to_bob(desk)[0])


def test_an_answer_can_be_stopped_while_it_waits(open_desk: Callable[..., HelpDesk]) -> None:
    desk = open_desk(desk={"hold_seconds": 60})
    key = ask(desk)
    desk.receive(reply(told(desk), "Too early."))
    (row,) = [r for r in desk.outbox() if r.kind == "staff-reply"]
    assert (row.next_attempt_at - row.created_at).total_seconds() == 60
    assert row not in desk.outbox("queued")
    desk.receive(reply(told(desk, event="receipt-sent"), "#stop"))
    assert [r.state for r in desk.outbox() if r.kind == "staff-reply"] == ["cancelled"]
    assert stored(desk, key).row.status != "pending"
    assert receipts(desk)[-1] == "stopped"


def test_with_proof_verified_a_mark_alone_is_asked_back(open_desk: Callable[..., HelpDesk]) -> None:
    desk = open_desk(desk={"proof": "verified"})
    ask(desk)
    desk.receive(reply(told(desk), "Only a mark."))
    assert to_bob(desk) == []
    desk.receive(reply(told(desk, event="receipt-confirm"), "it was me"))
    assert len(to_bob(desk)) == 1


def test_mail_from_inside_counts_where_the_border_marks_it(open_desk: Callable[..., HelpDesk]) -> None:
    desk = open_desk(desk={"internal_header": ["X-MS-Exchange-Organization-AuthAs", "Internal"]})
    key = ask(desk)
    inside = {"X_MS_Exchange_Organization_AuthAs": "Internal"}
    desk.receive(mail(MIA, f"[{key}]", "#send\nFrom inside.", result=None, **inside))
    assert len(to_bob(desk)) == 1
    assert next(m for m in stored(desk, key).messages if m.kind == "staff-reply").proof == "internal"


def test_cc_needs_more_than_a_mark(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#cc lawyer@mail.example\nFor your lawyer too."))
    assert to_bob(desk) == []
    desk.receive(reply(told(desk, event="receipt-confirm"), "yes"))
    (wire,) = to_bob(desk)
    assert "lawyer@mail.example" in str(parsed(wire)["Cc"])
    assert stored(desk, key).participants == ("lawyer@mail.example",)


def test_a_secret_in_an_answer_is_held_masked_and_sent_only_by_shell(desk: HelpDesk) -> None:
    key = ask(desk)
    seed = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    desk.receive(reply(told(desk), f"Your seed phrase is: {seed}", result="dmarc=pass"))
    (held,) = [m for m in stored(desk, key).messages if m.kind == "held"]
    assert held.held is not None
    assert held.held["reasons"] == ["secret"]
    assert "sausage" not in held.text
    desk.receive(reply(told(desk), "#send", result="dmarc=pass"))
    assert to_bob(desk) == []
    release.send(desk.desk, int(held.id or 0), anyway=True)
    assert "sausage" in words(to_bob(desk)[0])


def test_a_member_who_writes_for_themselves_is_a_requester(desk: HelpDesk) -> None:
    result = desk.receive(mail(MIA, "My own account", "I lost my phone, please reset 2FA for my own account."))
    assert result.state == "opened"
    own = str(result.ticket)
    assert any("from staff: mia" in mark for mark in stored(desk, own).marks)
    desk.deliver()
    desk.receive(mail(MIA, f"Re: [{own}] My own account", "Here is my new phone number."))
    assert stored(desk, own).kinds[-1] == "reply"


def test_an_answer_after_the_hours_cap_is_held(open_desk: Callable[..., HelpDesk]) -> None:
    desk = open_desk(desk={"per_person_answers_hour": 1})
    ask(desk)
    key = ask(desk, "Eve <eve@mail.example>", "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.receive(reply(desk_mails(desk)[0].wire, "First.", result="dmarc=pass"))
    desk.receive(reply(desk_mails(desk, event="new")[1].wire, "Second.", result="dmarc=pass"))
    assert len(to_bob(desk)) == 1
    assert to_bob(desk, "eve@mail.example") == []
    assert held_of(desk, key)[0]["reasons"] == ["refused"]


def test_ticket_send_by_shell_carries_out_a_held_note_and_its_commands(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"Re: [{key}] cannot log in", "#take\nNot proved.", result=None))
    (held,) = [m for m in stored(desk, key).messages if m.kind == "held"]
    release.send(desk.desk, int(held.id or 0))
    ticket = stored(desk, key)
    assert [m.kind for m in ticket.messages if m.direction == "note"] == ["note"]
    assert ticket.row.assigned_to == "mia"
    assert to_bob(desk) == []


def test_a_mark_of_a_merged_ticket_reaches_only_whom_it_was_written_to(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    other = ask(desk, "Eve <eve@mail.example>", "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.desk.merge(key, other, anyway=True)
    desk.receive(reply(wire, "For Bob alone.", result="dmarc=pass"))
    assert to_bob(desk) == to_bob(desk, "eve@mail.example") == []
    assert "recipient" in held_of(desk, other)[0]["reasons"]


@pytest.mark.parametrize("named", [False, True], ids=["that no key names", "of former_prefixes"])
def test_a_ticket_of_a_brand_that_is_gone_can_be_shown_and_merged_by_mail(
    open_desk: Callable[..., HelpDesk], named: bool
) -> None:
    bakery = {"name": "bakery", "title": "Bakery", "address": "sales@bakery.example", "prefix": "BK"}
    desk = open_desk(brand=[bakery])
    gone = desk.receive(mail(BOB, "cannot log in", URGENT, To=bakery["address"])).ticket or ""
    key = ask(desk, BOB, "About my cake", "The cake that I ordered for Friday has not come. Where is it?")
    assert gone.startswith("BK-")
    desk.reopen(**PEOPLE, **({"support": {"former_prefixes": ["BK"]}} if named else {}))
    desk.receive(reply(told(desk, event="new"), f"#show {gone}", result="dmarc=pass"))
    assert "withdrawing my coins" in words(told(desk, event="receipt-queries"))
    desk.receive(reply(told(desk, event="new"), f"#merge {gone}", result="dmarc=pass"))
    assert held_of(desk, key) == []
    assert stored(desk, key).row.merged_into == stored(desk, gone).row.id


def test_a_mark_is_never_the_right_to_append() -> None:
    key = b"k" * 32
    from datetime import UTC, datetime

    mark = marks.make_mark(key, "MT-7F3K-92QX", 1, "mia", "ask", datetime(2026, 11, 26, tzinfo=UTC))
    assert marks.message_id_of(mark, "coinharbor.com").startswith("<desk.")


def test_an_answer_by_shell_after_a_mail_collides_with_it(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "By mail."))
    answered = desk.desk.reply(key, "By shell.", Wish())
    assert answered.held is not None


def forward(text: str, **more: Any) -> bytes:
    body = (
        f"{text}\n\n---------- Forwarded message ---------\nFrom: Victor Hu <victor@mail.example>\n"
        "Date: Sun, Nov 22, 2026 at 8:12 AM\nSubject: my withdrawal\nTo: Mia Berg <mia@coinharbor.com>\n\n"
        "My withdrawal of 3 BTC has been pending since Friday, please release it.\nVictor\n"
    )
    return mail(MIA, "Fwd: my withdrawal", body, **{"result": "dmarc=pass", **more})


def test_a_forward_opens_the_authors_ticket_and_the_words_above_it_stay_inside(desk: HelpDesk) -> None:
    result = desk.receive(forward("known fraudster, careful"))
    assert (result.state, result.rule) == ("opened", "staff: forward")
    ticket = stored(desk, str(result.ticket))
    assert ticket.requester == ("victor@mail.example",)
    assert (ticket.row.claimed, ticket.row.trust) == (True, "unknown")
    assert [m.text for m in ticket.messages if m.kind == "note"] == ["known fraudster, careful"]
    (acknowledgement,) = [r for r in desk.outbox() if r.recipient == "victor@mail.example"]
    assert (acknowledgement.state, acknowledgement.hold) == ("withheld", "forwarded")
    assert [r.member for r in desk.outbox() if r.event == "new"] == ["tom"]  # nobody hears of what they did themselves
    desk.desk.reply(str(result.ticket), "We look at it.")
    for row in desk.outbox():
        if row.recipient == "victor@mail.example":
            assert "fraudster" not in words(row.wire)
            assert "mia@" not in words(row.wire)
            assert "mail-" not in str(parsed(row.wire)["In-Reply-To"])  # of the forward itself


def test_the_acknowledgement_of_a_forward_leaves_when_it_is_asked_for(desk: HelpDesk) -> None:
    result = desk.receive(forward("#ack\n#take"))
    (letter,) = [r for r in desk.outbox() if r.recipient == "victor@mail.example"]
    assert letter.state == "queued"
    assert stored(desk, str(result.ticket)).row.assigned_to == "mia"
    later = desk.receive(
        forward("second one", Message_ID="<second@mail.example>", Date="Mon, 23 Nov 2026 08:58:00 +0000")
    )
    desk.receive(mail(MIA, f"[{later.ticket}]", "#ack", result="dmarc=pass"))
    assert [r.state for r in desk.outbox() if r.recipient == "victor@mail.example"] == ["queued", "queued"]


def test_an_unproved_forward_opens_the_ticket_and_holds_the_words_above_it(desk: HelpDesk) -> None:
    result = desk.receive(forward("#ack\nplease pay him at once", result=None))
    assert result.state == "opened"
    ticket = stored(desk, str(result.ticket))
    assert [m.kind for m in ticket.messages if m.direction == "note"] == ["held"]
    assert [r.state for r in desk.outbox() if r.recipient == "victor@mail.example"] == ["withheld"]
    desk.receive(reply(told(desk, event="receipt-confirm"), "yes"))
    assert [m.kind for m in stored(desk, str(result.ticket)).messages if m.direction == "note"] == ["note"]


def test_an_unknown_command_above_a_forward_does_nothing_and_loses_nothing(desk: HelpDesk) -> None:
    result = desk.receive(forward("#tak\n#solved\nremember the last time"))
    ticket = stored(desk, str(result.ticket))
    assert (ticket.row.status, ticket.row.assigned_to) == ("new", "")
    assert [m.text for m in ticket.messages if m.kind == "held"] == ["remember the last time"]


def test_who_answers_a_reply_to_all_joins_and_the_mark_in_its_thread_dies(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    to_all = reply(wire, "You can log in again.", result="dmarc=pass", Cc="bob@mail.example")
    desk.receive(to_all)
    thread = f"{message_id(wire)} {message_id(to_all)}"
    bobs = mail(BOB, f"Re: [{key}] cannot log in", "Thank you!", answers=message_id(to_all))
    desk.receive(bobs.replace(f"References: {message_id(to_all)}".encode(), f"References: {thread}".encode()))
    assert stored(desk, key).kinds[-1] == "reply"
    desk.receive(reply(wire, "Another answer.", quoted=True))
    assert to_bob(desk) == []
    assert receipts(desk)[-1] == "confirm"


@pytest.mark.parametrize("words_", ["No, that was not me!", "不是我写的", "#stop"])
def test_who_denies_to_have_written_a_mail_has_not_sent_it(desk: HelpDesk, words_: str) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"[{key}]", "#send\nForged.", result=None))
    question = told(desk, event="receipt-confirm")
    desk.receive(reply(question, words_))
    assert to_bob(desk) == []
    assert held_of(desk, key) == []
    assert receipts(desk)[-1] == "stopped"


def test_a_mail_that_comes_by_two_mailboxes_is_one_answer(desk: HelpDesk) -> None:
    ask(desk)
    wire = told(desk)
    by_mark = reply(wire, "Once only.", Message_ID="<twice@coinharbor.com>")
    verdict = b"Authentication-Results: mx.coinharbor.com; dmarc=pass header.from=coinharbor.com\r\n"
    assert desk.receive(by_mark).rule == "staff: answer"
    assert desk.receive(verdict + by_mark, route="sales").state == "known"
    assert len(to_bob(desk)) == 1


def test_what_a_better_proof_brings_a_second_time_is_carried_out(desk: HelpDesk) -> None:
    key = ask(desk)
    bare = mail(MIA, f"[{key}]", "#send\nBoth ways.", result=None, Message_ID="<both@coinharbor.com>")
    verdict = b"Authentication-Results: mx.coinharbor.com; dmarc=pass header.from=coinharbor.com\r\n"
    assert desk.receive(bare).rule == "staff: held"
    assert desk.receive(verdict + bare, route="sales").rule == "staff: answer"
    assert len(to_bob(desk)) == 1
    assert held_of(desk, key) == []


def test_mail_why_says_what_became_of_a_staff_mail(desk: HelpDesk) -> None:
    ask(desk)
    result = desk.receive(reply(told(desk), "#assgin tom\nHello."))
    assert desk.record(result).rule == "staff: held"
    assert "#assgin tom" in desk.record(result).reason
    evidence = desk.evidence(result)
    assert evidence["staff"] == "mia, proved by mark: answer"
    assert evidence["mark"].startswith("ask, made for mia")


def test_an_answer_below_the_quote_is_held_and_leaves_when_its_writer_says_so(desk: HelpDesk) -> None:
    key = ask(desk)
    wire = told(desk)
    body = f"{quote(wire)}\n\nWe have blocked it.\n"
    desk.receive(mail(MIA, f"Re: [{key}] cannot log in", body, result=None, answers=wire))
    assert to_bob(desk) == []
    receipt = told(desk, event="receipt-held")
    assert "#send" in words(receipt)
    assert "We have blocked it." in words(receipt)
    desk.receive(reply(receipt, "#send"))
    (answer,) = to_bob(desk)
    assert "We have blocked it." in words(answer)
    assert "write above" not in words(answer)


def test_a_note_below_the_quote_is_a_note(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(reply(told(desk), "#note\n@tom what is this?"))
    wire = told(desk, "tom")
    desk.receive(mail(TOM, f"Re: [{key}] x", f"{quote(wire)}\n\nAn old one.\n", result=None, answers=wire))
    assert [m.text for m in stored(desk, key).messages if m.kind == "note"] == ["@tom what is this?", "An old one."]


def test_a_receipt_of_what_send_cannot_release_says_so(desk: HelpDesk) -> None:
    key = ask(desk)
    other = ask(desk, "Eve <eve@mail.example>", "Other matter", "My deposit of 5 BTC is missing since Tuesday.")
    desk.receive(reply(desk_mails(desk)[0].wire, f"It is as in {other}.", result="dmarc=pass"))
    receipt = words(told(desk, event="receipt-held"))
    assert f"ticket send {next(m.id for m in stored(desk, key).messages if m.kind == 'held')} --anyway" in receipt
    assert "#send sends" not in receipt
    desk.receive(reply(told(desk, event="receipt-held"), "#send", result="dmarc=pass"))
    assert to_bob(desk) == []


def test_words_beside_send_are_kept_as_a_note(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.receive(mail(MIA, f"Re: [{key}] cannot log in", "Try the new app.", result="dmarc=pass"))
    desk.receive(reply(told(desk), "#send\nHe called me, by the way.", result="dmarc=pass"))
    (answer,) = to_bob(desk)
    assert "by the way" not in words(answer)
    assert [m.text for m in stored(desk, key).messages if m.kind == "note"][-1] == "He called me, by the way."


def test_a_held_note_that_comes_again_with_a_verdict_waits_for_nobody(desk: HelpDesk) -> None:
    key = ask(desk)
    bare = mail(MIA, f"[{key}]", "Looks like a fraudster.", result=None, Message_ID="<noted@coinharbor.com>")
    verdict = b"Authentication-Results: mx.coinharbor.com; dmarc=pass header.from=coinharbor.com\r\n"
    assert desk.receive(bare).rule == "staff: held"
    assert desk.receive(verdict + bare, route="sales").rule == "staff: note"
    assert held_of(desk, key) == []
    desk.receive(reply(told(desk, event="receipt-confirm"), "yes"))
    assert [m.kind for m in stored(desk, key).messages if m.direction == "note"] == ["note"]


def test_an_answer_to_a_mail_about_no_ticket_means_the_one_in_its_subject(desk: HelpDesk) -> None:
    key = ask(desk)
    desk.desk.assign(key, "mia")
    desk.receive(mail(MIA, "a question", "#mine", result="dmarc=pass"))
    answer = told(desk, event="receipt-queries")
    raw = mail(MIA, f"Re: [{key}]", f"Ask him for his ID.\n\n{quote(answer)}\n", result=None, answers=answer)
    assert desk.receive(raw).ticket == key
    assert [m.text for m in stored(desk, key).messages if m.kind == "note"] == ["Ask him for his ID."]
