"""What a PostgreSQL does to its clients: it goes and comes, loses the line in a commit, and another takes its place.

Nothing is lost, nobody is answered twice, and the daemon works again without help.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailticket.store.engine import Database, libpq_address
from tests.e2e import post
from tests.faults import truth
from tests.faults.conftest import MakeHouse
from tests.faults.house import House
from tests.servers.dovecot import Dovecot
from tests.servers.machine import require, until
from tests.servers.postgres import Postgres
from tests.servers.relay import CommitRelay
from tests.servers.smtp import SmtpSink

pytestmark = [pytest.mark.dovecot, pytest.mark.postgres]


class Pair:
    """A primary behind a relay, and a standby that has all that the primary calls committed."""

    def __init__(self) -> None:
        self.primary = Postgres()
        name = self.primary.database().rpartition("/")[2]
        self.standby = Postgres(self.primary)
        self.relay = CommitRelay(self.primary.port)
        self.primary.sql(f"ALTER DATABASE {name} SET synchronous_commit = on")
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.sql("SELECT pg_reload_conf()")
        state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        until(lambda: self.primary.sql(state) == "1", "the standby to follow")
        hosts = f"127.0.0.1:{self.relay.port},127.0.0.1:{self.standby.port}"
        self.url = f"postgresql://mailticket@{hosts}/{name}?target_session_attrs=read-write"

    def close(self) -> None:
        self.relay.close()
        self.standby.close()
        self.primary.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    require(Postgres.available(), "PostgreSQL's server (initdb)")
    pair = Pair()
    yield pair
    pair.close()


def test_f46_a_server_that_goes_comes_cuts_commits_and_is_replaced_loses_and_doubles_nothing(
    pair: Pair, make_house: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    house = make_house(pair.url)
    house.start()
    people: list[str] = []

    def write(name: str, number: int = 8) -> None:
        new = [f"{name}{n}@example.org" for n in range(number)]
        people.extend(new)
        dovecot.deliver([post.request(person) for person in new])

    write("first", 1)
    house.settle(1)

    write("gone")
    pair.primary.stop()
    house.site.wait_log("the outbox waits for the database")
    pair.primary.start()
    house.settle(len(people))

    pair.relay.armed = True
    write("cut")
    until(lambda: min(pair.relay.cuts.values()) > 2, "commits to be cut on either side")
    pair.relay.armed = False
    house.settle(len(people))

    write("failover")
    pair.primary.stop()
    write("promoted")
    pair.standby.promote()
    house.settle(len(people))
    truth.all_are_flagged(dovecot, len(people))
    house.stop()
    _each_has_one_end(house, smtp_sink, people)


def _each_has_one_end(house: House, sink: SmtpSink, people: list[str]) -> None:
    """A letter whose begin was committed unheard was not sent, and is shown as uncertain: it is not sent again."""
    assert house.site.incoming_states() == {"opened": len(people)}
    copies = truth.copies(sink)
    states = {row["to"]: row["state"] for row in house.site.outbox()}
    assert states.keys() == set(people)
    assert max(copies.values()) == 1
    silent = set(people) - copies.keys()
    assert {states[person] for person in silent} <= {"uncertain"}
    assert all(states[person] in ("sent", "uncertain") for person in people)


def test_an_address_of_several_hosts_is_that_of_libpq() -> None:
    for url in (
        "postgresql://mt@h1:5433,h2:5434/desk?target_session_attrs=read-write", "postgresql://h1:5432,h2:5432/desk",
        "postgresql://mt@db.example.com/desk", "postgresql://mt@/desk?host=%2Frun%2Fpostgresql",
    ):  # fmt: skip
        assert libpq_address(Database(url).url) == url
    assert "secret" not in libpq_address(Database("postgresql://mt:secret@h1,h2/desk").url)
