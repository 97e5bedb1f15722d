"""From a mailbox's settings to a signed-in connection: TLS first, the password only then, refusals told apart."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from imapclient import SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

import mailticket
from mailticket import connecting
from mailticket.errors import ConfigurationError, MailboxUnavailable, SignInRefused
from mailticket.imap.trouble import TROUBLE, why
from mailticket.imap.wire import Client
from mailticket.settings import Mailbox

_LONGEST_CONNECT = 15.0

_NOT_THE_PASSWORD = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|THROTTLED|OVERQUOTA|SYS/TEMP)\]"
    r"|too many|simultaneous|temporar|try again|unavailable|throttl|exceeded|overload|internal error|busy",
    re.IGNORECASE,
)
"""A refusal of LOGIN that says nothing of the password (RFC 5530, and the words of servers that know no codes)."""

_GOODBYE = re.compile(r"\* BYE\b", re.IGNORECASE)  # RFC 9051 section 7.1.5: also in the place of a greeting
_SURELY_THE_PASSWORD = re.compile(r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]", re.IGNORECASE)


def open_connection(mailbox: Mailbox) -> Client:
    """Connect with the security that the settings ask for, and never with less.

    Raises MailboxUnavailable for a server that cannot be reached or trusted, that would have the password in the clear
    or signs us in unasked (PREAUTH, by which a man in the middle skips STARTTLS); imaplib's errors and OSError for what
    happens after its greeting.
    """
    tls = None if mailbox.security == "none" else _tls_context(mailbox)
    timeouts = SocketTimeout(min(_LONGEST_CONNECT, mailbox.timeout_seconds), mailbox.timeout_seconds)
    try:
        client = Client(mailbox.host, mailbox.port, tls if mailbox.security == "tls" else None, timeouts)
    except TROUBLE as error:
        # A server that says goodbye has said why, and wants no further connection.
        words = "" if _GOODBYE.search(str(error)) else connecting.why(error, mailbox)
        raise MailboxUnavailable(words or why(error)) from error
    try:
        if mailbox.security != "tls" and client.wire.state == "AUTH":
            raise MailboxUnavailable("the server signs in without TLS and without a password (PREAUTH), so we hung up")
        if mailbox.security == "starttls":
            if not client.has_capability("STARTTLS"):
                raise MailboxUnavailable(
                    'the server offers no STARTTLS, so no password was sent; set security = "tls" and port = 993'
                )
            _start_tls(client, mailbox, tls)
    except BaseException:
        client.wire.shutdown()
        raise
    return client


def _start_tls(client: Client, mailbox: Mailbox, tls: ssl.SSLContext | None) -> None:
    try:
        client.starttls(tls)
    except ssl.SSLError as error:
        raise MailboxUnavailable(connecting.why(error, mailbox) or why(error)) from error


def _tls_context(mailbox: Mailbox) -> ssl.SSLContext:
    try:
        return connecting.verifying_context(mailbox.ca_file)
    except ConfigurationError as error:
        raise MailboxUnavailable(str(error)) from None


def sign_in(client: Client, mailbox: Mailbox, secret: str) -> None:
    """Sign in with a password, or with an OAuth2 token where the settings name a token command; then send our ID.

    Raises SignInRefused when the server will not have this user and secret, MailboxUnavailable when it will not have
    anybody just now; imaplib's errors and OSError for all else.
    """
    if client.wire.state != "AUTH":
        _present(client, mailbox, secret)
    # NetEase (163.com, 126.com) refuses to open any folder to a client that has not sent its ID (RFC 2971).
    if client.has_capability("ID"):
        try:
            client.id_({"name": "mailticket", "version": mailticket.__version__})
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return  # a server that offers ID and refuses it has lost nothing that we need


def _present(client: Client, mailbox: Mailbox, secret: str) -> None:
    user = mailbox.username
    if mailbox.oauth2_token_command:
        bearer = _Bearer(f"user={user}\1auth=Bearer {secret}\1\1")
        with _refusals_told_apart(bearer):
            client.sasl_login("XOAUTH2", bearer)
    elif (user + secret).isascii() and not re.search(r"[\r\n\0]", user + secret):
        if client.has_capability("LOGINDISABLED"):
            raise MailboxUnavailable('the server takes no password without TLS; set security = "tls" or "starttls"')
        with _refusals_told_apart():
            client.login(user, secret)
    elif client.has_capability("AUTH=PLAIN") and "\0" not in user + secret:
        with _refusals_told_apart():
            client.sasl_login("PLAIN", _plain(user, secret))
    else:
        raise SignInRefused("the user name or password holds characters that this server has no way to be told")


def _plain(user: str, secret: str) -> Callable[[bytes], bytes]:
    """SASL PLAIN (RFC 4616), which carries UTF-8 where LOGIN carries ASCII only."""
    return lambda _challenge: f"\0{user}\0{secret}".encode()


class _Bearer:
    """XOAUTH2: the token first, then an empty response to the challenge in which the server says why it refuses."""

    def __init__(self, payload: str) -> None:
        self._payload: bytes | None = payload.encode()
        self.reason = ""

    def __call__(self, challenge: bytes) -> bytes:
        if self._payload is None:
            self.reason = challenge.decode("utf-8", "replace")
            return b""
        payload, self._payload = self._payload, None
        return payload


@contextmanager
def _refusals_told_apart(bearer: _Bearer | None = None) -> Iterator[None]:
    """LoginError is also what a dropped connection and an overloaded server look like; only the rest is a refusal."""
    try:
        yield
    except LoginError as error:
        text = f"{error} {bearer.reason if bearer else ''}".strip()
        is_broken = isinstance(error.__context__, IMAPClientAbortError)
        if is_broken or (_NOT_THE_PASSWORD.search(text) and not _SURELY_THE_PASSWORD.search(text)):
            raise MailboxUnavailable(f"nobody can sign in just now: {text}") from error
        raise SignInRefused(f"the server refused the user name or password: {text}") from error
