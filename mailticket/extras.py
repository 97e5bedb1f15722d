"""Packages that only some installations need: how to get them, in the way in which this program was installed."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import sys
from pathlib import Path

_DEBIAN = Path("/var/lib/dpkg/info/mailticket.list")


def how_to_install(extra: str) -> str:
    """The command that brings the packages of an extra of ours (`postgres`, `holidays`, `demo`, `report`).

    It never names our own project to pip: an index may know another one of that name.
    """
    if _came_from_debian() and extra == "report":
        return "nothing, for the Debian package leaves them out; pip brings them (docs/install.md)"
    if _came_from_debian():
        return "apt-get install --reinstall mailticket"
    requirements = [
        requirement.strip()
        for requirement, _, condition in (
            line.partition(";") for line in importlib.metadata.requires("mailticket") or []
        )
        if re.search(rf"""extra == ["']{extra}["']""", condition)
    ]
    pip = f"{sys.prefix}/bin/pip" if sys.prefix != sys.base_prefix else f"{sys.executable} -m pip"
    return f"{pip} install {' '.join(map(shlex.quote, requirements))}"


def _came_from_debian() -> bool:
    try:
        return sys.prefix in _DEBIAN.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return False
