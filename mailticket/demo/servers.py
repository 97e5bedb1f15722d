"""The embedded mail servers: pymap holds the support inbox, aiosmtpd takes what leaves and what people write."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPService

PATIENCE = 20.0  # seconds that a local server may take


def free_port() -> int:
    """A port on loopback that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class InboxServer:
    """An IMAP server with one account and one folder, in memory, in a thread of its own."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.port = free_port()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="demo imap", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise RuntimeError("the embedded IMAP server did not start")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)

    def deliver(self, raw: bytes, when: datetime | None = None) -> None:
        """Put a mail into the inbox, as a mail server would on its arrival."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE) as imap:
            imap.login(self.user, self.password)
            status, data = imap.append("INBOX", "", imaplib.Time2Internaldate(when or datetime.now(UTC)), raw)
        if status != "OK":
            raise RuntimeError(f"the embedded IMAP server refused a mail: {data!r}")

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        backend, config = await DictBackend.init(self._arguments(), secure_auth=False)
        config.apply_context()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            await IMAPService(backend, config).start(stack)
            self._ready.set()
            await self._stopping.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _arguments(self) -> Namespace:
        return Namespace(
            host="127.0.0.1", port=self.port, debug=False, cert=None, key=None, tls=False, inherited_sockets=None,
            proxy_protocol=None, passlib_cfg=None, demo_data=False, demo_user=self.user, demo_password=self.password,
        )  # fmt: skip


@dataclass(frozen=True)
class Accepted:
    """A mail that the SMTP server took: when (monotonic seconds), for whom, and its bytes."""

    at: float
    sender: str
    recipient: str
    raw: bytes


class PostServer:
    """An SMTP server. Mail to the support address goes to the inbox; everything else has reached its reader."""

    def __init__(self, support: str, into_inbox: Callable[[bytes], None]) -> None:
        self.port = free_port()
        self.accepted: list[Accepted] = []
        self._support = support
        self._into_inbox = into_inbox
        self._news = threading.Condition()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=_anybody, auth_require_tls=False
        )

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            if recipient.lower() == self._support:
                await asyncio.to_thread(self._into_inbox, raw)
            else:
                with self._news:
                    self.accepted.append(Accepted(time.monotonic(), str(envelope.mail_from), recipient, raw))
                    self._news.notify_all()
        return "250 2.0.0 accepted"

    def wait_for(self, wanted: Callable[[Accepted], bool], seconds: float = PATIENCE) -> Accepted | None:
        """The first mail that fits, as soon as it is there; None when the time is over."""
        with self._news:
            self._news.wait_for(lambda: any(map(wanted, self.accepted)), seconds)
            return next(filter(wanted, self.accepted), None)


def _anybody(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=isinstance(data, LoginPassword))
