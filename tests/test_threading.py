"""A reply lands on its ticket: the order of evidence, closed and merged tickets, commands, and what `why` tells."""

from __future__ import annotations

import pytest

from mailticket.desk.hands import Change
from mailticket.errors import Refused
from mailticket.store.tickets import by_key, position
from tests.helpdesk import HelpDesk, OpenDesk, mail, message_id, parsed, words
from tests.servers.databases import Databases

ANN = "Ann Lee <ann@mail.example>"
BOB = "Bob <bob@mail.example>"
MATTERS = [
    ("Deposit missing", "My deposit of 250 USDT over TRON has not arrived since Monday."),
    ("API key", "The API answers 401 invalid signature for my trading bot."),
    ("Identity check", "My passport was refused by your identity check, why?"),
]


def opened(desk: HelpDesk, sender: str = ANN, number: int = 0) -> tuple[str, bytes]:
    """A new ticket of somebody: its ID, and the letter that left."""
    subject, text = MATTERS[number]
    outcome = desk.receive(mail(sender, subject=subject, text=text))
    assert outcome.state == "opened"
    return outcome.ticket or "", desk.deliver()[-1]


REPLIES = [
    "Re: Deposit missing [{}]", "RE: AW: SV: {}", "回复：答复：转发： 【{}】", "Fwd: Re: Your ticket {}",
    "=?utf-8?b?5Zue5aSN77ya?= [{}]",
]  # fmt: skip


@pytest.mark.parametrize("subject", REPLIES)
def test_a_reply_is_known_by_the_subject_alone(helpdesk: HelpDesk, subject: str) -> None:
    ticket, _ = opened(helpdesk)
    for form in (ticket, ticket.lower(), ticket.replace("-", ""), ticket.replace("-", " ")):
        outcome = helpdesk.receive(mail(ANN, subject=subject.format(form), text=f"More about it {form}."))
        assert (outcome.ticket, outcome.rule) == (ticket, "subject")


def test_a_folded_subject_still_names_its_ticket(helpdesk: HelpDesk) -> None:
    ticket, _ = opened(helpdesk)
    raw = mail(ANN, subject="PLACE", text="More.")
    for folded in (
        f"Re: [{ticket[:8]}\r\n {ticket[8:]}]",
        f"Re:\r\n\t[{ticket}]",
        f"=?utf-8?q?[{ticket[:5]}?=\r\n =?utf-8?q?{ticket[5:]}]?=",
    ):
        again = raw.replace(b"PLACE", folded.encode()).replace(b"<mail-", f"<{len(folded)}-".encode())
        assert helpdesk.receive(again).ticket == ticket


def test_references_are_enough_without_any_subject(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    for headers in (
        {"In_Reply_To": message_id(letter)},
        {"References": f"<x@y.example> {message_id(letter)} <z@y.example>"},
        {"In_Reply_To": message_id(letter).upper()},
    ):
        outcome = helpdesk.receive(mail(ANN, subject="", text=str(headers), **headers))
        assert (outcome.ticket, outcome.rule) == (ticket, "signed reference")


def test_the_requesters_own_earlier_mail_is_enough(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(ANN, Message_ID="<first@mail.example>"))
    more = helpdesk.receive(mail(ANN, subject="PS", text="PS: the TXID follows.", answers="<first@mail.example>"))
    assert (more.ticket, more.rule) == (outcome.ticket, "own earlier mail")
    stranger = helpdesk.receive(mail(BOB, subject="PS", text="PS: me too.", answers="<first@mail.example>"))
    assert stranger.state == "opened"


def test_better_evidence_wins_and_the_conflict_is_on_record(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"signed_reply_address": True})
    (one, first), (two, second), (three, _) = (opened(desk, number=number) for number in range(3))
    address = str(parsed(first)["Reply-To"])
    everything = mail(ANN, To=address, subject=f"Re: {three}", answers=second, text="Which one is it?")
    outcome = desk.receive(everything)
    assert (outcome.ticket, outcome.rule) == (one, "reply address")
    assert desk.evidence(outcome)["conflict"] == f"weaker evidence led to {', '.join(sorted((two, three)))}"
    assert desk.ticket(one).happened("conflict")
    by_reference = desk.receive(mail(ANN, subject=f"Re: {three}", answers=second, text="And this?"))
    assert (by_reference.ticket, by_reference.rule) == (two, "signed reference")


