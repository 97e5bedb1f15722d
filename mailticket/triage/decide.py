"""The judgement: a mail and what is known become one decision with its reason and the evidence that was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from mailticket.triage import ids
from mailticket.triage.answer import answer
from mailticket.triage.commands import command
from mailticket.triage.decision import Case, Decision
from mailticket.triage.duplicates import Match, best
from mailticket.triage.known import TicketFacts

_TRUST_ORDER = {"failed": 0, "unknown": 1, "verified": 2}


@dataclass(frozen=True, slots=True)
class _Trace:
    """A ticket that some evidence leads to, and whether the sender may write there by that evidence."""

    rule: str
    said: str
    facts: TicketFacts
    allowed: bool
    stranger: bool = False


def judge(case: Case) -> Decision:
    """Decide what the mail means: known, filed, appended or opening a ticket, in this order of questions."""
    traces = tuple(_traces(case))
    evidence = tuple((t.rule, t.said) for t in traces)
    for question in (_copy, _report, _automatic, _append):
        decision = question(case, traces)
        if decision is not None:
            return answer(case, replace(decision, evidence=(*evidence, *decision.evidence)))
    decision = _open(case, traces)
    return answer(case, replace(decision, evidence=(*evidence, *decision.evidence)))


def _copy(case: Case, traces: tuple[_Trace, ...]) -> Decision | None:
    each = case.settings.duplicates.same_mail_in_several_mailboxes == "each"
    for copy in case.known.copies:
        if each and copy.route != case.route:
            continue
        if _TRUST_ORDER[case.mail.trust] <= _TRUST_ORDER[copy.trust]:
            reason = f"the same content was taken in before, through {copy.route}"
            return Decision("known", "same content", reason, ticket=copy.ticket, copy_of=copy.incoming_id)
    return None


def _report(case: Case, traces: tuple[_Trace, ...]) -> Decision | None:
    """Delivery reports reach the mail that bounced; they never change a ticket's state."""
    if case.mail.automatic is None or case.mail.automatic.kind != "bounce":
        return None
    bounced, reason = case.known.bounced, case.mail.automatic.reason
    if bounced is None:
        ticket = next((t.facts.key for t in traces if t.rule in ("reply address", "signed reference")), None)
        return _filed(case, "bounce", f"a delivery report ({reason})", ticket)
    recipients = case.mail.bounce.recipients if case.mail.bounce else ()
    decision = _filed(case, "bounce", f"a delivery report about our mail ({reason})", bounced.ticket)
    # Our mails have one recipient each, so whatever address the report names, it means that one.
    failed = next((r for r in recipients if r.action == "failed"), None)
    if failed is None:
        return decision
    return replace(decision, failed_outgoing=bounced.outgoing_id, failed_why=f"{failed.status} {failed.diagnostic}")


def _automatic(case: Case, traces: tuple[_Trace, ...]) -> Decision | None:
    automatic = case.mail.automatic
    if automatic is None:
        return None
    if automatic.kind in ("own", "read-receipt", "feedback-report"):
        return _filed(case, automatic.kind, automatic.reason, None)
    allowed = next((t for t in traces if t.allowed), None)
    if allowed is not None:
        reason = f"an automaton's answer to ours ({automatic.reason}; {allowed.said})"
        return _filed(case, "auto-reply", reason, allowed.facts.key)
    if automatic.kind in ("list", "auto-reply"):
        return _filed(case, automatic.kind, automatic.reason, None)
    return None


def _filed(case: Case, kind: str, reason: str, ticket: str | None) -> Decision:
    return Decision("file", f"automatic: {kind}", reason, ticket=ticket, kind=kind, changes_state=False)


def _append(case: Case, traces: tuple[_Trace, ...]) -> Decision | None:
    """A person's mail joins the ticket of the best evidence that allows it; weaker evidence that differs is noted."""
    if case.mail.automatic is not None:
        return None
    best_trace = next((t for t in traces if t.allowed), None)
    if best_trace is None:
        return None
    facts, reopens = best_trace.facts, False
    others = sorted({t.facts.key for t in traces} - {facts.key})
    notes = ((("conflict", f"other evidence led to {', '.join(others)}"),) if others else ())  # fmt: skip
    if facts.status == "closed":
        grace = timedelta(days=case.settings.support.grace_days)
        if facts.closed_at is not None and case.arrived_at > facts.closed_at + grace:
            linked = None if best_trace.stranger else facts.key
            said = f"{facts.key} has been closed for more than {grace.days} days"
            opened = _open(case, traces)
            return replace(opened, rule="late reply", reason=f"{said}: a new ticket, linked to it", linked_to=linked,
                           evidence=(("closed", said),))  # fmt: skip
        reopens = True
    decision = Decision("append", best_trace.rule, best_trace.said, notes, facts.key, kind="reply", reopens=reopens)
    if best_trace.stranger:
        decision = replace(decision, mark=f"from another address: {case.sender}")
    word = command(case.mail.new_text) if _may_command(case, best_trace) else None
    return replace(decision, command=word)


