"""Mails from files: single ones, mbox, Maildir, standard input, and when they arrived; one in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mailticket.errors import NotFound
from mailticket.mail.values import Mail

_FROM_LINE = re.compile(rb"From [^\r\n]*\d{4}\r?\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MailFile:
    """A mail in a file: where it lies, for people, and its bytes."""

    place: str
    raw: bytes


def mails_in(path: Path) -> Iterator[MailFile]:
    """All mails at a path: a file with one mail, an mbox, a Maildir, or a folder of those, in order of name."""
    if path.is_dir():
        yield from _folder(path)
    elif path.is_file():
        yield from _file(path)
    else:
        raise NotFound(f"{path}: there is no such file or folder")


def _folder(path: Path) -> Iterator[MailFile]:
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            for file in sorted((path / part).iterdir()):
                if file.is_file():
                    yield MailFile(str(file), file.read_bytes())
        return
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith("."):
            yield from mails_in(entry)


def _file(path: Path) -> Iterator[MailFile]:
    with path.open("rb") as stream:
        if _FROM_LINE.match(stream.peek(1000)[:1000]):
            for number, raw in enumerate(_mbox(stream), 1):
                yield MailFile(f"{path}#{number}", raw)
        else:
            yield MailFile(str(path), stream.read())


def _mbox(stream: BinaryIO) -> Iterator[bytes]:
    """The mails of an mbox (RFC 4155; quoting as in mboxrd), one in memory at a time."""
    lines: list[bytes] = []
    blank = True
    started = False
    for line in stream:
        if blank and _FROM_LINE.fullmatch(line):
            if started:
                yield _unquoted(lines)
            lines, started = [], True
        else:
            lines.append(line)
        blank = line in (b"\n", b"\r\n")
    if started:
        yield _unquoted(lines)


def _unquoted(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return _QUOTED_FROM.sub(rb"\1", b"".join(lines))


def arrival_time(mail: Mail, now: datetime) -> datetime:
    """When a mail from a file arrived: its topmost Received, else its Date, never in the future."""
    at = mail.received_at or mail.date or now
    return min(at, now)
