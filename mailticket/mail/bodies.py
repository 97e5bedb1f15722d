"""Which parts of a mail are its text and which its attachments, and the bytes of each."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from mailticket.mail import alternatives, charsets, cms, flowed, html, names, nested, structure, transfer
from mailticket.mail.parts import Part
from mailticket.mail.values import Attachment
from mailticket.text.patterns import lazy_pattern

MAX_TEXT_BYTES = 1_000_000  # of one part that is text
MAX_HTML_BYTES = 8_000_000  # of one that is HTML, pictures written into it included
MAX_TEXT = 500_000  # characters of the whole text

MAX_NAMED_TEXT = 20_000  # bytes of a text part with a name that is shown as well as listed
MAX_MEASURED = 300_000  # bytes of HTML that are measured
MAX_SIGNED_DEPTH = 3  # mails signed as one file inside each other

_TEXT_TYPES = frozenset(("text/plain", "text/html", "text/enriched", "text/richtext", "application/xhtml+xml"))
_CALENDAR_TYPES = frozenset(("text/calendar", "application/ics"))
_FILE_TEXT_TYPES = _CALENDAR_TYPES | {
    "text/csv",
    "text/vcard",
    "text/x-vcard",
    "text/directory",
    "text/xml",
    "text/rtf",
}
_REACTION = "text/vnd.google.email-reaction+json"
_PGP_BEGIN = "-----BEGIN PGP MESSAGE-----"
_PGP_MESSAGE = lazy_pattern(rf"^{_PGP_BEGIN}\s*$", re.MULTILINE)
_ENCRYPTED = "the mail is encrypted: its text cannot be read"
_MESSAGE_TYPES = frozenset(("message/rfc822", "message/global", "message/news"))
MAX_BORROWED = 20  # attached messages whose text stands in for a mail that has none
_META_CHARSET = lazy_pattern(rb"<meta[^>]{1,300}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_\-]{2,40})", re.IGNORECASE)
_ENRICHED = lazy_pattern(r"<<|</?[A-Za-z][A-Za-z0-9-]{0,40}>")
_MARKUP = lazy_pattern(
    r"<(style|script|title)\b.{0,50000}?</\1\s{0,5}>|<!--.{0,50000}?-->|<[^<>]*>|&#?\w{1,10};", re.S | re.I
)
_NO_WORD = lazy_pattern(r"[\W_]+")
_ASCII_NO_WORD = bytes(code for code in range(128) if not chr(code).isalnum())
_MOST_REGIONS = 200  # styles and comments in HTML that is measured by taking its markup out
_SURE_LENGTH = 400  # letters from which a plain text is no placeholder for HTML of its length


@dataclass(slots=True)
class Bodies:
    """The readable text, the attachments in the order of the mail, and what was odd.

    borrowed: the mail has no text of its own; what is shown is that of the messages attached to it.
    encrypted: the text cannot be read. reaction: the emoji of a mail that is a reaction (Gmail), "" of others.
    """

    text: str = ""
    borrowed: bool = False
    encrypted: bool = False
    reaction: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """Text of one part: its readable form, and whether it was HTML."""

    text: str
    was_html: bool


def part_bytes(raw: bytes, part: Part) -> bytes:
    """The body of a part with its transfer encoding undone; `raw` is what the part was read from."""
    return _decoded(raw, part)[0]


def _decoded(raw: bytes, part: Part) -> tuple[bytes, str]:
    body = raw[part.start : part.end]
    if part.type.startswith("message/") and not part.encoding.startswith("base64"):
        # RFC 2046 section 5.2.1 allows no encoding here: the bytes stay as they came.
        if part.type in _MESSAGE_TYPES:
            return body, ""
    elif part.type.startswith("multipart/"):
        return body, ""
    return transfer.decode(body, part.encoding)


def _text_bytes(raw: bytes, part: Part) -> tuple[bytes, str]:
    """The bytes of a text part and a warning; as they stand where they are said to be base64 and are none."""
    body = raw[part.start : part.end]
    if part.encoding.startswith("base64") and transfer.is_no_base64(body):
        return body, "a text said to be base64 was none: it is shown as it stands"
    return _decoded(raw, part)


def read(raw: bytes, root: Part) -> Bodies:
    """All text and all attachments of a mail whose structure was read."""
    reader = _Reader(raw)
    pieces = reader.pieces(root, parent=None)
    text = _joined(pieces) or _joined(reader.named_text(root)) or "\n\n".join(reader.packed_texts)
    borrowed = "" if text else _of_report(raw, root) or _of_attached_messages(raw, root)
    if not text and not borrowed and root.children:
        text = reader.preamble(root)
    pgp = _PGP_BEGIN in text and _PGP_MESSAGE.search(text) is not None
    encrypted = reader.encrypted or (reader.locked and not text) or pgp
    if encrypted:
        reader.warn(_ENCRYPTED)
    text = text or borrowed
    if len(text) > MAX_TEXT:
        reader.warn("the text was longer than 500,000 characters and was cut")
        text = text[:MAX_TEXT].rstrip()
    return Bodies(text, bool(borrowed), encrypted, reader.reaction, reader.attachments, reader.warnings)


def _of_report(raw: bytes, root: Part) -> str:
    """What a delivery report without words says in its fields (RFC 3464): the returned mail is not what it says."""
    if root.type != "multipart/report":
        return ""
    reports = [part for part in root.walk() if part.type.endswith("/delivery-status")][:MAX_BORROWED]
    return "\n\n".join(clean(charsets.decode(part_bytes(raw, part))).strip() for part in reports)


def _of_attached_messages(raw: bytes, root: Part) -> str:
    """The text of attached messages: somebody forwarded them without a word, or they are a digest."""
    messages = [part for part in root.walk() if part.type in _MESSAGE_TYPES and not part.children][:MAX_BORROWED]
    pieces: list[_Piece] = []
    for part in messages:
        content = part_bytes(raw, part)
        inner, _ = structure.read_structure(content)
        pieces += _Reader(content, keep_attachments=False).pieces(inner, parent=None)
    return _joined(pieces)


def attachment_bytes(raw: bytes, root: Part, part: str) -> bytes:
    """The decoded bytes of the attachment that `Attachment.part` names. KeyError if the mail has none of that name."""
    for _ in range(MAX_SIGNED_DEPTH + 1):
        path, mark, inner = part.partition("#")
        leaf = next((candidate for candidate in root.walk() if candidate.path == path), None)
        if leaf is None:
            break
        # The files in a text stand in what is shown of it.
        data, _ = _text_bytes(raw, leaf) if inner.startswith(nested.IN_TEXTS) else _decoded(raw, leaf)
        if not mark:
            return data
        if not inner.startswith("cms/"):
            for file in nested.files_of(leaf, data, mark + inner):
                if file.mark == mark + inner:
                    return file.data
            break
        raw, part = nested.signed_entity(data) or b"", inner.removeprefix("cms/")
        root, _ = structure.read_structure(raw)
    raise KeyError(part)


class _Reader:
    """Walks the tree. Its depth is bounded by the structure reader, so recursion is safe here.

    within: what precedes the paths of the parts where the mail was signed as one file ("2#cms/").
    """

    def __init__(self, raw: bytes, *, keep_attachments: bool = True, within: str = "") -> None:
        self.raw = raw
        self.keep_attachments = keep_attachments
        self.within = within
        self.attachments: list[Attachment] = []
        self.calendars: set[bytes] = set()
        self.packed_texts: list[str] = []  # of winmail.dat
        self.encrypted = False  # the mail says so of itself
        self.locked = False  # a part of it is
        self.reaction = ""
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        if warning and warning not in self.warnings:
            self.warnings.append(warning)

    def pieces(self, part: Part, parent: Part | None) -> list[_Piece]:
        """The text in a part; its attachments are collected on the way."""
        if part.type == "multipart/encrypted":
            self.encrypted = True
        if part.children:
            if part.type == "multipart/alternative":
                return self._alternative(part)
            return [piece for child in part.children for piece in self.pieces(child, part)]
        if not self._is_text(part, parent):
            return self._file(part, parent)
        if part.disposition == "attachment" if parent is None else part.filename and not _is_body(part, parent):
            self._attach(part, parent)
        return self._text(part)

    def _is_text(self, part: Part, parent: Part | None) -> bool:
        """Text to be read: all but what is sent as a file, and named text that is too long to be shown with it."""
        if part.type.startswith("multipart/"):  # one whose parts were not found
            return parent is None or parent.children[0] is part
        if part.type not in _TEXT_TYPES:
            return False
        if parent is None:
            return True
        if part.disposition == "attachment":
            return False
        if _is_body(part, parent) or not part.filename:
            return True
        return part.disposition == "inline" and part.type == "text/plain" and part.end - part.start <= MAX_NAMED_TEXT

    def _alternative(self, part: Part) -> list[_Piece]:
        """One form of the text; its files whichever is chosen. Forms that nobody here reads (AMP) are left out."""
        plain: list[_Piece] = []
        rich: list[Part] = []
        unread: list[Part] = []
        for child in part.children:
            if _is_rich(child):
                rich.append(child)
            elif _is_other_form(child):
                unread.append(child)
            else:
                pieces = self.pieces(child, part)
                plain = plain or pieces
        chosen = self._plain_or_rich(part, plain, rich)
        for child in unread if not chosen else ():
            self._attach(child, part)
        return chosen

    def _plain_or_rich(self, part: Part, plain: list[_Piece], rich: list[Part]) -> list[_Piece]:
        plain_text = "\n".join(piece.text for piece in plain)
        letters = _letters(plain_text)
        rich_pieces: list[_Piece] = []
        for child in rich:
            if rich_pieces or (letters and not self._may_say_more(child, letters)):
                self._files_only(child, part)
            else:
                rich_pieces = self.pieces(child, part)
        if not rich_pieces or not plain:
            return rich_pieces or plain
        choice = alternatives.choose(plain_text, "\n".join(piece.text for piece in rich_pieces))
        if choice == "plain":
            return plain
        self.warn("the plain text said less than the HTML, which was read instead" if choice == "html" else
                  "the plain text and the HTML said different things: both were read")  # fmt: skip
        return rich_pieces if choice == "html" else plain + rich_pieces

    def _may_say_more(self, part: Part, letters: int) -> bool:
        """Whether HTML could say what a plain text of so many letters does not, by its length without markup."""
        if part.end - part.start <= letters:
            return False
        if letters < _SURE_LENGTH or part.children:
            return letters < 10 * _SURE_LENGTH
        markup = charsets.decode(_decoded(self.raw, part)[0][:MAX_MEASURED], part.params.get("charset", ""))
        if markup.count("<style") + markup.count("<script") + markup.count("<!--") > _MOST_REGIONS:
            return True
        return _letters(_MARKUP.sub(" ", markup)) > letters * 1.1 + 20

    def _files_only(self, part: Part, parent: Part) -> None:
        """The files of an alternative whose text is not wanted."""
        if part.children:
            for child in part.children:
                self._files_only(child, part)
        elif not self._is_text(part, parent):
            self._file(part, parent)
        elif part.type in nested.HTML_TYPES:
            self._list(part, nested.pasted(_text_bytes(self.raw, part)[0]))

    def _text(self, part: Part) -> list[_Piece]:
        data, warning = _text_bytes(self.raw, part)
        self.warn(warning)
        kind = "text/plain" if part.type.startswith("multipart/") else part.type
        charset = part.params.get("charset", "")
        if kind in nested.HTML_TYPES:
            self._list(part, nested.pasted(data))
            text = self._html(data, charset)
            return [_Piece(text, was_html=True)] if text else []
        if kind == "text/plain":
            data, files = nested.uuencoded(data)
            self._list(part, files)
        if len(data) > MAX_TEXT_BYTES:
            self.warn("a text part was longer than 1 MB and was cut")
            data = data[:MAX_TEXT_BYTES]
        text = clean(charsets.decode(data, charset))
        if kind in ("text/enriched", "text/richtext"):
            text = _ENRICHED.sub(lambda m: "<" if m[0] == "<<" else "", text)
        elif part.params.get("format", "").lower() == "flowed":
            text = flowed.unflow(text, delete_space=part.params.get("delsp", "").lower() == "yes")
        return [_Piece(text, was_html=False)] if text.strip() else []

    def _html(self, data: bytes, charset: str) -> str:
        if charsets.codec_name(charset) in (None, "ascii") and (meta := _META_CHARSET.search(data, 0, 4096)):
            label = meta[1].decode("ascii")
            charset = charset if charsets.is_wide(label) else label  # that it could be read disproves UTF-16
        markup = html.without_pictures(charsets.decode(data[:MAX_HTML_BYTES], charset))
        if len(data) > MAX_HTML_BYTES or len(markup) > html.MAX_HTML:
            self.warn("the HTML was longer than 500,000 characters and was cut")
        return html.to_text(markup)

    def _file(self, part: Part, parent: Part | None) -> list[_Piece]:
        """A part that is no text: opened where it holds the mail itself, else listed. The text that it held."""
        if part.type == _REACTION:
            self.reaction = self.reaction or _emoji(_decoded(self.raw, part)[0])
            return []
        if nested.is_tnef(part) and self._unpacked(part):
            return []
        if nested.is_cms(part):
            signed = nested.signed_entity(_decoded(self.raw, part)[0])
            if signed is not None and self.within.count("#") < MAX_SIGNED_DEPTH:
                return self._signed(part, signed)
        self._attach(part, parent)
        return []

    def _unpacked(self, part: Part) -> bool:
        """Take what a winmail.dat holds in its place; False where it holds neither text nor files."""
        unpacked = nested.packed(_decoded(self.raw, part)[0])
        if unpacked is None:
            self.warn("winmail.dat could not be opened: it was kept as it came")
            return False
        text, files = unpacked
        if text.strip():
            self.packed_texts.append(clean(text).strip())
        self._list(part, files)
        return bool(text.strip() or files)

    def _signed(self, part: Part, content: bytes) -> list[_Piece]:
        """The mail that was signed as one file takes the file's place."""
        root, _ = structure.read_structure(content)
        inner = _Reader(content, keep_attachments=self.keep_attachments, within=f"{self.within}{part.path}#cms/")
        pieces = inner.pieces(root, parent=None)
        self.attachments += inner.attachments
        self.packed_texts += inner.packed_texts
        self.encrypted, self.locked = self.encrypted or inner.encrypted, self.locked or inner.locked
        for warning in inner.warnings:
            self.warn(warning)
        return pieces

    def _attach(self, part: Part, parent: Part | None) -> None:
        data, warning = _decoded(self.raw, part)
        self.warn(warning)
        if part.type == "application/pgp-encrypted" or (nested.is_cms(part) and cms.is_encrypted(data)):
            self.locked = True
        if part.type in _CALENDAR_TYPES:
            lines = b"\n".join(data.split())
            if lines in self.calendars:
                return
            self.calendars.add(lines)
        related = parent is not None and parent.type == "multipart/related" and part.headers.has("content-id")
        inline = part.disposition == "inline" or (related and part.disposition != "attachment")
        self._list(part, [nested.File("", names.name(part, data), part.type, data, inline=inline)])

    def _list(self, part: Part, files: list[nested.File]) -> None:
        if self.keep_attachments:
            self.attachments += [
                Attachment(
                    part=f"{self.within}{part.path}{file.mark}",
                    name=file.name,
                    type=file.type,
                    size=len(file.data),
                    sha256=hashlib.sha256(file.data).hexdigest(),
                    inline=file.inline,
                )
                for file in files
            ]

    def named_text(self, root: Part) -> list[_Piece]:
        """The text of a mail whose only text part was given a file name: it is listed as a file and shown."""
        for part in root.walk():
            if part.type in _TEXT_TYPES and not part.children and part.disposition != "attachment":
                return self._text(part)
        return []

    def preamble(self, root: Part) -> str:
        """The text before the first part, where the parts hold none: some programs put all of it there."""
        begin = self.raw.find(b"\n--", root.start, root.children[0].start)
        text = clean(charsets.decode(self.raw[root.start : max(root.start, begin)][:MAX_TEXT_BYTES]))
        return "" if len(text) < 300 and "MIME" in text else text.strip()


