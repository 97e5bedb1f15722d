"""A small IMAP server that says exactly what a test tells it to, truth or lie, whole lines or halves."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

from tests.servers.machine import PATIENCE

Script = Callable[["Conversation"], None]


class Conversation:
    """One connection, from the server's side. Each method blocks at most `PATIENCE` seconds."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(PATIENCE)
        self.connection, self.number = connection, number
        self.received: list[bytes] = []
        self._held = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are, in one packet."""
        self.connection.sendall(data)

    def read_line(self) -> bytes:
        """The next line of the client without its end."""
        while b"\r\n" not in self._held:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the client has gone")
            self._held += data
        line, _, self._held = self._held.partition(b"\r\n")
        self.received.append(line)
        return line

    def expect(self, word: str) -> str:
        """Read one command, assert that it holds the word, and return its tag."""
        line = self.read_line().decode("utf-8", "replace")
        tag, _, command = line.partition(" ")
        assert word in command, f"awaited {word}, got {command}"
        return tag

    def answer(self, word: str, *untagged: bytes, ending: bytes = b"OK done") -> str:
        """Read one command that holds the word, send the untagged lines and the tagged one; return the tag."""
        tag = self.expect(word)
        lines = [*untagged, tag.encode() + b" " + ending]
        self.send(b"".join(line + b"\r\n" for line in lines))
        return tag

    def greet(self, capabilities: bytes = b"IMAP4rev1 IDLE UIDPLUS MOVE") -> None:
        """The ordinary beginning: greeting, CAPABILITY, LOGIN, CAPABILITY."""
        self.send(b"* OK ready\r\n")
        self.answer("CAPABILITY", b"* CAPABILITY " + capabilities)
        self.answer("LOGIN")
        self.answer("CAPABILITY", b"* CAPABILITY " + capabilities)

    def select(self, exists: int = 3, uidvalidity: int = 7, uidnext: int = 4) -> None:
        """The ordinary answer to SELECT."""
        self.answer(
            "SELECT",
            b"* FLAGS (\\Seen \\Deleted)",
            b"* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] kept",
            b"* %d EXISTS" % exists,
            b"* OK [UIDVALIDITY %d] valid" % uidvalidity,
            b"* OK [UIDNEXT %d] next" % uidnext,
            ending=b"OK [READ-WRITE] selected",
        )

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)

    def wait_until_gone(self) -> None:
        """Read and forget until the client closes."""
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass


class ScriptedImap:
    """Runs a script for each connection, in a thread each; `check` raises what went wrong in one."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        """The first connection gets the first script and so on; the last script serves all later ones."""
        self._scripts, self._tls = scripts, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.conversations: list[Conversation] = []
        self._problems: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._accepting = threading.Thread(target=self._accept, name="scripted-imap", daemon=True)
        self._accepting.start()

    def __enter__(self) -> ScriptedImap:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close()
        if kind is None:
            self.check()

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE)
        for conversation in self.conversations:
            with contextlib.suppress(OSError):
                conversation.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def check(self) -> None:
        """Raise the first assertion that failed inside a script."""
        for problem in self._problems:
            raise problem

    @property
    def received(self) -> list[bytes]:
        """Every line of every client, in order of connections."""
        return [line for conversation in self.conversations for line in conversation.received]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection, len(self._threads)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            conversation = Conversation(connection, number)
            self.conversations.append(conversation)
            with conversation.connection:
                self._scripts[min(number, len(self._scripts) - 1)](conversation)
        except AssertionError as problem:
            self._problems.append(problem)
        except OSError:
            pass  # a client that went away is what many scripts are about
        finally:
            connection.close()
