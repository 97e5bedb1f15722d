"""Files inside a part: uuencoded in its text, written into its HTML, packed in a winmail.dat, signed as one."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.mail import cms, names, parameters, pictures, tnef, uuencode
from mailticket.mail.parts import Part
from mailticket.text.patterns import lazy_pattern

MAX_ENTITY_HEADER = 8000  # bytes in which a signed file must say that it is a mail
HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))

_TNEF_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_CMS_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_TYPE = lazy_pattern(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
_FIELD = lazy_pattern(rb"[!-9;-~]{1,80}[ \t]{0,5}:")
_BLANK_LINE = lazy_pattern(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class File:
    """A file inside a part. mark: what follows the path of the part in Attachment.part, "#uu0"."""

    mark: str
    name: str
    type: str
    data: bytes
    inline: bool


def is_tnef(part: Part) -> bool:
    return part.type in _TNEF_TYPES or part.filename.lower() == "winmail.dat"


def is_cms(part: Part) -> bool:
    """Whether a part is S/MIME as one file, by its type, or by its name where a gateway took the type away."""
    return part.type in _CMS_TYPES or (
        part.type == "application/octet-stream"
        and ("smime-type" in part.params or part.filename.lower() == "smime.p7m")
    )


def signed_entity(data: bytes) -> bytes | None:
    """The MIME entity inside an S/MIME file; None where there is none, as in a signed document ("bill.pdf.p7m")."""
    content = (cms.signed_content(data) or b"").lstrip(b"\r\n")
    header = _BLANK_LINE.split(content[:MAX_ENTITY_HEADER], 1)[0]
    return content if _FIELD.match(header) and b"content-type" in header.lower() else None


def uuencoded(data: bytes) -> tuple[bytes, list[File]]:
    """The text without its uuencoded files, and those."""
    text, found = uuencode.extract(data)
    files = []
    for number, (raw_name, content) in enumerate(found):
        name = names.of_bytes(raw_name)
        files.append(File(f"#uu{number}", name, names.type_by_extension(name), content, inline=False))
    return text, files


def pasted(markup: bytes) -> list[File]:
    """The pictures written into HTML."""
    return [
        File(
            f"#data{number}",
            names.of_picture(picture.name, picture.type, number),
            picture.type,
            picture.data,
            inline=True,
        )
        for number, picture in enumerate(pictures.extract(markup))
    ]


def packed(data: bytes) -> tuple[str, list[File]] | None:
    """The text and the files of a winmail.dat, or None where it cannot be opened."""
    unpacked = tnef.unpack(data)
    if unpacked is None:
        return None
    files = []
    for number, file in enumerate(unpacked.files):
        name = parameters.clean_filename(file.name) or f"attachment-{number + 1}.bin"
        kind = file.type if _TYPE.fullmatch(file.type) else names.type_by_extension(name)
        files.append(File(f"#tnef{number}", name, kind, file.data, inline=file.inline))
    return unpacked.text, files


IN_TEXTS = ("uu", "data")  # how the marks of files begin that stand in a text


def files_of(part: Part, data: bytes, mark: str) -> list[File]:
    """The files inside a part that are of the kind of this mark ("#uu0")."""
    if mark.startswith("#uu"):
        return uuencoded(data)[1]
    if mark.startswith("#data"):
        return pasted(data)
    unpacked = packed(data) if mark.startswith("#tnef") and is_tnef(part) else None
    return unpacked[1] if unpacked else []
