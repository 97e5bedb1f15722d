"""What a command loads before it can do its work: by modules, since seconds depend on the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIGURATION

_NAMES_OF_MODULES = "import json, sys; sys.stdout.write('\\n' + json.dumps(sorted(sys.modules)))"
_CALL = f"""
import sys
from mailticket.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    {_NAMES_OF_MODULES}
"""
DATABASE = {"sqlalchemy", "sqlmodel"}
NEVER = {  # libraries and rooms that only work on mail and letters needs
    "aiosmtplib",
    "alembic",
    "apscheduler",
    "authlib",
    "cryptography",
    "email_validator",
    "holidays",
    "imapclient",
    "jinja2",
    "joserfc",
    "lxml",
    "mnemonic",
    "psycopg",
    "pydantic_settings",
    "mailticket.imap",
    "mailticket.intake",
    "mailticket.likeness",
    "mailticket.mail.reader",
    "mailticket.outbox",
    "mailticket.secrets",
    "mailticket.site",
    "mailticket.smtp",
    "mailticket.text.sieve",
    "mailticket.topics",
    "mailticket.triage.decide",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a configuration and a database."""
    place = tmp_path_factory.mktemp("start")
    (place / "mailticket.toml").write_text(CONFIGURATION)
    subprocess.run([sys.executable, "-m", "mailticket", "status"], cwd=place, check=True, capture_output=True)
    return place


def loaded(folder: Path, words: str) -> set[str]:
    command = [sys.executable, "-c", _CALL, *words.split()]
    out = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return set(json.loads(out.splitlines()[-1]))


@pytest.mark.parametrize(
    ("words", "besides"),
    [
        ("--version", DATABASE | {"pydantic"}),
        ("--help", DATABASE | {"pydantic"}),
        ("ticket --help", DATABASE),
        ("ticket list", set()),
        ("ticket list --waiting us --json", set()),
        ("status", set()),
        ("status --json", set()),
        ("staff list", set()),
        ("outbox list", set()),
        ("quarantine list", set()),
        ("report", set()),
    ],
)
def test_what_only_shows_loads_nothing_that_works_on_mail(folder: Path, words: str, besides: set[str]) -> None:
    assert loaded(folder, words) & (NEVER | besides) == set()


def test_a_command_does_not_load_the_others(folder: Path) -> None:
    rooms = {name for name in loaded(folder, "status") if name.startswith("mailticket.cli.")}
    assert rooms == {
        "mailticket.cli.common",
        "mailticket.cli.counter",
        "mailticket.cli.status",
        "mailticket.cli.terminal",
    }
