"""Address headers (RFC 5322 section 3.4): strict where an address is an identity, lenient where a name is shown.

One pass over the characters, no recursion. A mailbox is `sound` only if nothing in it had to be guessed: whatever
several parsers could read in several ways (CVE-2023-27043 and its kin) is shown but never believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailticket.mail import charsets, headers
from mailticket.mail.address import Address
from mailticket.mail.parts import Headers
from mailticket.text.patterns import lazy_pattern

MAX_MAILBOXES = 1000
MAX_NAME = 200  # characters
MAX_FROM_FIELDS = 10  # that are shown as they came
MAX_FROM = 1000  # characters of them
MAX_ADDRESS = 320  # RFC 5321 section 4.5.3.1: 64 + 1 + 255
MAX_COMMENT_DEPTH = 20
MAX_WORD = 1000  # characters of one encoded word

_ATOM = r"[\w.!#$%&'*+/=?^`{|}~\-]"  # letters of any script: RFC 6532
_LABEL = r"[^\W_](?:[\w\-]{0,62})"
# Dots anywhere in the local part: Japanese phone companies gave out "a..b.@" for years.
_ADDRESS = lazy_pattern(
    rf"(?:(?=\.{{0,20}}[^.@]){_ATOM}{{1,128}}|\"(?:[\x20!#-\[\]-~]|\\[\x20-~]){{0,126}}\")"
    rf"@(?:{_LABEL}(?:\.{_LABEL}){{0,60}}|\[(?:IPv6:)?[0-9A-Fa-f.:]{{3,45}}\])"
)
_LENIENT = lazy_pattern(r"[^\s<>,;:()\"]{1,200}@[^\s<>,;:()\"@]{1,255}")
_PLAIN = lazy_pattern(r"(?:[^\"(),:;<>=]|=(?!\?)){1,4000}|=")
_AROUND = lazy_pattern(r" ?([.@]) ?")  # on text whose blanks are single
_ROUTE = lazy_pattern(r"^(?:@[^\s,:@<>]{1,255},?\s{0,5}){1,20}:")
_BARE_ATOM = r"[^\s<>()\[\]\\,;:@\"\x00-\x20\x7f]"
_BARE = lazy_pattern(rf"{_BARE_ATOM}{{1,64}}@{_BARE_ATOM}{{1,253}}")


def is_bare_address(text: str) -> bool:
    """Whether a letter can be sent there: local@domain as one token, no name, no quotes, no comment, no list.

    Anything that would need quoting is refused, because CPython before 3.13.1 loses quotes when it folds (gh-80222).
    So is what looks like an encoded word (RFC 2047): a server that decodes it could read another domain out of it.
    """
    return len(text) <= 254 and "=?" not in text and _BARE.fullmatch(text) is not None


@dataclass(slots=True)
class Mailbox:
    """One mailbox as found: sound where it follows the grammar with nothing left over."""

    address: Address
    sound: bool
    group: bool


@dataclass(slots=True)
class _Run:
    """What was collected of one mailbox before its comma."""

    words: list[str] = field(default_factory=list)  # of the phrase or bare address, comments left out
    display_words: list[str] = field(default_factory=list)  # the same with comments, for display
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    after: bool = False  # whether something follows the angle
    broken: bool = False
    quoted: bool = False


def mailboxes(field_values: list[bytes]) -> list[Mailbox]:
    """All mailboxes of all fields of one name, in order, at most MAX_MAILBOXES."""
    boxes: list[Mailbox] = []
    for raw in field_values:
        if len(boxes) >= MAX_MAILBOXES:
            break
        boxes += _Parser(_text(raw)).parse()
    return boxes[:MAX_MAILBOXES]


def listed(part_headers: Headers, name: str) -> tuple[Address, ...]:
    """The addresses of a header for display; what has none is left out."""
    return tuple(m.address for m in mailboxes(part_headers.all_raw(name)) if m.address.address)


def sender(part_headers: Headers) -> tuple[Address | None, tuple[Address, ...], str]:
    """The one usable From mailbox or None, all mailboxes of From, and why there is none ("" where there is one).

    Fields and mailboxes that say the same address are one.
    """
    fields = part_headers.all_raw("from")
    boxes = [box for raw in fields[:MAX_MAILBOXES] for box in _named_with_commas(raw, mailboxes([raw]))][:MAX_MAILBOXES]
    authors = tuple(m.address for m in boxes)
    if not fields:
        return None, (), "there is no From header"
    if any(m.group for m in boxes):
        return None, authors, "From names a group"
    if not boxes:
        return None, authors, "From names no mailbox"
    same = len({m.address.key for m in boxes}) == 1
    if same and all(m.sound for m in boxes):
        return next((m.address for m in boxes if m.address.name), boxes[0].address), authors[:1], ""
    if len(fields) > 1:
        return None, authors, "there are several From headers"
    return None, authors, "From names several mailboxes" if len(boxes) > 1 else "the address in From is broken"


def raw_from(part_headers: Headers) -> str:
    """All From fields as they came, encoded words decoded, as one bounded line for people to judge."""
    fields = part_headers.all_raw("from")[:MAX_FROM_FIELDS]
    return headers.clean_line(" | ".join(headers.decode(raw) for raw in fields))[:MAX_FROM]


def _named_with_commas(raw: bytes, boxes: list[Mailbox]) -> list[Mailbox]:
    """The mailboxes of one From field; a name with unquoted commas or semicolons is the name of the one address.

    That holds only for one sound address in angle brackets with no "@" anywhere else, so that no parser can read
    another address out of the field.
    """
    addressed = [box for box in boxes if box.address.address]
    if len(boxes) < 2 or len(addressed) != 1 or any(box.group for box in boxes) or not addressed[0].sound:
        return boxes
    text = _text(raw)
    name, bracket, _ = text.rpartition("<")
    if not bracket or text.count("@") != 1 or "@" in name:
        return boxes
    return [Mailbox(Address(_display([name.replace('"', "")]), addressed[0].address.address), sound=True, group=False)]


def is_address(text: str) -> bool:
    """Whether this is one address and nothing else, by the strict grammar."""
    return len(text) <= MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _text(raw: bytes) -> str:
    """The value as characters; encoded words stay, for their content is never part of an address."""
    return charsets.decode(headers.unfold(raw))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.last_semicolon = text.rfind(";")
        self.in_group = False
        self.boxes: list[Mailbox] = []
        self.run = _Run()

    def parse(self) -> list[Mailbox]:
        text = self.text
        while self.at < len(text) and len(self.boxes) < MAX_MAILBOXES:
            char = text[self.at]
            if char == '"':
                self._quoted()
            elif char == "(":
                self._comment()
            elif char == "<":
                self._angle()
            elif char in ",;":
                self.at += 1
                self._finish()
                if char == ";":
                    self.in_group = False
            elif char == ":" and self.at < self.last_semicolon:
                self.at += 1
                self._begin_group()
            else:
                self._word()
        self._finish()
        return self.boxes

    def _begin_group(self) -> None:
        """The words so far were the group's name; an empty group still is one."""
        end = self.text.find(";", self.at)
        if not self.text[self.at : end].strip():
            self.boxes.append(Mailbox(Address(_display(self.run.words), ""), sound=False, group=True))
        self.in_group = True
        self.run = _Run()

    def _word(self) -> None:
        """An encoded word as a whole (it may hold commas), or characters up to the next special one."""
        text, start = self.text, self.at
        if text.startswith("=?", start):
            encoded = text[start : start + MAX_WORD].encode("utf_8")
            word = headers.word_at(encoded, 0)
            if word:
                self.at = start + len(encoded[: word.end].decode("utf_8", "ignore"))
                self._add(text[start : self.at])
                return
        match = _PLAIN.match(text, start)
        if match:
            self.at = match.end()
            for piece in match[0].split():
                self._add(piece)
            return
        self.run.broken = True  # a stray ")" or ">", or a colon that begins no group
        self.at += 1
        if text[start] == ":" and self.run.words:
            self.run.words[-1] += ":"
            self.run.display_words[-1] += ":"

    def _add(self, word: str) -> None:
        if self.run.angle is not None:
            self.run.after = True
        if word:
            self.run.words.append(word)
            self.run.display_words.append(word)

    def _quoted(self) -> None:
        text, at = self.text, self.at + 1
        out: list[str] = []
        while at < len(text) and text[at] != '"':
            if text[at] == "\\" and at + 1 < len(text):
                at += 1
            out.append(text[at])
            at += 1
        if at >= len(text):  # never closed: the quote is a character like others, and the mailbox is not sound
            self.run.broken = True
            self.at += 1
            return
        source = text[self.at : at + 1]
        self.at = at + 1
        if text.startswith(("@", "."), self.at) or (self.run.words and self.run.words[-1].endswith((".", "@"))):
            self._add(source)  # a quoted local part
            return
        self.run.quoted = True
        self._add("".join(out))

    def _comment(self) -> None:
        text, start, depth = self.text, self.at, 0
        at = start
        while at < len(text):
            char = text[at]
            if char == "\\":
                at += 1
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if depth == 0:
                    break
            at += 1
            if depth > MAX_COMMENT_DEPTH:
                at = len(text)
        closed = at < len(text)
        self.at = min(at + 1, len(text))
        inside = text[start + 1 : at].replace("\\", "")
        if not closed or "@" in inside:
            self.run.broken = self.run.broken or not closed or "<" in inside
        self.run.comments.append(inside.strip()[: 2 * MAX_NAME])
        self.run.display_words.append(f"({inside.strip()[:MAX_NAME]})")

    def _angle(self) -> None:
        text = self.text
        if self.run.angle is not None:
            self.run.broken = True
        if (
            self.run.words
            and self.at
            and not text[self.at - 1].isspace()
            and "@" in self.run.words[-1]
            and not self.run.quoted
        ):
            self.run.broken = True  # "alice@a.org<bob@b.org>": parsers disagree
        end, quoted = self.at + 1, False
        while end < len(text) and (quoted or text[end] not in ">,;" or (text[end] == "," and text[self.at + 1] == "@")):
            if text[end] == '"':
                quoted = not quoted
            elif text[end] == "\\" and quoted:
                end += 1
            end += 1
        inside = text[self.at + 1 : end]
        if end >= len(text) or text[end] != ">":
            self.run.broken = True
            self.at = min(end, len(text))
        else:
            self.at = end + 1
        while inside.startswith("<"):
            inside, self.run.broken = inside[1:], True
        if text.startswith(">", self.at):
            self.at += 1
        if self.run.angle is None or not self.run.angle:
            self.run.angle = inside

    def _finish(self) -> None:
        run, self.run = self.run, _Run()
        if run.angle is None and not run.words:
            if run.comments:
                self.boxes.append(Mailbox(Address(_display(run.comments), ""), sound=False, group=self.in_group))
            return
        address, sound = _address(run)
        if run.angle is None:
            name = _display(run.comments) if sound or not run.words else _display(_without(run.words, address))
        else:
            name = _display(run.display_words)
        clean = headers.clean_line(address)[:MAX_ADDRESS]
        self.boxes.append(Mailbox(Address(name, clean), sound=sound and clean == address, group=self.in_group))


