"""What holds the words of a mail is opened: S/MIME, winmail.dat, HTML beside a placeholder, named text, pictures."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail import attachment_bytes, bodies, cms, pictures, read, rtf, tnef
from mailticket.mail.alternatives import choose
from mailticket.mail.values import Mail

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + bytes(60)
SIGNED = bytes.fromhex("06092a864886f70d010702")
ENVELOPED = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")


def ber(tag: int, content: bytes) -> bytes:
    """An element of definite length (X.690 section 8.1.3)."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def endless(tag: int, content: bytes) -> bytes:
    """An element of indefinite length."""
    return bytes((tag, 0x80)) + content + b"\0\0"


def signed(entity: bytes, *, streamed: bool = False, size: int = 50, kind: bytes = SIGNED) -> bytes:
    """A SignedData around an entity, by DER or as programs write it while they still read."""
    wrap = endless if streamed else ber
    pieces = b"".join(ber(0x04, entity[i : i + size]) for i in range(0, len(entity), size))
    octets = endless(0x24, pieces) if streamed else ber(0x04, entity)
    content = wrap(0x30, DATA + wrap(0xA0, octets))
    version, algorithms = ber(0x02, b"\1"), wrap(0x31, wrap(0x30, bytes.fromhex("0609608648016503040201")))
    return wrap(0x30, kind + wrap(0xA0, wrap(0x30, version + algorithms + content + ber(0x31, b""))))


def mail_of(data: bytes, kind: str) -> bytes:
    head = f"From: Ida <ida@sign.example>\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(data)


def mixed(*parts: str | bytes, subtype: str = "mixed") -> bytes:
    head = f'From: Ida <ida@sign.example>\nMIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="zz"\n\n'
    bodies = [part if isinstance(part, bytes) else part.encode() for part in parts]
    return head.encode() + b"".join(b"--zz\n" + body + b"\n" for body in bodies) + b"--zz--\n"


def packed(kind: str, data: bytes, *more: str) -> bytes:
    lines = "\n".join((f"Content-Type: {kind}", *more, "Content-Transfer-Encoding: base64", "", ""))
    return lines.encode() + base64.encodebytes(data)


def retrieved(raw: bytes, mail: Mail) -> bool:
    """Whether the bytes of every attachment can be had."""
    return all(hashlib.sha256(attachment_bytes(raw, a.part)).hexdigest() == a.sha256 for a in mail.attachments)


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nDer Auftrag 8812 fehlt noch.\r\n"
TREE = mixed("Content-Type: text/plain\n\nSee the receipt.", packed("image/png; name=r.png", PNG))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        "application/x-pkcs7-mime",
        "application/octet-stream; name=smime.p7m",
        "application/octet-stream; smime-type=signed-data",
    ],
)
def test_what_was_signed_as_one_file_is_the_mail(kind: str, streamed: bool) -> None:
    mail = read(mail_of(signed(PLAIN, streamed=streamed), kind))
    assert (mail.text, mail.attachments, mail.encrypted) == ("Der Auftrag 8812 fehlt noch.", (), False)
    raw = mail_of(signed(TREE, streamed=streamed, size=7), kind)
    mail = read(raw)
    assert mail.text == "See the receipt."
    assert [(a.part, a.name, a.size) for a in mail.attachments] == [("#cms/2", "r.png", len(PNG))]
    assert retrieved(raw, mail)


def test_signed_twice_and_signed_inside_a_list_s_mail() -> None:
    inner = packed("application/pkcs7-mime", signed(TREE))
    twice = mail_of(signed(inner, streamed=True), "application/pkcs7-mime")
    assert read(twice).text == "See the receipt." and retrieved(twice, read(twice))
    footed = mixed(packed("application/pkcs7-mime", signed(PLAIN)), "Content-Type: text/plain\n\nA list's footer")
    assert read(footed).text == "Der Auftrag 8812 fehlt noch.\n\nA list's footer"
    deep = PLAIN
    for _ in range(9):
        deep = packed("application/pkcs7-mime", signed(deep))
    assert [a.name for a in read(b"From: a@sign.example\n" + deep).attachments] == ["smime.p7m"]


