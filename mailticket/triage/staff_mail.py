"""What a mail of a member of staff is to become: whether it is theirs, which ticket it means, what it asks. Pure.

A mark proves that its writer got the desk mail that it was made for, a verdict of the site's own servers that the
address is theirs; a bare From proves nothing, and whatever such a mail asks waits for the member's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from mailticket.mail.forwarded import Forwarded
from mailticket.mail.staff_cut import StaffCut, staff_cut
from mailticket.mail.staff_files import is_closing
from mailticket.mail.values import Ourselves
from mailticket.settings import Staff
from mailticket.triage.decision import Case
from mailticket.triage.evidence import Trace
from mailticket.triage.known import MarkFacts, TicketFacts
from mailticket.triage.marks import Mark
from mailticket.triage.orders import Known as Names
from mailticket.triage.orders import Orders, read_orders
from mailticket.triage.staff import Roster
from mailticket.triage.writer import is_claimed

Proof = Literal["", "mark", "verified", "internal", "confirmed"]
Deed = Literal[
    "answer",  # composed anew, to the requester
    "note",  # stays inside
    "outside",  # the requester has it already
    "orders",  # commands and no words
    "release",  # answers a receipt: what that is about is sent, carried out or thrown away
    "test",  # answers a mail that tries the way to them and back
    "forward",  # somebody else's mail, handed on
    "automatic",  # a machine speaks in the member's name
]
CONFIRM = "receipt-confirm"  # the event of a desk mail that asks whether a mail was theirs
DoubtCode = Literal["unproved", "cut", "empty", "order", "large"]


_NONE, _UNANSWERED = Orders(), MarkFacts()


@dataclass(frozen=True, slots=True)
class Office:
    """Who works the desk, what their commands may name, and how we are known in mails."""

    roster: Roster
    names: Names
    ourselves: Ourselves
    forwarded: Forwarded | None = None  # what the mail at hand forwards
    complete: bool = True  # whether all of it could be fetched


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a staff mail is held whatever the guard says of it: a code, and a sentence for its writer."""

    code: DoubtCode
    text: str


@dataclass(frozen=True, slots=True)
class StaffMail:
    """A mail of a member, as it is understood.

    proof: why it is believed to be theirs, "" for no reason. mark: of the desk mail that it answers directly, if it is
    the member's own and alive. dead: marks that die by it. ticket: the written ID that it leads to; "" for none.
    text: its new words. doubts: why it is held. conflict: what else would have led to another ticket. answered: what is
    known of the desk mail that it answers.
    """

    member: Staff
    deed: Deed
    proof: Proof
    text: str = ""
    orders: Orders = _NONE
    mark: Mark | None = None
    dead: tuple[Mark, ...] = ()
    ticket: str = ""
    doubts: tuple[Doubt, ...] = ()
    cut: StaffCut | None = None
    conflict: str = ""
    answered: MarkFacts = _UNANSWERED
    forwarded: Forwarded | None = None


def foreign_mark(case: Case) -> Mark | None:
    """The mark of a member in the mail of somebody who is none; a machine's mail does not use it."""
    if case.office is None or not case.claims.marks or member_of(case) is not None or case.mail.automatic is not None:
        return None
    return case.claims.marks[0]


def member_of(case: Case) -> Staff | None:
    """Whose address stands in From, alone; whatever else the mail says is nobody's identity."""
    mail = case.mail
    if case.office is None or len(mail.from_) != 1 or mail.sender_address is None or is_claimed(mail):
        return None
    return case.office.roster.of_address(mail.from_[0].key)


