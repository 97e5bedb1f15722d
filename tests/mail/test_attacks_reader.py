"""Attacks on the reader: each hostile mail is read in under a second, and its cost grows linearly."""

from __future__ import annotations

import gc
import socket
import time

import pytest

from mailticket.mail import read
from mailticket.mail.values import Mail, Ourselves
from tests.mail.hostile import ATTACKS, HEAD

SITE = Ourselves(authserv_id="mx.us")
PIECES = 12_000  # of the smaller mail; at this number no measured time is only overhead
LIMIT = 35.0  # times the yardstick, for a whole hostile mail: about a second where nothing else runs
GROWTH = 2.6  # most that a doubling of the mail may cost
TRIES = 6  # a busy machine may spoil a measurement, never all of them
NEGLIGIBLE = 0.01  # seconds; what is that quick may grow as it likes


@pytest.fixture(scope="module", autouse=True)
def little_to_look_through() -> None:
    """What other tests left need not be looked through for garbage before each reading."""
    gc.collect()
    gc.freeze()


def seconds(raw: bytes) -> float:
    """CPU time of one reading, so that other programs on the machine do not count."""
    gc.collect()
    start = time.process_time()
    read(raw, SITE)
    return time.process_time() - start


def yardstick() -> float:
    """CPU time of a fixed piece of work: seconds alone say more of the machine than of the reader."""
    start = time.process_time()
    lines = ["a line of a mail: with words"] * 100_000
    assert sum(len(line.split()) for line in lines) == 700_000
    return time.process_time() - start


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_mail_is_read_in_about_a_second(name: str) -> None:
    raw = ATTACKS[name](2 * PIECES)
    assert any(seconds(raw) < LIMIT * yardstick() for _ in range(TRIES))


@pytest.mark.parametrize("name", ATTACKS)
def test_each_doubling_of_a_hostile_mail_costs_about_twice_the_time(name: str) -> None:
    # Two doublings are judged together: one alone may cross the size of a processor's cache.
    once, fourfold = ATTACKS[name](PIECES), ATTACKS[name](4 * PIECES)
    small, large = float("inf"), float("inf")
    for _ in range(TRIES):
        small, large = min(small, seconds(once)), min(large, seconds(fourfold))
        if large < NEGLIGIBLE or large < GROWTH**2 * small:
            return
    pytest.fail(f"{len(once)} bytes took {small:.3f} s, {len(fourfold)} bytes took {large:.3f} s")


def texts(mail: Mail) -> list[str]:
    found = [mail.subject, mail.text, mail.new_text, mail.message_id, mail.trust_reason, *mail.references]
    found += [*mail.in_reply_to, *mail.warnings, *mail.delivered_to, mail.return_path or ""]
    for address in (*mail.from_, *mail.to, *mail.cc, *mail.reply_to):
        found += [address.name, address.address]
    for attachment in mail.attachments:
        found += [attachment.name, attachment.type]
    for recipient in mail.bounce.recipients if mail.bounce else ():
        found += [recipient.address, recipient.diagnostic]
    return [*found, mail.automatic.reason if mail.automatic else ""]


@pytest.mark.parametrize("name", ATTACKS)
def test_the_reading_of_a_hostile_mail_is_clean_and_whole(name: str) -> None:
    mail = read(ATTACKS[name](2000), SITE)
    assert not [w for w in mail.warnings if "could not be read" in w]
    for text in texts(mail):
        assert "\0" not in text
        text.encode("utf-8")


def test_content_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the reader opened a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    body = b"<img src='http://169.254.169.254/x'><link rel=stylesheet href='http://t.example/s.css'><p>text</p>"
    external = b'Content-Type: message/external-body; access-type=URL; URL="http://t.example/"\r\n\r\n'
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" + body
    mail = read(raw + b"\r\n--b\r\n" + external + b"\r\n--b--\r\n")
    assert mail.text == "text" and [a.name for a in mail.attachments] == ["external-body.txt"]


def test_an_injected_header_never_leaves_the_subject_or_a_name() -> None:
    raw = b"From: =?utf-8?q?x=0D=0ABcc=3A_e=40x?= <a@example.org>\r\nSubject: =?utf-8?b?eA0KQmNjOiBlQHg=?=\r\n\r\nx"
    mail = read(raw)
    assert mail.subject == "x Bcc: e@x"
    assert mail.sender_address is not None and "\n" not in mail.sender_address.name


def test_text_that_hides_behind_an_attribution_is_shown() -> None:
    mail = read(HEAD + b"\r\nOn Mon, 2 Nov 2026 at 10:00, Bob <bob@example.net> wrote:\r\n> all of it\r\n")
    assert mail.text and mail.new_text
