"""Hostile mails of any size, each a function of how many pieces it has (about one line each)."""

from __future__ import annotations

from collections.abc import Callable

HEAD = b"From: a@example.org\r\nSubject: x\r\n"
# A SignedData of indefinite lengths (X.690 section 8.1.3.6), up to the first piece of what was signed.
SIGNED_BEGIN = bytes.fromhex("308006092a864886f70d010702a08030800201013100308006092a864886f70d010701a0802480")
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
BASE64 = HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n"
QP = HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"


def _nested(count: int) -> bytes:
    return HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(count)
    )


def _many_attributes(count: int) -> bytes:
    return HTML + b"<a " + b"".join(b"b%d=1 " % i for i in range(count)) + b">x"


def _sections(count: int) -> bytes:
    return (
        HEAD
        + b"Content-Disposition: attachment"
        + b"".join(b"; filename*%d*=%%41" % i for i in range(count))
        + b"\r\n\r\nx"
    )


# Name of the attack (the row of the threat list) -> the mail with so many pieces.
ATTACKS: dict[str, Callable[[int], bytes]] = {
    "depth (S33)": _nested,
    "depth under one boundary (S33)": lambda n: MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * n,
    "depth of attached messages (S33)": lambda n: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * n,
    "parts (S34)": lambda n: MIXED + b"--b\r\n\r\n" * n,
    "parts of HTML (S34)": lambda n: MIXED + b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n" * n,
    "lines that are almost delimiters (S34)": lambda n: MIXED + b"--bb\n" * n,
    "multiparts without their boundary (S34)": (
        lambda n: MIXED + b"--c\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n" * n
    ),
    "encoded words (S35)": lambda n: b"Subject: " + b"=?utf-8?q?a?= " * n + b"\r\n\r\nx",
    "encoded words folded (S35)": lambda n: b"Subject: " + b"=?utf-8?b?4L2g?=\r\n " * n + b"\r\n\r\nx",
    "open encoded words (S35)": lambda n: b"From: " + b"=?u?q?" * n + b"\r\n\r\nx",
    "recipients (S35)": lambda n: HEAD + b"To: " + b"a@b," * n + b"\r\n\r\nx",
    "To headers (S35)": lambda n: HEAD + b"To: a@b, c@d\r\n" * n + b"\r\nx",
    "semicolons (S35)": lambda n: HEAD + b"Content-Type: text/plain" + b";" * n + b"\r\n\r\nx",
    "quoted semicolons (S35)": lambda n: HEAD + b'Content-Type: text/plain; a="' + b';\\"' * n + b"\r\n\r\nx",
    "parameter sections (S35)": _sections,
    "headers (S35)": lambda n: b"A: b\r\n" * n + b"\r\nx",
    "lines that are no headers (S35)": lambda n: HEAD + b"junk\r\nX-A: y\r\n" * n + b"\r\nx",
    "folds (S35)": lambda n: HEAD + b" b\r\n" * n + b"\r\nx",
    "blank folds (S35)": lambda n: HEAD + b"   \r\n" * n + b"\r\nx",
    "references (S35)": lambda n: HEAD + b"References: " + b"<a@b> " * n + b"\r\n\r\nx",
    "results (S35)": lambda n: HEAD + b"Authentication-Results: mx.us; " + b'spf=pass (x) a="b"; ' * n + b"\r\n\r\nx",
    "comments (S36)": lambda n: b"From: " + b"(" * n + b"\r\n\r\nx",
    "quotes (S36)": lambda n: b"From: " + b'"' * n + b"\r\n\r\nx",
    "angles (S36)": lambda n: b"From: " + b"<" * n + b"\r\n\r\nx",
    "date comments (S36)": lambda n: HEAD + b"Date: " + b"(" * n + b"\r\n\r\nx",
    "utf-7 (S37)": lambda n: HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+2AA-" * n,
    "iso-2022-jp (S37)": lambda n: HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + b"\x1b$B" * n,
    "vendors' kanji": lambda n: HEAD + b"Content-Type: text/plain; charset=euc-jp\r\n\r\n" + b"\xad\xa1" * n,
    "pictures that are none": lambda n: (
        HEAD + b"Content-Type: text/html\r\n\r\n" + b'<img src="data:image/a;base64,' * n
    ),
    "a signed file of pieces": lambda n: (
        HEAD + b"Content-Type: application/pkcs7-mime\r\n\r\n" + SIGNED_BEGIN + b"\x04\x01a" * n
    ),
    "packed lists": lambda n: (
        HEAD
        + b"Content-Type: application/ms-tnef\r\n\r\n\x78\x9f\x3e\x22\0\0"
        + b"\x01\x03\x90\x06\0\x04\0\0\0\xff\xff\xff\xff\0\0" * n
    ),
    "names with commas": lambda n: b"From: " + b"a," * n + b" <a@b.example>\r\n\r\nx",
    "idna words (S37)": lambda n: b"Subject: " + b"=?idna?q?" + b"a." * n + b"?=\r\n\r\nx",
    "undeclared bytes (S37)": lambda n: HEAD + b"\r\n" + b"\xe9\xff " * n,
    "On (S38)": lambda n: HEAD + b"\r\n" + b"On " * n,
    "On a line (S38)": lambda n: HEAD + b"\r\n" + b"On a\n" * n,
    "quote marks (S38)": lambda n: HEAD + b"\r\n" + b">" * n,
    "blanks (S38)": lambda n: HEAD + b"\r\n" + b" " * n + b"x",
    "underscores (S38)": lambda n: HEAD + b"\r\n" + b"_" * n,
    "empty lines (S38)": lambda n: HEAD + b"\r\nx" + b"\n" * n + b"y",
    "header blocks (S38)": lambda n: HEAD + b"\r\n" + b"From: x\nSent: y\n" * n,
    "only history (S39)": lambda n: (
        HEAD + b"\r\nOn Mon, 2 Nov 2026 at 10:00, Bob <b@c.example> wrote:\n" + b"> x\n" * n
    ),
    "uuencode begins (S32)": lambda n: HEAD + b"\r\n" + b"begin 644 x\n" * n,
    "uuencoded files (S32)": lambda n: HEAD + b"\r\n" + b"begin 644 x\n#86)C\n" * n,
    "base64 padding (S32)": lambda n: BASE64 + b"YQ==" * n,
    "base64 noise (S32)": lambda n: BASE64 + b"!YQ\n" * n,
    "quoted-printable (S32)": lambda n: QP + b"= " * n,
    "flowed (S32)": lambda n: HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> a \n" * n,
    "HTML depth (S40)": lambda n: HTML + b"<div>" * n,
    "HTML lists (S40)": lambda n: HTML + b"<li>x" * n,
    "HTML cells (S40)": lambda n: HTML + b"<td>x" * n,
    "HTML tables (S40)": lambda n: HTML + b"<table><tr><td>" * n,
    "HTML quotes (S40)": lambda n: HTML + b"<blockquote>x" * n,
    "HTML links (S40)": lambda n: HTML + b"<a href=http://x.example>y" * n,
    "HTML angles (S40)": lambda n: HTML + b"<" * n,
    "HTML comments (S40)": lambda n: HTML + b"<!--" * n,
    "HTML references (S40)": lambda n: HTML + b"&#" * n,
    "HTML attributes (S40)": _many_attributes,
    "bytes of every value": lambda n: bytes(i * 7 % 256 for i in range(8 * n)),
    "NULs": lambda n: b"\0" * (8 * n),
    "carriage returns": lambda n: b"\r" * (8 * n),
    "line feeds": lambda n: b"\n" * (8 * n),
    "colons": lambda n: b":\n" * (8 * n),
}
