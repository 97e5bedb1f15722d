"""Fixtures that more than one file of tests needs: the real servers."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests.helpdesk import HelpDesk, OpenDesk, empty_database
from tests.servers.dovecot import Dovecot
from tests.servers.machine import require
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpSink

_numbers = itertools.count(1)

# Hypothesis' deadline of 200 ms an example measures the machine, which may be busy; pytest's timeout bounds each test.
hypothesis_settings.register_profile("mailticket", deadline=None)
hypothesis_settings.load_profile("mailticket")


def pytest_configure() -> None:
    """A shell starts what runs in the background with SIGINT ignored, which every program below would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[Dovecot]:
    require(Dovecot.available(), "Dovecot (Debian's dovecot-imapd) or openssl")
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture
def dovecot(dovecot_server: Dovecot) -> Iterator[Dovecot]:
    """The session's Dovecot with a new user (`dovecot.user`) whose mailbox is empty; running, whatever a test did."""
    if not dovecot_server.running:
        dovecot_server.start()
    dovecot_server.user = f"support{next(_numbers)}@example.com"
    yield dovecot_server
    if not dovecot_server.running:
        dovecot_server.start()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP server without TLS and sign-in that accepts everything, until told otherwise."""
    sink = SmtpSink()
    yield sink
    sink.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    require(Postgres.available(), "PostgreSQL's server (initdb)")
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty database of its own for this test."""
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("template"))


@pytest.fixture
def open_desk(tmp_path: Path, database_template: Path) -> Iterator[OpenDesk]:
    """Opens a help desk in this process; keyword arguments are tables of its configuration."""
    opened: list[HelpDesk] = []

    def open_one(**tables: Any) -> HelpDesk:
        opened.append(HelpDesk(tmp_path, database_template, **tables))
        return opened[-1]

    yield open_one
    for helpdesk in opened:
        helpdesk.close()


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> HelpDesk:
    """A help desk with the usual configuration, whose border says who is verified."""
    return open_desk()