@pytest.mark.parametrize(
    "document",
    [
        b"%PDF-1.7 a contract",
        b"<?xml version='1.0'?><bill/>",
        b"",
        b"Price: 5\nSum: 6",
        b"<!-- Content-Type: text/html -->",
    ],
)
def test_a_signed_document_stays_a_file(document: bytes) -> None:
    raw = mixed(
        "Content-Type: text/plain\n\nHere.", packed("application/pkcs7-mime; name=bill.pdf.p7m", signed(document))
    )
    assert [a.name for a in read(raw).attachments] == ["bill.pdf.p7m"]
    assert read(raw).text == "Here." and not read(raw).encrypted


def test_a_broken_signed_file_is_kept_and_never_raises() -> None:
    whole = signed(PLAIN, streamed=True)
    for end in range(len(whole)):
        assert len(read(mail_of(whole[:end], "application/pkcs7-mime")).attachments) in (0, 1)
    for data in (b"\x30\x80" * 50_000, b"\x24\x80" * 50_000, b"0\x84\xff\xff\xff\xff" + SIGNED, ber(0x30, SIGNED) * 3):
        assert cms.signed_content(data) is None


LOCKED = signed(b"x", kind=ENVELOPED)
ARMOUR = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5J2\n=abcd\n-----END PGP MESSAGE-----"


@pytest.mark.parametrize(
    ("raw", "encrypted"),
    [
        (mail_of(signed(PLAIN, kind=ENVELOPED), "application/pkcs7-mime; smime-type=enveloped-data"), True),
        (mail_of(signed(PLAIN, kind=ENVELOPED), "application/octet-stream; name=smime.p7m"), True),
        (mail_of(signed(packed("application/pkcs7-mime", LOCKED)), "application/pkcs7-mime"), True),
        (mixed("Content-Type: application/pgp-encrypted\n\nVersion: 1", "\nx", subtype="encrypted"), True),
        (mixed("Content-Type: text/plain\n\n", "Content-Type: application/pgp-encrypted\n\nVersion: 1"), True),
        (b"From: a@b.example\n\n" + ARMOUR.encode(), True),
        (b"From: a@b.example\nContent-Type: text/html\n\n<pre>" + ARMOUR.encode() + b"</pre>", True),
        (b"From: a@b.example\n\nWhy do I get -----BEGIN PGP MESSAGE----- in my mail?", False),
        (b"From: a@b.example\n\n> -----BEGIN PGP MESSAGE-----\n> hQEMA5J2\n\nI cannot read this.", False),
        (b"From: a@b.example\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nOrder 71 is missing.", False),
        (mixed("Content-Type: text/plain\n\nTheirs:", packed("application/pkcs7-mime", LOCKED)), False),
    ],
)  # fmt: skip
def test_encrypted_mail_is_said_to_be_so(raw: bytes, encrypted: bool) -> None:
    mail = read(raw)
    assert mail.encrypted is encrypted
    assert any("encrypted" in warning for warning in mail.warnings) is encrypted


def attribute(name: int, data: bytes, level: int = 1) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(*pairs: tuple[int, int, bytes]) -> bytes:
    """A list of properties: type, number, value; strings and binaries in one piece, padded to four."""
    out = struct.pack("<I", len(pairs))
    for kind, number, value in pairs:
        length = struct.pack("<II", 1, len(value)) if kind in (0x0D, 0x1E, 0x1F, 0x102) else b""
        out += struct.pack("<HH", kind, number) + length + value + bytes(-len(value) % 4)
    return out


def winmail(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 7) + b"".join(attributes)


def file(name: bytes, data: bytes, *more: tuple[int, int, bytes]) -> bytes:
    return (
        attribute(0x9002, bytes(14), 2) + attribute(0x8010, name + b"\0", 2) + attribute(0x800F, data, 2)
        + (attribute(0x9005, properties(*more), 2) if more else b"")
    )  # fmt: skip


RTF = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Gr\'fc\'dfe, Auftrag \b 4423\b0\par {\*\x y}fehlt \u8364?5}"
HTML_IN_RTF = (
    rb"{\rtf1\ansi\ansicpg1251\fromhtml1 {\*\htmltag19 <html>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 "
    rb"\'cf\'eb\'e0\'f2\'e5\'e6 5 < 6{\*\htmltag84 <br>}\htmlrtf\par\htmlrtf0 order 91}"
)


