"""From arrival to accepted acknowledgement, one mail at a time on an idle system: `python -m benchmarks.speed.latency`.

Mails are put into the Maildir one after the other, by turns for the daemon and for the bare loop, each with a mailbox
of its own on the same Dovecot. A small relay before the daemon's IMAP connection notes when the server's EXISTS was on
the wire: from there to the sink's 250 is our own share. Dovecot itself waits half a second before it tells.
"""

from __future__ import annotations

import argparse
import json
import math
import socket
import statistics
import subprocess
import sys
import threading
import time

from benchmarks.speed.installation import Installation, dovecot, until
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from tests.servers.dovecot import PASSWORD


class Relay:
    """Passes bytes between one client and a server on loopback, and notes when EXISTS came by."""

    def __init__(self, target: int) -> None:
        self.told: list[float] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, listening: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if listening and b" EXISTS\r\n" in data:
                    self.told.append(time.monotonic())
                target.sendall(data)
        except OSError:
            pass
        target.close()

    def close(self) -> None:
        self._listener.close()


def share(values: list[float], part: float) -> float:
    """The value that this part of all does not exceed, by nearest rank."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def measure(mails: int, seed: int) -> dict[str, float]:
    post = Post(seed)
    sink, other = Sink(), Sink()
    own, total, bare = [], [], []
    with dovecot() as server:
        relay = Relay(server.plain_port)
        for user in ("ours@example.com", "bare@example.com"):
            server.deliver([post.new()], user)
        with Installation(relay.port, ["ours@example.com"], sink.port) as site:
            site.start()
            site.wait_idle(1)
            command = [sys.executable, "-m", "benchmarks.speed.reference", str(server.plain_port), "bare@example.com"]
            loop = subprocess.Popen([*command, PASSWORD, str(other.port), str(site.folder / "bare.db"), "--idle"],
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # fmt: skip
            until(lambda: other.count() == 1, "the bare loop")
            time.sleep(2)
            for number in range(2, mails + 2):
                for where, user in ((sink, "ours@example.com"), (other, "bare@example.com")):
                    relay.told.clear()
                    began = time.monotonic()
                    server.deliver([post.new()], user)
                    while where.count() < number:
                        time.sleep(0.002)
                    accepted = where.log()[-1].at
                    if where is sink:
                        own.append(accepted - relay.told[0])
                        total.append(accepted - began)
                    else:
                        bare.append(accepted - began)
            loop.communicate(b"")
        relay.close()
    sink.close()
    other.close()
    return {
        "mails": mails,
        "own_median_ms": round(1000 * statistics.median(own), 1),
        "own_99_ms": round(1000 * share(own, 0.99), 1),
        "total_median_ms": round(1000 * statistics.median(total), 1),
        "bare_median_ms": round(1000 * statistics.median(bare), 1),
        "ratio": round(statistics.median(total) / statistics.median(bare), 3),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=100)
    options.add_argument("--seed", type=int, default=2)
    given = options.parse_args()
    print(json.dumps(measure(given.mails, given.seed)))


if __name__ == "__main__":
    main()
