"""What an SMTP reply, or its absence, means for a mail; when it is tried again; how it is put on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailticket.mail.delivery_status import is_dead_address
from mailticket.smtp.envelope import Consignment, NotPossible, commands, dotted
from mailticket.smtp.outcome import Kind, Outcome, Phase, from_response, retry_at, without_response

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OFFLINE = without_response("connect", "refused")
GREYLISTED = from_response("recipient", 450, "4.7.1 greylisted")


@pytest.mark.parametrize(
    ("phase", "code", "text", "kind"),
    [
        ("connect", 421, "too many connections", "retry"),
        ("connect", 554, "5.7.1 no service for you", "configuration"),
        ("hello", 550, "who are you", "configuration"),
        ("tls", 454, "4.7.0 TLS not available now", "retry"),
        ("sign-in", 454, "4.7.0 temporary authentication failure", "retry"),
        ("sign-in", 535, "5.7.8 wrong password", "configuration"),
        ("sender", 452, "4.3.1 disk full", "retry"),
        ("sender", 530, "5.7.0 sign in first", "configuration"),
        ("sender", 553, "5.7.1 not your address", "configuration"),
        ("sender", 552, "message size exceeds fixed limit", "permanent"),
        ("sender", 500, "5.3.4 too big", "permanent"),
        ("recipient", 450, "4.7.1 greylisted", "retry"),
        ("recipient", 550, "5.1.1 no such user", "permanent"),
        ("recipient", 530, "5.7.0 sign in first", "configuration"),
        ("data", 451, "4.3.0 try later", "retry"),
        ("data", 554, "no valid recipients", "permanent"),
        ("message", 250, "2.0.0 queued as 4711", "sent"),
        ("message", 251, "queued elsewhere", "sent"),
        ("message", 452, "4.3.1 disk full", "retry"),
        ("message", 421, "4.3.2 going down", "retry"),
        ("message", 554, "5.7.1 spam", "permanent"),
        ("message", 354, "an answer to nothing", "uncertain"),
        ("recipient", 354, "an answer to nothing", "retry"),
    ],
)
def test_a_reply_means(phase: Phase, code: int, text: str, kind: Kind) -> None:
    assert from_response(phase, code, text).kind == kind


@pytest.mark.parametrize(
    ("phase", "kind"),
    [
        ("connect", "retry"),
        ("hello", "retry"),
        ("tls", "retry"),
        ("sign-in", "retry"),
        ("sender", "retry"),
        ("recipient", "retry"),
        ("data", "retry"),
        ("message", "uncertain"),
    ],
)
def test_silence_means(phase: Phase, kind: Kind) -> None:
    assert without_response(phase, "Connection lost").kind == kind


@pytest.mark.parametrize(
    ("outcome", "about_the_server"),
    [
        (OFFLINE, True),
        (from_response("sign-in", 535, "no"), True),
        (from_response("sender", 452, "full"), True),
        (from_response("recipient", 530, "sign in first"), True),
        (GREYLISTED, False),
        (from_response("recipient", 550, "no such user"), False),
        (from_response("message", 250, "ok"), False),
        (without_response("message", "lost"), False),
    ],
)
def test_trouble_with_the_server_is_told_from_trouble_with_a_mail(outcome: Outcome, about_the_server: bool) -> None:
    assert outcome.about_the_server is about_the_server


@pytest.mark.parametrize(
    ("text", "status", "rest"),
    [
        ("5.1.1 no such user", "5.1.1", "no such user"),
        ("5.1.1\nno such\nuser", "5.1.1", "no such user"),
        ("4.7.1", "4.7.1", ""),
        ("192.0.2.1 is on a list", "", "192.0.2.1 is on a list"),
        ("5.1.12345 is no code", "", "5.1.12345 is no code"),
        ("\x1b[31mred\x07 \udcff", "", "[31mred"),
        ("", "", ""),
    ],
)
def test_the_server_s_words_are_split_and_made_harmless(text: str, status: str, rest: str) -> None:
    outcome = from_response("recipient", 550, text)
    assert (outcome.status, outcome.text) == (status, rest)


def test_an_endless_reply_is_cut() -> None:
    assert len(from_response("recipient", 550, "x" * 100_000).text) == 500


@pytest.mark.parametrize(
    ("outcome", "age", "attempts", "wait"),
    [
        # quick retries when the server is away
        (OFFLINE, timedelta(0), 1, timedelta(seconds=30)),
        (OFFLINE, timedelta(seconds=30), 2, timedelta(minutes=2)),
        # then the age doubles: at 10 minutes the next attempt comes at 20
        (OFFLINE, timedelta(minutes=2), 3, timedelta(minutes=5)),
        (OFFLINE, timedelta(minutes=10), 4, timedelta(minutes=10)),
        (OFFLINE, timedelta(hours=1), 9, timedelta(hours=1)),
        (OFFLINE, timedelta(hours=30), 20, timedelta(hours=4)),
        # greylisting wants five minutes even from the first attempt on
        (GREYLISTED, timedelta(0), 1, timedelta(minutes=5)),
        # a clock that was set back gives no negative wait
        (OFFLINE, timedelta(hours=-5), 3, timedelta(minutes=5)),
    ],
)
def test_the_next_attempt_comes_by_age(outcome: Outcome, age: timedelta, attempts: int, wait: timedelta) -> None:
    def at(random: float) -> datetime | None:
        return retry_at(NOON - age, NOON, attempts, lambda: random, outcome=outcome, give_up_hours=120)

    assert at(0.0) == NOON + wait
    assert at(1.0) == NOON + wait * 1.25


def test_the_last_attempt_is_made_at_the_end_of_the_time_and_none_after_it() -> None:
    def at(age: timedelta) -> datetime | None:
        return retry_at(NOON - age, NOON, 30, lambda: 0.0, outcome=OFFLINE, give_up_hours=24)

    assert at(timedelta(hours=23)) == NOON + timedelta(hours=1)
    assert at(timedelta(hours=24)) is None
    assert at(timedelta(days=9)) is None


def test_a_mail_that_never_passes_is_tried_a_bounded_number_of_times() -> None:
    now, attempts = NOON, 0
    while True:
        attempts += 1
        following = retry_at(NOON, now, attempts, lambda: 0.5, outcome=OFFLINE, give_up_hours=120)
        if following is None:
            break
        assert following > now
        now = following
    assert now == NOON + timedelta(hours=120)
    assert 30 < attempts < 45


ALL = {"size": "10000", "8bitmime": "", "smtputf8": "", "dsn": ""}


@pytest.mark.parametrize(
    ("mail", "extensions", "sender", "recipient"),
    [
        (Consignment("a@b.de", "c@d.de", b"S: x\r\n\r\ny"), {}, "FROM:<a@b.de>", "TO:<c@d.de>"),
        (Consignment("", "c@d.de", b"S: x\r\n\r\ny", "never"), {}, "FROM:<>", "TO:<c@d.de>"),
        (Consignment("", "c@d.de", b"S: x\r\n\r\ny", "never"), ALL, "FROM:<> SIZE=9", "TO:<c@d.de> NOTIFY=NEVER"),
        (
            Consignment("a@b.de", "c@d.de", "S: x\r\n\r\né".encode(), "failure"),
            ALL,
            "FROM:<a@b.de> SIZE=10 BODY=8BITMIME RET=HDRS",
            "TO:<c@d.de> NOTIFY=FAILURE,DELAY",
        ),
        (Consignment("a@b.de", "c@bücher.de", b""), {}, "FROM:<a@b.de>", "TO:<c@xn--bcher-kva.de>"),
        (
            Consignment("a@b.de", "用户@例子.cn", b""),
            {"smtputf8": ""},
            "FROM:<a@b.de> SMTPUTF8",
            "TO:<用户@例子.cn>",
        ),
        (Consignment("a@b.de", '"a b\\"c"@d.de', b""), {}, "FROM:<a@b.de>", 'TO:<"a b\\"c"@d.de>'),
        (Consignment("a@b.de", "a..b.@docomo.example", b""), {}, "FROM:<a@b.de>", "TO:<a..b.@docomo.example>"),
    ],
)
def test_a_mail_s_commands_are(mail: Consignment, extensions: dict[str, str], sender: str, recipient: str) -> None:
    assert [b" ".join(words).decode() for words in commands(mail, extensions)] == [
        f"MAIL {sender}",
        f"RCPT {recipient}",
    ]


@pytest.mark.parametrize(
    ("mail", "extensions"),
    [
        (Consignment("a@b.de", "c@d.de", b"x" * 10_001), ALL),
        (Consignment("a@b.de", "用户@d.de", b""), {}),
        (Consignment("a@b.de", "c@d.de", "Subject: é\r\n\r\n".encode()), {}),
        (Consignment("a@b.de", "c@d.de>\r\nDATA", b""), ALL),
        (Consignment("a@b.de", "c@d.de> NOTIFY=NEVER", b""), ALL),
        (Consignment("a@b.de", "nobody", b""), ALL),
        (Consignment("a@b.de", "", b""), ALL),
        (Consignment("a b@c.de", "c@d.de", b""), ALL),
    ],
)
def test_what_cannot_be_put_on_the_wire_is_refused(mail: Consignment, extensions: dict[str, str]) -> None:
    with pytest.raises(NotPossible):
        commands(mail, extensions)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (b"a\r\nb\r\n", b"a\r\nb\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".a\n..\r.\r\n", b"..a\r\n...\r\n..\r\n.\r\n"),
        (b"a\n.\nMAIL FROM:<x@y>", b"a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
        (b"..a\r\n..\r\n", b"...a\r\n...\r\n.\r\n"),
        (b"a\r\r\n.b\n\r.", b"a\r\n\r\n..b\r\n\r\n..\r\n.\r\n"),
        (b"", b"\r\n.\r\n"),
    ],
)
def test_no_line_of_a_message_can_end_it(message: bytes, wire: bytes) -> None:
    assert dotted(message) == wire


@pytest.mark.parametrize(
    ("status", "dead"),
    [("5.1.1", True), ("5.1.2", True), ("5.1.10", True), ("5.2.1", True), ("5.4.4", True),
     ("5.1.7", False), ("5.1.8", False), ("5.2.2", False), ("5.7.1", False), ("4.1.1", False), ("", False)],
)  # fmt: skip
def test_an_address_is_dead_only_by_codes_about_the_address(status: str, dead: bool) -> None:
    assert is_dead_address(status) is dead
