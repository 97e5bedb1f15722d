"""A relay before PostgreSQL that cuts the line in the midst of a commit, on either side of it."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.servers.machine import PATIENCE

_COMMIT = b"COMMIT\0"  # the text of a simple query, as psycopg commits


class CommitRelay:
    """Forwards connections to a port of loopback. Of the commits that come while it is `armed`, every third is cut:
    in turn before the server hears of it, and after it was done and before the client hears of that."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.armed = False
        self.cuts = {"before": 0, "after": 0}
        self._commits = 0
        self._mutex = threading.Lock()
        self._live: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._live):
            _shut(connection)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._live |= {client, server}
            mute = threading.Event()
            for work in ((self._ask, (client, server, mute)), (self._answer, (server, client, mute))):
                self._threads.append(threading.Thread(target=work[0], args=work[1], daemon=True))
                self._threads[-1].start()

    def _ask(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                side = self._side() if self.armed and _COMMIT in data else ""
                if side == "before":
                    break
                if side == "after":
                    mute.set()
                server.sendall(data)
        if not mute.is_set():
            self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket, mute: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if mute.is_set():  # it has done what it was asked
                    break
                client.sendall(data)
        self._end(client, server)
        client.close()
        server.close()

    def _side(self) -> str:
        with self._mutex:
            self._commits += 1
            if self._commits % 3:
                return ""
            side = "before" if self.cuts["before"] <= self.cuts["after"] else "after"
            self.cuts[side] += 1
            return side

    def _end(self, *connections: socket.socket) -> None:
        for connection in connections:
            self._live.discard(connection)
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
