"""Access tokens are kept until shortly before they end; refresh tokens rotate once, whoever asks, and survive kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine

from mailticket.connecting import Renewable
from mailticket.errors import ConfigurationError, SignInRefused, StoreUnavailable, WorldError
from mailticket.models import Consent
from mailticket.oauth2 import seal, tokens
from mailticket.oauth2.account import account_of
from mailticket.observe.failpoints import VARIABLE
from mailticket.settings import Settings
from mailticket.store import backup, oauth2, restore, schema
from mailticket.store.engine import Database
from tests.oauth2.conftest import MakeSettings, Ticks, box, consent, tokens_of
from tests.servers.authorisation import USER, AuthorisationServer


def row_of(database: Database, settings: Settings) -> Consent:
    with database.read() as session:
        row = oauth2.consent(session, account_of(box(settings)).name)
    assert row is not None
    return row


def kept(database: Database, settings: Settings) -> str:
    """The refresh token in the database, in clear."""
    row = row_of(database, settings)
    return seal.unsealed(seal.read_key(seal.key_place(settings, {})), row.name, row.sealed)


def test_a_token_is_had_once_and_kept_until_shortly_before_its_end(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    ticks = Ticks()
    holder = tokens_of(database, ticks)
    first = holder.token(settings, box(settings))
    assert provider.is_good(first) == USER
    ticks.now += 3600 - 301
    assert holder.token(settings, box(settings)) == first
    ticks.now += 2
    assert holder.token(settings, box(settings)) != first
    assert len(provider.requests) == 2


@pytest.mark.parametrize("wrong", [timedelta(days=-400), timedelta(days=400)], ids=["behind", "ahead"])
def test_a_wrong_clock_of_this_machine_neither_wastes_nor_keeps_tokens(
    database: Database, settings: Settings, provider: AuthorisationServer, wrong: timedelta
) -> None:
    consent(database, settings, provider)
    ticks = Ticks()
    holder = tokens_of(database, ticks)
    with time_machine.travel(datetime.now(UTC) + wrong, tick=True):
        first = holder.token(settings, box(settings))
    assert holder.token(settings, box(settings)) == first
    assert len(provider.requests) == 1
    ticks.now += 3600
    assert holder.token(settings, box(settings)) != first


def test_each_new_refresh_token_is_stored_and_the_next_one_comes_of_it(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    for turn in range(1, 4):
        tokens_of(database).token(settings, box(settings))
        assert kept(database, settings) == provider.newest_refresh_token()
        assert row_of(database, settings).generation == 1 + turn
    assert row_of(database, settings).lease_by == ""


def test_a_provider_that_does_not_rotate_keeps_its_token(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    provider.rotates = False
    consent(database, settings, provider)
    tokens_of(database).token(settings, box(settings))
    assert kept(database, settings) == provider.newest_refresh_token()
    assert row_of(database, settings).generation == 1


def test_the_new_refresh_token_is_durable_before_the_access_token_is_used(
    database: Database, settings: Settings, provider: AuthorisationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent(database, settings, provider)
    monkeypatch.setattr(tokens, "_STORE_PAUSE", 0.0)
    unable = iter([True] * tokens._STORE_TRIES)
    write = tokens.store.rotate

    def rotate(*words: object, **more: object) -> bool:
        if next(unable, False):
            raise StoreUnavailable("the disk is full")
        return write(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(tokens.store, "rotate", rotate)
    holder = tokens_of(database)
    with pytest.raises(StoreUnavailable):
        holder.token(settings, box(settings))
    newest = provider.newest_refresh_token()
    assert holder.token(settings, box(settings))  # what came the first time is stored before anything else is asked
    assert provider.requests[-1]["refresh_token"] == newest
    assert kept(database, settings) == provider.newest_refresh_token()


def test_mailboxes_and_smtp_of_one_account_share_one_token_without_racing(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer
) -> None:
    settings = settings_of(smtp=provider.settings(), mailboxes=3)
    consent(database, settings, provider)
    holder = tokens_of(database)
    with ThreadPoolExecutor(12) as pool:
        servers = [*settings.mailbox, settings.smtp] * 6
        issued = set(pool.map(lambda server: holder.token(settings, server), servers))
    assert len(issued) == 1
    assert len(provider.requests) == 1


def _clock(ahead: timedelta) -> datetime:
    return datetime.now(UTC) + ahead


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_daemons_on_one_database_never_use_a_refresh_token_twice(
    request: pytest.FixtureRequest, settings_of: MakeSettings, provider: AuthorisationServer, kind: str
) -> None:
    """The provider revokes everything when an old token comes; so each that came was the newest.

    On PostgreSQL the hosts' clocks differ by hours.
    """
    url = request.getfixturevalue("postgres_url" if kind == "postgres" else "url")
    settings = settings_of(url=url)
    databases = [Database(url) for _ in range(4)]
    schema.prepare(databases[0])
    consent(databases[0], settings, provider)
    apart = timedelta(hours=3 if kind == "postgres" else 0)
    holders = [
        tokens_of(database, ticks=tokens.boot_clock, clock=partial(_clock, number * apart))
        for number, database in enumerate(databases)
    ]

    def use(holder: tokens.Tokens) -> list[str]:
        issued = []
        for _ in range(5):
            issued.append(holder.token(settings, box(settings)))
            holder.renew(box(settings), issued[-1])
        return issued

    with ThreadPoolExecutor(4) as pool:
        issued = [token for of_one in pool.map(use, holders) for token in of_one]
    assert len(set(issued)) == 20
    presented = [form["refresh_token"] for form in provider.requests]
    assert len(set(presented)) == 20
    assert kept(databases[0], settings) == provider.newest_refresh_token()
    for database in databases:
        database.close()


def test_no_transaction_is_open_while_the_provider_is_asked(
    database: Database, settings: Settings, provider: AuthorisationServer, url: str
) -> None:
    consent(database, settings, provider)
    provider.delay.set()
    thread = threading.Thread(target=lambda: tokens_of(database).token(settings, box(settings)))
    thread.start()
    provider.wait_for_requests(1)
    other = Database(url)
    with other.write() as session:  # SQLite knows one writer: it would wait for an open transaction, and give up
        assert oauth2.lease(session, account_of(box(settings)).name, "somebody else", datetime.now(UTC)) is None
    other.close()
    provider.go.set()
    thread.join()


def test_a_consent_that_is_given_meanwhile_wins_over_what_comes_of_the_old_one(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    provider.delay.set()
    thread = threading.Thread(target=lambda: tokens_of(database).token(settings, box(settings)))
    thread.start()
    provider.wait_for_requests(1)
    consent(database, settings, provider)
    fresh = provider.newest_refresh_token()
    provider.delay.clear()
    provider.go.set()
    thread.join()
    assert kept(database, settings) == fresh


# --- kills ------------------------------------------------------------------------------------------------------------

_ASK = """
import sys, os
from pathlib import Path
from mailticket.config.read import read_settings
from mailticket.oauth2.tokens import Tokens
from mailticket.store.engine import Database
settings = read_settings(Path(sys.argv[1]), {})
Tokens(Database(settings.database.url), {}).token(settings, settings.mailbox[0])
"""


def killed_at(place: str, folder: Path, url: str, provider: AuthorisationServer) -> None:
    """Another process, cut short while it renews the token."""
    keys = "".join(
        f"{key} = {value!r}\n".replace("'", '"') for key, value in provider.settings(host="127.0.0.1").items()
    )
    configuration = folder / "mailticket.toml"
    configuration.write_text(
        f'[support]\naddress = "support@example.com"\n[[mailbox]]\nname = "box0"\n{keys}'
        f'[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n[database]\nurl = "{url}"\n[oauth2]\nkey_file = "oauth2-key"\n'
    )
    words = [sys.executable, "-c", _ASK, str(configuration)]
    done = subprocess.run(words, env={**os.environ, VARIABLE: f"{place}:1:kill"}, cwd=folder, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def later(database: Database, settings: Settings) -> str:
    """The token for one who comes when the lease of the dead one has passed."""
    clock = datetime.now(UTC) + oauth2.LEASE + timedelta(seconds=1)
    return tokens_of(database, clock=lambda: clock).token(settings, box(settings))


@pytest.mark.parametrize("place", ["oauth2.asking", "oauth2.stored"])
def test_a_kill_before_the_provider_is_asked_or_after_the_commit_costs_nothing(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path, place: str
) -> None:
    consent(database, settings, provider)
    killed_at(place, tmp_path, settings.database.url, provider)
    assert provider.is_good(later(database, settings)) == USER
    assert kept(database, settings) == provider.newest_refresh_token()


def test_a_kill_between_receiving_and_storing_is_named_where_the_provider_takes_each_token_once(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path
) -> None:
    consent(database, settings, provider)
    killed_at("oauth2.received", tmp_path, settings.database.url, provider)
    with pytest.raises(SignInRefused) as refusal:
        later(database, settings)
    assert (refusal.value.code, refusal.value.remedy) == ("rotation-lost", "mailticket oauth2 login box0")
    consent(database, settings, provider)
    assert provider.is_good(tokens_of(database).token(settings, box(settings))) == USER


def test_a_kill_between_receiving_and_storing_costs_nothing_where_old_tokens_stay_good(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path
) -> None:
    """As at Microsoft 365 and Google, which do not void an old refresh token when they give a new one."""
    provider.rotates = False
    consent(database, settings, provider)
    killed_at("oauth2.received", tmp_path, settings.database.url, provider)
    assert provider.is_good(later(database, settings)) == USER


# --- backups ----------------------------------------------------------------------------------------------------------


def quiet_progress(_work: str, _share: float) -> None:
    pass


def test_no_backup_holds_a_token_or_the_key_in_clear(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path
) -> None:
    consent(database, settings, provider)
    token = tokens_of(database).token(settings, box(settings))
    copy = tmp_path / "copy"
    copy.touch()
    backup.copy_database(database, copy, backup.Note(datetime.now(UTC), "x"), None, quiet_progress)
    key = seal.key_place(settings, {}).read_bytes().strip()
    places = [path for path in tmp_path.iterdir() if path.is_file() and path.name != seal.CREDENTIAL]
    everything = b"".join(path.read_bytes() for path in places)
    for secret in (token.encode(), provider.newest_refresh_token().encode(), key):
        assert secret not in everything
    assert seal.key_place(settings, {}).stat().st_mode & 0o777 == 0o600


def test_a_restored_backup_takes_the_newer_token_of_the_database_that_it_replaces(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path
) -> None:
    consent(database, settings, provider)
    copy = tmp_path / "copy"
    copy.touch()
    backup.copy_database(database, copy, backup.Note(datetime.now(UTC), "x"), None, quiet_progress)
    tokens_of(database).token(settings, box(settings))  # so that the token of the backup is void
    database.close()
    restore.restore_database(Database(settings.database.url), copy, datetime.now(UTC), quiet_progress)
    restored = Database(settings.database.url)
    assert kept(restored, settings) == provider.newest_refresh_token()
    assert provider.is_good(tokens_of(restored).token(settings, box(settings))) == USER
    restored.close()


def test_a_backup_that_is_restored_elsewhere_says_that_its_token_is_void(
    database: Database, settings: Settings, provider: AuthorisationServer, tmp_path: Path
) -> None:
    consent(database, settings, provider)
    older = row_of(database, settings)
    tokens_of(database).token(settings, box(settings))
    with database.write() as session:
        session.merge(older)
    with pytest.raises(SignInRefused, match="an older backup") as refusal:
        tokens_of(database).token(settings, box(settings))
    assert refusal.value.code == "consent-gone"


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_without_a_consent_the_command_is_named(database: Database, settings: Settings) -> None:
    with pytest.raises(SignInRefused) as refusal:
        tokens_of(database).token(settings, box(settings))
    assert (refusal.value.code, refusal.value.remedy) == ("no-consent", "mailticket oauth2 login box0")


def test_another_key_is_told_from_a_consent_that_is_gone(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    place = seal.key_place(settings, {})
    former = place.read_bytes()
    place.unlink()
    with pytest.raises(ConfigurationError, match="there is no key"):
        tokens_of(database).token(settings, box(settings))
    seal.make_key(place)
    with pytest.raises(SignInRefused) as refusal:
        tokens_of(database).token(settings, box(settings))
    assert refusal.value.code == "other-key"
    place.write_bytes(former)
    assert tokens_of(database).token(settings, box(settings))


def test_a_token_of_another_row_is_none(database: Database, settings: Settings, provider: AuthorisationServer) -> None:
    """Whoever may write to the database cannot let one mailbox sign in as another."""
    consent(database, settings, provider)
    row = row_of(database, settings)
    key = seal.read_key(seal.key_place(settings, {}))
    with pytest.raises(seal.WrongKey):
        seal.unsealed(key, "another", row.sealed)


def test_a_provider_that_has_refused_is_left_alone_until_somebody_consents(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    provider.revoke()
    holder = tokens_of(database, quiet=timedelta(minutes=5))
    for _ in range(3):
        with pytest.raises(SignInRefused) as refusal:
            holder.token(settings, box(settings))
        assert refusal.value.code == "consent-gone"
    assert len(provider.requests) == 1
    consent(database, settings, provider)
    assert provider.is_good(holder.token(settings, box(settings))) == USER


def test_a_provider_that_is_down_or_busy_refuses_nothing(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    holder = tokens_of(database)
    provider.answer(503, b"<html>down</html>")
    provider.answer(200, b"no JSON")
    provider.refuse("temporarily_unavailable")
    for _ in range(3):
        with pytest.raises(WorldError, match="by itself") as trouble:
            holder.token(settings, box(settings))
        assert not isinstance(trouble.value, SignInRefused)
    provider.stop()
    with pytest.raises(WorldError, match="cannot be reached"):
        holder.token(settings, box(settings))
    assert row_of(database, settings).refusal == ""
    provider.start()
    assert provider.is_good(holder.token(settings, box(settings))) == USER


def test_a_refused_token_is_renewed_once_and_not_when_it_came_just_now(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider)
    secret = tokens_of(database).secret(settings, box(settings))
    assert isinstance(secret, Renewable)
    assert not secret.renew(secret())
    token = secret()
    assert secret() == token
    assert secret.renew(token)
    assert secret() != token
