"""Letters: from what a letter must say to the mail that says it, whatever an administrator's template does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from mailticket.letters.phrases import languages_of, phrases
from mailticket.letters.values import Composed, Letter, Letterhead, LetterKind, Problem, TemplateSource

if TYPE_CHECKING:  # Jinja and the writer of mails are loaded when a letter is owed: most starts owe none
    from mailticket.letters.engine import TemplateEngine
    from mailticket.letters.mime import Pages


class Letters:
    """All letters of a site: the shipped templates, and over them, file by file, those of the administrator."""

    def __init__(self, shipped: TemplateSource, *overriding: TemplateSource) -> None:
        self._shipped = shipped
        self._sources = (*overriding, shipped)
        self.languages = languages_of(self._sources)
        """The languages that have a folder, in alphabetical order."""
        self._is_ready = False

    @cached_property
    def shipped(self) -> TemplateEngine:
        """The shipped templates alone."""
        from mailticket.letters.engine import TemplateEngine

        return TemplateEngine([self._shipped])

    @cached_property
    def engine(self) -> TemplateEngine:
        """All templates, those of the administrator first."""
        from mailticket.letters.engine import TemplateEngine

        return TemplateEngine(self._sources) if len(self._sources) > 1 else self.shipped

    def language_for(self, wanted: str, default: str = "en") -> str:
        """The language in which a requester is answered: theirs if there is a folder for it, else `default`, else en.

        A caller needs it for the labels of categories and fields.
        """
        return next((one for one in (*_likely(wanted), *_likely(default)) if one in self.languages), "en")

    def has_language(self, wanted: str) -> bool:
        """Whether there is a folder for a language, by its own tag or one that serves it."""
        return not set(_likely(wanted)).isdisjoint(self.languages)

    def phrases(self) -> tuple[tuple[str, ...], str]:
        """The sentences of all letters, with a mark for values, and the words of dates: see letters/phrases.py."""
        return phrases(self._sources, self.languages)

    def compose(self, letter: Letter, head: Letterhead) -> Composed:
        """The finished mail. A template of the administrator that fails is replaced by ours, with a warning.

        Errors: ValueError when the letter holds an address or Message-ID that cannot be sent, or a naive time.
        """
        from mailticket.letters import clean
        from mailticket.letters.mime import WireError, message

        shown = clean.presentable(letter)
        language = self.language_for(letter.language, head.language)
        pages, warnings = self._pages(shown, head, language)
        try:
            wire = message(letter, head, pages)
        except WireError as error:
            # Whatever made the header go wrong can only be text of the sender: say the same without it.
            warnings = (*warnings, f"{letter.kind}: {error}; the neutral form was used")
            pages, _ = self._pages(clean.presentable(replace(letter, verified=False)), head, language)
            wire = message(letter, head, pages)
        return Composed(
            kind=letter.kind,
            language=pages.language,
            to=letter.to,
            message_id=letter.message_id,
            subject=pages.subject,
            message=wire,
            text=pages.text,
            html=pages.html,
            warnings=warnings,
        )

    def make_ready(self, head: Letterhead) -> bool:
        """Compile now what the first acknowledgement in each language would have to wait for: a tenth of a second.

        Returns whether there was anything to do.
        """
        if self._is_ready:
            return False
        self._is_ready = True
        with suppress(Exception):  # whatever is wrong shows when a letter is owed
            for language in self.languages:
                self.compose(self.sample("acknowledgement", language, head), head)
        return True

    def sample(self, kind: LetterKind, language: str, head: Letterhead, prefix: str = "MT") -> Letter:
        """A letter of this kind with the sample data of the letterhead's wording, for previews and checks.

        prefix: of its ticket IDs.
        """
        from mailticket.letters import samples

        return samples.letter(kind, self.language_for(language), head.wording, prefix)

    def check(self) -> list[Problem]:
        """What is wrong with the templates: each problem with its file and line, and the gaps of languages."""
        from mailticket.letters.check import problems

        return problems(self.engine, self.shipped)

    def _pages(self, letter: Letter, head: Letterhead, language: str) -> tuple[Pages, tuple[str, ...]]:
        from mailticket.letters.pages import render

        try:
            return render(self.engine, letter, head, language), ()
        except Exception as error:  # a template can raise anything, and no letter may be lost for it
            if self.engine is self.shipped:
                raise
            problem = self.engine.problem(error)
        language = language if language in self.shipped.languages else "en"
        return render(self.shipped, letter, head, language), (f"{problem}; the built-in template was used",)


def _likely(language: str) -> tuple[str, ...]:
    """The folder names that may serve a language tag: zh-TW is written in traditional characters, de-AT is German."""
    tag = language.strip().replace("_", "-")
    base, *rest = tag.lower().split("-")
    if base != "zh":
        return (tag, base)
    traditional = "hans" not in rest and not {"hant", "tw", "hk", "mo"}.isdisjoint(rest)
    return ("zh-Hant", "zh-Hans") if traditional else ("zh-Hans", "zh-Hant")
