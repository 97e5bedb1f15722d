"""Whether every server lets us in, and lists nothing that was passed over; all at once, and nothing is changed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar

from mailticket.connecting import Server
from mailticket.errors import MailticketError, SignInRefused, WorldError
from mailticket.imap import Folder, Inbox
from mailticket.oauth2.tokens import Tokens
from mailticket.settings import Mailbox, Settings, SignIn, Smtp, is_sent
from mailticket.smtp import Courier, Outcome
from mailticket.store import incoming
from mailticket.store.engine import Database
from mailticket.text.clean import counted
from mailticket.upkeep.account import Account
from mailticket.upkeep.readiness import Finding, password_or_trouble, right_password

_PROBE_SECONDS = 10.0  # for each server, all at once
_WAIT_SECONDS = 7.0  # for a response; a look at what is there in its stead takes 3 s more at most


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
