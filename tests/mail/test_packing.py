"""Raw mails come back as they were, also those that an earlier release stored."""

from __future__ import annotations

import random
import zlib

import pytest

from mailticket.mail.packing import pack, unpack

TEXT = b"Subject: my deposit\r\n\r\n" + b"My deposit has not arrived. " * 100
NOISE = random.Random(5).randbytes(3000)


@pytest.mark.parametrize(("raw", "packing"), [(TEXT, "zstd"), (NOISE, "plain"), (b"", "plain"), (b"x", "plain")])
def test_a_mail_comes_back_as_it_was(raw, packing) -> None:
    packed = pack(raw)
    assert (packed.packing, packed.size) == (packing, len(raw))
    assert len(packed.data) <= len(raw)
    assert unpack(packed.packing, packed.data) == raw


def test_what_was_packed_by_an_earlier_release_is_read() -> None:
    assert unpack("zlib", zlib.compress(TEXT)) == TEXT
