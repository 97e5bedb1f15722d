"""All that can be done with a mail before its transaction begins: read it, understand it, pack it. Pure."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mailticket.mail import read
from mailticket.mail.packing import Packed, pack
from mailticket.mail.values import Mail, Site
from mailticket.settings import Category, Support
from mailticket.triage.categories import Classifier, classifier
from mailticket.triage.exchange import CATEGORIES
from mailticket.triage.known import Claims, claims
from mailticket.triage.understanding import Understanding, understand


@dataclass(frozen=True)
class Brief:
    """What preparing a mail must know of the site. `keys` verify our signatures."""

    support: Support
    site: Site
    keys: tuple[bytes, ...]
    classifier: Classifier

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels to another process as what it was made from: patterns are compiled where they are used."""
        return brief, (self.support, self.classifier.categories, self.site, self.keys)


def brief(support: Support, categories: Sequence[Category], site: Site, keys: tuple[bytes, ...]) -> Brief:
    """The brief of a site, with the classifier of its categories, or of the built-in ones if there are none."""
    return Brief(support, site, keys, classifier(categories or CATEGORIES))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail as read and understood, what it claims about itself, and its bytes as they will be stored."""

    mail: Mail
    meaning: Understanding
    claims: Claims
    packed: Packed


def prepare(raw: bytes, complete: bool, told: Brief) -> Prepared:
    """Prepare one mail. complete is False when `raw` is only its headers and beginning."""
    mail = read(raw, told.site)
    return Prepared(
        mail,
        understand(mail, told.classifier),
        claims(mail, told.keys, told.support),
        pack(raw, complete=complete, digest=mail.digest),
    )


Given = tuple[bytes, bool]  # a raw mail, and whether it is complete
Answer = Prepared | str  # or what it was that preparing it raised
Batches = Generator[list[Answer], None, None]


def answers(mails: Iterable[Given], told: Brief) -> list[Answer]:
    """Prepare mails; one that raises does not keep the others from it."""
    found: list[Answer] = []
    for raw, complete in mails:
        try:
            found.append(prepare(raw, complete, told))
        except Exception as error:
            found.append(type(error).__name__)
    return found
