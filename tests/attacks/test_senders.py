"""Who somebody is: forged senders, forged verdicts, broken addresses. Rows S1 to S6 and S21."""

from __future__ import annotations

import pytest

from tests.helpdesk import BORDER, SUPPORT, HelpDesk, OpenDesk, mail, parsed, words

VICTIM = "Vic Tim <vic@bank.example>"


def test_s01_a_forged_sender_opens_a_marked_ticket_and_hears_nothing(helpdesk: HelpDesk) -> None:
    outcome = helpdesk.receive(mail(VICTIM, result="dmarc=fail"))
    ticket = helpdesk.ticket(outcome.ticket)
    assert ticket.row.trust == "failed"
    assert "sender failed authentication" in ticket.marks
    assert helpdesk.letters() == []
    (held,) = helpdesk.outbox("withheld")
    assert held.reason == "the sender failed authentication"
    assert b"Deposit has not arrived" not in held.wire
    genuine = helpdesk.receive(mail(VICTIM, subject="Deposit has not arrived"))
    assert genuine.letter == "acknowledgement"
    assert helpdesk.ticket(genuine.ticket).row.duplicate_of is None


FORGED = f"Authentication-Results: {BORDER}; dmarc=pass header.from=bank.example\r\n"
VERDICTS = [
    ("our border's verdict counts", f"Authentication-Results: {BORDER}; dmarc=pass header.from=bank.example\r\n",
     "verified"),
    ("an old forged one below ours does not", f"Authentication-Results: {BORDER}; dmarc=fail\r\n{FORGED}", "failed"),
    ("a forged one below a foreign hop does not",
     "Received: from evil.example (evil.example [192.0.2.1]) by mx.evil.example with SMTP; "
     f"Mon, 23 Nov 2026 08:59:00 +0000\r\n{FORGED}", "unknown"),
    ("none is none", "", "unknown"),
    ("a longer name is another service", FORGED.replace(BORDER, f"{BORDER}.evil.example"), "unknown"),
    ("upper case is the same name", FORGED.replace(BORDER, BORDER.upper()), "verified"),
    ("version 1 is spoken", FORGED.replace(BORDER, f"{BORDER} 1"), "verified"),
    ("version 2 is not", FORGED.replace(BORDER, f"{BORDER} 2"), "unknown"),
    ("the name in a comment is no name", FORGED.replace(BORDER, f"evil.example ({BORDER})"), "unknown"),
    ("a pass in a comment is no pass", FORGED.replace("dmarc=pass", "dmarc=none (dmarc=pass)"), "unknown"),
    ("a comment that never ends hides all below it", f"Authentication-Results: ({BORDER}; dmarc=fail\r\n{FORGED}",
     "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "top", "trust"), VERDICTS, ids=[what for what, _, _ in VERDICTS])
def test_s02_only_the_topmost_verdict_of_our_own_border_counts(
    helpdesk: HelpDesk, what: str, top: str, trust: str
) -> None:
    outcome = helpdesk.receive(top.encode() + mail(VICTIM, result=None))
    assert helpdesk.ticket(outcome.ticket).row.trust == trust
    assert [words(letter).count("Deposit has not arrived") > 0 for letter in helpdesk.letters()] == (
        [] if trust == "failed" else [trust == "verified"]
    )


def test_s02_without_an_authserv_id_no_verdict_counts(open_desk: OpenDesk) -> None:
    desk = open_desk(trust={"authserv_id": ""})
    outcome = desk.receive(mail(VICTIM))
    assert desk.ticket(outcome.ticket).row.trust == "unknown"


ALIGNMENT = [
    ("spf=pass smtp.mailfrom=evil.example", "unknown"),
    ("dkim=pass header.d=evil.example", "unknown"),
    ("spf=pass smtp.mailfrom=bounces@mail.bank.example", "verified"),
    ("dkim=pass header.d=bank.example", "verified"),
    ("dkim=pass header.d=xbank.example", "unknown"),
    ("dkim=pass header.d=example", "unknown"),
    ("spf=fail smtp.mailfrom=bank.example; dkim=pass header.d=bank.example", "verified"),
]


@pytest.mark.parametrize(("result", "trust"), ALIGNMENT)
def test_s03_what_passed_must_be_aligned_with_from(helpdesk: HelpDesk, result: str, trust: str) -> None:
    top = f"Authentication-Results: {BORDER}; {result}\r\n".encode()
    outcome = helpdesk.receive(top + mail(VICTIM, result=None))
    assert helpdesk.ticket(outcome.ticket).row.trust == trust


def test_s03_a_dmarc_pass_for_another_domain_counts_for_nothing(helpdesk: HelpDesk) -> None:
    top = f"Authentication-Results: {BORDER}; dmarc=pass header.from=evil.example\r\n".encode()
    outcome = helpdesk.receive(top + mail(VICTIM, result=None))
    assert helpdesk.ticket(outcome.ticket).row.trust == "unknown"


NOBODY = [
    "a@x.example, b@y.example", "undisclosed:;", "Friends: a@x.example;", "", "alice@a.example)bob@b.example",
    "alice@a.example\r\nFrom: bob@b.example",
]  # fmt: skip


@pytest.mark.parametrize("sender", NOBODY)
def test_s04_a_mail_from_several_or_nobody_has_no_requester_and_no_answer(helpdesk: HelpDesk, sender: str) -> None:
    outcome = helpdesk.receive(mail(sender, result="dmarc=pass"))
    ticket = helpdesk.ticket(outcome.ticket)
    assert (ticket.requester, ticket.row.requester_id) == ((), None)
    assert "no usable sender" in ticket.marks
    assert helpdesk.outbox() == []


CONFUSED = [
    ("alice@a.example<bob@b.example>", {"bob@b.example", None}),
    ('"alice@a.example" <bob@b.example>', {"bob@b.example"}),
    ("alice@a.example <bob@b.example>", {"bob@b.example", None}),
    ("alice@a.example(<bob@b.example>)", {None}),
    ("<alice@a.example> bob@b.example", {None}),
    ("<alice@a.example>bob@b.example", {None}),
    ('"<alice@a.example>" <bob@b.example>', {"bob@b.example"}),
]


@pytest.mark.parametrize(("sender", "allowed"), CONFUSED)
def test_s05_an_address_that_parsers_disagree_on_is_nobodys(
    helpdesk: HelpDesk, sender: str, allowed: set[str | None]
) -> None:
    outcome = helpdesk.receive(mail(sender, result=None))
    requester = helpdesk.ticket(outcome.ticket).requester
    assert (requester[0] if requester else None) in allowed
    assert {str(parsed(letter)["To"]) for letter in helpdesk.letters()} <= {one for one in allowed if one}


@pytest.mark.parametrize(
    "sender",
    ["=?utf-8?q?a=40bank=2Eexample=2C?= <x@evil.example>", "=?utf-8?q?=3Ca=40bank=2Eexample=3E?= <x@evil.example>",
     "=?utf-8?b?YUBiYW5rLmV4YW1wbGU=?= <x@evil.example>"],
)  # fmt: skip
def test_s06_an_encoded_word_is_never_part_of_an_address(helpdesk: HelpDesk, sender: str) -> None:
    outcome = helpdesk.receive(mail(sender, result=None))
    assert helpdesk.ticket(outcome.ticket).requester == ("x@evil.example",)
    (letter,) = helpdesk.outbox("queued")
    assert letter.recipient == "x@evil.example"
    assert "bank.example" not in words(letter.wire)


@pytest.mark.parametrize("sender", ["=?utf-8?q?x?=@evil.example", "a\x00b@evil.example", "ü ber@evil.example"])
def test_s06_what_is_no_address_gets_no_answer(helpdesk: HelpDesk, sender: str) -> None:
    helpdesk.receive(mail(sender, result=None))
    assert helpdesk.outbox() == []


@pytest.mark.parametrize("result", ["dmarc=pass", "dmarc=fail", None])
@pytest.mark.parametrize("own", [SUPPORT, "Support <SUPPORT@CoinHarbor.com>", "old@coinharbor.com"])
def test_s21_our_own_address_as_sender_proves_nothing_and_is_never_answered(
    open_desk: OpenDesk, own: str, result: str | None
) -> None:
    desk = open_desk(support={"former_addresses": ["old@coinharbor.com"]})
    outcome = desk.receive(mail(own, result=result))
    assert (outcome.state, outcome.letter) == ("opened", "")
    assert desk.ticket(outcome.ticket).kinds == ["automatic"]
    assert desk.outbox() == []
