"""A backup is whole as of one moment, whoever writes meanwhile, and what is not whole is not taken for one."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from mailticket.errors import AlreadyRunning, Refused, StoreDamaged, StoreUnavailable
from mailticket.models import Host, Outgoing
from mailticket.settings import Settings
from mailticket.store import backup, meta, outgoing, restored, schema
from mailticket.store.engine import Database
from mailticket.store.lock import run_lock
from mailticket.store.restore import Restoration
from mailticket.upkeep import backup as upkeep_backup
from mailticket.upkeep.backup import make_backup, release
from mailticket.upkeep.troubles import life
from tests.store.conftest import NOON, new_message, new_outgoing, new_ticket

KEY = b"thirty-two bytes of a signing key"


def silent(_work: str, _share: float) -> None:
    """Nobody watches."""


def settings_for(database: Database, folder: Path, *, key_file: bool = False) -> Settings:
    support = {"address": "support@example.com", **({"key_file": folder / "signing-key"} if key_file else {})}
    url = database.url.render_as_string(hide_password=False)
    return Settings.model_validate({"support": support, "database": {"url": url}, "smtp": {"host": "127.0.0.1"}})


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    with database.write() as session:
        ticket = new_ticket(session)
        new_message(session, ticket)
        new_outgoing(session, ticket)
        meta.signing_keys(session, NOON)
    return settings_for(database, tmp_path)


def restore(database: Database, settings: Settings, source: Path, now: datetime = NOON) -> Restoration:
    """Restore as another program does it, while this one has no connection open."""
    database.close()
    return upkeep_backup.restore(settings, source, now, silent)


def rows(database: Database, table: str) -> int:
    with database.read() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_a_backup_comes_back_whole(database: Database, settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "backup"
    target.parent.mkdir()
    made = make_backup(settings, target, NOON, silent)
    assert made.size == target.stat().st_size
    assert (made.contents.counts["ticket"], made.contents.step) == (1, schema.HEAD)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(target.parent.iterdir()) == [target], "nothing else is left beside it"
    with database.write() as session:
        keys = meta.signing_keys(session, NOON)
        new_ticket(session)
        session.execute(text("DELETE FROM key"))
    done = restore(database, settings, target, NOON + timedelta(hours=1))
    assert (done.held, done.contents.note and done.contents.note.at) == (1, NOON)
    assert rows(database, "ticket") == 1
    with database.read() as session:
        assert meta.signing_keys(session, NOON) == keys
        assert restored.restored_at(session) == NOON + timedelta(hours=1)
    _former_is_kept(database, done.replaced)


def _former_is_kept(database: Database, replaced: str) -> None:
    if database.is_sqlite:
        former = Database(f"sqlite:///{replaced}")
        assert rows(former, "ticket") == 2
        former.close()
    else:
        assert rows(database, f"{replaced.removeprefix('schema ')}.ticket") == 2


def test_the_key_of_a_file_is_in_the_backup_and_comes_back(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "signing-key"
    file.write_bytes(KEY + b"\n")
    with_key = settings_for(database, tmp_path, key_file=True)
    make_backup(with_key, tmp_path / "backup", NOON, silent)
    file.unlink()
    restore(database, with_key, tmp_path / "backup")
    assert file.read_bytes() == KEY
    with database.read() as session:
        keys = meta.signing_keys(session, NOON)
    assert keys[-1] == KEY
    assert len(keys) == 2, "it verifies, and the one of the database signs"


def test_another_backup_is_not_overwritten_unless_it_may_be(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    make_backup(settings, target, NOON, silent)
    before = target.read_bytes()
    with pytest.raises(Refused, match="exists"):
        make_backup(settings, target, NOON, silent)
    assert target.read_bytes() == before
    make_backup(settings, target, NOON + timedelta(days=1), silent, force=True)
    note = backup.contents_of(target, silent).note
    assert note is not None
    assert note.at == NOON + timedelta(days=1)


def test_a_backup_that_fails_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: Path, _progress: object) -> None:
        raise StoreDamaged("it is not whole")

    monkeypatch.setattr(backup, "contents_of", fail)
    with pytest.raises(StoreDamaged):
        make_backup(settings, tmp_path / "backup", NOON, silent)
    assert list(tmp_path.glob("backup*")) == []


def test_a_copy_that_lacks_rows_is_no_backup(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(file: Path, _progress: object) -> backup.Contents:
        return backup.Contents("sqlite", schema.HEAD, {**dict.fromkeys(("meta", "key"), 9), "ticket": 0})

    monkeypatch.setattr(backup, "contents_of", lose)
    with pytest.raises(StoreDamaged, match="not whole"):
        make_backup(settings, tmp_path / "backup", NOON, silent)


def test_writing_goes_on_while_a_backup_is_made(tmp_path: Path, ready_file: Path) -> None:
    """Each step of the copy waits for a write of somebody else: none is refused, and none begins the copy anew."""
    file = tmp_path / "busy.db"
    shutil.copy(ready_file, file)
    database = Database(f"sqlite:///{file}")
    with database.write() as session:
        new_ticket(session)
        for _ in range(8):
            session.execute(
                text("INSERT INTO raw VALUES (:d, 1, 'plain', :data, true, :at, null)"),
                {"d": os.urandom(8).hex(), "data": os.urandom(4 * 1024 * 1024), "at": "2026-11-22 12:00:00.000000"},
            )
    steps: list[float] = []

    def write(work: str, share: float) -> None:
        if work == "copying":
            steps.append(share)
            with database.write() as session:
                new_ticket(session)

    made = make_backup(settings_for(database, tmp_path), tmp_path / "backup", NOON, write)
    assert len(steps) > 4
    assert steps == sorted(steps), "the copy never began anew"
    assert made.contents.counts["ticket"] == 1, "what was there when it began"
    assert rows(database, "ticket") == 1 + len(steps)
    database.close()


def test_two_backups_to_one_name_do_not_mix(settings: Settings, tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def wait(_work: str, _share: float) -> None:
        began.set()
        assert go_on.wait(30)

    first = threading.Thread(target=make_backup, args=(settings, tmp_path / "backup", NOON, wait))
    first.start()
    assert began.wait(30)
    with pytest.raises(StoreUnavailable, match="another backup"):
        make_backup(settings, tmp_path / "backup", NOON, silent)
    go_on.set()
    first.join(30)
    assert backup.contents_of(tmp_path / "backup", silent).counts["ticket"] == 1


def spoil(file: Path) -> None:
    damaged = bytearray(file.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 4096] = os.urandom(4096)
    file.write_bytes(damaged)


def empty_it(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_nobody_counts_as_running_after_a_restore(database: Database, settings: Settings, tmp_path: Path) -> None:
    with database.write() as session:
        session.add(Host(kind="daemon", name="here", pid=7, version="1", started_at=NOON, beat_at=NOON))
    make_backup(settings, tmp_path / "backup", NOON, silent)
    restore(database, settings, tmp_path / "backup", NOON + timedelta(seconds=5))
    with database.read() as session:
        sign = life(session, settings, NOON + timedelta(seconds=6))
    assert (sign.alive, sign.rests) == (False, True)


@pytest.mark.parametrize("harm", [spoil, empty_it, cut])
def test_a_damaged_backup_changes_nothing(
    database: Database, settings: Settings, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    target = tmp_path / "backup"
    make_backup(settings, target, NOON, silent)
    harm(target)
    with pytest.raises((StoreDamaged, StoreUnavailable)):
        restore(database, settings, target, NOON)
    assert rows(database, "ticket") == 1
    with database.read() as session:
        assert not restored.is_held(session)


def test_a_restore_waits_for_the_daemon_to_stop(database: Database, settings: Settings, tmp_path: Path) -> None:
    make_backup(settings, tmp_path / "backup", NOON, silent)
    with run_lock(database), pytest.raises(AlreadyRunning):
        upkeep_backup.restore(settings, tmp_path / "backup", NOON, silent)
    assert not list(tmp_path.glob("*replaced*"))


def test_a_backup_of_a_newer_release_is_refused(database: Database, settings: Settings, tmp_path: Path) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    make_backup(settings, tmp_path / "backup", NOON, silent)
    with pytest.raises(Refused, match="newer mailticket"):
        restore(database, settings, tmp_path / "backup", NOON)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_nothing_that_the_daemon_could_not_open(tmp_path: Path, ready_file: Path) -> None:
    """Backup and restore as commands of root, for a daemon of another user."""
    state, nobody = tmp_path / "state", 65534
    state.mkdir(0o700)
    shutil.copy(ready_file, state / "mailticket.db")
    for path in (state, state / "mailticket.db"):
        os.chown(path, nobody, nobody)
    configuration = tmp_path / "mailticket.toml"
    configuration.write_text(
        '[support]\naddress = "support@example.com"\n[smtp]\nhost = "127.0.0.1"\n'
        f'[database]\nurl = "sqlite:///{state}/mailticket.db"\n'
    )
    secret = tmp_path / "of-root"
    secret.mkdir(0o700)
    for words in (["backup", str(secret / "backup")], ["restore", str(secret / "backup")]):
        call = [sys.executable, "-m", "mailticket", *words, "--config", str(configuration)]
        done = subprocess.run(call, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert {path.name: path.stat().st_uid for path in state.iterdir() if path.stat().st_uid != nobody} == {}
    assert (state / "mailticket.db.lock").exists()
    assert stat.S_IMODE((state / "mailticket.db").stat().st_mode) == 0o600
    assert (secret / "backup").stat().st_uid == 0


def test_where_the_daemon_had_stopped_for_good_nothing_is_held(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    make_backup(settings, tmp_path / "backup", NOON, silent)
    database.close()
    assert upkeep_backup.restore(settings, tmp_path / "backup", NOON, silent, moved=True).held == 0
    with database.write() as session:
        assert restored.restored_at(session) is None
        assert len(outgoing.claim(session, NOON, 10)) == 1


def test_what_was_under_way_is_held_and_a_release_lets_only_new_mail_go(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    with database.write() as session:
        for state in ("sending", "deferred", "sent", "uncertain"):
            number = new_outgoing(session, new_ticket(session))
            outgoing.set_outcome(session, number, state=state)
    make_backup(settings, tmp_path / "backup", NOON, silent)
    assert restore(database, settings, tmp_path / "backup", NOON).held == 3
    with database.write() as session:
        new_outgoing(session, new_ticket(session))
        states = sorted(session.execute(select(col(Outgoing.state))).scalars())
        assert states == ["queued", "sent", "uncertain", "withheld", "withheld", "withheld"]
        assert outgoing.claim(session, NOON, 10) == []
        assert [part.name for part in meta.health(session) if part.error] == [restored.PART]
    held = release(database, NOON)
    assert held is not None
    assert (held.waiting, held.kept) == (1, 3)
    assert release(database, NOON) is None
    with database.write() as session:
        assert len(outgoing.claim(session, NOON, 10)) == 1
        assert meta.health(session) == []
