"""Access tokens for whoever signs in: kept in memory until shortly before they expire, had anew by the refresh token.

The rules of the room: one thread at a time asks for an account, and by a lease in the database one process. The
provider is asked outside of any transaction, and the refresh token that it gives is durable before the access token
that came with it is used. What has expired is told by a clock that nobody sets.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from mailticket.config import passwords
from mailticket.connecting import Renewable, Server
from mailticket.consent import refusals
from mailticket.consent.refusals import Refusal
from mailticket.errors import ConfigurationError, StoreUnavailable, WorldError
from mailticket.models import Consent
from mailticket.oauth2 import seal
from mailticket.oauth2.account import Account, account_of
from mailticket.oauth2.exchange import Exchange, Issue, ProviderRefused
from mailticket.oauth2.http import NoResponse
from mailticket.observe.failpoints import failpoint
from mailticket.settings import Settings
from mailticket.store import oauth2 as store
from mailticket.store.engine import Database

log = logging.getLogger("mailticket.oauth2.tokens")

_MARGIN = 300.0  # seconds before its end from which on a token is not handed out any more, at most a fifth of its life
_LEASE_PAUSE = 0.1
_PATIENCE = 2 * store.LEASE.total_seconds()
_STORE_TRIES, _STORE_PAUSE = 5, 1.0
_QUIET = timedelta(minutes=5)  # for which a provider that has refused is not asked again by itself
_LEAST_ELAPSED = timedelta(minutes=1)  # between two uses of a refresh token, to tell whether its end was put off


def boot_clock() -> float:
    """Seconds by a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True, repr=False)
class _Held:
    """An access token in memory, until so many seconds of `boot_clock`. again: it was handed out more than once."""

    token: str
    until: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Ways:
    """How a token is had for an account: its settings and the clocks."""

    settings: Settings
    sign_in: Server
    account: Account


