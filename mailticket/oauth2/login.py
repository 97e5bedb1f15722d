"""A person's way to a consent, on a machine that need not have a browser: what is shown, asked, and kept in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailticket.config import passwords
from mailticket.connecting import Server, case_of
from mailticket.errors import NotFound, Refused, WorldError
from mailticket.oauth2 import seal
from mailticket.oauth2.account import Account, account_of
from mailticket.oauth2.exchange import Exchange, Issue
from mailticket.oauth2.tokens import Tokens, keep_consent
from mailticket.settings import Settings
from mailticket.store.engine import Database

_SLOWEST = 60.0  # seconds between two questions


@dataclass(frozen=True)
class Person:
    """Whom we speak with. enter_code: shows an address and the code to enter there. open_address: shows an address, and
    returns the one to which the browser was led in the end. wait: lets so many seconds pass.
    """

    enter_code: Callable[[str, str], None]
    open_address: Callable[[str], str]
    wait: Callable[[float], None] = time.sleep


def server_named(settings: Settings, name: str) -> Server:
    """The sign-in that a command names: a mailbox, smtp, or smtp and a brand. Raises NotFound, and Refused for one by
    password."""
    servers: list[Server] = [*settings.sign_ins]
    matches = [server for server in servers if case_of(server).name == name]
    if not matches:
        names = ", ".join(case_of(server).name for server in servers)
        raise NotFound(f"there is no mailbox {name!r}; there are: {names}")
    if matches[-1].auth != "oauth2":
        raise Refused(f'{name} signs in with a password; set auth = "oauth2" there')
    return matches[-1]


def log_in(
    database: Database, settings: Settings, server: Server, person: Person, now: datetime, environ: Mapping[str, str]
) -> Account:
    """Get the consent for a sign-in and keep it; without a person, try out what an administrator has allowed.

    Raises ProviderRefused, Refused, ConfigurationError and WorldError.
    """
    account = account_of(server)
    if not account.needs_person:
        Tokens(database, environ).token(settings, server)
        return account
    seal.make_key(seal.key_place(settings, environ))  # first: without a place for it nobody is troubled
    exchange = Exchange(account, passwords.client_secret(server, environ), server.ca_file)
    issue = _by_device(exchange, person) if account.flow == "device" else _by_code(exchange, person)
    keep_consent(database, settings, server, issue, now, environ)
    return account


def _by_code(exchange: Exchange, person: Person) -> Issue:
    address, state, verifier = exchange.begin_code()
    return exchange.finish_code(person.open_address(address), state, verifier)


def _by_device(exchange: Exchange, person: Person) -> Issue:
    code = exchange.begin_device()
    person.enter_code(code.address, code.user_code)
    interval, waited = code.interval, 0.0
    while waited < code.lifetime:
        person.wait(interval)
        waited += interval
        outcome = exchange.poll_device(code)
        if isinstance(outcome, Issue):
            return outcome
        interval = min(_SLOWEST, interval + outcome)
    raise WorldError("the code was not entered in time; begin anew")