def _may_command(case: Case, trace: _Trace) -> bool:
    """Only a verified writer, or one who holds our signature, may tell us what to do by mail."""
    signed = trace.rule in ("reply address", "signed reference")
    return signed or (case.mail.trust == "verified" and not trace.stranger)


def _open(case: Case, traces: tuple[_Trace, ...]) -> Decision:
    mail, marks = case.mail, []
    reason = "nothing ties it to a ticket"
    if mail.automatic is not None:
        reason = f"automatic mail that nobody wrote by hand ({mail.automatic.reason}): a ticket without an answer"
    if mail.sender_address is None:
        marks.append("no usable sender")
    if mail.trust == "failed":
        marks.append("sender failed authentication")
    refused = sorted({t.facts.key for t in traces if not t.allowed})
    if refused:
        marks.append(f"mentions {', '.join(refused)} without the right to write there")
        reason = "the sender may not write to the ticket it names"
    if case.known.same_message_id:
        marks.append("another mail with other content bears the same Message-ID")
    kind = "automatic" if mail.automatic else "request"
    decision = Decision("open", "new request", reason, kind=kind, marks=tuple(marks))
    duplicate = None if mail.automatic else _duplicate(case)
    if duplicate is None:
        return decision
    said = f"{duplicate.similarity:.2f} like {duplicate.ticket_id}: {duplicate.reason}"
    decision = replace(decision, duplicate=duplicate, evidence=(("duplicate", said),))
    if case.settings.duplicates.policy == "attach":
        return replace(decision, action="append", rule="duplicate", reason=said, ticket=duplicate.ticket_id)
    return decision


def _duplicate(case: Case) -> Match | None:
    """The open ticket of the same sender that says the same. A mail better identified than that ticket is not tied to
    it, or a forged request could make the victim's own look like a repetition."""
    if case.settings.duplicates.policy == "off" or not case.sender or case.mail.trust == "failed":
        return None
    rank = _TRUST_ORDER[case.mail.trust]
    earlier = [(t.key, t.fingerprint) for t in case.known.open_tickets if _TRUST_ORDER[t.trust] >= rank]
    return best(case.fingerprint, earlier, case.settings.duplicates.threshold)


def _traces(case: Case) -> Iterator[_Trace]:
    """All evidence that leads to a ticket, best first: section 5 of the design."""
    sound = case.mail.trust != "failed"
    for signed in case.claims.reply_addresses:
        yield from _signed(case, "reply address", ids.from_compact(signed.ticket), sound)
    for signed in reversed(case.claims.references):
        yield from _signed(case, "signed reference", ids.from_compact(signed.ticket), sound)
    for message_id in case.claims.earlier_ids:
        key, writer = case.known.earlier.get(message_id, ("", ""))
        facts = case.known.tickets.get(key)
        if facts is not None and writer == case.sender != "":
            allowed = sound and case.sender in facts.writers
            yield _Trace("own earlier mail", f"answers the sender's own mail on {facts.key}", facts, allowed)
    for ticket_id in case.claims.subject_ids:
        facts = case.known.tickets.get(ticket_id)
        if facts is not None:
            allowed = sound and case.sender in facts.writers
            said = f"{ticket_id} in the subject, from {'its requester' if allowed else 'somebody else'}"
            yield _Trace("subject", said, facts, allowed)


def _signed(case: Case, rule: str, ticket_id: str, sound: bool) -> Iterator[_Trace]:
    facts = case.known.tickets.get(ticket_id)
    if facts is not None:
        stranger = case.sender not in facts.writers
        said = f"good signature for {ticket_id}" + (", from another address" if stranger else "")
        yield _Trace(rule, said, facts, sound, stranger)
