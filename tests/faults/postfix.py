"""Postfix's smtp-sink as a second, independent SMTP server; it refuses, drops or stalls by its options."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.servers.machine import Unprivileged, answers, end, free_port, program, until

_FOLDERS = ("/usr/sbin", "/usr/lib/postfix/sbin")


class PostfixSink:
    """One smtp-sink with the given options (smtp-sink(1)), which keeps each mail as a file."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self._runner = Unprivileged()
        self._folder = self._runner.folder("mailticket-smtp-sink-")
        sink = program("smtp-sink", *_FOLDERS)
        assert sink is not None
        where = ["-d", f"{self._folder}/%M.", "-h", "sink.example", *options, f"127.0.0.1:{self.port}", "100"]
        self._process: subprocess.Popen[bytes] = self._runner.start([sink, *where], self._folder / "log")
        until(lambda: answers(self.port, b"220"), "smtp-sink's greeting")

    @staticmethod
    def available() -> bool:
        return program("smtp-sink", *_FOLDERS) is not None

    def __enter__(self) -> PostfixSink:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)
        for file in self._files():
            file.unlink()
        (self._folder / "log").unlink()
        self._folder.rmdir()

    def times_told(self) -> int:
        """How many mails it was given, whatever it said to them."""
        return len(self._files())

    def _files(self) -> list[Path]:
        return [Path(entry.path) for entry in os.scandir(self._folder) if entry.name != "log"]
