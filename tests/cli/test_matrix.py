"""No command ever ends in a traceback, whatever the machine is like: every command, under every condition."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CONFIGURATION, REQUEST
from tests.cli.matrix import CONDITIONS
from tests.servers.machine import until

CONTRACT = (0, 1, 2, 75, 77, 78)
CHINESE = REQUEST.replace(b"Deposit missing", "充值未到账 请帮忙".encode()).replace(b"one@", b"two@")
HISTORY = {"at": "2026-11-20T10:00:00+00:00", "event": "request", "id": "a", "category": "api", "priority": "normal"}


def program(*words: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mailticket", *words], cwd=cwd, capture_output=True, timeout=60, **options
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a site that has two tickets, one of them Chinese, and their IDs."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "mailticket.toml").write_text(CONFIGURATION)
    (folder / "one.eml").write_bytes(REQUEST)
    (folder / "two.eml").write_bytes(CHINESE)
    (folder / "history.jsonl").write_text(json.dumps(HISTORY) + "\n")
    done = program("mail", "ingest", "--json", "one.eml", "two.eml", cwd=folder)
    return folder, [json.loads(line)["ticket"] for line in done.stdout.splitlines()]


@pytest.fixture
def site(original: tuple[Path, list[str]], tmp_path: Path) -> Path:
    shutil.copytree(original[0], tmp_path / "site")
    return tmp_path / "site"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_command_ends_in_a_traceback_where_there_is(
    original: tuple[Path, list[str]], site: Path, condition: str
) -> None:
    if condition == "stranger" and os.geteuid() != 0:
        pytest.skip("only root can become a stranger")
    database = site / "mailticket.db"
    if condition == "damaged database":
        database.write_bytes(b"no database " * 1000)
    elif condition == "folder for database":
        database.unlink()
        database.mkdir()
    elif condition == "folder for configuration":
        (site / "mailticket.toml").unlink()
        (site / "mailticket.toml").mkdir()
    here = Path(__file__).parent.parent.parent
    environ = {**os.environ, "PYTHONPATH": str(here)}
    if condition == "narrow terminal":
        environ |= {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.matrix", condition, *original[1]],
        cwd=site, env=environ, capture_output=True, text=True, timeout=580,
    )  # fmt: skip
    calls = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(calls) > 35, done.stderr
    for call in calls:
        text = call["out"] + call["err"]
        assert "Traceback" not in text and "Exception ignored" not in text, call
        assert "defect of mailticket" not in text, call
        assert call["code"] in CONTRACT, call
    quiet = [call for call in calls if condition == "closed pipe" and "standard output" in call["err"]]
    assert not quiet
    if condition == "fine":
        assert {call["code"] for call in calls if call["words"][0] != "setup"} <= {0, 1, 75}, calls


def test_head_ends_a_list_quietly(site: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m mailticket ticket list | true; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", cwd=site, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_full_output_is_said_and_can_be_tried_again(site: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mailticket", "ticket", "list"],
            cwd=site, stdout=full, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
    assert done.returncode == 75
    assert done.stderr == b"mailticket: standard output takes nothing: No space left on device\n"


def test_a_narrow_terminal_shows_marks_and_json_stays_utf_8(site: Path) -> None:
    environ = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    assert b"???" in program("ticket", "list", cwd=site, env=environ).stdout
    listed = program("ticket", "list", "--json", cwd=site, env=environ).stdout.decode("utf-8")
    assert "充值未到账" in listed


def test_ctrl_c_ends_with_130_and_without_a_word_of_python(site: Path, original: tuple[Path, list[str]]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mailticket", "ticket", "reply", original[1][0]],
        cwd=site, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        waits = Path(f"/proc/{process.pid}/wchan")
        until(lambda: (site / "mailticket.db-wal").exists() and "pipe" in waits.read_text(), "the wait for the answer")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_maildir_from_which_somebody_takes_a_mail_meanwhile_gives_the_others(site: Path) -> None:
    for part in ("new", "cur"):
        (site / "Maildir" / part).mkdir(parents=True)
    (site / "Maildir" / "new" / "1").write_bytes(REQUEST.replace(b"one@", b"three@"))
    (site / "Maildir" / "new" / "2").symlink_to("nowhere")
    done = program("mail", "ingest", "--json", "Maildir", cwd=site)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
