"""What tests of commands share: a folder with a configuration, in which commands are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailticket.cli import main
from tests.servers.databases import Databases

CONFIGURATION = """
[support]
name = "Example Support"
address = "support@example.com"

[database]
url = "sqlite:///mailticket.db"

[[mailbox]]
name = "support"
host = "127.0.0.1"
port = 9
security = "none"
username = "support@example.com"
password = "x"

[smtp]
host = "127.0.0.1"
port = 9
security = "none"
"""
REQUEST = (
    b"From: Ann Lee <ann@example.org>\r\nTo: support@example.com\r\nSubject: Deposit missing\r\n"
    b"Message-ID: <one@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
    b"My deposit of 0.5 BTC has not arrived. My account ID is 12345678.\r\n"
)

FIRST_START = "sqlite:///mailticket.db"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Calls a command in a folder with a configuration; returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    url = FIRST_START if databases.on_files else databases.copy(tmp_path)
    (tmp_path / "mailticket.toml").write_text(CONFIGURATION.replace(FIRST_START, url))
    (tmp_path / "one.eml").write_bytes(REQUEST)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    yield call
    databases.drop(url)
