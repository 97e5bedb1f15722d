"""A folder that is open, and what is done there when mail was taken in: flags for colleagues, copies of answers.

All of it is afterthought: it comes after the commit, may be done twice, and is given up after some attempts. Before
each act on the server the fence of the mailbox is asked, since another host may collect it by now.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailticket import imap
from mailticket.errors import CommandRefused, Fenced, MailboxUnavailable
from mailticket.imap import Inbox
from mailticket.models import Folder
from mailticket.observe.failpoints import failpoint, hurried
from mailticket.settings import Mailbox
from mailticket.site import Site
from mailticket.store import Session, hosts, incoming, outgoing
from mailticket.store.incoming import Answered

log = logging.getLogger("mailticket.intake.places")

_PAUSE = timedelta(minutes=1)  # after a refusal


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is open: the connection, our record of the folder's life, and what the server says of it."""

    inbox: Inbox
    folder: Folder
    selected: imap.Folder

    @property
    def id(self) -> int:
        return int(self.folder.id or 0)


class Fence:
    """Keeps a host from acting on a mailbox that another took over while it was not heard from."""

    def __init__(self, mailbox: str) -> None:
        self._mailbox = mailbox

    def hold(self, session: Session, site: Site) -> None:
        """Raises Fenced unless the mailbox is this host's, and stays so until the transaction ends."""
        hosts.must_hold(session, site.host, self._mailbox)

    def ask(self, site: Site) -> None:
        """The same right before an act on the server, which no transaction can contain: from the answer until the act
        a host may lose the mailbox only by a pause as long as the answer's validity."""
        if site.database.is_sqlite or site.host == 0:
            return
        asked = time.monotonic()
        with site.database.write() as session:
            self.hold(session, site)
        if time.monotonic() - asked > hurried(hosts.LEASE_SECONDS) / 2:
            raise Fenced(f"mailbox {self._mailbox} may be held by another host by now")


@contextmanager
def connection(mailbox: Mailbox, secret: Callable[[], str], on_progress: Callable[[], None]) -> Iterator[Inbox]:
    """Signed in to a mailbox's account, and out again."""
    inbox = Inbox(mailbox, secret, on_progress)
    inbox.connect()
    try:
        yield inbox
        inbox.logout()
    finally:
        inbox.drop()


class Flags:
    r"""Marks requesters' mails as answered, `\Answered` and `mt-<member>`, so that colleagues see it in their mail
    program; also where the mail was moved to."""

    def __init__(self, mailbox: Mailbox, elsewhere: Callable[[], AbstractContextManager[Inbox]]) -> None:
        """elsewhere: another connection to the account, for another folder."""
        self._mailbox = mailbox
        self._fence = Fence(mailbox.name)
        self._elsewhere = elsewhere
        self._not_before: datetime | None = None

    def set(self, site: Site, place: Place) -> None:
        """Set those that are due in a folder."""
        now = site.clock()
        if self._not_before is not None and now < self._not_before:
            return
        with site.database.read() as session:
            due = incoming.answered_due(session, place.id)
        if not due:
            return
        error = "" if not place.selected.read_only else "the folder is read-only"
        error = error or self._set_on_server(site, place, due)
        failpoint("collect.answered")
        self._not_before = now + _PAUSE if error else None
        with site.database.write() as session:
            self._fence.hold(session, site)
            incoming.answered_done(session, [row.id for row in due], error)
        if error:
            log.warning("mailbox %s: mail could not be marked as answered: %s", self._mailbox.name, error)

    def _set_on_server(self, site: Site, place: Place, due: Sequence[Answered]) -> str:
        """Returns what was refused, in words; a lost line is raised."""
        try:
            present = place.inbox.still_there([row.uid for row in due])
            self._fence.ask(site)
            for member in sorted({row.member for row in due}):
                uids = [row.uid for row in due if row.member == member and row.uid in present]
                _mark(place.inbox, place.selected, uids, member)
        except CommandRefused as refused:
            return str(refused)
        away = [row for row in due if row.uid not in present and row.message_id]
        if not away or self._mailbox.afterwards != "move":
            return ""
        try:
            self._set_where_moved(site, away)
        except MailboxUnavailable as trouble:  # of that connection, not of the one that brings mail
            return str(trouble)
        return ""

    def _set_where_moved(self, site: Site, away: Sequence[Answered]) -> None:
        with self._elsewhere() as inbox:
            selected = inbox.select(self._mailbox.move_to)
            for row in away:
                uids = inbox.with_message_id(row.message_id or "")
                self._fence.ask(site)
                _mark(inbox, selected, uids, row.member)


def _mark(inbox: Inbox, selected: imap.Folder, uids: Sequence[int], member: str) -> None:
    """With the keyword where the server takes it; one that has enough of keywords still takes the flag."""
    if not uids:
        return
    if member and selected.keywords:
        try:
            inbox.mark_answered(uids, f"mt-{member}")
            return
        except CommandRefused as refused:
            log.info("no keyword: %s", refused)
    inbox.mark_answered(uids)


class Copies:
    """Copies of answers that were given elsewhere, for the folder of sent mail of a mailbox."""

    def __init__(self, route: str) -> None:
        self._route = route
        self._fence = Fence(route)
        self._not_before: datetime | None = None

    def save(self, site: Site, place: Place) -> None:
        """Append those that are due, unless the server has put them there itself."""
        now = site.clock()
        if self._not_before is not None and now < self._not_before:
            return
        with site.database.read() as session:
            due = outgoing.to_save(session, self._route)
        for row in due:
            error = ""
            try:
                if not place.inbox.with_message_id(row.message_id):
                    self._fence.ask(site)
                    place.inbox.append(row.wire, row.sent_at or now)
            except CommandRefused as refused:
                error = str(refused)
                self._not_before = now + _PAUSE
                log.warning("mailbox %s: an answer could not be saved: %s", self._route, error)
            failpoint("collect.saved")
            with site.database.write() as session:
                self._fence.hold(session, site)
                outgoing.saved(session, row.id, refused=bool(error))
            if error:
                return
