"""An incoming mail's way in: bytes -> reading -> judgement -> one transaction. Read this room first.

The rules of the room: the attempt is committed before the work (for the end of the program; a power cut may undo it,
which no mail causes), everything that a mail causes is one transaction, and no mail stops another. A mail that raises
is rolled back to its savepoint and taken alone; a mail that was taken alone three times without a result is quarantined
with its raw bytes. Faults of the world never count against a mail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from mailticket.config.canned import canned_names
from mailticket.desk.by_mail import Became
from mailticket.errors import StoreUnavailable
from mailticket.intake.apply import Arrived, carry_out, of_staff
from mailticket.intake.forwards import take_forward
from mailticket.intake.prepare import Failure, Prepared, make_ready, prepare, prepare_all
from mailticket.intake.second_reading import read_again
from mailticket.mail.forwarded import forwarded
from mailticket.mail.packing import pack
from mailticket.mail.values import Mail
from mailticket.models import Ticket
from mailticket.observe import fields
from mailticket.observe.failpoints import failpoint
from mailticket.promise import Load
from mailticket.settings import is_sent
from mailticket.site import Site
from mailticket.store import Session, incoming, knowledge, raws
from mailticket.store.engine import is_fault_of_the_world
from mailticket.store.incoming import Waiting
from mailticket.store.rows import savepoint
from mailticket.triage.blocks import block_of
from mailticket.triage.brief import Brief
from mailticket.triage.decide import judge
from mailticket.triage.decision import Case, Decision
from mailticket.triage.known import Known
from mailticket.triage.orders import Known as Names
from mailticket.triage.staff_mail import Office
from mailticket.triage.understanding import Understanding
from mailticket.triage.writer import names_us
from mailticket.upkeep.load import Expectation
from mailticket.upkeep.troubles import Room

log = logging.getLogger("mailticket.intake.take_in")

CHUNK_MAILS = 50
CHUNK_BYTES = 4 * 1024 * 1024
POISON_AFTER = 3
_TRANSACTION_SECONDS = 0.1
_HURRIED_SECONDS = 0.03  # while the outbox waits for its turn
_LONGEST_LINE = 500
_STATES = {"open": "opened", "append": "appended", "answer": "appended", "file": "filed", "known": "known"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that is to be taken in. complete is False when only headers and a first part were fetched.

    afterwards: whether the server's copy is to be flagged or moved. letters_allowed: False withholds its letters.
    alone_attempts: how often it was taken in alone before without coming to an end. state: of its row, from which it is
    taken in; a row in any other has its outcome. A filed one was blocked and is taken in whatever blocks it.
    """

    incoming_id: int
    raw: bytes
    arrived_at: datetime
    route: str
    complete: bool = True
    afterwards: bool = True
    letters_allowed: bool = True
    alone_attempts: int = 0
    state: Literal["listed", "quarantined", "filed"] = "listed"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mail, for the log, the counts and the demo."""

    incoming_id: int
    state: str
    rule: str
    reason: str
    ticket: str | None = None
    letter: str = ""
    withheld: str = ""
    duplicate_of: str | None = None
    mail: Mail | None = field(default=None, repr=False)


_Item = tuple[Arrival, Prepared]


class Intake:
    """Takes mails in, chunk by chunk. One object a thread; the site may be replaced between chunks."""

    def __init__(self, site: Site, guard: Callable[[Session], None] = lambda session: None) -> None:
        """guard: asked in each transaction that counts attempts; raises Fenced where they are another's to count."""
        self.site = site
        self._guard = guard
        self._expectation = Expectation()
        self._room = Room()
        self._ready_for: Brief | None = None
        self._innocent: dict[int, int] = {}  # attempts that a fault of the world ended: id -> attempts that count

    def take_in(self, arrivals: Sequence[Arrival], *, alone: bool = False) -> list[Result]:
        """Bring every mail of a chunk to its result, in order. Raises StoreUnavailable with nothing half done.

        alone: take them one by one, as after a stop in the midst of a chunk.
        """
        self._room.check(self.site)
        results: list[Result] = []
        suspects = list(arrivals)
        if not alone and len(arrivals) > 1:
            suspects = self._take_together(arrivals, results)
        for arrival in suspects:
            results.extend(self._take_alone(arrival))
        routes = {arrival.incoming_id: arrival.route for arrival in arrivals}
        for result in results:
            _note(result, routes[result.incoming_id])
        return results

    def rest(self) -> bool:
        """Nothing is to be taken in for a while: make ready what the next mail would have to wait for.

        Returns whether that took time, in which a mail may have come.
        """
        busy = self._expectation.refresh(self.site)
        if self._ready_for is not self.site.brief:
            self._ready_for, busy = self.site.brief, True
            make_ready(self.site.brief)
        return self.site.letters.make_ready(self.site.head) or busy

    def _take_together(self, arrivals: Sequence[Arrival], results: list[Result]) -> list[Arrival]:
        """A chunk in as few transactions as may be; returns the mails that raised, to be taken alone."""
        suspects: list[Arrival] = []
        ids = [arrival.incoming_id for arrival in arrivals]
        with self._blameless({arrival.incoming_id: arrival.alone_attempts for arrival in arrivals}):
            with self.site.database.write(durable=False) as session:
                self._guard(session)
                incoming.begin_attempts(session, ids, self.site.clock())
            failpoint("intake.attempted")
            preparations = prepare_all([(arrival.raw, arrival.complete) for arrival in arrivals], self.site.brief)
            prepared = _readable(arrivals, preparations, suspects)
            while prepared:
                prepared = self._commit_some(prepared, results, suspects)
        return suspects

    @contextmanager
    def _blameless(self, attempts: dict[int, int]) -> Iterator[None]:
        """A fault of the world inside takes the attempts of these mails back: in the database if it can be written,
        and in memory for as long as it cannot."""
        try:
            yield
        except StoreUnavailable:
            self._innocent.update(attempts)
            with suppress(StoreUnavailable), self.site.database.write() as session:
                self._guard(session)
                incoming.forget_attempts(session, attempts)
            raise
        for incoming_id in attempts:
            self._innocent.pop(incoming_id, None)

    def is_suspect(self, row: Waiting) -> bool:
        """Whether a mail has an attempt that ended with the program, so that it must be taken alone."""
        return row.attempted_at is not None and row.id not in self._innocent

    def _commit_some(self, prepared: list[_Item], results: list[Result], suspects: list[Arrival]) -> list[_Item]:
        """One transaction, ended when it has lasted long enough; returns what is left for the next."""
        done: list[Result] = []
        failed: list[Arrival] = []
        began = time.monotonic()
        with self.site.database.write() as session:
            load = self._expectation.load(session, self.site)
            while prepared and (not done or time.monotonic() - began < self._transaction_seconds()):
                arrival, item = prepared[0]
                try:
                    with savepoint(session):
                        done.extend(self._write(session, arrival, item, load))
                except Exception as error:
                    if is_fault_of_the_world(error):
                        raise
                    log.exception("mail %s could not be written; it is taken alone", arrival.incoming_id)
                    failed.append(arrival)
                prepared = prepared[1:]
            failpoint("intake.in_transaction")
        failpoint("intake.committed")
        results.extend(done)
        suspects.extend(failed)
        return prepared

    def _transaction_seconds(self) -> float:
        return _HURRIED_SECONDS if self.site.database.is_wanted_urgently else _TRANSACTION_SECONDS

    def _take_alone(self, arrival: Arrival) -> list[Result]:
        """A mail by itself: its attempts count, and after the last the mail is poison."""
        attempts = self._innocent.get(arrival.incoming_id, arrival.alone_attempts)
        error: Exception | None = None
        while attempts < POISON_AFTER:
            with self._blameless({arrival.incoming_id: attempts}):
                try:
                    return self._take_one(arrival, attempts + 1)
                except StoreUnavailable:
                    raise
                except Exception as fault:
                    log.exception("mail %s failed, attempt %d alone", arrival.incoming_id, attempts + 1)
                    error = fault
            attempts += 1
        return self._quarantine(arrival, error)

    def _take_one(self, arrival: Arrival, attempt: int) -> list[Result]:
        with self.site.database.write(durable=False) as session:
            self._guard(session)
            incoming.begin_alone(session, arrival.incoming_id, attempt, self.site.clock())
        failpoint("intake.attempted")
        item = prepare(arrival.raw, arrival.complete, self.site.brief)
        with self.site.database.write() as session:
            results = self._write(session, arrival, item, self._expectation.load(session, self.site))
            failpoint("intake.in_transaction")
        failpoint("intake.committed")
        return results

    def _write(self, session: Session, arrival: Arrival, item: Prepared, load: Load | None) -> list[Result]:
        """Judge a mail and write all that follows from it; nothing when it has its result already."""
        now = self.site.clock()
        if not incoming.is_owed(session, arrival.incoming_id, arrival.state):
            return []
        case = self._case(session, arrival, item, now)
        decision = judge(case)
        answered = decision.ticket or decision.linked_to
        if item.mail.quotes_us and decision.staff is None and decision.action in ("append", "open", "answer"):
            notices = self.site.notices.at(session, now)
            again = read_again(session, arrival.raw, item, answered, self.site.brief, notices)
            if again is not item:
                item = again
                decision = judge(replace(case, mail=item.mail, fingerprint=item.meaning.fingerprint))
        if decision.action != "known":
            raws.put(session, item.packed, now, self._mask_after(item.meaning, now))
        arrived = Arrived(arrival.incoming_id, item.mail, item.meaning, case.arrived_at, arrival.route,
                          case.delivered_to, load, arrival.raw)  # fmt: skip
        decision, ticket = self._carry_out(session, case, arrived, decision)
        self._record(session, arrived, decision, ticket.id if ticket else None, now, afterwards=arrival.afterwards)
        key = ticket.key if ticket else decision.ticket
        duplicate = decision.duplicate.key if decision.duplicate else None
        state = _STATES[decision.action]
        return [
            Result(arrival.incoming_id, state, decision.rule, decision.reason, key, decision.letter,
                    decision.withheld, duplicate, item.mail)
        ]  # fmt: skip

    def _carry_out(
        self, session: Session, case: Case, arrived: Arrived, decision: Decision
    ) -> tuple[Decision, Ticket | None]:
        """Write what a mail means; returns the decision with what came of it, and the ticket that it went to."""
        became: Became | None
        if decision.staff is not None and decision.staff.deed == "forward":
            decision, became = take_forward(session, self.site, case, arrived, decision.staff, case.now)
        else:
            became = of_staff(session, self.site, arrived, decision, case.now)
        if became is None:
            return decision, carry_out(session, self.site, arrived, decision, case.now)
        why = "; ".join(text for _, text in became.reasons)
        return replace(decision, rule=f"staff: {became.what}", reason=why or decision.reason), became.ticket

    def _case(self, session: Session, arrival: Arrival, item: Prepared, now: datetime) -> Case:
        is_blockable = arrival.state != "filed" and not is_sent(arrival.route)
        return Case(
            mail=item.mail,
            claims=item.claims,
            known=self._known(session, arrival, item, now),
            fingerprint=item.meaning.fingerprint,
            settings=self.site.settings,
            lexicon=self.site.classifier.trade.lexicon,
            now=now,
            arrived_at=min(arrival.arrived_at, now),  # the server's clock may be ahead of ours
            route=arrival.route,
            answerable=arrival.letters_allowed,
            restored_at=self.site.restored_at,
            block=self._block(session, item.mail, now) if is_blockable else "",
            office=self._office(session, item.mail, arrival.raw, complete=arrival.complete),
        )

    def _known(self, session: Session, arrival: Arrival, item: Prepared, now: datetime) -> Known:
        """What bears on a mail; its own row, where it was filed before, is no copy of it."""
        known = knowledge.known(session, item.mail, item.claims, self.site.settings, now)
        others = tuple(copy for copy in known.copies if copy.incoming_id != arrival.incoming_id)
        return known if len(others) == len(known.copies) else replace(known, copies=others)

    def _block(self, session: Session, mail: Mail, now: datetime) -> str:
        return block_of(mail, self.site.settings, self.site.blocked.at(session, now))

    def _office(self, session: Session, mail: Mail, raw: bytes, *, complete: bool) -> Office | None:
        """Who works the desk; of a mail of one of them also what its commands may name, and what it forwards."""
        roster, ourselves = self.site.roster, self.site.brief.ourselves
        if not roster.staff:
            return None
        if len(mail.from_) == 1 and roster.of_address(mail.from_[0].key) is not None:
            names = Names(
                members=[member.name for member in roster.staff],
                teams=[team.name for team in roster.teams],
                categories=list(self.site.categories),
                texts=canned_names(self.site.settings.desk.canned),
                prefixes=self.site.prefixes(session),
            )
            zone = self.site.settings.zone()
            return Office(roster, names, ourselves, forwarded(mail, raw, ourselves, roster.addresses, zone), complete)
        return Office(roster, Names(), ourselves)

    def _mask_after(self, meaning: Understanding, now: datetime) -> datetime | None:
        hours = self.site.settings.retention.secret_raw_hours
        return now + timedelta(hours=hours) if meaning.secrets else None

    def _record(
        self, session: Session, arrived: Arrived, decision: Decision, ticket_id: int | None, now: datetime, *,
        afterwards: bool,
    ) -> None:  # fmt: skip
        mail = arrived.mail
        incoming.finish(
            session, arrived.incoming_id, now,
            state=_STATES[decision.action],
            rule=decision.rule,
            reason=decision.reason,
            evidence=[list(pair) for pair in decision.evidence],
            delivered_to=arrived.delivered_to,
            message_id=mail.message_id or None,
            identity=mail.identity,
            origin=mail.origin or None,
            essence=mail.essence or None,
            raw_digest=None if decision.action == "known" else mail.digest,
            trust=mail.trust,
            copy_of=decision.copy_of,
            ticket_id=ticket_id,
            names_ticket=decision.names_ticket,
            names_us=names_us(mail, self.site.brief.ourselves),
            **(_description(arrived) if decision.action == "file" and ticket_id is None else {}),
            **({"dismissed_at": now} if decision.settled and ticket_id is None else {}),
            **({"afterwards": "due", "afterwards_at": now} if afterwards else {}),
        )  # fmt: skip

    def _quarantine(self, arrival: Arrival, error: Exception | None) -> list[Result]:
        """Set a mail aside with its bytes, without reading it: reading may be what kills us."""
        reason = (
            f"{type(error).__name__} in each of {POISON_AFTER} attempts" if error else "ended the program each time"
        )
        now = self.site.clock()
        packed = pack(arrival.raw, complete=arrival.complete)
        with self.site.database.write() as session:
            if not incoming.is_owed(session, arrival.incoming_id, arrival.state):
                return []
            raws.put(session, packed, now)
            incoming.finish(session, arrival.incoming_id, now, state="quarantined", rule="poison", reason=reason,
                            raw_digest=packed.digest)  # fmt: skip
        log.error("mail %s is quarantined: %s", arrival.incoming_id, reason)
        return [Result(arrival.incoming_id, "quarantined", "poison", reason)]


