"""A desk that moved from SQLite to PostgreSQL goes on there as if nothing had been."""

from __future__ import annotations

import json

import pytest

from mailticket.store import overview
from tests.e2e import post
from tests.e2e.conftest import MakeHouse
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink

pytestmark = [pytest.mark.dovecot, pytest.mark.postgres]


def test_after_a_move_replies_find_their_ticket_and_nobody_is_answered_again(
    site: Site, house_of: MakeHouse, dovecot: Dovecot, smtp_sink: SmtpSink, postgres_url: str
) -> None:
    house = house_of(site)
    dovecot.deliver(post.requests(3))
    house.once()
    letters = list(smtp_sink.accepted)
    moved = json.loads(site.cli("migrate-database", postgres_url, "--json").stdout)
    assert (moved["counts"]["ticket"], moved["altered"]) == (3, 0)
    assert moved["rows"] == moved["written"]
    site.close_database()
    site.url = postgres_url
    site.configure(database={"url": postgres_url})
    dovecot.deliver([post.reply(letters[0], "One thing more."), post.request("new@example.org")])
    tally = house.once()
    assert (tally.counts["appended"], tally.counts["opened"], tally.troubles) == (1, 1, [])
    assert len(smtp_sink.accepted) == 4
    with site.database.read() as session:
        assert overview.conservation(session) == {"support": {"opened": 4, "appended": 1}}
