"""`mailticket ticket reply`: the answer from an option, standard input or an editor; its files; what became of it."""

from __future__ import annotations

import base64
import mimetypes
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import ROW_NUMBER, config_option, json_option, print_json, read_text
from mailticket.cli.counter import Counter, counter_of, one
from mailticket.errors import MailticketError

_FOUND_WRONG = 1
MARKER = "──── ✂ ──── Write above this line. Nothing from here on is sent. ────"
_REMEDIES = {
    "collision": "read it, then --seen N or --anyway",
    "assigned": "`mailticket ticket take ID` makes it yours",
}


@click.command()
@click.argument("name", metavar="ID")
@click.option("--text", help="The answer; without it an editor on a terminal ($VISUAL, $EDITOR), else standard input.")
@click.option("--as", "signs", metavar="NAME", help="Who signs; by default as [[staff]] says.")
@click.option("--attach", "attached", multiple=True, metavar="FILE", help="A file to go with it (repeatable).",
              type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("--cc", "copies", multiple=True, metavar="ADDRESS", help="Who else gets it, and may write to the ticket.")
@click.option("--canned", default="", metavar="NAME", help="A ready answer that comes first.")
@click.option("--then", type=click.Choice(("pending", "open", "solved")), default="pending", show_default=True,
              help="The ticket's state after it.")  # fmt: skip
@click.option(
    "--seen", type=ROW_NUMBER, metavar="N", help="The newest message that you have read, by its number in `show`."
)
@click.option("--anyway", is_flag=True, help="Send it whatever is in the way; the history notes it.")
@json_option
@config_option
@click.pass_context
def reply(
    ctx: click.Context, /, name: str, text: str | None, attached: Sequence[Path], as_json: bool, **wish: Any
) -> int:
    """Answer the requester. The ticket becomes pending.

    What is in the way holds the answer: a colleague's answer that you have not seen, a colleague's ticket, an address
    of staff, another ticket's ID, words of a note, a secret, an address whose mail bounces. Exit code 1 then.
    """
    files = [_file(path) for path in attached]
    wish["copies"] = list(wish["copies"])
    with counter_of(ctx) as counter:
        if text is None and sys.stdin.isatty():
            text, wish["seen"] = _written(counter, name, wish["canned"], wish["seen"])
            if not text and not wish["canned"]:
                click.echo("Nothing was written, nothing was sent.")
                return 0
        else:
            text = read_text(text if text is not None or not wish["canned"] else "")
        if sys.stdout.isatty() and not as_json:
            _show_recipients(one(counter, "recipients", name=name), wish["copies"])
        with _kept(text):
            face = one(counter, "reply", name=name, text=text, files=files, **wish)
    return print_answered(face, as_json=as_json, text=text)


def _file(path: Path) -> dict[str, str]:
    kind, encoding = mimetypes.guess_type(path.name)
    return {
        "name": path.name,
        "type": kind if kind and not encoding else "application/octet-stream",
        "content": base64.b64encode(path.read_bytes()).decode("ascii"),
    }


def _show_recipients(face: dict[str, Any], copies: Sequence[str]) -> None:
    everybody = dict.fromkeys((*face["cc"], *copies))
    also = f"  Cc: {', '.join(map(terminal.line, everybody))}" if everybody else ""
    click.echo(f"To: {terminal.line(face['to'])}{also}")


def _written(counter: Counter, name: str, canned: str, seen: int | None) -> tuple[str, int | None]:
    """What a person writes in the editor above the conversation, and the newest message that stands below."""
    details = one(counter, "show", name=name)
    to = one(counter, "recipients", name=name)
    sheet = click.edit(_sheet(details, to, canned), extension=".txt")
    if sheet is None:
        return "", seen
    above, marker, _ = sheet.partition(MARKER)
    if not marker:
        raise click.ClickException(
            f"the line with ✂ is gone, so nothing was sent; what you wrote is in {_saved(sheet)}"
        )
    newest = max((entry["number"] for entry in details["conversation"]), default=None)
    return above.strip(), seen if seen is not None else newest


def _sheet(details: dict[str, Any], to: dict[str, Any], canned: str) -> str:
    """The page of the editor: room for the answer, then the conversation, the newest first."""
    lines = ["", "", MARKER, f"To: {to['to']}", *([f"Cc: {', '.join(to['cc'])}"] if to["cc"] else [])]
    if canned:
        lines.append(f"The ready answer {canned!r} goes before what you write.")
    lines += [f"{details['id']}  {details['status']}, {details['priority']}  {details['subject']}"]
    for entry in reversed(details["conversation"]):
        who = entry["from"] if entry["direction"] != "out" else f"{entry['by'] or entry['kind']} to {entry['to']}"
        lines += ["", f"#{entry['number']}  {terminal.moment(entry['at'])}  {entry['kind']}  {who}", entry["new_text"]]
        lines += [f"[{file['name']}, {file['size']} bytes]" for file in entry["attachments"]]
    return terminal.clean("\n".join(lines)) + "\n"


def _saved(text: str) -> str:
    """The name of a file of this person's own that keeps a text."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="mailticket-answer-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return file.name


@contextmanager
def _kept(text: str) -> Iterator[None]:
    """What a person wrote survives an answer that could not be given."""
    try:
        yield
    except MailticketError:
        if text and sys.stdin.isatty():
            click.echo(f"What you wrote is in {_saved(text)}", err=True)
        raise


def print_answered(face: dict[str, Any], *, as_json: bool, text: str = "") -> int:
    """Say what became of an answer; returns the exit code."""
    if as_json:
        print_json({name: value for name, value in face.items() if name not in ("to", "cc")})
        return _FOUND_WRONG if face["held"] else 0
    if face["held"]:
        _print_held(face, text)
        return _FOUND_WRONG
    also = f", Cc {', '.join(face['cc'])}" if face["cc"] else ""
    words = f"{face['id']}: the answer to {face['to']}{also} is in the outbox as number {face['outgoing']}."
    click.echo(terminal.wrapped(words, others="  "))
    if face["warning"]:
        click.echo(click.style(f"! {terminal.line(face['warning'])}", fg="yellow"), err=True)
    if face["new_since"]:
        click.echo(click.style("! The requester has written meanwhile, so the ticket stays open:", fg="yellow"))
        for entry in face["new_since"]:
            click.echo(f"  #{entry['number']}  {terminal.moment(entry['at'])}")
            click.echo(terminal.clean(entry["text"]).rstrip())
    return 0


def _print_held(face: dict[str, Any], text: str) -> None:
    from mailticket.triage.guard import LOOKED_AT

    held = face["held"]
    click.echo(click.style(f"{face['id']}: nothing was sent.", fg="red", bold=True), err=True)
    for reason, words in zip(held["reasons"], held["texts"], strict=False):
        remedy = f" ({_REMEDIES[reason].replace('ID', face['id'])})" if reason in _REMEDIES else ""
        click.echo(terminal.wrapped(f"  - {terminal.line(words)}{remedy}", others="    "), err=True)
    for answer in held["answers"]:
        terminal.heading(f"{answer['by']}, {terminal.moment(answer['at'])}")
        click.echo(f"{terminal.wrapped(terminal.clean(answer['text']).rstrip())}\n")
    if held["number"] is not None:
        anyway = "" if set(held["reasons"]) <= set(LOOKED_AT) else " --anyway"
        send, drop = (f"mailticket ticket {word} {held['number']}" for word in ("send", "drop"))
        width = len(send + anyway)
        click.echo(f"It is held as {held['number']}:\n  {send + anyway}  sends it all the same", err=True)
        click.echo(f"  {drop:<{width}}  throws it away", err=True)
    elif text and sys.stdin.isatty():
        click.echo(f"It was not kept here; what you wrote is in {_saved(text)}. --anyway sends it.", err=True)
    else:
        click.echo("It was not kept; --anyway sends it.", err=True)