def staff_mail(case: Case, trail: Sequence[Trace]) -> StaffMail | None:
    """What a member's mail is to become; None for what is nobody's of staff, what failed authentication, and what a
    member writes as a requester: all that is judged as any other mail."""
    member, office = member_of(case), case.office
    if member is None or office is None or case.mail.trust == "failed":
        return None
    if _is_machine(case):
        return StaffMail(member, "automatic", _proof(case))
    others = tuple(mark for mark in case.claims.marks if mark.member != member.name)
    parent = case.claims.parent
    own = parent if parent is not None and parent.member == member.name and _is_alive(case, parent) else None
    facts = _facts(case, trail, own)
    is_own_matter = any(trace.allowed and case.sender in trace.facts.writers for trace in trail)
    if own is None and not others and is_own_matter:
        return None
    proof = _proof(case) or ("mark" if own else "")
    support = case.settings.support.name
    cut = staff_cut(case.mail, office.ourselves, own.symbols if own else "", (support, f"via {support}"))
    orders = read_orders(cut.text, office.names)
    bare = StaffMail(
        member, "note", proof, orders.rest, orders, own, others, facts.key if facts else "", cut=cut,
        conflict=_conflict(case, facts, own), answered=case.known.marks if own else _UNANSWERED,
    )  # fmt: skip
    return _with_deed(case, bare, facts)


def _with_deed(case: Case, mail: StaffMail, facts: TicketFacts | None) -> StaffMail | None:
    orders, event = mail.orders, mail.answered.event
    if event == "test":
        return replace(mail, deed="test")
    if orders.only_queries:
        return replace(mail, deed="orders")
    if event == CONFIRM or (event.startswith("receipt-") and (orders.has("send") or orders.has("stop"))):
        return replace(mail, deed="release", doubts=tuple(_of_orders(mail)))
    if facts is None:
        forwarded = case.office.forwarded if case.office else None
        if forwarded is not None:
            above = read_orders(forwarded.covering, case.office.names if case.office else Names())
            mail = replace(mail, deed="forward", text=above.rest, orders=above, forwarded=forwarded)
            return replace(mail, doubts=tuple(_of_words(case, mail, "forward")))
        return None if not (orders.orders or orders.unknown) else replace(mail, deed="orders", doubts=_aimless(mail))
    deed = _deed(case, mail, facts)
    return replace(mail, deed=deed, doubts=_doubts(case, mail, deed))


def _deed(case: Case, mail: StaffMail, facts: TicketFacts) -> Deed:
    """In doubt private: only an `ask` mark, `#send`, or the requester among the recipients makes an answer."""
    if mail.orders.has("note"):
        return "note"
    bare = not mail.text and not mail.orders.has("canned") and not _has_files(case)
    if bare and (mail.orders.orders or mail.orders.unknown):
        return "orders"
    if any(address.key in facts.writers for address in (*case.mail.to, *case.mail.cc)):
        return "outside"  # whatever it answers: they have it already
    if mail.mark is not None:
        return "answer" if mail.mark.purpose == "ask" else "note"
    return "answer" if mail.orders.has("send") and not mail.dead else "note"


def _has_files(case: Case) -> bool:
    """Whether its writer attached something, which pictures in the text and signatures are not."""
    return any(not file.inline and not is_closing(file) for file in case.mail.attachments)


def _doubts(case: Case, mail: StaffMail, deed: Deed) -> tuple[Doubt, ...]:
    return (*_of_proof(case, mail, deed), *_of_words(case, mail, deed))


def _of_proof(case: Case, mail: StaffMail, deed: Deed) -> Iterable[Doubt]:
    if mail.proof == "":
        yield Doubt("unproved", f"nothing but its From says that {mail.member.name} wrote it")
    if mail.proof == "mark" and deed != "release":
        if case.settings.desk.proof == "verified":
            yield Doubt("unproved", "only the mail that it answers says who wrote it, and this site wants more")
        elif mail.orders.has("cc"):
            yield Doubt("unproved", "#cc needs more proof than the mail that it answers")


def _of_orders(mail: StaffMail) -> Iterable[Doubt]:
    for flaw in mail.orders.unknown:
        yield Doubt("order", f"{flaw.line}: {_FLAWS[flaw.code].format(word=flaw.word, value=flaw.value)}")
    for line in mail.orders.misplaced:
        yield Doubt("order", f"{line}: commands stand at the very top")


