"""`mailticket promise`: what would have been promised over a recorded history."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.group()
def promise() -> None:
    """When an answer can be expected."""


@contextmanager
def _lines(name: str) -> Iterator[Iterator[str]]:
    if name == "-":
        yield iter(sys.stdin)
    else:
        with Path(name).open(encoding="utf-8") as stream:
            yield iter(stream)
