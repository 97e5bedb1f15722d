"""winmail.dat: the text and the files that Outlook packs into one (MS-OXTNEF).

One pass over slices of the data, all counts bounded. The libraries for it loop as often as the file tells them to.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailticket.mail import charsets, html, rtf

MAX_ATTRIBUTES = 20_000
MAX_PROPERTIES = 5000  # of one list
MAX_FILES = 200

_SIGNATURE = 0x223E9F78
# Attributes, MS-OXTNEF section 2.1.3.2.
_BODY, _TITLE, _DATA, _NEW_FILE, _PROPERTIES, _FILE_PROPERTIES, _CODE_PAGE = (
    0x800C, 0x8010, 0x800F, 0x9002, 0x9003, 0x9005, 0x9007,
)  # fmt: skip
# Properties, MS-OXPROPS.
_TEXT, _RTF, _HTML, _INTERNET_CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_DISPLAY_NAME, _FILE_DATA, _FILE_NAME, _LONG_NAME, _MIME_TYPE, _CONTENT_ID = (
    0x3001, 0x3701, 0x3704, 0x3707, 0x370E, 0x3712,
)  # fmt: skip
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_OBJECT, _UNICODE = 0x0D, 0x1F
_VARIABLE = (_OBJECT, 0x1E, _UNICODE, 0x0102)
_CODE_PAGES = {20127: "us-ascii", 20866: "koi8-r", 21866: "koi8-u", 28591: "iso-8859-1", 28592: "iso-8859-2",
               50220: "iso-2022-jp", 51932: "euc-jp", 51949: "euc-kr", 54936: "gb18030", 65001: "utf-8"}  # fmt: skip


@dataclass(slots=True)
class PackedFile:
    """A file inside: its name and type ("" where the file says none), its bytes, whether the text shows it."""

    name: str = ""
    type: str = ""
    data: bytes = b""
    inline: bool = False


@dataclass(slots=True)
class Unpacked:
    """What was packed: the readable text ("" without one) and the files in order."""

    text: str = ""
    files: list[PackedFile] = field(default_factory=list)


def unpack(data: bytes) -> Unpacked | None:
    """The text and the files of a winmail.dat, or None where it is none. What is broken ends the reading."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    result = Unpacked()
    code_page, body, properties = "", b"", {}
    for name, value in _attributes(memoryview(data)):
        if name == _CODE_PAGE and len(value) >= 4:
            code_page = _charset(value)
        elif name == _BODY:
            body = bytes(value)
        elif name == _PROPERTIES:
            properties = dict(_properties(value))
        elif name == _NEW_FILE or (name in (_TITLE, _DATA, _FILE_PROPERTIES) and not result.files):
            result.files.append(PackedFile())
        if result.files and name in (_TITLE, _DATA, _FILE_PROPERTIES):
            _fill(result.files[-1], name, value, code_page)
        if len(result.files) > MAX_FILES:
            break
    result.text = _text(properties, code_page) or charsets.decode(body.rstrip(b"\0"), code_page)
    result.files = [file for file in result.files[:MAX_FILES] if file.data]
    return result


def _attributes(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    position = 6
    for _ in range(MAX_ATTRIBUTES):
        if position + 9 > len(data):
            return
        _level, name, _type, length = struct.unpack_from("<BHHI", data, position)
        yield name, data[position + 9 : position + 9 + length]
        position += 9 + length + 2


def _properties(data: memoryview) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Each property of a list (MS-OXTNEF section 2.1.3.4): its number, its type and its first value."""
    try:
        count, position = struct.unpack_from("<I", data)[0], 4
        for _ in range(min(count, MAX_PROPERTIES)):
            kind, number = struct.unpack_from("<HH", data, position)
            position += 4
            if number >= 0x8000:
                position = _past_name(data, position)
            several, kind = bool(kind & 0x1000), kind & 0x0FFF
            values = 1
            if several or kind in _VARIABLE:
                values, position = struct.unpack_from("<I", data, position)[0], position + 4
            if kind in _FIXED:
                value = bytes(data[position : position + _FIXED[kind]])
                position += (_FIXED[kind] if kind not in (2, 11) or not several else 2) * values + 3 & ~3
            elif kind in _VARIABLE:
                value = b""
                for place in range(min(values, MAX_PROPERTIES)):
                    length = struct.unpack_from("<I", data, position)[0]
                    value = value if place else bytes(data[position + 4 : position + 4 + length])
                    position += 4 + (length + 3 & ~3)
            else:
                return
            yield number, (kind, value)
    except struct.error:
        return


def _past_name(data: memoryview, position: int) -> int:
    """Behind the name of a named property: its set, and a number or words."""
    kind, number_or_length = struct.unpack_from("<II", data, position + 16)
    return position + 24 + (int(number_or_length) + 3 & ~3 if kind else 0)


def _fill(file: PackedFile, name: int, value: memoryview, code_page: str) -> None:
    if name == _TITLE:
        file.name = file.name or _string((0x1E, bytes(value)), code_page)
    elif name == _DATA:
        file.data = bytes(value)
    else:
        properties = dict(_properties(value))
        names = [_string(properties[key], code_page) for key in (_LONG_NAME, _FILE_NAME) if key in properties]
        names += [file.name] + [_string(properties[key], code_page) for key in (_DISPLAY_NAME,) if key in properties]
        file.name = next((text for text in names if text), "")
        file.type = _string(properties[_MIME_TYPE], code_page).lower() if _MIME_TYPE in properties else ""
        file.inline = _CONTENT_ID in properties
        if _FILE_DATA in properties and not file.data:
            kind, content = properties[_FILE_DATA]
            file.data = content[16:] if kind == _OBJECT else content
            if kind == _OBJECT and not file.type:  # a mail inside the mail, in this form again
                file.type = "application/ms-tnef"


def _string(value: tuple[int, bytes], code_page: str) -> str:
    kind, data = value
    text = data.decode("utf_16_le", "replace") if kind == _UNICODE else charsets.decode(data, code_page)
    return text.partition("\0")[0].strip()


def _text(properties: dict[int, tuple[int, bytes]], code_page: str) -> str:
    """The best text: plain, else HTML, else RTF."""
    internet = _charset(properties[_INTERNET_CODE_PAGE][1]) if _INTERNET_CODE_PAGE in properties else ""
    if (text := _string(properties.get(_TEXT, (0, b"")), code_page)).strip():
        return text
    if _HTML in properties:
        kind, data = properties[_HTML]
        markup = data.decode("utf_16_le", "replace") if kind == _UNICODE else charsets.decode(data, internet)
        if text := html.to_text(html.without_pictures(markup)):
            return text
    return rtf.to_text(rtf.decompress(properties[_RTF][1])) if _RTF in properties else ""


def _charset(value: bytes | memoryview) -> str:
    """The charset that a code page of Windows stands for."""
    number = int.from_bytes(bytes(value[:4]), "little")
    return _CODE_PAGES.get(number, f"cp{number}")
