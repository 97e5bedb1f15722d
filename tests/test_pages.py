"""Every command that a page names exists, with each of its options; every unit of a page is one to systemd."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mailticket.cli import root
from tests.servers.machine import require

HOME = Path(__file__).parent.parent
PAGES = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]
# In code of any kind: the program by its name or path, then words up to the end of the code or of the command.
_CODE = re.compile(r"^```\w*\n(.*?)^```|^((?: {4}[^\n]*\n)+)|`([^`\n]+)`", re.M | re.S)
_CALL = re.compile(r"(?<![\w./-])(?<!-u )(?:[\w./-]+/)?mailticket +((?:-|[a-z])[^\n`|;&>'),]*)")


def calls(text: str) -> Iterator[list[str]]:
    """The words behind `mailticket` wherever a page shows a command."""
    for code in _CODE.finditer(text):
        shown = next(group for group in code.groups() if group is not None)
        for line in shown.splitlines():
            if re.match(r"\s*(?:apt|systemctl|journalctl|createuser|createdb|chown|rm|ls|u|g|m) ", line):
                continue
            for call in _CALL.finditer(re.sub(r"\s#.*|\s{3,}.*$", "", line.strip())):
                yield shlex.split(call[1].replace("'", "").replace('"', ""))


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these words lead to, and those that are left."""
    command: click.Command = root
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.get_command(click.Context(command), rest[0])
        assert inner is not None, f"there is no command {rest[0]!r} in `mailticket {' '.join(words)}`"
        command, rest = inner, rest[1:]
    return command, rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(page: Path) -> None:
    shown = list(calls(page.read_text("utf-8")))
    for words in shown:
        command, rest = command_of(words)
        context = click.Context(command, info_name="mailticket")
        options = {option for parameter in command.get_params(context) for option in parameter.opts}
        strange = [word for word in rest if word.startswith("--") and word.strip("[],.:") not in options]
        assert not strange, f"`mailticket {' '.join(words)}` has no {strange[0]}"
    least = {"README.md": 10, "administration.md": 40, "install.md": 6}
    assert len(shown) >= least.get(page.name, 0), "the commands of this page are not seen"


def test_a_command_that_does_not_exist_is_seen() -> None:
    page = "Type\n\n```sh\nmailticket outbox forget 7\n```\n\nor `mailticket outbox send --everything`."
    forgotten, sent = calls(page)
    with pytest.raises(AssertionError, match="forget"):
        command_of(forgotten)
    assert sent == ["outbox", "send", "--everything"]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Units that a page shows, each with the name of its file, as the words before it say."""
    for match in re.finditer(r"`/etc/systemd/system/([\w@.-]+)`[^`]*```ini\n(.*?)```", text, re.S):
        yield match[1], match[2]


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["administration.md", "install.md"])
def test_every_unit_of_a_page_is_one(name: str, tmp_path: Path) -> None:
    require(shutil.which("systemd-analyze") is not None, "systemd-analyze")
    units = dict(sections((HOME / "docs" / name).read_text("utf-8")))
    assert units
    files = []
    for unit, text in units.items():
        files.append(tmp_path / unit.replace("@.", "@x."))
        files[-1].write_text(re.sub(r"^User=.*\n", "", text, flags=re.M))  # who is not on this machine
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "mailticket" in line]
    assert complaints == [], done.stderr
