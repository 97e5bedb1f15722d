"""The servers of the tests do what the tests rely on."""

from __future__ import annotations

import smtplib
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy

from tests.servers import smtp
from tests.servers.certificate import make_certificate
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.smtp import SmtpSink

MAIL = b"Subject: a\r\n\r\nb\r\n"


@pytest.mark.dovecot
def test_dovecot_keeps_mail_and_ports_over_a_restart(dovecot: Dovecot) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    dovecot.append(MAIL, when=when, flags=["\\Flagged"])
    dovecot.stop()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", dovecot.plain_port), timeout=1)
    dovecot.start()
    (mail,) = dovecot.messages()
    assert (mail.raw, mail.received_at) == (MAIL, when)
    assert "\\Flagged" in mail.flags


@pytest.mark.dovecot
def test_dovecot_takes_deliveries_in_order_and_gives_each_test_its_own_mailbox(dovecot: Dovecot) -> None:
    assert dovecot.messages() == []
    dovecot.deliver([b"Subject: %d\r\n\r\n" % n for n in range(20)])
    assert [mail.raw[9:-4] for mail in dovecot.messages()] == [b"%d" % n for n in range(20)]


@pytest.mark.dovecot
def test_dovecot_changes_uidvalidity_on_request(dovecot: Dovecot) -> None:
    dovecot.append(MAIL)
    before = dovecot.status()["UIDVALIDITY"]
    assert dovecot.bump_uidvalidity() == dovecot.status()["UIDVALIDITY"] != before


def _send(port: int, to: str = "ann@example.org") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("support@example.com", [to], MAIL)


def test_the_sink_keeps_envelope_and_bytes_and_survives_a_restart_on_its_port(smtp_sink: SmtpSink) -> None:
    _send(smtp_sink.port)
    smtp_sink.stop()
    with pytest.raises(OSError):
        _send(smtp_sink.port)
    smtp_sink.start()
    _send(smtp_sink.port, "ben@example.org")
    kept = smtp_sink.wait_for(2)
    assert [(m.sender, m.recipients, m.raw) for m in kept] == [
        ("support@example.com", ("ann@example.org",), MAIL),
        ("support@example.com", ("ben@example.org",), MAIL),
    ]


@pytest.mark.parametrize(
    ("stage", "reply", "raised", "kept"),
    [
        ("RCPT", "450 4.2.0 later", smtplib.SMTPRecipientsRefused, 0),
        ("DATA", "451 4.3.0 later", smtplib.SMTPDataError, 0),
        ("DOT", "554 5.7.1 spam", smtplib.SMTPDataError, 0),
        ("DOT", smtp.DROP, smtplib.SMTPServerDisconnected, 0),
        ("DOT", smtp.DROP_KEPT, smtplib.SMTPServerDisconnected, 1),
        ("CONNECT", "421 4.3.2 busy", smtplib.SMTPConnectError, 0),
        ("MAIL", "452 4.3.1 full", smtplib.SMTPSenderRefused, 0),
    ],
)
def test_the_sink_refuses_and_drops_as_scripted_and_then_goes_on(
    smtp_sink: SmtpSink, stage: str, reply: str, raised: type[Exception], kept: int
) -> None:
    smtp_sink.next(stage, reply)
    with pytest.raises(raised):
        _send(smtp_sink.port)
    _send(smtp_sink.port)
    assert len(smtp_sink.wait_for(kept + 1)) == kept + 1


def test_the_sink_signs_in_over_tls_with_one_password_only(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    sink = SmtpSink("starttls", (str(certificate), str(key)), sign_in=True)
    try:
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as client:
            client.starttls()
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login(smtp.USERNAME, "wrong")
            client.login(smtp.USERNAME, smtp.PASSWORD)
            client.sendmail("a@example.com", ["b@example.org"], MAIL)
        assert sink.recipients() == ["b@example.org"]
    finally:
        sink.stop()


@pytest.mark.postgres
def test_postgres_gives_each_test_an_empty_database(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert (
            connection.execute(sqlalchemy.text("select count(*) from pg_tables where schemaname = 'public'")).scalar()
            == 0
        )
    engine.dispose()


def test_the_proxy_cuts_after_so_many_bytes_and_writes_down_what_passed(smtp_sink: SmtpSink) -> None:
    with Proxy(smtp_sink.port) as proxy:
        _send(proxy.port)
        assert b"FROM:<support@example.com>" in proxy.sent
        proxy.cut_after = 10
        with pytest.raises((smtplib.SMTPException, OSError)):
            _send(proxy.port)
    assert len(smtp_sink.wait_for(1)) == 1
