"""The TOML file and the environment -> frozen settings; every problem at once, with its place and what to do.

Order of force: environment (``MAILTICKET_SMTP__HOST``; entries of an array are counted from 1,
``MAILTICKET_MAILBOX__1__PORT``), then the file, then the defaults. No message ever contains a configured value, except
where `settings` itself quotes one that is no secret.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mailticket.config.lines import key_lines, line_of
from mailticket.config.problems import contradictions, model_in, sentences, suggestion
from mailticket.errors import ConfigurationError, NotAllowed
from mailticket.settings import Flaw, KeyPath, Settings

PREFIX = "MAILTICKET_"
ARRAYS = ("mailbox", "category", "staff", "team", "block", "brand")
SYSTEM_FILE = Path("/etc/mailticket/mailticket.toml")
SYSTEM_STATE = Path("/var/lib/mailticket")


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: the one asked for, or the first of the usual places; None when there is none."""
    asked = path or (Path(environ["MAILTICKET_CONFIG"]) if environ.get("MAILTICKET_CONFIG") else None)
    if asked is not None:
        return asked
    return next((place for place in (Path("mailticket.toml"), SYSTEM_FILE) if _may_be_there(place)), None)


def _may_be_there(place: Path) -> bool:
    """Whether a file exists; also where we may not look, so that reading it says so."""
    try:
        return place.exists()
    except PermissionError:
        return place.is_absolute()  # in a working folder that is closed to us nobody keeps a configuration for us


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
    values, problems = _with_environment(_parse(text, place), variables, environ)
    # The file of /etc/mailticket lies where nothing may write, so its database lies elsewhere unless it is named.
    database = values.setdefault("database", {})
    if isinstance(database, dict) and base == SYSTEM_FILE.parent.resolve():
        database.setdefault("url", f"sqlite:///{SYSTEM_STATE / 'mailticket.db'}")
    try:
        settings = Settings.model_validate(values, context={"base": base})
    except ValidationError as error:
        problems += sentences(error, _hidden(values, error), place, key_lines(text), variables)
    if problems:
        raise ConfigurationError(problems)
    return settings


def passwords_written_in(place: Path) -> list[int]:
    """The lines of a file, from 1, in which a password stands; none of a file that cannot be read."""
    try:
        text = _read(place)
        values = _parse(text, place)
    except ConfigurationError:
        return []
    servers: list[KeyPath] = [("smtp",), *(("mailbox", n) for n in range(len(values.get("mailbox", ()))))]
    servers += [("brand", n, "smtp") for n in range(len(values.get("brand", ())))]
    lines = key_lines(text)
    paths = [(*server, key) for server in servers for key in ("password", "client_secret")]
    found = {line for path in paths if _value_at(values, path) and (line := line_of(path, lines))}
    url = values.get("database", {}).get("url", "")
    if re.match(r"\w+(\+\w+)?://[^/@]*:[^/@]+@", str(url)) and ("database", "url") in lines:
        found.add(lines[("database", "url")])
    return sorted(found)


def _value_at(values: Any, path: KeyPath) -> Any:
    """What stands at a path of a file that is TOML, whatever else is wrong with it; None where nothing does."""
    for part in path:
        try:
            values = values[part]
        except (LookupError, TypeError):
            return None
    return values


def _read(place: Path) -> str:
    try:
        # Windows editors begin a file with a byte order mark, which TOML does not know.
        return place.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError([f"{place}, line {line}: not UTF-8 text; save the file as UTF-8"]) from None
    except FileNotFoundError:
        raise ConfigurationError([f"{place}: there is no such file; 'mailticket init' writes one"]) from None
    except PermissionError:
        raise NotAllowed(_who_may_read(place)) from None
    except OSError as error:
        raise ConfigurationError([f"{place}: cannot be read: {error.strerror or error}"]) from None


def _who_may_read(place: Path) -> str:
    if SYSTEM_STATE.exists() and SYSTEM_STATE.stat().st_uid == os.geteuid():
        return f"{place} cannot be read by the user of the service; run: chgrp mailticket {place}; chmod 640 {place}"
    return (
        f"the configuration {place} may be read by root and the user mailticket, and not by this account; "
        "run the command with sudo"
    )


