"""Names of files that strangers chose, made fit to be written by."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from pathlib import PurePosixPath

_LONGEST = 120  # bytes of a name without its extension; file systems take 255
_UNFIT = re.compile(r"[\\/:*?\"<>|\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}")


def safe_name(name: str, kind: str, number: int) -> str:
    """A file's name that a stranger chose, made harmless: no folder, no control or direction marks, no hidden file.

    Where it has no extension it gets that of its type.
    """
    bare = PurePosixPath(name.replace("\\", "/")).name
    clean = " ".join(_UNFIT.sub("_", unicodedata.normalize("NFC", bare)).split()).strip(". -")
    stem, extension = split_name(clean)
    extension = extension or mimetypes.guess_extension(kind) or ""
    stem = stem.encode()[:_LONGEST].decode(errors="ignore").rstrip(". ") or f"attachment-{number}"
    return stem + extension


def split_name(name: str) -> tuple[str, str]:
    """A file's name, and its extension with the dot; "" for none."""
    extension = PurePosixPath(name).suffix
    if not _EXTENSION.fullmatch(extension):
        return name, ""
    return name[: -len(extension)], extension
