"""An SMTP server on loopback that keeps what it accepted, in order, and refuses, drops or stalls as it is told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.machine import PATIENCE, free_port

DROP = "drop"
"""Close the connection instead of a reply; at the stage DOT the mail is not kept."""
DROP_KEPT = "drop, but keep"
"""At the stage DOT only: keep the mail, then close the connection instead of a reply."""
STALL_KEPT = "stall, but keep"
"""At the stage DOT only: keep the mail, then say nothing until `release` is called."""
STALL = "stall"
"""Say nothing until `release` is called; then go on as if nothing had been."""

STAGES = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT")

USERNAME, PASSWORD = "support@example.com", "correct-horse"


@dataclass(frozen=True)
class Accepted:
    """A mail that the server took responsibility for (or kept before it dropped the line)."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: float = field(default_factory=time.monotonic)
    """`time.monotonic()` of the acceptance."""
    connection: int = 0
    """Which connection brought it: counted from 1."""


class SmtpSink:
    """An SMTP server in a thread of its own.

    `next(stage, reply, ...)` gives replies for the coming events of that stage, one each; `always(stage, reply)` for
    all of them; `for_recipient(address, reply)` for each RCPT of an address. A reply is an SMTP reply line or one of
    DROP, DROP_KEPT, STALL and STALL_KEPT. Stages are named in STAGES; DATA is the answer to the command, DOT the one
    to the mail.
    """

    def __init__(
        self,
        security: str = "none",
        certificate: tuple[str, str] | None = None,
        sign_in: bool = False,
        maximum_size: int = 64 * 2**20,
        check_token: Callable[[str], str] | None = None,
        login: tuple[str, str] = (USERNAME, PASSWORD),
    ) -> None:
        """check_token: whose an access token is, "" for a bad one; the server then takes nobody without one.

        login: who may sign in, and with what, where `sign_in` asks for it.
        """
        self._login = login
        self.check_token = check_token
        self.mechanisms: list[str] = []  # by which clients presented tokens, in order
        self.port = free_port()
        self.accepted: list[Accepted] = []
        self.connections = 0
        self.commands: list[str] = []
        self._changed = threading.Condition()
        self._next: dict[str, deque[str]] = defaultdict(deque)
        self._always: dict[str, str] = {}
        self._recipients: dict[str, str] = {}
        self._security = security
        self._options: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "sink.example", "timeout": 600}
        self._options["data_size_limit"] = maximum_size
        self._tls: ssl.SSLContext | None = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        if security == "starttls":
            self._options |= {"tls_context": self._tls, "require_starttls": True}
        if sign_in:
            self._options |= {"auth_required": True, "authenticator": self._authenticate}
        if check_token:
            self._options |= {"auth_required": True, "auth_exclude_mechanism": ["PLAIN", "LOGIN"]}
        self._thread: threading.Thread | None = None
        self.start()

    def start(self) -> None:
        """Listen on the same port as ever; returns when connections are accepted."""
        ready: list[BaseException | None] = []
        listening = threading.Event()
        self._thread = threading.Thread(target=self._live, args=(ready, listening), name="smtp-sink", daemon=True)
        self._thread.start()
        assert listening.wait(PATIENCE), "the SMTP sink did not begin to listen"
        if ready:
            raise AssertionError(f"the SMTP sink cannot listen: {ready[0]}")

    def stop(self) -> None:
        """Cut every connection and refuse new ones, until `start`."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()
            self._thread = None

    def next(self, stage: str, *replies: str) -> None:
        assert stage in STAGES
        self._next[stage].extend(replies)

    def always(self, stage: str, reply: str | None) -> None:
        """Give this reply to every event of the stage from now on; None ends that."""
        assert stage in STAGES
        self._always.pop(stage, None)
        if reply is not None:
            self._always[stage] = reply

    def forget(self, stage: str) -> None:
        """Drop the replies that `next` has still in store for a stage."""
        self._next[stage].clear()

    def for_recipient(self, address: str, reply: str | None) -> None:
        self._recipients.pop(address, None)
        if reply is not None:
            self._recipients[address] = reply

    def release(self) -> None:
        """Let everything that stalls go on."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Accepted]:
        """Wait until at least `count` mails are kept and return all of them; fail when time runs out."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.accepted) >= count, timeout):
                raise AssertionError(f"{len(self.accepted)} mails came in {timeout} s, {count} were awaited")
            return list(self.accepted)

    def wait_for_command(self, word: str, count: int = 1, timeout: float = PATIENCE) -> None:
        """Wait until clients have reached a stage (a word of STAGES) so many times."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.commands.count(word) >= count, timeout):
                raise AssertionError(f"{word} came {self.commands.count(word)} times in {timeout} s, not {count}")

    def recipients(self) -> list[str]:
        """The first recipient of each kept mail, in order."""
        with self._changed:
            return [mail.recipients[0] for mail in self.accepted]

    def clear(self) -> None:
        with self._changed:
            self.accepted.clear()
            self.commands.clear()

    def keep(self, mail: Accepted) -> None:
        with self._changed:
            self.accepted.append(mail)
            self._changed.notify_all()

    async def reply_for(self, stage: str, recipient: str = "") -> str | None:
        """What the script says to an event: a reply, DROP, DROP_KEPT, or None for the ordinary course."""
        with self._changed:
            self.commands.append(stage)
            self._changed.notify_all()
        reply = self._next[stage].popleft() if self._next[stage] else self._always.get(stage)
        if reply is None and recipient:
            reply = self._recipients.get(recipient)
        if reply == STALL:
            await self.until_released()
            return None
        return reply

    async def until_released(self) -> None:
        self._released.clear()
        await self._released.wait()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=good, handled=False)

    def _live(self, ready: list[BaseException | None], listening: threading.Event) -> None:
        try:
            asyncio.run(self._serve(listening))
        except OSError as error:
            ready.append(error)
            listening.set()

    async def _serve(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._released = asyncio.Event(), asyncio.Event()
        live: set[_Session] = set()
        tls = self._tls if self._security == "tls" else None
        kind = _BearerSession if self.check_token else _Session
        server = await self._loop.create_server(
            lambda: kind(self, live, loop=self._loop, **self._options), "127.0.0.1", self.port, ssl=tls
        )
        listening.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for session in list(live):
                session.cut()
            self._released.set()
            await server.wait_closed()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)


