"""A trade: everything that a help desk must know of what its requesters are about, as one value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailticket.likeness.concepts import Wording
from mailticket.likeness.lexicon import Detail, Lexicon, lexicon
from mailticket.settings import Category, FieldRule
from mailticket.text.words import folded, is_han, pieces
from mailticket.topics.fields import Form

_CATEGORY_WEIGHT = 1.0  # as a concept: what a matter is about says little, many matters of one sender are about it
_OTHER_ODDS = {"account": -5.0, "choice": -3.9}


@dataclass(frozen=True, slots=True)
class Trade:
    """Categories with their fields, the lexicon that likeness goes by, and forms of values by field name."""

    categories: tuple[Category, ...]
    lexicon: Lexicon
    forms: Mapping[str, Form] = field(default_factory=dict, repr=False)


def configured(categories: Sequence[Category]) -> Trade:
    """The trade of a configuration's own categories: their words are its concepts, their fields its details."""
    details: dict[str, Detail] = {}
    for rule in (rule for category in categories for rule in category.fields if rule.kind != "note"):
        details.setdefault(rule.name, _detail(rule))
    wordings = [wording for category in categories if (wording := _wording(category))]
    return Trade(tuple(categories), lexicon(wordings, details=details))


def _detail(rule: FieldRule) -> Detail:
    return Detail(rule.kind, rule.name.replace("_", " "), other=_OTHER_ODDS.get(rule.kind, 0.0))


def _wording(category: Category) -> Wording | None:
    """A category as a concept: its words, English ones with their endings."""
    words = [word for word in dict.fromkeys(folded(word).strip() for word in category.words) if word]
    chinese = [word for word in words if any(is_han(piece) for piece in pieces(word))]
    others = [re.escape(word) + r"\w{0,3}" for word in words if word not in chinese]
    if not words:
        return None
    return category.name, _CATEGORY_WEIGHT, "|".join(others), "|".join(map(re.escape, chinese))
