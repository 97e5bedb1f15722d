"""An authorisation server, a Dovecot that has it check tokens, and a database in a fresh folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailticket.oauth2.exchange import Issue
from mailticket.oauth2.tokens import Tokens, keep_consent
from mailticket.settings import Mailbox, Settings
from mailticket.store.engine import Database
from tests.servers.authorisation import AuthorisationServer, authorisation_server
from tests.servers.databases import Databases
from tests.servers.dovecot import Dovecot
from tests.servers.machine import require
from tests.servers.smtp import SmtpSink

MakeSettings = Callable[..., Settings]


@pytest.fixture
def provider() -> Iterator[AuthorisationServer]:
    with authorisation_server() as server:
        yield server


@pytest.fixture
def token_dovecot(provider: AuthorisationServer) -> Iterator[Dovecot]:
    """A Dovecot whose passdb asks the provider of this test."""
    require(Dovecot.available(), "Dovecot (Debian's dovecot-imapd) or openssl")
    server = Dovecot(f"{provider.url}/introspect")
    yield server
    server.close()


@pytest.fixture
def token_sink(provider: AuthorisationServer) -> Iterator[SmtpSink]:
    sink = SmtpSink(check_token=provider.is_good)
    yield sink
    sink.stop()


@pytest.fixture
def url(tmp_path: Path, databases: Databases) -> Iterator[str]:
    """Of a database with all tables."""
    url = databases.copy(tmp_path, "mailticket.db")
    yield url
    databases.drop(url)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def settings_of(provider: AuthorisationServer, tmp_path: Path, url: str) -> MakeSettings:
    """Settings with one mailbox by OAuth2; keys of it by keyword, those of [smtp] as `smtp`."""

    def make(smtp: dict[str, Any] | None = None, mailboxes: int = 1, url: str = url, **keys: Any) -> Settings:
        mailbox = provider.settings(host="127.0.0.1", security="none", **keys)
        tables = {
            "support": {"address": "support@example.com"},
            "database": {"url": url},
            "mailbox": [{"name": f"box{n}", **mailbox, **({"folder": f"F{n}"} if n else {})} for n in range(mailboxes)],
            "smtp": {"host": "127.0.0.1", "security": "none", **(smtp or {})},
            "oauth2": {"key_file": "oauth2-key"},
        }
        return Settings.model_validate(tables, context={"base": tmp_path})

    return make


@pytest.fixture
def settings(settings_of: MakeSettings) -> Settings:
    return settings_of()


def box(settings: Settings, number: int = 0) -> Mailbox:
    return settings.mailbox[number]


def consent(database: Database, settings: Settings, provider: AuthorisationServer, **more: Any) -> None:
    """Keep a consent as `login` would."""
    issue = Issue("unused", 60.0, provider.consent(), **more)
    keep_consent(database, settings, box(settings), issue, datetime.now(UTC), {})


NOW = datetime.now(UTC)


class Ticks:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens_of(database: Database, ticks: Ticks | None = None, **more: Any) -> Tokens:
    return Tokens(database, {}, ticks=ticks or Ticks(), quiet=more.pop("quiet", timedelta()), **more)
