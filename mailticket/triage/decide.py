"""The judgement: a mail and what is known become one decision with its reason and the evidence that was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from mailticket.likeness.duplicates import Earlier, Match, best
from mailticket.mail.address import address_key
from mailticket.mail.delivery_status import is_dead_address
from mailticket.mail.identity import plain_text
from mailticket.secrets import masking
from mailticket.settings import is_sent
from mailticket.text.patterns import lazy_pattern
from mailticket.topics.choice import chosen
from mailticket.topics.exchange import categories_of
from mailticket.triage import impostors
from mailticket.triage.commands import Command, command
from mailticket.triage.decision import Action, Case, Decision, Hold
from mailticket.triage.evidence import Trace, findings, lost_keys, traces
from mailticket.triage.known import Copy, OpenTicket, TicketFacts
from mailticket.triage.letter import answer
from mailticket.triage.rules import BLOCKED, BOUNCE_UNCLAIMED
from mailticket.triage.sent import judge_sent, outside_answer, same_answer
from mailticket.triage.staff_mail import StaffMail, foreign_mark, mark_finding, member_of, staff_mail
from mailticket.triage.writer import claim, is_claimed

_TRUST_ORDER = {"failed": 0, "unknown": 1, "verified": 2}
_LINK = lazy_pattern(r"https?://\S{1,2000}")


def judge(case: Case) -> Decision:
    """Decide what the mail means: an answer of ours, known, filed, appended or opening a ticket, in this order of
    questions."""
    trail = traces(case)
    if is_sent(case.route):
        return replace(judge_sent(case), evidence=_looked_at(case, trail))
    if (ours := same_answer(case) or outside_answer(case)) is not None:
        return replace(ours, evidence=_looked_at(case, trail))
    decision = (
        _copy(case, [copy for copy in case.known.copies if not copy.is_out_of_sight])
        or _report(case, trail)
        or _of_staff(case, trail)
        or _blocked(case, trail)
        or _automatic(case, trail)
        or _append(case, trail)
        or _repeated(case, _open(case, trail))
    )  # fmt: skip
    if decision.action == "file" and decision.ticket is None:
        # A copy that nobody saw makes nothing known that would open a ticket: it was filed for the way it came.
        decision = _copy(case, [copy for copy in case.known.copies if copy.is_out_of_sight]) or decision
    return answer(case, replace(decision, evidence=(*_looked_at(case, trail), *decision.evidence)))


def judge_released(case: Case, by: str, *, acknowledged: bool) -> Decision:
    """Open a ticket for a mail that was filed, as if a person's request: somebody of the staff looked at it.

    by: who released it. acknowledged: whether they want its writer to get the letter that a request gets.
    """
    trail = traces(case)
    decision = replace(_open(case, trail), rule="released", reason=f"released by {by}")
    decision = replace(decision, evidence=(*_looked_at(case, trail), *decision.evidence))
    if acknowledged:
        return answer(case, decision)
    return replace(decision, evidence=(*decision.evidence, ("answer", "none: released without a letter")))


def judge_forwarded(case: Case, staff: StaffMail) -> Decision:
    """Open a ticket for the author of a mail that a member forwards; the letter that is owed waits for a word."""
    opened = _open(case, ())
    marks = (*opened.marks, f"forwarded by {staff.member.name}{'' if staff.proof else ', as From says'}")
    decision = answer(
        case, replace(opened, rule="staff: forward", reason=f"{staff.member.name} forwards it", marks=marks)
    )
    asked_for = staff.orders.has("ack") and bool(staff.proof) and not staff.doubts
    if decision.letter and decision.hold is None and not asked_for:
        decision = replace(decision, hold=Hold("forwarded", "its author does not know yet that it was forwarded to us"))
    return replace(decision, staff=staff)


def _looked_at(case: Case, trail: Sequence[Trace]) -> tuple[tuple[str, str], ...]:
    """What is looked at for every mail, in this order."""
    mail, known = case.mail, case.known
    content = f"mail {known.copies[0].incoming_id} has the same" if known.copies else "not seen before"
    if not known.copies and known.same_message_id:
        content = f"not seen before, but mail {known.same_message_id[0].incoming_id} has the same Message-ID"
    machine = f"{mail.automatic.kind}: {mail.automatic.reason}" if mail.automatic else "no, a person's mail"
    return (
        ("route", _came(case)),
        ("sender", f"{mail.trust}: {mail.trust_reason}" if mail.trust_reason else mail.trust),
        ("content", content),
        ("automatic", machine),
        *findings(case, trail),
    )


def _came(case: Case) -> str:
    """By which mailbox and which of our addresses the mail came, for people."""
    return f"{case.route}, delivered to {case.delivered_to}" if case.delivered_to else case.route


def _copy(case: Case, copies: Sequence[Copy]) -> Decision | None:
    """The mail is known where one of these copies was taken in before, from a sender judged no worse."""
    mail = case.mail
    for copy in copies:
        if not _is_other_way(case, copy):
            continue
        # A copy from a better judged sender counts anew, or a forged one sent in advance would silence the real one.
        if copy.is_done_for_staff or _TRUST_ORDER[mail.trust] <= _TRUST_ORDER[copy.trust]:
            reason = f"the same content was taken in before, as mail {copy.incoming_id} through {copy.route}"
            # What came first by a way that forbids letters, a list or a filter, is answered when it comes by one that
            # does not.
            owed = copy.state == "opened" and not copy.owed and mail.automatic is None and not mail.suppress
            return Decision("known", "same content", reason, ticket=copy.ticket, copy_of=copy.incoming_id,
                            also_through=_other_way(case, copy), changes_state=False,
                            letter="acknowledgement" if owed else "")  # fmt: skip
    return None


def _is_other_way(case: Case, copy: Copy) -> bool:
    """Whether a copy counts as the same mail: by another mailbox it may be wanted for itself, unless it was ours."""
    way = case.settings.duplicates.same_mail_in_several_mailboxes
    return way != "each" or copy.route == case.route or is_sent(copy.route)


def _repeated(case: Case, decision: Decision) -> Decision:
    """A mail that came before by another way, with a banner or a footer put around it, or less trusted: a ticket of its
    own, for its words are not all known; flagged, and without a second letter."""
    variants = [copy for copy in case.known.variants if _is_other_way(case, copy) and _says_the_same(case, copy)]
    copies = [copy for copy in case.known.copies if _is_other_way(case, copy)]
    if any(copy.answered for copy in (*copies, *variants)):
        decision = replace(decision, repeats_letter=True)
    # A mail better identified than a ticket is not tied to it.
    first = next((v for v in variants if v.ticket and _TRUST_ORDER[case.mail.trust] <= _TRUST_ORDER[v.trust]), None)
    if first is None or first.ticket is None or decision.duplicate is not None or decision.action != "open":
        return decision
    reason = f"mail {first.incoming_id} with words put around it on another way"
    return replace(decision, duplicate=Match(first.ticket, 1.0, reason))


def _says_the_same(case: Case, copy: Copy) -> bool:
    """Whether one of two texts of the same origin holds the other; gateways rewrite links."""
    one, other = (plain_text(_LINK.sub("", text)) for text in (masking.mask(case.mail.text).text, copy.text))
    return one in other or other in one


def _other_way(case: Case, copy: Copy) -> str:
    same = copy.route == case.route and copy.delivered_to in (case.delivered_to, None)
    return "" if same else _came(case)


def _report(case: Case, trail: Sequence[Trace]) -> Decision | None:
    """Delivery reports reach the mail that bounced; they never change a ticket's state."""
    if case.mail.automatic is None or case.mail.automatic.kind != "bounce":
        return None
    bounced, reason = case.known.bounced, case.mail.automatic.reason
    if bounced is None or case.mail.trust == "failed":
        trace = next((t for t in trail if t.allowed and t.signed), None)
        filed = _filed("bounce", f"a delivery report ({reason})", trace)
        unclaimed = bounced is None and trace is None
        return replace(filed, rule=BOUNCE_UNCLAIMED) if unclaimed else filed
    decision = replace(_filed("bounce", f"a delivery report about our mail ({reason})"), ticket=bounced.ticket)
    # Letters have one recipient, so whatever address the report names, it means that one; unless it names a copy's.
    recipients = case.mail.bounce.recipients if case.mail.bounce else ()
    failed = next((r for r in recipients if r.action == "failed"), None)
    if failed is None:
        return decision
    why = f"{failed.status} {failed.diagnostic}".strip() or "the report gives no reason"
    failures = {address_key(r.address): r for r in recipients if r.action == "failed"}
    if failures.keys() and failures.keys() <= set(bounced.copies):
        dead = tuple(key for key, r in failures.items() if bounced.sure and is_dead_address(r.status))
        return replace(decision, failed_copies=tuple(failures), failed_why=why, dead_copies=dead)
    is_dead = bounced.sure and is_dead_address(failed.status)
    return replace(decision, failed_outgoing=bounced.outgoing_id, failed_why=why, failed_address=is_dead,
                   failed_sure=bounced.sure)  # fmt: skip


