"""A second process that prepares mails while this one writes: one interpreter uses one processor at a time.

It holds no database, no connection and no file, only the mails that it is sent. It is started when a backlog is seen,
prepares a batch at a time, and ends by itself when nothing comes for a while or when its owner is gone. Whoever lends
it must be ready to do without: it may not be there yet, be lent to another, or die of a mail.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

from mailticket.intake.prepare import Batches, Failure, Prepared, RawMail, prepare_all
from mailticket.triage.brief import Brief

log = logging.getLogger("mailticket.intake.preparer")

_OWN, _BATCH = 4, 10  # mails of a chunk that are prepared here while the second process begins; those it has at a time
_PATIENCE = 60.0  # seconds for one batch
_FAREWELL = 5.0  # seconds that a borrower has to give it back
_IDLE_SECONDS = 20.0


class PreparerLost(Exception):
    """The second process died or was silent for too long; what it had in hand is not prepared."""


@dataclass
class _Process:
    """A started process and the brief that it was given."""

    popen: subprocess.Popen[bytes]
    brief: Brief
    ready: bool = False

    @property
    def pipes(self) -> tuple[BinaryIO, BinaryIO]:
        """What it reads and what it writes."""
        assert self.popen.stdin is not None and self.popen.stdout is not None
        return self.popen.stdin, self.popen.stdout  # type: ignore[return-value]

    def is_heard(self, seconds: float) -> bool:
        """Whether a batch, or the end of all batches, is there within so many seconds."""
        return _is_readable(self.pipes[1], seconds)


class Preparer:
    """One second process for all who take mails in, lent to one of them at a time. Its methods may be called by all.

    patience: the seconds that a batch may take. idle_seconds: after which the process ends by itself.
    """

    def __init__(self, patience: float = _PATIENCE, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._patience = patience
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._useful = len(os.sched_getaffinity(0)) > 1

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.popen.pid if process else None

    def wanted(self, brief: Brief) -> None:
        """Much is to be prepared: start the process, without waiting for it, if it is not there."""
        if not self._useful or not self._lock.acquire(blocking=False):
            return
        try:
            self._forget_if_ended()
            if self._process is not None and self._process.brief is not brief:
                self._end()
            if self._process is None:
                self._start(brief)
        finally:
            self._lock.release()

    def prepared(self, mails: Sequence[RawMail], brief: Brief) -> Batches:
        """All mails prepared, in their order and in batches: while the caller works on one, the next is prepared.

        What the second process had in hand when it was lost are failures that say so. To be closed when it is left
        early.
        """
        with self.lent(brief) as loan:
            if loan is None or len(mails) <= _OWN:
                yield prepare_all(mails, brief)
                return
            batches = [mails[start : start + _BATCH] for start in range(_OWN, len(mails), _BATCH)]
            turns = loan.by_turns(batches)
            yield prepare_all(mails[:_OWN], brief)  # instead of waiting for the first batch
            for number, batch in enumerate(batches, 1):
                try:
                    preparations = next(turns)
                except PreparerLost as lost:
                    yield [Failure(f"the second process was lost: {lost}")] * len(batch)
                    yield prepare_all([mail for later in batches[number:] for mail in later], brief)
                    return
                yield preparations

    @contextmanager
    def lent(self, brief: Brief) -> Iterator[Loan | None]:
        """The process for a chunk of mails, or None when there is none that could help at once."""
        loan = self._borrow(brief)
        if loan is None:
            yield None
            return
        try:
            yield loan
            if loan.owes:  # its batch would be taken for the next one
                self._end()
        except BaseException:
            self._end()
            raise
        finally:
            self._lock.release()

    def _borrow(self, brief: Brief) -> Loan | None:
        """The loan, with the lock held for as long as it lasts; None without the lock."""
        if not self._lock.acquire(blocking=False):
            return None
        loan = None
        try:
            self._forget_if_ended()
            if self._process is not None and self._is_ready(brief):
                loan = Loan(self._process, self._patience)
        finally:
            if loan is None:
                self._lock.release()
        return loan

    def tidy(self) -> None:
        """Notice that the process has ended by itself."""
        if self._lock.acquire(blocking=False):
            try:
                self._forget_if_ended()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the process, whatever it is doing; whoever has it on loan is told that it is lost."""
        process = self._process
        if process is not None:
            process.popen.kill()
        if self._lock.acquire(timeout=_FAREWELL):
            try:
                self._end()
            finally:
                self._lock.release()

    def _start(self, brief: Brief) -> None:
        command = [sys.executable, "-m", "mailticket.intake.preparer", str(self._idle_seconds)]
        try:
            popen = subprocess.Popen(  # noqa: S603 - our own interpreter
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            log.warning("mails are prepared without a second process: %s", error)
            self._useful = False
            return
        self._process = _Process(popen, brief)
        try:
            _send(self._process.pipes[0], brief)
        except OSError:
            self._end()

    def _is_ready(self, brief: Brief) -> bool:
        process = self._process
        if process is None or process.brief is not brief:
            return False
        if not process.ready and process.is_heard(0):
            try:
                process.ready = pickle.load(process.pipes[1]) == "ready"  # noqa: S301 - from our own process
            except (EOFError, OSError, pickle.UnpicklingError):
                log.warning("the second process did not start; mails are prepared without it")
                self._useful = False
                self._end()
                return False
            log.info("a second process helps with the backlog")
        return process.ready

    def _forget_if_ended(self) -> None:
        if self._process is not None and self._process.popen.poll() is not None:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.popen.kill()
        process.popen.wait()
        for pipe in process.pipes:
            with suppress(OSError):  # what was still to be written goes nowhere
                pipe.close()


class Loan:
    """The second process as one borrower sees it."""

    def __init__(self, process: _Process, patience: float) -> None:
        self._process = process
        self._patience = patience
        self.owes = False

    def by_turns(self, batches: Sequence[Sequence[RawMail]]) -> Iterator[list[Prepared | Failure]]:
        """Each batch prepared, in order. The first is begun now; while the caller works on one, the next is.

        Raises PreparerLost when a batch is asked for; it is the one that was in hand.
        """
        self._give(batches[0])
        return self._turns(batches[1:])

    def _turns(self, later: Sequence[Sequence[RawMail]]) -> Iterator[list[Prepared | Failure]]:
        for following in [*later, ()]:
            preparations = self._take()
            if following:
                self._give(following)
            yield preparations

    def _give(self, batch: Sequence[RawMail]) -> None:
        self.owes = True
        with suppress(OSError):  # it is gone, which taking its batch shows
            _send(self._process.pipes[0], list(batch))

    def _take(self) -> list[Prepared | Failure]:
        if not self._process.is_heard(self._patience):
            raise PreparerLost(f"nothing came for {self._patience:.0f} s")
        try:
            pipe = self._process.pipes[1]
            preparations: list[Prepared | Failure] = pickle.load(pipe)  # noqa: S301 - from our own process
        except (EOFError, OSError, pickle.UnpicklingError):
            raise PreparerLost("it ended") from None
        self.owes = False
        return preparations


def _is_readable(pipe: BinaryIO, seconds: float) -> bool:
    """Nothing may be left in the buffer above the pipe, which holds while a batch there and a batch back take turns."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _send(pipe: BinaryIO, value: object) -> None:
    pickle.dump(value, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()


# --- the second process itself ----------------------------------------------------------------------------------------


def main(idle_seconds: float) -> None:
    """Prepare what comes on standard input until it ends or nothing comes for so long."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # its owner decides when it ends
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    brief: Brief = pickle.load(source)  # noqa: S301 - from our owner
    _send(sink, "ready")
    while _is_readable(source, idle_seconds):
        try:
            batch: list[RawMail] = pickle.load(source)  # noqa: S301 - from our owner
        except EOFError:
            return
        _send(sink, prepare_all(batch, brief))


if __name__ == "__main__":
    main(float(sys.argv[1]))
