"""What makes an installed program a service: the unit for its place, rights that are checked, completion, manual."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailticket.cli import COMMANDS
from mailticket.cli.installing import texts
from mailticket.config.files import shipped_folder
from mailticket.upkeep import installation
from tests.servers.machine import require


def test_the_unit_names_the_program_where_it_lies() -> None:
    shipped = (shipped_folder("systemd") / "mailticket.service").read_text()
    assert installation.unit_text("/opt/mailticket/venv", "/usr") == shipped
    elsewhere = installation.unit_text("/srv/desk", "/usr/local/python")
    assert "/opt/mailticket" not in elsewhere
    assert "\nExecStart=/srv/desk/bin/mailticket run " in elsewhere
    assert "\nExecReload=/srv/desk/bin/mailticket reload $MAINPID\n" in elsewhere
    assert "\nExecPaths=/usr -/srv/desk -/usr/local/python -/bin " in elsewhere


def test_a_package_and_setup_lay_down_the_same_files() -> None:
    by_hand = installation.shared_files(installation.BY_HAND, "/x", "/usr", {"man/man1/mailticket.1": "page"})
    packaged = installation.shared_files(installation.PACKAGED, "/x", "/usr", {"man/man1/mailticket.1": "page"})
    assert list(by_hand.values()) == list(packaged.values())


def test_rights_that_differ_are_seen(tmp_path: Path) -> None:
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    folder, file = tmp_path / "folder", tmp_path / "folder" / "file"
    lines = f"# rights\nd {folder} 0750 {user} {group}\nz {folder}/* 0640 {user} {group}\n"
    assert not installation.has_rights(lines)
    folder.mkdir()
    folder.chmod(0o750)
    file.touch()
    file.chmod(0o640)
    assert installation.has_rights(lines)
    file.chmod(0o644)
    assert not installation.has_rights(lines)


def test_completion_and_manual_know_every_command() -> None:
    files = texts()
    manual = files["man/man1/mailticket.1"]
    assert [name for name in COMMANDS if f"\\fBmailticket {name}" not in manual.replace("\\-", "-")] == []
    assert "_MAILTICKET_COMPLETE" in files["bash-completion/completions/mailticket"]
    assert "\n[support]\n" in files["man/man5/mailticket.toml.5"]


@pytest.mark.parametrize("page", ["man/man1/mailticket.1", "man/man5/mailticket.toml.5"])
def test_the_manual_is_sound_roff(tmp_path: Path, page: str) -> None:
    require(shutil.which("groff"), "groff")
    file = tmp_path / Path(page).name
    file.write_text(texts()[page])
    done = subprocess.run(
        ["groff", "-k", "-man", "-Tutf8", "-ww", "-z", str(file)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shell_completes_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailticket"], capture_output=True, text=True, timeout=60,
        env={"_MAILTICKET_COMPLETE": "bash_complete", "COMP_WORDS": "mailticket stat", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert done.stdout == "plain,status\n"
