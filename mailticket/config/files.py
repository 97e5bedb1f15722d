"""Where the files that come with the program lie, in a wheel and in a checkout, and how a folder of them is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mailticket.errors import ConfigurationError

Name = Literal["templates", "config", "systemd"]
_LARGEST_TEMPLATE = 256 * 1024  # bytes; a letter of ours has 3


def shipped_folder(name: Name) -> Path:
    """The folder of this name: `share/` inside the installed package, else the top of the checkout.

    Errors: FileNotFoundError when neither exists, which means a broken installation.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "share" / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} is missing from the installation in {package}; install it again")


def read_templates(place: Path) -> dict[str, str]:
    """All `*.j2` files below a folder: name relative to it, with forward slashes, to text.

    Errors: ConfigurationError that names every file which cannot be read, is not UTF-8, or is beyond 256 kB.
    """
    if not place.is_dir():
        raise ConfigurationError(
            [f"the template folder {place} does not exist; make it or correct the key that names it"]
        )
    found: dict[str, str] = {}
    problems: list[str] = []
    for file in sorted(place.rglob("*.j2")):
        try:
            data = file.read_bytes()
            if len(data) > _LARGEST_TEMPLATE:
                problems.append(f"{file} is larger than 256 kB; that cannot be a template of a letter")
                continue
            found[file.relative_to(place).as_posix()] = data.decode("utf-8-sig")
        except OSError as error:
            problems.append(f"{file} cannot be read: {error.strerror}; correct its permissions")
        except UnicodeDecodeError as error:
            problems.append(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8")
    if problems:
        raise ConfigurationError(problems)
    return found
