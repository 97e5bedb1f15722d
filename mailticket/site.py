"""What the errands share: everything that is built once from the settings, and replaced whole when they change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mailticket.config.files import read_templates, shipped_folder
from mailticket.errors import ConfigurationError
from mailticket.letters import Letterhead, Letters, TemplateSource, in_language
from mailticket.promise.calendar import SupportCalendar, from_settings
from mailticket.settings import TINT, Brand, Category, LetterSample, LettersText, Settings
from mailticket.store import Session, blocks, meta, notices, overview, restored
from mailticket.store.engine import Database
from mailticket.store.glance import Glance
from mailticket.store.notices import Standing
from mailticket.topics.exchange_letters import EXCHANGE_WORDING
from mailticket.triage.staff import Roster

if TYPE_CHECKING:  # loaded when a mail is there to be read: most rounds and commands meet none
    from mailticket.config.articles import Flaw
    from mailticket.mail.values import OurLetters, Ourselves
    from mailticket.topics.articles import Article, Matcher
    from mailticket.topics.categories import Classifier
    from mailticket.triage.brief import Brief

log = logging.getLogger("mailticket.site")

_SHORTEST_KEY = 16  # bytes


def wall_clock() -> datetime:
    """The time now, aware; handed to everything that must know it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reading:
    """What reading and judging a mail take, made when the first is there.

    keys: they verify our signatures; the first of them signs. loop_mark: by which the installation knows its own mails.
    """

    settings: Settings
    keys: tuple[bytes, ...]
    loop_mark: str
    reply_marker: str
    letters: Letters

    @cached_property
    def brief(self) -> Brief:
        """What preparing a mail must know of the site."""
        from mailticket.triage.brief import brief

        words = words_of(self.settings, self.letters)
        ourselves = ourselves_of(self.settings, self.loop_mark, self.reply_marker, words)
        return brief(self.settings.prefixes, self.settings.category, ourselves, self.keys)

    @cached_property
    def articles(self) -> Matcher:
        """The help articles of the configured folder; one that cannot be used is left out, and the log says why."""
        from mailticket.topics.articles import matcher

        articles, flaws = articles_of(self.settings)
        for flaw in flaws:
            log.warning("a help article is left out: %s", flaw)
        return matcher(articles, self.brief.classifier.trade.lexicon)


@dataclass(frozen=True)
class Site:
    """One configuration at work."""

    settings: Settings
    database: Database
    reading: Reading
    head: Letterhead
    letters: Letters
    calendar: SupportCalendar
    clock: Callable[[], datetime] = wall_clock
    notices: Glance[tuple[Standing, ...]] = field(default_factory=lambda: Glance(notices.recent), compare=False)
    blocked: Glance[Mapping[str, str]] = field(default_factory=lambda: Glance(blocks.by_address), compare=False)
    host: int = 0  # the number of this process among those that share the database; 0 for one that only looks or adds
    brands: Mapping[str, Site] = field(default_factory=dict, compare=False)  # further names, each on its own paper
    restored_at: datetime | None = None  # when its database was put back from a backup, if ever

    def of_brand(self, name: str) -> Site:
        """This site as it writes under a brand's name; under that of [support] for "" and a brand that is no more."""
        return self.brands.get(name, self)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """They verify our signatures; the first of them signs."""
        return self.reading.keys

    @property
    def brief(self) -> Brief:
        """What preparing a mail must know."""
        return self.reading.brief

    @property
    def articles(self) -> Matcher:
        """The help articles that letters may name."""
        return self.reading.articles

    @property
    def classifier(self) -> Classifier:
        return self.brief.classifier

    def prefixes(self, session: Session) -> tuple[str, ...]:
        """What ticket IDs begin with, those too of brands that are no more and that no setting names."""
        known = self.settings.prefixes
        return (*known, *overview.prefixes_beside(session, known))

    @cached_property
    def roster(self) -> Roster:
        """Who works the desk."""
        return Roster(self.settings.staff, self.settings.team)

    @property
    def categories(self) -> Mapping[str, Category]:
        return {category.name: category for category in self.classifier.categories}


def open_site(
    settings: Settings, database: Database, clock: Callable[[], datetime] = wall_clock, host: int = 0
) -> Site:
    """Build everything that the settings ask for; raises ConfigurationError or StoreUnavailable."""
    with database.read() as session:
        is_made = meta.is_made(session)
    with database.read() if is_made else database.write() as session:
        keys = meta.signing_keys(session, clock())
        mark = meta.instance_mark(session)
        restored_at = restored.restored_at(session)
    if settings.support.key_file is not None:
        keys = (read_key(settings.support.key_file), *keys)
    head = letterhead(settings, mark)
    letters = open_letters(settings)
    site = Site(
        settings=settings,
        database=database,
        reading=Reading(settings, keys, mark, head.reply_marker, letters),
        head=head,
        letters=letters,
        calendar=from_settings(settings.promise, settings.support.timezone),
        clock=clock,
        host=host,
        restored_at=restored_at,
    )
    if settings.articles.folder is not None:
        _ = site.articles  # what is wrong with them is told at the start
    return replace(site, brands={brand.name: _branded(site, brand, mark) for brand in settings.brand})


def _branded(site: Site, brand: Brand, mark: str) -> Site:
    settings = site.settings.of_brand(brand.name)
    letters = open_letters(settings) if brand.templates else site.letters
    return replace(site, settings=settings, head=letterhead(settings, mark, brand), letters=letters)


def read_key(file: Path) -> bytes:
    """The key of [support] key_file; raises ConfigurationError for one that cannot be read or guards nothing."""
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


