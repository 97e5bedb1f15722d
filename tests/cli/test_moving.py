"""What `migrate-database` says: what to do next, and what is in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.postgres


@pytest.mark.sqlite
def test_the_end_of_a_move_says_what_to_do_next_and_how_to_go_back(run: Run, tmp_path: Path, postgres_url: str) -> None:
    code, _, err = run("migrate-database", postgres_url)
    assert (code, "there is no database at" in err) == (75, True)
    assert list(tmp_path.glob("*.db*")) == []
    run("mail", "ingest", "one.eml")
    code, out, err = run("migrate-database", postgres_url)
    assert (code, err) == (0, "")
    shown = postgres_url.replace("+psycopg", "")
    for words in (
        "Moved. Tickets: 1, mails: 1, letters: 1.",
        "each read back and compared",
        f'url = "{shown}"',
        'mailticket.db"',
    ):
        assert words in out
    code, _, err = run("migrate-database", postgres_url)
    assert (code, "name an empty one" in err) == (1, True)


def test_a_target_that_cannot_be_reached_or_read_is_named_as_the_target(run: Run) -> None:
    run("mail", "ingest", "one.eml")
    code, _, err = run("migrate-database", "postgresql://127.0.0.1:9/x")
    assert (code, "mailticket: target: " in err, "run the same command again" in err) == (75, True, True)
    code, _, err = run("migrate-database", "nonsense")
    assert (code, "URL: cannot be read" in err) == (78, True)
