"""What the tests of faults need beside the servers: a site with its tables made, and the daemon in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.e2e.conftest import MakeSite, make_site, site
from tests.faults.house import House

__all__ = ["make_site", "site"]

MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHouse]:
    """Makes the daemon of this process; `url` names another database than the site's own."""
    made: list[House] = []

    def make(url: str = "", **more: Mapping[str, object]) -> House:
        made.append(House(make_site(url, **more), monkeypatch))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """The daemon with the smallest configuration, not started."""
    return make_house()