def _letters(text: str) -> int:
    """How many letters and digits a text has; of ASCII text by a table, in a twentieth of the time."""
    return len(text.encode().translate(None, _ASCII_NO_WORD) if text.isascii() else _NO_WORD.sub("", text))


def _is_body(part: Part, parent: Part) -> bool:
    """Whether the place of a text part makes it the body, whatever it is called."""
    return parent.type == "multipart/alternative" or (
        part.type == "text/html" and parent.type == "multipart/related" and parent.children[0] is part
    )


def _is_rich(part: Part) -> bool:
    """Whether an alternative is the HTML form: HTML, or a group with HTML and no plain text."""
    if part.type in (*nested.HTML_TYPES, "multipart/related"):
        return not part.filename
    kinds = {leaf.type for leaf in part.walk() if not leaf.children} if part.children else set()
    return not kinds.isdisjoint(nested.HTML_TYPES) and "text/plain" not in kinds


def _is_other_form(part: Part) -> bool:
    """Whether an alternative is the text again in AMP for e-mail; forms that nobody here knows are listed as files."""
    return part.type == "text/x-amp-html" and not part.filename and part.disposition != "attachment"


def _emoji(data: bytes) -> str:
    """The emoji of Gmail's reaction format, a JSON object; "?" where it cannot be read."""
    try:
        content = json.loads(data[:2000])
        emoji = content["emoji"] if isinstance(content, dict) else ""
    except (ValueError, KeyError, RecursionError):
        emoji = ""
    return clean(emoji).strip()[:40] if isinstance(emoji, str) and emoji.strip() else "?"


def clean(text: str) -> str:
    """Body text as it leaves the reader: LF line ends, no NUL nor other control characters but tabs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return html.without_controls(text, "")


def _joined(pieces: list[_Piece]) -> str:
    """Text parts in order with a blank line between; one that repeats another in HTML is left out."""
    if len(pieces) == 1:
        return pieces[0].text.strip("\n").rstrip()
    texts: list[str] = []
    contents: set[str] = set()
    for piece in pieces:
        content = "".join(piece.text.split())
        if piece.was_html and content in contents:
            continue
        contents.add(content)
        texts.append(piece.text.strip("\n"))
    return "\n\n".join(texts).rstrip()