def plain_rtf(rich: bytes) -> bytes:
    """Rich text in the form that is not compressed."""
    return struct.pack("<II4sI", len(rich) + 12, len(rich), b"MELA", 0) + rich


def of_properties(*pairs: tuple[int, int, bytes]) -> bytes:
    return attribute(0x9003, properties(*pairs))


CYRILLIC = attribute(0x9007, struct.pack("<II", 1251, 0))
UTF8 = (3, 0x3FDE, struct.pack("<I", 65001))


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ([attribute(0x800C, b"Order 9917 is late.\0")], "Order 9917 is late."),
        ([CYRILLIC, attribute(0x800C, "Где мой заказ?".encode("cp1251"))], "Где мой заказ?"),
        ([of_properties((0x1F, 0x1000, "我的订单在哪里？\0".encode("utf-16-le")))], "我的订单在哪里？"),
        ([of_properties(UTF8, (0x102, 0x1013, "<p>Où est <b>33</b>?".encode()))], "Où est 33?"),
        ([of_properties((11, 0x0E1F, b"\1\0"), (0x102, 0x1009, plain_rtf(RTF)))], "Grüße, Auftrag 4423\nfehlt €5"),
        ([of_properties((0x102, 0x1009, plain_rtf(HTML_IN_RTF)))], "Платеж 5 < 6\norder 91"),
    ],
)  # fmt: skip
def test_the_text_of_a_winmail_dat_is_the_mail_s_where_it_has_no_other(attributes: list[bytes], text: str) -> None:
    part = packed("application/ms-tnef; name=winmail.dat", winmail(*attributes))
    mail = read(mixed("Content-Type: text/plain\n\n", part))
    assert (mail.text, mail.attachments, mail.warnings) == (text, (), ())
    assert read(mixed("Content-Type: text/plain\n\nWords beside it", part)).text == "Words beside it"


def test_the_files_of_a_winmail_dat_are_attachments() -> None:
    long_name = (0x1F, 0x3707, "护照 scan.png\0".encode("utf-16-le"))
    named = (3, 0x8001, bytes(16) + struct.pack("<II", 0, 5) + bytes(4))  # a named property, which is passed over
    data = winmail(
        file(b"PASSPO~1.PNG", PNG, named, long_name),
        file(b"..\\..\\notes.txt", b"a\0\0"),
        file(b"untitled", b"", (0x0D, 0x3701, bytes(16) + b"inner"), (0x1E, 0x370E, b"Application/PDF\0")),
    )
    raw = mixed("Content-Type: text/plain\n\nThree files", packed("application/octet-stream; name=WINMAIL.DAT", data))
    mail = read(raw)
    assert [(a.part, a.name, a.type, a.size) for a in mail.attachments] == [
        ("2#tnef0", "护照 scan.png", "image/png", len(PNG)),
        ("2#tnef1", "notes.txt", "text/plain", 3),
        ("2#tnef2", "untitled", "application/pdf", 5),
    ]
    assert retrieved(raw, mail)


def test_a_winmail_dat_that_cannot_be_opened_is_kept_and_said() -> None:
    mail = read(mixed("Content-Type: text/plain\n\nHi", packed("application/ms-tnef", b"no such thing")))
    assert [a.name for a in mail.attachments] == ["winmail.dat"] and "winmail.dat" in mail.warnings[0]
    empty = read(mixed("Content-Type: text/plain\n\nHi", packed("application/ms-tnef", winmail())))
    assert [a.name for a in empty.attachments] == ["winmail.dat"] and not empty.warnings


def test_a_hostile_winmail_dat_is_read_within_its_bounds() -> None:
    huge = struct.pack("<I", 0xFFFFFFFF)
    lists = [huge, huge + b"\x02\x10\x00\x10" + huge, huge + b"\x1e\x00\x00\x10" + huge * 3, huge + b"\x00\x80" * 9]
    for content in lists:
        assert tnef.unpack(winmail(attribute(0x9003, content), attribute(0x9005, content))) is not None
    whole = winmail(file(b"a.bin", b"abc"), attribute(0x9003, properties((0x1E, 0x1000, b"words"))))
    for end in range(len(whole)):
        tnef.unpack(whole[:end])
    assert tnef.unpack(winmail(*[attribute(0x9002, b"", 2)] * 60_000)) is not None
    assert rtf.to_text(b"{\\rtf1" + b"{" * 300_000 + b"x" + b"}" * 300_000) in ("x", "")


