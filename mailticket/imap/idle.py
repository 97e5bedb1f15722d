"""Waiting for mail with IDLE (RFC 2177), without the ways in which IMAPClient's own IDLE hangs or loses a message.

IMAPClient 4.1 spins when the server closes, breaks on a line that comes in two packets, misses an EXISTS that comes
with or before the continuation, and cannot be woken. Here the bytes go through the connection's own buffer, whole
lines are taken from it before anything waits, and one poll watches the connection and the waker.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time

from mailticket.errors import CommandRefused
from mailticket.imap.wire import MIB, Wire

LONGEST_IDLE = 9 * 60.0
"""Seconds. RFC 2177 allows 29 minutes, but NAT entries die after 15 or less."""

_NEWS = re.compile(rb"\* \d+ (EXISTS|RECENT)\b", re.IGNORECASE)


class Waker:
    """Ends an IDLE (or a `wait`) at once from any other thread or a signal handler. A wake is kept until it is seen."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def wake(self) -> None:
        """Wake now. Never blocks, never raises: a full pair is awake already, a closed one has nobody to wake."""
        with contextlib.suppress(OSError):
            self._writer.send(b"\0")

    def wait(self, seconds: float) -> bool:
        """Wait until woken or until the time is over; True when woken. For servers without IDLE, and for back-off."""
        return bool(_readable(seconds, self._reader)) and self.seen()

    def seen(self) -> bool:
        """Take the wake away; True when there was one."""
        woken = False
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(4096):
                woken = True
        return woken

    def fileno(self) -> int:
        return self._reader.fileno()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


def idle(wire: Wire, seconds: float, waker: Waker) -> bool:
    """IDLE until the server tells of mail (True), the waker wakes, or the time is over (False); then end the IDLE.

    Raises CommandRefused when the server does not want to idle, imaplib's abort or OSError when the connection broke.
    """
    session = _Session(wire)
    session.start()
    end = time.monotonic() + min(seconds, LONGEST_IDLE)
    wire.allow(response=MIB)
    while True:
        session.take_lines()
        if session.news or session.over:
            break
        if wire.receive_now():
            continue
        left = end - time.monotonic()
        if left <= 0 or waker.fileno() in _readable(left, wire.sock, waker):
            break
    waker.seen()
    session.finish()
    return session.news


class _Session:
    """One IDLE command, from its tag to its tagged response."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.news = False
        self.over = False

    def start(self) -> None:
        """Send IDLE and read up to the continuation; an EXISTS may come before it."""
        self._tag = self._wire.start_idle()
        while not self.over:
            line = self._wire.readline()
            if line.startswith(b"+"):
                return
            self._take(line)

    def take_lines(self) -> None:
        """Read all whole lines that are here."""
        while not self.over and (line := self._wire.buffered_line()) is not None:
            self._take(line)

    def finish(self) -> None:
        """Send DONE, unless the server ended the IDLE, and read up to the tagged response."""
        if self.over:
            return
        self._wire.allow()
        self._wire.send(b"DONE\r\n")
        while not self.over:
            self._take(self._wire.readline())

    def _take(self, line: bytes) -> None:
        if _NEWS.match(line):
            self.news = True
        elif line[:6].upper() == b"* BYE ":
            raise Wire.abort(line[6:].strip().decode("ascii", "replace"))
        elif line.startswith(self._tag + b" "):
            self._wire.end_idle(self._tag)
            self.over = True
            if line[len(self._tag) + 1 :][:2].upper() != b"OK":
                raise CommandRefused(f"the server refused IDLE: {line.strip().decode('ascii', 'replace')}")


def _readable(seconds: float, *sources: socket.socket | Waker) -> set[int]:
    """The file numbers among the sources that have something to read, or have ended, within so many seconds."""
    poller = select.poll()
    for source in sources:
        poller.register(source.fileno(), select.POLLIN)
    return {number for number, _ in poller.poll(max(0.0, seconds) * 1000)}