def _of_staff(case: Case, trail: Sequence[Trace]) -> Decision | None:
    """What the desk's own people write, and what bears the mark of one of them without being theirs."""
    stray = foreign_mark(case)
    appended = _append(case, trail) if stray is not None and stray != case.claims.parent else None
    if appended is not None:
        # Its writer got a member's own mail, which bears the mark, and answers that by every right.
        return replace(appended, dead_marks=case.claims.marks)
    if stray is not None:
        marks = (f"bears the mark of a desk mail that {stray.member} got{f' of {stray.key}' if stray.key else ''}",)
        opened = _open(case, trail)
        reason = f"the mark of {stray.member}, who did not write it, gives nobody a right"
        return replace(
            opened, rule="mark of another", reason=reason, marks=(*opened.marks, *marks), dead_marks=case.claims.marks
        )
    mail = staff_mail(case, trail)
    if mail is None:
        return None
    proof = f"proved by {mail.proof}" if mail.proof else "not proved"
    evidence = (("staff", f"{mail.member.name}, {proof}: {mail.deed}"), ("mark", mark_finding(case)))
    if mail.deed == "automatic" and case.mail.automatic is not None:
        filed = _filed(
            case.mail.automatic.kind, f"a machine writes for {mail.member.name}: {case.mail.automatic.reason}"
        )
        return replace(filed, evidence=evidence, settled=True)
    action: Action = "append" if mail.ticket else "file"
    if mail.deed == "orders":
        action = "file"
    if mail.deed == "forward":
        action = "open"
    reason = "; ".join(doubt.text for doubt in mail.doubts) or f"of {mail.member.name}, {proof}"
    return Decision(
        action, f"staff: {mail.deed}", reason, evidence, mail.ticket or None,
        kind="note", changes_state=False, conflict=mail.conflict, staff=mail, dead_marks=mail.dead, settled=True,
    )  # fmt: skip


