"""Group commit: small urgent writes of several deliveries share one transaction, and each waits until it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlmodel import Session

from mailticket.errors import StoreUnavailable
from mailticket.store.engine import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is to be written, and who waits for it."""

    work: Callable[[Session], Any]
    done: asyncio.Future[Any]
    durable: bool


class Ledger:
    """Writes for the event loop of the outbox. Deliveries that finish together cost one commit instead of many."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Session], T], *, durable: bool = True) -> T:
        """Run `work` inside a transaction with whatever else waits; returns when it is committed.

        durable: False for what may be undone by a power cut, as `Database.write` says.
        Raises StoreUnavailable when the transaction failed; then nothing of it was written.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(work, done, durable))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[_Entry]) -> None:
        """One transaction for all; when a defect in one of them ends it, one for each, so that only that one fails."""
        try:
            results = await asyncio.to_thread(self._commit, batch)
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, StoreUnavailable) and len(batch) > 1:
                for entry in batch:
                    await self._write_batch([entry])
                return
            for entry in batch:
                if not entry.done.done():
                    entry.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for entry, result in zip(batch, results, strict=True):
                if not entry.done.done():
                    entry.done.set_result(result)

    def _commit(self, batch: Sequence[_Entry]) -> list[Any]:
        durable = any(entry.durable for entry in batch)
        with self._database.write(urgent=True, durable=durable) as session:
            return [entry.work(session) for entry in batch]
