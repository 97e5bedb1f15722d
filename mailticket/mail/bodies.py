"""Which parts of a mail are its text and which its attachments, and the bytes of each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from mailticket.mail import charsets, flowed, html, names, structure, transfer, uuencode
from mailticket.mail.parts import Part
from mailticket.mail.values import Attachment

MAX_TEXT_BYTES = 1_000_000  # of one part that is text
MAX_HTML_BYTES = 8_000_000  # of one that is HTML, pictures written into it included
MAX_TEXT = 500_000  # characters of the whole text

_TEXT_TYPES = frozenset(("text/plain", "text/html", "text/enriched", "text/richtext", "application/xhtml+xml"))
_MESSAGE_TYPES = frozenset(("message/rfc822", "message/global", "message/news"))
MAX_BORROWED = 20  # attached messages whose text stands in for a mail that has none
_META_CHARSET = re.compile(rb"<meta[^>]{1,300}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_\-]{2,40})", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ENRICHED = re.compile(r"<<|</?[A-Za-z][A-Za-z0-9-]{0,40}>")
_POORER = 5  # a plain alternative that says this many times less than the HTML one is a placeholder


@dataclass(slots=True)
class Bodies:
    """The readable text, the attachments in the order of the mail, and what was odd.

    borrowed: the mail has no text of its own; what is shown is that of the messages attached to it.
    """

    text: str = ""
    borrowed: bool = False
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


def read(raw: bytes, root: Part) -> Bodies:
    """All text and all attachments of a mail whose structure was read."""
    reader = _Reader(raw)
    pieces = reader.pieces(root, parent=None)
    text = _joined(pieces) or _joined(reader.named_text(root))
    borrowed = "" if text else _of_report(raw, root) or _of_attached_messages(raw, root)
    if not text and not borrowed and root.children:
        text = reader.preamble(root)
    text = text or borrowed
    if len(text) > MAX_TEXT:
        reader.warn("the text was longer than 500,000 characters and was cut")
        text = text[:MAX_TEXT]
    return Bodies(text, bool(borrowed), reader.attachments, reader.warnings)


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
    path, _, number = part.partition("#uu")
    for candidate in root.walk():
        if candidate.path == path:
            data = part_bytes(raw, candidate)
            if not number:
                return data
            files = uuencode.extract(data)[1]
            if number.isascii() and number.isdigit() and int(number) < len(files):
                return files[int(number)][1]
    raise KeyError(part)


class _Reader:
    """Walks the tree. Its depth is bounded by the structure reader, so recursion is safe here."""

    def __init__(self, raw: bytes, *, keep_attachments: bool = True) -> None:
        self.raw = raw
        self.keep_attachments = keep_attachments
        self.attachments: list[Attachment] = []
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        if warning and warning not in self.warnings:
            self.warnings.append(warning)

    def pieces(self, part: Part, parent: Part | None) -> list[_Piece]:
        """The text in a part; its attachments are collected on the way."""
        if part.children:
            if part.type == "multipart/alternative":
                return self._alternative(part)
            return [piece for child in part.children for piece in self.pieces(child, part)]
        if not self._is_text(part, parent):
            self._attach(part, parent)
            return []
        if parent is None and part.disposition == "attachment":
            self._attach(part, parent)
        return self._text(part)

    def _is_text(self, part: Part, parent: Part | None) -> bool:
        """Text to be read, as opposed to a file: text without a file name, or the only part of the mail."""
        if part.type.startswith("multipart/"):  # one whose parts were not found
            return parent is None or parent.children[0] is part
        if part.type not in _TEXT_TYPES:
            return False
        if parent is None:
            return True
        if part.disposition == "attachment":
            return False
        if parent.type == "multipart/alternative":
            return True
        if part.type == "text/html" and parent.type == "multipart/related" and parent.children[0] is part:
            return True  # the root of a related group is the body, whatever it is called
        return not part.filename

    def _alternative(self, part: Part) -> list[_Piece]:
        """The plain text, unless it is empty or a placeholder for much more HTML (RFC 2046 section 5.1.4)."""
        plain: list[_Piece] = []
        rich: list[Part] = []
        for child in part.children:
            if child.type in ("text/html", "application/xhtml+xml", "multipart/related") and not child.filename:
                rich.append(child)
                continue
            pieces = self.pieces(child, part)
            if pieces and not plain:
                plain = pieces
        plain_length = sum(len("".join(piece.text.split())) for piece in plain)
        rich_pieces: list[_Piece] = []
        for child in rich:
            # Markup is several times its text, so a short HTML part cannot say much more: it need not be read.
            if plain_length and child.type == "text/html" and child.end - child.start < plain_length * _POORER:
                continue
            pieces = (
                self.pieces(child, part)
                if not plain_length or plain_length < 1000
                else self._attachments_only(child, part)
            )
            if pieces and not rich_pieces:
                rich_pieces = pieces
        html_length = sum(len("".join(piece.text.split())) for piece in rich_pieces)
        if rich_pieces and (not plain_length or (html_length > plain_length * _POORER and html_length > 200)):
            if plain_length:
                self.warn("the plain text said much less than the HTML, which was read instead")
            return rich_pieces
        return plain

    def _attachments_only(self, part: Part, parent: Part) -> list[_Piece]:
        """The files of an alternative whose text is not wanted."""
        if not part.children:
            if not self._is_text(part, parent):
                self._attach(part, parent)
            return []
        for child in part.children:
            self._attachments_only(child, part)
        return []

    def _text(self, part: Part) -> list[_Piece]:
        data, warning = _decoded(self.raw, part)
        self.warn(warning)
        kind = part.type
        if kind.startswith("multipart/"):
            data, kind = part_bytes(self.raw, part), "text/plain"
        if kind == "text/plain":
            data = self._without_files(part, data)
        charset = part.params.get("charset", "")
        if kind in ("text/html", "application/xhtml+xml"):
            text = self._html(data, charset)
            return [_Piece(text, was_html=True)] if text else []
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

    def _without_files(self, part: Part, data: bytes) -> bytes:
        data, files = uuencode.extract(data)
        for number, (name, content) in enumerate(files):
            self.attachments.append(
                Attachment(
                    part=f"{part.path}#uu{number}",
                    name=names.of_bytes(name),
                    type=names.type_by_extension(names.of_bytes(name)),
                    size=len(content),
                    sha256=hashlib.sha256(content).hexdigest(),
                    inline=False,
                )
            )
        return data

    def _attach(self, part: Part, parent: Part | None) -> None:
        if not self.keep_attachments:
            return
        data, warning = _decoded(self.raw, part)
        self.warn(warning)
        if part.type == "application/pgp-encrypted" or part.params.get("smime-type", "") == "enveloped-data":
            self.warn("the mail is encrypted: its content was kept, not read")
        related = parent is not None and parent.type == "multipart/related" and part.headers.has("content-id")
        self.attachments.append(
            Attachment(
                part=part.path,
                name=names.name(part, data),
                type=part.type,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                inline=part.disposition == "inline" or (related and part.disposition != "attachment"),
            )
        )

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


def clean(text: str) -> str:
    """Body text as it leaves the reader: LF line ends, no NUL nor other control characters but tabs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return text if text.isprintable() else _CONTROL.sub("", text)


def _joined(pieces: list[_Piece]) -> str:
    """Text parts in order with a blank line between; one that repeats another in HTML is left out."""
    texts: list[str] = []
    contents: set[str] = set()
    for piece in pieces:
        content = "".join(piece.text.split())
        if piece.was_html and content in contents:
            continue
        contents.add(content)
        texts.append(piece.text.strip("\n"))
    return "\n\n".join(texts).rstrip()
