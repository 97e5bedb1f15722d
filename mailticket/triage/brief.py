"""What reading and judging a mail must know of the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailticket.mail.values import Ourselves
from mailticket.settings import Category
from mailticket.topics.categories import Classifier, classifier_of


@dataclass(frozen=True)
class Brief:
    """What preparing a mail must know of the site. `keys` verify our signatures.

    prefixes: what ticket IDs begin with.
    classifier: of the configured categories, or of the built-in ones if there are none.
    """

    prefixes: tuple[str, ...]
    ourselves: Ourselves
    keys: tuple[bytes, ...]
    classifier: Classifier


def brief(
    prefixes: tuple[str, ...], category: Sequence[Category], ourselves: Ourselves, keys: tuple[bytes, ...]
) -> Brief:
    """The brief of a site, with the classifier of its categories, or of the built-in ones if there are none."""
    return Brief(prefixes, ourselves, keys, classifier_of(category))
