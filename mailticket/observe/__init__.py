"""How the daemon shows what it does: log lines, heartbeats, systemd's notifications, counters.

A log line is one line whatever is in it, and it never shows what a mail or a setting contained: of an exception it
gives the kind and the places in the code, and its words only when they were written for a person.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from mailticket.errors import MailticketError

Format = Literal["text", "json", "journal"]

_LONGEST_VALUE = 1000
_FRAMES = 8
# Control characters, line separators and characters that reorder a line could forge another line or hide this one.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z0-9._:/@+<>-]+")
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


# --- log lines --------------------------------------------------------------------------------------------------------


def fields(**values: Any) -> dict[str, Any]:
    """Facts for a log line: ``log.info("mail taken in", extra=fields(mailbox="support", uid=7))``."""
    return {"fields": values}


def set_up_logging(level: str, form: Format, stream: TextIO | None = None) -> None:
    """Send our log to `stream` (standard error), one line an entry; libraries are heard from warnings on.

    Can be called again, at a reload. Uncaught exceptions of any thread are logged too.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter({"text": TextFormat(), "json": JsonFormat(), "journal": JournalFormat()}[form])
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mailticket").setLevel(level.upper())
    logging.captureWarnings(True)
    # A full disk or a closed terminal must not turn each log line into a traceback.
    logging.raiseExceptions = False
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback, args.thread)


def _uncaught(
    kind: type[BaseException],
    error: BaseException | None,
    trace: TracebackType | None,
    thread: threading.Thread | None = None,
) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    name = (thread or threading.current_thread()).name
    logging.getLogger("mailticket").critical(
        "uncaught exception", exc_info=(kind, error, trace), extra=fields(thread=name)
    )


class TextFormat(logging.Formatter):
    """``2026-11-22T10:00:00+00:00 INFO intake: mail taken in mailbox=support uid=7``"""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {_message(record)}"


class JournalFormat(logging.Formatter):
    """The same without the time, which the journal knows, and with the priority that it understands (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{_PRIORITIES.get(record.levelno, 5)}>{_message(record)}"


class JsonFormat(logging.Formatter):
    """One JSON object a line: at, level, logger, event, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"at": _time(record), "level": record.levelname.lower(), "logger": record.name}
        entry["event"] = one_line(record.getMessage())
        return json.dumps({**entry, **_facts(record)}, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    facts = [f"{key}={_quoted(value)}" for key, value in _facts(record).items()]
    return " ".join([f"{record.name.removeprefix('mailticket.')}: {one_line(record.getMessage())}", *facts])


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts = {key: _harmless(value) for key, value in getattr(record, "fields", {}).items()}
    if record.exc_info and record.exc_info[1] is not None:
        facts["error"] = described(record.exc_info[1])
    return facts


def _harmless(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return [one_line(str(part)) for part in value]
    return one_line(str(value))


def _quoted(value: Any) -> str:
    text = one_line(str(value))
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def one_line(text: str) -> str:
    """A text of any origin as a bounded piece of one line; what could act on a terminal or a log is escaped."""
    escaped = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text[:_LONGEST_VALUE])
    return escaped + ("…" if len(text) > _LONGEST_VALUE else "")


def described(error: BaseException) -> str:
    """An exception without what it may quote: its kind, the places in the code, and words only if they are ours."""
    words = ""
    if isinstance(error, MailticketError):
        words = f": {one_line(str(error))}"
    elif isinstance(error, OSError) and error.strerror:
        words = f": {one_line(error.strerror)}"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    because = f"; after {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__}{words}{because}" + (f" at {places}" if places else "")


def defect(error: BaseException) -> str:
    """A defect of ours in a few words for a person, without what the exception may quote."""
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" at {_short(frame.filename)}:{frame.lineno}" for frame in frames)
    return f"a defect of mailticket: {type(error).__name__}{place}; the log has the details"


def _short(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])


# --- heartbeats -------------------------------------------------------------------------------------------------------


class Heartbeats:
    """Which threads are alive: each says by when it will have been heard again. Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}

    def beat(self, name: str, within: float, now: float | None = None) -> None:
        """`name` is alive and will beat again within so many seconds."""
        with self._lock:
            self._due[name] = (time.monotonic() if now is None else now) + within

    def done(self, name: str) -> None:
        """`name` ended on purpose and is no longer expected."""
        with self._lock:
            self._due.pop(name, None)

    def late(self, now: float) -> dict[str, float]:
        """Who should have been heard, and for how many seconds they have been overdue."""
        with self._lock:
            return {name: now - due for name, due in self._due.items() if due < now}


# --- systemd ----------------------------------------------------------------------------------------------------------


class Notifier:
    """systemd's notification protocol (sd_notify(3)); without NOTIFY_SOCKET it does nothing.

    A notification that cannot be sent is dropped: the daemon works on, and a watchdog that hears nothing acts.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        # An abstract socket (Linux) is written with @ for the leading zero byte.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.watchdog_seconds = _watchdog_seconds(environ)

    def ready(self, status: str = "") -> None:
        """Start-up, or a reload, is complete."""
        self._send("READY=1", status)

    def status(self, status: str) -> None:
        self._send("", status)

    def reloading(self) -> None:
        """A reload begins; `ready` ends it, also when the old configuration stays."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> None:
        self._send("STOPPING=1", status)

    def alive(self) -> None:
        """Feed the watchdog; to be called only while everything makes progress."""
        self._send("WATCHDOG=1")

    def more_time(self, seconds: float) -> None:
        """Starting or stopping takes longer than the unit allows, by a known cause such as a migration."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def _send(self, state: str, status: str = "") -> None:
        if not self._address:
            return
        lines = [line for line in (state, f"STATUS={one_line(status)}" if status else "") if line]
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(1)
            channel.connect(self._address)
            channel.send("\n".join(lines).encode())


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """How often to feed the watchdog: at half its time (sd_watchdog_enabled(3)); None when there is none for us."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    for_another = environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid())
    if not microseconds.isdecimal() or int(microseconds) == 0 or for_another:
        return None
    return int(microseconds) / 2_000_000


# --- figures ----------------------------------------------------------------------------------------------------------


class Metrics:
    """Figures of one moment and their text for Prometheus, all gauges. A name is declared once, before use."""

    def __init__(self) -> None:
        self._meanings: dict[str, str] = {}
        self._values: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}

    def declare(self, name: str, meaning: str) -> None:
        """A gauge; `meaning` is one sentence."""
        self._meanings[name] = meaning
        self._values.setdefault(name, {})

    def set(self, name: str, value: float, **labels: str) -> None:
        self._values[name][tuple(sorted(labels.items()))] = value

    def text(self) -> str:
        """Prometheus' text exposition format, version 0.0.4."""
        lines = []
        for name, meaning in sorted(self._meanings.items()):
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value:.15g}" for labels, value in sorted(self._values[name].items())]
        return "\n".join(lines) + "\n"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    pairs = ",".join(f'{key}="{value.translate(escapes)}"' for key, value in labels)
    return f"{{{pairs}}}" if pairs else ""