class Tokens:
    """The access tokens of one process on one database; all threads share it.

    quiet: for how long a provider that has refused an account is left alone; nothing for a person who asks. patience:
    seconds to wait for another process that is getting the token.
    """

    def __init__(
        self,
        database: Database,
        environ: Mapping[str, str] = os.environ,
        *,
        quiet: timedelta = _QUIET,
        patience: float = _PATIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = boot_clock,
    ) -> None:
        self._database = database
        self._environ = environ
        self._quiet = quiet
        self._patience = patience
        self._clock = clock
        self._ticks = ticks
        self._held: dict[str, _Held] = {}
        self._unstored: dict[str, tuple[int, Issue]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()
        self._holder = f"{os.getpid()}@{socket.gethostname()[:60]}/{id(self):x}"

    def secret(self, settings: Settings, sign_in: Server) -> Callable[[], str]:
        """What gives the secret of a sign-in each time that one is needed: a password, or a token that can be renewed.

        It raises ConfigurationError, SignInRefused where the provider refuses, and WorldError where it cannot be asked.
        """
        if sign_in.auth == "oauth2":
            return _Token(self, settings, sign_in)
        return partial(passwords.secret, sign_in, self._environ)

    def token(self, settings: Settings, sign_in: Server) -> str:
        """An access token for a sign-in that has `auth = "oauth2"`; raises as `secret` says."""
        ways = _Ways(settings, sign_in, account_of(sign_in))
        name = ways.account.name
        with self._lock(name):
            held = self._held.get(name)
            if held is not None and self._ticks() < held.until:
                held.again = True
            else:
                self._held.pop(name, None)
                began = self._ticks()
                issue = self._by_consent(ways) if ways.account.needs_person else self._as_machine(ways)
                margin = min(_MARGIN, issue.lifetime / 5)
                held = self._held[name] = _Held(issue.access_token, began + issue.lifetime - margin)
            return held.token

    def renew(self, sign_in: Server, refused: str) -> bool:
        """A server refused this token: it is forgotten. Whether another may do better: not if it came just now."""
        name = account_of(sign_in).name
        with self._lock(name):
            held = self._held.get(name)
            if held is None or held.token != refused:
                return True  # another thread has had it renewed
            del self._held[name]
            return held.again

    def _lock(self, name: str) -> threading.Lock:
        with self._guard:
            return self._locks[name]

    # --- flows without a person ---------------------------------------------------------------------------------------

    def _as_machine(self, ways: _Ways) -> Issue:
        account = ways.account
        try:
            if account.flow == "service-account":
                assert ways.sign_in.service_account_file is not None
                issue = self._exchange(ways).as_service_account(ways.sign_in.service_account_file, self._clock())
            else:
                issue = self._exchange(ways).as_application()
        except (NoResponse, ProviderRefused) as error:
            if isinstance(error, ProviderRefused) and not error.refusal.passes:
                self._note(account.name, error.refusal)
            raise _passing(account, error) from None
        self._note(account.name, None)
        return issue

    def _note(self, name: str, refusal: Refusal | None) -> None:
        """Write down how it went, for `status`; a token that is there is good even where that cannot be written."""
        with suppress(StoreUnavailable), self._database.write() as session:
            store.note_use(session, name, self._clock(), *(_words(refusal) if refusal else ()))

    def _exchange(self, ways: _Ways) -> Exchange:
        secret = passwords.client_secret(ways.sign_in, self._environ)
        return Exchange(ways.account, secret, ways.sign_in.ca_file)

    # --- flows with a consent and a refresh token ---------------------------------------------------------------------

    def _by_consent(self, ways: _Ways) -> Issue:
        account = ways.account
        if (unstored := self._unstored.pop(account.name, None)) is not None:
            self._store(ways, *unstored)
        place = seal.key_place(ways.settings, self._environ)
        row = self._leased(account)
        try:
            return self._used(ways, row, place)
        except BaseException as error:
            with suppress(StoreUnavailable), self._database.write() as session:
                if isinstance(error, ProviderRefused) and not error.refusal.passes:
                    store.refused(session, row.name, row.generation, self._clock(), *_words(error.refusal))
                store.release(session, row.name, self._holder)
            if isinstance(error, NoResponse | ProviderRefused):
                raise _passing(account, error) from None
            raise

    def _leased(self, account: Account) -> Consent:
        """The consent, for us alone; waits for another process that uses it."""
        end = time.monotonic() + self._patience
        while True:
            with self._database.write() as session:
                row = store.lease(session, account.name, self._holder, self._clock())
                known = row or store.consent(session, account.name)
            if known is None:
                raise ProviderRefused(refusals.never_signed_in(account.case))
            if row is not None:
                self._must_not_be_quiet(account, row)
                return row
            if time.monotonic() >= end:
                raise WorldError(f"another process ({known.lease_by}) is getting the token; it has taken too long")
            time.sleep(_LEASE_PAUSE)

    def _must_not_be_quiet(self, account: Account, row: Consent) -> None:
        """A provider that refused just now would refuse again: that stands for a while, unless somebody consents."""
        age = self._clock() - row.refused_at if row.refused_at else None
        if age is not None and timedelta() <= age < self._quiet:
            with suppress(StoreUnavailable), self._database.write() as session:
                store.release(session, account.name, self._holder)
            raise ProviderRefused(Refusal(row.refusal, row.refusal_text, row.refusal_remedy))

    def _used(self, ways: _Ways, row: Consent, place: Path) -> Issue:
        """Ask the provider with the refresh token of a consent, and store what comes."""
        key = seal.read_key(place)
        try:
            refresh_token = seal.unsealed(key, row.name, row.sealed)
        except seal.WrongKey:
            raise ProviderRefused(refusals.other_key(ways.account.case, str(place))) from None
        failpoint("oauth2.asking")
        exchange = self._exchange(ways)
        issue = exchange.refresh(refresh_token, cut_short=row.cut_short_at is not None)
        failpoint("oauth2.received")
        self._store(ways, row.generation, issue)
        failpoint("oauth2.stored")
        return issue

    def _store(self, ways: _Ways, generation: int, issue: Issue) -> None:
        """Make what came durable. A database that cannot write for long does not lose it: it is stored the next time,
        before anything else is asked."""
        name = ways.account.name
        for tries in range(1, _STORE_TRIES + 1):
            try:
                self._write(ways, generation, issue)
                return
            except StoreUnavailable as error:
                if tries == _STORE_TRIES:
                    self._unstored[name] = (generation, issue)
                    raise
                log.error("the new token of %s cannot be stored: %s", ways.account.case.username, error)
                time.sleep(_STORE_PAUSE)

    def _write(self, ways: _Ways, generation: int, issue: Issue) -> None:
        name, now = ways.account.name, self._clock()
        key = seal.read_key(seal.key_place(ways.settings, self._environ))
        value = seal.sealed(key, name, issue.refresh_token) if issue.refresh_token else b""
        with self._database.write() as session:
            row = store.consent(session, name)
            if row is None:
                return
            expires_at, grows = _end(row, issue, now)
            if value:
                store.rotate(session, name, generation, value, seal.mark_of(key), now, expires_at, grows)
            else:
                store.used(session, name, generation, now, expires_at, grows)


class _Token(Renewable):
    """The secret of one sign-in by OAuth2."""

    def __init__(self, tokens: Tokens, settings: Settings, sign_in: Server) -> None:
        self._tokens, self._settings, self._sign_in = tokens, settings, sign_in

    def __call__(self) -> str:
        return self._tokens.token(self._settings, self._sign_in)

    def renew(self, refused: str) -> bool:
        return self._tokens.renew(self._sign_in, refused)


def _words(refusal: Refusal) -> tuple[str, str, str]:
    return refusal.code, refusal.text, refusal.remedy


def _passing(account: Account, error: NoResponse | ProviderRefused) -> WorldError:
    """The error as it is for whoever signs in: what may pass by itself is no refusal."""
    if isinstance(error, ProviderRefused):
        refusal = error.refusal
        return WorldError(f"{refusal.text}; {refusal.remedy}") if refusal.passes else error
    refusal = refusals.provider_down(account.case, str(error))
    return WorldError(f"{refusal.text}; {refusal.remedy}")


def _end(row: Consent, issue: Issue, now: datetime) -> tuple[datetime | None, bool | None]:
    """When the refresh token dies, and whether using it puts that off: then a near end is nothing to warn of."""
    if issue.refresh_lifetime is None:
        return row.expires_at, row.grows
    expires_at = now + timedelta(seconds=issue.refresh_lifetime)
    elapsed = now - row.used_at if row.used_at else timedelta()
    if row.expires_at is None or elapsed < _LEAST_ELAPSED:
        return expires_at, row.grows
    return expires_at, expires_at - row.expires_at > elapsed / 2


def keep_consent(
    database: Database, settings: Settings, sign_in: Server, issue: Issue, now: datetime, environ: Mapping[str, str]
) -> None:
    """Keep what a person's consent has given just now; the key is made where there is none.

    Raises ConfigurationError for a provider that gave no refresh token.
    """
    account = account_of(sign_in)
    if not issue.refresh_token:
        words = "the provider gave no refresh token, so the consent would end within the hour; its scopes must allow it"
        raise ConfigurationError([f"{words} (offline_access)"])
    key = seal.make_key(seal.key_place(settings, environ))
    expires_at = now + timedelta(seconds=issue.refresh_lifetime) if issue.refresh_lifetime else None
    value = seal.sealed(key, account.name, issue.refresh_token)
    with database.write() as session:
        store.give(session, account.name, value, seal.mark_of(key), now, expires_at)
