"""What is wrong with a site's templates: every letter is rendered in every language, and the gaps are listed."""

from __future__ import annotations

from mailticket.letters import clean, samples
from mailticket.letters.engine import Press, where
from mailticket.letters.pages import render
from mailticket.letters.values import KINDS, LetterKind, Problem

_WORD_FILES = ("common.j2", "dates.j2", *(f"{kind}.j2" for kind in KINDS))


def problems(press: Press, shipped: Press) -> list[Problem]:
    """Broken templates first, each once, then files that replace nothing, then the gaps of languages."""
    found = dict.fromkeys(press.compile_all())
    if not found:
        for language in press.languages:
            for kind in KINDS:
                found |= dict.fromkeys(_broken(press, kind, language))
    return [*found, *_strangers(press, shipped), *_gaps(press)]


def _broken(press: Press, kind: LetterKind, language: str) -> list[Problem]:
    """The first problem of each sample; a letter must also say its ticket ID and the promised date early."""
    found = []
    for sample in samples.variants(kind, language):
        try:
            pages = render(press, clean.presentable(sample), samples.HEAD, language)
        except Exception as error:  # a template can raise anything
            found.append(where(error, press.sources))
            continue
        first_lines = "\n".join(pages.text.split("\n")[:2])
        if sample.ticket_id not in first_lines or sample.ticket_id not in pages.html:
            name = press.place(language, f"{kind}.j2")
            found.append(Problem(_file(press, name), 0, "the ticket ID is not in the first two lines of the text"))
    return found


def _file(press: Press, name: str) -> str:
    return next((f"{source.origin}/{name}" for source in press.sources if name in source.files), name)


def _strangers(press: Press, shipped: Press) -> list[Problem]:
    """Files of the administrator that no letter uses: most often a name that was typed wrong."""
    ours = shipped.sources[0].files
    found = []
    for source in press.sources[:-1]:
        for name in source.files:
            folder, _, file = name.rpartition("/")
            used = name in ours or (folder in press.languages and file in _WORD_FILES)
            if not used and not _mentioned(name, press):
                found.append(Problem(f"{source.origin}/{name}", 1, "no letter uses this file; is its name right?"))
    return found


def _mentioned(name: str, press: Press) -> bool:
    """Whether another template includes, imports or extends this one by its name."""
    return any(f'"{name}"' in text or f"'{name}'" in text for source in press.sources for text in source.files.values())


def _gaps(press: Press) -> list[Problem]:
    return [
        Problem(f"{language}/{file}", 0, f"missing: the English {file} is used for {language}", gap=True)
        for language in press.languages
        for file in _WORD_FILES
        if not press.has(f"{language}/{file}")
    ]
