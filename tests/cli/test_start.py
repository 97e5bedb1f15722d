"""What a command loads before it can do its work: by modules, since seconds depend on the machine."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mailticket
from tests.cli.conftest import CONFIGURATION

_CALL = """
import gc, json, sys
from mailticket.cli import main
searches = []
gc.callbacks.append(lambda phase, figures: searches.append(phase))
try:
    main(sys.argv[1:])
except SystemExit:
    found = {"modules": sorted(sys.modules), "searches": len(searches), "threshold": gc.get_threshold()[0]}
    sys.stdout.write("\\n" + json.dumps(found))
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
    "mailticket.letters.values",
    "mailticket.likeness",
    "mailticket.mail.reader",
    "mailticket.mail.values",
    "mailticket.outbox",
    "mailticket.secrets",
    "mailticket.site",
    "mailticket.smtp",
    "mailticket.text.sieve",
    "mailticket.topics",
    "mailticket.triage.decision",
    "zstandard",
}
READING = {  # what a round needs that finds a mail or owes a letter
    "ahocorasick_rs",
    "aiosmtplib",
    "alembic",
    "apscheduler",
    "email_validator",
    "jinja2",
    "lxml",
    "mnemonic",
    "zstandard",
    "mailticket.desk.by_mail",
    "mailticket.intake.take_in",
    "mailticket.letters.engine",
    "mailticket.letters.mime",
    "mailticket.likeness",
    "mailticket.mail.reader",
    "mailticket.mail.values",
    "mailticket.outbox",
    "mailticket.secrets",
    "mailticket.smtp",
    "mailticket.topics.categories",
    "mailticket.triage.decision",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a configuration and a database."""
    place = tmp_path_factory.mktemp("start")
    (place / "mailticket.toml").write_text(CONFIGURATION)
    subprocess.run([sys.executable, "-m", "mailticket", "status"], cwd=place, check=True, capture_output=True)
    return place


def called(folder: Path, words: str) -> Any:
    """What a command left behind in its process."""
    command = [sys.executable, "-c", _CALL, *words.split()]
    out = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def loaded(folder: Path, words: str) -> set[str]:
    return set(called(folder, words)["modules"])


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


@pytest.mark.parametrize("words", ["run --once", "run --once --no-mailboxes", "check --offline"])
def test_what_finds_no_mail_loads_nothing_that_reads_it(folder: Path, words: str) -> None:
    assert loaded(folder, words) & READING == set()


def imported(module: str) -> set[str]:
    """The names of all modules that the import of one loads."""
    words = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout
    return set(json.loads(out))


def test_a_daemon_that_runs_loads_no_more_of_the_program() -> None:
    modules = imported("mailticket.service.daemon")
    rooms = {name for name in modules if name.startswith("mailticket.")}
    later = {name for room in rooms for name in loaded_by_functions(room)}
    extras = {"mailticket.upkeep.plots"}  # with a library that may not be there
    assert later - modules - extras == set()


def loaded_by_functions(module: str) -> Iterator[str]:
    """The modules of the program that are imported in functions of one, and not where it begins."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    for function in ast.walk(ast.parse(Path(spec.origin).read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mailticket"):
                    names = {f"{node.module}.{alias.name}" for alias in node.names}
                    yield from {name for name in names if is_module(name)} or {str(node.module)}


def is_module(name: str) -> bool:
    return Path(mailticket.__file__).parent.joinpath(*name.split(".")[1:]).with_suffix(".py").exists()


def test_a_command_does_not_load_the_others(folder: Path) -> None:
    rooms = {name for name in loaded(folder, "status") if name.startswith("mailticket.cli.")}
    assert rooms == {
        "mailticket.cli.common",
        "mailticket.cli.counter",
        "mailticket.cli.status",
        "mailticket.cli.terminal",
    }


@pytest.mark.parametrize("words", ["status", "ticket list", "check --offline"])
def test_no_garbage_is_sought_while_a_command_starts(folder: Path, words: str) -> None:
    assert called(folder, words)["searches"] == 0


def test_a_round_seeks_garbage_while_it_takes_in_mail(folder: Path) -> None:
    assert called(folder, "run --once")["threshold"] == 10_000