def _of_words(case: Case, mail: StaffMail, deed: Deed) -> Iterable[Doubt]:
    yield from _of_orders(mail)
    if deed in ("note", "outside", "forward"):
        for order in mail.orders.orders:
            if order.word in ("canned", "cc"):
                yield Doubt("order", f"{order.line}: that goes with an answer, and this is none")
    beneath = mail.cut is not None and bool(mail.cut.beneath)
    if deed in ("answer", "note"):
        has_words = bool(mail.text) or mail.orders.has("canned") or beneath
        if not has_words and not (deed == "note" and case.mail.attachments):
            yield Doubt("empty", "it has no words of its own above what it quotes")
        elif case.office is not None and not case.office.complete:
            yield Doubt("large", "it is too large to be fetched whole")
    if deed in ("answer", "orders") and mail.cut is not None and (mail.cut.text or beneath) and not mail.cut.sure:
        yield Doubt("cut", "it is not plain where its own words end and what it quotes begins")


_FLAWS = {
    "unknown-word": "there is no command #{word}",
    "value-missing": "#{word} needs a value",
    "value-superfluous": "#{word} takes no value",
    "unknown-name": "there is nobody called {value}",
    "unknown-team": "there is no team {value}",
    "unknown-priority": "there is no priority {value}",
    "unknown-category": "there is no category {value}",
    "unknown-text": "there is no ready answer {value}",
    "not-an-id": "{value} is no ticket ID",
    "not-an-address": "{value} is not one address",
    "twice": "#{word} stands there twice",
    "conflict": "#{word} and #{value} cannot be meant together",
    "too-many": "there are too many commands",
    "too-long": "that is too long",
    "blank-before-word": "a command has no blank behind its sign",
}


def _aimless(mail: StaffMail) -> tuple[Doubt, ...]:
    return (Doubt("order", "it leads to no ticket: answer a mail about one, or write its ID into the subject"),)


def _is_machine(case: Case) -> bool:
    """What a machine sent in a member's name; by the null path only reports and responders go (RFC 5321 4.5.5)."""
    automatic = case.mail.automatic
    return automatic is not None and (not automatic.distribution or case.mail.return_path == "")


def _proof(case: Case) -> Proof:
    """What proves the sender without any mark."""
    if case.mail.trust == "verified":
        return "verified"
    return "internal" if case.mail.internal else ""


def _is_alive(case: Case, mark: Mark) -> bool:
    revoked_at = case.known.marks.revoked_at.get(mark.member)
    return (
        mark.mac not in case.known.marks.dead
        and case.now - mark.made_at <= timedelta(days=case.settings.desk.mark_days)
        and (revoked_at is None or mark.made_at > revoked_at)
    )


def _facts(case: Case, trail: Sequence[Trace], own: Mark | None) -> TicketFacts | None:
    """The ticket that a member means: by the mark, else by any evidence, for the right to write is not asked here."""
    known = case.known.tickets
    if own is not None and own.ticket:
        return known.get(own.key)
    requests = (key for message_id in case.claims.earlier_ids for key in case.known.requests.get(message_id, ()))
    keys = [*(mark.key for mark in case.claims.marks), *case.claims.roots, *requests]
    return next((known[key] for key in keys if key in known), None) or next((trace.facts for trace in trail), None)


def mark_finding(case: Case) -> str:
    """What the mark of the desk mail says that a mail answers, for `mail why`."""
    mark = case.claims.parent
    if mark is None:
        return "answers no mail of ours to staff" + (", but is in the thread of one" if case.claims.marks else "")
    words = f"{mark.purpose}, made for {mark.member} at {mark.made_at:%Y-%m-%d %H:%M} UTC"
    if mark.mac in case.known.marks.dead:
        return f"{words}, dead: others had it"
    return words if _is_alive(case, mark) else f"{words}, too old or revoked"


def _conflict(case: Case, facts: TicketFacts | None, own: Mark | None) -> str:
    others = {case.known.tickets[key].key for key in case.claims.subject_ids if key in case.known.tickets}
    others -= {facts.key} if facts else set()
    return f"its subject names {', '.join(sorted(others))}" if own is not None and facts and others else ""