def test_of_two_references_the_newest_wins_and_of_two_ids_the_first(helpdesk: HelpDesk) -> None:
    (one, first), (two, second) = (opened(helpdesk, number=number) for number in range(2))
    both = mail(ANN, text="a", subject="x", References=f"{message_id(second)} {message_id(first)}")
    assert helpdesk.receive(both).ticket == one
    named = helpdesk.receive(mail(ANN, text="b", subject=f"{two} and {one}"))
    assert (named.ticket, "conflict" in helpdesk.evidence(named)) == (two, True)


def test_an_id_of_somebody_else_beside_ones_own_leads_to_ones_own(helpdesk: HelpDesk) -> None:
    own, _ = opened(helpdesk)
    other, _ = opened(helpdesk, BOB, 1)
    outcome = helpdesk.receive(mail(ANN, subject=f"{other} {own}", text="mine"))
    assert (outcome.ticket, outcome.state) == (own, "appended")


@pytest.mark.parametrize("former", ["prefix", "address"])
def test_former_prefixes_and_addresses_stay_good(helpdesk: HelpDesk, former: str) -> None:
    ticket, letter = opened(helpdesk)
    if former == "prefix":
        helpdesk.reopen(support={"prefix": "CH", "former_prefixes": ["MT"]})
        new, _ = opened(helpdesk, number=1)
        assert new.startswith("CH-")
    else:
        helpdesk.reopen(support={"address": "help@harbor.example", "former_addresses": ["support@coinharbor.com"]})
    assert helpdesk.receive(mail(ANN, subject=ticket, text="by ID")).ticket == ticket
    assert helpdesk.receive(mail(ANN, answers=letter, text="by reference")).ticket == ticket


