"""Is everything as it should be: configuration, templates, database, servers, conservation; and what to do if not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from mailticket.config import passwords
from mailticket.errors import ConfigurationError, MailticketError, WorldError
from mailticket.imap import Inbox
from mailticket.settings import Mailbox, Settings
from mailticket.site import articles_of, open_letters
from mailticket.smtp import Courier
from mailticket.store import incoming, meta, overview, schema, watch
from mailticket.store.engine import Database, damage
from mailticket.topics.exchange import CATEGORIES

_STUCK = timedelta(minutes=15)
_DEEP_LIMIT = 1024**3  # bytes of a database whose own check is quick enough to be made each time


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. remedy: what to type or change, when it is not well."""

    level: Literal["ok", "note", "wrong"]
    subject: str
    said: str
    remedy: str = ""


def check_settings(settings: Settings) -> Iterator[Finding]:
    """What the configuration says, and what is weaker for what it leaves out."""
    yield Finding("ok", "configuration", f"{settings.support.address}, {len(settings.mailbox)} mailboxes")
    if not settings.mailbox:
        yield Finding("wrong", "mailboxes", "no [[mailbox]] is configured", "add one, or nothing is ever collected")
    if not settings.trust.authserv_id:
        yield Finding(
            "note", "trust",
            "no [trust] authserv_id: no sender can be verified, so a forged From of a requester may write to that "
            "person's ticket if it names the ID, and acknowledgements never repeat a requester's own words",
            "set it to the name your mail server puts first in its Authentication-Results header",
        )  # fmt: skip
    for sign_in, name in [*((m, f"mailbox {m.name}") for m in settings.mailbox), (settings.smtp, "smtp")]:
        if sign_in.security == "none":
            yield Finding("note", name, "the line is not encrypted", 'use security = "tls" for anything but loopback')
    categories = settings.category or CATEGORIES
    yield Finding("ok", "categories", ", ".join(category.name for category in categories))


def check_templates(settings: Settings) -> Iterator[Finding]:
    """Every letter rendered in every language with sample data."""
    try:
        letters = open_letters(settings)
    except ConfigurationError as error:
        yield Finding("wrong", "templates", str(error))
        return
    if settings.support.language not in letters.languages:
        yield Finding("wrong", "templates", f"there are no letters in {settings.support.language}, [support] language",
                      f"write one of {', '.join(letters.languages)}, or add that folder of templates")  # fmt: skip
    problems = letters.check() if settings.templates.folder else []  # ours were checked before they were shipped
    for problem in problems:
        remedy = "" if problem.gap else "the built-in one is used until it is mended"
        yield Finding("note" if problem.gap else "wrong", "templates", str(problem), remedy)
    if not problems:
        yield Finding("ok", "templates", f"all letters in {', '.join(letters.languages)}")


def check_articles(settings: Settings) -> Iterator[Finding]:
    """Every help article of the configured folder."""
    if settings.articles.folder is None:
        return
    articles, flaws = articles_of(settings)
    for flaw in flaws:
        yield Finding("wrong", "articles", str(flaw), "it is left out until it is mended")
    languages = sorted({article.language for article in articles})
    if articles:
        yield Finding("ok", "articles", f"{len(articles)} in {', '.join(languages)}")
    elif not flaws:
        yield Finding("note", "articles", f"{settings.articles.folder} holds none", "put Markdown files (*.md) there")


def check_database(database: Database, *, deep: bool) -> Iterator[Finding]:
    """Whether the database is there, ours, of this release and, where that is quick or asked for, undamaged."""
    step = schema.current(database)
    if step > schema.HEAD:
        yield Finding("wrong", "database", schema.too_new(step))
        return
    if step != schema.HEAD:
        state = "is empty" if not step else f"is at step {step} of {schema.HEAD}"
        yield Finding("note", "database", state, "the next start brings it up to date")
        return
    small = database.file is not None and database.file.stat().st_size < _DEEP_LIMIT
    if deep or small:
        wrong = damage(database)
        if wrong:
            yield Finding("wrong", "database", wrong, "stop the daemon and restore a backup")
            return
    size = f", {database.file.stat().st_size / 1024**2:.0f} MB" if database.file is not None else ""
    yield Finding("ok", "database", f"{database.url.render_as_string(hide_password=True)}{size}")


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
        record = incoming.recorded_uids(session, mailbox.name, incoming.account_of(mailbox), uidvalidity)
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


def check_all(settings: Settings, now: datetime, *, offline: bool, deep: bool) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it."""
    yield from check_settings(settings)
    yield from check_templates(settings)
    yield from check_articles(settings)
    database = Database(settings.database.url)
    try:
        usable = False
        try:
            absent = _absent(database)
            if absent is not None:
                yield absent
            else:
                yield from check_database(database, deep=deep)
                usable = schema.current(database) == schema.HEAD
            if usable:
                yield from check_state(database, now)
        except MailticketError as error:
            yield Finding("wrong", "database", str(error), "check [database] url and the rights of its folder")
        if not offline:
            yield from check_servers(settings, database if usable else None)
    finally:
        database.close()


def _absent(database: Database) -> Finding | None:
    """A SQLite file is not made by looking: one that is not there is said not to be."""
    file = database.file
    if file is None or file.exists():
        return None
    if file.parent.is_dir() and os.access(file.parent, os.W_OK):
        return Finding("note", "database", f"{file} is not there yet", "the first start makes it")
    problem = f"{file.parent} is no folder that we may write to"
    return Finding("wrong", "database", problem, "make it, or correct [database] url")
