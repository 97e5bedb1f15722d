"""What letters say whatever their values, and in which languages: by their sentences our words are known in replies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailticket.letters.values import TemplateSource
from mailticket.text.patterns import lazy_pattern

VALUE = "\0"  # stands where a template prints a value
_COMMENT = lazy_pattern(r"\{#.*?#\}", re.DOTALL)
_BLOCK = lazy_pattern(r"\{%-?\s*block\s+\w+\s*-?%\}(.*?)\{%-?\s*endblock", re.DOTALL)
_TAG = lazy_pattern(r"\{%.*?%\}", re.DOTALL)
_PRINT = lazy_pattern(r"\{\{(.*?)\}\}", re.DOTALL)
_LITERAL = lazy_pattern(r"\"([^\"\n]+)\"")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$")


def languages_of(sources: Sequence[TemplateSource]) -> tuple[str, ...]:
    """The languages that have a folder in any of the sources, in alphabetical order."""
    names = {name for source in sources for name in source.files}
    folders = {folder for folder, slash, _ in (name.partition("/") for name in names) if slash}
    return tuple(sorted(filter(_LANGUAGE.match, folders)))


def phrases(sources: Sequence[TemplateSource], languages: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The sentences of all letters in all languages, VALUE standing for values; and the words that dates are made of.

    A block is a sentence; so is each string in a tag, such as the advice for a kind of secret.
    """
    sentences: dict[str, None] = {}
    dates: list[str] = []
    for source in sources:
        for name, text in source.files.items():
            folder, _, file = name.rpartition("/")
            if folder not in languages:
                continue
            bare = _COMMENT.sub(" ", text)
            if file == "dates.j2":
                dates += [*(literal for tag in _TAG.findall(bare) for literal in _LITERAL.findall(tag)), _plain(bare)]
            else:
                sentences |= dict.fromkeys(_sentences(bare))
    return tuple(sentences), " ".join(dates)


def _sentences(template: str) -> Iterator[str]:
    for block in _BLOCK.findall(template):
        yield _plain(block)
        # Of the branches of a condition only one is printed, and then it is a line of its own or the end of one.
        yield from (branch for part in _TAG.split(block) if _is_sentence(branch := _plain(part)))
    for tag in _TAG.findall(template):
        yield from (literal for literal in _LITERAL.findall(tag) if _is_sentence(literal))


def _is_sentence(text: str) -> bool:
    """Three words, or six characters of a script that sets no blanks: less might be a word of the requester's."""
    return text.count(" ") > 1 or (len(text) > 5 and not text.isascii())


def _plain(template: str) -> str:
    """The words of a piece of template on one line; what prints a literal prints that."""
    text = _PRINT.sub(lambda match: " ".join(_LITERAL.findall(match[1])) or VALUE, template)
    return " ".join(_TAG.sub(" ", text).split())
