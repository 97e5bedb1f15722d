"""A reload that is answered: whoever asks hears what the daemon made of it, and of nobody else's reload."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from mailticket.errors import Refused, WorldError
from mailticket.service import reload
from mailticket.service.daemon import Daemon
from mailticket.service.reload import Reloaded
from mailticket.settings import Settings

Hear = Callable[[Callable[[str], None]], None]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"RUNTIME_DIRECTORY": str(tmp_path)}


@pytest.fixture
def on_signal(environ: dict[str, str]) -> Iterator[Hear]:
    """Says what is done, in place of a daemon, with the mark of who asks when SIGHUP comes."""
    before = signal.getsignal(signal.SIGHUP)

    def hear(act: Callable[[str], None]) -> None:
        signal.signal(signal.SIGHUP, lambda *_: act(reload.asked(environ)))

    yield hear
    signal.signal(signal.SIGHUP, before)


def test_a_signal_at_any_line_of_the_main_thread_s_wait_is_heard_and_holds_nothing_up() -> None:
    """Its handler runs inside that wait: a lock that the wait holds would never be free again."""
    settings = Settings.model_validate({"support": {"address": "a@example.com"}, "smtp": {"host": "127.0.0.1"}})
    daemon = Daemon(lambda: settings)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    lines = 0

    def interrupt(_frame: FrameType, event: str, _more: object) -> Callable[..., Any]:
        nonlocal lines
        if event == "line":
            lines += 1
            signal.raise_signal(signal.SIGHUP)
        return interrupt

    daemon.handle_signals()
    sys.settrace(interrupt)
    try:
        heard = daemon._wait(0.01) | daemon._wait(0.01)
    finally:
        sys.settrace(None)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert lines > 5
    assert heard == {"reload"}


@pytest.mark.parametrize("result", [Reloaded(), Reloaded(problems=["line 3: no"]), Reloaded(notes=["at a restart"])])
def test_what_is_heard_is_what_the_daemon_said(environ: dict[str, str], on_signal: Hear, result: Reloaded) -> None:
    on_signal(lambda mark: reload.tell(result, mark, environ))
    heard = reload.ask(os.getpid(), environ, patience=10)
    assert (list(heard.problems), list(heard.notes)) == (list(result.problems), list(result.notes))


def test_the_result_of_an_earlier_reload_is_none_of_this(environ: dict[str, str], on_signal: Hear) -> None:
    reload.tell(Reloaded(), "an earlier mark", environ)
    on_signal(lambda mark: None)
    with pytest.raises(WorldError, match="did not say"):
        reload.ask(os.getpid(), environ, patience=0.2)


def test_a_daemon_that_nobody_asked_writes_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    reload.tell(Reloaded(), reload.asked(environ), environ)
    assert list(tmp_path.iterdir()) == []


def test_outside_the_unit_there_is_nobody_to_ask() -> None:
    with pytest.raises(Refused, match="systemctl reload"):
        reload.ask(os.getpid(), {}, patience=1)
