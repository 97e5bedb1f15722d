"""docs/install.md as a program: the commands of each of its chapters, in order, so that the page cannot rot."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from tests.boot.machine import CHECKOUT

_PAGE = CHECKOUT / "docs" / "install.md"


def commands(chapter: str) -> list[str]:
    """Every command line that a chapter tells people to type."""
    return [line for block in _blocks(chapter, "sh") for line in block.splitlines() if line]


def configuration() -> dict[str, Any]:
    """The values that the page says have to be set."""
    (block,) = _blocks("Configure", "toml")
    return tomllib.loads(block)


def tables(chapter: str) -> str:
    """The lines of the configuration that a chapter tells people to add."""
    (block,) = _blocks(chapter, "toml")
    return block


def units() -> list[str]:
    """The two files of the chapter on being told: a unit that tells, and the drop-in that names it."""
    return _blocks("Be told when it fails", "ini")


def _blocks(chapter: str, language: str) -> list[str]:
    text = _PAGE.read_text("utf-8")
    (body,) = re.findall(rf"(?ms)^## {re.escape(chapter)}$(.*?)(?=^## |\Z)", text)
    return re.findall(rf"(?ms)^```{language}$(.*?)^```$", body)
