"""A raw mail with the secrets in its words masked: what is kept of it when its short retention is over.

Only the bodies that are text and the header fields that hold words are written anew, each in its own charset and
transfer encoding; all other bytes are the slices they were, so attachments keep their bytes and their part numbers.
The result is read again before it is believed.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.header import Header

from mailticket.mail import charsets, headers, read, structure, transfer, uuencode
from mailticket.mail import html as markup
from mailticket.mail.parts import Part
from mailticket.mail.values import Mail
from mailticket.secrets import masking
from mailticket.text.patterns import lazy_pattern

_Mask = Callable[[str], str]

_FIELD = lazy_pattern(rb"^([!-9;-~]{1,200})[ \t]{0,20}:((?:[^\n]*(?:\n|\Z))(?:[ \t][^\n]*(?:\n|\Z))*)", re.MULTILINE)
# Fields that programs read, or that hold addresses: nothing of them is ever shown as the words of a mail.
_LEFT_ALONE = lazy_pattern(
    rb"(?:content-|dkim-|arc-|list-|authentication-|received|return-path|message-id|references|in-reply-to|mime-version|"
    rb"date|from|to|cc|bcc|sender|reply-to|delivered-to|x-original-to)",
    re.IGNORECASE,
)
_LEFT_TO_PROGRAMS = lazy_pattern(rb"(?:content-|mime-version)", re.IGNORECASE)
_LEAST_VALUE = 4  # characters of a secret that is sought literally: a shorter one would hit by chance
_MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Redacted:
    """The masked mail. whole: whether its attachments could be kept; if not, only the words of the mail are left."""

    raw: bytes
    whole: bool


def redact(raw: bytes) -> Redacted:
    """The mail with every sure secret in its subject and text masked. Never raises; one without any stays as it is.

    Files are not looked into: a secret inside an attachment stays there, as its bytes are kept.
    """
    mail = read(raw)
    mask = _masker(mail)
    if mask(mail.subject) == mail.subject and mask(mail.text) == mail.text:
        return Redacted(raw, whole=True)
    try:
        rewritten = _rewritten(raw, mail, mask)
        if _is_sound(rewritten, mail, mask):
            return Redacted(rewritten, whole=True)
    except Exception:  # noqa: S110 whatever a broken mail does here, its secret must not stay
        pass
    return Redacted(_words_only(mail, mask), whole=False)


def without(raw: bytes, veil: _Mask) -> Redacted:
    """The mail without what a veil takes out of its words and its whole header. Never raises; a mail of which the veil
    takes nothing stays as it is. Files are not looked into.
    """
    mail = read(raw)
    try:
        rewritten = _rewritten(raw, mail, veil, _LEFT_TO_PROGRAMS)
        if rewritten == structure.canonical(raw):
            return Redacted(raw, whole=True)
        if _is_sound(rewritten, mail, veil):
            return Redacted(rewritten, whole=True)
    except Exception:  # noqa: S110 whatever a broken mail does here, the person must not stay in it
        pass
    return Redacted(_words_only(mail, veil), whole=False)


def _masker(mail: Mail) -> _Mask:
    """Masks what looks like a secret in a text, and the secrets of this mail wherever and however they stand in it."""
    known = []
    for text in (mail.subject, mail.text, mail.new_text):
        sure = (secret for secret in masking.find(text) if secret.grade == "sure")
        known += [(text[secret.start : secret.end], secret.mark) for secret in sure]
    patterns = [(_literal(value), mark) for value, mark in dict(known[:_MOST_VALUES]).items()]

    def mask(text: str) -> str:
        masked = masking.mask(text, least="sure").text
        for pattern, mark in patterns:
            masked = pattern.sub(mark, masked) if pattern else masked
        return masked

    return mask


def _literal(value: str) -> re.Pattern[str] | None:
    """A secret as it may be written elsewhere in its mail: wrapped, quoted, or with markup between its words."""
    words = value.split()
    if len("".join(words)) < _LEAST_VALUE:
        return None
    between = r"(?:[\s>|]|<[^<>]{0,200}>|&nbsp;|&#160;){1,20}"
    return re.compile(between.join(re.escape(word) for word in words), re.IGNORECASE)


def _rewritten(raw: bytes, mail: Mail, mask: _Mask, left_alone: re.Pattern[bytes] = _LEFT_ALONE) -> bytes:
    content = structure.canonical(raw)
    root, _ = structure.read_structure(content)
    files = {attachment.part for attachment in mail.attachments} - ({""} if root.type.startswith("text/") else set())
    pieces: list[bytes] = []
    position = 0
    for start, end, written in sorted(_changes(content, root, files, mask, left_alone)):
        pieces += [content[position:start], written]
        position = end
    return b"".join([*pieces, content[position:]])


def _changes(
    content: bytes, root: Part, files: set[str], mask: _Mask, left_alone: re.Pattern[bytes]
) -> Iterator[tuple[int, int, bytes]]:
    """The slices that must change, and what takes their place; none overlaps another."""
    begin = structure.header_start(content)
    yield begin, root.start, _fields(content[begin : root.start], mask, left_alone)
    for part in root.walk():
        if part.children:
            yield from _around(content, part, mask)
        elif part.path not in files:
            yield part.start, part.end, _body(content, part, mask)


def _around(content: bytes, part: Part, mask: _Mask) -> Iterator[tuple[int, int, bytes]]:
    """What stands before the first delimiter and behind the last part of a multipart: nobody's text, but text."""
    first = content.find(b"\n--", part.start, part.children[0].start)
    last = max(child.end for child in part.children)
    for start, end in ((part.start, max(part.start, first)), (last, part.end)):
        text = charsets.decode(content[start:end])
        if mask(text) != text:
            yield start, end, mask(text).encode()


