"""What pydantic found wrong with a configuration -> sentences with key, line and remedy, and never a value."""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailticket.config.lines import line_of
from mailticket.settings import Flaw, KeyPath, Settings

# pydantic says which pattern a text missed; people need to know what to write.
_FORMS = {
    "brand.name": "up to 30 lower-case letters a to z, digits or hyphens, beginning with a letter",
    "brand.colour": 'a colour such as "#0b6b64"',
    "brand.dark_colour": 'a colour such as "#0b6b64", or "" for one made of the other',
    "prefix": "one to eight capital letters or digits, beginning with a letter",
    "former_prefixes": "one to eight capital letters or digits, beginning with a letter",
    "language": 'a language such as "en", "de" or "zh-Hans"',
    "url": '"sqlite:///FILE" or "postgresql://USER@HOST/NAME"',
    "holiday_country": 'a country such as "DE", or one with a region such as "DE-BY"',
    "mailbox.name": "up to 40 letters, digits, dots, hyphens or underscores",
    "staff.name": "up to 30 lower-case letters a to z, digits, dots, hyphens or underscores, beginning with a letter",
    "team.name": "up to 30 lower-case letters a to z, digits, dots, hyphens or underscores, beginning with a letter",
    "team.members": "a list of names of [[staff]] tables",
    "team.lead": "the name of a [[staff]] table",
    "staff.login": "the name of an account on this machine",
    "desk.digests": 'times such as "08:30"',
    "block.domain": 'a domain such as "spam.example", which stands for those below it too',
    "category.name": "lower-case letters, digits and hyphens, beginning with a letter",
    "fields.name": "lower-case letters, digits and underscores, beginning with a letter",
}


# The kinds of pydantic's errors whose remedy needs no more than the key's name.
_REMEDIES = {
    "string_type": "must be a text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
_LIST = 'must be a list: ["...", "..."]'
_TABLES = ("model_type", "model_attributes_type", "dict_type")  # the kinds that miss a table


def sentences(
    error: ValidationError,
    hidden: Sequence[Flaw],
    place: Path | None,
    lines: dict[KeyPath, int],
    variables: dict[KeyPath, str],
) -> list[str]:
    """pydantic's findings as sentences in the order of the lines, each with its key or variable, place and remedy.

    hidden: what tables contradict each other in, where the findings kept pydantic from saying so.
    """
    placed: list[tuple[float, str]] = []
    for detail in error.errors(include_input=False, include_url=False):
        path = detail["loc"]
        if detail["type"] != "contradiction":
            key = variables.get(path) or f"{key_name(path)} ({_where(path, place, lines)})"
            placed.append((line_of(path, lines) or math.inf, f"{key}: {_remedy(detail)}"))
    for path, words in (*contradictions(error), *hidden):
        where = variables.get(path) or _where(path, place, lines)
        placed.append((line_of(path, lines) or math.inf, f"{words} ({where})"))
    return [sentence for _, sentence in sorted(placed, key=lambda pair: pair[0])]


def contradictions(error: ValidationError) -> list[Flaw]:
    """What sound tables contradict each other in, among pydantic's findings."""
    return [flaw for d in error.errors() if d["type"] == "contradiction" for flaw in d["ctx"]["flaws"]]


def _where(path: KeyPath, place: Path | None, lines: dict[KeyPath, int]) -> str:
    line = line_of(path, lines)
    return f"{place or 'environment'}, line {line}" if line else f"{place or 'environment'}"


def key_name(path: KeyPath) -> str:
    """How a key is called to people: ``[smtp] port``, ``mailbox[2].port`` (counted from 1)."""
    path = tuple(part for part in path if part != "[key]")
    if len(path) > 1 and all(isinstance(part, str) for part in path):
        return f"[{'.'.join(map(str, path[:-1]))}] {path[-1]}"
    if len(path) == 1:
        return f"[{path[0]}]"
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _remedy(detail: ErrorDetails) -> str:
    """One finding as the end of a sentence that says what to write."""
    kind, path = detail["type"], detail["loc"]
    name = str(path[-1]) if path else ""
    if kind in _REMEDIES:
        return _REMEDIES[kind]
    if kind in _TABLES:
        return f"must be a table: write {_header(path)}"
    if kind == "extra_forbidden":
        return f"there is no such key{suggestion(name, _model_at(path[:-1]))}"
    if kind == "missing":
        return f"is missing; add [{name}]" if len(path) == 1 else f"is missing; add {name} = ..."
    if kind == "string_pattern_mismatch":
        form = _form(path)
        return f"must be {form}" if form else "must be one line of text"
    if kind == "value_error":
        return str(detail.get("ctx", {}).get("error", detail["msg"]))
    if kind == "tuple_type":
        is_of_tables = _model_at(path) is not None
        return f"must be an array of tables: write {_header((*path, 0))}" if is_of_tables else _LIST
    return detail["msg"].replace("Input should be", "must be", 1)


def _header(path: KeyPath) -> str:
    """The line that begins a table; of one inside an entry of an array with where it belongs."""
    path = tuple(part for part in path if part != "[key]")
    names = ".".join(part for part in path if isinstance(part, str))
    header = f"[[{names}]]" if isinstance(path[-1], int) else f"[{names}]"
    above = next((n for n in range(len(path) - 1, 0, -1) if isinstance(path[n - 1], int)), 0)
    return f"{header} below its {_header(path[:above])}" if above else header


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
        return next((model for part in get_args(annotation) if (model := model_in(part))), None)
    return None
