"""Whether an automatic answer is owed for a mail, which one, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailticket.mail.addresses import is_bare_address
from mailticket.settings import Caps
from mailticket.triage.commands import Command
from mailticket.triage.decision import AnswerKind, Case, Decision, Hold, HoldCode
from mailticket.triage.known import Counts
from mailticket.triage.rules import BLOCKED
from mailticket.triage.writer import is_claimed

_ANSWERS: dict[Command, AnswerKind] = {"status": "status-answer", "solved": "solved", "split": "split-done"}
_MOST_ECHOES = 3
DISABLED = Hold("disabled", "[acknowledge] enabled is false")


def answer(case: Case, decision: Decision) -> Decision:
    """The decision with the letter that is owed, and the reason if it is held back (section 6 of the design)."""
    if decision.action == "known":
        return replace(decision, hold=_hold(case)) if decision.letter else decision
    letter, why = _owed(case, decision)
    if letter == "":
        return replace(decision, evidence=(*decision.evidence, ("answer", f"none: {why}")))
    hold = _hold(case)
    said = f"{letter} withheld: {hold.text}" if hold else letter
    return replace(decision, letter=letter, hold=hold, evidence=(*decision.evidence, ("answer", said)))


def _owed(case: Case, decision: Decision) -> tuple[AnswerKind, str]:
    """Which letter is owed, or "" and why none is."""
    mail = case.mail
    if decision.staff is not None:
        return "", "its writer is staff"
    if decision.rule == BLOCKED:
        return "", "its sender is blocked"
    if mail.automatic is not None:
        return "", "automatic mail is not answered"
    if mail.suppress:
        return "", mail.suppress
    if mail.sender_address is None:
        return "", "there is no usable sender"
    if mail.claimed is not None and not is_claimed(mail):
        return "", f"From is not the person whom {mail.claimed_by} names"
    if not is_bare_address(mail.sender_address.address):
        return "", "the sender's address cannot stand in a header without quotes"
    if decision.repeats_letter:
        return "", "the same mail was answered when it came by another way"
    if decision.action == "open":
        return ("duplicate-notice" if decision.duplicate else "acknowledgement"), ""
    if decision.duplicate is not None:  # attached: the receipt says to which ticket
        return "reply-received", ""
    if decision.stranger:
        return "", "it came from another address"
    if decision.command is not None:
        return _ANSWERS[decision.command], ""
    return ("reply-received", "") if case.settings.acknowledge.replies else ("", "a further mail to a ticket")


def _hold(case: Case) -> Hold | None:
    settings, known = case.settings, case.known
    if case.mail.trust == "failed":
        return Hold("failed_sender", "the sender failed authentication")
    if not settings.acknowledge.enabled:
        return DISABLED
    if not case.answerable:
        return Hold("from_file", "taken in from a file")
    if case.restored_at is not None and case.arrived_at <= case.restored_at:
        return restored(case.restored_at)
    if case.now - case.arrived_at > timedelta(hours=settings.acknowledge.within_hours):
        return Hold("age", f"arrived more than {settings.acknowledge.within_hours} hours ago")
    if known.undeliverable and case.mail.trust != "verified":  # who is verified and writes has a mailbox again
        return Hold("bounces", f"mail to this address bounces: {known.undeliverable}")
    if known.echoes >= _MOST_ECHOES:
        # A responder that answers each of our answers days apart would stay below every cap.
        text = f"the same text came {known.echoes} times before: answering it again could feed a loop"
        return Hold("echo", text)
    return over_cap(known.counts, settings.caps, verified=case.mail.trust == "verified")


def restored(at: datetime) -> Hold:
    """What may have been sent between the making of a backup and its restore is not sent again by itself."""
    return Hold("restored", f"it may have been sent before a backup was restored on {at:%Y-%m-%d %H:%M} UTC")


def over_cap(counts: Counts, caps: Caps, *, verified: bool) -> Hold | None:
    """Which cap another automatic letter would break; None for none. Zero is no limit."""
    limits: list[tuple[HoldCode, int, int, str]] = [
        ("cap_address", counts.address_hour, caps.per_address_hour, "an hour to one address"),
        ("cap_address", counts.address_day, caps.per_address_day, "a day to one address"),
    ]
    if not verified:
        limits.append(("cap_domain", counts.domain_hour, caps.per_domain_hour, "an hour to one domain"))
        limits.append(("cap_total", counts.total_hour, caps.total_hour, "an hour in all"))
    broken = ((code, limit, unit) for code, count, limit, unit in limits if limit and count >= limit)
    return next((Hold(code, f"cap reached: {limit} {unit}") for code, limit, unit in broken), None)
