"""What a part says of itself: type, parameters, disposition, file name, transfer encoding."""

from __future__ import annotations

from mailticket.mail import parameters
from mailticket.mail.parts import Headers, Part
from mailticket.text.patterns import lazy_pattern

_TYPE = lazy_pattern(r"^[a-z0-9!#$&^_.+\-]{1,80}/[a-z0-9!#$&^_.+\-]{1,120}$")


def describe(headers: Headers, path: str, start: int, end: int, default: str) -> Part:
    """A part from its headers: what it says it is. The body lies from `start` to `end`."""
    raw_type = headers.raw("content-type")
    kind, params = parameters.parse(raw_type) if raw_type else (default, {})
    if not _TYPE.match(kind):
        kind = _repaired_type(kind, default)
    raw_disposition = headers.raw("content-disposition")
    disposition, more = parameters.parse(raw_disposition) if raw_disposition else ("", {})
    encoding = headers.raw("content-transfer-encoding")
    return Part(
        path=path,
        headers=headers,
        type=kind,
        params=params,
        disposition=disposition,
        filename=parameters.clean_filename(
            more.get("filename") or more.get("name") or params.get("name") or params.get("file") or ""
        ),
        encoding=parameters.parse(encoding)[0] if encoding else "",
        start=start,
        end=end,
    )


def _repaired_type(kind: str, default: str) -> str:
    """The type that a broken Content-Type means; RFC 2045 section 5.2 makes the rest plain text."""
    bare = kind.strip("/")
    if bare in ("html", "plain"):
        return f"text/{bare}"
    if bare.startswith("multipart") or bare in ("mixed", "alternative", "related"):
        return "multipart/mixed"  # "multipart/*" and its like: RFC 2046 section 5.1.3
    if bare.startswith("text/"):
        return "text/plain"  # section 4.1.4
    if bare in ("application", "image", "audio", "video"):
        return "application/octet-stream"
    return default
