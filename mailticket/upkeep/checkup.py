"""Is everything as it should be: configuration, templates, database, servers, conservation; and what to do if not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mailticket.config import passwords
from mailticket.errors import ConfigurationError, MailticketError, WorldError
from mailticket.imap import Inbox
from mailticket.settings import Mailbox, Settings
from mailticket.smtp import Courier
from mailticket.store import incoming, meta, overview, schema, watch
from mailticket.store.engine import Database
from mailticket.upkeep.readiness import Finding, account_for, readiness

_STUCK = timedelta(minutes=15)


def check_state(database: Database, now: datetime) -> Iterator[Finding]:
    """What is stuck, and whether every mail that was listed is accounted for (promise 1)."""
    with database.read() as session:
        figures = overview.figures(session, now, now - timedelta(days=7))
        table = overview.conservation(session)
        troubles = [row for row in meta.health(session) if row.error and row.name not in watch.SHOWN_BY_FIGURES]
    for row in troubles:
        yield Finding("wrong", row.name, f"{row.error} (since {row.error_since:%Y-%m-%d %H:%M} UTC)")
    for route, states in table.items():
        listed = sum(states.values())
        parts = " + ".join(f"{number} {state}" for state, number in sorted(states.items()) if state != "listed")
        waiting = f" + {states['listed']} pending" if states.get("listed") else ""
        yield Finding("ok", f"mail of {route}", f"{listed} listed = {parts or '0'}{waiting}")
    if figures.oldest_pending and now - figures.oldest_pending > _STUCK:
        yield Finding("wrong", "intake", f"mail waits since {figures.oldest_pending:%Y-%m-%d %H:%M} UTC",
                      "is the daemon running? See `mailticket status` and the log")  # fmt: skip
    if figures.oldest_due and now - figures.oldest_due > _STUCK:
        yield Finding("wrong", "outbox", f"mail waits since {figures.oldest_due:%Y-%m-%d %H:%M} UTC",
                      "see `mailticket outbox list --state deferred`")  # fmt: skip
    if figures.quarantined:
        yield Finding("wrong", "quarantine", f"{figures.quarantined} mails", "see `mailticket quarantine list`")
    if figures.unclaimed_bounces:
        yield Finding("note", "filed", f"{figures.unclaimed_bounces} delivery reports belong to no letter of ours",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if figures.filed_named_us:
        yield Finding("note", "filed", f"{figures.filed_named_us} mails of the last 7 days named us and have no ticket",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if figures.outgoing.get("uncertain"):
        yield Finding("note", "outbox", f"{figures.outgoing['uncertain']} mails may or may not have been accepted",
                      "see `mailticket outbox list --state uncertain`; retry or cancel them")  # fmt: skip


def check_servers(settings: Settings, database: Database | None) -> Iterator[Finding]:
    """Sign in everywhere, look, change nothing."""
    for mailbox in settings.mailbox:
        yield from _check_mailbox(mailbox, database)
    courier = Courier(settings.smtp, partial(passwords.secret, settings.smtp, os.environ))
    outcome = asyncio.run(courier.probe())
    where = f"{settings.smtp.host}:{settings.smtp.port}"
    if outcome is None:
        yield Finding("ok", "smtp", f"{where} lets us in")
    else:
        yield Finding("wrong", "smtp", f"{where}: {outcome}", "check [smtp]: host, port, security, username, password")


def _check_mailbox(mailbox: Mailbox, database: Database | None) -> Iterator[Finding]:
    name = f"mailbox {mailbox.name}"
    inbox = Inbox(mailbox, partial(passwords.secret, mailbox, os.environ))
    try:
        inbox.connect()
        folder = inbox.select()
        ways = "IDLE" if mailbox.idle and inbox.can_idle else f"a look every {mailbox.poll_seconds:.0f} s"
        rights = ", read-only (counts as afterwards = keep)" if folder.read_only else ""
        yield Finding("ok", name, f"{mailbox.folder} holds {folder.exists} mails; new ones are seen by {ways}{rights}")
        if mailbox.move_to and mailbox.move_to not in inbox.folders():
            yield Finding("note", name, f"there is no folder {mailbox.move_to} yet", "the first move makes it")
        if database is not None:
            yield from _compare(name, mailbox, inbox, folder.uidvalidity, database)
        inbox.logout()
    except (WorldError, ConfigurationError) as error:
        yield Finding("wrong", name, str(error), "check its host, port, security, username and password")
    finally:
        inbox.drop()


def _compare(name: str, mailbox: Mailbox, inbox: Inbox, uidvalidity: int, database: Database) -> Iterator[Finding]:
    """Every UID that the server lists up to our high-water mark has a row: nothing was passed over."""
    with database.read() as session:
        record = incoming.recorded_uids(session, mailbox.name, uidvalidity)
    if record is None:
        yield Finding("note", name, "no contact with this folder yet", "`mailticket run` makes the first one")
        return
    high_water, recorded = record
    listed = set(inbox.list_new(0))
    passed_over = sorted(uid for uid in listed if uid <= high_water and uid not in recorded)
    waiting = sum(uid > high_water for uid in listed)
    if passed_over:
        yield Finding("wrong", name, f"{len(passed_over)} mails have no record, the first has UID {passed_over[0]}",
                      "take them in with `mailticket mail ingest`, and report this")  # fmt: skip
    else:
        yield Finding(
            "ok", name, f"all {len(listed) - waiting} mails that the server lists are recorded, {waiting} are new"
        )


def check_all(
    settings: Settings, configuration: Path | None, now: datetime, *, offline: bool, deep: bool
) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it. configuration: the file that the settings came from."""
    yield from readiness(settings, configuration, account_for(settings, configuration), deep=deep)
    with _database_with_tables(settings) as database:
        if database is not None:
            yield from check_state(database, now)
        if not offline:
            yield from check_servers(settings, database)


@contextmanager
def _database_with_tables(settings: Settings) -> Iterator[Database | None]:
    """The database, if there is something in it to look at; None where `readiness` has said what is wrong with it."""
    database = None
    try:
        database = Database(settings.database.url)
        # A SQLite file is not made by looking.
        absent = database.file is not None and not database.file.is_file()
        usable = not absent and schema.current(database) == schema.HEAD
    except MailticketError:
        usable = False
    try:
        yield database if usable else None
    finally:
        if database is not None:
            database.close()
