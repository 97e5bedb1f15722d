"""`mailticket promise`: what would have been promised over a recorded history."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mailticket.cli import show
from mailticket.cli.common import config_option, json_option, print_json, settings_or_none
from mailticket.errors import ConfigurationError


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
