"""format=flowed (RFC 3676): paragraphs that were broken for the wire are made whole again."""

from __future__ import annotations

from mailticket.text.patterns import lazy_pattern

_QUOTES = lazy_pattern(r">*")


def unflow(text: str, *, delete_space: bool) -> str:
    """Text with its flowed lines joined; lines end in LF. delete_space: the DelSp parameter said yes."""
    out: list[str] = []
    running: list[str] = []
    running_depth = -1  # the quote depth of the running paragraph, -1 for none
    for line in text.split("\n"):
        depth = _QUOTES.match(line).end()  # type: ignore[union-attr]
        body = line[depth:].removeprefix(" ")
        if running_depth >= 0 and (depth != running_depth or body == "-- "):
            _finish(out, running, running_depth)
            running_depth = -1
        flowed = body.endswith(" ") and body != "-- "
        running.append(body[:-1] if flowed and delete_space else body)
        if flowed:
            running_depth = depth
        else:
            _finish(out, running, depth)
            running_depth = -1
    if running:
        _finish(out, running, running_depth)
    return "\n".join(out)


def _finish(out: list[str], running: list[str], depth: int) -> None:
    out.append((">" * depth + " " if depth else "") + "".join(running))
    running.clear()
