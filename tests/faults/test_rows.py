"""Each row of the fault table has a test that bears its number, and docs/faults.md says what is not shown and why."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROWS = range(1, 48)
TESTS = Path(__file__).parents[1]
PAPER = TESTS.parent / "docs" / "faults.md"


def rows_of_tests() -> dict[int, set[str]]:
    """The names of all tests below tests/ that bear the number of a row."""
    found: dict[int, set[str]] = defaultdict(set)
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"(?m)^(?:async )?def (test_\w+)", file.read_text("utf-8")):
            for number in re.findall(r"(?<=_)f(\d\d)(?=_)", name):
                found[int(number)].add(name)
    return found


def rows_on_paper() -> dict[int, str]:
    return {int(n): said for n, said in re.findall(r"(?m)^\| (\d+) \| (.+) \|$", PAPER.read_text("utf-8"))}


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_a_test_and_the_manual_names_it(row: int) -> None:
    tests = rows_of_tests()[row]
    assert tests, f"row {row} of the fault table has no test_f{row:02d}_..."
    named = set(re.findall(r"`(test_\w+)`", rows_on_paper()[row]))
    assert named, f"docs/faults.md names no test for row {row}"
    assert named <= tests, f"docs/faults.md names tests that are not there: {named - tests}"


def test_what_cannot_be_injected_here_is_said_with_the_nearest_test() -> None:
    paper = PAPER.read_text("utf-8").partition("## What is not shown")[2]
    known = {name for names in rows_of_tests().values() for name in names}
    named = set(re.findall(r"`(test_f\w+)`", paper))
    assert named
    assert named <= known
