"""What has to be right before a start: check names each trouble with its remedy, run refuses in the same words."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailticket.config.read import read_settings
from mailticket.errors import ConfigurationError, WorldError
from mailticket.upkeep import readiness as room
from mailticket.upkeep.account import Account, daemon_account, open_to_everybody, own_account
from mailticket.upkeep.readiness import Finding, must_be_ready, readiness
from tests.servers.databases import Databases

# Nearly all of it is about a file that is there, may be read and holds what it should.
pytestmark = pytest.mark.sqlite

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look through another's eyes")

CONFIGURATION = """
[support]
address = "support@example.com"
{support}
[[mailbox]]
name = "box"
host = "127.0.0.1"
port = 9
security = "none"
username = "ann"
password_file = "imap-password"
[smtp]
host = "127.0.0.1"
port = 9
security = "none"
{more}
"""


class Place:
    """A folder with a configuration that is right until a test spoils it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "mailticket.toml"
        self.configure()
        (folder / "imap-password").write_text("xyzzy\n")
        self.account = own_account()

    def configure(self, support: str = "", more: str = "") -> None:
        self.file.write_text(CONFIGURATION.format(support=support, more=more))

    def findings(self) -> list[Finding]:
        return list(readiness(read_settings(self.file, {}), self.file, self.account, deep=False))

    def wrong(self) -> list[Finding]:
        return [finding for finding in self.findings() if finding.level == "wrong"]

    def only(self) -> Finding:
        (finding,) = self.wrong()
        return finding

    def start(self) -> None:
        must_be_ready(read_settings(self.file, {}), self.file)


@pytest.fixture
def place(tmp_path: Path, databases: Databases) -> Iterator[Place]:
    databases.copy(tmp_path, "mailticket.db")
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    yield Place(tmp_path)


