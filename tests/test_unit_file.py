"""The systemd unit: systemd understands it, it is well confined, and it starts what pip installs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailticket.config import passwords, read
from mailticket.config.read import read_settings
from mailticket.oauth2 import seal
from mailticket.settings import Mailbox, Settings
from tests.servers.machine import require

UNIT = Path(__file__).parent.parent / "systemd" / "mailticket.service"

pytestmark = pytest.mark.systemd


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    require(shutil.which("systemd-analyze") is not None, "systemd-analyze (Debian's systemd)")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


def settings_of_the_unit(key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", UNIT.read_text())


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    # verify wants the program to be there, so a program that is stands in its place
    text, replaced = re.subn(r"(?m)^Exec(Start|Reload)=\S+", r"Exec\1=/bin/true", UNIT.read_text())
    assert replaced == 2
    (tmp_path / UNIT.name).write_text(text)
    done = analyze("verify", "--man=no", str(tmp_path / UNIT.name))
    about_us = [line for line in done.stderr.splitlines() if "mailticket" in line]
    assert (done.returncode, about_us) == (0, [])


def test_the_exposure_is_at_most_1_4(tmp_path: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout + done.stderr
    level = re.search(r"Overall exposure level for mailticket\.service: ([\d.]+)", done.stdout)
    assert level is not None
    assert float(level[1]) <= 1.4


def test_the_program_is_the_one_that_pip_installs_and_it_reads_the_file_it_is_given() -> None:
    (command,) = settings_of_the_unit("ExecStart")
    program, verb, option, file = command.split()
    assert Path(program).parts[-3:] == ("venv", "bin", "mailticket")
    assert (verb, option, Path(file)) == ("run", "--config", read.SYSTEM_FILE)


def test_the_unit_s_credentials_are_those_that_are_sought(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "support": {"address": "a@example.com"},
            "mailbox": [{"name": "support", "host": "localhost", "username": "a"}],
            "smtp": {"host": "localhost", "username": "a"},
        }
    )
    by_oauth2 = {"auth": "oauth2", "flow": "client-credentials", "tenant": "contoso.example", "client_id": "c"}
    application = Mailbox.model_validate(
        {"name": "x", "username": "a@example.com", "provider": "microsoft365", **by_oauth2}
    )
    names = [line.split(":")[0] for line in settings_of_the_unit("LoadCredential")]
    for name in names:
        (tmp_path / name).write_text(f"of {name}")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = {passwords.secret(sign_in, environ) for sign_in in (settings.mailbox[0], settings.smtp)}
    found |= {passwords.client_secret(application, environ), seal.key_place(settings, environ).read_text()}
    assert found == {f"of {name}" for name in names}


def test_the_unit_s_environment_is_understood(tmp_path: Path) -> None:
    environ = dict(
        pair.split("=", 1)
        for line in settings_of_the_unit("Environment")
        for pair in line.split()
        if "MAILTICKET" in pair
    )
    file = tmp_path / "mailticket.toml"
    file.write_text('[support]\naddress = "a@example.com"\n[smtp]\nhost = "localhost"\n')
    assert read_settings(file, environ).log.format == "journal"


def test_the_default_database_lies_in_the_unit_s_state_directory() -> None:
    (name,) = settings_of_the_unit("StateDirectory")
    assert Path("/var/lib") / name == read.SYSTEM_STATE


def test_a_bad_configuration_does_not_start_a_storm() -> None:
    (statuses,) = settings_of_the_unit("RestartPreventExitStatus")
    assert {"77", "78"} <= set(statuses.split())
    assert int(settings_of_the_unit("RestartSec")[0]) >= 5