def test_rich_text_is_decompressed() -> None:
    # A literal run and references into the dictionary that every such file begins with (MS-OXRTFCP section 2.1.2.1).
    body = b"\x00" + b"{\\rtf1 W" + b"\x06" + b"O" + bytes((207 + 8 >> 4, (207 + 8 & 15) << 4 | 0))
    assert rtf.decompress(struct.pack("<II4sI", len(body) + 12, 99, b"LZFu", 0) + body).startswith(b"{\\rtf1 WO")
    assert rtf.decompress(b"") == b"" and rtf.decompress(bytes(40)) == b""
    assert len(rtf.decompress(bytes(8) + b"LZFu" + bytes(4) + b"\xff" * 3_000_000)) <= rtf.MAX_RTF + 200


def image(data: bytes = PNG, kind: str = "image/png", attributes: str = "") -> str:
    return f'<img {attributes} src="data:{kind};base64,{base64.b64encode(data).decode()}">'


@pytest.mark.parametrize(
    ("markup", "files"),
    [
        (f"<p>Look:</p>{image()}", [("image-1.png", "image/png", len(PNG))]),
        (image(attributes='alt="bug report.png"'), [("bug report.png", "image/png", len(PNG))]),
        (
            image(kind="image/jpeg") + image(b"second", "image/gif"),
            [("image-1.jpg", "image/jpeg", len(PNG)), ("image-2.gif", "image/gif", 6)],
        ),
        (image().replace("base64,", "name=x.png;base64,"), [("image-1.png", "image/png", len(PNG))]),
        (image().replace("/", "%2F").replace("image%2Fpng", "image/png"), [("image-1.png", "image/png", len(PNG))]),
        (image(attributes='width="1" height="1"'), []),
        (image(PNG[:16] + struct.pack(">II", 1, 1) + PNG[24:]), []),
        ('<p>My text says data:image/png;base64,AAAA in a log</p>', []),
        ('<a href="data:image/png;base64,AAAA">x</a>', []),
        ('<img src="https://x.example/a.png"><img src="data:text/html;base64,AAAA">', []),
    ],
)  # fmt: skip
def test_pictures_written_into_html_are_inline_attachments(markup: str, files: list[tuple[str, str, int]]) -> None:
    page = f"Content-Type: text/html; charset=utf-8\n\n<p>See my screenshot</p>{markup}"
    for raw in (
        b"From: a@b.example\n" + page.encode(),
        mixed("Content-Type: text/plain\n\nSee my screenshot", page, subtype="alternative"),
        mixed(packed("text/html; charset=utf-8", page.partition("\n\n")[2].encode())),
    ):
        mail = read(raw)
        assert [(a.name, a.type, a.size) for a in mail.attachments] == files
        assert all(a.inline for a in mail.attachments) and retrieved(raw, mail)
        assert "iVBOR" not in mail.text


def test_pictures_in_html_are_bounded() -> None:
    assert len(pictures.extract(image(b"abc").encode() * 500)) == pictures.MAX_PICTURES
    assert pictures.extract(b'<img src="data:image/png;base64,' * 20_000) == []


WORDS = "Where is my parcel 5531? It should have come on Friday."
REAL = f"<p>{WORDS}</p>"


