"""A server that greets as it is told, and can begin TLS at once or by STARTTLS: all that a first contact sees."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType

from tests.servers.machine import PATIENCE

GREETINGS = {"IMAP": b"* OK ready\r\n", "SMTP": b"220 mail.example ESMTP\r\n"}


class Answering:
    """A TCP server on loopback, a thread for each connection.

    greeting: what it says first; b"" is silence, None closes the line at once. tls: begins with TLS. starttls: upgrades
    when asked, in IMAP or SMTP.
    """

    def __init__(
        self, greeting: bytes | None, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
    ) -> None:
        self._greeting, self._tls, self._starttls = greeting, tls, starttls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(PATIENCE)
            line = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with line:
                if self._greeting is None:
                    return
                if self._greeting:
                    line.sendall(self._greeting)
                self._converse(line)

    def _converse(self, line: socket.socket) -> None:
        """Answer what is asked until the client goes or the test ends."""
        line.settimeout(0.05)
        while not self._ending.is_set():
            try:
                words = line.recv(4096)
            except TimeoutError:
                continue
            if not words or not self._greeting:
                if words:
                    continue
                return
            tag, _, command = words.partition(b" ")
            if command.startswith(b"CAPABILITY"):
                line.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
            elif tag.upper() == b"EHLO":
                line.sendall(b"250-mail.example\r\n250 STARTTLS\r\n")
            elif self._starttls and b"STARTTLS" in words:
                line.sendall(b"220 go on\r\n" if words.startswith(b"STARTTLS") else tag + b" OK go on\r\n")
                line.settimeout(PATIENCE)
                self._starttls.wrap_socket(line, server_side=True).close()
                return
            else:
                line.sendall(b"502 what?\r\n")
