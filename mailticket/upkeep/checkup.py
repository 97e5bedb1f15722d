"""Is everything as it should be: configuration, templates, database, servers, conservation; and what to do if not."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from mailticket.config.rights import work_as_owner
from mailticket.connecting import Server
from mailticket.errors import MailticketError, SignInRefused, WorldError
from mailticket.imap import Folder, Inbox
from mailticket.oauth2.state import Standing, standings
from mailticket.oauth2.tokens import Tokens
from mailticket.settings import Mailbox, Settings, SignIn, Smtp, is_sent
from mailticket.smtp import Courier, Outcome
from mailticket.store import incoming, overview, restored, schema, tombstones
from mailticket.store.engine import Database
from mailticket.text.clean import counted
from mailticket.upkeep.account import Account
from mailticket.upkeep.brand_findings import brand_findings
from mailticket.upkeep.readiness import Finding, account_for, in_part, password_or_trouble, readiness, right_password
from mailticket.upkeep.state import hosts_face
from mailticket.upkeep.troubles import CHECK, Life, life, troubles

_PROBE_SECONDS = 10.0  # for each server, all at once
_WAIT_SECONDS = 7.0  # for a response; a look at what is there in its stead takes 3 s more at most


def check_state(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    """What is wrong, and whether every mail that was listed is accounted for (promise 1)."""
    with database.read() as session:
        figures = overview.figures(session, now, now - timedelta(days=7))
        table = overview.conservation(session)
        sign = life(session, settings, now)
        everyone = hosts_face(session, settings, now)
        wrong = troubles(session, settings, database, now)
        consents = standings(session, settings)
        names = list(brand_findings(session, settings, now, now - timedelta(days=7)))
        back = tombstones.returned(session) if restored.restored_at(session) is not None else []
    for trouble in wrong:
        remedy = "" if trouble.remedy == CHECK else trouble.remedy  # which this is
        yield Finding("wrong", trouble.name, f"{trouble.text} (since {_moment(trouble.since)})", remedy)
    yield from _signs_of_life(sign)
    for host in everyone if len(everyone) > 1 else ():
        held = ", ".join(mailbox["name"] for mailbox in host["mailboxes"]) or "no mailbox"
        yield Finding("ok", f"host {host['name']}", f"holds {held} (process {host['pid']}, {host['version']})")
    yield from _consents(consents)
    yield from names
    for route, states in table.items():
        listed = sum(states.values())
        parts = " + ".join(f"{number} {state}" for state, number in sorted(states.items()) if state != "listed")
        waiting = f" + {states['listed']} pending" if states.get("listed") else ""
        yield Finding("ok", f"mail of {route}", f"{listed} listed = {parts or '0'}{waiting}")
    if back:
        yield Finding("wrong", "forgotten", f"a restored backup brought back who had been forgotten: {', '.join(back)}",
                      "mailticket person forget --again")  # fmt: skip
    if figures.unclaimed_bounces:
        reports = counted(figures.unclaimed_bounces, "delivery report belongs", "delivery reports belong")
        yield Finding("note", "filed", f"{reports} to no letter of ours",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if figures.filed_named_us:
        mails = counted(figures.filed_named_us, "mail")
        yield Finding("note", "filed", f"{mails} of the last 7 days named us and became no ticket",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if number := figures.outgoing.get("uncertain"):
        yield Finding("note", "outbox", f"{counted(number, 'mail')} may or may not have been accepted",
                      "see `mailticket outbox list --state uncertain`; retry or cancel them")  # fmt: skip


def _signs_of_life(sign: Life) -> Iterator[Finding]:
    """What is no trouble: somebody lives, nobody has lived yet, or somebody was stopped just now."""
    if sign.beat is None:
        yield Finding("note", "daemon", "no daemon has run on this database yet: nobody collects mail",
                      "systemctl enable --now mailticket")  # fmt: skip
    elif sign.rests:
        yield Finding("note", "daemon", f"it was stopped {_moment(sign.beat.stopped_at)}",
                      "systemctl start mailticket")  # fmt: skip
    elif sign.alive:
        yield Finding("ok", "daemon", sign.words)


def _consents(consents: Sequence[Standing]) -> Iterator[Finding]:
    """How old each consent is, and when it or its secret ends; what is refused now is said where it signs in."""
    for standing in consents:
        row, name = standing.row, f"oauth2 {standing.names[0]}"
        if row is None:
            if standing.account.needs_person:
                yield Finding("wrong", name, "nobody has consented yet", standing.account.case.login)
            continue
        ages = f"consent of {row.consented_at:%Y-%m-%d}" if row.consented_at else "consent"
        if row.rotated_at and standing.account.needs_person:
            ages += f", refresh token of {_moment(row.rotated_at)}"
        end = standing.next_end
        yield Finding("ok", name, ages + (f"; the {end.what} ends on {end.at:%Y-%m-%d}" if end else ""))


def _moment(at: datetime | None) -> str:
    """A time in the zone of this machine, whose name stands beside it, as on every screen."""
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}" if at else "its beginning"


def check_servers(
    settings: Settings, database: Database | None, account: Account, stored: Mapping[SignIn, str | Finding]
) -> Iterator[Finding]:
    """Sign in everywhere at once, look, change nothing; what did not come about within 10 s is said not to have.

    stored: the passwords that were read already, or what was wrong with them.
    """
    tokens = Tokens(database, quiet=timedelta(), patience=_PROBE_SECONDS) if database is not None else None
    servers: list[Server] = [*settings.mailbox, *settings.accounts.values()]
    secrets = {
        server: _token_or_trouble(server, settings, tokens) if server.auth == "oauth2"
        else stored[server] if server in stored else password_or_trouble(server, account)
        for server in servers
    }  # fmt: skip
    until = time.monotonic() + _PROBE_SECONDS
    entries = {
        watched: _Probe(partial(_enter, _hasty(watched), secret))
        for mailbox in settings.mailbox
        if isinstance(secret := secrets[mailbox], str)
        for watched in (mailbox, mailbox.sent)
        if watched is not None
    }
    deliveries = {
        name: _Probe(partial(_probe_smtp, _hasty(smtp), secret))
        for name, smtp in settings.accounts.items()
        if isinstance(secret := secrets[smtp], str)
    }
    for mailbox, entry in entries.items():
        yield from _check_mailbox(mailbox, entry, until, database, account)
    for name, delivery in deliveries.items():
        yield _check_smtp(settings.accounts[name], delivery, until, account)
    yield from (secret for secret in secrets.values() if isinstance(secret, Finding))


def stored_passwords(settings: Settings, account: Account) -> dict[SignIn, str | Finding]:
    """The passwords that lie in files, or what is wrong with them; tokens are left alone."""
    everybody = settings.sign_ins
    servers = [server for server in everybody if not server.oauth2_token_command and server.auth == "password"]
    return {server: password_or_trouble(server, account) for server in servers}


def _token_or_trouble(server: Server, settings: Settings, tokens: Tokens | None) -> str | Finding:
    """An access token of a sign-in by OAuth2, or why there is none and what mends that."""
    name = server.part
    if tokens is None:
        return Finding("note", name, "not tried: the tokens lie in the database, which is not ready",
                       "`mailticket run` makes it")  # fmt: skip
    try:
        return tokens.token(settings, server)
    except SignInRefused as error:
        return Finding("wrong", name, str(error), error.remedy)
    except MailticketError as error:
        return Finding("wrong", name, str(error))


Entered = tuple[Inbox, Folder]
T = TypeVar("T")
S = TypeVar("S", Mailbox, Smtp)


class _Probe(Generic[T]):
    """A piece of work in a thread that dies with the program: looking up a name takes as long as the system likes."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._outcome: list[T | MailticketError] = []
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._outcome.append(work())
        except MailticketError as error:
            self._outcome.append(error)

    def result(self, until: float) -> T:
        """What came of it by then (monotonic seconds); raises its error, or WorldError when nothing came."""
        self._thread.join(max(0.0, until - time.monotonic()))
        if not self._outcome:
            raise WorldError(f"nothing came of it within {_PROBE_SECONDS:.0f} s; does this machine find the host?")
        outcome = self._outcome[0]
        if isinstance(outcome, MailticketError):
            raise outcome
        return outcome


