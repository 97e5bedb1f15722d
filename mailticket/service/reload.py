"""A reload whose result is told: who asks leaves a mark in the unit's runtime folder, and the daemon writes beside it.

A signal alone is heard and nothing comes back, so `systemctl reload` would succeed whatever the daemon made of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailticket.errors import Refused, WorldError

_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Reloaded:
    """What the daemon made of a reload. problems: why it was refused, [] when it was not; notes: what waits for a
    restart."""

    problems: Sequence[str] = ()
    notes: Sequence[str] = ()


def ask(process: int, environ: Mapping[str, str], patience: float) -> Reloaded:
    """Have the daemon with this process number reload; what it made of it, within `patience` seconds.

    Raises Refused outside the unit, where there is no folder for its word, and WorldError when none comes.
    """
    folder = _folder(environ)
    if folder is None:
        raise Refused("only the unit can be asked what became of it: run `systemctl reload mailticket`")
    mark = secrets.token_hex(8)
    (folder / "reload").write_text(mark)
    os.kill(process, signal.SIGHUP)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            result = json.loads((folder / "reloaded").read_text("utf-8"))
            if result.pop("mark") == mark:
                return Reloaded(**result)
        time.sleep(_LOOK_SECONDS)
    raise WorldError(f"the daemon did not say within {patience:.0f} s what it made of the reload; see its log")


def asked(environ: Mapping[str, str]) -> str:
    """The mark of who asks for the reload that begins now; "" when nobody waits to hear."""
    folder = _folder(environ)
    with contextlib.suppress(OSError):
        return (folder / "reload").read_text() if folder is not None else ""
    return ""


def tell(result: Reloaded, mark: str, environ: Mapping[str, str]) -> None:
    """Tell who left the mark, at once and whole."""
    folder = _folder(environ)
    if folder is None or not mark:
        return
    words = json.dumps({"mark": mark, "problems": list(result.problems), "notes": list(result.notes)})
    with contextlib.suppress(OSError):  # who asks then hears nothing, and says so
        (folder / "reloaded.new").write_text(words, "utf-8")
        (folder / "reloaded.new").rename(folder / "reloaded")


def _folder(environ: Mapping[str, str]) -> Path | None:
    place = environ.get("RUNTIME_DIRECTORY")
    return Path(place) if place else None