def _blocked(case: Case, trail: Sequence[Trace]) -> Decision | None:
    """Who is blocked is heard of in lists only, whatever a signature of ours proves."""
    if not case.block or case.claims.own:
        return None
    trace = next((t for t in trail if t.allowed), None)
    reason = f"{case.block}; it answers {trace.facts.key}" if trace else case.block
    return Decision("file", BLOCKED, reason, kind=BLOCKED, changes_state=False, names_ticket=trace is not None)


def _automatic(case: Case, trail: Sequence[Trace]) -> Decision | None:
    """What automata write is filed where it belongs; what nobody asked for and no list sent opens a ticket below."""
    automatic = case.mail.automatic
    if case.claims.own:
        return _filed("own", "its own Message-ID bears our signature")
    if automatic is None:
        return None
    if automatic.kind in ("own", "read-receipt", "feedback-report"):
        return _filed(automatic.kind, automatic.reason)
    allowed = next((t for t in trail if t.allowed), None)
    if allowed is not None and automatic.distribution:
        return None  # a reply, by whatever way it came
    if allowed is not None:
        return _filed("auto-reply", f"an automaton's answer to ours ({automatic.reason}; {allowed.finding})", allowed)
    if automatic.kind in ("list", "auto-reply"):
        return _filed(automatic.kind, automatic.reason)
    return None


def _filed(kind: str, reason: str, trace: Trace | None = None) -> Decision:
    decision = Decision("file", f"automatic: {kind}", reason, kind=kind, changes_state=False)
    if trace is None:
        return decision
    marks = ("from another address",) if trace.stranger else ()
    return replace(decision, ticket=trace.facts.key, stranger=trace.stranger, marks=marks)