@pytest.fixture
def open_place(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Place]:
    """The same where everybody may enter, as in /etc; owned by root, the daemon's account is `nobody`."""
    folder = Path("/tmp") / f"mailticket-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    state = folder / "state"
    state.mkdir(mode=0o700)
    databases.copy(state, "mailticket.db")
    place = Place(folder)
    place.configure(more=f'[database]\nurl = "sqlite:///{state}/mailticket.db"')
    entry = pwd.getpwnam("nobody")
    place.account = Account("nobody", entry.pw_uid, entry.pw_gid, (entry.pw_gid,))
    for path in (state, *state.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    for path in (place.file, folder / "imap-password"):
        path.chmod(0o640)
        os.chown(path, 0, entry.pw_gid)
    yield place
    shutil.rmtree(folder)


def unwrapped(screen: str) -> str:
    """What stands on a screen, wherever its lines were broken; a long path is broken too."""
    return "".join(screen.split())


def test_a_sound_configuration_has_nothing_wrong_and_starts(place: Place) -> None:
    assert place.wrong() == []
    place.start()


# What no start gets over: the spoiling, what is said, the command or line that mends it, the exit code.


def _no_templates(place: Place) -> None:
    place.configure(more='[templates]\nfolder = "letters"')


def _short_key(place: Place) -> None:
    (place.folder / "key").write_text("short")
    place.configure(support='key_file = "key"')


def _no_key(place: Place) -> None:
    place.configure(support='key_file = "key"')


def _unknown_country(place: Place) -> None:
    place.configure(more='[promise]\nholiday_country = "XX"')


def _newer_database(place: Place) -> None:
    with sqlite3.connect(place.folder / "mailticket.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def _no_database(place: Place) -> None:
    (place.folder / "mailticket.db").write_bytes(b"this is no database at all, it is a text " * 99)


def _no_folder(place: Place) -> None:
    place.configure(more=f'[database]\nurl = "sqlite:///{place.folder}/gone/mailticket.db"')


def _folder_in_place_of_the_file(place: Place) -> None:
    (place.folder / "mailticket.db").unlink()
    (place.folder / "mailticket.db").mkdir()


def _no_such_server(place: Place) -> None:
    place.configure(more='[database]\nurl = "postgresql://nobody@127.0.0.1:9/nothing"')


def _bad_url(place: Place) -> None:
    place.configure(more='[database]\nurl = "postgresql://a:secret@host:port/x"')


FATAL: list[tuple[Callable[[Place], None], str, str, int]] = [
    (_no_templates, "the template folder", "make it or correct the key that names it", 78),
    (_short_key, "key holds 5 bytes", "write at least 16 random ones", 78),
    (_no_key, "key: there is no such file", "write it", 78),
    (_unknown_country, "'XX' is not known", "write a code such as DE", 78),
    (_newer_database, "written by a newer mailticket", "install that release again", 78),
    (_no_database, "the file is no database of ours", "restore a backup or correct [database] url", 78),
    (_no_folder, "there is no folder", "install -d -m 700", 75),
    (_folder_in_place_of_the_file, "is a folder, not a file", "correct [database] url", 75),
    (_no_such_server, "refused", "start its server", 75),
    (_bad_url, "[database] url: cannot be read", "write sqlite:///FILE", 78),
]


@pytest.mark.parametrize(("spoil", "said", "remedy", "code"), FATAL, ids=lambda case: getattr(case, "__name__", ""))
def test_run_refuses_exactly_what_check_calls_wrong_and_no_start_gets_over(
    place: Place, spoil: Callable[[Place], None], said: str, remedy: str, code: int
) -> None:
    spoil(place)
    finding = place.only()
    assert said in finding.said
    assert remedy in f"{finding.said} {finding.remedy}"
    assert "secret" not in str(finding)
    assert finding.stops == code
    with pytest.raises(ConfigurationError if code == 78 else WorldError) as refusal:
        place.start()
    assert str(refusal.value) == str(finding)


def test_the_program_itself_refuses_with_the_words_and_the_code_that_check_has(place: Place) -> None:
    _short_key(place)
    check, run = (
        subprocess.run(
            [sys.executable, "-m", "mailticket", *words, "--config", str(place.file)],
            cwd="/", capture_output=True, text=True, timeout=60,
        )
        for words in (["check", "--offline"], ["run", "--once"])
    )  # fmt: skip
    assert (check.returncode, run.returncode) == (1, 78)
    assert str(place.only()) in run.stderr
    assert unwrapped(place.only().said) in unwrapped(check.stdout)


# What is wrong and the daemon lives with.


def test_a_password_file_that_is_not_there_is_wrong_and_no_reason_not_to_start(place: Place) -> None:
    (place.folder / "imap-password").unlink()
    finding = place.only()
    assert finding.said == f"{place.folder}/imap-password: there is no such file"
    assert finding.remedy.startswith(f"install -D -m 600 /dev/stdin {place.folder}/imap-password")
    place.start()


def test_a_folder_in_place_of_a_password_file_is_named(place: Place) -> None:
    (place.folder / "imap-password").unlink()
    (place.folder / "imap-password").mkdir()
    assert place.only().said == f"{place.folder}/imap-password is no file"


def test_a_changed_prefix_without_the_former_one_is_wrong_and_the_line_to_add_stands_there(place: Place) -> None:
    with sqlite3.connect(place.folder / "mailticket.db") as database:
        columns = {row[1]: row for row in database.execute("PRAGMA table_info(ticket)")}
        needed = {name: row for name, row in columns.items() if row[3] and row[4] is None and name != "id"}
        for key in ("HD-7F3K-92QX", "OLD-7F3K-92QX"):
            values = {name: 0 if "INT" in row[2] else "2026-01-01 00:00:00" for name, row in needed.items()}
            values |= {"key": key, "status": "new", "priority": "normal"}
            names, marks = ", ".join(f'"{n}"' for n in values), ", ".join("?" for _ in values)
            database.execute(f"INSERT INTO ticket ({names}) VALUES ({marks})", list(values.values()))
    place.configure(support='former_prefixes = ["ANY"]')
    finding = place.only()
    assert "IDs begin with HD, OLD" in finding.said
    assert finding.remedy == 'write into [support]: former_prefixes = ["ANY", "HD", "OLD"]'
    place.configure(support='prefix = "OLD"\nformer_prefixes = ["HD"]')
    assert place.wrong() == []


def test_a_misspelt_block_and_a_broken_article_are_wrong(place: Place) -> None:
    (place.folder / "letters" / "en").mkdir(parents=True)
    (place.folder / "letters" / "en" / "solved.j2").write_text(
        '{% extends "default/en/solved.j2" %}{% block openning %}x{% endblock %}'
    )
    (place.folder / "help").mkdir()
    (place.folder / "help" / "a.md").write_text("nothing")
    place.configure(more='[templates]\nfolder = "letters"\n[articles]\nfolder = "help"')
    template, article = place.wrong()
    assert "no letter has a block openning; did you mean opening?" in template.said
    assert "begins without front matter" in article.said
    place.start()


def test_a_language_without_letters_is_wrong_and_those_with_some_stand_there(place: Place) -> None:
    place.configure(support='language = "fr"')
    finding = place.only()
    assert finding.said == "there are no letters in fr, the language set"
    assert finding.remedy == "write one of en, zh-Hans, zh-Hant, or add that folder of templates"
    place.start()
    (place.folder / "letters" / "fr").mkdir(parents=True)
    (place.folder / "letters" / "fr" / "solved.j2").write_text('{% extends "default/en/solved.j2" %}')
    place.configure(support='language = "fr"', more='[templates]\nfolder = "letters"')
    assert place.wrong() == []
    brand = '[[brand]]\nname = "sea"\ntitle = "Sea"\naddress = "fish@sea.example"\nprefix = "FI"\nlanguage = "de"\n'
    place.configure(more=brand)
    assert place.only().said == "brand sea: there are no letters in de, the language set"


def test_a_disk_that_fills_is_wrong(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda folder: 12 * 1024**2)
    finding = place.only()
    assert (finding.subject, finding.said) == ("disk", f"only 12 MB are free in {place.folder}")
    place.start()


def test_addresses_that_stay_inside_and_a_database_to_be_made_are_notes(place: Place) -> None:
    (place.folder / "mailticket.db").unlink()
    place.configure(more='[alerts]\nto = ["ops@firma.local"]')
    notes = {finding.subject: finding.said for finding in place.findings() if finding.level == "note"}
    assert notes["addresses"] == "ops@firma.local is an address of your own network: mail to it stays inside"
    assert notes["database"].endswith("mailticket.db is not there yet")


def test_a_token_command_that_is_not_there_is_wrong(place: Place) -> None:
    text = place.file.read_text().replace('password_file = "imap-password"', 'oauth2_token_command = ["./token"]')
    place.file.write_text(text)
    assert place.only().said == f"oauth2_token_command: there is no program {place.folder}/token"


# Rights, as the daemon's account has them.


@as_root
def test_everything_right_for_another_account_is_nothing_wrong(open_place: Place) -> None:
    assert open_place.wrong() == []


@as_root
def test_a_password_in_a_configuration_that_everybody_can_read_is_wrong(open_place: Place) -> None:
    text = open_place.file.read_text().replace('password_file = "imap-password"', 'password = "xyzzy"')
    open_place.file.write_text(text)
    assert open_place.wrong() == []
    open_place.file.chmod(0o644)
    finding = open_place.only()
    file, group = open_place.file, open_place.account.group
    assert finding.said == f"anybody on this machine can read the password in {file} (line 11)"
    assert finding.remedy == f"chmod 640 {file} && chown root:{group} {file}"
    open_place.start()
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []


@as_root
def test_a_password_file_that_everybody_can_read_is_wrong(open_place: Place) -> None:
    file = open_place.folder / "imap-password"
    file.chmod(0o644)
    finding = open_place.only()
    assert finding.said == f"anybody on this machine can read the password in {file}"
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []
    open_place.folder.chmod(0o700)
    assert not open_to_everybody(file)


@as_root
@pytest.mark.parametrize("name", ["imap-password", "mailticket.toml"])
def test_what_the_account_may_not_read_is_wrong_and_the_command_mends_it(open_place: Place, name: str) -> None:
    file = open_place.folder / name
    os.chown(file, 0, 0)
    finding = open_place.only()
    assert finding.said == f"nobody, as whom the daemon runs, may not read {file}: Permission denied"
    assert finding.stops == (78 if name == "mailticket.toml" else 0)
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []


@as_root
def test_a_folder_that_the_account_may_not_enter_is_named(open_place: Place) -> None:
    credentials = open_place.folder / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "imap-password").write_text("x\n")
    text = open_place.file.read_text().replace('password_file = "imap-password"\n', "")
    open_place.file.write_text(text)
    finding = open_place.only()
    assert f"for it may not enter {credentials}" in finding.said
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []


@as_root
def test_a_state_folder_of_somebody_else_is_wrong_and_the_command_mends_it(open_place: Place) -> None:
    state = open_place.folder / "state"
    for path in (state, *state.iterdir()):
        os.chown(path, 0, 0)
    finding = open_place.only()
    assert finding.said == f"nobody may not write to {state}: Permission denied"
    assert finding.stops == 75
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []


@as_root
def test_mails_that_everybody_can_read_are_wrong(open_place: Place) -> None:
    state = open_place.folder / "state"
    state.chmod(0o755)
    (state / "mailticket.db").chmod(0o644)
    finding = open_place.only()
    assert finding.said == f"anybody on this machine can read the mails in {state}/mailticket.db"
    subprocess.run(finding.remedy, shell=True, check=True)
    assert open_place.wrong() == []


@as_root
def test_the_account_is_who_owns_the_state_folder(open_place: Place) -> None:
    state = open_place.folder / "state"
    assert daemon_account(state, system_wide=False).name == "nobody"
    os.chown(state, 0, 0)
    assert daemon_account(state, system_wide=False) == own_account()
    assert daemon_account(state / "none", system_wide=False) == own_account()


@as_root
def test_root_s_check_judges_for_the_daemon_and_works_as_it(open_place: Place) -> None:
    secret = open_place.folder / "imap-password"
    os.chown(secret, 0, 0)
    wal = open_place.folder / "state" / "mailticket.db-wal"
    done = subprocess.run(
        [sys.executable, "-m", "mailticket", "check", "--offline", "--config", str(open_place.file)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said = f"nobody, as whom the daemon runs, may not read {secret}"
    assert unwrapped(said) in unwrapped(done.stdout), done.stdout + done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert not wal.exists() or wal.stat().st_uid == open_place.account.uid


@as_root
def test_looking_through_another_s_eyes_ends_with_one_s_own(open_place: Place) -> None:
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with open_place.account.eyes():
        assert os.geteuid() == open_place.account.uid
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_what_the_unit_hides_is_wrong_for_its_configuration(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SYSTEM_FILE", place.file)
    monkeypatch.setattr(room, "HIDDEN", (str(place.folder),))
    finding = next(finding for finding in place.wrong() if finding.subject == "unit")
    assert finding.said.startswith(f"the unit does not see {place.folder}/imap-password")
    assert finding.remedy.startswith(f"mv {place.folder}/imap-password ")
