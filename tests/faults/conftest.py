"""What the tests of faults need beside the servers: a site with its tables made, and the daemon in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import make_site as make_bare_site
from tests.e2e.site import Site
from tests.faults.house import House, place_database

__all__ = ["make_bare_site"]

MakeHouse = Callable[..., House]


@pytest.fixture
def make_site(make_bare_site: Callable[..., Site], tmp_path: Path, database_template: Path) -> Callable[..., Site]:
    """Makes the site with its tables; keyword arguments are tables of its configuration."""

    def make(**more: Mapping[str, object]) -> Site:
        place_database(tmp_path, database_template)
        return make_bare_site(**more)

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
def make_house(
    make_site: Callable[..., Site], make_bare_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeHouse]:
    """Makes the daemon of this process; `url` names another database than the site's own SQLite file."""
    made: list[House] = []

    def make(url: str = "", **more: Mapping[str, object]) -> House:
        made.append(House(make_bare_site(url, **more) if url else make_site(**more), monkeypatch))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """The daemon with the smallest configuration on SQLite, not started."""
    return make_house()
