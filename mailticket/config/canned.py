"""Ready answers: a folder of <language>/<name>.md, in which {name} and {ticket_id} are filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_LARGEST = 64 * 1024  # bytes of a file
_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,60})\}")
_KNOWN = ("name", "ticket_id")
_NAME = re.compile(r"[\w-]{1,60}")


class NoSuchText(LookupError):
    """No ready answer has this name; the message names those that there are."""


def canned_text(folder: Path | None, name: str, languages: Sequence[str], values: Mapping[str, str]) -> str:
    """The ready answer of a name in the first of the languages that has one, filled in.

    Raises NoSuchText.
    """
    names = canned_names(folder)
    if folder is not None and name in names:
        for language in dict.fromkeys(languages):
            file = folder / language / f"{name}.md"
            if file.is_file():
                text = file.read_bytes()[:_LARGEST].decode("utf-8-sig", "replace").replace("\r\n", "\n").strip()
                return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
    known = f"there are: {', '.join(names)}" if names else "[desk] canned names no folder with any"
    raise NoSuchText(f"there is no ready answer {name!r}; {known}")


def canned_names(folder: Path | None) -> list[str]:
    """The names of all ready answers, in whatever language."""
    if folder is None or not folder.is_dir():
        return []
    return sorted({file.stem for file in folder.glob("*/*.md") if _NAME.fullmatch(file.stem)})


def canned_flaws(folder: Path | None) -> list[str]:
    """What is wrong with the ready answers, each with its file and what to do."""
    if folder is None:
        return []
    if not folder.is_dir():
        return [f"[desk] canned: {folder} is no folder; make it, or correct the key"]
    flaws = []
    for file in sorted(folder.glob("*/*.md")):
        if not _NAME.fullmatch(file.stem):
            flaws.append(f"{file}: a ready answer's name has only letters, digits, - and _; rename it")
        try:
            text = file.read_bytes()[: _LARGEST + 1].decode("utf-8-sig")
        except OSError as error:
            flaws.append(f"{file}: cannot be read: {error.strerror}")
            continue
        except UnicodeDecodeError:
            flaws.append(f"{file}: not UTF-8 text; save the file as UTF-8")
            continue
        if len(text) > _LARGEST:
            flaws.append(f"{file}: longer than 64 kB; shorten it")
        strangers = [word for word in _PLACEHOLDER.findall(text) if word not in _KNOWN]
        flaws += [f"{file}: {{{word}}} is not filled in; only {{name}} and {{ticket_id}} are"
                  for word in dict.fromkeys(strangers)]  # fmt: skip
    return flaws
