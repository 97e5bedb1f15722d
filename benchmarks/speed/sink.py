"""A fast SMTP sink in a process of its own: `python -m benchmarks.speed.sink`; it prints its port, and ends with stdin.

It answers as little as SMTP allows and keeps for each accepted mail the time, the recipient and three header fields.
The command XLOG gives them as a line of JSON, XCOUNT their number. With `--refuse SHARE` it answers that share of all
RCPT commands with 450, by a seeded throw, until XACCEPT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import smtplib
import subprocess
import sys
import time
from dataclasses import dataclass

_FIELD = re.compile(rb"^(message-id|in-reply-to|auto-submitted):[ \t]*(.*?)\r\n", re.IGNORECASE | re.MULTILINE)


class _State:
    def __init__(self, share: float) -> None:
        self.share = share
        self.random = random.Random(1)
        self.accepted: list[tuple[float, str, str, str, str]] = []
        self.refused = 0


class _Session(asyncio.Protocol):
    """One connection: commands a line each, data up to the lone dot."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._buffer = bytearray()
        self._in_data = False
        self._recipient = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            if self._in_data:
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                self._accept(bytes(self._buffer[: min(end, 4000)]))
                del self._buffer[: end + 5]
                self._in_data = False
            else:
                end = self._buffer.find(b"\r\n")
                if end < 0:
                    return
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 2]
                self._command(line)

    def _accept(self, head: bytes) -> None:
        found = {name.lower(): value.decode("ascii", "replace") for name, value in _FIELD.findall(head)}
        fields = (found.get(b"message-id", ""), found.get(b"in-reply-to", ""), found.get(b"auto-submitted", ""))
        self._transport.write(b"250 ok\r\n")
        self._state.accepted.append((time.monotonic(), self._recipient, *fields))

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        write = self._transport.write
        if verb == b"EHLO":
            write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 99999999\r\n")
        elif verb == b"RCPT":
            if self._state.share and self._state.random.random() < self._state.share:
                self._state.refused += 1
                write(b"450 4.2.1 not now\r\n")
                return
            self._recipient = line.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")
            write(b"250 ok\r\n")
        elif verb == b"DATA":
            self._in_data = True
            write(b"354 go on\r\n")
        elif verb == b"QUIT":
            write(b"221 bye\r\n")
            self._transport.close()
        elif verb == b"XLOG":
            write(b"250 " + json.dumps(self._state.accepted).encode() + b"\r\n")
        elif verb == b"XCOU":
            write(b"250 %d %d\r\n" % (len(self._state.accepted), self._state.refused))
        elif verb == b"XACC":
            self._state.share = 0.0
            write(b"250 ok\r\n")
        elif verb == b"XNEW":
            self._state.accepted.clear()
            write(b"250 ok\r\n")
        else:
            write(b"250 ok\r\n")


async def _serve(share: float) -> None:
    loop = asyncio.get_running_loop()
    state = _State(share)
    server = await loop.create_server(lambda: _Session(state), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started us lets go
    server.close()


@dataclass(frozen=True)
class Accepted:
    """A mail that the sink took: when (`time.monotonic`), for whom, and its header fields."""

    at: float
    recipient: str
    message_id: str
    in_reply_to: str
    auto_submitted: str


class Sink:
    """The sink's process and a connection to ask it."""

    def __init__(self, refuse: float = 0.0) -> None:
        command = [sys.executable, "-m", "benchmarks.speed.sink", "--refuse", str(refuse)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self._asking = smtplib.SMTP("127.0.0.1", self.port)

    def count(self) -> int:
        return int(self._asking.docmd("XCOUNT")[1].split()[0])

    def refused(self) -> int:
        return int(self._asking.docmd("XCOUNT")[1].split()[1])

    def accept_all(self) -> None:
        self._asking.docmd("XACCEPT")

    def forget(self) -> None:
        self._asking.docmd("XNEW")

    def log(self) -> list[Accepted]:
        self._asking.send("XLOG\r\n")
        if self._asking.file is None:
            self._asking.file = self._asking.sock.makefile("rb")
        return [Accepted(*row) for row in json.loads(self._asking.file.readline()[4:])]

    def close(self) -> None:
        self._asking.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--refuse", type=float, default=0.0)
    asyncio.run(_serve(options.parse_args().refuse))


if __name__ == "__main__":
    main()