@pytest.mark.parametrize(
    ("plain", "markup", "text"),
    [
        ("Your mail reader does not show HTML.", REAL, "html"),
        ("Bitte öffnen Sie diese Nachricht im HTML-Format.", REAL, "html"),
        ("请使用浏览器查看此邮件", "<p>我的包裹还没有到，订单号 5531，请帮忙查询。</p>", "html"),
        ("Dear team,", "<p>Dear team,</p>" + REAL, "html"),
        ("-", REAL, "html"),
        ("Where is my parcel 5531? It should have", REAL + "<p>Please answer, I am leaving soon.</p>", "html"),
        ("Sent from my phone", REAL + "<p>Sent from my phone</p>", "html"),
        ("Donde esta mi paquete, por favor", REAL, "both"),
        (WORDS, REAL, "plain"),
        (WORDS, REAL + "<p>Unsubscribe | Privacy policy</p>", "plain"),
        (WORDS, REAL + "<p>Sent with Exampler Mail</p>", "plain"),
        ("> Where is my parcel 5531? It should\n> have come on Friday.\nYes!", "<p>Yes!</p>" + REAL, "plain"),
        ("My browser shows HTML instead of my orders. Please help, account 991.", "<p>Please help</p>", "plain"),
        ("See https://x.example/aa now", '<p>See <a href="https://t.example/z?id=9">here</a> now</p>', "plain"),
        ("Hello " + "many words of a longer story, " * 30, "<p>Hello</p>", "plain"),
        ("👍", "<p>👍</p>", "plain"),
    ],
)  # fmt: skip
def test_the_html_is_read_where_the_plain_text_leaves_words_out(plain: str, markup: str, text: str) -> None:
    parts = [
        f"Content-Type: text/plain; charset=utf-8\n\n{plain}",
        f"Content-Type: text/html; charset=utf-8\n\n{markup}",
    ]
    mail = read(mixed(*parts, subtype="alternative"))
    rich = read(b"From: a@b.example\n" + parts[1].encode()).text
    assert mail.text == {"html": rich, "plain": plain.strip(), "both": f"{plain}\n\n{rich}"}[text]
    assert bool(mail.warnings) == (text != "plain")


def test_a_cut_plain_text_is_noticed_however_long_it_is() -> None:
    story = " ".join(f"word{n}" for n in range(2000))
    parts = f"Content-Type: text/plain\n\n{story[:4000]}", f"Content-Type: text/html\n\n<p>{story}</p>"
    assert read(mixed(*parts, subtype="alternative")).text.endswith("word1999")
    assert choose(story, story) == "plain" and choose(story, "") == "plain" and choose("", "x") == "html"


@pytest.mark.parametrize(
    ("part", "text", "names"),
    [
        ("text/plain; name=note.txt\nContent-Disposition: inline\n\nMy note", "Hi\n\nMy note", ["note.txt"]),
        ("text/plain\nContent-Disposition: inline; filename*=utf-8''%E8%AF%B4.txt\n\n说", "Hi\n\n说", ["说.txt"]),
        ("text/plain\nContent-Disposition: attachment; filename=n.txt\n\nMy note", "Hi", ["n.txt"]),
        ("text/plain; name=log.txt\nContent-Disposition: inline\n\n" + "a log line\n" * 4000, "Hi", ["log.txt"]),
        ("text/csv; name=t.csv\nContent-Disposition: inline\n\na;b", "Hi", ["t.csv"]),
        ("text/html; name=page.html\nContent-Disposition: inline\n\n<p>Page", "Hi", ["page.html"]),
    ],
)  # fmt: skip
def test_short_named_text_is_shown_and_listed(part: str, text: str, names: list[str]) -> None:
    raw = mixed("Content-Type: text/plain\n\nHi", f"Content-Type: {part}")
    mail = read(raw)
    assert (mail.text, [a.name for a in mail.attachments]) == (text, names)
    assert retrieved(raw, mail)


def test_the_text_again_in_amp_is_no_attachment_and_unknown_forms_are() -> None:
    plain, page = "Content-Type: text/plain\n\nPlain", "Content-Type: text/html\n\n<p>Plain"
    amp = mixed(plain, "Content-Type: text/x-amp-html\n\n<x>", page, subtype="alternative")
    assert read(amp).attachments == ()
    for kind in ("text/calendar", "text/x-amp-html; name=a.html", "text/csv", "image/png", "text/vcard",
                 "text/watch-html", "text/markdown", "text/vnd.example.card"):  # fmt: skip
        assert len(read(mixed(plain, f"Content-Type: {kind}\n\nx", page, subtype="alternative")).attachments) == 1
    assert len(read(mixed("Content-Type: text/x-amp-html\n\n<x>", subtype="alternative")).attachments) == 1


@pytest.mark.parametrize(
    ("content", "reaction"),
    [
        ('{"emoji": "🎉", "version": 1}', "🎉"),
        ('{"version": 1, "emoji": "\\u2764\\ufe0f"}', "❤️"),
        ("no JSON", "?"),
        ("[1]", "?"),
        ('{"emoji": 5}', "?"),
        ("[" * 1900, "?"),
    ],
)
def test_a_reaction_is_no_attachment_but_an_emoji(content: str, reaction: str) -> None:
    part = f"Content-Type: text/vnd.google.email-reaction+json; charset=utf-8\n\n{content}"
    mail = read(mixed("Content-Type: text/plain\n\nHappy", part, subtype="alternative"))
    assert (mail.reaction, mail.attachments) == (reaction, ())