def _append(case: Case, trail: Sequence[Trace]) -> Decision | None:
    """A person's mail joins the ticket of the best evidence that allows it; weaker evidence that differs is noted."""
    trace = next((t for t in trail if t.allowed), None)
    automatic = case.mail.automatic
    if trace is None or (automatic is not None and not automatic.distribution):
        return None
    facts = trace.facts
    word = _command(case, trace)
    if word is None and _is_too_late(case, facts):
        return _late(case, trail, trace)
    others = sorted({t.facts.key for t in trail} - {facts.key})
    conflict = f"weaker evidence led to {', '.join(others)}" if others else ""
    category = _category(case, trace) if word is None else ""
    evidence = (
        *([("conflict", conflict)] if conflict else []),
        *([("category", f"{category}, says the first line")] if category else []),
    )
    return Decision(
        "append", trace.rule, trace.finding, evidence, facts.key,
        kind="reply",
        marks=(*_stranger_marks(case, trace), *_marks(case)),
        stranger=trace.stranger,
        changes_state=word is None or (word == "solved" and facts.status != "closed"),
        command=word,
        category=category,
        split_from=facts.duplicate_of if word == "split" else None,
        conflict=conflict,
    )  # fmt: skip


def _command(case: Case, trace: Trace) -> Command | None:
    """The command that the mail is, if its sender may give it and there is something to do.

    Only a verified sender, or one who holds our signature, may tell us what to do by mail; and only the requester,
    but that whoever holds our signature may say that a ticket is no repetition, which gives nobody anything.
    """
    if not trace.signed and case.mail.trust != "verified":
        return None
    word = command(case.mail.new_text)
    if word == "split":
        return word if trace.facts.duplicate_of is not None else None
    return word if case.sender in trace.facts.owners else None


def _category(case: Case, trace: Trace) -> str:
    """The category that the requester says it is, where that is another; "" for any other reply.

    As with commands, only a verified sender or one who holds our signature says so, and only the requester. What is
    written after an answer answers that.
    """
    facts = trace.facts
    may = (trace.signed or case.mail.trust == "verified") and case.sender in facts.owners and not facts.answered
    name = chosen(case.mail.new_text, categories_of(case.settings.category)) if may else None
    return name if name is not None and name != facts.category else ""


def _stranger_marks(case: Case, trace: Trace) -> tuple[str, ...]:
    if trace.stranger:
        return (f"from another address: {case.sender or 'nobody usable'}",)
    if trace.facts.trust == "verified" and case.mail.trust != "verified":
        return ("the sender is not verified, as the ticket's first mail was",)
    return ()


def _is_too_late(case: Case, facts: TicketFacts) -> bool:
    grace = timedelta(days=case.settings.support.grace_days)
    return facts.status == "closed" and facts.closed_at is not None and case.arrived_at > facts.closed_at + grace


def _late(case: Case, trail: Sequence[Trace], trace: Trace) -> Decision:
    """A reply after the time of grace opens a ticket of its own; only people of the old one are told of the link."""
    text = f"{trace.facts.key} has been closed for more than {case.settings.support.grace_days} days"
    opened = _open(case, trail)
    evidence = (("closed", text), *opened.evidence)
    if opened.action != "open":  # it repeats an open ticket, and the site wants such mail on that one
        return replace(opened, evidence=evidence)
    reason = f"{text}: a new ticket{'' if trace.stranger else ', linked to it'}"
    opened = replace(opened, rule="late reply", reason=reason, evidence=evidence)
    return opened if trace.stranger else replace(opened, linked_to=trace.facts.key, link_is_ours=False)


