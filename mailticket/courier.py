"""SMTP, and nothing else: one mail, one recipient, one transaction, and an outcome that knows how far it came.

The commands are given one by one, because what a broken line means depends on the phase, which the library's
`sendmail` hides; `delivery` holds what follows from what.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiosmtplib

from mailticket import settings
from mailticket.delivery import Outcome, Phase, from_reply, printable, retry_at, without_reply
from mailticket.envelope import Consignment, Notify, commands, dotted
from mailticket.errors import ConfigurationError, WorldError

__all__ = ["Courier", "Notify", "Outcome", "retry_at"]

IDLE_SECONDS = 30.0
MAILS_A_CONNECTION = 100
QUIT_SECONDS = 5.0

# What a connection, a server or an address can do to us; anything else is our own fault and is raised.
_TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError, ConfigurationError, WorldError)


class Courier:
    """Delivers mails through the submission server, over a few connections that are kept for a while.

    `secret` gives the password or access token; it is called in a thread whenever a connection is opened. All methods
    belong to one event loop.
    """

    def __init__(self, smtp: settings.Smtp, secret: Callable[[], str]) -> None:
        self._settings = smtp
        self._secret = secret
        self._slots = asyncio.Semaphore(smtp.connections)
        self._idle: list[_Line] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._farewells: set[asyncio.Task[None]] = set()

    async def deliver(
        self,
        envelope_from: str,
        recipient: str,
        message: bytes,
        before_data: Callable[[], Awaitable[None]],
        *,
        notify: Notify = "",
    ) -> Outcome:
        """Deliver a mail to one recipient; an empty `envelope_from` is the null sender.

        `before_data` is awaited when the server has accepted the recipient, before the DATA command: whoever keeps the
        books writes there that from now on the mail may have been sent. Its exceptions and a cancellation pass through
        and close the connection. Waits for a free connection first.
        """
        mail = Consignment(envelope_from, recipient, message, notify)
        async with self._slots:
            return await _until_cancelled(self._deliver(mail, before_data))

    async def probe(self) -> Outcome | None:
        """Connect, sign in and say goodbye; None when all is well, else what went wrong."""
        line = _Line(self._settings, self._secret)
        try:
            await line.open()
        except _TROUBLE as error:
            return _judged(line.phase, error)
        else:
            await line.quit()
        finally:
            line.close()
        return None

    async def close(self) -> None:
        """Say goodbye on connections that are not in use."""
        if self._sweep is not None:
            self._sweep.cancel()
        idle, self._idle = self._idle, []
        await asyncio.gather(*self._farewells, *(line.quit() for line in idle))

    async def _deliver(self, mail: Consignment, before_data: Callable[[], Awaitable[None]]) -> Outcome:
        kept = self._take_kept()
        if kept is not None:
            outcome = await self._over(kept, mail, before_data)
            # A connection that the server had closed meanwhile says nothing about this mail.
            if not (outcome.phase == "sender" and outcome.code in (0, 421)):
                return outcome
        return await self._over(_Line(self._settings, self._secret), mail, before_data)

    async def _over(self, line: _Line, mail: Consignment, before_data: Callable[[], Awaitable[None]]) -> Outcome:
        """One transaction over one connection, which is kept if it is still good afterwards."""
        try:
            try:
                await line.open()
                await line.envelope(mail)
            except _TROUBLE as error:
                return self._ended(line, _judged(line.phase, error))
            await before_data()
            try:
                return self._ended(line, await line.data(mail))
            except _TROUBLE as error:
                return self._ended(line, _judged(line.phase, error))
        except BaseException:
            # aiosmtplib keeps a cancelled connection and would take the late reply for that to the next command.
            line.close()
            raise

    def _ended(self, line: _Line, outcome: Outcome) -> Outcome:
        answered = outcome.kind == "sent" or (outcome.code not in (0, 421) and not outcome.about_the_server)
        if answered and line.is_open and line.mails < MAILS_A_CONNECTION:
            line.needs_reset = outcome.kind != "sent"
            line.idle_since = asyncio.get_running_loop().time()
            self._idle.append(line)
            self._sweep_later()
        elif answered and line.is_open:
            self._dismiss(line)
        else:
            line.close()
        return outcome

    def _take_kept(self) -> _Line | None:
        oldest_good = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            line = self._idle.pop()
            if line.is_open and line.idle_since > oldest_good:
                return line
            line.close()
        return None

    def _sweep_later(self) -> None:
        if self._sweep is None or self._sweep.cancelled() or self._sweep.when() <= asyncio.get_running_loop().time():
            self._sweep = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweep = None
        expired = asyncio.get_running_loop().time() - IDLE_SECONDS
        for line in [line for line in self._idle if line.idle_since <= expired]:
            self._idle.remove(line)
            self._dismiss(line)
        if self._idle:
            self._sweep_later()

    def _dismiss(self, line: _Line) -> None:
        """Say goodbye without making anybody wait."""
        task = asyncio.get_running_loop().create_task(line.quit())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)


async def _until_cancelled(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Await the work; when cancelled, cancel it until it is over.

    Once is not enough: `asyncio.wait_for` of Python 3.11, which the library uses for every step, drops a cancellation
    that comes while its result is on the way.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.05)
        if not task.cancelled():
            task.exception()  # whatever it was, the cancellation stands
        raise
    return task.result()


class _NotOffered(aiosmtplib.SMTPNotSupported):
    """The server lacks what the configuration demands."""


class _Line:
    """One connection and how far its present transaction has come."""

    def __init__(self, smtp: settings.Smtp, secret: Callable[[], str]) -> None:
        self._settings = smtp
        self._secret = secret
        self._smtp: aiosmtplib.SMTP | None = None
        self.phase: Phase = "connect"
        self.mails = 0
        self.idle_since = 0.0
        self.needs_reset = False

    @property
    def is_open(self) -> bool:
        return self._smtp is not None and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, upgrade to TLS where configured, sign in. Does nothing when the connection is there."""
        if self.is_open:
            return
        given = self._settings
        context = await asyncio.to_thread(_tls_context, given) if given.security != "none" else None
        smtp = self._smtp = aiosmtplib.SMTP(
            hostname=given.host,
            port=given.port,
            local_hostname=given.hello_name or "localhost",
            timeout=given.timeout_seconds,
            use_tls=given.security == "tls",
            start_tls=False,
            tls_context=context,
        )
        await smtp.connect()
        if not given.hello_name:
            smtp.local_hostname = _address_literal(smtp)
        self.phase = "hello"
        await smtp.ehlo()
        if given.security == "starttls":
            self.phase = "tls"
            if not smtp.supports_extension("starttls"):
                raise _NotOffered("the server does not offer STARTTLS, which the configuration demands")
            await smtp.starttls()
            self.phase = "hello"
            await smtp.ehlo()
        if given.username:
            self.phase = "sign-in"
            await self._sign_in(smtp)

    async def _sign_in(self, smtp: aiosmtplib.SMTP) -> None:
        """One attempt in one way: the library's `login` tries them all, and three failures in a row lock accounts."""
        name, offered = self._settings.username, smtp.server_auth_methods
        wanted = ("xoauth2",) if self._settings.oauth2_token_command else ("plain", "login", "cram-md5")
        way = next((way for way in wanted if way in offered), None)
        if way is None:
            raise _NotOffered(f"the server offers no sign-in by {' or '.join(wanted)}, only: {', '.join(offered)}")
        secret = await asyncio.to_thread(self._secret)
        ways = {
            "xoauth2": smtp.auth_xoauth2,
            "plain": smtp.auth_plain,
            "login": smtp.auth_login,
            "cram-md5": smtp.auth_crammd5,
        }
        await ways[way](name, secret)

    async def envelope(self, mail: Consignment) -> None:
        """MAIL and RCPT. Raises what the server or the line had against it."""
        self.phase = "sender"
        smtp = self._open_smtp()
        if self.needs_reset:
            await self._command(b"RSET")
            self.needs_reset = False
        sender, recipient = commands(mail, smtp.esmtp_extensions)
        await self._command(*sender)
        self.phase = "recipient"
        await self._command(*recipient)

    async def data(self, mail: Consignment) -> Outcome:
        """DATA, the message, and the reply to its final dot, for which the time of RFC 5321 4.5.3.2.6 is allowed."""
        self.phase = "data"
        smtp = self._open_smtp()
        reply = await smtp.execute_command(b"DATA")
        if reply.code != 354:
            return from_reply("data", reply.code, reply.message)
        protocol = smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(dotted(mail.message))
        self.phase = "message"
        self.mails += 1
        reply = await protocol.read_response(timeout=self._settings.data_timeout_seconds)
        return from_reply("message", reply.code, reply.message)

    async def _command(self, *words: bytes) -> None:
        reply = await self._open_smtp().execute_command(*words)
        if not 200 <= reply.code < 300:
            raise aiosmtplib.SMTPResponseException(reply.code, reply.message)

    def _open_smtp(self) -> aiosmtplib.SMTP:
        if self._smtp is None or not self._smtp.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return self._smtp

    async def quit(self) -> None:
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=QUIT_SECONDS)
        self.close()

    def close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()


def _judged(phase: Phase, error: Exception) -> Outcome:
    """What an exception in a phase means."""
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0:
        return from_reply(phase, error.code, error.message)
    if isinstance(error, _NotOffered | ConfigurationError):
        return Outcome("configuration", phase, text=str(error))
    tls = next((e for e in (error, error.__cause__) if isinstance(e, ssl.SSLError)), None)
    if tls is not None and not isinstance(tls, ssl.SSLEOFError | ssl.SSLZeroReturnError) and phase != "message":
        return Outcome("configuration", "tls", text=printable(f"TLS failed: {tls}"))
    if isinstance(error, ValueError):
        return Outcome("configuration" if phase == "connect" else "permanent", phase, text=printable(str(error)))
    return without_reply(phase, str(error) or type(error).__name__)


def _tls_context(smtp: settings.Smtp) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=smtp.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError([f"[smtp] ca_file {smtp.ca_file} cannot be used: {error}"]) from None


def _address_literal(smtp: aiosmtplib.SMTP) -> str:
    """Our address as the name in EHLO (RFC 5321 4.1.3): true, and without asking the DNS for one that is wrong."""
    address = str(smtp.get_transport_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