def _fields(block: bytes, mask: _Mask, left_alone: re.Pattern[bytes]) -> bytes:
    """The header with secrets masked in every field that is not left alone."""

    def field(found: re.Match[bytes]) -> bytes:
        words = headers.decode(found[2])
        if left_alone.match(found[1]) or mask(words) == words:
            return found[0]
        name = found[1].decode("ascii")
        value = Header(headers.clean_line(mask(words)), "utf-8", header_name=name).encode(linesep="\r\n")
        return f"{name}: {value}\r\n".encode("ascii")

    return _FIELD.sub(field, block)


def _body(content: bytes, part: Part, mask: _Mask) -> bytes:
    """The body of a text part, masked and encoded as it was; the bytes that it had if no secret is in it."""
    body = content[part.start : part.end]
    data, _ = transfer.decode(body, part.encoding)
    is_html = part.type in ("text/html", "application/xhtml+xml")
    masked = b"".join(_segments(data, part.params.get("charset", ""), is_html, mask))
    return body if masked == data else _encoded(masked, part.encoding)


def _segments(data: bytes, charset: str, is_html: bool, mask: _Mask) -> Iterator[bytes]:
    """The text between uuencoded files masked, the files as they are."""
    position = 0
    for file in () if is_html else uuencode.spans(data):
        yield _masked_bytes(data[position : file.start], charset, is_html, mask)
        yield data[file.start : file.end]
        position = file.end
    yield _masked_bytes(data[position:], charset, is_html, mask)


def _masked_bytes(data: bytes, charset: str, is_html: bool, mask: _Mask) -> bytes:
    text = charsets.decode(data, charset)
    unix = text.replace("\r\n", "\n")
    masked = _masked_html(unix, mask) if is_html else mask(unix)
    if masked == unix:
        return data
    return _in_charset(masked.replace("\n", "\r\n") if "\r\n" in text else masked, charset)


def _masked_html(source: str, mask: _Mask) -> str:
    """The page with its secrets masked; only its words, if tags stand inside a secret in a way that hides it."""
    masked = mask(source)
    shown = markup.to_text(masked)
    return masked if mask(shown) == shown else f"<pre>{html.escape(mask(shown))}</pre>"


def _in_charset(text: str, charset: str) -> bytes:
    """The text in a charset that reads back as the same under the label that the part has."""
    for codec in (charsets.codec_name(charset), "utf_8"):
        try:
            data = text.encode(codec) if codec else b""
        except (UnicodeError, LookupError):
            continue
        if data and charsets.decode(data, charset) == text:
            return data
    return text.encode("ascii", "replace")


def _encoded(data: bytes, encoding: str) -> bytes:
    """The data in the transfer encoding that the part's header names."""
    name = re.sub(r"[^a-z0-9]", "", encoding[:40])
    if name.startswith("base64"):
        return b"\r\n".join(binascii.b2a_base64(data[i : i + 57], newline=False) for i in range(0, len(data), 57))
    if name.startswith(("quotedprint", "qp")):
        return binascii.b2a_qp(data)
    return data


def _is_sound(raw: bytes, before: Mail, mask: _Mask) -> bool:
    """Whether a rewritten mail keeps its files and shows no secret any more."""
    after = read(raw)
    words = (after.subject, after.text, after.new_text)
    return _files(after) == _files(before) and all(mask(text) == text for text in words)


def _files(mail: Mail) -> list[tuple[str, str]]:
    return [(attachment.part, attachment.sha256) for attachment in mail.attachments]


def _words_only(mail: Mail, mask: _Mask) -> bytes:
    """A mail made of the masked words alone."""
    lines = [f"Message-ID: {mail.message_id}", f"Subject: {Header(mask(mail.subject), 'utf-8').encode()}"]
    head = [*_ascii(lines), b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8"]
    return b"\r\n".join([*head, b"Content-Transfer-Encoding: 8bit", b"", mask(mail.text).encode()])


def _ascii(lines: Iterable[str]) -> list[bytes]:
    return [line.encode("ascii", "replace") for line in lines]
