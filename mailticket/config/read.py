"""The TOML file and the environment -> frozen settings; every problem at once, with its place and what to do.

Order of force: environment (``MAILTICKET_SMTP__HOST``; entries of an array are counted from 1,
``MAILTICKET_MAILBOX__1__PORT``), then the file, then the defaults. No message ever contains a configured value, except
where `settings` itself quotes one that is no secret.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mailticket.config.lines import KeyPath, key_lines
from mailticket.config.problems import Report, model_in, suggestion
from mailticket.errors import ConfigurationError
from mailticket.settings import Settings

PREFIX = "MAILTICKET_"
SYSTEM_FILE = Path("/etc/mailticket/mailticket.toml")
SYSTEM_STATE = Path("/var/lib/mailticket")

_log = logging.getLogger(__name__)


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: the one asked for, or the first of the usual places; None when there is none."""
    asked = path or (Path(environ["MAILTICKET_CONFIG"]) if environ.get("MAILTICKET_CONFIG") else None)
    if asked is not None:
        return asked
    return next((place for place in (Path("mailticket.toml"), SYSTEM_FILE) if place.exists()), None)


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from the file (see `find_file`) and the environment; relative paths become absolute.

    Raises ConfigurationError with every problem found, each naming its key, line or variable, and the remedy.
    """
    place = find_file(path, environ)
    variables = _variables(environ)
    if place is None and not variables:
        raise ConfigurationError(
            [
                f"no configuration found, neither ./mailticket.toml nor {SYSTEM_FILE}: "
                "write one with 'mailticket init', or name yours with --config FILE"
            ]
        )
    text = _read(place) if place else ""
    base = (place.parent if place else Path()).resolve()
    from_file = _parse(text, place)
    from_environment, problems = _from_environment(environ, from_file)
    values = _laid_over(from_file, from_environment)
    _resolve_paths(Settings, values, base)
    report = Report(place, key_lines(text), variables)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError([*problems, *report.problems(error), *_contradictions(values, error)]) from None
    if problems:
        raise ConfigurationError(problems)
    return settings


def _read(place: Path) -> str:
    try:
        # Windows editors begin a file with a byte order mark, which TOML does not know.
        return place.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError([f"{place}, line {line}: not UTF-8 text; save the file as UTF-8"]) from None
    except FileNotFoundError:
        raise ConfigurationError([f"{place}: there is no such file; 'mailticket init' writes one"]) from None
    except OSError as error:
        raise ConfigurationError([f"{place}: cannot be read: {error.strerror or error}"]) from None


def _parse(text: str, place: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        what, line, column = found.groups() if found else (str(error), None, None)
        where = f"line {line}, column {column}" if line else "end of file"
        raise ConfigurationError([f"{place}, {where}: not TOML: {_syntax_hint(what)}"]) from None
    except (ValueError, RecursionError):
        raise ConfigurationError([f"{place}: not TOML: a number is too long or brackets are nested too deep"]) from None


def _syntax_hint(what: str) -> str:
    """tomllib's sentence with what usually lies behind it."""
    usual = {
        "Cannot overwrite a value": "the key is there twice; keep one",
        "Invalid value": "a text stands in quotes, and true, false and numbers do not",
        "Expected '=' after a key": "write key = value, a comment begins with #",
        "Unescaped '\\' in a string": "write a backslash twice, or put the text in single quotes",
        "Illegal character '\\n'": "the closing quote is missing",
    }
    return next((f"{what}: {hint}" for start, hint in usual.items() if what.startswith(start)), what)


def _variables(environ: Mapping[str, str]) -> dict[KeyPath, str]:
    """The environment's variables that name keys, by path. `MAILTICKET_CONFIG` and other flat names are no keys."""
    found: dict[KeyPath, str] = {}
    for name in environ:
        key = name.upper().removeprefix(PREFIX)
        flat = key.lower() in Settings.model_fields
        if key != name.upper() and ("__" in key or flat):
            parts = key.lower().split("__")
            found[tuple(int(part) - 1 if part.isdigit() else part for part in parts)] = name
    return found