def _address(run: _Run) -> tuple[str, bool]:
    """The address of a mailbox, and whether it is sound."""
    if run.angle is not None:
        inside = _ROUTE.sub("", _uncommented(" ".join(run.angle.split())))
        inside = _AROUND.sub(r"\1", inside) if " " in inside and '"' not in inside else inside
        if is_address(inside):
            return inside, not run.broken and not run.after
        lenient = _LENIENT.search(inside)
        return lenient[0] if lenient else inside.strip("<> "), False
    phrase = " ".join(run.words)
    bare = _AROUND.sub(r"\1", phrase) if '"' not in phrase else "".join(run.words)
    if is_address(bare):
        return bare, not run.broken and not run.quoted
    lenient = _LENIENT.search(phrase)
    return lenient[0] if lenient else "", False


def _uncommented(text: str) -> str:
    """Without comments (not nested here; a quoted local part keeps its parentheses)."""
    return text if '"' in text else re.sub(r"\([^()]{0,200}\)", "", text)


def _without(words: list[str], address: str) -> list[str]:
    return [word for word in words if address not in word] if address else words


def _display(words: list[str]) -> str:
    """A name for people: encoded words decoded, whatever could deceive the eye removed, quotes and blanks trimmed."""
    if not words:
        return ""
    phrase = " ".join(words)
    if "=?" in phrase:
        phrase = headers.decode(phrase.encode("utf_8", "replace"))
    name = " ".join(headers.clean_line(phrase).split()).strip('" ')
    # Some programs quote a name twice; an apostrophe on one end alone belongs to it ("'Ann Lee' via Support").
    quoted = name.startswith("'") == name.endswith("'")
    return (name.strip("' ") if quoted else name)[:MAX_NAME]
