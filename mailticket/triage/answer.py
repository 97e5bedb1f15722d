"""Whether an automatic answer is owed for a mail, which one, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mailticket.letters import is_bare_address
from mailticket.settings import Caps
from mailticket.triage.commands import Command
from mailticket.triage.decision import AnswerKind, Case, Decision
from mailticket.triage.known import Counts

_ANSWERS: dict[Command, AnswerKind] = {"status": "status-answer", "solved": "solved", "split": "split-done"}


def answer(case: Case, decision: Decision) -> Decision:
    """The decision with the letter that is owed, and the reason if it is held back (section 6 of the design)."""
    letter = _owed(case, decision)
    if letter == "":
        return decision
    return replace(decision, letter=letter, withheld=_held_back(case))


def _owed(case: Case, decision: Decision) -> AnswerKind:
    mail = case.mail
    if mail.automatic is not None or mail.suppress or mail.sender_address is None:
        return ""
    if not is_bare_address(mail.sender_address.address):  # readable, but no address that a header of ours may hold
        return ""
    if decision.duplicate is not None:
        return "duplicate-notice"
    if decision.action == "open":
        return "acknowledgement"
    if decision.action != "append":
        return ""
    if decision.command is not None and not decision.mark:
        return _ANSWERS[decision.command]
    return "reply-received" if case.settings.acknowledge.replies and not decision.mark else ""


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
    if known.undeliverable:
        return f"mail to this address bounces: {known.undeliverable}"
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
