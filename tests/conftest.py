"""Fixtures that more than one file of tests needs: the real servers."""

from __future__ import annotations

import gc
import itertools
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests.helpdesk import HelpDesk, OpenDesk
from tests.servers.databases import Databases
from tests.servers.dovecot import Dovecot
from tests.servers.machine import require
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpSink

_numbers = itertools.count(1)

# Hypothesis' deadline of 200 ms an example measures the machine, which may be busy; pytest's timeout bounds each test.
hypothesis_settings.register_profile("mailticket", deadline=None)
hypothesis_settings.load_profile("mailticket")


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "the kind that tests use which are about no kind: the whole suite on PostgreSQL, but what is about SQLite"
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A run on PostgreSQL leaves out what is about SQLite, marked or by its parameter."""
    if config.getoption("--database") == "sqlite":
        return
    about_sqlite = [item for item in items if item.get_closest_marker("sqlite") or "sqlite" in _parameters(item)]
    config.hook.pytest_deselected(items=about_sqlite)
    items[:] = [item for item in items if item not in set(about_sqlite)]


def _parameters(item: pytest.Item) -> list[str]:
    return item.callspec.id.split("-") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else []


def pytest_configure() -> None:
    """A shell starts what runs in the background with SIGINT ignored, which every program below would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Thousands of tests were collected and stay; looking through them for garbage takes an eighth of all the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets logging up for it, and the next test reads the log as usual."""
    loggers = [logging.getLogger(name) for name in ("", "mailticket", "mail.log")]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    hooks = sys.excepthook, threading.excepthook, logging.raiseExceptions
    yield
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, logging.raiseExceptions = hooks
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


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
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Fresh databases of the kind that this run is for."""
    if request.config.getoption("--database") == "postgresql":
        return Databases(tmp_path_factory.mktemp("template"), request.getfixturevalue("postgres_server"))
    return Databases(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(tmp_path_factory.mktemp("template"), postgres_server)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_database(request: pytest.FixtureRequest) -> Databases:
    """The test runs on both kinds, whatever the run is for; a module whose `databases` is this does so as a whole."""
    name = "postgres_databases" if request.param == "postgres" else "databases"
    databases: Databases = request.getfixturevalue(name)
    return databases


@pytest.fixture
def open_desk(tmp_path: Path, databases: Databases) -> Iterator[OpenDesk]:
    """Opens a help desk in this process; keyword arguments are tables of its configuration, `on` other databases."""
    opened: list[tuple[HelpDesk, Databases, str]] = []

    def open_one(on: Databases = databases, **tables: Any) -> HelpDesk:
        url = on.copy(tmp_path)
        helpdesk = HelpDesk(url, **tables)
        opened.append((helpdesk, on, url))
        return helpdesk

    yield open_one
    for helpdesk, on, url in opened:
        helpdesk.close()
        on.drop(url)


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> HelpDesk:
    """A help desk with the usual configuration, whose border says who is verified."""
    return open_desk()
