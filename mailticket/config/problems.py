"""What pydantic found wrong with a configuration -> sentences with key, line and remedy, and never a value."""

from __future__ import annotations

import difflib
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailticket.config.lines import KeyPath
from mailticket.settings import Settings

# pydantic says which pattern a text missed; people need to know what to write.
_FORMS = {
    "prefix": "one to eight capital letters or digits, beginning with a letter",
    "former_prefixes": "one to eight capital letters or digits, beginning with a letter",
    "language": 'a language such as "en", "de" or "zh-Hans"',
    "url": '"sqlite:///FILE" or "postgresql://USER@HOST/NAME"',
    "holiday_country": 'a country such as "DE", or one with a region such as "DE-BY"',
    "mailbox.name": "up to 40 letters, digits, dots, hyphens or underscores",
    "category.name": "lower-case letters, digits and hyphens, beginning with a letter",
    "fields.name": "lower-case letters, digits and underscores, beginning with a letter",
}


class Report:
    """Turns pydantic's findings into sentences with key, place and remedy."""

    def __init__(self, place: Path | None, lines: dict[KeyPath, int], variables: dict[KeyPath, str]) -> None:
        self._place = place
        self._lines = lines
        self._variables = variables

    def problems(self, error: ValidationError) -> list[str]:
        found: list[str] = []
        for detail in sorted(error.errors(include_input=False, include_url=False), key=self._order):
            if detail["type"] == "contradiction":
                found += detail.get("ctx", {})["problems"]
            else:
                found.append(f"{self._where(detail['loc'])}: {_what(detail)}")
        return found

    def _order(self, detail: ErrorDetails) -> int:
        return self._line(detail["loc"]) or 1_000_000

    def _line(self, path: KeyPath) -> int | None:
        """The line of a key, else of what holds it: that is where a missing key has to go."""
        return next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), None)

    def _where(self, path: KeyPath) -> str:
        variable = self._variables.get(path)
        if variable:
            return variable
        line = self._line(path)
        return key_name(path) + (f" ({self._place}, line {line})" if line else f" ({self._place})")


def key_name(path: KeyPath) -> str:
    """How a key is called to people: ``[smtp] port``, ``mailbox[2].port`` (counted from 1)."""
    path = tuple(part for part in path if part != "[key]")
    if len(path) > 1 and all(isinstance(part, str) for part in path):
        return f"[{'.'.join(map(str, path[:-1]))}] {path[-1]}"
    if len(path) == 1:
        return f"[{path[0]}]"
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _what(detail: ErrorDetails) -> str:
    """One finding as a sentence that says what to write."""
    kind, path, context = detail["type"], detail["loc"], detail.get("ctx", {})
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return f"there is no such key{suggestion(name, _model_at(path[:-1]))}"
    if kind == "missing":
        return f"is missing; add [{name}]" if len(path) == 1 else f"is missing; add {name} = ..."
    if kind == "string_pattern_mismatch":
        form = _form(path)
        return f"must be {form}" if form else "must be one line of text"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "tuple_type":
        return (
            f"must be an array of tables: write [[{name}]]" if _holds_tables(path) else 'must be a list: ["...", "..."]'
        )
    if kind == "string_type":
        return "must be a text in quotes"
    if kind in ("model_type", "model_attributes_type"):
        return f"must be a table: write [{name}]"
    if kind == "string_too_short":
        return "must not be empty"
    return detail["msg"].replace("Input should be", "must be", 1)


def _holds_tables(path: KeyPath) -> bool:
    return _model_at(path) is not None


def _form(path: KeyPath) -> str | None:
    names = [str(part) for part in path if isinstance(part, str)]
    return _FORMS.get(".".join(names[-2:])) or _FORMS.get(names[-1])


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Settings
    for part in path:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = model_in(model.model_fields[part].annotation)
        elif isinstance(part, str):
            return None
    return model


def suggestion(name: str, model: type[BaseModel] | None) -> str:
    """The known key that is most like an unknown one, or else all that are known there."""
    if model is None:
        return ""
    known = list(model.model_fields)
    like = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {like[0]!r}?" if like else f"; known are {', '.join(known)}"


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model of a table, of an array's tables or of an optional table."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return next((found for part in get_args(annotation) if (found := model_in(part))), None)
    return None
