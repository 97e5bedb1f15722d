"""A connection that does not come about: each trouble has its own plain sentence, for IMAP as for SMTP, within 10 s."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailticket.settings import Settings
from mailticket.upkeep.account import own_account
from mailticket.upkeep.readiness import Finding
from mailticket.upkeep.servers import check_servers
from tests.servers.answering import GREETINGS, Answering
from tests.servers.certificate import make_certificate, make_expired_certificate
from tests.servers.machine import free_port, require


@pytest.fixture(params=["IMAP", "SMTP"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[ssl.SSLContext]:
    """A server's context with a certificate for loopback, which `authority` of `said` may trust."""
    require(shutil.which("openssl"), "openssl")
    yield context(*make_certificate(tmp_path))


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server


def said(protocol: str, port: int, security: str, host: str = "127.0.0.1", ca_file: Path | None = None) -> str:
    """What `check` says of a server; it must say it within 10 s, as wrong, and not of signing in."""
    server = {"host": host, "port": port, "security": security, "password": "x", "ca_file": ca_file,
              "username": "ann", "insecure_remote": True}  # fmt: skip
    imap = {"name": "box", **server} if protocol == "IMAP" else None
    tables: dict[str, Any] = {"mailbox": [imap] if imap else [], "smtp": {"host": "127.0.0.1", "port": free_port()}}
    if protocol == "SMTP":
        tables["smtp"] = server
    settings = Settings.model_validate({"support": {"address": "a@example.com"}, **tables})
    began = time.monotonic()
    findings = {finding.subject: finding for finding in check_servers(settings, None, own_account(), {})}
    assert time.monotonic() - began < 10.5
    finding: Finding = findings["mailbox box" if protocol == "IMAP" else "smtp"]
    assert finding.level == "wrong"
    words = finding.said
    assert words.startswith(f"cannot connect to {host}:{port}: "), words
    assert "sign in" not in words
    return words.removeprefix(f"cannot connect to {host}:{port}: ")


def test_tls_on_a_port_that_begins_without(protocol: str) -> None:
    with Answering(GREETINGS[protocol]) as server:
        words = said(protocol, server.port, "tls")
    usual = {"IMAP": 993, "SMTP": 465}[protocol]
    assert words == f'port {server.port} does not begin with TLS; set security = "starttls", or port = {usual}'


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_no_tls_on_a_port_that_begins_with_it(protocol: str, security: str, tls: ssl.SSLContext) -> None:
    with Answering(GREETINGS[protocol], tls) as server:
        words = said(protocol, server.port, security)
    assert words == f'port {server.port} speaks TLS from the start; set security = "tls"'


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_a_self_signed_certificate(protocol: str, tls: ssl.SSLContext, how: str) -> None:
    with Answering(GREETINGS[protocol], **{how: tls}) as server:
        words = said(protocol, server.port, how)
    assert words.startswith("its certificate is not to be trusted: it is self-signed; if it is yours, save it and set")
    starttls = f" -starttls {protocol.lower()}" if how == "starttls" else ""
    assert f"openssl s_client -connect 127.0.0.1:{server.port} -servername 127.0.0.1{starttls} <" in words


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_a_certificate_for_another_name(protocol: str, tmp_path: Path, how: str) -> None:
    require(shutil.which("openssl"), "openssl")
    certificate, key = make_certificate(tmp_path, "DNS:mail.elsewhere.example")
    with Answering(GREETINGS[protocol], **{how: context(certificate, key)}) as server:
        words = said(protocol, server.port, how, ca_file=certificate)
    assert "it is for another name than 127.0.0.1; write as host a name that it has" in words


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_an_expired_certificate(protocol: str, tmp_path: Path, how: str) -> None:
    require(shutil.which("openssl"), "openssl")
    certificate, key = make_expired_certificate(tmp_path)
    with Answering(GREETINGS[protocol], **{how: context(certificate, key)}) as server:
        words = said(protocol, server.port, how, ca_file=certificate)
    assert words.startswith("its certificate is not to be trusted: it has expired; renew it on the server")


def test_a_port_that_refuses(protocol: str) -> None:
    assert said(protocol, free_port(), "tls").startswith("Connection refused: nothing listens there; correct host or")


def test_a_host_that_nobody_knows(protocol: str) -> None:
    words = said(protocol, 993, "tls", host="mail.does-not-exist.invalid")
    assert "in the DNS; correct host" in words or "no DNS server answers this machine" in words


def test_a_server_that_takes_connections_and_is_silent(protocol: str) -> None:
    with Answering(b"") as server:
        assert said(protocol, server.port, "none").startswith("it takes the connection and says nothing")
        assert said(protocol, server.port, "tls").startswith("it takes the connection and says nothing")


def test_a_connection_that_nobody_takes(protocol: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        try:
            for one in waiting:  # the queue is full: the next one's SYN is swallowed, as by a firewall
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            assert said(protocol, port, "tls").startswith("it does not answer; correct host or port, or look for a")
        finally:
            for one in waiting:
                one.close()


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", ", but an SSH server"),
        (b"+OK POP3 ready\r\n", ", but a POP3 server"),
        (b"hm\r\n", ""),
    ],
)
def test_something_else_answers(protocol: str, greeting: bytes, kind: str) -> None:
    with Answering(greeting) as server:
        words = said(protocol, server.port, "none")
    text = greeting.decode().strip()
    assert words == f"what answers there is no {protocol} server{kind} ({text!r}); correct host or port"


def test_the_other_kind_of_mail_server_answers_over_tls(protocol: str, tmp_path: Path) -> None:
    require(shutil.which("openssl"), "openssl")
    certificate, key = make_certificate(tmp_path)
    other = {"IMAP": "SMTP", "SMTP": "IMAP"}[protocol]
    with Answering(GREETINGS[other], context(certificate, key)) as server:
        words = said(protocol, server.port, "tls", ca_file=certificate)
    assert words.startswith(f"what answers there is no {protocol} server, but an {other} server")


def test_a_line_that_is_closed_at_once_is_not_called_a_refused_password(protocol: str) -> None:
    with Answering(None) as server:
        said(protocol, server.port, "none")


def test_a_ca_file_that_is_none(protocol: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello\n")
    words = said(protocol, free_port(), "tls", ca_file=tmp_path / "ca.pem")
    assert f"ca_file {tmp_path}/ca.pem cannot be used: it holds no certificate" in words
