"""A TCP proxy between a client and a server that cuts, stalls, swallows, and writes down what passes."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.servers.machine import PATIENCE


class Proxy:
    """Forwards connections to a port of loopback.

    `cut_after`: bytes from the server after which the whole connection is cut (None: never); counted for each
    connection anew. `swallow`: True takes everything in and passes nothing on, in both directions, without closing:
    a dead NAT entry. `refuse`: True closes new connections at once. `sent` and `received` are all bytes of the client
    and of the server, unless it keeps none.
    """

    def __init__(self, target: int, *, keeps_bytes: bool = True) -> None:
        self.target = target
        self._keeps_bytes = keeps_bytes
        self.cut_after: int | None = None
        self.swallow = False
        self.refuse = False
        self.connections = 0
        self.sent, self.received = bytearray(), bytearray()
        self._live: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._accepting.start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self) -> int:
        """Cut every live connection now; returns how many."""
        live = list(self._live)
        for connection in live:
            _shut(connection)
        return len(live) // 2

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE)
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                if self.refuse:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._live |= {client, server}
            for take, give, log, limited in ((client, server, self.sent, False), (server, client, self.received, True)):
                pump = threading.Thread(target=self._pump, args=(take, give, log, limited), daemon=True)
                self._threads.append(pump)
                pump.start()

    def _pump(self, take: socket.socket, give: socket.socket, log: bytearray, limited: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := take.recv(65536):
                if self._keeps_bytes:
                    log += data
                if self.swallow:
                    continue
                if limited and self.cut_after is not None and passed + len(data) >= self.cut_after:
                    give.sendall(data[: self.cut_after - passed])
                    break
                give.sendall(data)
                passed += len(data)
        for connection in (take, give):
            self._live.discard(connection)
            _shut(connection)
        if limited:
            take.close()
            give.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
