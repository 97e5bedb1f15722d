"""One round of everything, for `run --once`: take in all that waits, deliver all that is due, count, and leave."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailticket import observe
from mailticket.errors import MailticketError, StoreUnavailable
from mailticket.intake.collect import Collector
from mailticket.intake.sent_folder import collector_of
from mailticket.oauth2.tokens import Tokens
from mailticket.service.member import Member
from mailticket.service.memory import seek_garbage_seldom
from mailticket.settings import Mailbox, Settings
from mailticket.site import Site, open_site
from mailticket.store import outgoing, schema
from mailticket.store.engine import Database, must_be_sound
from mailticket.store.lock import RunLock, host_lock
from mailticket.store.outgoing import Due
from mailticket.triage.rules import OUTSIDE
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.troubles import note_defect

if TYPE_CHECKING:
    from mailticket.intake.take_in import Result
    from mailticket.smtp import Outcome

log = logging.getLogger("mailticket.service.once")

_SENT_STATES = {"sent": "sent", "retry": "deferred", "configuration": "deferred", "permanent": "failed"}

# What members wrote, by the rule that says what became of it; counted beside the state of the mail.
_STAFF = {OUTSIDE: "answers", "staff: answer": "answers", "staff: outside": "answers", "staff: note": "notes",
          "staff: held": "held"}  # fmt: skip


@dataclass
class Summary:
    """What a round did, under the names of `run --once --json`, and what kept it from doing more."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # mailboxes that another host collects, in a sentence each

    NAMES = ("fetched", "opened", "appended", "answers", "notes", "held", "duplicates", "filed", "quarantined",
             "already_known", "sent", "deferred", "failed", "withheld")  # fmt: skip

    def took(self, results: Sequence[Result]) -> None:
        for result in results:
            self.counts["fetched"] += 1
            self.counts["already_known" if result.state == "known" else result.state] += 1
            if result.rule in _STAFF:
                self.counts[_STAFF[result.rule]] += 1
            self.counts["duplicates"] += result.duplicate_of is not None
            self.counts["withheld"] += bool(result.withheld)

    def delivered(self, _due: Due, outcome: Outcome) -> None:
        self.counts[_SENT_STATES.get(outcome.kind, outcome.kind)] += 1

    def as_dict(self) -> dict[str, int]:
        return {name: self.counts[name] for name in self.NAMES}


def run_once(settings: Settings, mailboxes: Collection[str] | None = None) -> Summary:
    """One round under the run lock. A mailbox or server in trouble is noted; the rest is done all the same.

    mailboxes: the names of those that may be collected; None for all. What another host holds is left to it.
    """
    summary = Summary()
    database = Database(settings.database.url)
    try:
        if not database.is_sqlite:  # under the lock of this process alone the tables could not be changed
            schema.prepare(database)
        with host_lock(database) as lock:
            if lock.after_crash:
                must_be_sound(database)
            schema.prepare(database)
            member = Member(database, lock, "round")
            site = open_site(settings, database, host=member.join(()))
            seek_garbage_seldom()
            try:
                _round(site, member, lock, summary, mailboxes)
            finally:
                member.leave()
    finally:
        database.close()
    return summary


def _round(site: Site, member: Member, lock: RunLock, summary: Summary, mailboxes: Collection[str] | None) -> None:
    tokens = Tokens(site.database)
    for mailbox in site.settings.mailbox:
        if mailboxes is None or mailbox.name in mailboxes:
            _collect(site, member, mailbox, tokens, summary)
    if lock.has_chores():
        Upkeep(site).run()
    if _owes_mail(site):
        _deliver(site, tokens, summary)


def _collect(site: Site, member: Member, mailbox: Mailbox, tokens: Tokens, summary: Summary) -> None:
    """One mailbox, unless another host holds it."""
    try:
        sharing = member.sharing()
        former = sharing.former.get(mailbox.name)
        if mailbox.name in sharing.holders or not member.take(mailbox.name, former):
            summary.left.append(f"mailbox {mailbox.name} is left to the host that collects it")
            return
    except StoreUnavailable as error:
        summary.troubles.append(f"mailbox {mailbox.name}: {error}")
        return
    _collect_from(collector_of(site, mailbox, tokens.secret(site.settings, mailbox), summary.took), summary)
    with suppress(StoreUnavailable):  # then it is free when the round has ended
        member.give_back(mailbox.name)


def _collect_from(collector: Collector, summary: Summary) -> None:
    try:
        collector.collect_once()
        if collector.trouble_beside:
            summary.troubles.append(collector.trouble_beside)
    except Exception as error:
        words = str(error) if isinstance(error, MailticketError) else observe.defect(error)
        summary.troubles.append(f"{collector.name}: {words.removeprefix(f'{collector.name}: ')}")
        with suppress(StoreUnavailable):
            collector.is_unwell(error)
    finally:
        collector.close()


def _owes_mail(site: Site) -> bool:
    """Whether the outbox has anything to do; a database that cannot be asked is its matter."""
    with suppress(StoreUnavailable), site.database.read() as session:
        return outgoing.is_owed(session)
    return True


def _deliver(site: Site, tokens: Tokens, summary: Summary) -> None:
    from mailticket.outbox.couriers import couriers_of
    from mailticket.outbox.deliver import DELIVERY, Outbox

    async def deliver() -> None:
        couriers = couriers_of(site.settings, tokens)
        outbox = Outbox(site, couriers.pop(""), summary.delivered, further=couriers)
        await outbox.deliver_due()
        summary.troubles.extend(outbox.server_troubles)

    try:
        asyncio.run(deliver())
    except Exception as error:
        note_defect(site, DELIVERY, error)
        summary.troubles.append(f"outbox: {observe.defect(error)}")
