"""What reading and judging a mail must know of the site: handed to every process that prepares mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailticket.mail.values import Ourselves
from mailticket.settings import Category
from mailticket.topics.categories import Classifier, classifier
from mailticket.topics.exchange import trade_of


@dataclass(frozen=True)
class Brief:
    """What preparing a mail must know of the site. `keys` verify our signatures.

    prefixes: what ticket IDs begin with.
    category: the configured categories, () for the built-in trade; `classifier` is made from them.
    """

    prefixes: tuple[str, ...]
    category: tuple[Category, ...]
    ourselves: Ourselves
    keys: tuple[bytes, ...]
    classifier: Classifier

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels to another process as what it was made from: patterns are compiled where they are used."""
        return brief, (self.prefixes, self.category, self.ourselves, self.keys)


def brief(
    prefixes: tuple[str, ...], category: Sequence[Category], ourselves: Ourselves, keys: tuple[bytes, ...]
) -> Brief:
    """The brief of a site, with the classifier of its categories, or of the built-in ones if there are none."""
    return Brief(prefixes, tuple(category), ourselves, keys, classifier(trade_of(category)))
