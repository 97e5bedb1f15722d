"""The template engine: sources in order of precedence, a text and an HTML environment over them, where one broke."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    PrefixLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    nodes,
)
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import BlockReference, Context, Macro, TemplateReference

from mailticket.letters import flow
from mailticket.letters.colours import Look
from mailticket.letters.moments import Moment, Span
from mailticket.letters.phrases import languages_of
from mailticket.letters.values import Problem, TemplateSource

Medium = Literal["subject", "text", "html"]
SHIPPED = "default/"  # under this name the last source is there, whatever others override
_LARGEST_OUTPUT = 1_000_000  # characters of one rendered page


class OutputTooLarge(Exception):
    """A template prints more than a letter can be."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template is made of. blocks: name to line. inner: those inside other blocks. calls: `self.NAME`."""

    extends: bool
    blocks: Mapping[str, int]
    inner: frozenset[str]
    calls: frozenset[str]


class _Files(BaseLoader):
    """Templates out of a mapping; they carry the name of their file, so that errors can point at it."""

    def __init__(self, source: TemplateSource) -> None:
        self.source = source

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        text = self.source.files.get(template)
        if text is None:
            raise TemplateNotFound(template)
        return text, f"{self.source.origin}/{template}", lambda: True


class TemplateEngine:
    """Renders letters from sources, the first of which wins; the last one is also there as `default/...`."""

    def __init__(self, sources: Sequence[TemplateSource]) -> None:
        self.sources = tuple(sources)
        loaders = [_Files(source) for source in sources]
        loader = ChoiceLoader([*loaders, PrefixLoader({SHIPPED.rstrip("/"): loaders[-1]})])
        self._plain, self._html = _environment(loader, html=False), _environment(loader, html=True)
        self._templates: dict[tuple[Medium, str, str, Look], tuple[Template, Mapping[str, Any]]] = {}
        self.languages = languages_of(sources)

    def has(self, name: str) -> bool:
        return any(name in source.files for source in self.sources)

    def place(self, language: str, file: str) -> str:
        """The name of a language's file, or of the English one that stands in for it."""
        own = f"{language}/{file}"
        return own if self.has(own) else f"en/{file}"

    def render(self, medium: Medium, kind: str, language: str, values: Mapping[str, Any]) -> str:
        """One page of a letter, tidied. Errors: whatever the template did wrong, and OutputTooLarge."""
        template, surroundings = self._template(medium, kind, language, values["look"])
        pieces: list[str] = []
        size = 0
        for piece in template.generate({**values, **surroundings}):
            size += len(piece)
            if size > _LARGEST_OUTPUT:
                raise OutputTooLarge(f"{template.filename} prints more than {_LARGEST_OUTPUT} characters")
            pieces.append(piece)
        page = "".join(pieces)
        return flow.tidy_html(page) if medium == "html" else flow.tidy_text(page)

    def _template(self, medium: Medium, kind: str, language: str, look: Look) -> tuple[Template, Mapping[str, Any]]:
        """The template of a page, and what it sees whatever the letter: looked up and wrapped once for each look."""
        if (medium, kind, language, look) not in self._templates:
            environment, parts = (self._html, "html") if medium == "html" else (self._plain, "text")
            surroundings = {
                "medium": medium,
                "language": language,
                "layout": f"layout/{medium}.j2",
                "structure": f"structure/{kind}.j2",
                "common": self.place(language, "common.j2"),
                "part": _Macros(environment.get_template(f"layout/{parts}-parts.j2"), look),
                "dates": _Macros(environment.get_template(self.place(language, "dates.j2")), look),
            }
            template = environment.get_template(self.place(language, f"{kind}.j2"))
            self._templates[medium, kind, language, look] = template, surroundings
        return self._templates[medium, kind, language, look]

    def compile_all(self) -> list[Problem]:
        """Every template that is not valid Jinja."""
        problems = []
        for source in self.sources:
            for name, text in source.files.items():
                try:
                    self._html.compile(text, name, f"{source.origin}/{name}")
                except TemplateSyntaxError as error:
                    problems.append(self.problem(error))
        return problems

    def shape(self, name: str) -> Shape | None:
        """The blocks of a template, as the first source has it; None for one that is no Jinja."""
        sources = self.sources[-1:] if name.startswith(SHIPPED) else self.sources
        own = name.removeprefix(SHIPPED)
        text = next((source.files[own] for source in sources if own in source.files), "")
        try:
            tree = self._html.parse(text, name)
        except TemplateSyntaxError:
            return None
        blocks = list(tree.find_all(nodes.Block))
        return Shape(
            extends=tree.find(nodes.Extends) is not None,
            blocks={block.name: block.lineno for block in blocks},
            inner=frozenset(inner.name for block in blocks for inner in block.find_all(nodes.Block)),
            calls=frozenset(
                call.attr for call in tree.find_all(nodes.Getattr)
                if isinstance(call.node, nodes.Name) and call.node.name == "self"
            ),
        )  # fmt: skip

    def problem(self, error: Exception) -> Problem:
        """The file and line of a template at which an error arose, as far as it can be told."""
        if isinstance(error, TemplateSyntaxError):
            return Problem(error.filename or error.name or "", error.lineno, str(error.message))
        message = f"{type(error).__name__}: {error}"
        origins = tuple(f"{source.origin}/" for source in self.sources)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename.startswith(origins) and frame.filename.endswith(".j2"):
                return Problem(frame.filename, frame.lineno or 0, message)
        return Problem(str(getattr(error, "name", "") or ""), 0, message)


