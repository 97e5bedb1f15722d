"""The structure reader: agreement with the standard library on well-formed mail, limits on the rest."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail import attachment_bytes, read
from mailticket.mail.bodies import part_bytes
from mailticket.mail.structure import (
    MAX_DEPTH,
    MAX_HEADER,
    MAX_HEADERS,
    MAX_MISSES,
    MAX_PARTS,
    canonical,
    read_structure,
)

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), max_size=120
)
WORDS = st.text(st.sampled_from("abc déf 您好充值 ЖЗ “”-_.,"), min_size=1, max_size=60)
NAMES = st.from_regex(r"[a-z0-9 您é_-]{0,20}[a-z您]\.(png|pdf|bin)", fullmatch=True)


@st.composite
def composed(draw: st.DrawFn) -> EmailMessage:
    """A well-formed mail: plain or with HTML beside, attachments, an attached message."""
    message = EmailMessage()
    message["From"] = "Ann <ann@example.org>"
    message["To"] = "support@example.com"
    message["Subject"] = " ".join(draw(WORDS).split()) or "x"
    cte = draw(st.sampled_from(["8bit", "quoted-printable", "base64"]))
    message.set_content("a " + draw(TEXT) + "\n", cte=cte)
    if draw(st.booleans()):
        message.add_alternative("<p>rich</p>", subtype="html")
    for _ in range(draw(st.integers(0, 3))):
        data = draw(st.binary(max_size=300))
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=draw(NAMES))
    if draw(st.booleans()):
        inner = EmailMessage()
        inner["Subject"] = "inner"
        inner.set_content("inner text\n")
        message.add_attachment(inner)
    return message


def leaves(message: Message) -> list[Message]:
    """The leaves as we see them: an attached message is one."""
    if message.get_content_maintype() == "multipart":
        return [leaf for part in message.get_payload() for leaf in leaves(part)]  # type: ignore[union-attr]
    return [message]


@settings(max_examples=150, deadline=None)
@given(composed(), st.sampled_from([email.policy.SMTP, email.policy.default]))
def test_well_formed_mail_reads_as_the_standard_library_reads_it(
    message: EmailMessage, policy: email.policy.EmailPolicy
) -> None:
    raw = message.as_bytes(policy=policy)
    theirs = email.message_from_bytes(raw, policy=email.policy.default)
    root, warnings = read_structure(raw)
    ours = [part for part in root.walk() if not part.children]
    assert warnings == []
    assert [part.type for part in ours] == [leaf.get_content_type() for leaf in leaves(theirs)]
    assert [part.filename for part in ours] == [leaf.get_filename() or "" for leaf in leaves(theirs)]
    for part, leaf in zip(ours, leaves(theirs), strict=True):
        if part.type != "message/rfc822":
            assert part_bytes(raw, part) == leaf.get_payload(decode=True)
    mail = read(raw)
    assert mail.subject == theirs["Subject"]
    body = theirs.get_body(preferencelist=("plain",))
    assert body is not None
    plain = body.get_content()
    if plain.strip():
        assert mail.text.split() == plain.split()
    files = [leaf.get_payload(decode=True) for leaf in leaves(theirs) if leaf.get_filename()]
    assert [attachment_bytes(raw, a.part) for a in mail.attachments if a.type != "message/rfc822"] == files


HEAD = b"From: ann@example.org\r\nSubject: x\r\n"


def test_every_header_keeps_its_place_and_its_raw_value() -> None:
    root, _ = read_structure(b"A: 1\r\nB:\r\n folded\r\n\tagain\r\na: 2\r\n\r\nbody")
    assert root.headers.fields == [("a", b" 1"), ("b", b"\n folded\n\tagain"), ("a", b" 2")]
    assert root.headers.raw("a") == b" 1" and root.headers.all_raw("a") == [b" 1", b" 2"]


def test_a_part_is_a_slice_of_the_raw_bytes() -> None:
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\nend"
    )
    root, _ = read_structure(raw)
    assert [raw[p.start : p.end] for p in root.children] == [b"one", b"two"]
    assert [p.path for p in root.walk()] == ["", "1", "2"]


@pytest.mark.parametrize(
    "raw",
    [
        b"--b\n\none\n--b\n\ntwo\n--b--\n",
        b"--b\r\n\r\none\r\n--b  \r\n\r\ntwo\r\n--b-- \r\n",
        b"--b\n\none\n--b\n\ntwo",
        b"--b\n\none\n--b--\n\n--b\n\ntwo\n",
        b"preamble\n--bb\n--b\n\none\n--b\n\ntwo\n--b--",
    ],
)
def test_delimiters_are_found_in_every_spelling(raw: bytes) -> None:
    root, _ = read_structure(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + raw)
    assert len(root.children) == 2


@pytest.mark.parametrize("chaff", [b"--bb\n", b"--\n", b"--b-\n", b"--c\n"])
def test_delimiters_are_found_among_any_number_of_lines_that_look_like_them(chaff: bytes) -> None:
    lines = chaff * 3 * MAX_MISSES
    parts = b"--b\n\none\n" + lines + b"--b \r\n\ntwo\n" + lines + b"--b\n\nthree\n" + lines + b"--b--\n"
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + lines + parts
    root, warnings = read_structure(raw)
    bodies = [raw[p.start : p.end] for p in root.children]
    assert [body.split(b"\n")[0] for body in bodies] == [b"one", b"two", b"three"] and warnings == []
    assert all(body.endswith(chaff.rstrip()) for body in bodies)


def test_an_inner_multipart_that_never_closes_ends_with_the_outer_one() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n"
        b"--in\n\none\n--out\n\ntwo\n--out--\n"
    )
    root, _ = read_structure(raw)
    assert [(p.path, raw[p.start : p.end]) for p in root.walk() if not p.children] == [("1.1", b"one"), ("2", b"two")]


def test_headers_are_bounded_in_number_and_size() -> None:
    root, warnings = read_structure(b"A: b\r\n" * (MAX_HEADERS + 5) + b"\r\nbody")
    assert len(root.headers.fields) == MAX_HEADERS and any("too long" in w for w in warnings)
    root, warnings = read_structure(b"A: " + b"x" * 100_000 + b"\r\nB: c\r\n\r\nbody")
    assert len(root.headers.raw("a") or b"") == MAX_HEADER and root.headers.raw("b") == b" c"
    assert any("16 KB" in w for w in warnings)


def test_the_body_is_found_behind_a_header_that_is_too_long() -> None:
    raw = HEAD + b"X: y\r\n" * 50_000 + b"\r\nthe body"
    assert read(raw).text == "the body"


def test_parts_are_bounded_in_number_and_depth() -> None:
    head = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    root, warnings = read_structure(head + b"--b\r\n\r\nx\r\n" * (3 * MAX_PARTS))
    assert len(list(root.walk())) <= MAX_PARTS + 1 and any("parts" in w for w in warnings)
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(3 * MAX_DEPTH)
    )
    root, warnings = read_structure(HEAD + nested + b"\r\nx")
    assert max(p.path.count(".") for p in root.walk()) <= MAX_DEPTH and any("deeper" in w for w in warnings)


def test_the_canonical_form_is_the_raw_one_unless_no_line_could_be_found() -> None:
    raw = b"A: b\r\n\r\nx\ry"
    assert canonical(raw) is raw
    assert canonical(b"A: b\r\rx\r") == b"A: b\n\nx\n"
    assert canonical("A: b\n\nx".encode("utf-16")) == b"A: b\n\nx"


def test_a_delivery_report_without_words_reads_as_its_fields_not_as_the_returned_mail() -> None:
    raw = (
        b"From: Postmaster@relay.example\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        b"Final-Recipient: rfc822; ann@example.org\r\nAction: failed\r\nStatus: 5.3.0\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: the returned one\r\n\r\nWords of the returned mail.\r\n"
        b"--b--\r\n"
    )
    text = read(raw).text
    assert "ann@example.org" in text
    assert "returned mail" not in text
