"""A few kept connections, and who gets which mail: one mail, one recipient, one transaction, one outcome."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from mailticket import connecting, settings
from mailticket.smtp.envelope import Consignment, Notify
from mailticket.smtp.line import TROUBLE, Line, outcome_of
from mailticket.smtp.outcome import Outcome

IDLE_SECONDS = 30.0
MAILS_A_CONNECTION = 100


class Courier:
    """Delivers mails through the submission server, over a few connections that are kept for a while.

    `secret` gives the password or access token; it is called in a thread whenever a connection is opened. All methods
    belong to one event loop.
    """

    def __init__(self, smtp: settings.Smtp, secret: Callable[[], str]) -> None:
        self._settings = smtp
        self._secret = secret
        self._slots = asyncio.Semaphore(smtp.connections)
        self._idle: list[Line] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._farewells: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None
        self._opening = asyncio.Lock()
        self._refusals: list[Exception] = []  # of sign-ins

    async def deliver(
        self,
        envelope_from: str,
        recipient: str,
        message: bytes,
        before_data: Callable[[], Awaitable[None]],
        *,
        notify: Notify = "",
        copies: Sequence[str] = (),
    ) -> Outcome:
        """Deliver a mail to one recipient, and to those of `copies` whom the server takes.

        An empty `envelope_from` is the null sender.

        `before_data` is awaited when the server has accepted the recipient, before the DATA command: whoever keeps the
        books writes there that from now on the mail may have been sent. Its exceptions and a cancellation pass through
        and close the connection. Waits for a free connection first.
        """
        mail = Consignment(envelope_from, recipient, message, notify, tuple(copies))
        async with self._slots:
            return await _until_cancelled(self._deliver(mail, before_data))

    async def probe(self) -> Outcome | None:
        """Connect, sign in and say goodbye; None when all is well, else what went wrong."""
        line = self._new_line()
        try:
            await line.open()
        except TROUBLE as error:
            return await line.outcome(error)
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
        line = self._idle_line()
        if line is not None:
            outcome = await self._over(line, mail, before_data)
            # A connection that the server had closed meanwhile says nothing about this mail.
            if not (outcome.phase == "sender" and outcome.code in (0, 421)):
                return outcome
        return await self._over(self._new_line(), mail, before_data)

    def _new_line(self) -> Line:
        return Line(self._settings, self._secret, self._tls_context)

    async def _tls_context(self) -> ssl.SSLContext:
        """Made once, in a thread: reading the system's authorities takes 50 ms."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(connecting.verifying_context, self._settings.ca_file)
        return self._tls

    async def _over(self, line: Line, mail: Consignment, before_data: Callable[[], Awaitable[None]]) -> Outcome:
        """One transaction over one connection, which is kept if it is still good afterwards."""
        try:
            try:
                await self._open(line)
                refused = await line.envelope(mail)
            except TROUBLE as error:
                return self._settled(line, await line.outcome(error))
            await before_data()
            try:
                return replace(self._settled(line, await line.data(mail)), refused=refused)
            except TROUBLE as error:
                return self._settled(line, outcome_of(line.phase, error))
        except BaseException:
            # aiosmtplib keeps a cancelled connection and would take the late response for that to the next command.
            line.close()
            raise

    async def _open(self, line: Line) -> None:
        """Connections sign in one after the other, and those that waited while one was refused do not try: the password
        is the same, and refusals lock accounts."""
        if line.is_open:
            return
        refusals = len(self._refusals)
        async with self._opening:
            if len(self._refusals) > refusals:
                line.phase = "sign-in"
                raise self._refusals[-1]
            try:
                await line.open()
            except TROUBLE as error:
                if line.phase == "sign-in":
                    self._refusals.append(error)
                raise

    def _settled(self, line: Line, outcome: Outcome) -> Outcome:
        is_good = outcome.kind == "sent" or (outcome.code not in (0, 421) and not outcome.about_the_server)
        if is_good and line.is_open and line.mails < MAILS_A_CONNECTION:
            line.needs_reset = outcome.kind != "sent"
            line.idle_since = asyncio.get_running_loop().time()
            self._idle.append(line)
            self._sweep_later()
        elif is_good and line.is_open:
            self._dismiss(line)
        else:
            line.close()
        return outcome

    def _idle_line(self) -> Line | None:
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

    def _dismiss(self, line: Line) -> None:
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
