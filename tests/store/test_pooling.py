"""A pooler that breaks locks of sessions is noticed before anything begins; one that keeps sessions is as none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailticket.errors import ConfigurationError, StoreUnavailable
from mailticket.settings import Settings
from mailticket.store import pooling
from mailticket.store.engine import Database
from mailticket.store.lock import run_lock
from mailticket.upkeep.readiness import must_be_ready
from tests.servers.machine import require
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.postgres
Behind = Callable[..., str]


@pytest.fixture
def behind(postgres_server: Postgres, ready_url: str) -> Iterator[Behind]:
    """Starts a pooler; returns the URL of a ready database behind it."""
    require(PgBouncer.available(), "PgBouncer")
    url = postgres_server.database(ready_url)
    poolers: list[PgBouncer] = []

    def start(mode: str, *more: str) -> str:
        poolers.append(PgBouncer(postgres_server.port, mode, *more))
        return poolers[-1].url(url)

    yield start
    for pooler in poolers:
        pooler.close()
    postgres_server.drop(url)


def settings_for(url: str) -> Settings:
    return Settings.model_validate(
        {"support": {"address": "support@example.com"}, "database": {"url": url}, "smtp": {"host": "127.0.0.1"}}
    )


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("transaction", ()),
        ("transaction", ("server_round_robin = 1", "min_pool_size = 2")),
        ("transaction", ("server_round_robin = 1", "min_pool_size = 3")),
        ("statement", ()),
    ],
)
def test_a_pooler_that_shares_connections_is_refused(behind: Behind, mode: str, more: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"pooler.*pool_mode = session"):
        must_be_ready(settings_for(behind(mode, *more)), None)


def test_a_pooler_that_keeps_sessions_is_as_none(behind: Behind) -> None:
    url = behind("session")
    must_be_ready(settings_for(url), None)
    database = Database(url)
    with run_lock(database), database.write() as session:
        limit = session.connection().exec_driver_sql("SHOW lock_timeout").scalar()
    assert limit == "15s"
    assert pooling.shared_connections(database) == ""
    database.close()


def test_no_pooler_and_sqlite_are_well(postgres_database: Database, tmp_path: Path) -> None:
    assert pooling.shared_connections(postgres_database) == ""
    assert pooling.shared_connections(Database(f"sqlite:///{tmp_path}/x.db")) == ""


def test_a_setting_that_pgbouncer_knows_not_is_named(behind: Behind) -> None:
    database = Database(behind("session") + "?options=-csearch_path%3Dpublic")
    with pytest.raises(StoreUnavailable, match="PgBouncer stands before"), database.read():
        pass
    database.close()
