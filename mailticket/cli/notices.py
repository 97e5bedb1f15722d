"""`mailticket notice`: what requesters should know now, set and ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import ROW_NUMBER, config_option, json_option, print_json, read_text
from mailticket.cli.counter import counter_of, one

_UNTIL = "2h, 3d, 18:00, 2026-11-28, '2026-11-28 18:00 Europe/Berlin'"


@click.group(cls=Group)
def notice() -> None:
    """What requesters should know now: it stands first in letters while it lasts."""


@notice.command("set")
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--category", "categories", multiple=True, metavar="NAME",
              help="Only in letters about this category (repeatable); else in all.")  # fmt: skip
@click.option("--until", metavar="WHEN", help=f"When it ends by itself: {_UNTIL}.")
@click.option("--language", default="", metavar="LANG", help="The language of TEXT, where it is not the support's.")
@click.option("--text", "texts", multiple=True, metavar="LANG=TEXT",
              help="The notice in a language (repeatable): --text zh-Hans='…'.")  # fmt: skip
@json_option
@config_option
@click.pass_context
def set_(
    ctx: click.Context, text: str | None, categories: tuple[str, ...], until: str | None, language: str,
    texts: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Let TEXT (or standard input) stand first in acknowledgements, duplicate notices and status answers.

    Markdown's paragraphs, lists, *emphasis* and [links](https://...) are known. A category need not be sure for its
    letters to show it. What staff write is left alone.
    """
    pairs = [_with_language(one) for one in texts]
    if text is not None or not pairs:
        pairs.append((language, read_text(None if text == "-" else text)))
    if len({name for name, _ in pairs}) < len(pairs):
        raise click.UsageError("the same language is there twice")
    if until is None and sys.stdin.isatty():
        until = click.prompt(f"Until when ({_UNTIL}; Enter: until `mailticket notice end`)", default="",
                             show_default=False, err=True)  # fmt: skip
    with counter_of(ctx) as counter:
        face = one(counter, "set_notice", texts=dict(pairs), categories=list(categories), until=until or "")
    if as_json:
        print_json(face)
    else:
        _say_set(face)


def _with_language(value: str) -> tuple[str, str]:
    language, equals, text = value.partition("=")
    if not equals or not language.strip():
        raise click.UsageError("--text is written LANG=TEXT, such as --text en='Withdrawals are delayed.'")
    return language.strip(), text


def _say_set(face: dict[str, Any]) -> None:
    end = f"until {_when(face['until'])}" if face["until"] else "until somebody ends it"
    click.echo(f"Notice {face['id']} stands first in letters about {_about(face)}, {end}.")
    if face["without"]:
        click.echo(f"It has no text for {', '.join(face['without'])}: letters in them show {face['otherwise']}.")
    click.echo(f"mailticket notice end {face['id']} ends it.")


def _about(face: dict[str, Any]) -> str:
    return ", ".join(face["categories"]) or "everything"


def _when(at: str) -> str:
    moment = datetime.fromisoformat(at)
    return f"{terminal.moment(moment)} ({terminal.ago(moment, datetime.now(UTC))})"


@notice.command("list")
@click.option("--all", "ended", is_flag=True, help="Those that have ended too.")
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, ended: bool, as_json: bool) -> None:
    """List the notices that letters show now, the newest first."""
    with counter_of(ctx) as counter:
        faces = list(counter.rows("list_notices", ended=ended))
    if as_json:
        for face in faces:
            print_json(face)
    elif faces:
        _print(faces)
    else:
        click.echo("No notice was ever set." if ended else "No notice: letters say what they always say.")


def _print(faces: Sequence[dict[str, Any]]) -> None:
    for face in faces:
        end = face["ended_at"] or face["until"]
        verb = "ended" if face["state"] != "lasts" else "until"
        words = f"{verb} {_when(end)}" if end else "no end"
        click.echo(
            f"{click.style(str(face['id']), bold=True)}  {_about(face)}; "
            + click.style(words, fg="red" if face["endless"] else None)
            + f"; set by {face['set_by']} {_when(face['set_at'])}"
        )
        for language, text in face["texts"].items():
            first, *more = terminal.clean(text).splitlines()
            click.echo(f"   {terminal.fit(language, 8)}{first}")
            for line in more:
                click.echo(f"           {line}".rstrip())


@notice.command()
@click.argument("number", type=ROW_NUMBER, metavar="ID")
@json_option
@config_option
@click.pass_context
def end(ctx: click.Context, number: int, as_json: bool) -> None:
    """End a notice: letters show it no more."""
    with counter_of(ctx) as counter:
        face = one(counter, "end_notice", number=number)
    if as_json:
        print_json(face)
    else:
        click.echo(f"Notice {number} about {_about(face)} has ended.")
