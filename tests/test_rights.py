"""Who may do what: root works as the owner of the database, files are private, a stranger is told who may."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mailticket.config.read import read_settings
from mailticket.config.rights import work_as_owner
from mailticket.errors import NotAllowed
from mailticket.settings import Settings
from mailticket.store import schema
from mailticket.store.engine import Database
from tests.servers.machine import Unprivileged, require

SMALLEST = '[support]\naddress = "support@example.com"\n[smtp]\nhost = "localhost"\n'
WORK_AS_OWNER = """
import os, sys
from pathlib import Path
from mailticket.config.read import read_settings
from mailticket.config.rights import work_as_owner
from mailticket.store import schema
from mailticket.store.engine import Database
from mailticket.store.lock import run_lock

settings = read_settings(Path(sys.argv[1]), {})
warm = Database(f"sqlite:///{sys.argv[1]}.db")  # whoever we become need not be able to read this Python's modules
schema.prepare(warm)
database = Database(settings.database.url)
work_as_owner(settings)
with run_lock(database):
    schema.prepare(database)
    with database.read():
        names = sorted(os.listdir(Path(settings.database.url.partition(":///")[2]).parent))
        print(os.getuid(), os.getgid(), os.getgroups(), names)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (tmp_path / "mailticket.toml").write_text(f'{SMALLEST}[database]\nurl = "sqlite:///{folder}/mailticket.db"\n')
    return folder


@pytest.fixture
def settings(state: Path) -> Settings:
    return read_settings(state.parent / "mailticket.toml", {})


def test_a_database_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{tmp_path}/mailticket.db")
        schema.prepare(database)
        with database.read():
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("mailticket.db", "mailticket.db-wal", "mailticket.db-shm"), 0o600)


def test_what_root_does_leaves_files_of_the_owner_only(tmp_path: Path) -> None:
    require(os.geteuid() == 0, "root")
    nobody = Unprivileged()
    state = nobody.folder("mailticket-state-")
    try:
        state.chmod(0o700)
        file = tmp_path / "mailticket.toml"
        file.write_text(f'{SMALLEST}[database]\nurl = "sqlite:///{state}/mailticket.db"\n')
        done = subprocess.run(
            [sys.executable, "-c", WORK_AS_OWNER, str(file)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{nobody.uid} {nobody.gid} [{nobody.gid}] ['mailticket.db', ")
        assert {file.stat().st_uid for file in state.iterdir()} == {nobody.uid}
    finally:
        shutil.rmtree(state)


def test_an_account_without_access_to_the_database_hears_who_has_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NotAllowed, match=r"only root and the user .* sudo"):
        work_as_owner(settings)


def test_a_configuration_that_may_not_be_read_is_no_bad_configuration(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(NotAllowed, match="sudo"):
        read_settings(state.parent / "mailticket.toml", {})
