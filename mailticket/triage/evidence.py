"""Where a mail belongs: the evidence of section 5 of the design, best first, and what each piece of it said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailticket.triage import ticket_keys
from mailticket.triage.decision import Case
from mailticket.triage.known import TicketFacts
from mailticket.triage.signatures import Signed
from mailticket.triage.writer import is_claimed

REPLY_ADDRESS = "reply address"
REFERENCE = "signed reference"
OWN_MAIL = "own earlier mail"
OUR_ANSWER = "answer to the sender"
SUBJECT = "subject"
_MOST_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Trace:
    """A piece of evidence that leads to a ticket, and whether the sender may write there by it.

    stranger: the sender is none of the ticket's people, and only our signature speaks for the mail.
    """

    rule: str
    finding: str
    facts: TicketFacts
    allowed: bool
    stranger: bool = False

    @property
    def signed(self) -> bool:
        return self.rule in (REPLY_ADDRESS, REFERENCE)


def traces(case: Case) -> tuple[Trace, ...]:
    """All evidence that leads to a ticket, best first."""
    return (
        *_signed(case, REPLY_ADDRESS, case.claims.reply_addresses),
        # Of several references the newest says best where the writer was last.
        *_signed(case, REFERENCE, case.claims.references[::-1]),
        *_own_mail(case),
        *_our_answer(case),
        *_subject(case),
    )


def _signed(case: Case, rule: str, signatures: Sequence[Signed]) -> Iterator[Trace]:
    for signed in signatures:
        key = ticket_keys.from_compact(signed.ticket)
        facts = case.known.tickets.get(key)
        if facts is not None:
            stranger = case.sender not in facts.writers
            finding = f"good signature for {_named(key, facts)}" + (", from another address" if stranger else "")
            yield Trace(rule, finding, facts, _sound(case), stranger)


def _own_mail(case: Case) -> Iterator[Trace]:
    for message_id in case.claims.earlier_ids:
        facts = case.known.tickets.get(case.known.earlier.get(message_id, ""))
        if facts is not None:
            yield Trace(OWN_MAIL, f"answers the sender's own mail on {facts.key}", facts, _may_write(case, facts))


def _our_answer(case: Case) -> Iterator[Trace]:
    """Answers that went past us bear no signature: only who got one, and belongs to its ticket, may name it."""
    for message_id in case.claims.earlier_ids:
        facts = case.known.tickets.get(case.known.answers.get(message_id, ""))
        if facts is not None:
            yield Trace(OUR_ANSWER, f"answers our answer on {facts.key}", facts, _may_write(case, facts))


def _subject(case: Case) -> Iterator[Trace]:
    for key in case.claims.subject_ids:
        facts = case.known.tickets.get(key)
        if facts is not None:
            who = "its requester or a participant" if case.sender in facts.writers else "somebody else"
            who = f"{who}, as a form claims" if is_claimed(case.mail) else who
            finding = f"{_named(key, facts)}, from {who}"
            yield Trace(SUBJECT, finding, facts, _may_write(case, facts))


def _named(key: str, facts: TicketFacts) -> str:
    return key if key == facts.key else f"{key}, which was merged into {facts.key}"


def _sound(case: Case) -> bool:
    return case.mail.trust != "failed"


def _may_write(case: Case, facts: TicketFacts) -> bool:
    """Whether the sender is one of the ticket's people; a claimed one is a stranger, or any form could write there."""
    return _sound(case) and case.sender in facts.writers and not is_claimed(case.mail)


def lost_keys(case: Case) -> list[str]:
    """Tickets that we signed for and that are not there: they were opened after the backup that was restored."""
    ours = (*case.claims.reply_addresses, *case.claims.references)
    signed = [ticket_keys.from_compact(s.ticket) for s in ours if s.purpose != "alert"]
    return [key for key in dict.fromkeys(signed) if key not in case.known.tickets][:_MOST_FINDINGS]


def findings(case: Case, trail: Sequence[Trace]) -> Iterator[tuple[str, str]]:
    """What each kind of evidence said, in order, the kinds that said nothing included."""
    claims, known = case.claims, case.known
    referenced = len(claims.references) + len(claims.earlier_ids)
    silent = {
        REPLY_ADDRESS: "none of ours",
        REFERENCE: f"{referenced} references, none of ours" if referenced else "no references",
        OWN_MAIL: f"none of {len(claims.earlier_ids)} is the sender's own" if claims.earlier_ids else "no references",
        SUBJECT: "no ticket ID",
    }
    if lost := lost_keys(case):
        silent[REFERENCE] = f"good signature for {', '.join(lost)}, which this database does not know"
    if claims.imitations:
        silent[REFERENCE] = f"{claims.imitations} that look like ours bear no good signature"
    unknown = [key for key in claims.subject_ids if key not in known.tickets]
    if unknown:
        silent[SUBJECT] = f"{', '.join(unknown[:_MOST_FINDINGS])}: there is no such ticket"
    if any(trace.rule == OUR_ANSWER for trace in trail):
        silent = {**silent, OUR_ANSWER: ""}
    for rule, nothing in silent.items():
        pieces = [trace.finding for trace in trail if trace.rule == rule]
        if not _sound(case) and pieces:
            pieces.append("but the sender failed authentication")
        yield rule, "; ".join(dict.fromkeys(pieces[:_MOST_FINDINGS])) or nothing