def test_a_calendar_that_comes_twice_counts_once() -> None:
    event = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR"
    inner, copy = (
        f"Content-Type: text/calendar; method=REQUEST\n\n{event}",
        f"Content-Type: application/ics; name=i.ics\n\n{event}",
    )
    crlf = packed("application/ics; name=i.ics", event.replace("\n", "\r\n").encode())
    for second in (copy, crlf.decode()):
        assert len(read(mixed("Content-Type: text/plain\n\nCome", inner, second)).attachments) == 1
    other = copy.replace("REQUEST", "CANCEL")
    assert len(read(mixed("Content-Type: text/plain\n\nCome", inner, other)).attachments) == 2


@pytest.mark.parametrize(
    "body",
    [
        "I never encoded this mail, my ticket is 4415.",
        "Hello,\nwhere is my order?\nThank you",
        "<html><body><p>Not encoded</p></body></html>",
        "我的钱在哪里？",
        "Servus!",
        "Bonjour,\n\nJe n'ai pas reçu ma commande.",
    ],
)
def test_text_that_is_no_base64_is_shown_as_it_stands(body: str) -> None:
    head = "From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    mail = read((head + body).encode())
    assert mail.text == body and "base64" in mail.warnings[0]


_PICTURE = f'<p>Hello, look at this, please.</p><img src="data:image/png;base64,{base64.b64encode(PNG).decode()}">'
_BESIDE = (
    "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b\r\n"
)
_UUENCODED = "Hello, here is the file.\r\nbegin 644 data.bin\r\n#86)C\r\n`\r\nend\r\nKind regards"


@pytest.mark.parametrize(("kind", "body", "data"), [("html", _PICTURE, PNG), ("plain", _UUENCODED, b"abc")],
                         ids=["picture", "uuencoded"])  # fmt: skip
@pytest.mark.parametrize("wrapping", ["", _BESIDE], ids=["alone", "beside plain text"])
def test_the_files_in_a_text_that_is_no_base64_are_those_that_are_listed(
    kind: str, body: str, data: bytes, wrapping: str
) -> None:
    head = f"Content-Type: text/{kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = f"From: a@b.example\r\nMIME-Version: 1.0\r\n{wrapping}{head}{body}\r\n".encode()
    for file in read(raw).attachments:
        assert attachment_bytes(raw, file.part) == data
    assert read(raw).attachments or (wrapping and kind == "plain")


@pytest.mark.parametrize(
    "body",
    [
        base64.encodebytes("Grüße".encode()),
        base64.b64encode(b"Hi"),
        base64.b64encode(b"Hi").rstrip(b"="),
        base64.encodebytes(b"A long mail with many lines. " * 20) + b"\n-- \nthe footer of a list in plain words\n",
        b" ".join(base64.encodebytes(b"Broken up by blanks in every line, " * 9).split()),
    ],
)
def test_base64_is_decoded_whatever_stands_around_it(body: bytes) -> None:
    head = b"From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    assert read(head + body).text.startswith(("Grüße", "Hi", "A long mail", "Broken up"))


@pytest.mark.parametrize(
    "kind", ["multipart/*", "multipart/x-unknown", "multipart/", "multipart/(odd)", "Multipart/**"]
)
def test_a_multipart_of_any_kind_is_read_like_mixed(kind: str) -> None:
    raw = mixed("Content-Type: text/plain\n\nWords", packed("image/png; name=a.png", PNG), subtype="mixed")
    mail = read(raw.replace(b"multipart/mixed", kind.encode()))
    assert mail.text == "Words" and [a.name for a in mail.attachments] == ["a.png"]


@given(st.one_of(st.text(), st.text(alphabet=st.characters(max_codepoint=127))))
def test_the_letters_of_a_text_are_counted_alike_by_table_and_by_pattern(text: str) -> None:
    assert bodies._letters(text) == len(bodies._NO_WORD.sub("", text))
