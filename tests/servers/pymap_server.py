"""pymap, the IMAP server in pure Python that the demo embeds, in a thread of its own on loopback."""

from __future__ import annotations

import asyncio
import imaplib
import threading
from argparse import Namespace
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from pymap.backend.dict import DictBackend
from pymap.imap import IMAPService

from tests.servers.machine import PATIENCE, free_port


class Pymap:
    """One pymap with one user and everything in memory."""

    user = "support@example.com"
    password = "correct-horse"

    def __init__(self) -> None:
        self.port = free_port()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="pymap", daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE), "pymap did not start"

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        arguments = Namespace(
            host="127.0.0.1",
            port=self.port,
            debug=False,
            cert=None,
            key=None,
            tls=False,
            inherited_sockets=None,
            proxy_protocol=None,
            passlib_cfg=None,
            demo_data=False,
            demo_user=self.user,
            demo_password=self.password,
        )
        backend, config = await DictBackend.init(arguments, secure_auth=False)
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

    def append(self, raw: bytes, when: datetime | None = None) -> None:
        imap = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            imap.login(self.user, self.password)
            typ, data = imap.append("INBOX", "", imaplib.Time2Internaldate(when or datetime.now(UTC)), raw)
            assert typ == "OK", data
        finally:
            imap.logout()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
