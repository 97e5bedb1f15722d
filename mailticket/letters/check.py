"""What is wrong with a site's templates: every letter is rendered in every language, and the gaps are listed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from mailticket.letters import clean, samples
from mailticket.letters.engine import SHIPPED, Shape, TemplateEngine
from mailticket.letters.pages import render
from mailticket.letters.values import KINDS, LetterKind, Problem

_FRAMES = ("layout/", "structure/")
_WORD_FILES = ("common.j2", "dates.j2", *(f"{kind}.j2" for kind in KINDS))


def problems(engine: TemplateEngine, shipped: TemplateEngine) -> list[Problem]:
    """Broken templates first, each once, then files that replace nothing, then the gaps of languages."""
    faults = dict.fromkeys(engine.compile_all())
    if not faults:
        for language in engine.languages:
            for kind in KINDS:
                faults |= dict.fromkeys(_broken(engine, kind, language))
        faults |= dict.fromkeys(_blocks_of_no_use(engine))
    return [*faults, *_strangers(engine, shipped), *_gaps(engine)]


def _broken(engine: TemplateEngine, kind: LetterKind, language: str) -> list[Problem]:
    """The first problem of each sample; a letter must also say its ticket ID and the promised date early."""
    faults = []
    for sample in samples.variants(kind, language):
        try:
            pages = render(engine, clean.presentable(sample), samples.HEAD, language)
        except Exception as error:  # a template can raise anything
            faults.append(engine.problem(error))
            continue
        first_lines = "\n".join(pages.text.split("\n")[:2])
        if sample.ticket_id not in first_lines or sample.ticket_id not in pages.html:
            name = engine.place(language, f"{kind}.j2")
            faults.append(Problem(_file(engine, name), 0, "the ticket ID is not in the first two lines of the text"))
        if sample.notices and not all(samples.NOTICE_WORDS in page for page in (pages.text, pages.html)):
            name = engine.place(language, f"{kind}.j2")
            faults.append(Problem(_file(engine, name), 0, "a notice (`mailticket notice set`) would not be shown"))
    return faults


def _file(engine: TemplateEngine, name: str) -> str:
    return next((f"{source.origin}/{name}" for source in engine.sources if name in source.files), name)


def _strangers(engine: TemplateEngine, shipped: TemplateEngine) -> list[Problem]:
    """Files of the administrator that no letter uses: most often a name that was typed wrong."""
    ours = shipped.sources[0].files
    faults = []
    for source in engine.sources[:-1]:
        for name in source.files:
            folder, _, file = name.rpartition("/")
            used = name in ours or (folder in engine.languages and file in _WORD_FILES)
            if not used and not _mentioned(name, engine):
                faults.append(Problem(f"{source.origin}/{name}", 1, "no letter uses this file; is its name right?"))
    return faults


def _blocks_of_no_use(engine: TemplateEngine) -> Iterator[Problem]:
    """Blocks of the administrator that nothing prints, most often because their name was typed wrong.

    A block is printed where a file that this one extends has one of that name, where a block of the same file holds it,
    or where any file says `self.NAME()`.
    """
    names = [name for source in engine.sources for name in source.files]
    names += [SHIPPED + name for name in engine.sources[-1].files]
    shapes = {name: shape for name in names if (shape := engine.shape(name))}
    called = {name for shape in shapes.values() for name in shape.calls}
    frames = {name for file, shape in shapes.items() if file.startswith(_FRAMES) for name in shape.blocks}
    for source in engine.sources[:-1]:
        for file in source.files:
            shape = engine.shape(file)
            if shape is None or not shape.extends:
                continue
            above = frames | _words_above(file, shapes)
            for name, line in shape.blocks.items():
                if name not in above and name not in called and name not in shape.inner:
                    like = difflib.get_close_matches(name, sorted(above | called), n=1)
                    meant = f"; did you mean {like[0]}?" if like else ""
                    yield Problem(f"{source.origin}/{file}", line, f"no letter has a block {name}{meant}")


def _words_above(file: str, shapes: Mapping[str, Shape]) -> set[str]:
    """The blocks of the words that all letters of a file's language share, which the file of one letter extends."""
    folder = file.rpartition("/")[0]
    above = [f"{folder}/common.j2", "en/common.j2", f"{SHIPPED}{folder}/common.j2", SHIPPED + file]
    shapes_above = [shapes[name] for name in above if name in shapes and name != file]
    return {name for shape in shapes_above for name in shape.blocks}


def _mentioned(name: str, engine: TemplateEngine) -> bool:
    """Whether another template includes, imports or extends this one by its name."""
    texts = (text for source in engine.sources for text in source.files.values())
    return any(f'"{name}"' in text or f"'{name}'" in text for text in texts)


def _gaps(engine: TemplateEngine) -> list[Problem]:
    return [
        Problem(f"{language}/{file}", 0, f"missing: the English {file} is used for {language}", gap=True)
        for language in engine.languages
        for file in _WORD_FILES
        if not engine.has(f"{language}/{file}")
    ]
