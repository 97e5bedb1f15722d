"""One mailbox's rounds: list, record, fetch, take in, then flag or move. Only recorded UIDs are ever fetched.

A mailbox whose folder of sent mail is watched too has both in one thread, and mail of both is taken in in the order in
which it arrived: an answer finds its ticket, and the reply to it finds the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Protocol

from mailticket import imap
from mailticket.errors import CommandRefused, MailticketError, SignInRefused, StoreFull, StoreUnavailable
from mailticket.imap import LONGEST_IDLE, Inbox, Waker
from mailticket.intake.places import Fence, Flags, Place, connection
from mailticket.mail.packing import pack
from mailticket.models import Folder
from mailticket.observe.failpoints import failpoint
from mailticket.settings import Mailbox, keeper_of
from mailticket.site import Site
from mailticket.store import incoming, meta, raws
from mailticket.store.incoming import Waiting
from mailticket.upkeep.troubles import note_defect, note_disk

if TYPE_CHECKING:  # what reads and judges is loaded with the first mail, or at the first rest
    from mailticket.intake.take_in import Intake, Result

log = logging.getLogger("mailticket.intake.collect")

_MEGABYTE = 1024 * 1024
_PENDING_AT_ONCE = 500
_MOST_REFUSALS = 10  # rounds in which a server may list a mail and not give it
_HEALTH_EVERY = timedelta(minutes=1)


class Beside(Protocol):
    """A folder that is watched in the same thread; what is wrong with it is none of the mailbox's trouble."""

    site: Site
    stopping: bool
    trouble: str

    def look(self) -> bool:
        """Record what is new there. Returns whether anything was."""

    def oldest(self) -> datetime | None:
        """When the first mail arrived that waits there to be taken in; None for none."""

    def take_before(self, at: datetime | None) -> None:
        """Take in the first, and what arrived before a moment."""

    def tidy(self) -> None:
        """What is to be done there when all is taken in."""

    def leave(self) -> None:
        """Sign out."""

    def close(self) -> None:
        """Let go of what outlives a connection."""


