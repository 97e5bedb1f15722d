"""Mails from files: single ones, mbox, Maildir, standard input, and when they arrived; one in memory at a time."""

from __future__ import annotations

import itertools
import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mailticket.errors import NotFound
from mailticket.mail.identity import arrived_at

log = logging.getLogger("mailticket.intake.files")

_FROM_LINE = re.compile(rb"From [^\r\n]*\d{4}\r?\n")
_DELIVERED = re.compile(rb"^(?:From|Date|Received|Return-Path|Message-ID|Delivered-To):", re.IGNORECASE | re.MULTILINE)
_RETURNS = re.compile(
    rb"(?:returned|original|undelivered|unsent|rejected|copy of)[^\r\n]{0,60}"
    rb"(?:mail|message|headers?)[^\r\n]{0,40}[:.-]$",
    re.IGNORECASE,
)
_SERVER = re.compile(
    rb"^(?:From|Return-Path):[^\r\n]{0,200}(?:mailer-daemon|postmaster|<>)", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY = re.compile(
    rb"^Content-Type:[ \t]*multipart/(?:[^\r\n]|\r?\n[ \t]){0,400}?boundary="
    rb"(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))",
    re.IGNORECASE | re.MULTILINE,
)
_LONGEST_HEADER = 300  # lines
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MailFile:
    """A mail in a file: where it lies, for people, and its bytes."""

    place: str
    raw: bytes


def mails_in(path: Path) -> Iterator[MailFile]:
    """All mails at a path: a file with one mail, an mbox, a Maildir, or a folder of those, in order of name."""
    try:
        if path.is_dir():
            yield from _folder(path)
        elif path.is_file():
            yield from _file(path)
        else:
            raise NotFound(f"{path}: there is no such file or folder")
    except PermissionError as error:
        raise NotFound(f"{error.filename} cannot be read: {error.strerror}") from None


def _folder(path: Path) -> Iterator[MailFile]:
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            for file in sorted((path / part).iterdir()):
                with _gone_meanwhile(file):
                    if file.is_file():
                        yield MailFile(str(file), file.read_bytes())
        return
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith("."):
            with _gone_meanwhile(entry):
                yield from mails_in(entry)


@contextmanager
def _gone_meanwhile(file: Path) -> Iterator[None]:
    """Somebody else may take a file between our list of its folder and our look at it: the others go on."""
    try:
        yield
    except (FileNotFoundError, NotFound):
        if file.exists():
            raise
        log.warning("%s is gone since its folder was listed; it was not read", file)


def _file(path: Path) -> Iterator[MailFile]:
    with path.open("rb") as stream:
        if _FROM_LINE.match(stream.peek(1000)[:1000]):
            for number, raw in enumerate(_mbox(stream), 1):
                yield MailFile(f"{path}#{number}", raw)
        else:
            yield MailFile(str(path), stream.read())


def _mbox(stream: BinaryIO) -> Iterator[bytes]:
    """The mails of an mbox (RFC 4155; quoting as in mboxrd), one in memory at a time.

    A From line within a mail is no separator: within an open multipart, below the words with which a server returns a
    mail, or where no header follows that every delivered mail has.
    """
    lines: list[bytes] = []
    blank, started = True, False
    for line, header in _with_header(stream):
        if blank and header is not None and not (started and _goes_on(lines, header)):
            if started:
                yield _unquoted(lines)
            lines, started = [], True
        else:
            lines.append(line)
        blank = line in (b"\n", b"\r\n")
    if started:
        yield _unquoted(lines)


def _with_header(stream: BinaryIO) -> Iterator[tuple[bytes, bytes | None]]:
    """Each line, and for one in the form of a From line the header that follows it."""
    ahead: deque[bytes] = deque()
    while line := ahead.popleft() if ahead else stream.readline():
        header = None
        if _FROM_LINE.fullmatch(line):
            while len(ahead) < _LONGEST_HEADER and (not ahead or ahead[-1].strip()):
                following = stream.readline()
                if not following:
                    break
                ahead.append(following)
            header = _header(ahead)
        yield line, header


def _header(lines: Iterable[bytes]) -> bytes:
    above: list[bytes] = list(itertools.takewhile(bytes.strip, lines))
    return b"".join(above)


def _goes_on(lines: list[bytes], header: bytes) -> bool:
    """Whether the mail so far goes on below a From line with this header."""
    if not _DELIVERED.search(header):
        return True
    own_header = _header(lines)
    above = next((line.strip() for line in reversed(lines[-20:]) if line.strip()), b"")
    if _SERVER.search(own_header) and _RETURNS.search(above):
        return True
    boundary = _BOUNDARY.search(own_header)
    if boundary is None:
        return False
    ends = b"--" + (boundary[1] or boundary[2]) + b"--"
    return not any(line.rstrip() == ends for line in lines)


def _unquoted(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return _QUOTED_FROM.sub(rb"\1", b"".join(lines))


def arrival_time(raw: bytes, now: datetime) -> datetime:
    """When a mail from a file arrived: its topmost Received, else its Date, never in the future."""
    return min(arrived_at(raw) or now, now)
