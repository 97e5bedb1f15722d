"""The site of a test: a fresh folder, a fresh mailbox on the session's Dovecot, an SMTP sink of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.faults.house import House
from tests.servers.databases import Databases
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink

MakeSite = Callable[..., Site]
MakeHouse = Callable[[Site], House]


@pytest.fixture
def make_site(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink, databases: Databases) -> Iterator[MakeSite]:
    """Makes the site; tables of the configuration are added by keyword. Its database has its tables already, unless
    `url` names another one: where a first start is not the point, it need not make them."""
    made: list[Site] = []

    def make(url: str = "", **more: Mapping[str, object]) -> Site:
        made.append(Site(tmp_path, dovecot, smtp_sink, url or databases.copy(tmp_path, "mailticket.db")))
        made[-1].configure(**more)
        return made[-1]

    yield make
    for site in made:
        site.close()
        databases.drop(site.url)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A site with the smallest configuration."""
    return make_site()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_site(request: pytest.FixtureRequest, make_site: MakeSite, tmp_path: Path) -> Site:
    """One on each kind of database, which is empty: its first start makes the tables."""
    postgres = request.param == "postgres"
    return make_site(request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/mailticket.db")


@pytest.fixture
def house_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHouse]:
    """Lets the daemon of a site work in this process: where neither the start nor the end of a program is the point."""
    made: list[House] = []

    def make(site: Site) -> House:
        made.append(House(site, monkeypatch))
        return made[-1]

    yield make
    for house in made:
        house.close()