def _hasty(server: S) -> S:
    """The same server, waited for less long."""
    return server.model_copy(update={"timeout_seconds": min(_WAIT_SECONDS, server.timeout_seconds)})


def _enter(mailbox: Mailbox, secret: str) -> Entered:
    inbox = Inbox(mailbox, secret)
    inbox.connect()
    return inbox, inbox.select()


def _probe_smtp(smtp: Smtp, secret: str) -> Outcome | None:
    return asyncio.run(Courier(smtp, lambda: secret).probe())


def _check_smtp(smtp: Smtp, probe: _Probe[Outcome | None], until: float, account: Account) -> Finding:
    name, where = smtp.part, f"{smtp.host}:{smtp.port}"
    try:
        outcome = probe.result(until)
    except MailticketError as error:
        return Finding("wrong", name, f"cannot connect to {where}: {error}")
    if outcome is None:
        return Finding("ok", name, f"{where} lets us in")
    words = " ".join(part for part in (str(outcome.code or ""), outcome.status, outcome.text) if part)
    if outcome.phase != "sign-in":
        return Finding("wrong", name, f"cannot connect to {where}: {words}")
    refused = outcome.kind == "configuration" and outcome.code and smtp.auth == "password"
    reason = "the server refused the user name or password: " if refused else ""
    return Finding("wrong", name, f"cannot sign in at {where}: {reason}{words}",
                   right_password(smtp, account) if refused else "")  # fmt: skip