def test_a_reply_within_the_time_of_grace_reopens(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.close(ticket)
    helpdesk.later(days=13)
    assert helpdesk.receive(mail(ANN, answers=letter, text="Not yet!")).ticket == ticket
    after = helpdesk.ticket(ticket)
    assert (after.row.status, after.row.closed_at) == ("open", None)
    assert after.happened("reopened") == ["closed -> open"]


def test_a_later_reply_opens_a_linked_ticket_and_its_letter_names_both(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.close(ticket)
    helpdesk.later(days=15)
    outcome = helpdesk.receive(mail(ANN, answers=letter, text="It happened again."))
    assert (outcome.state, outcome.rule) == ("opened", "late reply")
    new = helpdesk.ticket(outcome.ticket)
    assert new.row.linked_to == helpdesk.ticket(ticket).row.id
    assert helpdesk.ticket(ticket).row.status == "closed"
    said = words(helpdesk.letters()[0])
    assert ticket in said
    assert new.row.key in said
    assert helpdesk.evidence(outcome)["closed"] == f"{ticket} has been closed for more than 14 days"


def test_a_late_reply_from_another_address_learns_nothing(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.close(ticket)
    helpdesk.later(days=15)
    outcome = helpdesk.receive(mail(BOB, answers=letter, text="Forwarded to me."))
    assert helpdesk.ticket(outcome.ticket).row.linked_to is None
    assert ticket not in words(helpdesk.letters()[0])


def test_merge_keeps_the_conversation_and_redirects_every_reply(helpdesk: HelpDesk) -> None:
    (one, first), (two, second) = opened(helpdesk), opened(helpdesk, BOB, 1)
    assert helpdesk.desk.merge(two, one, anyway=True) == (two, one)
    assert sorted(helpdesk.ticket(one).kinds) == ["acknowledgement", "acknowledgement", "request", "request"]
    for raw in (mail(BOB, answers=second, text="a"), mail(BOB, subject=two, text="b"), mail(ANN, subject=one, text="c"),
                mail(ANN, subject=two, text="d")):  # fmt: skip
        outcome = helpdesk.receive(raw)
        assert (outcome.state, outcome.ticket) == ("appended", one), outcome
    assert "merged into" in helpdesk.evidence(outcome)["subject"]
    assert first != second


def test_split_brings_back_what_merge_moved_and_nothing_else(helpdesk: HelpDesk) -> None:
    (one, _), (two, second), (three, _) = opened(helpdesk), opened(helpdesk, BOB, 1), opened(helpdesk, number=2)
    helpdesk.desk.merge(two, one, anyway=True)
    helpdesk.desk.merge(one, three, anyway=True)
    helpdesk.receive(mail(BOB, answers=second, text="later"))
    assert helpdesk.ticket(three).kinds.count("request") == 3
    helpdesk.desk.split(one)
    assert helpdesk.ticket(one).kinds.count("request") == 2, "what was merged into it before comes with it"
    assert helpdesk.ticket(three).kinds.count("request") == 1
    helpdesk.desk.split(two)
    assert helpdesk.ticket(two).kinds == ["request", "acknowledgement"]
    assert [m.from_address for m in helpdesk.ticket(one).messages if m.direction == "in"] == ["ann@mail.example"]
    assert helpdesk.ticket(three).messages[-1].new_text == "later", "what came after the merge stays where it came"
    assert helpdesk.receive(mail(BOB, subject=one, text="no more")).state == "opened", "the right to write ended too"
    assert helpdesk.receive(mail(BOB, subject=two, text="here")).ticket == two
    assert helpdesk.ticket(two).row.status == "new"


def test_a_ticket_is_split_out_of_a_chain_of_merges(helpdesk: HelpDesk) -> None:
    """Its messages lie at the end of the chain: that ticket is what it was before, and the one between is as merged as
    ever."""
    keys = []
    for number in range(3):
        keys.append(opened(helpdesk, number=number)[0])
        helpdesk.later(hours=1)
    one, two, three = keys
    before = {key: helpdesk.ticket(key).row for key in keys}
    helpdesk.desk.merge(one, two, anyway=True)
    helpdesk.desk.merge(two, three, anyway=True)
    with helpdesk.database.read() as session:
        assert [helpdesk.desk.find(session, key, lock=False).key for key in keys] == [three] * 3
    assert helpdesk.ticket(three).row.created_at == before[one].created_at

    helpdesk.desk.split(one)
    assert [helpdesk.ticket(key).kinds.count("request") for key in keys] == [1, 0, 2]
    for key, since in ((one, one), (three, two)):
        row = helpdesk.ticket(key).row
        assert (row.status, row.waiting_for, row.requester_id) == ("new", "us", before[key].requester_id)
        assert row.created_at == row.waiting_since == before[since].created_at
        assert helpdesk.ticket(key).happened("split")
    assert helpdesk.ticket(two).happened("split") == []
    with helpdesk.database.read() as session:
        assert [helpdesk.desk.find(session, key, lock=False).key for key in keys] == [one, three, three]
    assert helpdesk.receive(mail(ANN, subject=one, text="here")).ticket == one
    assert helpdesk.receive(mail(ANN, subject=two, text="there")).ticket == three

    helpdesk.desk.split(two)
    assert [helpdesk.ticket(key).row.created_at for key in keys] == [before[key].created_at for key in keys]
    assert [helpdesk.ticket(key).kinds.count("request") for key in keys] == [1, 1, 1]


def test_a_long_chain_of_merges_leads_to_its_end(helpdesk: HelpDesk) -> None:
    """Or what is written to its beginning would lie on a ticket that no list shows."""
    first = key = helpdesk.receive(mail(ANN, subject="Matter 0", text="About the matter of the day 0.")).ticket or ""
    for number in range(1, 25):
        text = f"About the matter of the day {number}."
        following = (
            helpdesk.receive(mail(f"p{number}@mail.example", subject=f"Matter {number}", text=text)).ticket or ""
        )
        helpdesk.desk.merge(key, following, anyway=True)
        key = following
    assert helpdesk.receive(mail(ANN, subject=first, text="Still here.")).ticket == key
    with helpdesk.database.read() as session:
        assert helpdesk.desk.find(session, first, lock=False).key == key


def test_merge_keeps_the_earlier_place_in_the_queue(helpdesk: HelpDesk) -> None:
    early, _ = opened(helpdesk)
    helpdesk.later(hours=1)
    opened(helpdesk, BOB, 0)
    helpdesk.later(hours=1)
    late, _ = opened(helpdesk, number=2)
    helpdesk.desk.merge(early, late, anyway=True)
    assert helpdesk.ticket(late).row.created_at == helpdesk.ticket(early).row.created_at
    helpdesk.desk.split(early)
    assert helpdesk.ticket(late).row.created_at > helpdesk.ticket(early).row.created_at


def test_a_ticket_cannot_be_merged_into_itself_by_any_way(helpdesk: HelpDesk) -> None:
    (one, _), (two, _) = opened(helpdesk), opened(helpdesk, BOB, 1)
    helpdesk.desk.merge(two, one, anyway=True)
    for name, into in ((one, one), (one, two), (two, one)):
        with pytest.raises(Refused):
            helpdesk.desk.merge(name, into, anyway=True)
    with pytest.raises(Refused):
        helpdesk.desk.split(one)


@pytest.mark.parametrize("word", ["STATUS", "status", " Status. ", "状态", "進度", "Status\n\n-- \nAnn Lee"])
def test_status_is_answered_and_changes_nothing(helpdesk: HelpDesk, word: str) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.reply(ticket, "Please send the TXID.")
    helpdesk.deliver()
    outcome = helpdesk.receive(mail(ANN, answers=letter, text=word))
    assert outcome.letter == "status-answer"
    assert helpdesk.ticket(ticket).row.status == "pending"
    (row,) = helpdesk.outbox("queued")
    assert (row.recipient, row.kind) == ("ann@mail.example", "status-answer")


def test_status_of_a_closed_ticket_is_answered_however_late(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.close(ticket)
    helpdesk.later(days=100)
    outcome = helpdesk.receive(mail(ANN, answers=letter, text="STATUS"))
    assert (outcome.ticket, outcome.letter) == (ticket, "status-answer")
    assert helpdesk.ticket(ticket).row.status == "closed"


def test_status_is_not_answered_to_a_participant(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.desk.add_participant(ticket, "bob@mail.example")
    outcome = helpdesk.receive(mail(BOB, answers=letter, text="STATUS"))
    assert (outcome.state, outcome.ticket, outcome.letter) == ("appended", ticket, "")
    assert helpdesk.letters() == []


def test_an_unverified_sender_commands_only_with_our_signature(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    by_id = helpdesk.receive(mail(ANN, subject=ticket, text="SOLVED", result=None))
    assert (by_id.ticket, by_id.letter, helpdesk.ticket(ticket).row.status) == (ticket, "", "new")
    signed = helpdesk.receive(mail(ANN, answers=letter, text="SOLVED", result=None))
    assert (signed.letter, helpdesk.ticket(ticket).row.status) == ("solved", "solved")


def test_solved_and_then_another_mail_reopens(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    assert helpdesk.receive(mail(ANN, answers=letter, text="已解决")).letter == "solved"
    helpdesk.receive(mail(ANN, answers=letter, text="No, it came back."))
    assert helpdesk.ticket(ticket).row.status == "open"
    helpdesk.desk.close(ticket)
    helpdesk.receive(mail(ANN, answers=letter, text="solved"))
    assert helpdesk.ticket(ticket).row.status == "closed"


SILENT = {"reply address": "none of ours", "signed reference": "no references", "own earlier mail": "no references",
          "subject": "no ticket ID"}  # fmt: skip


def test_why_names_all_that_was_looked_at_in_order(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(ANN, Delivered_To="support@coinharbor.com"))
    evidence = helpdesk.record(outcome).evidence or []
    assert [rule for rule, _ in evidence] == [
        "route", "sender", "content", "automatic", *SILENT, "duplicate", "answer",
    ]  # fmt: skip
    said = dict(evidence)
    assert {rule: said[rule] for rule in SILENT} == SILENT
    assert said["route"] == "support, delivered to support@coinharbor.com"
    assert said["sender"] == "verified: dmarc=pass for mail.example"
    assert said["answer"] == "acknowledgement"


def test_why_tells_of_evidence_that_failed(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    broken = message_id(letter).replace(".1.ack.", ".2.ack.")
    strange = helpdesk.receive(mail(ANN, subject="MT-0000-0000", text="a", References=f"<a@b> <c@d> {broken}"))
    said = helpdesk.evidence(strange)
    assert said["signed reference"] == "1 that look like ours bear no good signature"
    assert said["own earlier mail"] == "none of 3 is the sender's own"
    assert said["subject"] == "MT-0000-0000: there is no such ticket"
    failed = helpdesk.evidence(helpdesk.receive(mail(ANN, subject=ticket, text="b", result="dmarc=fail")))
    assert failed["subject"].endswith("but the sender failed authentication")
    assert failed["answer"] == "acknowledgement withheld: the sender failed authentication"


def test_why_knows_a_copy_and_its_ticket(helpdesk: HelpDesk) -> None:
    raw = mail(ANN)
    first = helpdesk.receive(raw)
    copy = helpdesk.receive(raw)
    row = helpdesk.record(copy)
    assert (row.state, row.copy_of) == ("known", first.incoming_id)
    assert row.ticket_id == helpdesk.record(first).ticket_id
    assert helpdesk.evidence(copy)["content"] == f"mail {first.incoming_id} has the same"


def test_an_honest_small_site_without_verdicts_works(open_desk: OpenDesk) -> None:
    """No authserv_id: nobody is verified, and still people reach their tickets and nobody else's."""
    desk = open_desk(trust={"authserv_id": ""})
    ticket, letter = opened(desk)
    assert desk.ticket(ticket).row.trust == "unknown"
    assert desk.receive(mail(ANN, subject=f"Re: [{ticket}]", text="by ID")).ticket == ticket
    assert desk.receive(mail(ANN, answers=letter, text="by reference")).ticket == ticket
    assert desk.receive(mail(ANN, answers=letter, text="STATUS")).letter == "status-answer"
    assert desk.receive(mail(BOB, subject=f"Re: [{ticket}]", text="not mine")).state == "opened"
    assert desk.receive(mail(ANN, answers=letter, text="SOLVED")).letter == "solved"
    assert all(mark.startswith("mentions") for stored in desk.stored() for mark in stored.marks)
    assert "Deposit missing" not in words(letter), "who is not verified reads no words of a sender"


def test_places_do_not_move_when_somebody_writes_again(helpdesk: HelpDesk) -> None:
    ticket, letter = opened(helpdesk)
    helpdesk.later(minutes=1)
    opened(helpdesk, BOB, 1)
    helpdesk.later(minutes=1)
    helpdesk.receive(mail(ANN, answers=letter, text="Hello?"))
    helpdesk.receive(mail(ANN, subject="Deposit missing!!", text=MATTERS[0][1]))
    with helpdesk.database.read() as session:
        assert position(session, by_key(session, ticket)) == 1


def test_a_link_of_addresses_lets_both_write(helpdesk: HelpDesk) -> None:
    ticket, _ = opened(helpdesk)
    assert helpdesk.receive(mail("Ann <ann@home.example>", subject=ticket, text="me")).state == "opened"
    helpdesk.desk.link_addresses("ann@mail.example", "ann@home.example")
    linked = helpdesk.receive(mail("Ann <ann@home.example>", subject=ticket, text="me again"))
    assert (linked.state, linked.ticket) == ("appended", ticket)
    first = helpdesk.receive(mail(ANN, subject="other", text="Fees?", Message_ID="<fees@mail.example>"))
    other = helpdesk.receive(mail("Ann <ann@home.example>", subject="PS", text="PS", answers="<fees@mail.example>"))
    assert (other.rule, other.ticket) == ("own earlier mail", first.ticket)
    helpdesk.desk.link_addresses("ann@mail.example", "ann@new.example")
    assert helpdesk.receive(mail("Ann <ann@new.example>", subject=ticket, text="new")).ticket == ticket


def test_participants_may_write_until_then_not(helpdesk: HelpDesk) -> None:
    ticket, _ = opened(helpdesk)
    assert helpdesk.receive(mail(BOB, subject=ticket, text="before")).state == "opened"
    helpdesk.desk.add_participant(ticket, "Bob@Mail.Example")
    assert helpdesk.receive(mail(BOB, subject=ticket, text="after")).ticket == ticket
    assert helpdesk.receive(mail(BOB, subject=ticket, text="x", result="dmarc=fail")).state == "opened"


@pytest.mark.parametrize("address", ["", "bob", "Bob <bob@mail.example>", "a@b, c@d", "support@coinharbor.com"])
def test_only_one_bare_foreign_address_can_become_a_participant(helpdesk: HelpDesk, address: str) -> None:
    ticket, _ = opened(helpdesk)
    with pytest.raises(Refused):
        helpdesk.desk.add_participant(ticket, address)
    with pytest.raises(Refused):
        helpdesk.desk.set_requester(ticket, address)


def test_a_requester_is_answered_in_the_language_they_last_wrote(helpdesk: HelpDesk) -> None:
    chinese = "我昨天充值的两百五十个USDT到现在还没有到账，请尽快帮我查询一下，谢谢。"
    first = helpdesk.receive(mail(ANN, subject="充值未到账", text=chinese))
    assert helpdesk.ticket(first.ticket).row.language == "zh-Hans"
    letter = helpdesk.deliver()[-1]
    bare = helpdesk.receive(mail(ANN, subject="TXID", text="0x" + "9f2c" * 16))
    assert helpdesk.ticket(bare.ticket).row.language == "zh-Hans", "a mail without words follows the last one"
    helpdesk.receive(mail(ANN, answers=letter, text="I am sorry, could you please answer me in English from now on?"))
    assert helpdesk.ticket(first.ticket).row.language == "en"
    helpdesk.receive(mail(ANN, subject="x", text=chinese + chinese, result="dmarc=fail"))
    empty = helpdesk.receive(mail(ANN, subject="1", text="0x" + "7f2c" * 16))
    assert helpdesk.ticket(empty.ticket).row.language == "en", "a forged mail did not choose the language"


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(postgres_databases: Databases, open_desk: OpenDesk) -> None:
    desk = open_desk(on=postgres_databases, duplicates={"ignore_address_tags": True})
    (one, first), (two, second) = opened(desk), opened(desk, BOB, 1)
    assert desk.receive(mail(ANN, answers=first, text="by reference")).ticket == one
    assert desk.receive(mail(ANN, subject=one.lower(), text="by ID")).ticket == one
    assert desk.receive(mail(BOB, subject=one, text="not mine")).state == "opened"
    own = desk.receive(mail("Ann@Mail.Example", subject="PS", text="PS", Message_ID="<ps@mail.example>"))
    more = desk.receive(mail(ANN, subject="PPS", text="PPS", answers="<ps@mail.example>"))
    assert (more.rule, more.ticket) == ("own earlier mail", own.ticket)
    assert desk.receive(mail("ann+x@mail.example", subject=MATTERS[0][0], text=MATTERS[0][1])).duplicate_of == one
    desk.desk.merge(two, one, anyway=True)
    assert desk.receive(mail(BOB, answers=second, text="merged")).ticket == one
    desk.desk.split(two)
    assert desk.receive(mail(BOB, answers=second, text="split")).ticket == two


def test_a_reply_with_a_categorys_word_sorts_the_ticket_anew_and_nothing_else(helpdesk: HelpDesk) -> None:
    key = helpdesk.receive(mail()).ticket
    [acknowledgement] = helpdesk.deliver()
    assert "Deposits" in words(acknowledgement)
    assert "Withdrawals" in words(acknowledgement)
    before = helpdesk.ticket(key).row
    helpdesk.receive(mail(text="It's about withdrawals.", answers=acknowledgement))
    after = helpdesk.ticket(key)
    assert (before.category, after.row.category) == ("deposit", "withdrawal")
    assert after.happened("set") == ["category deposit -> withdrawal"]
    assert (after.row.promised_by, after.row.priority) == (before.promised_by, before.priority)
    assert helpdesk.letters() == []


def test_a_category_that_staff_have_set_stays(helpdesk: HelpDesk) -> None:
    key = helpdesk.receive(mail()).ticket
    [acknowledgement] = helpdesk.deliver()
    helpdesk.desk.change(str(key), Change(category="trading"))
    helpdesk.receive(mail(text="提现", answers=acknowledgement))
    after = helpdesk.ticket(key)
    assert after.row.category == "trading"
    assert after.happened("category named") == ["withdrawal; staff have said trading"]
