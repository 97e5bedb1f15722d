"""One SMTP connection, its commands given one by one.

What a broken line means depends on how far the transaction had come, which the library's `sendmail` hides; `delivery`
holds what follows from what.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiosmtplib

from mailticket import connecting, settings
from mailticket.consent.refusals import STALE, Refusal, of_mail_server
from mailticket.errors import ConfigurationError, MailticketError, SignInRefused, WorldError
from mailticket.smtp.envelope import Consignment, commands, dotted
from mailticket.smtp.outcome import LONGEST_TEXT, Outcome, Phase, from_response, without_response
from mailticket.text.clean import one_line

QUIT_SECONDS = 5.0
_LONGEST_WORDS = 100  # characters of the server's own, beside ours

# What a connection, a server or an address can do to us; anything else is our own fault and is raised.
TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError, ConfigurationError, WorldError)


class _NotOffered(aiosmtplib.SMTPNotSupported):
    """The server lacks what the configuration demands."""


class Line:
    """One connection and how far its present transaction has come."""

    def __init__(
        self, smtp: settings.Smtp, secret: Callable[[], str], tls_context: Callable[[], Awaitable[ssl.SSLContext]]
    ) -> None:
        self._settings = smtp
        self._secret = secret
        self._tls_context = tls_context
        self._smtp: aiosmtplib.SMTP | None = None
        self._token = ""  # the last one that was presented
        self._challenge = ""  # what the server said of it before its refusal
        self.phase: Phase = "connect"
        self.mails = 0
        self.idle_since = 0.0
        self.needs_reset = False

    @property
    def is_open(self) -> bool:
        return self._smtp is not None and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, upgrade to TLS where configured, sign in. Does nothing when the connection is there.

        A token that is refused is tried once more, fresh, over another connection.
        """
        if self.is_open:
            return
        try:
            await self._enter()
        except aiosmtplib.SMTPResponseException as error:
            if self.phase != "sign-in" or not await self._is_renewed(outcome_of(self.phase, error)):
                raise
            self.close()
            await self._enter()

    async def _is_renewed(self, outcome: Outcome) -> bool:
        secret = self._secret
        if not isinstance(secret, connecting.Renewable) or self._refusal(outcome).code not in STALE:
            return False
        return await asyncio.to_thread(secret.renew, self._token)

    async def _enter(self) -> None:
        self.phase = "connect"
        options = self._settings
        context = await self._tls_context() if options.security != "none" else None
        smtp = self._smtp = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            local_hostname=options.hello_name or "localhost",
            timeout=options.timeout_seconds,
            use_tls=options.security == "tls",
            start_tls=False,
            tls_context=context,
        )
        await smtp.connect()
        if not options.hello_name:
            smtp.local_hostname = _address_literal(smtp)
        self.phase = "hello"
        await smtp.ehlo()
        if options.security == "starttls":
            self.phase = "tls"
            if not smtp.supports_extension("starttls"):
                raise _NotOffered(
                    "the server does not offer STARTTLS, which the configuration demands; "
                    'set security = "tls" and port = 465'
                )
            await smtp.starttls()
            self.phase = "hello"
            await smtp.ehlo()
        if options.username:
            self.phase = "sign-in"
            await self._sign_in(smtp)

    async def _sign_in(self, smtp: aiosmtplib.SMTP) -> None:
        """One attempt in one way: the library's `login` tries them all, and three failures in a row lock accounts."""
        name, offered = self._settings.username, smtp.server_auth_methods
        by_token = self._settings.auth == "oauth2" or self._settings.oauth2_token_command
        preferred = self._bearer_ways() if by_token else ("plain", "login", "cram-md5")
        way = next((way for way in preferred if way in offered), None)
        if way is None:
            raise _NotOffered(f"the server offers no sign-in by {' or '.join(preferred)}, only: {', '.join(offered)}")
        secret = await asyncio.to_thread(self._secret)
        if by_token:
            await self._present(smtp, way.upper(), secret)
            return
        ways = {"plain": smtp.auth_plain, "login": smtp.auth_login, "cram-md5": smtp.auth_crammd5}
        await ways[way](name, secret)

    def _bearer_ways(self) -> tuple[str, ...]:
        standard_first = self._settings.auth == "oauth2" and self._settings.provider == "custom"
        return ("oauthbearer", "xoauth2") if standard_first else ("xoauth2", "oauthbearer")

    async def _present(self, smtp: aiosmtplib.SMTP, mechanism: str, token: str) -> None:
        """The library's own way loses the challenge in which the server says why it refuses a token."""
        self._token, self._challenge = token, ""
        first = base64.b64encode(connecting.bearer(mechanism, self._settings, token))
        response = await smtp.execute_command(b"AUTH", mechanism.encode(), first)
        if response.code == 334:
            self._challenge = _decoded(response.message)
            # RFC 7628 section 3.2.3; XOAUTH2 wants an empty line.
            response = await smtp.execute_command(base64.b64encode(b"\1") if mechanism == "OAUTHBEARER" else b"")
        if response.code != 235:
            raise aiosmtplib.SMTPAuthenticationError(response.code, response.message)

    async def envelope(self, mail: Consignment) -> tuple[str, ...]:
        """MAIL and RCPT. Raises what the server or the line had against it; returns whose copies were refused, and why.

        A refused copy keeps nobody else from the mail.
        """
        self.phase = "sender"
        smtp = self._open_smtp()
        if self.needs_reset:
            await self._command(b"RSET")
            self.needs_reset = False
        sender, recipient, *copies = commands(mail, smtp.esmtp_extensions)
        await self._command(*sender)
        self.phase = "recipient"
        await self._command(*recipient)
        refused = []
        for address, words in zip(mail.copies, copies, strict=True):
            response = await self._open_smtp().execute_command(*words)
            if not 200 <= response.code < 300:
                refused.append(f"{address}: {response.code} {one_line(response.message, LONGEST_TEXT)}")
        return tuple(refused)

    async def data(self, mail: Consignment) -> Outcome:
        """DATA, the message, and the response to its final dot, for which the time of RFC 5321 4.5.3.2.6 is allowed."""
        self.phase = "data"
        smtp = self._open_smtp()
        response = await smtp.execute_command(b"DATA")
        if response.code != 354:
            return from_response("data", response.code, response.message)
        protocol = smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(dotted(mail.message))
        self.phase = "message"
        self.mails += 1
        response = await protocol.read_response(timeout=self._settings.data_timeout_seconds)
        return from_response("message", response.code, response.message)

    async def _command(self, *words: bytes) -> None:
        response = await self._open_smtp().execute_command(*words)
        if not 200 <= response.code < 300:
            raise aiosmtplib.SMTPResponseException(response.code, response.message)

    def _open_smtp(self) -> aiosmtplib.SMTP:
        if self._smtp is None or not self._smtp.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return self._smtp

    async def quit(self) -> None:
        """Say goodbye, hear the response, and let go: of TLS too, without waiting for the server's leave of that."""
        if self._smtp is not None and self._smtp.is_connected:
            transport = self._smtp.transport
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=QUIT_SECONDS)
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        self.close()

    def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()

    def _refusal(self, outcome: Outcome) -> Refusal:
        words = f"{outcome.code} {outcome.status} {outcome.text}"
        return of_mail_server(connecting.case_of(self._settings), "SMTP", words, self._challenge, self._token)

    def _refused(self, outcome: Outcome) -> Outcome:
        """A refusal of our token, with what it comes to and what mends it."""
        refusal = self._refusal(outcome)
        text = one_line(f"{refusal.text} ({outcome.text[:_LONGEST_WORDS]}); {refusal.remedy}", LONGEST_TEXT)
        return replace(outcome, text=text)

    async def outcome(self, error: Exception) -> Outcome:
        """What an exception means, with what keeps a connection from coming about in words that say what to change."""
        outcome = outcome_of(self.phase, error)
        if self.phase == "sign-in" and self._settings.auth == "oauth2" and outcome.code:
            return self._refused(outcome)
        if isinstance(error, SignInRefused) and error.remedy:
            return replace(outcome, text=one_line(f"{error}; {error.remedy}", LONGEST_TEXT))
        if outcome.code or isinstance(error, _NotOffered | MailticketError):
            return outcome
        of_tls = any(isinstance(cause, ssl.SSLError) for cause in (error, error.__cause__))
        if self.phase == "connect" or (self.phase == "tls" and of_tls):
            words = await asyncio.to_thread(connecting.why, error, self._settings)
            return replace(outcome, text=one_line(words, LONGEST_TEXT)) if words else outcome
        return outcome


def _decoded(challenge: str) -> str:
    try:
        return base64.b64decode(challenge.strip(), validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def outcome_of(phase: Phase, error: Exception) -> Outcome:
    """What an exception in a phase means."""
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0:
        return from_response(phase, error.code, error.message)
    if isinstance(error, _NotOffered | ConfigurationError):
        return Outcome("configuration", phase, text=str(error))
    tls = next((e for e in (error, error.__cause__) if isinstance(e, ssl.SSLError)), None)
    if tls is not None and not isinstance(tls, ssl.SSLEOFError | ssl.SSLZeroReturnError) and phase != "message":
        return Outcome("configuration", "tls", text=one_line(f"TLS failed: {tls}", LONGEST_TEXT))
    if isinstance(error, ValueError):
        return Outcome(
            "configuration" if phase == "connect" else "permanent", phase, text=one_line(str(error), LONGEST_TEXT)
        )
    return without_response(phase, str(error) or type(error).__name__)


def _address_literal(smtp: aiosmtplib.SMTP) -> str:
    """Our address as the name in EHLO (RFC 5321 4.1.3): true, and without asking the DNS for one that is wrong."""
    address = str(smtp.get_transport_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
