"""HTML to text that a person likes to read. Nothing is fetched, nothing hidden is shown, and every bomb is linear.

lxml calls a target for each tag and each piece of text, so no tree is built and libxml2's limit of depth never bites.
"""

from __future__ import annotations

import html as entities
import re
from contextlib import suppress

from lxml import etree

from mailticket.mail.html_writer import BLANK, MAX_TEXT, Writer
from mailticket.text.patterns import lazy_pattern

MAX_HTML = 500_000  # characters that are read


_DATA_URL = lazy_pattern(r"data:[a-z]{1,20}/[a-z0-9.+\-]{1,60};base64,[A-Za-z0-9+/=%]{200,}", re.IGNORECASE)
CONTROL = lazy_pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def without_pictures(markup: str) -> str:
    """The markup without the pictures that are written into it as data: they may be megabytes and say nothing."""
    return _DATA_URL.sub("", markup) if "base64," in markup else markup


def without_controls(text: str, mark: str) -> str:
    """The text with `mark` for each control character but tabs and LF; nearly all have none, and need no pattern."""
    return text if text.replace("\n", "").replace("\t", "").isprintable() else CONTROL.sub(mark, text)


def to_text(markup: str) -> str:
    """The readable text of an HTML body: no tags, lines ended by LF, at most MAX_TEXT characters.

    Of more than MAX_HTML characters the rest is not read.
    """
    markup = without_controls(markup[:MAX_HTML].replace("\r\n", "\n").replace("\r", "\n"), " ")
    if not markup.strip():
        return ""
    writer = Writer()
    parser = etree.HTMLParser(target=writer, encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    with suppress(etree.LxmlError, ValueError, AssertionError):
        etree.fromstring(markup.encode("utf_8", "replace"), parser)
    return writer.text() or _stripped(markup)


_BREAKING = frozenset({"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "blockquote", "hr", "pre"})
_TAG_NAME = lazy_pattern(r"/?([A-Za-z][A-Za-z0-9]{0,20})")


def _stripped(markup: str) -> str:
    """The text between the tags, for markup that the parser gave nothing for. Linear: no search is repeated in vain."""
    out: list[str] = []
    position = 0
    while (start := markup.find("<", position)) >= 0:
        out.append(markup[position:start])
        name = _TAG_NAME.match(markup, start + 1)
        tag = name[1].lower() if name else ""
        end = markup.find(f"</{tag}", start) if tag in ("script", "style", "title") else start
        end = markup.find(">", end) if end >= 0 else -1
        if end < 0:
            position = len(markup)
            break
        if tag in _BREAKING:
            out.append("\n")
        position = end + 1
    out.append(markup[position:])
    text = entities.unescape("".join(out))
    lines = [BLANK.sub(" ", line).strip() for line in CONTROL.sub(" ", text).split("\n")]
    return "\n".join(line for line in lines if line)[:MAX_TEXT]
