"""Patterns that are compiled at their first use."""

from __future__ import annotations

import re

import pytest

from mailticket.text import patterns
from mailticket.text.patterns import lazy_pattern


def test_it_is_compiled_at_the_first_use_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[str] = []
    compile_now = re.compile

    def compile_(source: str, flags: int) -> re.Pattern[str]:
        sources.append(source)
        return compile_now(source, flags)

    monkeypatch.setattr(patterns.re, "compile", compile_)
    number = lazy_pattern(r"a(\d+)", re.IGNORECASE)
    assert sources == []
    match = number.search("xA12")
    assert match and match.groups() == ("12",)
    assert number.findall("a1 A2") == ["1", "2"]
    assert number.sub("-", "a1") == "-"
    assert sources == [r"a(\d+)"]


def test_a_source_that_is_no_pattern_is_told_at_the_first_use() -> None:
    broken = lazy_pattern("(")
    with pytest.raises(re.error):
        broken.match("")


def test_what_waits_is_compiled_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    number, broken, other = lazy_pattern(r"\d"), lazy_pattern("("), lazy_pattern("[a-z]")
    patterns.compile_waiting()
    with monkeypatch.context() as patch:
        patch.setattr(patterns.re, "compile", lambda *_: pytest.fail("a pattern is compiled at its use"))
        assert number.search("a1") and other.match("a")
    with pytest.raises(re.error):
        broken.match("")


def test_source_and_flags_are_there_without_compiling() -> None:
    number = lazy_pattern(rb"\d", re.DOTALL)
    assert (number.pattern, number.flags) == (rb"\d", re.DOTALL)
    assert number.fullmatch(b"1")
