"""Content-Transfer-Encoding undone (RFC 2045 section 6): whatever can be decoded is, in linear time."""

from __future__ import annotations

import binascii
import re

from mailticket.text.patterns import lazy_pattern

MAX_RUNS = 10_000  # pieces of base64 in one body

_BASE64_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_FOREIGN_BYTES = bytes(byte for byte in range(256) if byte not in _BASE64_BYTES)
_NOT_BASE64 = lazy_pattern(rb"[^A-Za-z0-9+/]+")
_LONG_WORD = 40  # characters; lines of base64 have up to 76
_UNPRINTABLE = lazy_pattern(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
_LONE_CR = lazy_pattern(rb"\r(?!\n)")
_SOFT_BREAK = lazy_pattern(rb"=[ \t]{1,100}(?=\r?\n)")
_UU_BEGIN = lazy_pattern(rb"begin(?:-base64)? [0-7]{3,4} [^\r\n]{1,300}\r?\n")


def decode(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The decoded bytes and a warning ("" where all was well). An unknown encoding is none (RFC 2045 section 6.4)."""
    name = re.sub(r"[^a-z0-9]", "", encoding[:40])
    if name in ("", "7bit", "8bit", "binary", "none", "identity"):
        return data, ""
    if name.startswith("base64"):
        return decode_base64(data)
    if name.startswith(("quotedprint", "qp")):
        return decode_quoted_printable(data), ""
    if name in ("xuuencode", "uuencode", "xuue", "uue"):
        begin = _UU_BEGIN.search(data, 0, 4000)
        return decode_uu(data[begin.end() :] if begin else data), ""
    return data, f"unknown transfer encoding {encoding[:40]!r}: the bytes were taken as they stand"


def decode_base64(data: bytes) -> tuple[bytes, str]:
    """Base64 with whatever is wrong in it left out: line noise, missing or early padding, a footer behind it."""
    if data.translate(None, _BASE64_BYTES):
        return _damaged(data)
    padding = data.find(b"=")
    if padding < 0 or (not data[padding : padding + 8].strip(b"=\r\n \t-") and not data[padding:].strip(b"=\r\n \t")):
        return _one_run(data)
    return _several_runs(data)


def is_no_base64(data: bytes) -> bool:
    """Whether text that is said to be base64 was never encoded: words in the first line, or nothing readable comes out.

    The first line decides, for a footer may stand in plain words below what was encoded.
    """
    first = next((line.strip() for line in data.split(b"\n", 20) if line.strip()), b"")
    words = first.split()
    foreign = first.translate(None, _BASE64_BYTES)
    if len(words) >= 3 or (words and sum(byte >= 0x80 for byte in foreign) * 2 > len(first)):
        return max(map(len, words)) < _LONG_WORD or bool(foreign)
    if not foreign and (len(first) >= _LONG_WORD or len(b"".join(data.split())) % 4 == 0):
        return False
    content = decode_base64(data[:4000])[0]
    garbled = bool(_UNPRINTABLE.search(content)) or (bool(foreign) and "\ufffd" in content.decode("utf_8", "replace"))
    return garbled and not _UNPRINTABLE.search(data[:4000])


def _damaged(data: bytes) -> tuple[bytes, str]:
    """Foreign bytes inside: line noise is skipped, but text that follows the base64 (a footer) ends it."""
    lines = data.split(b"\n")
    foreign = [bool(line.translate(None, _BASE64_BYTES)) for line in lines]
    first = foreign.index(True)
    following = [wrong for line, wrong in zip(lines[first:], foreign[first:], strict=True) if line.strip()]
    warning = "base64 was damaged: what is there was decoded"
    if sum(following) * 2 > len(following) and any(line.strip() for line in lines[:first]):
        return decode_base64(b"\n".join(lines[:first]))[0], warning
    return decode_base64(data.translate(None, _FOREIGN_BYTES))[0], warning


def _one_run(data: bytes) -> tuple[bytes, str]:
    """One base64 run with no padding but at its end."""
    try:
        return binascii.a2b_base64(data), ""
    except binascii.Error:
        compact = _NOT_BASE64.sub(b"", data)
        full_length = len(compact) - len(compact) % 4
        tail = compact[full_length:]
        content = binascii.a2b_base64(compact[:full_length])
        if len(tail) > 1:
            content += binascii.a2b_base64(tail + b"=" * (4 - len(tail)))
        return content, "base64 was cut short or damaged: what is there was decoded"


def _several_runs(data: bytes) -> tuple[bytes, str]:
    """Padding inside: pieces that were encoded one by one."""
    if data.count(b"=") > MAX_RUNS:
        return _one_run(data.replace(b"=", b""))[0], "base64 was full of padding"
    runs = [_one_run(run)[0] for run in data.split(b"=") if run.strip()]
    return b"".join(runs), "base64 had padding inside: its pieces were joined"


def decode_quoted_printable(data: bytes) -> bytes:
    """Quoted-printable; what is no valid escape stays as it is."""
    if b"=" not in data:
        return data
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):  # the codec would skip from "=CR" to the next LF
        data = _LONE_CR.sub(b"\n", data)
    return binascii.a2b_qp(_SOFT_BREAK.sub(b"=", data))


def decode_uu(data: bytes) -> bytes:
    """The lines of a uuencoded file, from after "begin" up to "end"; a damaged line gives what it holds."""
    out: list[bytes] = []
    for line in data.splitlines():
        if line.strip() in (b"end", b"`", b""):
            if line.strip() == b"end":
                break
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders count the padding of the last group; the length in the first character is what holds.
            length = ((line[0] - 32) & 63) * 4 // 3 + 2
            try:
                out.append(binascii.a2b_uu(line[: length + 1]))
            except binascii.Error:
                continue
    return b"".join(out)