def _open(case: Case, trail: Sequence[Trace]) -> Decision:
    mail, marks = case.mail, []
    reason = "nothing ties it to a ticket"
    if mail.automatic is not None:
        reason = f"automatic mail that nobody wrote by hand ({mail.automatic.reason}): a ticket without an answer"
    if mail.sender_address is None:
        marks.append("no usable sender")
        marks += [f"nobody can be answered at {sender.address}" for sender in mail.from_[:1]]
    if mail.trust == "failed":
        marks.append("sender failed authentication")
    if (member := member_of(case)) is not None:
        proved = mail.trust == "verified" or mail.internal
        marks.append(f"from staff: {member.name}" if proved else f"bears the address of {member.name}, who is staff")
    if lost := lost_keys(case):
        marks.append(f"answers our mail about {', '.join(lost)}, which this database does not know")
        reason = "it answers our mail about a ticket that is not there any more"
    refused = sorted({t.facts.key for t in trail if not t.allowed})
    if refused:
        marks.append(f"mentions {', '.join(refused)} without the right to write there")
        reason = "the sender may not write to the ticket it names"
    decision = Decision(
        "open", "new request", reason,
        kind="automatic" if mail.automatic else "request",
        marks=(*marks, *_marks(case)),
        language=case.known.language,
    )  # fmt: skip
    if case.known.colleagues and mail.trust != "failed" and not is_claimed(mail):
        text = f"answers a mail of {case.known.colleagues} in which its sender was named"
        evidence = (*decision.evidence, ("colleague", text))
        decision = replace(decision, linked_to=case.known.colleagues, link_is_ours=True, evidence=evidence)
    return decision if mail.automatic else _compared(case, decision)


def _marks(case: Case) -> tuple[str, ...]:
    """Warnings that do not depend on where the mail goes."""
    claimed = (claim(case.mail),) if is_claimed(case.mail) else ()
    same = ("another mail with other content bears the same Message-ID",) if case.known.same_message_id else ()
    return (*claimed, *same, *impostors.warnings(case.mail, case.settings))


def _compared(case: Case, decision: Decision) -> Decision:
    """The new request beside the sender's open tickets: flagged as a repetition, or attached to the first of them."""
    settings = case.settings.duplicates
    if settings.policy == "off" or not case.sender or case.mail.trust == "failed":
        return decision
    duplicate = _duplicate(case)
    if duplicate is not None and (other := _of_other_brand(case, duplicate.key)):
        # Each name is a desk of its own: it answers for itself, and staff see what the other one has.
        text = f"{duplicate.similarity:.2f} like {duplicate.key}, which is answered under another name"
        evidence = (*decision.evidence, ("duplicate", text))
        return replace(decision, linked_to=other, link_is_ours=True, evidence=evidence)
    if duplicate is None:
        number = len(case.known.open_tickets)
        text = (
            f"none of the sender's {number} open tickets reaches {settings.threshold:.2f}"
            if number
            else "no open ticket"
        )
        return replace(decision, evidence=(*decision.evidence, ("duplicate", text)))
    text = f"{duplicate.similarity:.2f} like {duplicate.key}: {duplicate.reason}"
    decision = replace(decision, duplicate=duplicate, evidence=(*decision.evidence, ("duplicate", text)))
    if settings.policy == "flag" or is_claimed(case.mail):
        return decision
    return replace(decision, action="append", rule="duplicate", reason=text, ticket=duplicate.key, kind="reply")


def _hours(case: Case, ticket: OpenTicket) -> float | None:
    """How far apart mail and ticket arrived, either way: mail is not always read in the order of its arrival."""
    return None if ticket.arrived_at is None else abs((case.arrived_at - ticket.arrived_at).total_seconds()) / 3600


def _duplicate(case: Case) -> Match | None:
    """The first open ticket of the same sender that says the same. A mail better identified than a ticket is not tied
    to it, or a forged request could make the victim's own look like a repetition."""
    rank = _TRUST_ORDER[case.mail.trust]
    candidates = [t for t in case.known.open_tickets if _TRUST_ORDER[t.trust] >= rank]
    return _best(case, [t for t in candidates if t.brand == case.brand]) or _best(case, candidates)


def _of_other_brand(case: Case, key: str) -> str:
    """The ticket's key where it is answered under another name than this mail asks for, else ""."""
    return next((t.key for t in case.known.open_tickets if t.key == key and t.brand != case.brand), "")


def _best(case: Case, candidates: Sequence[OpenTicket]) -> Match | None:
    earlier = {t.key: t for t in candidates}
    prints = [
        Earlier(key, ticket.fingerprint, _hours(case, ticket), ticket.first if ticket.first in earlier else "")
        for key, ticket in earlier.items()
    ]
    match = best(case.fingerprint, prints, case.settings.duplicates.threshold, case.lexicon)
    first = earlier[match.key].first if match else ""
    return replace(match, key=first) if match and first in earlier else match
