"""The bytes of an IMAP connection: imaplib's dialogue over a reader of our own, bounded in size and in time."""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, SocketTimeout

KIB, MIB = 2**10, 2**20
_RECEIVED_AT_ONCE = 256 * KIB
_SLOWEST_BYTES_A_SECOND = 16 * KIB
"""A server slower than this over a whole command counts as gone; it keeps a drip of bytes from lasting for ever."""
_LINES_A_RESPONSE = 100_000
_LASTING = frozenset({"EXISTS", "BYE", "READ-ONLY", "READ-WRITE"})
"""Untagged responses that still mean something to the command after the next."""


class Wire(imaplib.IMAP4):
    """imaplib's IMAP4 with the methods replaced that it documents as overridable, so that all bytes pass through here.

    Why: imaplib allocates whatever literal a server announces, reads lines and untagged responses without end, and its
    buffered file cannot be shared with an IDLE that must not block. Here a literal larger than allowed, a line or a
    whole response that is too long, and a response that takes too long end the connection; a half literal is an error.
    """

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, connect_timeout: float, read_timeout: float
    ) -> None:
        self._tls, self._read_timeout = tls, read_timeout
        self._buffer = bytearray()
        self.on_progress: Callable[[], None] = lambda: None  # called whenever bytes have come
        self.allow()
        super().__init__(host, port, timeout=connect_timeout)

    def allow(self, literal: int = 64 * KIB, line: int = MIB, response: int = MIB) -> None:
        """Set the bounds of the response to the next command, in bytes; the bound on time follows from them."""
        self._literal_limit, self._line_limit = literal, line
        self._bytes_left, self._lines_left = response, _LINES_A_RESPONSE
        self._deadline = time.monotonic() + 4 * self._read_timeout + response / _SLOWEST_BYTES_A_SECOND

    def forget(self) -> None:
        """Drop untagged responses that nobody asked for; imaplib would collect them as long as the connection lives."""
        self.untagged_responses = {k: v[-1:] for k, v in self.untagged_responses.items() if k in _LASTING}

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=host)

    def read(self, size: int) -> bytes:
        """A literal, whole or not at all."""
        if size > self._literal_limit:
            raise self.abort(f"the server announced {size} bytes where at most {self._literal_limit} are allowed")
        while len(self._buffer) < size:
            self._receive()
        return self._take(size)

    def readline(self) -> bytes:
        """A line with its end, whole or not at all."""
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start > self._line_limit:
                break
            self._receive()
        if end >= self._line_limit or end < 0:
            raise self.abort(f"the server sent a line of more than {self._line_limit} bytes")
        self._lines_left -= 1
        if self._lines_left < 0:
            raise self.abort(f"the server sent more than {_LINES_A_RESPONSE} lines")
        return self._take(end + 1)

    def send(self, data: Any) -> None:
        self.sock.settimeout(self._read_timeout)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self._buffer.clear()

    def buffered_line(self) -> bytes | None:
        """The next whole line among the bytes that are here already, with its end, or None."""
        return self._take(end + 1) if (end := self._buffer.find(b"\n")) >= 0 else None

    def receive_now(self) -> bool:
        """Take in what has arrived, without waiting; True when something had. Raises abort when the server closed."""
        self.sock.setblocking(False)
        try:
            self._take_in(self.sock.recv(_RECEIVED_AT_ONCE))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        finally:
            self.sock.settimeout(self._read_timeout)
        return True

    def login(self, user: str, password: str) -> tuple[Any, list[Any]]:
        """LOGIN with both arguments quoted; imaplib quotes the password alone."""
        typ, data = self._simple_command("LOGIN", quoted(user), quoted(password))
        if typ == "OK":
            self.state = "AUTH"
        return typ, data

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> tuple[Any, list[Any]]:
        """STARTTLS; whatever the server said in the same breath before TLS began ends the connection.

        Such bytes are how responses are injected into the encrypted session (CVE-2011-0411 and its many kin).
        """
        assert ssl_context is not None
        typ, data = self._simple_command("STARTTLS")
        if typ != "OK":
            raise self.error("the server refused STARTTLS")
        if self._buffer:
            raise self.abort("the server sent more before TLS began: somebody may sit in between")
        self.sock = ssl_context.wrap_socket(self.sock, server_hostname=self.host)
        self.untagged_responses = {}
        self.capabilities: tuple[str, ...] = ()
        self._get_capabilities()
        return typ, data

    def by_uid(self, *command: str) -> list[Any]:
        """Send a UID command and return its untagged responses; raises imaplib's error when the server says no."""
        typ, data = self.uid(*command)
        if typ != "OK":
            raise self.error((data[-1] or b"").decode("utf-8", "replace"))
        return data

    def list_with_special_use(self) -> tuple[str, list[Any]]:
        """All folders with their special use among the attributes (RFC 6154 section 5.2)."""
        typ, data = self._simple_command("LIST", '""', '"*"', "RETURN", "(SPECIAL-USE)")
        typ, data = self._untagged_response(typ, data, "LIST")
        return typ, data

    def start_idle(self) -> bytes:
        """Send IDLE and return its tag; the caller reads the lines itself and ends with `end_idle`."""
        tag: bytes = self._command("IDLE")
        return tag

    def end_idle(self, tag: bytes) -> None:
        """The tagged response to IDLE was read: imaplib awaits it no longer."""
        self.tagged_commands.pop(tag, None)

    def _receive(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server answers too slowly")
        self.sock.settimeout(min(left, self._read_timeout))
        self._take_in(self.sock.recv(_RECEIVED_AT_ONCE))

    def _take_in(self, data: bytes) -> None:
        if not data:
            raise self.abort("the server closed the connection")
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise self.abort("the server sent far more than was asked for")
        self._buffer += data
        self.on_progress()

    def _take(self, size: int) -> bytes:
        with memoryview(self._buffer) as view:
            data = bytes(view[:size])
        del self._buffer[:size]
        return data


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient on a `Wire`."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, timeouts: SocketTimeout) -> None:
        super().__init__(host, port, ssl=tls is not None, ssl_context=tls, timeout=timeouts)
        self.normalise_times = False
        # IMAPClient has imaplib format every line and literal for its debug log, wanted or not: seconds on a backlog.
        self.wire.debug = 0

    def _create_IMAP4(self) -> Wire:
        self.wire = Wire(self.host, self.port, self.ssl_context, self._timeout.connect, self._timeout.read)
        return self.wire


def quoted(text: str) -> str:
    """An IMAP quoted string (RFC 3501 section 9). Raises ValueError for what no quoted string can hold."""
    if not text.isascii() or any(character in text for character in "\r\n\0"):
        raise ValueError("a text with line breaks, NUL or characters beyond ASCII cannot be sent in quotes")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
