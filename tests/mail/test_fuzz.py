"""The fuzz target of the reader, for a few seconds; `make fuzz` runs it for longer."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.fuzz_reader import by_mutation

SEEDS = sorted((Path(__file__).parent / "eml").glob("*.eml"))


def test_spoilt_mails_break_no_promise_of_the_reader() -> None:
    assert by_mutation(5.0, 20_261_122, [path.read_bytes() for path in SEEDS]) > 0