class _Session(SMTP):
    """One connection: aiosmtpd's SMTP, with the sink's script consulted before each stage."""

    def __init__(self, sink: SmtpSink, live: set[_Session], **options: Any) -> None:
        super().__init__(self, **options)
        self._sink, self._live, self._number = sink, live, 0
        self._auth_require_tls = False  # as an argument it would warn, and implicit TLS is none to aiosmtpd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._number:
            self._sink.connections += 1
            self._number = self._sink.connections
        self._live.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._live.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        reply = await self._sink.reply_for("CONNECT")
        if reply is not None:
            if reply != DROP:
                await self.push(reply)
            self.cut()
            return
        with contextlib.suppress(ConnectionError):
            await super()._handle_client()

    async def _scripted(self, stage: str, recipient: str = "") -> bool:
        reply = await self._sink.reply_for(stage, recipient)
        if reply == DROP:
            self.cut()
        elif reply is not None:
            await self.push(reply)
        return reply is not None

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._scripted("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._scripted("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._scripted("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        address = (arg or "").partition(":")[2].strip().partition(" ")[0].strip("<>")
        if not await self._scripted("RCPT", address):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._scripted("DATA"):
            await super().smtp_DATA(arg)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = await self._sink.reply_for("DOT")
        raw = envelope.original_content or b""
        mail = Accepted(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, connection=self._number)
        if reply is None or reply in (DROP_KEPT, STALL_KEPT) or reply.startswith("2"):
            self._sink.keep(mail)
        if reply == STALL_KEPT:
            await self._sink.until_released()
            return "250 2.0.0 kept"
        if reply in (DROP, DROP_KEPT):
            self.cut()
            raise ConnectionResetError
        return reply or "250 2.0.0 kept"


class _BearerSession(_Session):
    """One that takes access tokens, and says in JSON why it does not (RFC 7628 section 3.2.2, and Google's XOAUTH2)."""

    async def auth_XOAUTH2(self, _server: SMTP, args: list[str]) -> AuthResult:
        return await self._by_token(args, b'{"status":"401","schemes":"bearer","scope":"mail"}', b"")

    async def auth_OAUTHBEARER(self, _server: SMTP, args: list[str]) -> AuthResult:
        return await self._by_token(args, b'{"status":"invalid_token","scope":"mail"}', b"\1")

    async def _by_token(self, args: list[str], challenge: bytes, end: bytes) -> AuthResult:
        self._sink.mechanisms.append(args[0])
        first = base64.b64decode(args[1]).decode()
        user = re.search(r"(?:^user=|^n,a=)([^,\x01]+)", first)
        token = re.search(r"\x01auth=Bearer ([^\x01]+)\x01\x01$", first)
        assert user and token and self._sink.check_token
        if self._sink.check_token(token[1]) == user[1]:
            return AuthResult(success=True)
        response = await self.challenge_auth(challenge)
        assert response == end, f"the client ended a refused sign-in with {response!r}"
        return AuthResult(success=False, handled=False)


def addresses(mails: Iterable[Accepted]) -> list[str]:
    """All recipients of some mails, in order."""
    return [recipient for mail in mails for recipient in mail.recipients]
