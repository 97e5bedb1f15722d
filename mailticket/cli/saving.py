"""`mailticket ticket attachment`: files of messages, saved under cleaned names, never over another file."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path, PurePosixPath

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json
from mailticket.cli.counter import counter_of
from mailticket.desk.file_names import safe_name, split_name

# What runs when it is opened, on some system.
_PROGRAMS = re.compile(
    r"apk|app|bat|bin|cmd|com|command|cpl|desktop|dll|docm|exe|hta|html?|img|iso|jar|jnlp|jse?|lnk|msi|ps1|py|scr|sh|svg"
    r"|vb[es]|wsf|xlsm"
)


@click.command()
@click.argument("name", metavar="NUMBER|ID")
@click.option("--all", "everything", is_flag=True, help="All files of the ticket ID.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="A folder, or for one file its name; - is "
              "standard output. By default the working folder.")  # fmt: skip
@json_option
@config_option
@click.pass_context
def attachment(ctx: click.Context, name: str, everything: bool, target: Path | None, as_json: bool) -> None:
    """Save a file of a message by the number that `show` gives, or all of a ticket."""
    if everything == name.isdecimal():
        raise click.UsageError("give the number of one file, or the ID of a ticket with --all")
    with counter_of(ctx) as counter:
        for face in counter.rows("files", name=name):
            content = base64.b64decode(face["content"])
            if target is not None and str(target) == "-":
                sys.stdout.buffer.write(content)
                continue
            place = _save(content, safe_name(face["name"], face["type"], face["number"]), target, everything)
            warning = _warning(place.name)
            if as_json:
                print_json({"number": face["number"], "name": face["name"], "file": str(place), "size": len(content),
                            "warning": warning or None})  # fmt: skip
                continue
            click.echo(f"{terminal.line(face['name']) or 'without a name'}: {len(content)} bytes in {place}")
            if warning:
                click.echo(click.style(f"! {place.name}: {warning}", fg="yellow"), err=True)


def _warning(name: str) -> str:
    """What whoever opens a file should know; "" for nothing."""
    extension = PurePosixPath(name).suffix.lower().lstrip(".")
    return (
        f"a .{extension} file can run as a program: do not open it unless you know why it came"
        if _PROGRAMS.fullmatch(extension)
        else ""
    )


def _save(content: bytes, name: str, target: Path | None, everything: bool) -> Path:
    """Write a file that was not there before; returns where."""
    if target is not None and not everything and not target.is_dir() and not str(target).endswith("/"):
        return _written(target, content)
    folder = target or Path()
    folder.mkdir(parents=True, exist_ok=True)
    stem, extension = split_name(name)
    for again in range(1, 1000):
        place = folder / (name if again == 1 else f"{stem}-{again}{extension}")
        try:
            return _written(place, content)
        except click.UsageError:
            continue
    raise click.UsageError(f"{folder} holds a thousand files named like {name}; name another folder with --to")


def _written(place: Path, content: bytes) -> Path:
    try:
        with place.open("xb") as file:  # never over another file, nor through a link
            file.write(content)
    except FileExistsError:
        raise click.UsageError(f"{place} exists; name another with --to") from None
    return place
