"""What the errands share: everything that is built once from the settings, and replaced whole when they change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailticket.config.articles import Flaw, read_articles
from mailticket.config.files import read_templates, shipped_folder
from mailticket.errors import ConfigurationError
from mailticket.letters import Letterhead, Letters, TemplateSource, letterhead
from mailticket.mail.values import OurLetters, Ourselves
from mailticket.promise.calendar import SupportCalendar, from_settings
from mailticket.settings import Category, Settings, Support
from mailticket.store import meta
from mailticket.store.engine import Database
from mailticket.topics.articles import Article, Matcher, matcher
from mailticket.topics.categories import Classifier
from mailticket.topics.exchange import CATEGORIES
from mailticket.triage.brief import Brief, brief

log = logging.getLogger("mailticket.site")

_SHORTEST_KEY = 16  # bytes


def wall_clock() -> datetime:
    """The time now, aware; handed to everything that must know it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """One configuration at work."""

    settings: Settings
    database: Database
    brief: Brief
    head: Letterhead
    letters: Letters
    calendar: SupportCalendar
    articles: Matcher
    clock: Callable[[], datetime] = wall_clock

    @property
    def keys(self) -> tuple[bytes, ...]:
        """They verify our signatures; the first of them signs."""
        return self.brief.keys

    @property
    def classifier(self) -> Classifier:
        return self.brief.classifier

    @property
    def categories(self) -> Mapping[str, Category]:
        return {category.name: category for category in self.classifier.categories}


def open_site(settings: Settings, database: Database, clock: Callable[[], datetime] = wall_clock) -> Site:
    """Build everything that the settings ask for; raises ConfigurationError or StoreUnavailable."""
    with database.write() as session:
        keys = meta.signing_keys(session, clock())
        mark = meta.instance_mark(session)
    if settings.support.key_file is not None:
        keys = (_read_key(settings.support.key_file), *keys)
    head = letterhead(settings, mark)
    letters = open_letters(settings)
    ourselves = ourselves_of(
        settings, mark, head.reply_marker, words_of(settings.support, settings.category or CATEGORIES, letters)
    )
    return Site(
        settings=settings,
        database=database,
        brief=brief(settings.support, settings.category, ourselves, keys),
        head=head,
        letters=letters,
        calendar=from_settings(settings.promise, settings.support.timezone),
        articles=open_articles(settings),
        clock=clock,
    )


def _read_key(file: Path) -> bytes:
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        problem = f"[support] key_file: {file} cannot be read: {error.strerror}; correct the key or the file's rights"
        raise ConfigurationError([problem]) from None
    if len(key) < _SHORTEST_KEY:  # an empty or guessable key would let anybody sign as we do
        problem = (
            f"[support] key_file: {file} holds {len(key)} bytes; write at least {_SHORTEST_KEY} random ones into it"
        )
        raise ConfigurationError([problem])
    return key


def words_of(support: Support, categories: Sequence[Category], letters: Letters) -> OurLetters:
    """What stands in this site's letters whatever the ticket: sentences, names of categories and details, our own."""
    passages, dates = letters.phrases()
    labels = [label for category in categories for label in category.labels.values()]
    labels += [label for category in categories for rule in category.fields for label in rule.labels.values()]
    own = (support.name, support.address, f"{support.name} {support.address}")
    return OurLetters((*passages, *dict.fromkeys(labels), *own), dates)


def ourselves_of(
    settings: Settings,
    loop_mark: str = "",
    reply_marker: str = "",
    letters: OurLetters = OurLetters(),  # noqa: B008
) -> Ourselves:
    """What the reader of mail must know of this site."""
    return Ourselves(
        own_addresses=settings.own_addresses,
        loop_mark=loop_mark,
        authserv_id=settings.trust.authserv_id,
        spam_headers=tuple((name.lower(), value.lower()) for name, value in settings.trust.spam_headers),
        reply_marker=reply_marker,
        letters=letters,
    )


def open_articles(settings: Settings) -> Matcher:
    """The help articles of the configured folder; one that cannot be used is left out, and the log says why."""
    articles, flaws = articles_of(settings)
    for flaw in flaws:
        log.warning("a help article is left out: %s", flaw)
    return matcher(articles)


def articles_of(settings: Settings) -> tuple[list[Article], list[Flaw]]:
    """The help articles that the configuration names, and what is wrong with others in their folder."""
    if settings.articles.folder is None:
        return [], []
    known = frozenset(category.name for category in settings.category or CATEGORIES)
    return read_articles(settings.articles.folder, known)


def open_letters(settings: Settings) -> Letters:
    """The shipped templates under the administrator's, if there are any; raises ConfigurationError."""
    folder = settings.templates.folder
    if folder is None:
        return shipped_letters()
    return shipped_letters(TemplateSource(str(folder), read_templates(folder)))


def broken_letters(settings: Settings, letters: Letters) -> list[str]:
    """What is wrong with the administrator's own templates; [] when there are none, for ours are tested."""
    if settings.templates.folder is None:
        return []
    return [str(problem) for problem in letters.check() if not problem.gap]


def shipped_letters(*overriding: TemplateSource) -> Letters:
    """The templates that come with the program, under others if there are any."""
    folder = shipped_folder("templates")
    return Letters(TemplateSource(str(folder), read_templates(folder)), *overriding)