class _Macros:
    """What a template imported from another has, its macros such that the same values are not put into one again.

    Most sentences of a letter are those of the letter before; what they are put into sees nothing else of the letter.
    """

    def __init__(self, template: Template, look: Look) -> None:
        for name, value in vars(template.make_module({"look": look})).items():
            setattr(self, name, _Remembering(value) if isinstance(value, Macro) else value)


class _Remembering:
    """A macro that remembers what came of its last calls."""

    __slots__ = ("_again", "_macro")

    def __init__(self, macro: Macro) -> None:
        self._macro = macro
        self._again = lru_cache(_MOST_REMEMBERED, typed=True)(macro)

    def __call__(self, *values: Any, **named: Any) -> str:
        if named or not all(map(_comes_again, values)):
            return self._macro(*values, **named)
        return self._again(*values)


def _comes_again(value: object) -> bool:
    """Whether a value can be looked up, and may be the same in another letter: a person's text never is."""
    return len(value) <= _LONGEST_REMEMBERED if isinstance(value, str) else isinstance(value, (Moment, Span))


_MOST_REMEMBERED = 256  # calls of one macro
_LONGEST_REMEMBERED = 400  # characters of one value


class _Context(Context):
    """Jinja asks of whatever a template calls whether it wants the context; blocks and our macros never do."""

    def call(self, called: Callable[..., Any], /, *values: Any, **named: Any) -> Any:
        if not isinstance(called, (BlockReference, _Remembering)):
            return super().call(called, *values, **named)
        named.pop("_loop_vars", None)
        named.pop("_block_vars", None)
        return called(*values, **named)


class _Environment(Environment):
    context_class = _Context

    def getattr(self, holder: Any, attribute: str) -> Any:
        """`self.NAME` is a block; Jinja looks for an attribute first, and the miss costs more than the block."""
        if isinstance(holder, TemplateReference):
            return self.getitem(holder, attribute)
        return super().getattr(holder, attribute)


def _environment(loader: BaseLoader, *, html: bool) -> Environment:
    environment = _Environment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "fold": flow.fold,
        "wrap": flow.wrap,
        "underline": flow.underline,
        "quote": flow.quote,
        "lines": flow.lines_as_html,
    }
    return environment
