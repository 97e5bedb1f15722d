"""Which category a requester names who was told that theirs may be wrong: a reply that says its word and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailticket.settings import Category
from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import folded, stems

_LONGEST_LINE = 80  # characters: whoever writes more describes something
# What may stand around the word, in folded text (lower case, simplified Chinese). None of it denies anything.
_FILLING = lazy_pattern(
    r"\b(?:sorry|hi|hello|thanks|thank you|please|actually|it's|its|it|this|that|is|was|should be|"
    r"would be|about|an?|the|my|right|correct|category|change|move|sort|put|under|into|in|to|question|matter|request)\b"
    "|抱歉|不好意思|您好|你好|请|正确|分类|类别|归类|应该|应当|是|为|到|改为|改成|归入|归到|归为|属于|这个|这|我|关于|有关"
    "|的|问题|事情|类|方面|吧|谢谢|[^\\w?？]+"
)
_QUESTION = lazy_pattern(r"[?？]|吗|呢|还是")


def chosen(new_text: str, categories: Iterable[Category]) -> str | None:
    """The name of the category whose key or label is all that the first line of a reply says; None for any other reply.

    Endings, case, script and punctuation do not count, nor a few words around it that say that it is about that.
    """
    line = next((line for line in new_text[:2_000].splitlines() if re.search(r"\w", line)), "")
    text = folded(line.strip())
    if len(text) > _LONGEST_LINE or _QUESTION.search(text):
        return None
    owners: dict[str, set[str]] = {}
    for category in categories:
        for word in (category.name, *category.labels.values()):
            owners.setdefault(_plain(folded(word)), set()).add(category.name)
    hits = [owners[core] for core in _cores(text) if core in owners]
    names = set.union(*hits) if hits else set()
    return names.pop() if len(names) == 1 else None


def _plain(text: str) -> str:
    return stems(text.replace("_", " ")).strip()


def _cores(text: str) -> set[str]:
    """The line, and all that is left of it when filling is taken from its ends."""
    fillings = [(match.start(), match.end()) for at in range(len(text)) if (match := _FILLING.match(text, at))]
    starts, ends = {0}, {len(text)}
    for start, end in fillings:
        if start in starts:
            starts.add(end)
    for start, end in reversed(fillings):
        if end in ends:
            ends.add(start)
    return {_plain(text[start:end]) for start in starts for end in ends if start < end} - {""}
