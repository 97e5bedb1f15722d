"""Other people's text made harmless: what hides, reverses or acts on the reader goes, and lengths are bounded."""

from __future__ import annotations

from mailticket.text.patterns import lazy_pattern

# Unicode's categories Cc (controls; tab and line breaks are dealt with before), Cf (format characters: direction, zero
# width, tags), Cs (lone surrogates) and Co (private use).
_CONTROL = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_JOINERS = "\u200c\u200d"  # needed inside words of Persian and Indic scripts, and in emoji
_INVISIBLE = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
_CONTROLS = lazy_pattern(f"[{_CONTROL}]")
_HIDDEN = lazy_pattern(f"[{_INVISIBLE}{_JOINERS}]")
_HARMFUL = lazy_pattern(f"[{_CONTROL}{_INVISIBLE}]")
_LINE_BREAK = lazy_pattern("\r\n|[\r\n\v\f\x1c-\x1f\x85\u2028\u2029]")


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with what there is of it: "1 mail", "2 mails". things: where an s at the end does not do."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def sized(size: int) -> str:
    """A number of bytes in the unit that suits it."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def one_line(text: str, limit: int, mark: str = "") -> str:
    """The text as a single line of at most `limit` characters, the last of them an ellipsis if it was longer.

    Controls and line breaks become blanks, runs of blanks one; other harmful characters, joiners among them, become
    `mark`, which is for faces that show that something was there.
    """
    line = " ".join(_HIDDEN.sub(mark, _CONTROLS.sub(" ", text[: limit * 4])).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def many_lines(text: str, limit: int, mark: str = "") -> str:
    """The first `limit` characters of the text with its lines kept, and an ellipsis below them if there were more.

    Line breaks of any kind become \\n, a tab four blanks; harmful characters become `mark`, joiners stay. Blanks at the
    ends of lines and empty lines around the text go.
    """
    page = _HARMFUL.sub(mark, _LINE_BREAK.sub("\n", text[:limit]).replace("\t", "    "))
    lines = "\n".join(line.rstrip() for line in page.split("\n")).strip("\n")
    return lines + ("\n…" if len(text) > limit else "")