def _description(arrived: Arrived) -> dict[str, str]:
    """By what staff recognise a mail that has no ticket."""
    senders = arrived.mail.from_[:3]
    written = ", ".join(f"{sender.name} <{sender.address}>" if sender.name else sender.address for sender in senders)
    return {"sender": written[:_LONGEST_LINE], "subject": arrived.meaning.subject[:_LONGEST_LINE]}


def _readable(
    arrivals: Sequence[Arrival], preparations: Sequence[Prepared | Failure], suspects: list[Arrival]
) -> list[_Item]:
    """The mails that could be prepared; the others become suspects."""
    items: list[_Item] = []
    for arrival, item in zip(arrivals, preparations, strict=True):
        if isinstance(item, Prepared):
            items.append((arrival, item))
        else:
            log.error("reading mail %s failed (%s); it is taken alone", arrival.incoming_id, item.reason)
            suspects.append(arrival)
    return items


def _note(result: Result, route: str) -> None:
    """One line a mail: what became of it, by which rule, why. No word that its writer chose but the Message-ID."""
    mail = result.mail
    log.info("mail %s", result.state, extra=fields(
        mail=result.incoming_id, mailbox=route, message_id=mail.message_id if mail else "", ticket=result.ticket,
        rule=result.rule, reason=result.reason, sender=mail.trust if mail else "", letter=result.letter,
        withheld=result.withheld,
    ))  # fmt: skip