class Collector:
    """Collects the mail of one folder.

    secret: reads the password when it is needed. on_outcomes: told what became of each mail, after the commit.
    on_beat: called whenever progress was made, with the seconds that may pass now in which nothing can be: a wait for
    mail or for the server.
    """

    def __init__(
        self,
        site: Site,
        mailbox: Mailbox,
        secret: Callable[[], str],
        on_outcomes: Callable[[Sequence[Result]], None] = lambda results: None,
        on_beat: Callable[[float], None] = lambda quiet: None,
        beside: Beside | None = None,
    ) -> None:
        self.mailbox = mailbox
        self._beside = beside
        self._flags = Flags(mailbox, self._elsewhere)
        self.waker = Waker()
        self.stopping = False
        self._fence = Fence(keeper_of(mailbox.name))
        self._site = site
        self._taking: Intake | None = None
        self._secret = secret
        self._on_outcomes = on_outcomes
        self._on_beat = on_beat
        self._well_at: datetime | None = None
        self._was_unwell = False
        self._quiet = 0.0
        self._refused: set[int] = set()  # rows that the server did not give in this round

    @property
    def name(self) -> str:
        """What `status` calls this part of the system."""
        return f"mailbox {self.mailbox.name}"

    @property
    def is_well(self) -> bool:
        """Whether its last round came to a good end; not before the first."""
        return self._well_at is not None

    @property
    def site(self) -> Site:
        return self._site

    @site.setter
    def site(self, site: Site) -> None:
        self._site = site
        if self._taking is not None:
            self._taking.site = site
        if self._beside is not None:
            self._beside.site = site

    @property
    def _intake(self) -> Intake:
        if self._taking is None:
            from mailticket.intake.take_in import Intake

            self._taking = Intake(self._site, lambda session: self._fence.hold(session, self.site))
        return self._taking

    @property
    def trouble_beside(self) -> str:
        """What is wrong with the folder beside it, with its name; "" for nothing."""
        return self._beside.trouble if self._beside is not None else ""

    def stop(self) -> None:
        """Let the round end after the chunk in hand; callable from any thread."""
        self.stopping = True
        if self._beside is not None:
            self._beside.stopping = True
        self.waker.wake()

    def close(self) -> None:
        """Let go of what outlives a connection."""
        self.waker.close()
        if self._beside is not None:
            self._beside.close()

    def collect_once(self) -> None:
        """Connect, take in all that waits, and leave. Raises MailboxUnavailable or StoreUnavailable."""
        with self._connected() as inbox:
            self._round(self._enter(inbox))

    def stay(self) -> None:
        """One connection's life: rounds, and between them IDLE or a pause, until told to stop or the line breaks."""
        with self._connected() as inbox:
            place = self._enter(inbox)
            while not self.stopping:
                self._round(place)
                # Not every server tells an IDLE of mail that came before it: look again after a rest that took time.
                if not self.stopping and not self._intake.rest():
                    self._wait(inbox)

    @contextmanager
    def _connected(self) -> Iterator[Inbox]:
        self._expect(self.mailbox.timeout_seconds)
        try:
            with self._elsewhere() as inbox:
                yield inbox
        finally:
            if self._beside is not None:
                self._beside.leave()

    def _elsewhere(self) -> AbstractContextManager[Inbox]:
        """A connection to the account."""
        return connection(self.mailbox, self._secret, lambda: self._on_beat(self._quiet))

    def _wait(self, inbox: Inbox) -> None:
        """Until the server tells of mail, at most until the next look: an IDLE may be dead without anybody knowing."""
        self._expect(self.mailbox.poll_seconds + self.mailbox.timeout_seconds)
        if self.mailbox.idle and inbox.can_idle:
            try:
                inbox.idle(min(LONGEST_IDLE, self.mailbox.poll_seconds), self.waker)
                return
            except CommandRefused as refused:
                log.warning("%s: no IDLE: %s", self.name, refused)
        self.waker.wait(self.mailbox.poll_seconds)

    def _expect(self, quiet: float) -> None:
        """We are alive, and until further notice may hear nothing from the server for so many seconds at a time."""
        self._quiet = quiet
        self._on_beat(quiet)

    def _enter(self, inbox: Inbox) -> Place:
        selected = inbox.select()
        return Place(inbox, self._enter_folder(selected), selected)

    def _enter_folder(self, selected: imap.Folder) -> Folder:
        first_contact = timedelta(hours=self.mailbox.first_contact_hours)
        now = self.site.clock()
        with self.site.database.write() as session:
            self._fence.hold(session, self.site)
            folder = incoming.enter_folder(
                session, self.mailbox.name, incoming.account_of(self.mailbox), selected.uidvalidity,
                selected.uidnext or 0, now, first_contact,
            )  # fmt: skip
        if folder.first_contact_at == now:
            log.warning(
                "mailbox %s: first contact with %s (UIDVALIDITY %d); mail older than %s is left alone",
                self.mailbox.name, selected.name, selected.uidvalidity, folder.before.isoformat(" ", "minutes"),
            )  # fmt: skip
        return folder

    def _round(self, place: Place) -> None:
        self._refused.clear()
        self._list(place)
        if self._beside is not None and self._beside.look():
            self._list(place)  # what was answered meanwhile came before its answer
        while not self.stopping:
            rows, theirs = self._waiting(place), self._beside.oldest() if self._beside else None
            mine = rows[0].arrived_at if rows else None
            if theirs is not None and self._beside is not None and (mine is None or theirs < mine):
                self._beside.take_before(mine)
            elif rows:
                self._take_until(place, rows, theirs)
            else:
                break
        if not self.stopping:
            self._tidy(place)
            self._flags.set(self.site, place)
            self._is_well(place.selected)
            if self._beside is not None:
                self._beside.tidy()

    def _waiting(self, place: Place) -> list[Waiting]:
        """The first mails that wait to be taken in; the server is asked again before there are none."""
        for again in (False, True):
            if again:
                self._list(place)
            with self.site.database.read() as session:
                rows = incoming.pending(session, place.id, _PENDING_AT_ONCE, self._refused)
            if rows:
                return rows
        return []

    def _take_until(self, place: Place, rows: Sequence[Waiting], at: datetime | None) -> None:
        """Take in the first of the mails that wait, and those behind it that arrived no later than a moment."""
        rows = rows if at is None else [*rows[:1], *takewhile(lambda row: row.arrived_at <= at, rows[1:])]
        for chunk, alone in self._chunks(rows):
            self._take(place.inbox, chunk, alone)
            self._tidy(place)
            self._is_well(place.selected)  # a backlog may take hours
            if self.stopping:
                return

    def _list(self, place: Place) -> bool:
        """Record every new UID before anything of it is fetched. Returns whether there was one."""
        inbox, folder = place.inbox, place.folder
        self._expect(self.mailbox.timeout_seconds)
        new = inbox.list_new(folder.high_water)
        for start in range(0, len(new), _PENDING_AT_ONCE):
            uids = new[start : start + _PENDING_AT_ONCE]
            sizes = inbox.sizes(uids)
            listed = [
                incoming.Listed(uid, sizing.size, sizing.internaldate)
                if (sizing := sizes.get(uid))
                else incoming.Listed(uid)
                for uid in uids
            ]
            with self.site.database.write(durable=False) as session:  # what is lost is listed again
                self._fence.hold(session, self.site)
                incoming.record_listed(session, folder, listed, self.site.clock())
        if new:
            failpoint("collect.listed")
        return bool(new)

    def _chunks(self, rows: Sequence[Waiting]) -> Iterator[tuple[list[Waiting], bool]]:
        """Rows in order, in chunks of bounded number and size; mails that may be poison, and large ones, alone."""
        from mailticket.intake.take_in import CHUNK_BYTES, CHUNK_MAILS

        suspicious = any(self._intake.is_suspect(row) for row in rows)
        chunk: list[Waiting] = []
        size = 0
        for row in rows:
            alone = self._is_oversized(row) or (suspicious and self._intake.is_suspect(row))
            if chunk and (alone or len(chunk) >= CHUNK_MAILS or size + row.size > CHUNK_BYTES):
                yield chunk, False
                chunk, size = [], 0
            if alone:
                yield [row], True
            else:
                chunk.append(row)
                size += row.size
        if chunk:
            yield chunk, False

    def _is_oversized(self, row: Waiting) -> bool:
        return row.size > self.mailbox.maximum_size_mb * _MEGABYTE

    def _take(self, inbox: Inbox, rows: Sequence[Waiting], alone: bool) -> None:
        by_uid = {row.uid: row for row in rows}
        fetched, missing = self._fetch(inbox, by_uid)
        self._on_beat(0)  # from here on it is our own work
        failpoint("collect.fetched")
        gone = [by_uid[lost.uid].id for lost in missing if not lost.listed]
        if gone:
            with self.site.database.write() as session:
                self._fence.hold(session, self.site)
                incoming.vanish(session, gone, self.site.clock())
        from mailticket.intake.take_in import Arrival

        arrivals = [
            Arrival(row.id, fetched[uid].raw, row.arrived_at, self.mailbox.name, complete=fetched[uid].whole,
                    afterwards=self.mailbox.afterwards != "keep", alone_attempts=row.alone_attempts)
            for uid, row in by_uid.items() if uid in fetched
        ]  # fmt: skip
        if arrivals:
            self._on_outcomes(self._intake.take_in(arrivals, alone=alone))
        for lost in missing:
            if lost.listed:
                self._pass_over(by_uid[lost.uid], lost)

    def _pass_over(self, row: Waiting, lost: imap.Missing) -> None:
        """The server lists a mail and does not give it: the others go on, this one is asked for again next time, and
        after many times it is shown in quarantine, with the headers if those came."""
        self._refused.add(row.id)
        log.warning("%s: UID %s is listed but not given: %s", self.name, row.uid, lost.reason)
        now = self.site.clock()
        with self.site.database.write() as session:
            self._fence.hold(session, self.site)
            if incoming.count_refusal(session, row.id, _MOST_REFUSALS, lost.reason, now) and lost.raw:
                packed = pack(lost.raw, complete=False)
                raws.put(session, packed, now)
                incoming.finish(session, row.id, now, raw_digest=packed.digest)

    def _fetch(self, inbox: Inbox, by_uid: dict[int, Waiting]) -> tuple[dict[int, imap.Fetched], list[imap.Missing]]:
        """The mails as the server gives them; an oversized one comes as headers and beginning."""
        listing = {uid: imap.Listed(row.size, row.arrived_at) for uid, row in by_uid.items()}
        responses = list(inbox.fetch(listing))
        fetched = {response.uid: response for response in responses if isinstance(response, imap.Fetched)}
        return fetched, [response for response in responses if isinstance(response, imap.Missing)]

    def _tidy(self, place: Place) -> None:
        """Flag or move what was taken in. A refusal is kept, shown and tried again; it is never the mail's end."""
        if self.mailbox.afterwards == "keep":
            return
        selected = place.selected
        with self.site.database.read() as session:
            due = incoming.afterwards_due(session, place.id, self.site.clock())
        if not due:
            return
        ids = [row.id for row in due]
        error = "" if not selected.read_only else "the folder is read-only"
        if not error:
            self._fence.ask(self.site)
            error = self._tidy_on_server(place.inbox, due)
        failpoint("collect.flagged")
        with self.site.database.write(durable=False) as session:  # to flag or move a mail again does no harm
            self._fence.hold(session, self.site)
            if error and not selected.read_only:
                incoming.afterwards_failed(session, ids, self.site.clock(), error)
            else:
                incoming.afterwards_done(session, ids)

    def _tidy_on_server(self, inbox: Inbox, due: Sequence[Waiting]) -> str:
        """Returns what the server refused, in its words; a lost line is raised."""
        moved = [row.uid for row in due if not self._stays(row)]
        seen = [row.uid for row in due if self._stays(row)]
        try:
            if seen:
                inbox.mark_seen(seen)
            if moved:
                inbox.move(moved, self.mailbox.move_to)
        except CommandRefused as refused:
            return str(refused)
        return ""

    def _stays(self, row: Waiting) -> bool:
        # The only whole copy of an oversized mail is left where people look for it.
        return self.mailbox.afterwards == "seen" or self._is_oversized(row)

    def _is_well(self, selected: imap.Folder) -> None:
        now = self.site.clock()
        if self._well_at is not None and now - self._well_at < _HEALTH_EVERY:
            return
        note = "read-only folder: counts as afterwards = keep" if selected.read_only else ""
        with self.site.database.write() as session:
            self._fence.hold(session, self.site)
            recovered = meta.went_well(session, self.name, now, note)
        if recovered or self._was_unwell:
            log.warning("%s: works again", self.name)
        self._well_at, self._was_unwell = now, False

    def is_unwell(self, error: Exception) -> None:
        """Record a trouble where `status` and `check` find it: of the server, the configuration, or ours."""
        self._well_at, self._was_unwell = None, True
        if not isinstance(error, MailticketError):
            note_defect(self.site, self.name, error)
            return
        text = str(error).removeprefix(f"{self.name}: ")  # a session's errors open with it
        if isinstance(error, SignInRefused) and error.remedy:
            text = f"{text}; {error.remedy}"
        log.warning("%s: %s", self.name, text)
        if isinstance(error, StoreFull):
            note_disk(self.site, str(error))
        elif not isinstance(error, StoreUnavailable):  # that cannot be written down
            with self.site.database.write() as session:
                self._fence.hold(session, self.site)  # whoever collects it now knows how it fares
                meta.went_wrong(session, self.name, self.site.clock(), text)
