"""Seeded mutations of mails: bytes and lines changed, moved, doubled, cut, crossed with another mail."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_SIZE = 200_000
TOKENS = (
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"--",
    b"--b--",
    b"=?utf-8?B?",
    b"=?gbk?Q?",
    b"?=",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: text/html\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"From: ",
    b"(((((",
    b"<<<<<",
    b'"',
    b";",
    b"filename*0*=utf-8''%",
    b"begin 644 x\n",
    b"\xff\xfe",
    b"\xc4\xe3\xba\xc3",
    b"\xed\xa0\x80",
    b"<div>",
    b"> ",
    b"On Mon, 2 Nov 2026, A <a@b.example> wrote:\n",
)


def mutate(raw: bytes, seed: int, others: Sequence[bytes]) -> bytes:
    """The mail after a few mutations; the same for the same arguments."""
    rng = random.Random(seed)
    data = bytearray(raw)
    for _ in range(rng.randint(1, 8)):
        rng.choice(_MUTATIONS)(data, rng, others)
    return bytes(data[:MAX_SIZE])


def _span(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 1, 2, 8, 40, 200)))


def _flip(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _delete(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    start, end = _span(data, rng)
    del data[start:end]


def _double(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    start, end = _span(data, rng)
    data[start:start] = bytes(data[start:end]) * rng.choice((1, 2, 30))


def _insert(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    start, _ = _span(data, rng)
    data[start:start] = rng.choice(TOKENS) * rng.choice((1, 1, 3, 50))


def _cut(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    del data[rng.randint(0, len(data)) :]


def _cross(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    at = rng.randint(0, len(other))
    data[rng.randint(0, len(data)) :] = other[at:]


def _exchange_lines(data: bytearray, rng: random.Random, _others: Sequence[bytes]) -> None:
    lines = bytes(data).splitlines(keepends=True)
    if len(lines) > 1:
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        data[:] = b"".join(lines)


_MUTATIONS = (_flip, _delete, _double, _insert, _cut, _cross, _exchange_lines)
