"""A letter as templates may see it: harmless, bounded, and without a word of a sender who is not verified."""

from __future__ import annotations

import re
from dataclasses import replace

from mailticket.letters.values import ArticleLink, Found, Letter, Quoted
from mailticket.text.clean import many_lines, one_line
from mailticket.text.patterns import lazy_pattern

_LONGEST_SUBJECT = 80  # characters
_LONGEST_NAME = 60
_LONGEST_TITLE = 100
_LONGEST_VALUE = 140  # two transaction IDs
_LONGEST_LABEL = 60
_LONGEST_LINK = 300
_LONGEST_EXCERPT = 200
_LONGEST_HISTORY = 20_000
_LONGEST_STAFF_TEXT = 200_000
_MOST_FOUND = 6
_MOST_CATEGORIES = 20
_MOST_MISSING = 6
_MOST_ARTICLES = 5
_MOST_STEPS = 12
_MOST_SECRETS = 8
_MOST_NOTICES = 3

# The prefixes that mail programs put before a subject, in the languages that we answer and their neighbours.
_PREFIX = lazy_pattern(
    r"\s{0,9}(?:re|aw|fwd?|wg|sv|vs|tr|rv|antw|antwort|res|enc|回复|回覆|答复|答覆|转发|轉寄|轉發|返信)"
    r"(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,3}[:：]",
    re.IGNORECASE,
)


def subject(text: str, ticket_id: str) -> str:
    """A requester's subject without reply prefixes and without the ticket ID that we add ourselves, 80 characters."""
    line = one_line(text[:2_000], 500)
    while match := _PREFIX.match(line):
        line = line[match.end() :]
    if ticket_id.lower() in line.lower():
        line = re.sub(rf"\s?[\[【(]?\s?{re.escape(ticket_id)}\s?[\]】)]?", "", line, flags=re.IGNORECASE)
    return one_line(line, _LONGEST_SUBJECT)


def _name(text: str) -> str:
    """A name to greet with, or "" where it rather looks like an address or a link."""
    line = one_line(text, _LONGEST_NAME)
    return "" if "@" in line or "/" in line or "…" in line else line


def _quoted(history: Quoted | None) -> Quoted | None:
    if history is None:
        return None
    return Quoted(one_line(history.author, _LONGEST_NAME), history.at, many_lines(history.text, _LONGEST_HISTORY))


def presentable(letter: Letter) -> Letter:
    """The letter as templates may see it: everything bounded and clean, and, unless verified, free of sender's text.

    Taking the text away before any template runs is what keeps promise 7 whatever an administrator's template prints.
    """
    known = letter.verified
    return replace(
        letter,
        subject=subject(letter.subject, letter.ticket_id) if known else "",
        name=_name(letter.name) if known else "",
        found=tuple(
            Found(one_line(f.label, _LONGEST_LABEL), one_line(f.value, _LONGEST_VALUE))
            for f in letter.found[:_MOST_FOUND]
            if known
        ),
        history=_quoted(letter.history) if known else None,
        category=one_line(letter.category, _LONGEST_LABEL),
        categories=tuple(one_line(label, _LONGEST_LABEL) for label in letter.categories[:_MOST_CATEGORIES]),
        missing=tuple(one_line(label, _LONGEST_LABEL) for label in letter.missing[:_MOST_MISSING]),
        articles=tuple(
            ArticleLink(
                one_line(a.title, _LONGEST_TITLE),
                one_line(a.address, _LONGEST_LINK),
                one_line(a.excerpt, _LONGEST_EXCERPT),
            )
            for a in letter.articles[:_MOST_ARTICLES]
        ),
        secrets=tuple(
            dict.fromkeys(one_line(kind, _LONGEST_LABEL).lower().replace("-", " ") for kind in letter.secrets)
        )[:_MOST_SECRETS],
        check_word=one_line(letter.check_word, _LONGEST_LABEL),
        staff_name=one_line(letter.staff_name, _LONGEST_NAME),
        staff_text=many_lines(letter.staff_text, _LONGEST_STAFF_TEXT),
        notices=letter.notices[:_MOST_NOTICES],
        steps=letter.steps[-_MOST_STEPS:],
    )
