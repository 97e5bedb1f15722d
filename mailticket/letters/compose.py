"""Letters: from what a letter must say to the mail that says it, whatever an administrator's template does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailticket.letters import clean, moments, samples
from mailticket.letters.press import Press, where
from mailticket.letters.values import Composed, Letter, Letterhead, LetterKind, Problem, TemplateSource
from mailticket.letters.wire import Pages, WireError, message


class Letters:
    """All letters of a site: the shipped templates, and over them, file by file, those of the administrator."""

    def __init__(self, shipped: TemplateSource, *overriding: TemplateSource) -> None:
        self.shipped = Press([shipped])
        self.press = Press([*overriding, shipped]) if overriding else self.shipped

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a folder, in alphabetical order."""
        return self.press.languages

    def language_for(self, wanted: str, default: str = "en") -> str:
        """The language in which a requester is answered: theirs if there is a folder for it, else `default`, else en.

        A caller needs it for the labels of categories and fields.
        """
        return next((one for one in (*_likely(wanted), *_likely(default)) if one in self.languages), "en")

    def compose(self, letter: Letter, head: Letterhead) -> Composed:
        """The finished mail. A template of the administrator that fails is replaced by ours, with a warning.

        Errors: ValueError when the letter holds an address or Message-ID that cannot be sent, or a naive time.
        """
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

    def sample(self, kind: LetterKind, language: str = "en") -> Letter:
        """A letter of this kind with sample data, for previews and checks."""
        return samples.letter(kind, self.language_for(language))

    def check(self) -> list[Problem]:
        """What is wrong with the templates: each problem with its file and line, and the gaps of languages."""
        from mailticket.letters.check import problems

        return problems(self)

    def _pages(self, letter: Letter, head: Letterhead, language: str) -> tuple[Pages, tuple[str, ...]]:
        try:
            return render(self.press, letter, head, language), ()
        except Exception as error:  # a template can raise anything, and no letter may be lost for it
            if self.press is self.shipped:
                raise
            problem = where(error, self.press.sources)
        language = language if language in self.shipped.languages else "en"
        return render(self.shipped, letter, head, language), (f"{problem}; the built-in template was used",)


def render(press: Press, letter: Letter, head: Letterhead, language: str) -> Pages:
    """The pages of a letter that was made presentable. Errors: whatever a template raises."""
    values = _values(letter, head)
    subject = press.render("subject", letter.kind, language, values)
    actual = press.place(language, f"{letter.kind}.j2").partition("/")[0]
    return Pages(
        subject=_with_id(clean.one_line(subject, 300), letter.ticket_id),
        text=press.render("text", letter.kind, actual, values),
        html=press.render("html", letter.kind, actual, values),
        language=actual,
    )


def _values(letter: Letter, head: Letterhead) -> dict[str, Any]:
    """What templates see."""
    zone = letter.zone or head.zone
    return {
        "letter": letter,
        "head": head,
        "promise": moments.span(letter.promised_from, letter.promised_by, zone),
        "earlier": moments.span(None, letter.earlier_by, zone),
        "steps": [(step.kind, moments.moment(step.at, zone)) for step in letter.steps],
        "quoted_at": moments.moment(letter.history.at, zone) if letter.history else None,
    }


def _with_id(subject: str, ticket_id: str) -> str:
    """A subject is worth nothing without the ticket ID, so a template that forgets it is put right."""
    return subject if ticket_id in subject else f"{subject} [{ticket_id}]"


def _likely(language: str) -> tuple[str, ...]:
    """The folder names that may serve a language tag: zh-TW is written in traditional characters, de-AT is German."""
    tag = language.strip().replace("_", "-")
    base, _, region = tag.partition("-")
    if base.lower() == "zh" and region not in ("Hans", "Hant"):
        region = "Hant" if region.upper() in ("TW", "HK", "MO", "HANT") else "Hans"
        return (f"zh-{region}",)
    other = ("zh-Hans" if region == "Hant" else "zh-Hant") if base == "zh" else base.lower()
    return (tag, other)
