"""Runs every command of the program in one process after the other, forked from this one, and prints how each ended.

`python -m tests.cli.matrix CONDITION`, in a folder with a site: one JSON line a command. The condition is what is wrong
with the machine: see `CONDITIONS`. A fork spares the start of the interpreter, which would take most of the time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import mailticket
from mailticket import cli
from mailticket.cli import root
from mailticket.site import shipped_letters
from mailticket.topics.categories import classifier_of

PATIENCE = 60.0
_LEFT_OUT = ("demo",)  # servers of its own and half a minute; it has its own tests
_WHOLE: dict[str, list[str]] = {  # commands whose arguments no name tells, or that must not be let loose
    "setup": ["--dry-run"],
    "run": ["--once"],
    "oauth2 login": ["support"],
    "reload": ["4190000", "--patience", "0.1"],
    "init": ["fresh"],
    "mail take-up": ["support"],
    "mail why": ["one@example.org"],
    "mail explain": ["one.eml", "--all"],
    "mail ingest": ["one.eml"],
    "promise replay": ["history.jsonl"],
    "outbox send": ["--withheld"],
    "migrate-database": ["sqlite:///moved.db"],
    "person show": ["ann@example.org"],
    "person export": ["ann@example.org", "ann.zip"],
    "person forget": ["nobody@example.org", "--yes"],
    "notice set": ["--category", "deposit", "--until", "2h", "充值延迟。"],
}

_OPTIONS = {
    "ticket attachment": ["--all", "--to", "-"],
    "ticket set": ["--priority", "high"],
    "ticket hold": ["--reason", "a lawsuit"],
}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def arguments(path: tuple[str, ...], command: click.Command, keys: list[str]) -> list[str]:
    """Words that make sense for a command: by the names of its arguments."""
    name = " ".join(path)
    if name in _WHOLE:
        return _WHOLE[name]
    words = {"name": keys[0], "names": keys[0], "into": keys[-1], "template": "acknowledgement",
             "address": "ann@example.org", "other": "bob@example.org", "to": "王芳"}  # fmt: skip
    values = list(_OPTIONS.get(name, ()))
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            values.append(
                "1" if isinstance(parameter.type, click.types.IntParamType) else words.get(parameter.name or "", "x")
            )
    if any(parameter.name == "text" for parameter in command.params):
        values += ["--text", "您好，我们正在处理。"]
    return values


def _null() -> None:
    pass


def _full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def _pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)


def _gone() -> None:
    place = tempfile.mkdtemp()
    os.chdir(place)
    Path(place).rmdir()


def _stranger() -> None:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def _closed() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment] # as Python does for closed descriptors


CONDITIONS: dict[str, Callable[[], None]] = {
    "fine": _null,
    "narrow terminal": _null,  # the caller sets the encoding
    "damaged database": _null,  # the caller writes the file
    "folder for database": _null,
    "folder for configuration": _null,
    "full output": _full,
    "closed pipe": _pipe,
    "gone folder": _gone,
    "stranger": _stranger,
    "closed streams": _closed,
}


def call(words: list[str], prepare: Callable[[], None], out: Path, err: Path) -> int:
    """Run the program with these words in a child; returns its exit code, or -1 when it had to be killed."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            prepare()
            try:
                cli.main(words)
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 0
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except BaseException as error:
            os.write(2, f"Traceback: {error!r}".encode())
        finally:
            os._exit(code)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -1


def preload() -> None:
    """All modules and the letters, so that no child has to load them."""
    for module in pkgutil.walk_packages(mailticket.__path__, "mailticket."):
        if not module.name.startswith(("mailticket.demo", "mailticket.__main__", "mailticket.store.migrations")):
            importlib.import_module(module.name)
    shipped_letters()
    classifier_of(())  # compiles its patterns, which Python then keeps
    gc.freeze()


def main() -> None:
    condition, *keys = sys.argv[1:]
    preload()
    config = str(Path("mailticket.toml").absolute())
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        for path, command in leaves(root):
            if path[0] in _LEFT_OUT:
                continue
            words = [*path, *arguments(path, command, keys)]
            named = any(parameter.name == "config" or "--config" in parameter.opts for parameter in command.params)
            code = call([*words, *(["--config", config] if named else [])], CONDITIONS[condition], out, err)
            text = out.read_bytes().decode("utf-8", "replace")
            line = {"words": words, "code": code, "out": text[:4000], "err": err.read_text(errors="replace")[:4000]}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
