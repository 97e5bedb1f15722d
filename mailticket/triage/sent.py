"""What our own people sent from a mail program: which of it is an answer that its reader has already. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mailticket.mail.address import Address
from mailticket.mail.claimed import is_ours
from mailticket.mail.values import Mail, Ourselves
from mailticket.settings import Settings, is_sent
from mailticket.triage import ticket_keys
from mailticket.triage.decision import Case, Decision
from mailticket.triage.known import TicketFacts
from mailticket.triage.rules import OUTSIDE, SENT
from mailticket.triage.staff import Roster

SAME = "same answer"  # the rule for what shows one a second time
SHARED = "shared mailbox"  # who answers, where the mail does not say which member

Proof = Literal["", "verified", "internal"]


def is_from_us(mail: Mail, settings: Settings) -> bool:
    """Whether From is one of our addresses, with or without a tag, or a member's. That alone proves nothing."""
    if len(mail.from_) != 1:
        return False
    return _is_own(mail.from_[0], settings) or bool(member_at(mail.from_[0].key, settings))


def member_at(key: str, settings: Settings) -> str:
    """The member who has this address, as addresses are compared; "" for nobody."""
    member = Roster(settings.staff).of_address(key)
    return member.name if member else ""


def is_proved(mail: Mail) -> Proof:
    """Why From is believed of a mail that came in by an inbox; "" where it is not."""
    if mail.from_trust == "verified":
        return "verified"
    return "internal" if mail.internal and mail.from_trust != "failed" else ""


def judge_sent(case: Case) -> Decision:
    """What a mail in a folder of sent mail means. It is never answered, opens no ticket, and likeness ties it to
    none."""
    return _own(case) or same_answer(case) or _outside(case, proof="") or _filed(case)


def outside_answer(case: Case) -> Decision | None:
    """An answer from one of our own addresses of which an inbox got a copy, if it is proved that From is true."""
    proof = is_proved(case.mail)
    # What groups and forms send from our address they send for somebody, whom another header names.
    if not proof or case.mail.claimed is not None or not _is_own_mail(case):
        return None
    return _outside(case, proof)


def same_answer(case: Case) -> Decision | None:
    """An answer that is on record, seen once more: in a folder of sent mail, or as a proved copy in an inbox.

    The same From and Message-ID are not enough for what anybody could have sent: it would silence a mail.
    """
    answer = case.known.answer
    if answer is None or not (is_sent(case.route) or is_proved(case.mail)):
        return None
    reason = f"the answer on {answer.key} is on record, as mail {answer.incoming_id}"
    return Decision("known", SAME, reason, ticket=answer.key, copy_of=answer.incoming_id, changes_state=False)


def _own(case: Case) -> Decision | None:
    """A letter or an answer that left through us; its provider, or we, put a copy there."""
    automatic = case.mail.automatic
    if not case.claims.own and (automatic is None or automatic.kind != "own"):
        return None
    facts = case.known.tickets.get(case.claims.own_key)
    if facts is None:
        return Decision("file", SENT, "it is our own letter", kind="own", changes_state=False)
    reason = f"it is our own mail on {facts.key}"
    return Decision("known", "own", reason, kind="own", ticket=facts.key, changes_state=False)


def _outside(case: Case, proof: Proof) -> Decision | None:
    if not is_from_us(case.mail, case.settings) or _is_automatic(case.mail):
        return None
    lead = next(_leads(case), None)
    if lead is None:
        return None
    facts, finding = lead
    reason = f"{finding}, and goes to its requester or a participant"
    return Decision(
        "answer", OUTSIDE, reason, ticket=facts.key, kind="staff-reply", changes_state=False,
        by=_author(case), via="mailbox", proof=proof,
        twins=tuple(copy.incoming_id for copy in case.known.copies) if is_sent(case.route) else (),
    )  # fmt: skip


def _leads(case: Case) -> Iterator[tuple[TicketFacts, str]]:
    """The tickets to whose people the mail went, by the evidence that leads there, best first."""
    known, readers = case.known, {address.key for address in (*case.mail.to, *case.mail.cc)}
    for key, finding in _evidence(case):
        facts = known.tickets.get(key)
        if facts is not None and readers & facts.writers:
            yield facts, finding


def _evidence(case: Case) -> Iterator[tuple[str, str]]:
    """Tickets that the mail names, each with what names it, best first."""
    claims, known = case.claims, case.known
    for signed in (*claims.reply_addresses, *claims.references[::-1]):
        key = ticket_keys.from_compact(signed.ticket)
        yield key, f"it answers our mail about {key}"
    for message_id in claims.earlier_ids:
        for key in known.requests.get(message_id, ()):
            yield key, f"it answers a mail on {key}"
    for key in claims.subject_ids:
        yield key, f"its subject names {key}"


def _filed(case: Case) -> Decision:
    mail = case.mail
    if mail.automatic is not None and _is_automatic(mail):
        reason = f"automatic: {mail.automatic.reason}"
    elif not is_from_us(mail, case.settings):
        reason = "From is none of our addresses"
    elif any(key in case.known.tickets for key, _ in _evidence(case)):
        reason = "neither To nor Cc names anybody of the ticket that it leads to"
    else:
        reason = "nothing ties it to a ticket"
    return Decision("file", SENT, reason, kind=SENT, changes_state=False)


def _is_automatic(mail: Mail) -> bool:
    automatic = mail.automatic
    return automatic is not None and not (automatic.distribution or automatic.our_address)


def _author(case: Case) -> str:
    """The member who sent it, by From or by Sender, in which shared mailboxes name a delegate."""
    people = (*case.mail.from_, *([case.mail.agent] if case.mail.agent else []))
    names = (member_at(address.key, case.settings) for address in people)
    return next(filter(None, names), SHARED)


def _is_own_mail(case: Case) -> bool:
    return len(case.mail.from_) == 1 and _is_own(case.mail.from_[0], case.settings)


def _is_own(address: Address, settings: Settings) -> bool:
    return is_ours(address.key, Ourselves(own_addresses=settings.own_addresses))