def words_of(settings: Settings, letters: Letters) -> OurLetters:
    """What stands in this site's letters whatever the ticket: sentences, names of categories and details, our own."""
    from mailticket.mail.values import OurLetters
    from mailticket.topics.exchange import categories_of

    passages, dates = letters.phrases()
    wording, support = _wording(settings), settings.support
    texts = [text for by_language in (*wording.secrets.values(), wording.never_ask) for text in by_language.values()]
    for category in categories_of(settings.category):
        labels = [category.labels, *(rule.labels for rule in category.fields)]
        texts += [label for by_language in labels for label in by_language.values()]
    texts += _corrections(categories_of(settings.category), letters.languages)
    own = [support.name, support.address, f"{support.name} {support.address}"]
    for brand in settings.brand:
        own += [brand.title, brand.address, f"{brand.title} {brand.address}", *brand.signature.splitlines()]
        if brand.templates:
            own += open_letters(settings.of_brand(brand.name)).phrases()[0]
    return OurLetters((*passages, *dict.fromkeys(texts), *(text for text in own if text)), dates)


def _corrections(categories: Sequence[Category], languages: Sequence[str]) -> list[str]:
    """The lists of words by which a requester may correct each category, as letters print them."""
    lists = []
    for language in languages:
        labels = [in_language(one.labels, language) or one.name for one in categories]
        lists += [", ".join(other for other in labels if other != label) for label in labels]
    return lists


def ourselves_of(
    settings: Settings,
    loop_mark: str,
    reply_marker: str,
    letters: OurLetters,
) -> Ourselves:
    """What the reader of mail must know of this site."""
    from mailticket.mail.values import Ourselves

    return Ourselves(
        own_addresses=settings.own_addresses,
        loop_mark=loop_mark,
        authserv_id=settings.trust.authserv_id,
        spam_headers=tuple((name.lower(), value.lower()) for name, value in settings.trust.spam_headers),
        block_headers=tuple((b.header[0].lower(), b.header[1].lower()) for b in settings.block if b.header),
        internal_header=(settings.desk.internal_header[0].lower(), settings.desk.internal_header[1].lower())
        if settings.desk.internal_header
        else None,
        reply_marker=reply_marker,
        letters=letters,
    )


def letterhead(settings: Settings, loop_mark: str = "", brand: Brand | None = None) -> Letterhead:
    """The letterhead of a configuration, with what only a brand has.

    Without a loop mark of its own an installation uses its support address.
    """
    support = settings.support
    return Letterhead(
        name=support.name,
        address=support.address,
        loop_mark=loop_mark or support.address.lower(),
        zone=settings.zone(),
        language=support.language,
        wording=_wording(settings),
        signature=brand.signature.strip() if brand else "",
        colour=brand.colour if brand else TINT,
        dark_colour=brand.dark_colour if brand else "",
    )


def _wording(settings: Settings) -> LettersText:
    """What letters say of the trade: the built-in exchange's texts, or with categories of one's own none of them.

    Each key of [letters] that is given replaces its own whole.
    """
    built_in = LettersText(sample=_samples(settings.category)) if settings.category else EXCHANGE_WORDING
    own = {name: getattr(settings.letters, name) for name in LettersText.model_fields}
    return built_in.model_copy(update={name: texts for name, texts in own.items() if texts})


def _samples(categories: Sequence[Category]) -> dict[str, LetterSample]:
    """What `preview` shows of the first category, by language: the first of the details that it needs is missing."""
    category, *others = categories
    rules = {rule.name: rule.labels for rule in category.fields}
    needs = [(name, rules.get(name, {})) for name in category.needs]
    languages = {"en", *category.labels, *(language for _, labels in needs for language in labels)}
    samples = {}
    for language in languages:
        labels = [in_language(texts, language) or name.replace("_", " ") for name, texts in needs]
        samples[language] = LetterSample(
            category=in_language(category.labels, language) or category.name,
            categories=tuple(in_language(other.labels, language) or other.name for other in others),
            found=dict.fromkeys(labels[1:], "12345"),
            missing=tuple(labels[:1]),
        )
    return samples


def articles_of(settings: Settings) -> tuple[list[Article], list[Flaw]]:
    """The help articles that the configuration names, and what is wrong with others in their folder."""
    if settings.articles.folder is None:
        return [], []
    from mailticket.config.articles import read_articles
    from mailticket.topics.exchange import categories_of

    known = frozenset(category.name for category in categories_of(settings.category))
    return read_articles(settings.articles.folder, known)


def open_letters(settings: Settings) -> Letters:
    """The shipped templates under the administrator's, if there are any; raises ConfigurationError."""
    folder = settings.templates.folder
    if folder is None:
        return shipped_letters()
    return Letters(_shipped_templates(), TemplateSource(str(folder), read_templates(folder)))


def broken_letters(settings: Settings, letters: Letters) -> list[str]:
    """What is wrong with the administrator's own templates; [] when there are none, for ours are tested."""
    own = [letters] if settings.templates.folder else []
    own += [open_letters(settings.of_brand(brand.name)) for brand in settings.brand if brand.templates]
    return [str(problem) for one in own for problem in one.check() if not problem.gap]


@cache
def shipped_letters() -> Letters:
    """Letters by the templates that come with the program; made once, since these take a third of a second."""
    return Letters(_shipped_templates())


def _shipped_templates() -> TemplateSource:
    folder = shipped_folder("templates")
    return TemplateSource(str(folder), read_templates(folder))
