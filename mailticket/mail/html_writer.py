"""What the HTML parser calls for each tag and text: the writer of readable lines."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

from mailticket.text.patterns import lazy_pattern

MAX_TEXT = 200_000  # characters that come out
SIGNATURE = "-- "  # RFC 3676 section 4.3: the line above a signature, whose blank counts
MAX_QUOTE_DEPTH = 10
MAX_LIST_DEPTH = 8
MAX_URL = 500
MAX_LINK_PIECES = 50  # pieces of text that are compared with where a link leads

_PARAGRAPHS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "table", "pre", "hr", "figure", "form")
)
_BLOCKS = _PARAGRAPHS | frozenset({
    "div", "section", "article", "header", "footer", "main", "nav", "aside", "address", "center", "li", "dt",
    "dd", "tr", "caption", "thead", "tbody", "tfoot", "option", "legend", "figcaption", "details", "summary",
    "body", "html",
})  # fmt: skip
_IN_CELLS = frozenset(("p", "div", "center", "span", "section", "h1", "h2", "h3", "h4", "h5", "h6"))
_UNSEEN = frozenset({
    "script", "style", "head", "title", "template", "svg", "math", "iframe", "audio", "video", "canvas", "select",
    "datalist", "noframes",
})  # fmt: skip
_HIDING = lazy_pattern(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|mso-hide\s{0,5}:\s{0,5}all"
    r"|max-height\s{0,5}:\s{0,5}0(?:px)?\s{0,5}(?:;|!|$)"
    r"|(?<![\w-])opacity\s{0,5}:\s{0,5}0(?:\.0{1,5})?\s{0,5}(?:;|!|$)",
    re.IGNORECASE,
)
_SIZE = lazy_pattern(r"(?<![\w-])font(?:-size)?\s{0,5}:\s{0,5}([^;]{1,60})", re.IGNORECASE)
_NO_SIZE = lazy_pattern(r"0{1,3}(?:\.0{1,5})?(?:px|pt|em|rem|ex|%|/\S{1,20}(?: .*)?)?(?:\s|!|$)")
_RELATIVE_SIZE = lazy_pattern(r"[\d.]{1,10}(?:em|ex|%)|inherit|unset|smaller|larger")
_WHITE_SPACE = lazy_pattern(
    r"(?<![\w-])white-space\s{0,5}:\s{0,5}(pre-wrap|pre-line|break-spaces|pre|normal|nowrap)(?![\w-])", re.IGNORECASE
)
_KEPT_LINES = {"pre": "pre", "pre-wrap": "pre", "break-spaces": "pre", "pre-line": "lines"}
_PADDING = lazy_pattern("(?:[\u034f\u00ad\u200b-\u200f\u2007\ufeff]\\s?){2,}")
_SHOWN_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://")
BLANK = lazy_pattern(r"[ \t\n\r\f\v]+")
_BLANKS_IN_LINE = lazy_pattern(r"[ \t\r\f\v]+")
MAX_STYLE = 4000  # characters of one style attribute


class _Style(NamedTuple):
    """What a style attribute says: whether it hides, and its font sizes and ways of white space in order."""

    hides: bool
    sizes: tuple[str, ...]
    spaces: tuple[str, ...]


class Writer:
    """What lxml calls for each tag and text; collects lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0
        self.line: list[str] = []  # the pieces of the running line
        self.filled = False  # whether it has more than blanks
        self.blank_due = False
        self.quotes = 0
        self.hidden = 0  # depth below an unseen element, itself included
        self.pre = ""  # "pre": blanks and line ends count, "lines": line ends do
        self.sizeless = False  # the font size is nought; text shows only where an element sets its own
        self.outer: list[tuple[str, bool]] = []  # pre and sizeless around each open element
        self.lists: list[int] = []  # the next number of each open list, -1 for bullets
        self.marker = ""
        self.links: list[tuple[str, int, int]] = []  # target, line and piece where its text begins
        self.cells = 0  # open table cells
        self.cell_due = False  # a cell has begun that goes on the line of the one before it
        self.cell_line = 0  # the number of lines when the running cell began
        self.held_blank = False  # what waits is a paragraph
        self.held_break = False  # a block has ended in a cell; the next cell may still go on its line
        self.quotes_above = 0  # the depth at which the last line was quoted
        self.styles: dict[str, _Style] = {}  # those that were read: the same few stand at all elements

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.hidden:
            self.hidden += 1
            return
        style = self._style(attributes["style"]) if "style" in attributes else None
        if tag in _UNSEEN or (style and style.hides) or ("hidden" in attributes and tag != "a"):
            self.hidden = 1
            return
        self.outer.append((self.pre, self.sizeless))
        if tag in _BLOCKS:
            self._break(tag)
        if tag == "pre":
            self.pre = "pre"
        if tag == "font" and "size" in attributes:
            self.sizeless = False
        if style:
            self._restyle(style)
        opener = self._STARTS.get(tag)
        if opener:
            opener(self, attributes)

    def end(self, tag: str) -> None:
        if self.hidden:
            self.hidden -= 1
            return
        if tag in _BLOCKS:
            self._break(tag)
        closer = self._ENDS.get(tag)
        if closer:
            closer(self)
        if self.outer:
            self.pre, self.sizeless = self.outer.pop()

    def _style(self, written: str) -> _Style:
        style = self.styles.get(written)
        if style is None:
            head = written[:MAX_STYLE]
            sizes, spaces = tuple(_SIZE.findall(head)), tuple(_WHITE_SPACE.findall(head))
            self.styles[written] = style = _Style(_HIDING.search(head) is not None, sizes, spaces)
        return style

    def _restyle(self, style: _Style) -> None:
        """What an element's own style says of font size and white space."""
        for size in style.sizes:
            value = size.strip().lower()
            self.sizeless = bool(_NO_SIZE.match(value)) or (self.sizeless and bool(_RELATIVE_SIZE.match(value)))
        for mode in style.spaces:
            self.pre = _KEPT_LINES.get(mode.lower(), "")

    def data(self, data: str) -> None:
        if self.hidden or self.sizeless or self.size > MAX_TEXT:
            return
        if self.pre and (self.filled or data.strip()):
            if self.pre == "lines":
                data = _BLANKS_IN_LINE.sub(" ", data).replace("\n ", "\n")
            first, *rest = data.split("\n")
            self._add(first)
            for rest_line in rest:
                if self.size > MAX_TEXT:
                    return
                self._flush(keep_empty=True)
                self._add(rest_line)
            return
        if "  " in data or not data.isprintable():
            data = BLANK.sub(" ", data)
        if data.startswith(" ") and (not self.line or self.line[-1].endswith(" ")):
            data = data[1:]
        if data:
            self._add(data)

    def close(self) -> None:
        self._flush()

    def text(self) -> str:
        self._flush()
        text = "\n".join(self.lines).replace("\u00a0", " ")
        text = _PADDING.sub(" ", text).replace("\u200b", "").replace("\ufeff", "")
        lines = [line if line.endswith(SIGNATURE) else line.rstrip() for line in text.split("\n")]
        single_spaced = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
        return "\n".join(single_spaced).strip("\n")[:MAX_TEXT]

    def _add(self, piece: str) -> None:
        if piece.strip():
            if self.held_break:
                self._flush()
                self.blank_due = self.blank_due or self.held_blank
            elif self.cell_due and self.filled:
                self.line.append(" | ")
            self.cell_due = False
            self.filled = True
        self.line.append(piece)
        self.size += len(piece)

    def _flush(self, *, keep_empty: bool = False) -> None:
        """End the running line."""
        body = "".join(self.line)
        self.line, self.filled, self.held_break = [], False, False
        if body.strip() == "--":  # without its blank it is a line that people draw
            body = SIGNATURE if body.endswith((" ", "\u00a0")) else "--"
        elif not self.pre:
            body = body.strip(" ")
        if not body.strip() and not keep_empty:
            if "\u00a0" in body:
                self.blank_due = True
            return
        depth = min(self.quotes, MAX_QUOTE_DEPTH)
        prefix = "> " * depth
        if self.blank_due and self.lines:
            self.lines.append(("> " * min(depth, self.quotes_above)).rstrip())
        self.blank_due = False
        self.quotes_above = depth
        indent = "  " * (min(len(self.lists), MAX_LIST_DEPTH) - 1) if self.lists else ""
        if self.lists:
            indent += self.marker or "  "
            self.marker = ""
        self.lines.append(f"{prefix}{indent}{body}" if self.size <= MAX_TEXT else body[:MAX_TEXT])
        self.size += len(prefix) + len(indent) + 1

    def _break(self, tag: str) -> None:
        """A block begins or ends. Within a table cell that waits, for the next cell belongs on the same line."""
        paragraph = tag in _PARAGRAPHS and not (self.lists and tag in ("ul", "ol", "p"))
        if self.cells and tag in _IN_CELLS:
            self.held_break = self.filled and not self.cell_due
            self.held_blank = paragraph
            return
        if self.line:
            self._flush()
            self.cell_due = False
        if paragraph:
            self.blank_due = True

    def _line_break(self, _attributes: dict[str, str]) -> None:
        if self.filled:
            self._flush()
        else:
            self.line = []
            self.blank_due = True

    def _start_quote(self, _attributes: dict[str, str]) -> None:
        self.quotes += 1

    def _end_quote(self) -> None:
        self.quotes = max(0, self.quotes - 1)

    def _start_list(self, _attributes: dict[str, str]) -> None:
        self.lists.append(-1)

    def _start_ordered(self, attributes: dict[str, str]) -> None:
        start = attributes.get("start", "1")
        self.lists.append(int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1)

    def _end_list(self) -> None:
        if self.lists:
            self.lists.pop()
        self.marker = ""

    def _start_item(self, _attributes: dict[str, str]) -> None:
        if not self.lists:
            self._add("- ")
        elif self.lists[-1] < 0:
            self.marker = "- "
        else:
            self.marker = f"{self.lists[-1]}. "
            self.lists[-1] += 1

    def _start_cell(self, _attributes: dict[str, str]) -> None:
        if self.filled and len(self.lines) != self.cell_line:  # the cell before it had several lines
            self._flush()
        self.cell_due, self.held_break = True, False
        self.cell_line = len(self.lines)
        self.cells += 1

    def _end_cell(self) -> None:
        self.cells = max(0, self.cells - 1)

    def _start_row(self, _attributes: dict[str, str]) -> None:
        self.cell_due = False

    def _rule(self, _attributes: dict[str, str]) -> None:
        self._add("_" * 32)
        self._flush()

    def _image(self, attributes: dict[str, str]) -> None:
        alt = BLANK.sub(" ", attributes.get("alt", "")).strip()[:200]
        if alt and not _is_pixel(attributes):
            self._add(f"[{alt}]")

    def _start_link(self, attributes: dict[str, str]) -> None:
        self.links.append((attributes.get("href", ""), len(self.lines), len(self.line)))

    def _end_link(self) -> None:
        if not self.links:
            return
        href, line, piece = self.links.pop()
        target = BLANK.sub("", href)[:MAX_URL]
        if not target.lower().startswith(_SHOWN_SCHEMES) or self.size > MAX_TEXT:
            return
        begin = piece if line == len(self.lines) else 0
        label = "".join(self.line[max(begin, len(self.line) - MAX_LINK_PIECES) :]).strip()
        bare = target.removeprefix("mailto:").removeprefix("tel:")
        if not label or _same_link(label, bare):
            return
        self._add(f" ({bare})")

    _STARTS: ClassVar = {
        "br": _line_break,
        "blockquote": _start_quote,
        "ul": _start_list,
        "menu": _start_list,
        "ol": _start_ordered,
        "li": _start_item,
        "td": _start_cell,
        "th": _start_cell,
        "tr": _start_row,
        "hr": _rule,
        "img": _image,
        "a": _start_link,
    }
    _ENDS: ClassVar = {
        "blockquote": _end_quote,
        "ul": _end_list,
        "menu": _end_list,
        "ol": _end_list,
        "td": _end_cell,
        "th": _end_cell,
        "a": _end_link,
    }


def _is_pixel(attributes: dict[str, str]) -> bool:
    return any(attributes.get(side, "").strip().removesuffix("px") in ("0", "1", "2") for side in ("width", "height"))


def _same_link(label: str, target: str) -> bool:
    """Whether a link's text already says where it leads."""
    bare = target.split("://", 1)[-1].rstrip("/").lower()
    return label.lower().split("://", 1)[-1].rstrip("/") in (bare, bare.removeprefix("www."), bare.split("?", 1)[0])
