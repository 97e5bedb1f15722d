"""Patterns that are compiled when they are first asked: of nine hundred a mail meets some, a command hardly any."""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress
from typing import Any, AnyStr, cast

_waiting: deque[_Lazy] = deque()


class _Lazy:
    """Stands for a pattern; what was asked of it once is kept, so that it costs no more the next time."""

    def __init__(self, source: Any, flags: int) -> None:
        self.pattern = source
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self.flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)

    def compile(self) -> None:
        with suppress(re.error):  # which is told at the first use
            _ = self.search

    def __repr__(self) -> str:
        return f"lazy_pattern({self.pattern!r}, {self.flags})"


_METHODS = ("search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn")


def lazy_pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but compiled at the first use, where a source that is none raises re.error.

    Functions of `re` itself do not take it in the place of a pattern.
    """
    pattern = _Lazy(source, flags)
    _waiting.append(pattern)
    return cast("re.Pattern[AnyStr]", pattern)


def compile_waiting() -> None:
    """Compile all patterns that were never used, as nobody waits now: it takes a third of a second."""
    with suppress(IndexError):  # all are compiled, by this thread or another
        while True:
            _waiting.popleft().compile()