def _parse(text: str, place: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        what, line, column = match.groups() if match else (str(error), None, None)
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
    variables: dict[KeyPath, str] = {}
    for name in environ:
        key = name.upper().removeprefix(PREFIX).lower()
        if name.upper().startswith(PREFIX) and ("__" in key or key in Settings.model_fields):
            variables[tuple(int(part) - 1 if part.isdigit() else part for part in key.split("__"))] = name
    return variables


def _with_environment(
    values: dict[str, Any], variables: dict[KeyPath, str], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The file's values with those of the environment laid over them, and the variables that say nothing
    understandable."""
    problems: list[str] = []
    for path, name in sorted(variables.items(), key=lambda item: item[1]):
        section = str(path[0])
        if section not in Settings.model_fields:
            problems.append(f"{name}: there is no section [{section}]{suggestion(section, Settings)}")
            continue
        model = model_in(Settings.model_fields[section].annotation)
        try:
            if len(path) > 2 and section in ARRAYS and isinstance(path[1], int) and model:
                entries = values.get(section)
                if not 0 <= path[1] <= (len(entries) if isinstance(entries, list) else 0):
                    raise IndexError(path[1])
                entry = _from_variable(model, "__".join(name.split("__")[:2]) + "__", name, environ[name])
                values = _laid_over(values, {section: [*[{}] * path[1], entry]})
            else:
                values = _laid_over(values, _from_variable(Settings, PREFIX, name, environ[name]))
        except IndexError:
            problems.append(f"{name}: entries of an array are counted from 1 and follow each other without a gap")
        except ValueError:
            problems.append(f'{name}: not understood; lists and tables are written as JSON, such as ["a", "b"]')
    return values, problems


def _from_variable(model: type[BaseModel], prefix: str, name: str, value: str) -> dict[str, Any]:
    """pydantic-settings' reading of one variable. A key that the model does not know is kept, to be reported."""
    # Imported here: it takes 70 ms, and most commands run without any such variable.
    from pydantic_settings import EnvSettingsSource

    source = EnvSettingsSource(model, env_prefix=prefix, env_nested_delimiter="__")  # type: ignore[arg-type]
    source.env_vars = {name.lower(): value}
    return source() or {name[len(prefix) :].lower(): None}


def _laid_over(below: Any, above: Any) -> Any:
    """`above` laid over `below`: tables key by key, arrays of tables entry by entry, anything else replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}
    if isinstance(below, list) and isinstance(above, list) and above and all(isinstance(e, dict) for e in above):
        return [*map(_laid_over, below, above), *below[len(above) :], *above[len(below) :]]
    return above


def _hidden(values: dict[str, Any], error: ValidationError) -> list[Flaw]:
    """What the sound tables contradict each other in, when others are broken and hid it.

    Broken tables are left out, and those that must be there replaced by harmless ones.
    """
    paths = [detail["loc"] for detail in error.errors()]
    if () in paths:
        return []  # all tables are sound, and what they contradict each other in is reported already
    broken = {path[: 2 if path[0] in ARRAYS else 1] for path in paths}
    sound: dict[str, Any] = {"support": {"address": "nobody@example.com"}, "smtp": {"host": "localhost"}}
    places: dict[str, list[int]] = {}  # of an array's sound entries in the file
    for name, table in values.items():
        if name in ARRAYS and (name,) not in broken:
            places[name] = [index for index, _ in enumerate(table) if (name, index) not in broken]
            sound[name] = [table[index] for index in places[name]]
        elif (name,) not in broken:
            sound[name] = table
    try:
        Settings.model_validate(sound)
    except ValidationError as second:
        return [(_path_in_file(path, places), words) for path, words in contradictions(second)]
    return []


def _path_in_file(path: KeyPath, places: Mapping[str, list[int]]) -> KeyPath:
    """A path that counts only the sound entries of an array as one that counts all."""
    name, *below = path
    if below and isinstance(below[0], int):
        below[0] = places[str(name)][below[0]]
    return (name, *below)
