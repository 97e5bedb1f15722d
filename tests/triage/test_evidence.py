"""Who may write to a ticket by which evidence: the table of section "Who may write to a ticket", case by case."""

from __future__ import annotations

from typing import Any

import pytest

from mailticket.mail.address import Address
from mailticket.triage import evidence, ticket_keys
from mailticket.triage.decide import judge
from mailticket.triage.evidence import OWN_MAIL, REFERENCE, REPLY_ADDRESS, SUBJECT
from mailticket.triage.known import Claims, Known
from mailticket.triage.signatures import Signed
from tests.triage.test_decide import ANN, EVE, OURS, case, facts, letter

SIGNED = (Signed(ticket_keys.compact(OURS), "1", "ack"),)
OWN = "<own@mail.example>"
KNOWN = Known(tickets={OURS: facts()}, earlier={OWN: OURS})
CLAIMS = {
    REPLY_ADDRESS: Claims(reply_addresses=SIGNED),
    REFERENCE: Claims(references=SIGNED),
    OWN_MAIL: Claims(earlier_ids=(OWN,)),
    SUBJECT: Claims(subject_ids=(OURS,)),
}


def trace(rule: str, sender: Address | None, **more: Any) -> evidence.Trace:
    [only] = evidence.traces(case(letter(sender, **more), CLAIMS[rule], KNOWN))
    assert (only.rule, only.facts.key) == (rule, OURS)
    return only


@pytest.mark.parametrize("rule", CLAIMS)
@pytest.mark.parametrize("trust", ["verified", "unknown"])
def test_the_requester_may_write_by_any_evidence(rule: str, trust: str) -> None:
    only = trace(rule, ANN, trust=trust)
    assert (only.allowed, only.stranger) == (True, False)


@pytest.mark.parametrize("rule", CLAIMS)
def test_a_forged_sender_may_write_by_none(rule: str) -> None:
    assert not trace(rule, ANN, trust="failed").allowed
    assert not trace(rule, EVE, trust="failed").allowed


@pytest.mark.parametrize("rule", [OWN_MAIL, SUBJECT])
@pytest.mark.parametrize("sender", [EVE, None])
def test_what_anybody_may_know_lets_no_stranger_write(rule: str, sender: Address | None) -> None:
    assert not trace(rule, sender).allowed


@pytest.mark.parametrize("rule", [REPLY_ADDRESS, REFERENCE])
@pytest.mark.parametrize("sender", [EVE, None])
def test_our_signature_lets_a_stranger_write_as_a_stranger(rule: str, sender: Address | None) -> None:
    only = trace(rule, sender)
    assert (only.allowed, only.stranger) == (True, True)


def test_the_best_evidence_comes_first_and_the_newest_reference_before_older_ones() -> None:
    other = "MT-1111-1111"
    claims = Claims(SIGNED, (Signed(ticket_keys.compact(other), "1", "ack"), *SIGNED), (OWN,), (OURS,))
    known = Known(tickets={OURS: facts(), other: facts(other)}, earlier={OWN: OURS})
    rules = [(one.rule, one.facts.key) for one in evidence.traces(case(letter(), claims, known))]
    assert rules == [
        (REPLY_ADDRESS, OURS), (REFERENCE, OURS), (REFERENCE, other), (OWN_MAIL, OURS), (SUBJECT, OURS),
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["STATUS", "SOLVED"])
def test_a_command_needs_a_verified_sender_or_our_signature(word: str) -> None:
    def command(rule: str, trust: str) -> str | None:
        return judge(case(letter(trust=trust, text=word, new_text=word), CLAIMS[rule], KNOWN)).command

    assert command(SUBJECT, "verified") == word.lower()
    assert command(REFERENCE, "unknown") == word.lower()
    assert command(SUBJECT, "unknown") is None
    assert command(OWN_MAIL, "unknown") is None


@pytest.mark.parametrize("address", ['"ann lee"@mail.example', "=?utf-8?q?ann?=@mail.example"])
def test_an_address_that_no_header_can_hold_bare_is_owed_no_letter(address: str) -> None:
    decision = judge(case(letter(Address("Ann", address))))
    assert (decision.action, decision.letter) == ("open", "")
    assert "cannot stand in a header" in dict(decision.evidence)["answer"]