def _check_mailbox(
    mailbox: Mailbox, probe: _Probe[Entered], until: float, database: Database | None, account: Account
) -> Iterator[Finding]:
    name = mailbox.part
    try:
        inbox, folder = probe.result(until)
    except SignInRefused as error:
        remedy = error.remedy or right_password(mailbox, account)
        yield Finding("wrong", name, str(error).removeprefix(f"{name}: "), remedy)
        return
    except MailticketError as error:
        yield Finding("wrong", name, str(error).removeprefix(f"{name}: "))
        return
    try:
        idles = mailbox.idle and inbox.can_idle and not is_sent(mailbox.name)
        ways = "IDLE" if idles else f"a look every {mailbox.poll_seconds:.0f} s"
        rights = ", read-only (counts as afterwards = keep)" if folder.read_only else ""
        mails = counted(folder.exists, "mail")
        yield Finding("ok", name, f"{folder.name} holds {mails}; new ones are seen by {ways}{rights}")
        if mailbox.move_to and mailbox.move_to not in inbox.folders():
            yield Finding("note", name, f"there is no folder {mailbox.move_to} yet", "the first move makes it")
        if database is not None:
            yield from _compare(name, mailbox, inbox, folder.uidvalidity, database)
        inbox.logout()
    except WorldError as error:
        yield Finding("wrong", name, str(error).removeprefix(f"{name}: "))
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
        mails = counted(len(passed_over), "mail has", "mails have")
        yield Finding("wrong", name, f"{mails} no record, the first has UID {passed_over[0]}",
                      "take them in with `mailticket mail ingest`, and report this")  # fmt: skip
    else:
        mails = counted(len(listed) - waiting, "mail")
        yield Finding("ok", name, f"all that the server lists is recorded: {mails}, and {waiting} new")


def check_all(
    settings: Settings, configuration: Path | None, now: datetime, *, offline: bool, deep: bool
) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it. configuration: the file that the settings came from.

    Root looks at files through the eyes of the daemon's account, and then becomes it. Raises NotAllowed for a stranger.
    """
    if os.geteuid() != 0:
        work_as_owner(settings)
    account = account_for(settings, configuration)
    yield from readiness(settings, configuration, account, deep=deep)
    stored = {} if offline else stored_passwords(settings, account)  # systemd gives the unit some that only root reads
    work_as_owner(settings)
    with _database_with_tables(settings) as database:
        if database is not None:
            yield from in_part("Mail", check_state(settings, database, now))
        if not offline:
            yield from in_part("Servers", check_servers(settings, database, account, stored))


@contextmanager
def _database_with_tables(settings: Settings) -> Iterator[Database | None]:
    """The database, if there is something in it to look at; None where `readiness` has said what is wrong with it."""
    database = None
    try:
        database = Database(settings.database.url)
        # A SQLite file is not made by looking.
        absent = database.file is not None and not database.file.is_file()
        usable = not absent and schema.fits(database)
    except MailticketError:
        usable = False
    try:
        yield database if usable else None
    finally:
        if database is not None:
            database.close()