def _from_environment(environ: Mapping[str, str], from_file: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What the environment says, in the file's shape, and the variables that say nothing understandable."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for path, name in sorted(_variables(environ).items(), key=lambda item: item[1]):
        if path[0] not in Settings.model_fields:
            problems.append(f"{name}: there is no section [{path[0]}]{suggestion(str(path[0]), Settings)}")
            continue
        try:
            if len(path) > 2 and path[0] in ("mailbox", "category") and isinstance(path[1], int):
                part = _environment_of(Settings.model_fields[str(path[0])].annotation, name, environ)
                entries = len(from_file.get(str(path[0]), []))
                values[str(path[0])] = _place(values.get(str(path[0]), [{}] * entries), path[1], part)
            else:
                values = _laid_over(values, _source(Settings, PREFIX, {name: environ[name]}))
        except IndexError:
            problems.append(f"{name}: entries of an array are counted from 1 and follow each other without a gap")
        except ValueError:
            problems.append(f'{name}: not understood; lists and tables are written as JSON, such as ["a", "b"]')
    return values, problems


def _environment_of(annotation: Any, name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    model = get_args(annotation)[0]
    prefix = "__".join(name.split("__")[:2]) + "__"
    return _source(model, prefix, {name: environ[name]})


def _source(model: type[BaseModel], prefix: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """pydantic-settings' reading of some variables. A key that the model does not know is kept, to be reported."""
    # Imported here: it takes 70 ms, and most commands run without any such variable.
    from pydantic_settings import EnvSettingsSource

    source = EnvSettingsSource(model, env_prefix=prefix, env_nested_delimiter="__")  # type: ignore[arg-type]
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    values = source()
    if not values:
        name = next(iter(variables))
        values = {name[len(prefix) :].lower(): None}
    return values


def _place(entries: list[dict[str, Any]], index: int, part: dict[str, Any]) -> list[dict[str, Any]]:
    if not 0 <= index <= len(entries):
        raise IndexError(index)
    return [*entries[:index], _laid_over(entries[index] if index < len(entries) else {}, part), *entries[index + 1 :]]


def _laid_over(below: Any, above: Any) -> Any:
    """`above` laid over `below`: tables key by key, arrays of tables entry by entry, anything else replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}
    if isinstance(below, list) and isinstance(above, list) and above and all(isinstance(e, dict) for e in above):
        longer = max(len(below), len(above))
        return [_laid_over(_at(below, i), _at(above, i)) if i < len(above) else below[i] for i in range(longer)]
    return above


def _at(entries: list[Any], index: int) -> Any:
    return entries[index] if index < len(entries) else {}


def _resolve_paths(model: type[BaseModel], values: dict[str, Any], base: Path) -> None:
    """Make relative paths absolute, against the folder of the file: the daemon's working folder means nothing."""
    for name, field in model.model_fields.items():
        value = values.get(name)
        nested = model_in(field.annotation)
        if nested is not None:
            for table in value if isinstance(value, list) else [value]:
                if isinstance(table, dict):
                    _resolve_paths(nested, table, base)
        elif Path in (field.annotation, *get_args(field.annotation)) and isinstance(value, str) and value:
            values[name] = str(base / value)
    if model is Settings:
        _resolve_database(values, base)
    command = values.get("oauth2_token_command")
    if isinstance(command, list) and command and isinstance(command[0], str) and "/" in command[0]:
        values["oauth2_token_command"] = [str(base / command[0]), *command[1:]]


def _resolve_database(values: dict[str, Any], base: Path) -> None:
    """An SQLite file lies beside the configuration; that of /etc/mailticket, which nothing may write, in /var/lib."""
    database = values.setdefault("database", {})
    if not isinstance(database, dict):
        return
    if "url" not in database and base == SYSTEM_FILE.parent.resolve():
        base = SYSTEM_STATE
    url = database.setdefault("url", "sqlite:///mailticket.db")
    if isinstance(url, str) and url.startswith("sqlite:///") and not url.startswith("sqlite:///:memory:"):
        database["url"] = f"sqlite:///{base / url.removeprefix('sqlite:///')}"


def _contradictions(values: dict[str, Any], error: ValidationError) -> list[str]:
    """What the sound tables contradict each other in, when others are broken and hid it.

    Broken tables are left out, and those that must be there replaced by harmless ones.
    """
    broken = {detail["loc"][:2] if detail["loc"][:1] in (("mailbox",), ("category",)) else detail["loc"][:1]
              for detail in error.errors(include_context=False)}  # fmt: skip
    if () in broken:
        return []
    harmless = {"support": {"address": "nobody@example.com"}, "smtp": {"host": "localhost"}}
    sound: dict[str, Any] = {name: table for name, table in values.items() if (name,) not in broken}
    for name in ("mailbox", "category"):
        tables = sound.get(name, [])
        sound[name] = [table for index, table in enumerate(tables) if (name, index) not in broken]
    try:
        Settings.model_validate({**harmless, **sound})
    except ValidationError as second:
        return [p for d in second.errors() if d["type"] == "contradiction" for p in d.get("ctx", {})["problems"]]
    return []
