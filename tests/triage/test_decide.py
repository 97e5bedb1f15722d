"""The judgement by itself: what must hold of every decision, whatever the mail claims and the store knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.likeness.duplicates import Fingerprint, fingerprint
from mailticket.mail.address import Address
from mailticket.mail.values import Automatic, Bounce, BounceRecipient, Mail
from mailticket.settings import Settings
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage import ticket_keys
from mailticket.triage.decide import judge
from mailticket.triage.decision import Case, Decision, Hold
from mailticket.triage.known import Bounced, Claims, Copy, Counts, Known, OpenTicket, TicketFacts
from mailticket.triage.signatures import Signed

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OURS, THEIRS = "MT-7F3K-92QW", "MT-0000-0000"
ANN, EVE = Address("Ann", "ann@mail.example"), Address("Eve", "eve@evil.example")
SETTINGS = Settings.model_validate({"support": {"address": "support@coinharbor.com"}, "smtp": {"host": "localhost"}})
TEXT = "My deposit of 250 USDT has not arrived."


def _fingerprint(text: str) -> Fingerprint:
    return fingerprint("", text, fields={}, category="deposit", category_sure=True, lexicon=EXCHANGE.lexicon)


def facts(key: str = OURS, writer: Address = ANN, **more: Any) -> TicketFacts:
    return TicketFacts(key, more.pop("status", "new"), more.pop("closed_at", None), frozenset({writer.key}),
                       frozenset({writer.key}), **more)  # fmt: skip


NOTHING_CLAIMED, NOTHING_KNOWN = Claims(), Known()


def case(mail: Mail, claims: Claims = NOTHING_CLAIMED, known: Known = NOTHING_KNOWN, **more: Any) -> Case:
    return Case(mail, claims, known, _fingerprint(mail.new_text), more.pop("settings", SETTINGS),
                EXCHANGE.lexicon, NOW,
                more.pop("arrived_at", NOW), "support", **more)  # fmt: skip


def letter(sender: Address | None = ANN, **more: Any) -> Mail:
    given = {"trust": "verified", "text": TEXT, "new_text": TEXT, "message_id": "<a@mail.example>", **more}
    return Mail("digest", "identity", 100, sender_address=sender, **given)


_SIGNED = st.sampled_from(
    [(), (Signed(ticket_keys.compact(OURS), "1", "ack"),), (Signed(ticket_keys.compact(THEIRS), "1", "ack"),)]
)
_MAILS = st.builds(
    letter,
    st.sampled_from([ANN, EVE, None]),
    trust=st.sampled_from(["verified", "unknown", "failed"]),
    automatic=st.sampled_from([None, None, None, *(Automatic(kind, "why") for kind in (  # type: ignore[arg-type]
        "bounce", "auto-reply", "auto-generated", "list", "feedback-report", "read-receipt", "own"))]),
    suppress=st.sampled_from(["", "", "spam"]),
    new_text=st.sampled_from([TEXT, "STATUS", "SOLVED", "SPLIT", ""]),
    bounce=st.sampled_from([None, Bounce((BounceRecipient("ann@mail.example", "failed", "5.1.1", "no"),), "<b@c>")]),
)  # fmt: skip
_CLAIMS = st.builds(
    Claims, reply_addresses=_SIGNED, references=_SIGNED, earlier_ids=st.sampled_from([(), ("<own@mail.example>",)]),
    subject_ids=st.sampled_from([(), (OURS,), (THEIRS,), (OURS, THEIRS), ("MT-1111-1111",)]),
)  # fmt: skip
_STATUS = st.sampled_from(["new", "open", "pending", "solved", "closed"])
_FACTS = st.fixed_dictionaries({
    OURS: st.builds(facts, st.just(OURS), st.just(ANN), status=_STATUS, duplicate_of=st.sampled_from([None, THEIRS]),
                    closed_at=st.sampled_from([None, NOW - timedelta(days=1), NOW - timedelta(days=99)])),
    THEIRS: st.builds(facts, st.just(THEIRS), st.just(EVE), status=_STATUS),
})  # fmt: skip
_KNOWN = st.builds(
    Known,
    copies=st.sampled_from([(), (Copy(7, "support", "opened", "unknown", OURS),)]),
    tickets=_FACTS,
    earlier=st.just({"<own@mail.example>": OURS}),
    open_tickets=st.sampled_from([(), (OpenTicket(OURS, "verified", _fingerprint(TEXT)),),
                                  (OpenTicket(OURS, "unknown", _fingerprint(TEXT)),)]),
    bounced=st.sampled_from([None, Bounced(3, OURS, "ann@mail.example")]),
    counts=st.sampled_from([Counts(), Counts(3, 3, 3, 3), Counts(0, 0, 0, 20_000)]),
    undeliverable=st.sampled_from(["", "5.1.1"]),
    echoes=st.sampled_from([0, 3]),
)  # fmt: skip
_POLICY = st.sampled_from(["flag", "attach", "off"])


@given(_MAILS, _CLAIMS, _KNOWN, _POLICY)
def test_what_holds_of_every_decision(mail: Mail, claims: Claims, known: Known, policy: str) -> None:
    settings = SETTINGS.model_copy(update={"duplicates": SETTINGS.duplicates.model_copy(update={"policy": policy})})
    given_case = case(mail, claims, known, settings=settings)
    decision = judge(given_case)
    _nobody_gains(given_case, decision)
    _machines_are_left_alone(mail, decision)
    _letters_are_honest(given_case, decision)
    assert decision.reason
    assert judge(given_case) == decision, "the same case is judged the same"


def _nobody_gains(given_case: Case, decision: Decision) -> None:
    mail = given_case.mail
    if mail.trust == "failed":
        assert decision.action != "append"
        assert decision.action == "known" or decision.ticket is None, "a forged mail reaches no ticket"
        assert decision.failed_outgoing is None
    if decision.action == "append":
        facts_of = given_case.known.tickets[decision.ticket or ""]
        signed = given_case.claims.reply_addresses or given_case.claims.references
        assert given_case.sender in facts_of.writers or signed or decision.duplicate
        assert decision.stranger == (given_case.sender not in facts_of.writers and decision.duplicate is None)
    if decision.command in ("status", "solved"):
        assert given_case.sender in given_case.known.tickets[decision.ticket or ""].owners
    if decision.duplicate is not None:
        assert mail.trust != "verified" or given_case.known.open_tickets[0].trust == "verified"


def _machines_are_left_alone(mail: Mail, decision: Decision) -> None:
    if mail.automatic is not None:
        assert decision.letter == ""
        assert decision.action in ("open", "file", "known")
        assert decision.duplicate is None
        assert decision.command is None
        assert not (decision.action == "file" and decision.changes_state)


def _letters_are_honest(given_case: Case, decision: Decision) -> None:
    if decision.letter:
        assert given_case.mail.sender_address is not None
        assert not given_case.mail.suppress
        assert not decision.stranger
        assert (decision.withheld == "") or given_case.known != NOTHING_KNOWN
        if given_case.mail.trust == "failed":
            assert decision.withheld
    else:
        assert decision.withheld == ""
    if decision.action != "known":
        assert decision.evidence[-1][0] == "answer"


def test_caps_for_domains_and_in_all_bind_nobody_verified() -> None:
    counts = Known(counts=Counts(0, 0, 0, 20_000))
    assert judge(case(letter(), known=counts)).withheld == ""
    assert judge(case(letter(trust="unknown"), known=counts)).hold == Hold(
        "cap_total", "cap reached: 20000 an hour in all"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arrived_at": NOW - timedelta(hours=73)}, "arrived more than 72 hours ago"),
        ({"answerable": False}, "taken in from a file"),
        ({"known": Known(counts=Counts(3, 3))}, "cap reached: 3 an hour to one address"),
        ({"known": Known(counts=Counts(0, 10))}, "cap reached: 10 a day to one address"),
        ({"known": Known(echoes=3)}, "the same text came 3 times before: answering it again could feed a loop"),
    ],
)
def test_what_is_owed_but_held_back_says_why(change: dict[str, Any], why: str) -> None:
    decision = judge(case(letter(), **change))
    assert (decision.letter, decision.withheld) == ("acknowledgement", why)


def test_a_mail_that_arrived_before_the_close_reopens_what_was_closed_before_it_was_read() -> None:
    closed = facts(status="closed", closed_at=NOW - timedelta(minutes=5))
    decision = judge(case(letter(), Claims(subject_ids=(OURS,)), Known(tickets={OURS: closed}),
                          arrived_at=NOW - timedelta(hours=1)))  # fmt: skip
    assert (decision.action, decision.changes_state) == ("append", True)


def test_grace_ends_to_the_second() -> None:
    for more, action in ((timedelta(0), "append"), (timedelta(seconds=1), "open")):
        closed = facts(status="closed", closed_at=NOW - timedelta(days=14) - more)
        decision = judge(case(letter(), Claims(subject_ids=(OURS,)), Known(tickets={OURS: closed})))
        assert decision.action == action


@pytest.mark.parametrize(
    ("status", "dead"),
    [("5.1.1", True), ("5.1.10", True), ("5.2.1", True), ("5.1.8", False), ("5.2.2", False), ("", False)],
)
def test_only_codes_about_the_address_make_it_dead(status: str, dead: bool) -> None:
    report = Bounce((BounceRecipient("ann@mail.example", "failed", status, "says no"),), "<b@c>")
    mail = letter(None, trust="unknown", automatic=Automatic("bounce", "report"), bounce=report)
    decision = judge(case(mail, known=Known(bounced=Bounced(3, OURS, "ann@mail.example"))))
    assert (decision.failed_outgoing, decision.failed_address) == (3, dead)
    assert decision.failed_why


def test_a_mail_from_nobody_with_our_signature_is_appended_and_marked() -> None:
    signed = Claims(references=(Signed(ticket_keys.compact(OURS), "1", "ack"),))
    decision = judge(case(letter(None, trust="unknown"), signed, Known(tickets={OURS: facts()})))
    assert (decision.action, decision.stranger, decision.letter) == ("append", True, "")
    assert "from another address: nobody usable" in decision.marks


def test_the_language_of_before_is_offered_to_a_new_ticket() -> None:
    assert judge(case(letter(), known=Known(language="zh-Hans"))).language == "zh-Hans"


def test_no_letter_goes_to_the_address_of_a_group_or_form() -> None:
    form = Address("Form", "noreply@coinharbor.com")
    decision = judge(case(letter(form, claimed=ANN, claimed_by="Reply-To")))
    assert (decision.action, decision.letter) == ("open", "")


@pytest.mark.parametrize(
    ("text", "more", "category"),
    [
        ("Withdrawals", {}, "withdrawal"),
        ("It's about withdrawals\n\nAnn", {}, "withdrawal"),
        ("My deposit has still not arrived, and the withdrawal that I made before did not arrive either.", {}, ""),
        ("Deposits", {}, ""),  # as it is
        ("Withdrawals", {"answered": True}, ""),  # that answers the answer
    ],
)
def test_a_requester_names_the_right_category_until_somebody_has_answered(
    text: str, more: dict[str, Any], category: str
) -> None:
    known = Known(tickets={OURS: facts(category="deposit", **more)})
    claimed = Claims(references=(Signed(ticket_keys.compact(OURS), "1", "ack"),))
    decision = judge(case(letter(new_text=text), claimed, known))
    assert (decision.action, decision.category) == ("append", category)
    stranger = judge(case(letter(EVE, new_text=text), claimed, known))
    assert (stranger.action, stranger.category) == ("append", "")


def test_who_is_not_verified_and_holds_no_signature_names_no_category() -> None:
    known = Known(tickets={OURS: facts(category="deposit")})
    decision = judge(case(letter(new_text="Withdrawals", trust="unknown"), Claims(subject_ids=(OURS,)), known))
    assert (decision.action, decision.category) == ("append", "")
