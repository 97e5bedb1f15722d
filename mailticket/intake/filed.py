"""What staff do with mails that were filed without a ticket: list them, make one a ticket, dismiss what is nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailticket.errors import NotFound, Refused
from mailticket.intake.apply import Arrived, carry_out
from mailticket.intake.prepare import prepare
from mailticket.intake.take_in import Arrival, Intake, Result
from mailticket.mail import read
from mailticket.models import Incoming
from mailticket.secrets import masking
from mailticket.site import Site
from mailticket.store import Session, incoming, knowledge, raws, tickets
from mailticket.triage.decide import judge_released
from mailticket.triage.decision import Case
from mailticket.triage.rules import BLOCKED
from mailticket.triage.writer import names_us, with_writer

_LONGEST_SUBJECT = 500
_HEAD = 1024 * 1024  # bytes of a raw mail that are read for its sender and subject


@dataclass(frozen=True, slots=True)
class Filed:
    """A filed mail as it is listed: its row, and by what staff recognise it. Texts are masked.

    names_us: whether To or Cc held an address of ours; None where that is no longer known.
    """

    row: Incoming
    sender: str
    subject: str
    names_us: bool | None


class Cabinet:
    """The mails of one database that were filed without a ticket. `actor` is who acts, for the history."""

    def __init__(self, site: Site, actor: str = "staff") -> None:
        self._site = site
        self._actor = actor

    def listing(self, limit: int | None = None, rule: str = "") -> list[Filed]:
        """All of them, or those of a rule, newest first."""
        with self._site.database.read() as session:
            return [self._described(session, row) for row in incoming.out_of_sight(session, limit, rule)]

    def _described(self, session: Session, row: Incoming) -> Filed:
        """Rows of former releases hold no description: theirs is read from the raw mail, for as long as it is kept."""
        if row.names_us is not None and (row.sender or row.subject):
            return Filed(row, row.sender, row.subject, row.names_us)
        raw = raws.get(session, row.raw_digest) if row.raw_digest else None
        if raw is None:
            return Filed(row, row.sender, row.subject, row.names_us)
        mail = read(raw[:_HEAD], self._site.brief.ourselves)
        sender = ", ".join(f"{a.name} <{a.address}>" if a.name else a.address for a in mail.from_[:3])
        subject = masking.mask(mail.subject, heading=True).text[:_LONGEST_SUBJECT]
        return Filed(row, sender, subject, names_us(mail, self._site.brief.ourselves))

    def release(self, number: int, *, acknowledged: bool = False) -> Result:
        """Open a ticket for a filed mail, read as a person's request. acknowledged: its writer gets the usual letter.
        What was blocked is taken in as if nothing blocked it, with what letter is owed then.

        Refused where the mail is not filed without a ticket, NotFound where retention has removed its bytes.
        """
        with self._site.database.read() as session:
            rule = incoming.by_id(session, number).rule
        return self._take_in(number) if rule == BLOCKED else self._open(number, acknowledged)

    def _take_in(self, number: int) -> Result:
        """The usual way in for a mail that was blocked: it may join a ticket, or be filed for what else it is."""
        with self._site.database.write() as session:
            row = incoming.filed_alone(session, number)
            raw = self._bytes(session, row)
        arrival = Arrival(number, raw, row.arrived_at, row.route, afterwards=False, state="filed")
        results = Intake(self._site).take_in([arrival])
        if not results:
            raise Refused(f"mail {number} is being released by somebody else")
        [result] = results
        if result.ticket and result.state in ("opened", "appended"):
            with self._site.database.write() as session:
                ticket = tickets.by_key(session, result.ticket, follow_merge=True)
                detail = f"mail {number} was {row.reason}"
                tickets.add_event(session, int(ticket.id or 0), self._site.clock(), "released", detail, self._actor)
        return result

    def _bytes(self, session: Session, row: Incoming) -> bytes:
        raw = raws.get(session, row.raw_digest) if row.raw_digest else None
        if raw is None:
            raise NotFound(f"the bytes of mail {row.id} are gone")
        return raw

    def _open(self, number: int, acknowledged: bool) -> Result:
        site, now = self._site, self._site.clock()
        with site.database.write() as session:
            row = incoming.filed_alone(session, number)
            before = row.rule
            item = prepare(self._bytes(session, row), True, site.brief)
            # What it was filed for, a header or a word that programs use, is what the person who releases it denies.
            # The digest is that of the bytes as they came, under which they are kept, masked or not.
            plain = replace(item.mail, digest=row.raw_digest or "", automatic=None, suppress="", spam=False)
            mail = with_writer(plain, site.brief.ourselves)
            arrived_at = min(row.arrived_at, now)
            case = Case(
                mail=mail,
                claims=item.claims,
                known=knowledge.known(session, mail, item.claims, site.settings, now),
                fingerprint=item.meaning.fingerprint,
                settings=site.settings,
                lexicon=site.classifier.trade.lexicon,
                now=now,
                arrived_at=arrived_at,
                route=row.route,
            )
            decision = judge_released(case, self._actor, acknowledged=acknowledged)
            arrived = Arrived(number, mail, item.meaning, arrived_at, row.route, case.delivered_to)
            ticket = carry_out(session, site, arrived, decision, now)
            ticket_id = int(ticket.id or 0) if ticket else 0
            tickets.add_event(session, ticket_id, now, "released", f"mail {number} was {before}", self._actor)
            incoming.finish(
                session, number, now, state="opened", rule=decision.rule, reason=decision.reason, trust=mail.trust,
                evidence=[list(pair) for pair in decision.evidence], ticket_id=ticket_id,
            )  # fmt: skip
        key = ticket.key if ticket else None
        duplicate = decision.duplicate.key if decision.duplicate else None
        return Result(
            number, "opened", decision.rule, decision.reason, key, decision.letter, decision.withheld, duplicate
        )

    def dismiss(self, number: int) -> None:
        """Somebody looked, and it is nothing: it stays listed, and no figure counts it as unseen."""
        with self._site.database.write() as session:
            incoming.dismiss(session, number, self._site.clock())
