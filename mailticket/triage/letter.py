"""Whether an automatic answer is owed for a mail, which one, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mailticket.mail.addresses import is_bare_address
from mailticket.settings import Caps
from mailticket.triage.commands import Command
from mailticket.triage.decision import AnswerKind, Case, Decision
from mailticket.triage.known import Counts

_ANSWERS: dict[Command, AnswerKind] = {"status": "status-answer", "solved": "solved", "split": "split-done"}
_MOST_ECHOES = 3


def answer(case: Case, decision: Decision) -> Decision:
    """The decision with the letter that is owed, and the reason if it is held back (section 6 of the design)."""
    if decision.action == "known":
        return decision
    letter, why = _owed(case, decision)
    if letter == "":
        return replace(decision, evidence=(*decision.evidence, ("answer", f"none: {why}")))
    withheld = _held_back(case)
    said = f"{letter} withheld: {withheld}" if withheld else letter
    return replace(decision, letter=letter, withheld=withheld, evidence=(*decision.evidence, ("answer", said)))


def _owed(case: Case, decision: Decision) -> tuple[AnswerKind, str]:
    """Which letter is owed, or "" and why none is."""
    mail = case.mail
    if mail.automatic is not None:
        return "", "automatic mail is not answered"
    if mail.suppress:
        return "", mail.suppress
    if mail.sender_address is None:
        return "", "there is no usable sender"
    if mail.claimed is not None:
        return "", f"From is not the person whom {mail.claimed_by} names"
    if not is_bare_address(mail.sender_address.address):
        return "", "the sender's address cannot stand in a header without quotes"
    if decision.action == "open":
        return ("duplicate-notice" if decision.duplicate else "acknowledgement"), ""
    if decision.duplicate is not None:  # attached: the receipt says to which ticket
        return "reply-received", ""
    if decision.stranger:
        return "", "it came from another address"
    if decision.command is not None:
        return _ANSWERS[decision.command], ""
    return ("reply-received", "") if case.settings.acknowledge.replies else ("", "a further mail to a ticket")


def _held_back(case: Case) -> str:
    settings, known = case.settings, case.known
    if case.mail.trust == "failed":
        return "the sender failed authentication"
    if not settings.acknowledge.enabled:
        return "[acknowledge] enabled is false"
    if not case.answerable:
        return "taken in from a file"
    if case.now - case.arrived_at > timedelta(hours=settings.acknowledge.within_hours):
        return f"arrived more than {settings.acknowledge.within_hours} hours ago"
    if known.undeliverable and case.mail.trust != "verified":  # who is verified and writes has a mailbox again
        return f"mail to this address bounces: {known.undeliverable}"
    if known.echoes >= _MOST_ECHOES:
        # A responder that answers each of our answers days apart would stay below every cap.
        return f"the same text came {known.echoes} times before: answering it again could feed a loop"
    return over_cap(known.counts, settings.caps, verified=case.mail.trust == "verified")


def over_cap(counts: Counts, caps: Caps, *, verified: bool) -> str:
    """Which cap another automatic answer would break, in words; "" for none. Zero is no limit."""
    limits = [
        (counts.address_hour, caps.per_address_hour, "an hour to one address"),
        (counts.address_day, caps.per_address_day, "a day to one address"),
    ]
    if not verified:
        limits.append((counts.domain_hour, caps.per_domain_hour, "an hour to one domain"))
        limits.append((counts.total_hour, caps.total_hour, "an hour in all"))
    return next((f"cap reached: {limit} {what}" for count, limit, what in limits if limit and count >= limit), "")
