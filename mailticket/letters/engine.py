"""The template engine: sources in order of precedence, a text and an HTML environment over them, where one broke."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal

from jinja2 import BaseLoader, ChoiceLoader, Environment, PrefixLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import BlockReference, Context, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailticket.letters import flow
from mailticket.letters.values import Problem, TemplateSource

Medium = Literal["subject", "text", "html"]
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$")
_LARGEST_OUTPUT = 1_000_000  # characters of one rendered page
_MOST_TURNS = 100_000  # of all loops in one rendered page

# How many turns are left to the page that is being rendered. Templates that another one imports know nothing of its
# values, so the budget cannot be one of them.
_turns_left: ContextVar[int] = ContextVar("turns_left", default=_MOST_TURNS)


class OutputTooLarge(Exception):
    """A template prints more than a letter can be."""


class EndlessTemplate(Exception):
    """A template's loops turn more often than any letter needs."""


def _turn() -> str:
    left = _turns_left.get() - 1
    if left < 0:
        raise EndlessTemplate(f"its loops turn more than {_MOST_TURNS} times")
    _turns_left.set(left)
    return ""


class _Files(BaseLoader):
    """Templates out of a mapping; they carry the name of their file, so that errors can point at it."""

    def __init__(self, source: TemplateSource) -> None:
        self.source = source

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        text = self.source.files.get(template)
        if text is None:
            raise TemplateNotFound(template)
        return text, f"{self.source.origin}/{template}", lambda: True

    def list_templates(self) -> list[str]:
        return sorted(self.source.files)


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, which does not ask again what it has found safe: fields of our own values, macros and blocks."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Every loop counts its turns: a template that never ends would hold up all mail."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            count = nodes.Call(nodes.Name("count_turn", "load"), [], [], None, None)
            loop.body.insert(0, nodes.Output([count]).set_lineno(loop.lineno))
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in _fields(obj.__class__):
            return getattr(obj, attribute)
        if obj.__class__ is TemplateReference and not attribute.startswith("_"):
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(value, Macro) and isinstance(obj, TemplateModule):
            return not attr.startswith("_")
        return super().is_safe_attribute(obj, attr, value)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        if __obj is not _turn and __obj.__class__ is not Macro and __obj.__class__ is not BlockReference:
            return super().call(__context, __obj, *args, **kwargs)
        for name in ("_block_vars", "_loop_vars"):  # which compiled templates tell Context.call
            kwargs.pop(name, None)
        return __obj(__context.eval_ctx, *args, **kwargs) if __obj.__class__ is Macro else __obj(*args, **kwargs)


@cache
def _fields(kind: Any) -> frozenset[str]:
    """The fields of a frozen value of ours; none of any other type."""
    ours = is_dataclass(kind) and kind.__module__.startswith("mailticket.")
    return frozenset(field.name for field in fields(kind)) if ours else frozenset()


class Press:
    """Renders letters from sources, the first of which wins; the last one is also there as `default/...`."""

    def __init__(self, sources: Sequence[TemplateSource]) -> None:
        self.sources = tuple(sources)
        files = [_Files(source) for source in sources]
        loader = ChoiceLoader([*files, PrefixLoader({"default": files[-1]})])
        self._environments = {False: _environment(loader, html=False), True: _environment(loader, html=True)}
        self.languages = tuple(sorted({name.partition("/")[0] for s in sources for name in s.files if _is_word(name)}))

    def has(self, name: str) -> bool:
        return any(name in source.files for source in self.sources)

    def place(self, language: str, file: str) -> str:
        """The name of a language's file, or of the English one that stands in for it."""
        own = f"{language}/{file}"
        return own if self.has(own) else f"en/{file}"

    def render(self, medium: Medium, kind: str, language: str, values: Mapping[str, Any]) -> str:
        """One page of a letter, tidied. Errors: whatever the template did wrong, and OutputTooLarge."""
        environment = self._environments[medium == "html"]
        parts = "html" if medium == "html" else "text"
        context = {
            **values,
            "medium": medium,
            "language": language,
            "layout": f"layout/{medium}.j2",
            "structure": f"structure/{kind}.j2",
            "common": self.place(language, "common.j2"),
            "part": environment.get_template(f"layout/{parts}-parts.j2").module,
            "dates": environment.get_template(self.place(language, "dates.j2")).module,
        }
        template = environment.get_template(self.place(language, f"{kind}.j2"))
        _turns_left.set(_MOST_TURNS)
        pieces: list[str] = []
        size = 0
        for piece in template.generate(context):
            size += len(piece)
            if size > _LARGEST_OUTPUT:
                raise OutputTooLarge(f"{template.filename} prints more than {_LARGEST_OUTPUT} characters")
            pieces.append(piece)
        page = "".join(pieces)
        return flow.tidy_html(page) if medium == "html" else flow.tidy_text(page)

    def compile_all(self) -> list[Problem]:
        """Every template that is not valid Jinja."""
        problems = []
        for source in self.sources:
            for name, text in source.files.items():
                try:
                    self._environments[True].compile(text, name, f"{source.origin}/{name}")
                except TemplateSyntaxError as error:
                    problems.append(where(error, self.sources))
        return problems


def _is_word(name: str) -> bool:
    return "/" in name and _LANGUAGE.match(name.partition("/")[0]) is not None


def _environment(loader: BaseLoader, *, html: bool) -> Environment:
    environment = _Sandbox(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["count_turn"] = _turn
    environment.filters |= {
        "fold": flow.fold,
        "wrap": flow.wrap,
        "underline": flow.underline,
        "quote": flow.quote,
        "lines": flow.lines_as_html,
    }
    return environment


def where(error: Exception, sources: Sequence[TemplateSource]) -> Problem:
    """The file and line of a template at which an error arose, as far as it can be told."""
    if isinstance(error, TemplateSyntaxError):
        return Problem(error.filename or error.name or "", error.lineno, str(error.message))
    message = f"{type(error).__name__}: {error}"
    origins = tuple(f"{source.origin}/" for source in sources)
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((f for f in reversed(frames) if f.filename.startswith(origins) and f.filename.endswith(".j2")), None)
    if frame is None:
        return Problem(str(getattr(error, "name", "") or ""), 0, message)
    return Problem(frame.filename, frame.lineno or 0, message)
