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
from mailticket.consent.refusals import of_mail_server
from mailticket.errors import ConfigurationError, MailboxUnavailable, SignInRefused
from mailticket.imap.trouble import TROUBLE, why
from mailticket.imap.wire import Client
from mailticket.settings import Mailbox
from mailticket.text.clean import one_line

_LONGEST_CONNECT = 15.0

_NOT_THE_PASSWORD = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|THROTTLED|OVERQUOTA|SYS/TEMP)\]"
    r"|too many|simultaneous|temporar|try again|unavailable|throttl|exceeded|overload|internal error|busy",
    re.IGNORECASE,
)
"""A refusal of LOGIN that says nothing of the password (RFC 5530, and the words of servers that know no codes)."""

_NOT_LET_IN = re.compile(r"authenticated but not connected", re.IGNORECASE)
_LONGEST_WORDS = 100  # characters of the server's own, beside ours
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
    if mailbox.oauth2_token_command or mailbox.auth == "oauth2":
        mechanism = _mechanism(client, mailbox)
        bearer = _Bearer(mechanism, mailbox, secret)
        with _refusals_told_apart(mailbox, bearer, secret):
            client.sasl_login(mechanism, bearer)
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


def _mechanism(client: Client, mailbox: Mailbox) -> str:
    """How the token is presented: by the standard, but by XOAUTH2 where that is all, or what the provider documents."""
    standard, usual = client.has_capability("AUTH=OAUTHBEARER"), client.has_capability("AUTH=XOAUTH2")
    if mailbox.auth == "oauth2" and not (standard or usual):
        raise MailboxUnavailable("the server offers no sign-in by OAuth2; an app password may do: remove auth")
    return "OAUTHBEARER" if standard and (mailbox.provider == "custom" or not usual) else "XOAUTH2"


class _Bearer:
    """The token first, then the response to the challenge in which the server says why it refuses.

    XOAUTH2 wants that response empty, OAUTHBEARER a single 0x01 (RFC 7628 section 3.2.3).
    """

    def __init__(self, mechanism: str, mailbox: Mailbox, token: str) -> None:
        payload = connecting.bearer(mechanism, mailbox, token)
        self._payload: bytes | None = payload
        self._end = b"\1" if mechanism == "OAUTHBEARER" else b""
        self.reason = ""

    def __call__(self, challenge: bytes) -> bytes:
        if self._payload is None:
            self.reason = challenge.decode("utf-8", "replace")
            return self._end
        payload, self._payload = self._payload, None
        return payload


@contextmanager
def _refusals_told_apart(
    mailbox: Mailbox | None = None, bearer: _Bearer | None = None, token: str = ""
) -> Iterator[None]:
    """LoginError is also what a dropped connection and an overloaded server look like; only the rest is a refusal."""
    try:
        yield
    except LoginError as error:
        text = f"{error} {bearer.reason if bearer else ''}".strip()
        is_broken = isinstance(error.__context__, IMAPClientAbortError)
        if is_broken or (_NOT_THE_PASSWORD.search(text) and not _SURELY_THE_PASSWORD.search(text)):
            raise MailboxUnavailable(f"nobody can sign in just now: {text}") from error
        if mailbox is not None and mailbox.auth == "oauth2":
            raise _refused(mailbox, str(error), bearer.reason if bearer else "", token) from error
        raise SignInRefused(f"the server refused the user name or password: {text}") from error


def _refused(mailbox: Mailbox, words: str, challenge: str = "", token: str = "") -> MailboxUnavailable:
    refusal = of_mail_server(connecting.case_of(mailbox), "IMAP", words, challenge, token)
    if refusal.passes:
        return MailboxUnavailable(f"{refusal.text}: {words}")
    return SignInRefused(f"{refusal.text} ({one_line(words, _LONGEST_WORDS)})", refusal.code, refusal.remedy)


def must_be_let_in(mailbox: Mailbox, error: IMAPClientError) -> None:
    """Raises SignInRefused where the first command shows that the sign-in opens nothing: Exchange says so only then."""
    if mailbox.auth == "oauth2" and _NOT_LET_IN.search(str(error)):
        raise _refused(mailbox, str(error)) from error
