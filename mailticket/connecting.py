"""What keeps a connection to a mail server from coming about: a sentence for each trouble, with what to change."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from mailticket.consent.refusals import Case
from mailticket.errors import ConfigurationError
from mailticket.settings import Mailbox, Smtp
from mailticket.text.clean import one_line

Server = Mailbox | Smtp
MailProtocol = Literal["IMAP", "SMTP"]

_LOOK_SECONDS = 1.0
_GREETING_SECONDS = 2.0
_LONGEST_GREETING = 512
_GREETINGS: dict[MailProtocol, bytes] = {"IMAP": b"* ", "SMTP": b"220"}
_TLS_PORTS: dict[MailProtocol, int] = {"IMAP": 993, "SMTP": 465}
_STRANGERS = (("IMAP", b"* "), ("SMTP", b"220"), ("POP3", b"+OK"), ("SSH", b"SSH-"), ("web", b"HTTP/"))

# What OpenSSL says when the other side does not speak TLS at all: its first bytes are no TLS record.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
# X509_V_ERR_* of OpenSSL, x509_vfy.h.
_EXPIRED, _NOT_YET = (10,), (9,)
_SELF_SIGNED, _UNKNOWN_ISSUER, _OTHER_NAME = (18, 19), (2, 20, 21), (62, 64)


@runtime_checkable
class Renewable(Protocol):
    """A secret that can be had anew: an access token, which may die before its time."""

    def __call__(self) -> str: ...

    def renew(self, refused: str) -> bool:
        """A server refused this value. Whether it is worth to try at once with a fresh one."""
        ...


def case_of(server: Server) -> Case:
    """Who signs in with a token, for what is said of a refusal."""
    # A folder of sent mail signs in as its mailbox does.
    name = server.part.removeprefix("mailbox ").partition("/")[0]
    whom = server.account or server.username
    return Case(name, server.provider or "custom", server.oauth2_flow, server.username, whom, server.client_id)


def bearer(mechanism: str, server: Server, token: str) -> bytes:
    """The first response of XOAUTH2 or OAUTHBEARER (RFC 7628 section 3.1), not yet in base64."""
    if mechanism == "XOAUTH2":
        return f"user={server.username}\1auth=Bearer {token}\1\1".encode()
    name = server.username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    return f"n,a={name},\1host={server.host}\1port={server.port}\1auth=Bearer {token}\1\1".encode()


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies certificates and names, by the given authority or else the system's.

    Raises ConfigurationError for a file that cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        is_none = isinstance(error, ssl.SSLError)
        reason = "it holds no certificate" if is_none else error.strerror or str(error)
        raise ConfigurationError([f"ca_file {ca_file} cannot be used: {reason}"]) from None


def why(error: BaseException, server: Server) -> str:
    """The trouble as a sentence that begins after "cannot connect to HOST:PORT: "; "" when nothing can be said of it.

    Where the error tells too little (silence, a line that is cut), one more connection is made, for a few seconds at
    most and without any secret, to see what answers there. It blocks meanwhile.
    """
    for cause in _chain(error):
        if words := _of(cause, server):
            return words
    silent = any(isinstance(cause, TimeoutError) for cause in _chain(error))
    return _look(server, silent)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _of(error: BaseException, server: Server) -> str:
    """What an error tells by itself; "" for one that tells too little."""
    host = server.host
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {_certificate(error, server)}"
    if isinstance(error, ssl.SSLError):
        return _tls(error, server)
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return f"{host} cannot be looked up: no DNS server answers this machine; try: getent hosts {host}"
        return f"there is no host {host} in the DNS; correct host"
    if isinstance(error, ConnectionRefusedError):
        return "Connection refused: nothing listens there; correct host or port, or start the server"
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
        return f"there is no way from this machine to {host}; correct host, or look at network and firewall"
    return ""


def _certificate(error: ssl.SSLCertVerificationError, server: Server) -> str:
    show = f"openssl s_client -connect {server.host}:{server.port} -servername {server.host}"
    if server.security == "starttls":
        show += f" -starttls {_protocol(server).lower()}"
    if error.verify_code in _EXPIRED:
        return "it has expired; renew it on the server (or is the clock of this machine wrong?)"
    if error.verify_code in _NOT_YET:
        return "it is not valid yet; is the clock of this machine right?"
    if error.verify_code in _OTHER_NAME:
        names = f"{show} </dev/null | openssl x509 -noout -ext subjectAltName"
        return f"it is for another name than {server.host}; write as host a name that it has: {names}"
    if error.verify_code in _SELF_SIGNED:
        return f"it is self-signed; if it is yours, save it and set ca_file: {show} </dev/null | openssl x509 > ca.pem"
    if error.verify_code in _UNKNOWN_ISSUER:
        return "this machine does not know who issued it; set ca_file to the certificate of that authority"
    return f"{error.verify_message}; {show} shows it"


def _tls(error: ssl.SSLError, server: Server) -> str:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ""
    if error.reason in _NO_TLS:
        usual = _TLS_PORTS[_protocol(server)]
        other = f", or port = {usual}" if server.port != usual else ""
        return f'port {server.port} does not begin with TLS; set security = "starttls"{other}'
    return f"TLS could not be agreed on ({error.reason or error}); the server must offer TLS 1.2 or later"


def _look(server: Server, silent: bool) -> str:
    """What answers there. silent: it was waited for long enough already."""
    protocol = _protocol(server)
    try:
        with socket.create_connection((server.host, server.port), _LOOK_SECONDS) as connection:
            if server.security == "tls":
                greeting = _greeting_over_tls(connection, server)
            else:
                greeting = b"" if silent else _greeting(connection)
    except TimeoutError:
        return "it does not answer; correct host or port, or look for a firewall that swallows the connection"
    except OSError as error:
        return _of(error, server)
    if greeting is None or greeting.startswith(_GREETINGS[protocol]):
        return ""
    if greeting:
        kind = next((kind for kind, sign in _STRANGERS if greeting.startswith(sign)), "")
        words = one_line(greeting.decode("utf-8", "replace"), 60)
        is_one = f", but {'an' if kind in ('IMAP', 'SMTP', 'SSH') else 'a'} {kind} server" if kind else ""
        return f"what answers there is no {protocol} server{is_one} ({words!r}); correct host or port"
    if server.security != "tls" and _speaks_tls(server):
        return f'port {server.port} speaks TLS from the start; set security = "tls"'
    return f"it takes the connection and says nothing; correct host or port, or see what keeps the {protocol} server"


def _greeting_over_tls(connection: socket.socket, server: Server) -> bytes | None:
    """The first bytes over TLS; None when the server closed the line before. Whether it is to be trusted is no matter
    here: the first attempt has judged that."""
    connection.settimeout(_GREETING_SECONDS)
    try:
        with _blind().wrap_socket(connection, server_hostname=server.host) as line:
            return _greeting(line)
    except TimeoutError:
        return b""


def _greeting(connection: socket.socket) -> bytes | None:
    """The first bytes; b"" for silence, None when the server closed the line instead."""
    connection.settimeout(_GREETING_SECONDS)
    try:
        return connection.recv(_LONGEST_GREETING) or None
    except TimeoutError:
        return b""
    except OSError:
        return None


def _speaks_tls(server: Server) -> bool:
    try:
        with socket.create_connection((server.host, server.port), _LOOK_SECONDS) as connection:
            _blind().wrap_socket(connection, server_hostname=server.host).close()
    except ssl.SSLError as error:
        return error.reason not in _NO_TLS and not isinstance(error, ssl.SSLEOFError)
    except OSError:
        return False
    return True


def _protocol(server: Server) -> MailProtocol:
    return "IMAP" if isinstance(server, Mailbox) else "SMTP"


def _blind() -> ssl.SSLContext:
    """A context that trusts anybody: nothing is said over it but hello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
