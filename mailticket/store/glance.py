"""What every mail wants to know and staff hardly ever change: asked of the database at most every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlmodel import Session

T = TypeVar("T")

ASKED_EVERY = timedelta(seconds=5)


class Glance(Generic[T]):
    """The answer to one question, as old as a few seconds: what another process writes is seen that much later."""

    def __init__(self, ask: Callable[[Session, datetime], T]) -> None:
        self._ask = ask
        self._answer: tuple[datetime, T] | None = None

    def at(self, session: Session, now: datetime) -> T:
        """The answer. A clock that was set back is no reason to trust an old one."""
        answer = self._answer
        if answer is None or not timedelta() <= now - answer[0] < ASKED_EVERY:
            answer = self._answer = (now, self._ask(session, now))
        return answer[1]

    def forget(self) -> None:
        """Ask anew next time: the answer was changed here."""
        self._answer = None
