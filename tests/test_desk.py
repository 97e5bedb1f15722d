"""The desk in one process: who takes what, what holds an answer, to whom it goes and what it carries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk import deeds, looking
from mailticket.desk.answers import Answered, Wish
from mailticket.desk.tickets import Change, Desk
from mailticket.errors import NotFound, Refused
from mailticket.letters import File
from mailticket.mail import read
from mailticket.store import outgoing, tickets
from mailticket.store.requests import follow_ups
from tests.helpdesk import HelpDesk, OpenDesk, mail, message_id, parsed, words
from tests.servers.databases import Databases

STAFF = (
    {"name": "mia", "signs": "Mia", "addresses": ["mia@coinharbor.com"], "login": "mberg"},
    {"name": "tom", "addresses": ["tom@coinharbor.com"]},
)
TEAMS = (
    {"name": "money", "members": ["mia"], "lead": "mia", "categories": ["deposit", "withdrawal"]},
    {"name": "rest", "members": ["tom"]},
)


@pytest.fixture
def databases(each_database: Databases) -> Databases:
    return each_database


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(staff=STAFF, team=TEAMS)


def at(desk: HelpDesk, name: str) -> Desk:
    return Desk(desk.site, name)


def opened(desk: HelpDesk, sender: str = "bob@mail.example", **more: Any) -> str:
    return desk.receive(mail(sender, **more)).ticket or ""


def answers_to(desk: HelpDesk, key: str) -> list[bytes]:
    row = desk.ticket(key).row
    return [o.wire for o in desk.outbox() if o.kind == "staff-reply" and o.ticket_id == row.id]


def see(desk: HelpDesk, name: str, key: str) -> dict[str, Any]:
    return looking.show(at(desk, name).onlooker, name=key)


def test_a_team_is_told_by_category_and_the_rest_goes_to_the_other(desk: HelpDesk) -> None:
    deposit = opened(desk)
    other = opened(desk, "eve@mail.example", subject="Hello", text="Do you have an office in Berlin?")
    assert [desk.ticket(key).row.team for key in (deposit, other)] == ["money", "rest"]
    at(desk, "mia").change(other, Change(category="withdrawal"))
    assert desk.ticket(other).row.team == "money"
    at(desk, "mia").change(other, Change(team="rest"))
    at(desk, "mia").change(other, Change(category="deposit"))
    assert desk.ticket(other).row.team == "rest"


def test_the_first_answer_takes_a_ticket_that_is_nobody_s(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").reply(key, "It is on its way.")
    stored = desk.ticket(key)
    assert (stored.row.assigned_to, stored.row.status, stored.row.waiting_for) == ("mia", "pending", "them")
    assert "Mia" in words(answers_to(desk, key)[0])
    assert [(m.by, m.via) for m in stored.messages if m.kind == "staff-reply"] == [("mia", "cli")]


def test_an_answer_after_a_colleague_s_is_held_until_it_is_sent_anyway(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").reply(key, "It is on its way.")
    at(desk, "mia").assign(key, "")
    held = at(desk, "tom").reply(key, "Please wait.")
    assert held.outgoing is None and held.held is not None
    assert [h.code for h in held.held.hindrances] == ["collision"]
    assert [a.text for a in held.held.newer] == ["It is on its way."]
    assert len(answers_to(desk, key)) == 1
    sent = at(desk, "tom").reply(key, "Please wait.", Wish(anyway=True))
    assert sent.outgoing and len(answers_to(desk, key)) == 2
    assert desk.ticket(key).happened("sent anyway")
    assert "held" not in desk.ticket(key).kinds  # the same text is not held any longer


def test_who_has_seen_the_other_answer_or_says_so_collides_no_more(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").reply(key, "It is on its way.")
    at(desk, "mia").assign(key, "")
    newest = max(entry["number"] for entry in see(desk, "nobody", key)["conversation"])
    assert at(desk, "tom").reply(key, "One.", Wish(seen=newest)).outgoing
    other = opened(desk, "eve@mail.example")
    at(desk, "mia").reply(other, "It is on its way.")
    at(desk, "mia").assign(other, "")
    see(desk, "tom", other)
    assert at(desk, "tom").reply(other, "Two.").outgoing


def test_one_s_own_answers_never_collide(desk: HelpDesk) -> None:
    key = opened(desk)
    for text in ("One.", "Two."):
        assert at(desk, "mia").reply(key, text).outgoing


def test_a_colleague_s_ticket_is_left_alone(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "tom").assign(key, "tom")
    held = at(desk, "mia").reply(key, "Hello.").held
    assert held and [h.code for h in held.hindrances] == ["assigned"]


def test_a_held_answer_is_sent_as_it_was_written_with_its_files(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "tom").assign(key, "tom")
    file = File("bill.pdf", "application/pdf", b"%PDF" + bytes(range(256)))
    held = (
        at(desk, "mia").reply(key, "Here is it.", Wish(files=(file,), copies=("law@firm.example",), then="solved")).held
    )
    assert held and held.number
    face = see(desk, "tom", key)
    assert face["held"] == [{"number": held.number, "by": "mia", "reasons": ["assigned"], "text": "Here is it."}]
    at(desk, "tom").send_held(held.number)
    (wire,) = answers_to(desk, key)
    (part,) = parsed(wire).iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("bill.pdf", file.content)
    assert parsed(wire)["Cc"] == "law@firm.example"
    stored = desk.ticket(key)
    assert (stored.row.status, "held" in stored.kinds) == ("solved", False)
    assert [m.by for m in stored.messages if m.kind == "staff-reply"] == ["mia"]
    with pytest.raises(NotFound):
        at(desk, "tom").send_held(held.number)


def test_words_of_a_note_leave_only_anyway(desk: HelpDesk) -> None:
    key = opened(desk)
    note = "Known fraudster: took 4,000 USDT in March under another name, compare the photograph first."
    at(desk, "mia").note(key, note)
    held = at(desk, "mia").reply(key, f"Dear Bob, {note}").held
    assert held and held.number
    with pytest.raises(Refused, match="note"):
        at(desk, "mia").send_held(held.number)
    assert at(desk, "mia").send_held(held.number, anyway=True).outgoing


def test_a_secret_is_not_even_kept(desk: HelpDesk) -> None:
    key = opened(desk)
    seed = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    held = at(desk, "mia").reply(key, f"Your seed is: {seed}").held
    assert held and held.number is None and "secret" in [h.code for h in held.hindrances]
    assert not any(seed in m.text for m in desk.ticket(key).messages)


def test_a_held_answer_is_dropped(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "tom").assign(key, "tom")
    held = at(desk, "mia").reply(key, "Hello.").held
    assert held and held.number
    assert looking_list(desk, "mia", held=True) == [key]
    at(desk, "mia").drop_held(held.number)
    assert "held" not in desk.ticket(key).kinds and looking_list(desk, "mia", held=True) == []


def looking_list(desk: HelpDesk, name: str, **criteria: Any) -> list[str]:
    return [face["id"] for face in looking.list_(at(desk, name).onlooker, **criteria)]


def test_what_the_requester_wrote_meanwhile_keeps_the_ticket_open(desk: HelpDesk) -> None:
    key = opened(desk)
    see(desk, "mia", key)
    desk.later(hours=1)
    acknowledgement = desk.deliver()[0]
    desk.receive(mail("bob@mail.example", "Re: Deposit", "It is 500, not 250.", answers=acknowledgement))
    answered = at(desk, "mia").reply(key, "We look for 250 USDT.")
    assert answered.outgoing and [m.new_text for m in answered.new_since] == ["It is 500, not 250."]
    row = desk.ticket(key).row
    assert (row.status, row.waiting_for, row.waiting_since) == ("open", "us", desk.now)


def test_participants_get_copies_and_a_participant_s_mail_is_answered_to_them(desk: HelpDesk) -> None:
    key = opened(desk)
    acknowledgement = desk.deliver()[0]
    at(desk, "mia").add_participant(key, "law@firm.example")
    first = at(desk, "mia").reply(key, "One.")
    assert (first.to, first.copies) == ("bob@mail.example", ("law@firm.example",))
    desk.receive(mail("law@firm.example", "Re: Deposit", "I write for Bob.", answers=acknowledgement))
    second = at(desk, "mia").reply(key, "Two.")
    assert (second.to, second.copies) == ("law@firm.example", ("bob@mail.example",))
    assert "I write for Bob." in words(answers_to(desk, key)[-1])


def test_a_copy_makes_a_participant(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").reply(key, "One.", Wish(copies=("law@firm.example",)))
    assert desk.ticket(key).participants == ("law@firm.example",)
    held = at(desk, "mia").reply(key, "Two.", Wish(copies=("tom@coinharbor.com",))).held
    assert held and [h.code for h in held.hindrances] == ["staff_address"]


def test_a_colleague_s_cover_note_is_not_quoted(desk: HelpDesk) -> None:
    key = opened(desk, "Mia <mia@coinharbor.com>", subject="Fwd: Deposit", text="Known fraudster!\n\n> my deposit")
    at(desk, "mia").set_requester(key, "victor@mail.example")
    answered = at(desk, "mia").reply(key, "We look into it.", Wish(anyway=True))
    wire = words(answers_to(desk, key)[0])
    assert answered.to == "victor@mail.example"
    assert "fraudster" not in wire and "mia@" not in wire


def test_two_people_s_tickets_are_merged_only_anyway_and_neither_reads_the_other(desk: HelpDesk) -> None:
    bob = opened(desk)
    eve = opened(desk, "eve@mail.example", text="My deposit of 9 BTC is a secret of mine.")
    with pytest.raises(Refused, match="two people"):
        at(desk, "mia").merge(eve, bob)
    at(desk, "mia").merge(eve, bob, anyway=True)
    answered = at(desk, "mia").reply(bob, "It is on its way.")
    assert (answered.to, answered.copies) == ("bob@mail.example", ())
    assert "9 BTC" not in words(answers_to(desk, bob)[0])


def test_what_was_seen_of_a_ticket_says_nothing_of_what_is_merged_into_it(desk: HelpDesk) -> None:
    first, second = opened(desk), opened(desk, subject="Deposit again", text="Where is it? It is 500 USDT.")
    at(desk, "mia").reply(first, "It is on its way.")
    see(desk, "tom", second)
    at(desk, "mia").merge(first, second)
    held = at(desk, "tom").reply(second, "Please wait.").held
    assert held and [h.code for h in held.hindrances] == ["collision"]


def test_a_bounced_address_holds_the_answer(desk: HelpDesk) -> None:
    key = opened(desk)
    with desk.database.write() as session:
        tickets.set_undeliverable(session, "bob@mail.example", desk.now, "5.1.1 no such user")
    held = at(desk, "mia").reply(key, "Hello.").held
    assert held and [h.code for h in held.hindrances] == ["bounced"]
    face = deeds.reply(at(desk, "mia"), name=key, text="Hello.", anyway=True)
    assert "5.1.1" in face["warning"]


def test_next_is_the_first_of_the_queue_and_two_who_take_at_once_get_two(desk: HelpDesk) -> None:
    keys = [opened(desk, f"bob{n}@mail.example") for n in range(4)]
    assert looking.next_(at(desk, "mia").onlooker)["id"] == keys[0]
    taken: list[str | None] = []
    barrier = threading.Barrier(4)

    def take(name: str) -> None:
        barrier.wait()
        taken.append(at(desk, name).take_next())

    threads = [threading.Thread(target=take, args=(name,)) for name in ("mia", "mia", "root", "root")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(filter(None, taken)) == sorted(keys)
    assert at(desk, "mia").take_next() is None


def test_next_is_of_one_s_teams_and_never_a_colleague_s(desk: HelpDesk) -> None:
    deposit = opened(desk)
    assert looking.next_(at(desk, "tom").onlooker)["id"] is None
    assert looking.next_(at(desk, "tom").onlooker, team="money")["id"] == deposit
    at(desk, "tom").assign(deposit, "tom")
    assert looking.next_(at(desk, "mia").onlooker)["id"] is None
    assert looking.next_(at(desk, "tom").onlooker, team="money")["id"] == deposit
    with pytest.raises(NotFound):
        looking.next_(at(desk, "tom").onlooker, team="nobody")


def test_what_the_filter_holds_for_spam_is_next_only_when_nothing_else_waits(desk: HelpDesk) -> None:
    spam = opened(desk, "eve@mail.example", X_Spam_Flag="YES")
    desk.later(hours=1)
    key = opened(desk)
    assert [at(desk, "mia").take_next() for _ in range(3)] == [key, spam, None]


def test_a_follow_up_is_counted_by_how_long_it_waited(desk: HelpDesk) -> None:
    key = opened(desk)
    desk.later(hours=5)
    at(desk, "mia").reply(key, "It is on its way.")
    answer = desk.deliver()[-1]
    desk.later(hours=1)
    began = desk.now
    desk.receive(mail("bob@mail.example", "Re: Deposit", "It is not here.", answers=message_id(answer)))
    desk.later(hours=3)
    with desk.database.read() as session:
        assert follow_ups(session, began) == []
    at(desk, "mia").reply(key, "Now it is.")
    with desk.database.read() as session:
        assert follow_ups(session, began) == [3.0]
        assert follow_ups(session, desk.now) == []


def test_who_waits_again_is_next(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").reply(key, "It is on its way.")
    answer = desk.deliver()[-1]
    assert looking.next_(at(desk, "mia").onlooker)["id"] is None
    desk.later(hours=1)
    desk.receive(mail("bob@mail.example", "Re: Deposit", "It is not here.", answers=message_id(answer)))
    assert looking.next_(at(desk, "mia").onlooker)["id"] == key


def test_a_promise_that_becomes_earlier_is_told_and_a_later_one_is_not_taken_back(desk: HelpDesk) -> None:
    key = opened(desk)
    before = desk.ticket(key).row.promised_by
    changed = at(desk, "mia").change(key, Change(priority="low"))
    assert changed.promised_by is None and desk.ticket(key).row.promised_by == before
    changed = at(desk, "mia").change(key, Change(priority="urgent"))
    row = desk.ticket(key).row
    assert before and row.promised_by == changed.promised_by and row.promised_by and row.promised_by < before
    assert [o.kind for o in desk.outbox()][-1] == "sooner"
    with pytest.raises(Refused, match="there is no category"):
        at(desk, "mia").change(key, Change(category="cake"))


def test_only_members_are_assigned(desk: HelpDesk) -> None:
    key = opened(desk)
    with pytest.raises(Refused, match="mia, tom"):
        at(desk, "mia").assign(key, "bob")
    assert at(desk, "mia").assign(key, "tom") == (key, "")
    assert at(desk, "mia").assign(key, "mia") == (key, "tom")


def test_several_at_once_have_one_result_each(desk: HelpDesk) -> None:
    keys = [opened(desk, f"bob{n}@mail.example") for n in range(3)]
    at(desk, "mia").close(keys[1])
    faces = list(deeds.close(at(desk, "mia"), names=[*keys, "MT-0000-0000"]))
    assert [face["error"] is None for face in faces] == [True, False, True, False]
    assert [desk.ticket(key).row.status for key in keys] == ["closed"] * 3


def test_lists_by_person_team_and_order(desk: HelpDesk) -> None:
    first = opened(desk)
    desk.later(hours=1)
    second = opened(desk, "eve@mail.example", subject="Hello", text="Do you have an office in Berlin?")
    at(desk, "tom").assign(second, "tom")
    assert looking_list(desk, "tom", mine=True) == [second]
    assert looking_list(desk, "mia", assigned="none") == [first]
    assert looking_list(desk, "mia", team="money") == [first]
    assert looking_list(desk, "mia", sort="promise") == [first, second]
    assert looking_list(desk, "mia", sort="updated") == [second, first]
    at(desk, "mia").solve(first)
    assert looking_list(desk, "mia") == [second]
    assert looking_list(desk, "mia", everything=True) == [second, first]


def test_the_files_of_an_answer_are_read_again(desk: HelpDesk) -> None:
    key = opened(desk)
    file = File("报告.pdf", "application/pdf", b"%PDF" + b"x" * 500)
    at(desk, "mia").reply(key, "Here.", Wish(files=(file,)))
    (entry,) = [e for e in see(desk, "mia", key)["conversation"] if e["kind"] == "staff-reply"]
    assert entry["files"] == ["报告.pdf"]
    assert at(desk, "mia").attachment(entry["attachments"][0]["id"]) == file
    names = [a.name for a in read(answers_to(desk, key)[0], desk.site.brief.ourselves).attachments]
    assert names == ["报告.pdf"]


def test_too_many_bytes_are_not_sent(desk: HelpDesk) -> None:
    key = opened(desk)
    held = at(desk, "mia").reply(key, "Here.", Wish(files=(File("a.bin", "", b"x" * 5_000_001),))).held
    assert held and held.number is None and [h.code for h in held.hindrances] == ["too_large"]


def test_ready_answers_are_filled_in(desk: HelpDesk, tmp_path: Path) -> None:
    for language, text in (("en", "Dear {name}, about {ticket_id}: wait."), ("zh-Hans", "{name}，请稍候。")):
        (tmp_path / language).mkdir()
        (tmp_path / language / "wait.md").write_text(text)
    desk.reopen(staff=STAFF, team=TEAMS, desk={"canned": str(tmp_path)})  # type: ignore[arg-type]
    english = opened(desk, "Bob Miller <bob@mail.example>")
    words_of_li = "您好，我今天充值的250 USDT还没有到账，请帮我查一下。"
    chinese = opened(desk, "李雷 <li@mail.example>", subject="充值没有到账", text=words_of_li)
    for key in (english, chinese):
        at(desk, "mia").reply(key, "And more.", Wish(canned="wait"))
    text = words(answers_to(desk, english)[0]).replace("\r\n", "\n")
    assert f"Dear Bob Miller, about {english}: wait.\n\nAnd more." in text
    assert "李雷，请稍候。" in words(answers_to(desk, chinese)[0])
    with pytest.raises(NotFound, match="wait"):
        at(desk, "mia").reply(english, "x", Wish(canned="missing"))


def test_the_state_after_an_answer_is_its_writer_s_word(desk: HelpDesk) -> None:
    for then, status, waits in (("open", "open", "us"), ("solved", "solved", "nobody"), ("pending", "pending", "them")):
        key = opened(desk, f"{then}@mail.example")
        at(desk, "mia").reply(key, "Hello.", Wish(then=then))  # type: ignore[arg-type]
        row = desk.ticket(key).row
        assert (row.status, row.waiting_for) == (status, waits)


def test_a_workload_is_told(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "mia").assign(key, "mia")
    desk.later(days=10)
    mia, tom = looking.staff(at(desk, "tom").onlooker)
    assert (mia["open"], mia["slipping"], mia["teams"], tom["open"]) == (1, 1, ["money"], 0)
    at(desk, "mia").reply(key, "Sorry.")
    (mia, _) = looking.staff(at(desk, "tom").onlooker)
    assert (mia["open"], mia["slipping"], mia["last_answer_at"]) == (1, 1, desk.now.isoformat())


def test_a_copy_that_bounces_leaves_the_answer_as_it_is(desk: HelpDesk) -> None:
    key = opened(desk)
    number = at(desk, "mia").reply(key, "One.", Wish(copies=("law@firm.example",))).outgoing or 0
    desk.deliver()
    with desk.database.read() as session:
        row = outgoing.by_id(session, number)
    report = (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: support@coinharbor.com\r\nSubject: failure notice\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; law@firm.example\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {row.message_id}\r\nSubject: x\r\n\r\n--b--\r\n"
    )
    desk.receive(report.encode())
    stored = desk.ticket(key)
    assert stored.happened("copy failed") and stored.row.status == "pending"
    assert [o.state for o in desk.outbox() if o.id == number] == ["sent"]
    desk.later(hours=1)
    held = at(desk, "mia").reply(key, "Two.").held
    assert held and [h.code for h in held.hindrances] == ["bounced"]


def test_a_held_answer_goes_to_nobody_else_after_a_merge(desk: HelpDesk) -> None:
    eve, bob = opened(desk, "eve@mail.example"), opened(desk)
    at(desk, "tom").assign(eve, "tom")
    held = at(desk, "mia").reply(eve, "Dear Eve, your 9 BTC are here.").held
    assert held and held.number
    at(desk, "mia").merge(eve, bob, anyway=True)
    with pytest.raises(Refused, match=r"written to eve@mail\.example, and would go to bob@mail\.example"):
        at(desk, "mia").send_held(held.number)
    assert answers_to(desk, bob) == []
    assert at(desk, "mia").send_held(held.number, anyway=True).to == "bob@mail.example"


def test_a_held_answer_goes_to_nobody_else_after_the_requester_changed(desk: HelpDesk) -> None:
    key = opened(desk, "eve@mail.example")
    at(desk, "tom").assign(key, "tom")
    held = at(desk, "mia").reply(key, "Dear Eve, your 9 BTC are here.").held
    assert held and held.number
    at(desk, "mia").set_requester(key, "victor@mail.example")
    with pytest.raises(Refused, match=r"would go to victor@mail\.example"):
        at(desk, "mia").send_held(held.number)


def test_a_held_answer_follows_its_reader_to_another_address_of_theirs(desk: HelpDesk) -> None:
    key = opened(desk)
    acknowledgement = desk.deliver()[0]
    at(desk, "tom").assign(key, "tom")
    held = at(desk, "mia").reply(key, "Hello.", Wish(copies=("law@firm.example",))).held
    assert held and held.number
    at(desk, "mia").link_addresses("bob@mail.example", "bob@work.example")
    desk.receive(mail("bob@work.example", "Re: Deposit", "Write here.", answers=acknowledgement))
    assert at(desk, "mia").send_held(held.number).to == "bob@work.example"


def test_who_names_a_merged_ticket_answers_its_own_requester_or_nobody(desk: HelpDesk) -> None:
    eve, bob = opened(desk, "eve@mail.example"), opened(desk)
    at(desk, "mia").merge(eve, bob, anyway=True)
    held = at(desk, "mia").reply(eve, "Dear Eve, your 9 BTC are here.").held
    assert held and [h.code for h in held.hindrances] == ["recipient"]
    assert at(desk, "mia").reply(bob, "Dear Bob.").outgoing


def test_references_name_no_letter_to_somebody_else(desk: HelpDesk) -> None:
    eve, bob = opened(desk, "eve@mail.example"), opened(desk)
    to_eve, to_bob = map(message_id, desk.deliver())
    at(desk, "mia").merge(eve, bob, anyway=True)
    at(desk, "mia").reply(bob, "Hello.")
    references = str(parsed(answers_to(desk, bob)[0])["References"])
    assert to_bob in references and to_eve not in references


def test_letters_about_a_ticket_go_to_its_requester_whoever_wrote_last(desk: HelpDesk) -> None:
    key = opened(desk)
    acknowledgement = desk.deliver()[0]
    at(desk, "mia").add_participant(key, "law@firm.example")
    desk.receive(mail("law@firm.example", "Re: Deposit", "I write for Bob.", answers=acknowledgement))
    at(desk, "mia").change(key, Change(priority="urgent"))
    at(desk, "mia").close(key, notify=True)
    letters = {o.kind: o.recipient for o in desk.outbox()}
    assert (letters["sooner"], letters["solved"]) == ("bob@mail.example", "bob@mail.example")


def test_signature_and_names_of_files_are_guarded_too(desk: HelpDesk) -> None:
    key = opened(desk)
    file = File("tom@coinharbor.com.txt", "text/plain", b"x")
    for wish in (Wish(signs="Tom <tom@coinharbor.com>"), Wish(files=(file,))):
        held = at(desk, "mia").reply(key, "Hello.", wish).held
        assert held and [h.code for h in held.hindrances] == ["staff_address"]


def test_nobody_has_seen_what_is_not_there(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "tom").reply(key, "It is on its way.")
    newest = max(int(m.id or 0) for m in desk.ticket(key).messages)
    for number in (newest + 1, 10**30, -1):
        with pytest.raises(Refused, match=f"has no message {number}: its newest is {newest}"):
            at(desk, "mia").reply(key, "Please wait.", Wish(seen=number))


@pytest.mark.parametrize("text", ["\u200b", "\xad\n\xa0", "\ufeff\u2060"])
def test_an_answer_or_a_note_that_nobody_sees_is_empty(desk: HelpDesk, text: str) -> None:
    key = opened(desk)
    for write in (at(desk, "mia").reply, at(desk, "mia").note):
        with pytest.raises(Refused, match="empty"):
            write(key, text)


def test_of_several_who_send_and_drop_a_held_answer_at_once_one_succeeds(desk: HelpDesk) -> None:
    key = opened(desk)
    at(desk, "tom").assign(key, "tom")
    held = at(desk, "mia").reply(key, "Hello.").held
    number = held.number or 0 if held else 0
    barrier, results = threading.Barrier(4), []

    def act(deed: Callable[[int], object]) -> None:
        barrier.wait(30)
        try:
            results.append(deed(number))
        except Exception as error:
            results.append(type(error))

    hands = at(desk, "tom")
    deeds_at_once = (hands.send_held, hands.send_held, hands.send_held, hands.drop_held)
    threads = [threading.Thread(target=act, args=(deed,)) for deed in deeds_at_once]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results.count(NotFound) == 3 and len(results) == 4
    assert len(answers_to(desk, key)) == sum(isinstance(result, Answered) for result in results)


def test_a_subject_that_staff_set_says_nothing_that_requesters_may_not_read(desk: HelpDesk) -> None:
    key, other = opened(desk), opened(desk, "eve@mail.example")
    for subject in (
        f"As in {other}",
        "Ask tom@coinharbor.com",
        "seed: " + "legal winner thank year wave sausage worth useful legal winner thank yellow",
    ):
        with pytest.raises(Refused, match="the requester reads the subject"):
            at(desk, "mia").change(key, Change(subject=subject))
    assert at(desk, "mia").change(key, Change(subject="Deposit of 250 USDT")).details
