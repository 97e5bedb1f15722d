"""Whatever the bytes are: a reading comes out, clean, bounded, and the same each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailticket.mail import attachment_bytes, charsets, headers, parameters, read
from mailticket.mail.addresses import mailboxes
from mailticket.mail.bodies import MAX_TEXT
from mailticket.mail.html import to_text
from mailticket.mail.structure import MAX_PARTS, canonical, read_structure
from mailticket.mail.transfer import decode, decode_base64, decode_quoted_printable
from mailticket.mail.uuencode import extract
from mailticket.mail.values import Ourselves
from tests.fuzz.mutation import mutate
from tests.mail.test_attacks_reader import texts

MAILS = [path.read_bytes() for path in sorted((Path(__file__).parent / "eml").glob("*.eml"))]
SITE = Ourselves(own_addresses=frozenset({"support@example.com"}), loop_mark="x", authserv_id="mx", reply_marker="##")
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NEAR_MIME = st.lists(
    st.sampled_from(
        [
            *(b"From: Subject: To: Content-Type: multipart/mixed; boundary=b text/html text/plain charset=").split(),
            *(
                b"--b --b-- =? ?= =?utf-8?q? ?b? base64 quoted-printable message/rfc822 begin&644 end &amp; <p> </p>"
            ).split(),
            *(b"\r \n \r\n \r\n\r\n \0 \xff \xc4\xe3 = ; \" ( ) < > , @ : \\ a*0*= utf-8''%41 \x1b$B +2AA-").split(
                b" "
            ),
        ]
    ),
    max_size=60,
).map(b"".join)


def check(raw: bytes) -> None:
    mail = read(raw, SITE)
    assert not [w for w in mail.warnings if "could not be read" in w]
    assert mail.digest == hashlib.sha256(raw).hexdigest() and mail.size == len(raw)
    assert len(mail.text) <= MAX_TEXT and len(mail.attachments) <= 2 * MAX_PARTS
    assert bool(mail.text.strip()) == bool(mail.new_text.strip())
    for text in texts(mail):
        assert "\0" not in text
        text.encode("utf-8")
    for attachment in mail.attachments:
        data = attachment_bytes(raw, attachment.part)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (attachment.size, attachment.sha256)
    assert read(raw, SITE) == mail


@QUICK
@given(st.sampled_from(MAILS), st.integers(0, 2**32))
def test_a_mutated_mail_is_read(raw: bytes, seed: int) -> None:
    check(mutate(raw, seed, MAILS))


@QUICK
@given(NEAR_MIME)
def test_bytes_that_look_like_mail_are_read(raw: bytes) -> None:
    check(raw)


@QUICK
@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw: bytes) -> None:
    check(raw)


@QUICK
@given(NEAR_MIME | st.binary(max_size=300))
def test_every_room_takes_any_bytes(raw: bytes) -> None:
    charsets.decode(raw).encode("utf-8")
    headers.decode(raw).encode("utf-8")
    parameters.parse(raw)
    parameters.clean_filename(raw.decode("latin-1"))
    for mailbox in mailboxes([raw]):
        mailbox.address.name.encode("utf-8")
        assert not mailbox.sound or mailbox.address.address.count("@") >= 1
    assert len(decode_base64(raw)[0]) <= len(raw)
    assert len(decode_quoted_printable(raw)) <= len(raw)
    text, files = extract(raw)
    assert len(text) + sum(len(data) for _, data in files) <= len(raw)
    to_text(raw.decode("latin-1")).encode("utf-8")


@QUICK
@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_declared_charset_and_encoding_is_taken(raw: bytes, name: str) -> None:
    charsets.decode(raw, name).encode("utf-8")
    decode(raw, name)


@QUICK
@given(NEAR_MIME)
def test_parts_lie_within_the_mail_and_within_their_parents(raw: bytes) -> None:
    content = canonical(raw)
    root, _ = read_structure(content)
    for part in root.walk():
        assert 0 <= part.start <= part.end <= len(content)
        last = part.start
        for child in part.children:
            assert last <= child.start <= child.end <= part.end
            last = child.end


@QUICK
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=100), st.sampled_from("BQ"))
def test_what_was_encoded_as_a_word_is_read_back(text: str, how: str) -> None:
    data = text.encode()
    if how == "B":
        import base64

        word = base64.b64encode(data)
    else:
        word = b"".join(b"=%02X" % byte for byte in data)
    if data.startswith((b"\xef\xbb\xbf", b"=?")):
        return
    assert headers.decode(b"=?utf-8?" + how.encode() + b"?" + word + b"?=") == text
