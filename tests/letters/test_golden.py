"""Each letter in each language against the one that was read and found good.

After a change of words or looks: REGENERATE_GOLDEN=1 pytest tests/letters/test_golden.py, then read the diff.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mailticket.letters import KINDS, Letters
from tests.letters import HEAD, sample

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
CASES = [(language, kind, form) for language in LANGUAGES for kind in KINDS for form in ("", "-neutral")]


@pytest.mark.parametrize(("language", "kind", "form"), CASES)
def test_a_letter_reads_as_it_was_approved(letters: Letters, language, kind, form) -> None:
    letter = replace(sample(kind, language), verified=form == "")
    composed = letters.compose(letter, HEAD)
    assert composed.warnings == ()
    assert composed.language == language
    _same(GOLDEN / language / f"{kind}{form}.txt", f"Subject: {composed.subject}\n\n{composed.text}")
    if not form:
        _same(GOLDEN / language / f"{kind}.html", composed.html)


def test_the_bytes_of_an_acknowledgement_are_as_they_were_approved(letters: Letters) -> None:
    composed = letters.compose(sample("acknowledgement", "en"), HEAD)
    _same(GOLDEN / "acknowledgement.eml", composed.message.decode("ascii").replace("\r\n", "\n"))


def test_no_golden_file_is_left_over() -> None:
    expected = {f"{language}/{kind}{form}.txt" for language, kind, form in CASES}
    expected |= {f"{language}/{kind}.html" for language, kind, _ in CASES} | {"acknowledgement.eml"}
    assert {file.relative_to(GOLDEN).as_posix() for file in GOLDEN.rglob("*") if file.is_file()} == expected


def _same(file: Path, found: str) -> None:
    if os.environ.get("REGENERATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found, encoding="utf-8", newline="\n")
    assert file.read_text(encoding="utf-8") == found
