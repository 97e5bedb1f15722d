"""Names of attachments: the one that was given, else one that says what the thing is."""

from __future__ import annotations

from mailticket.mail import charsets, headers
from mailticket.mail.parameters import clean_filename
from mailticket.mail.parts import Part

_BY_TYPE = {
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
    "text/calendar": "invite.ics",
    "application/ics": "invite.ics",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "pgp-version.txt",
    "application/pgp-keys": "public-key.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "message/delivery-status": "delivery-status.txt",
    "message/global-delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "message/feedback-report": "feedback-report.txt",
    "message/external-body": "external-body.txt",
    "text/rfc822-headers": "message-headers.txt",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
    "text/directory": "contact.vcf",
}
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/json": "json",
    "application/xml": "xml",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/rtf": "rtf",
    "text/plain": "txt",
    "text/html": "html",
    "text/csv": "csv",
    "text/xml": "xml",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/amr": "amr",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "message/rfc822": "eml",
    "message/global": "eml",
    "message/news": "eml",
}
_TYPES = {extension: kind for kind, extension in reversed(_EXTENSIONS.items())}


def name(part: Part, data: bytes) -> str:
    """The name of an attachment: as given, else after its type, else "attachment-2.png" after its place in the mail."""
    if part.filename:
        return part.filename
    if part.type in ("message/rfc822", "message/global", "message/news"):
        return _message_name(data)
    if part.type in _BY_TYPE:
        return _BY_TYPE[part.type]
    main = part.type.partition("/")[0]
    stem = main if main in ("image", "audio", "video") else "attachment"
    place = f"-{part.path}" if part.path else ""
    return f"{stem}{place}.{_EXTENSIONS.get(part.type, 'bin')}"


def _message_name(data: bytes) -> str:
    """The subject of an attached message, which is what people know it by."""
    head = b"\n" + data[:16384]
    at = head.lower().find(b"\nsubject:")
    if at >= 0:
        end = at + 9
        while True:  # through the folded lines
            end = head.find(b"\n", end)
            if end < 0 or head[end + 1 : end + 2] not in (b" ", b"\t"):
                break
            end += 1
        subject = headers.clean_line(headers.decode(head[at + 9 : end if end >= 0 else len(head)][:2000]))
        stem = clean_filename(subject.replace("/", "_").replace("\\", "_"))[:100].strip()
        if stem:
            return f"{stem}.eml"
    return "message.eml"


def of_bytes(raw: bytes) -> str:
    """The name written in the "begin" line of a uuencoded file."""
    return clean_filename(charsets.decode(raw)) or "attachment.bin"


def of_picture(given: str, kind: str, number: int) -> str:
    """The name of a picture that was written into HTML: as given there, else after its type and place."""
    return clean_filename(given) or f"image-{number + 1}.{_EXTENSIONS.get(kind, 'bin')}"


def type_by_extension(filename: str) -> str:
    """The media type that an extension stands for, application/octet-stream where unknown."""
    return _TYPES.get(filename.rpartition(".")[2].lower(), "application/octet-stream")
