"""An outgoing mail's way out: due rows -> courier -> outcome. Nothing is claimed that has no connection to go to.

The rules of the room: a row is claimed and committed, then the courier names the recipient, then "data begun" is
committed, then the data goes, then the outcome is committed, again and again until it is in. So after a stop, a row
that was not begun was surely not sent, and one that was begun may have been: that one is uncertain. No claim outlives
its outbox: what is claimed when it ends, or was left by one that was cut short, is settled before more is claimed.

Several hosts may drain one outbox. "Data begun" is committed only by the host whose claim the mail still is, and it
looks once more at the clock before it sends: who was paused finds that others have decided about its mails.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from mailticket import observe
from mailticket.errors import Fenced, StoreUnavailable
from mailticket.observe.failpoints import failpoint, hurried
from mailticket.settings import Smtp
from mailticket.site import Site
from mailticket.smtp import Courier, Notify, Outcome, queue_id, retry_at
from mailticket.store import Session, hosts, meta, outgoing, tickets
from mailticket.store.ledger import Ledger
from mailticket.store.outgoing import STAFF_RANK, Due

log = logging.getLogger("mailticket.outbox.deliver")

HEALTH = "smtp"
DELIVERY = "delivery"  # where defects of ours are written down; the server is not at fault
_LOOK_EVERY = 2.0
_LAST_REPLY = 20.0  # seconds that a stop waits for the reply to a final dot
_SERVER_PAUSE = (5.0, 300.0)
_STORE_PAUSE = 1.0
_LONGEST_BEGINNING = hosts.LEASE_SECONDS / 2  # from asking whether the claim is still ours until the data goes
_HEALTH_EVERY = timedelta(minutes=1)
_AFTER_DEFECT = timedelta(hours=1)
_DEFECT_LASTS = timedelta(hours=6)  # longer than any wait between two attempts
_STATES = {
    "sent": "sent", "permanent": "failed", "uncertain": "uncertain", "retry": "deferred", "configuration": "deferred",
}  # fmt: skip


def _part(account: str) -> str:
    """What an account is called in lists of parts and troubles."""
    return f"{HEALTH} {account}".strip()


@dataclass(slots=True)
class _Way:
    """An account as it fares. courier: None for that of the common account."""

    courier: Courier | None = None
    paused_until: float = 0.0
    troubles: int = 0
    trouble: str = ""
    well_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        return time.monotonic() < self.paused_until


class Outbox:
    """Delivers what is due, each mail through the courier of its account. All methods belong to one event loop, but
    for `wake`, `wait_for_rest` and `stop`.

    courier: of the common account, and of every mail whose own is no more. further: by brand. The trouble of one server
    keeps only the mail of its account.
    """

    def __init__(
        self,
        site: Site,
        courier: Courier,
        on_sent: Callable[[Due, Outcome], None] = lambda due, outcome: None,
        on_beat: Callable[[], None] = lambda: None,
        further: Mapping[str, Courier] = MappingProxyType({}),
    ) -> None:
        self.site = site
        self.courier = courier
        self._ways = {"": _Way(), **{account: _Way(courier) for account, courier in further.items()}}
        self._host = site.host  # whose claims all of its claims are
        self._on_sent = on_sent
        self._on_beat = on_beat
        self._ledger = Ledger(site.database)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._at_rest = threading.Event()  # nothing that it was woken for can leave now
        self._at_rest.set()
        self._stopping = False
        self._tasks: dict[asyncio.Task[None], Due] = {}  # the deliveries under way, each with its mail
        self._paused_until = 0.0
        self._store_trouble = ""
        self._in_doubt = False  # whether a claim may have been committed of which we were not told
        self._settled_at = time.monotonic()
        self._deadline: datetime | None = None  # only what is due by then is claimed
        self._recording = 0  # outcomes that are not durable yet; while there are any, nothing is claimed
        self._defects: dict[int, datetime] = {}  # mails whose last attempt met a defect of ours, and when
        self._is_sound = False  # whether it is written down that there is no such mail

    @property
    def server_troubles(self) -> list[str]:
        """What keeps the mail of each account from leaving, under its part's name; [] when nothing does."""
        return [f"{_part(account)}: {way.trouble}" for account, way in self._ways.items() if way.trouble]

    def wake(self) -> None:
        """Look for due rows now; callable from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._at_rest.clear()
            self._loop.call_soon_threadsafe(self._woken.set)

    def wait_for_rest(self, seconds: float) -> bool:
        """Return as soon as what is due has left, or cannot for now, True; after so many seconds in any case.

        For other threads, whose work would take the interpreter from it.
        """
        return self._at_rest.wait(seconds)

    def stop(self) -> None:
        """Claim nothing more, and let `run` return; callable from any thread."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Deliver until told to stop."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping and not await self._settle_claimed():
            self._woken.clear()
            self._on_beat()
            await self._wait(_STORE_PAUSE)
        try:
            while not self._stopping:
                self._woken.clear()
                if time.monotonic() - self._settled_at > hosts.LEASE_SECONDS and not self.site.database.is_sqlite:
                    self._in_doubt = True  # a host that did not know yet that it was given up may have claimed more
                await self._claim_due()
                if not self._tasks and not self._woken.is_set():
                    self._at_rest.set()
                self._on_beat()
                await self._wait(_LOOK_EVERY)
        finally:
            await self._finish()

    async def deliver_due(self) -> None:
        """Deliver all that is due now, and return. What is deferred meanwhile waits for the next time."""
        self._loop = asyncio.get_running_loop()
        self._deadline = self.site.clock()
        if not await self._settle_claimed():
            return
        try:
            while not self._rests() and (await self._claim_due() or self._tasks):
                self._woken.clear()
                if self._tasks:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                self._on_beat()
        finally:
            await self._finish()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _finish(self) -> None:
        """Wait for replies that may still come, then let go of the rest and settle it."""
        self._stopping = True  # or a delivery that ends now would claim the next
        end = time.monotonic() + _LAST_REPLY
        # Again and again, since one that ends now may have claimed the next before.
        while self._tasks and (left := end - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._settle_claimed()
        self._at_rest.set()
        await asyncio.gather(*(self._courier(way).close() for way in self._ways.values()))

    async def _settle_claimed(self) -> bool:
        """Give every row that is claimed and not under way a state again: of ours, and of hosts that live no more.
        False while the database cannot."""
        under_way = tuple(due.id for due in self._tasks.values())
        try:
            again, unsure = await self._ledger.write(
                lambda session: outgoing.recover(session, self.site.clock(), self._host, under_way)
            )
        except StoreUnavailable as error:
            self._note_store(str(error))
            return False
        if again or unsure:
            log.warning("of mails that were on their way out %d are queued again, %d uncertain", again, unsure)
        self._in_doubt, self._settled_at = False, time.monotonic()
        return True

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    async def _claim_due(self) -> int:
        """Claim as many rows as there are free connections, and set out with them."""
        free = {account: number for account in self._ways if (number := self._free(account)) > 0}
        if not free or self._recording or self._is_paused() or (self._in_doubt and not await self._settle_claimed()):
            return 0
        try:
            # A claim that a power cut undoes had not begun, for that is durable: its mail is due again.
            rows = await self._ledger.write(
                lambda session: [due for one, most in free.items() for due in self._claim(session, most, one)],
                durable=False,
            )
        except StoreUnavailable as error:
            self._in_doubt = True
            self._note_store(str(error))
            self._pause(_STORE_PAUSE)
            return 0
        self._note_store("")
        self._set_out(rows)
        return len(rows)

    def _claim(self, session: Session, most: int, account: str) -> list[Due]:
        """Rows of an account; of the common one also what belongs to none."""
        left = () if account else tuple(name for name in self._ways if name)
        return outgoing.claim(session, self._deadline or self.site.clock(), most, self._host, left=left, only=account)

    def _account(self, due: Due) -> str:
        return due.account if due.account in self._ways else ""

    def _courier(self, way: _Way) -> Courier:
        return way.courier or self.courier

    def _free(self, account: str) -> int:
        """How many connections of an account have nothing to do; none while its server is in trouble."""
        way = self._ways[account]
        if way.is_paused:
            return 0
        busy = sum(self._account(due) == account for due in self._tasks.values())
        return self._server(account).connections - busy

    def _server(self, account: str) -> Smtp:
        """The settings of an account; of the common one where a reload took the brand away."""
        return self.site.settings.accounts.get(account, self.site.settings.smtp)

    def _rests(self) -> bool:
        """Whether nothing can leave for now."""
        return self._is_paused() or all(way.is_paused for way in self._ways.values())

    def _set_out(self, rows: Sequence[Due]) -> None:
        for due in rows:
            task = asyncio.create_task(self._deliver(due))
            self._tasks[task] = due
            task.add_done_callback(self._ended)
        if rows:
            failpoint("outbox.claimed")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._woken.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery ended in a defect", exc_info=task.exception())

    def _pause(self, seconds: float) -> None:
        self._paused_until = time.monotonic() + seconds

    def _note_store(self, trouble: str) -> None:
        """Say once that the database keeps us waiting, and once that it does no more: a full disk lasts."""
        if trouble and not self._store_trouble:
            log.error("the outbox waits for the database: %s", trouble)
        elif self._store_trouble and not trouble:
            log.warning("the outbox works again")
        self._store_trouble = trouble

    async def _deliver(self, due: Due) -> None:
        outcome, begun = await self._attempt(due)
        following = await self._record(due, outcome, begun=begun) if outcome is not None else None
        if outcome is None or following is None:
            log.warning("outgoing %d (%s): it was let go, for others may decide about it now", due.id, due.kind)
            self._pause(_STORE_PAUSE)  # whoever was given up is told so before it claims more
            return
        self._set_out(following)
        failpoint("outbox.recorded")
        self._on_sent(due, outcome)

    async def _attempt(self, due: Due) -> tuple[Outcome | None, bool]:
        """One delivery; returns its outcome, and whether its data was begun. No outcome: the claim was gone, and
        nothing was sent. A defect of ours is an outcome too: nothing that goes wrong here leaves the row claimed."""
        begun = False
        self._defects.pop(due.id, None)

        async def begin() -> None:
            nonlocal begun
            asked, now = time.monotonic(), self.site.clock()
            if not await self._ledger.write(lambda session: outgoing.set_begun(session, due.id, now, self._host)):
                raise Fenced("the claim is gone")
            begun = True
            failpoint("outbox.begun")
            if time.monotonic() - asked > hurried(_LONGEST_BEGINNING):
                raise Fenced("the claim may be gone")

        # Nobody wants a report of an acknowledgement that did not arrive (RFC 3461); of answers, and of mail to staff,
        # staff do.
        notify: Notify = "failure" if due.rank == STAFF_RANK or due.kind == outgoing.DESK else "never"
        try:
            outcome = await self._courier(self._ways[self._account(due)]).deliver(
                due.envelope_from, due.recipient, due.wire, begin, notify=notify, copies=due.copies or ()
            )
            failpoint("outbox.accepted")
        except Fenced:
            if begun:
                await self._let_go(due)
            return None, begun
        except StoreUnavailable as error:
            return Outcome("retry", "data", text=f"the database could not note the attempt: {error}"), False
        except Exception as error:
            log.exception("outgoing %d: a defect in its delivery", due.id)
            await self._note_defect(due, error)
            words = f"a defect of mailticket ({type(error).__name__}); the log says where"
            return Outcome("uncertain", "message", text=words) if begun else Outcome("retry", "data", text=words), begun
        return outcome, begun

    async def _let_go(self, due: Due) -> None:
        """Others may have given us up while it was begun, so nothing was sent: say so where it is ours to say."""
        try:
            await self._ledger.write(lambda session: outgoing.let_go(session, due.id, self._host))
        except StoreUnavailable as error:
            self._in_doubt = True
            self._note_store(str(error))

    async def _note_defect(self, due: Due, error: Exception) -> None:
        """Write a defect of ours down where `status` finds it; it is shown until its mail gets through an attempt."""
        now = self.site.clock()
        self._defects[due.id], self._is_sound = now, False
        with suppress(StoreUnavailable):
            await self._ledger.write(lambda session: meta.went_wrong(session, DELIVERY, now, observe.defect(error)))

    async def _record(self, due: Due, outcome: Outcome, *, begun: bool) -> list[Due] | None:
        """Write the outcome, again and again until it is in: nothing else is claimed meanwhile.

        The row that this connection takes next is claimed in the same transaction, which saves a commit a mail. When a
        defect keeps what follows from the outcome from being written, the state alone is. None when the outcome was
        not ours to write any more.
        """
        settle, unsure = self._settle_and_claim, False
        self._recording += 1
        try:
            while True:
                try:
                    following = await self._ledger.write(partial(settle, due=due, outcome=outcome, begun=begun))
                    break
                except StoreUnavailable as error:
                    self._in_doubt = unsure = True
                    self._note_store(str(error))
                    await asyncio.sleep(_STORE_PAUSE)
                except Exception as error:
                    if settle == self._settle_barely:
                        raise
                    log.exception("outgoing %d: a defect in writing down its outcome", due.id)
                    await self._note_defect(due, error)
                    settle = self._settle_barely
        finally:
            self._recording -= 1
        self._note_server(due, outcome)
        if following is None and not unsure:
            return None
        level = logging.INFO if outcome.kind == "sent" else logging.WARNING
        log.log(level, "outgoing %d (%s): %s", due.id, due.kind, outcome)
        return following or []

    def _settle_and_claim(self, session: Session, due: Due, outcome: Outcome, *, begun: bool) -> list[Due] | None:
        if not self._settle(session, due, outcome, begun=begun):
            return None
        goes_on = not (
            outcome.about_the_server or self._stopping or self._is_paused() or self._recording > 1 or self._in_doubt
        )
        account = self._account(due)
        return self._claim(session, 1, account) if goes_on and not self._ways[account].is_paused else []

    def _settle_barely(self, session: Session, due: Due, outcome: Outcome, *, begun: bool) -> list[Due] | None:
        """The state of the row and nothing else: what more an outcome means met a defect."""
        now = self.site.clock()
        if outcome.kind == "sent":
            return [] if outgoing.set_sent(session, due.id, self._host, now, None) else None
        if not outgoing.hold_claim(session, due.id, self._host, begun=begun):
            return None
        outgoing.set_outcome(session, due.id, state=_STATES[outcome.kind], next_attempt_at=now + _AFTER_DEFECT,
                             begun_at=None, last_error=str(outcome))  # fmt: skip
        return []

    def _settle(self, session: Session, due: Due, outcome: Outcome, *, begun: bool) -> bool:
        """Write what follows from an outcome; False, and nothing, when it is not ours to write any more."""
        now = self.site.clock()
        if outcome.kind == "sent":
            if not self._sent(session, due, outcome, now):
                return False
        elif not outgoing.hold_claim(session, due.id, self._host, begun=begun and outcome.kind != "uncertain"):
            return False
        elif outcome.kind == "uncertain":
            outgoing.mark_uncertain(session, outgoing.by_id(session, due.id), now, str(outcome))
        elif outcome.kind == "permanent":
            self._failed(session, due, now, str(outcome))
            from mailticket.mail.delivery_status import is_dead_address  # and the reader of bounces

            people = due.kind != outgoing.DESK
            if people and outcome.phase == "recipient" and is_dead_address(outcome.status):
                tickets.set_undeliverable(session, due.recipient, now, str(outcome))
        elif outcome.about_the_server:
            # No fault of this mail: it keeps its place and its attempts, the whole outbox waits for the server.
            outgoing.set_outcome(session, due.id, state="deferred", attempts=due.attempts - 1, next_attempt_at=now,
                                 last_error=str(outcome), begun_at=None)  # fmt: skip
        else:
            self._again(session, due, outcome, now)
        self._note_health(session, due, outcome, now)
        return True

    def _note_health(self, session: Session, due: Due, outcome: Outcome, now: datetime) -> None:
        account = self._account(due)
        part, way = _part(account), self._ways[account]
        mine = hosts.part_of(part, self._host)
        if outcome.about_the_server:
            # What is wrong here only is noted apart, or other hosts, whom the server takes, would end it at once.
            alone = not hosts.others_live(session, self._host)
            text = str(outcome) if alone else f"{socket.gethostname()}: {outcome}"
            meta.went_wrong(session, part if alone else mine, now, text)
        elif way.well_at is None or now - way.well_at > _HEALTH_EVERY:
            meta.went_well(session, part, now)
            if self._host and meta.is_unwell(session, mine):
                meta.went_well(session, mine, now)
            way.well_at = now
        if not self._is_sound and all(now - at > _DEFECT_LASTS for at in self._defects.values()):
            if meta.is_unwell(session, DELIVERY):
                meta.went_well(session, DELIVERY, now)
            self._defects.clear()
            self._is_sound = True

    def _sent(self, session: Session, due: Due, outcome: Outcome, now: datetime) -> bool:
        if not outgoing.set_sent(session, due.id, self._host, now, queue_id(outcome.text) or None):
            return False
        if due.kind == "staff-reply" and due.ticket_id is not None:
            tickets.set_first_response(session, due.ticket_id, now)
            for words in outcome.refused:
                tickets.add_event(session, due.ticket_id, now, "copy failed", words)
        return True

    def _failed(self, session: Session, due: Due, now: datetime, why: str) -> None:
        if due.kind == outgoing.DESK:
            from mailticket.outbox import desk_mail  # and all that shows mail to members

            desk_mail.not_arrived(session, self.site, outgoing.by_id(session, due.id), why, now)
            return
        outgoing.set_outcome(session, due.id, state="failed", begun_at=None, last_error=why)
        if due.ticket_id is not None:
            tickets.add_event(session, due.ticket_id, now, f"{due.kind} failed", why)
            if due.kind == "staff-reply":
                tickets.take_back_answer(session, due.ticket_id, now)

    def _again(self, session: Session, due: Due, outcome: Outcome, now: datetime) -> None:
        when = retry_at(due.created_at, now, due.attempts, random.random, outcome=outcome,
                        give_up_hours=self._server(self._account(due)).give_up_hours)  # fmt: skip
        if when is None:
            self._failed(session, due, now, f"given up: {outcome}")
        else:
            outgoing.set_outcome(
                session, due.id, state="deferred", next_attempt_at=when, begun_at=None, last_error=str(outcome)
            )

    def _note_server(self, due: Due, outcome: Outcome) -> None:
        """When the server itself is in trouble, wait longer each time instead of trying every mail on it."""
        way = self._ways[self._account(due)]
        way.trouble = str(outcome) if outcome.about_the_server else ""
        if not outcome.about_the_server:
            way.troubles = 0
            return
        way.well_at = None
        if way.is_paused:  # the other connections met the same trouble at the same time
            return
        shortest, longest = _SERVER_PAUSE
        pause = min(longest, shortest * 2**way.troubles) * random.uniform(0.75, 1.25)  # noqa: S311 jitter
        way.troubles = min(way.troubles + 1, 10)
        way.paused_until = time.monotonic() + pause
        whose = f" of {self._account(due)}" if self._account(due) else ""
        log.warning("the outbox waits %.0f s for the SMTP server%s: %s", pause, whose, outcome)
