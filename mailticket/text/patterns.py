"""Patterns that are compiled when they are first asked: of nine hundred a mail meets some, a command hardly any."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands for a pattern; what was asked of it once is kept, so that it costs no more the next time."""

    def __init__(self, source: Any, flags: int) -> None:
        self.pattern = source
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self.flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)

    def __repr__(self) -> str:
        return f"lazy_pattern({self.pattern!r}, {self.flags})"


_METHODS = ("search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn")


def lazy_pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but compiled at the first use, where a source that is none raises re.error.

    Functions of `re` itself do not take it in the place of a pattern.
    """
    return cast("re.Pattern[AnyStr]", _Lazy(source, flags))
