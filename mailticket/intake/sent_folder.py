"""A mailbox with its folder of sent mail: both in one thread, each over its own connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from mailticket import observe
from mailticket.errors import MailticketError, StoreUnavailable
from mailticket.imap import Inbox
from mailticket.intake.collect import Collector
from mailticket.intake.places import Copies, Place
from mailticket.settings import Mailbox
from mailticket.site import Site
from mailticket.store.incoming import Waiting

if TYPE_CHECKING:
    from mailticket.intake.take_in import Result

T = TypeVar("T")

_PAUSE = (30.0, 900.0)  # seconds between tries while it is in trouble
_INSTANT = timedelta(microseconds=1)


def collector_of(
    site: Site,
    mailbox: Mailbox,
    secret: Callable[[], str],
    on_outcomes: Callable[[Sequence[Result]], None] = lambda results: None,
    on_beat: Callable[[float], None] = lambda quiet: None,
) -> Collector:
    """The collector of a mailbox, and beside it of its folder of sent mail, where one is watched."""
    folder, beside = mailbox.sent, None
    if folder is not None:
        beside = SentFolder(site, folder, secret, on_outcomes, on_beat, keeper=mailbox)
    return Collector(site, mailbox, secret, on_outcomes, on_beat, beside)


class SentFolder(Collector):
    """Collects the mail of a folder of sent mail, and saves answers there.

    No IDLE: it is looked at in each round of its mailbox. Its troubles are noted under its own name, and it is left
    alone for a while; those of the database are everybody's.
    """

    def __init__(
        self,
        site: Site,
        mailbox: Mailbox,
        secret: Callable[[], str],
        on_outcomes: Callable[[Sequence[Result]], None],
        on_beat: Callable[[float], None],
        keeper: Mailbox,
    ) -> None:
        super().__init__(site, mailbox, secret, on_outcomes, on_beat)
        self._place: Place | None = None
        self._copies = Copies(keeper.name)
        self._pause = 0.0
        self._rests_until = 0.0
        self.trouble = ""

    def look(self) -> bool:
        """Record what is new there. Returns whether anything was."""
        return self._guarded(self._begin, False)

    def oldest(self) -> datetime | None:
        """When the first mail arrived that waits there to be taken in; None for none, and while it is in trouble."""
        rows: list[Waiting] = self._guarded(self._waiting, [])
        return rows[0].arrived_at if rows else None

    def take_before(self, at: datetime | None) -> None:
        """Take in the first, and what arrived before a moment: a request goes before the answer of the same second."""
        before = at - _INSTANT if at else None
        self._guarded(lambda place: self._take_until(place, self._waiting(place), before), None)

    def tidy(self) -> None:
        """Save answers that were given elsewhere."""
        self._guarded(self._end, None)

    def leave(self) -> None:
        """Sign out."""
        place, self._place = self._place, None
        if place is not None:
            place.inbox.logout()

    def _begin(self, place: Place) -> bool:
        self._refused.clear()
        return self._list(place)

    def _end(self, place: Place) -> None:
        if not self.stopping:
            self._copies.save(self.site, place)
            self._is_well(place.selected)
            self._pause, self.trouble = 0.0, ""

    def _tidy(self, place: Place) -> None:
        """Nothing is flagged or moved there."""

    def _guarded(self, act: Callable[[Place], T], otherwise: T) -> T:
        """What an act gives; `otherwise` while the folder is in trouble, of which the mailbox must not suffer."""
        if time.monotonic() < self._rests_until:
            return otherwise
        try:
            if self._place is None:
                self._place = self._open()
            return act(self._place)
        except StoreUnavailable:
            raise
        except Exception as error:
            known = isinstance(error, MailticketError)
            self.trouble = f"{self.name}: {error if known else observe.defect(error)}"
            place, self._place = self._place, None
            if place is not None:
                place.inbox.drop()
            shortest, longest = _PAUSE
            self._pause = min(longest, 2 * self._pause or shortest)
            self._rests_until = time.monotonic() + self._pause
            with suppress(StoreUnavailable):
                self.is_unwell(error)
            return otherwise

    def _open(self) -> Place:
        self._expect(self.mailbox.timeout_seconds)
        inbox = Inbox(self.mailbox, self._secret, lambda: self._on_beat(self._quiet))
        inbox.connect()
        try:
            return self._enter(inbox)
        except BaseException:
            inbox.drop()
            raise
