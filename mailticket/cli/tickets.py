"""`mailticket ticket`: list, show, answer and tidy tickets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from mailticket.cli import Group, answering, saving, terminal
from mailticket.cli.common import ROW_NUMBER, config_option, json_option, limit_option, print_json, read_text
from mailticket.cli.counter import Face, counter_of, one
from mailticket.cli.ticket_view import print_ticket

_HEAD = ("TICKET", "BRAND", "STATUS", "PRIORITY", "CATEGORY", "REQUESTER", "OPENED", "WAITS FOR", "PROMISED",
         "ASSIGNED", "TEAM", "HELD", "DUPLICATE OF", "SUBJECT")  # fmt: skip
STATUSES = ("new", "open", "pending", "solved", "closed")
PRIORITIES = ("urgent", "high", "normal", "low")
_FOUND_WRONG = 1
_LIKE_AN_ID = re.compile(r"[A-Za-z0-9]{1,8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}")


@click.group(cls=Group)
def ticket() -> None:
    """List, show, answer and tidy tickets."""


ticket.add_command(answering.reply)
ticket.add_command(saving.attachment)
_ids = click.argument("names", metavar="ID...", nargs=-1, required=True)


def _since(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    if value[:-1].isdigit() and value[-1:] in "hd":
        return datetime.now(UTC) - timedelta(**{{"h": "hours", "d": "days"}[value[-1]]: int(value[:-1])})
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write 2026-11-22, 2026-11-22T10:00+01:00, 12h or 7d") from None
    return at if at.tzinfo else at.astimezone()  # as the times on our screens


def _words(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from mailticket.text.terms import sought_terms

    if not all(sought_terms([value]) for value in values):
        raise click.BadParameter("there is no letter and no digit in it; write a word that stands in the ticket")
    return values


@ticket.command("list")
@click.option("--mine", is_flag=True, help="Only yours.")
@click.option("--assigned", metavar="NAME", help="Only this person's; none for nobody's.")
@click.option("--team", default="", metavar="TEAM", help="Only of this team.")
@click.option("--brand", default="", metavar="NAME", help="Only under this name of a [[brand]]; support for [support].")
@click.option("--waiting", type=click.Choice(("us", "them")), help="Only what waits for us, in the order "
              "of the queue, or for its requester.")  # fmt: skip
@click.option("--held", is_flag=True, help="Only with answers that are held.")
@click.option("--held-by-law", is_flag=True, help="Only what may not be erased, whatever its state.")
@click.option("--spam", is_flag=True, help="Only what the site's filter holds for spam.")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only these states (repeatable).")
@click.option("--category", default="", help="Only this category.")
@click.option("--requester", default="", metavar="ADDRESS", help="Only of this person, whatever their state.")
@click.option("--duplicates", is_flag=True, help="Only those flagged as duplicates, whatever their state.")
@click.option("--merged", is_flag=True, help="Merged ones too, whatever their state.")
@click.option("--search", multiple=True, callback=_words, metavar="WORDS", help="Only with all these words, wherever "
              "they stand in the ticket and whatever its state (repeatable).")  # fmt: skip
@click.option("--since", callback=_since, metavar="WHEN", help="Opened since: a date, a time, 12h, 7d.")
@click.option("--all", "everything", is_flag=True, help="Solved and closed ones too.")
@click.option("--sort", type=click.Choice(("promise", "waiting", "updated")), help="By the end of the "
              "promise, by who waits longest, by the newest change.")  # fmt: skip
@limit_option
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, /, as_json: bool, **criteria: Any) -> None:
    """List tickets that are not at their end, newest first; with --waiting us the queue, its first one first."""
    criteria["status"], criteria["search"] = list(criteria["status"]), list(criteria["search"])
    criteria["waiting"], criteria["sort"] = criteria["waiting"] or "", criteria["sort"] or ""
    with counter_of(ctx) as counter:
        faces = counter.rows("list", **criteria)
        if as_json:
            for face in faces:
                print_json(face)
            return
        print_tickets(faces)


def print_tickets(faces: Iterable[Face]) -> None:
    """Tickets as a table; below it those that the site's filter holds for spam."""
    rows, now = list(faces), datetime.now(UTC)
    under_names = any(face["brand"] for face in rows)
    if not rows:
        click.echo("No tickets.")
    for heading, spam in (("", False), ("Spam, as the site's filter says", True)):
        lines = [_cells(face, now, under_names) for face in rows if face["spam"] == spam]
        if lines and heading:
            terminal.heading(heading)
        if lines:
            terminal.table(
                _HEAD, lines, spare=("OPENED", "CATEGORY", "TEAM", "PRIORITY", "DUPLICATE OF", "STATUS", "BRAND")
            )


def _cells(face: Face, now: datetime, under_names: bool) -> tuple[object, ...]:
    promised = face["promised_by"] if not face["first_response_at"] else None
    return (
        face["id"], (face["brand"] or "support") if under_names else "", face["status"], face["priority"],
        face["category"], face["requester"] or "",
        _ago(face["created_at"], now), _wait(face, now), _ago(promised, now), face["assigned_to"] or "",
        face["team"] or "", face["held"] or "", face["duplicate_of"] or "", face["subject"],
    )  # fmt: skip


def _ago(at: str | None, now: datetime) -> str:
    return terminal.ago(datetime.fromisoformat(at), now) if at else ""


def _wait(face: Face, now: datetime) -> str:
    """For whom a ticket waits, and for us since when."""
    if face["waiting_for"] != "us":
        return str(face["waiting_for"]).replace("nobody", "")
    return f"us, {_ago(face['waiting_since'], now).removesuffix(' ago')}"


@ticket.command("show")
@click.argument("name", metavar="ID")
@click.option("--all", "--full", "full", is_flag=True, help="Whole texts, with quoted history and signatures.")
@click.option("--unmask", is_flag=True, help="Texts without the masks of doubtful secrets; the history notes it.")
@json_option
@config_option
@click.pass_context
def show_(ctx: click.Context, name: str, full: bool, unmask: bool, as_json: bool) -> None:
    """Show a ticket with its whole conversation and history."""
    with counter_of(ctx) as counter:
        details = one(counter, "show_unmasked" if unmask else "show", name=name)
    if as_json:
        print_json(details)
        return
    print_ticket(details, full=full)


@ticket.command("next")
@click.option("--team", default="", metavar="TEAM", help="Of this team; by default of those that you are in.")
@click.option("--take", is_flag=True, help="Take it; two who ask at once get two tickets.")
@json_option
@config_option
@click.pass_context
def next_(ctx: click.Context, team: str, take: bool, as_json: bool) -> None:
    """Show the first ticket of the queue that is nobody's or yours; with --take the first that is nobody's."""
    with counter_of(ctx) as counter:
        face = one(counter, "take_next" if take else "next", team=team)
        if as_json:
            print_json(face)
            return
        if face["id"] is None:
            click.echo("Nothing waits.")
            return
        print_ticket(one(counter, "show", name=face["id"]), full=False)
    if take:
        click.echo(click.style(f"{face['id']} is yours now.", fg="green"))


@ticket.command()
@_ids
@json_option
@config_option
@click.pass_context
def take(ctx: click.Context, names: Sequence[str], as_json: bool) -> int:
    """Make tickets yours."""
    return _each(ctx, "take", as_json, _assigned, names=list(names))


@ticket.command()
@click.argument("to", metavar="NAME")
@_ids
@json_option
@config_option
@click.pass_context
def assign(ctx: click.Context, to: str, names: Sequence[str], as_json: bool) -> int:
    """Give tickets to somebody ("" puts them back)."""
    if len(names) == 1 and _LIKE_AN_ID.fullmatch(to) and not _LIKE_AN_ID.fullmatch(names[0]):
        to, names = names[0], (to,)  # the order of `participant` and the others is understood too
    return _each(ctx, "assign", as_json, _assigned, names=list(names), to=to)


def _assigned(face: Face) -> str:
    to, before = face["assigned_to"], face["before"]
    was = f" (it was {before}'s)" if before and before != to else ""
    return f"{face['id']} is {terminal.line(to or 'nobody')}'s{was}."


@ticket.command("set")
@_ids
@click.option("--category", help="What it is about.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="How pressing it is.")
@click.option("--team", help='Who serves it; "" for none. It then stays when the category changes.')
@click.option("--subject", help="Its subject.")
@json_option
@config_option
@click.pass_context
def set_(ctx: click.Context, /, names: Sequence[str], as_json: bool, **wanted: Any) -> int:
    """Say anew what tickets are about. A promise that becomes shorter is told, and none becomes longer."""
    if all(value is None for value in wanted.values()):
        raise click.UsageError("say what to set: --category, --priority, --team or --subject")
    for name in ("category", "subject"):
        if wanted[name] is not None and not wanted[name].strip():
            raise click.UsageError(f"--{name} is empty")
    values = {name: value for name, value in wanted.items() if value is not None}
    return _each(ctx, "change", as_json, _changed, names=list(names), **values)


def _changed(face: Face) -> str:
    changes = "; ".join(face["changes"]) or "nothing new"
    told = f"; an answer is promised by {terminal.moment(face['promised_by'])} now" if face["promised_by"] else ""
    return f"{face['id']}: {terminal.line(changes)}{told}."


@ticket.command()
@click.argument("name", metavar="ID")
@click.option("--text", help="The note; without it, standard input.")
@json_option
@config_option
@click.pass_context
def note(ctx: click.Context, name: str, text: str | None, as_json: bool) -> None:
    """Keep a note that only staff see."""
    _one(ctx, "note", as_json, lambda face: f"{face['id']}: noted.", name=name, text=read_text(text))


@ticket.command()
@_ids
@click.option("--notify", is_flag=True, help="Tell the requesters.")
@json_option
@config_option
@click.pass_context
def close(ctx: click.Context, names: Sequence[str], notify: bool, as_json: bool) -> int:
    """Close tickets."""
    return _each(ctx, "close", as_json, lambda face: f"{face['id']} is closed.", names=list(names), notify=notify)


@ticket.command()
@_ids
@click.option("--notify", is_flag=True, help="Tell the requesters.")
@json_option
@config_option
@click.pass_context
def solve(ctx: click.Context, names: Sequence[str], notify: bool, as_json: bool) -> int:
    """Say that tickets are done; they close by themselves unless their requesters write again."""
    return _each(ctx, "solve", as_json, lambda face: f"{face['id']} is solved.", names=list(names), notify=notify)


@ticket.command()
@_ids
@json_option
@config_option
@click.pass_context
def reopen(ctx: click.Context, names: Sequence[str], as_json: bool) -> int:
    """Open tickets again."""
    return _each(ctx, "reopen", as_json, lambda face: f"{face['id']} is open.", names=list(names))


@ticket.command()
@_ids
@click.option("--reason", default="", metavar="TEXT", help="Why the law has us keep it.")
@click.option("--lift", is_flag=True, help="Let it be erased at its time again.")
@json_option
@config_option
@click.pass_context
def hold(ctx: click.Context, names: Sequence[str], reason: str, lift: bool, as_json: bool) -> int:
    """Keep tickets from being erased, by [retention] and by `person forget` (legal hold)."""
    if lift == bool(reason):
        raise click.UsageError("say why with --reason TEXT, or end it with --lift")
    words = "{id} may be erased at its time again." if lift else "{id} is held by law: nothing of it is erased."
    return _each(ctx, "hold", as_json, lambda face: words.format(**face), names=list(names), reason=reason, lift=lift)


@ticket.command()
@click.argument("name", metavar="A")
@click.argument("into", metavar="B")
@click.option("--anyway", is_flag=True, help="Also when they are two people's; answers go to B's only.")
@json_option
@config_option
@click.pass_context
def merge(ctx: click.Context, name: str, into: str, anyway: bool, as_json: bool) -> None:
    """Move the messages of A into B; later replies to A follow."""
    words = "{id} is merged into {into}."
    _one(ctx, "merge", as_json, lambda face: words.format(**face), name=name, into=into, anyway=anyway)


@ticket.command()
@_ids
@json_option
@config_option
@click.pass_context
def split(ctx: click.Context, names: Sequence[str], as_json: bool) -> int:
    """Undo merges, or say that tickets are no duplicates."""
    return _each(ctx, "split", as_json, lambda face: f"{face['id']} stands for itself again.", names=list(names))


@ticket.command()
@click.argument("number", type=ROW_NUMBER, metavar="HELD")
@click.option("--anyway", is_flag=True, help="Whatever is in its way; the history notes it.")
@json_option
@config_option
@click.pass_context
def send(ctx: click.Context, number: int, anyway: bool, as_json: bool) -> int:
    """Send an answer that is held."""
    with counter_of(ctx) as counter:
        face = one(counter, "send", number=number, anyway=anyway)
    return answering.print_answered(face, as_json=as_json)


@ticket.command()
@click.argument("number", type=ROW_NUMBER, metavar="HELD")
@json_option
@config_option
@click.pass_context
def drop(ctx: click.Context, number: int, as_json: bool) -> None:
    """Throw an answer away that is held."""
    _one(ctx, "drop", as_json, lambda face: f"{face['id']}: the held answer {number} is gone.", number=number)


@ticket.command()
@click.argument("name", metavar="ID")
@click.argument("address")
@json_option
@config_option
@click.pass_context
def participant(ctx: click.Context, name: str, address: str, as_json: bool) -> None:
    """Allow an address to write to a ticket; it gets the answers in Cc."""
    words = "{id}: {address} may write to it, and gets the answers in Cc."
    _one(ctx, "participant", as_json, lambda face: words.format(**face), name=name, address=address)


@ticket.command()
@click.argument("name", metavar="ID")
@click.argument("address")
@json_option
@config_option
@click.pass_context
def requester(ctx: click.Context, name: str, address: str, as_json: bool) -> None:
    """Say whose ticket it is."""
    words = "{id} belongs to {address}."
    _one(ctx, "requester", as_json, lambda face: words.format(**face), name=name, address=address)


@ticket.command()
@click.argument("address")
@click.argument("other")
@json_option
@config_option
@click.pass_context
def same(ctx: click.Context, address: str, other: str, as_json: bool) -> None:
    """Treat two addresses as one person's."""
    words = "{address} and {other} are one person."
    _one(ctx, "same", as_json, lambda face: words.format(**face), address=address, other=other)


@ticket.command("mail-again")
@click.argument("address")
@json_option
@config_option
@click.pass_context
def mail_again(ctx: click.Context, address: str, as_json: bool) -> None:
    """Let automatic mail go to an address again after mail to it bounced."""
    _one(ctx, "mail_again", as_json, lambda face: f"{face['address']} gets automatic mail again.", address=address)


def _one(ctx: click.Context, deed: str, as_json: bool, words: Callable[[Face], str], **arguments: Any) -> None:
    """A deed on one ticket, and a line about it."""
    with counter_of(ctx) as counter:
        face = one(counter, deed, **arguments)
    if as_json:
        print_json(face)
    else:
        click.echo(terminal.wrapped(words(face), others="  "))


def _each(ctx: click.Context, deed: str, as_json: bool, words: Callable[[Face], str], **arguments: Any) -> int:
    """A deed on several tickets, and a line about each; the exit code says whether all went well."""
    wrong = 0
    with counter_of(ctx) as counter:
        for face in counter.rows(deed, **arguments):
            wrong += face["error"] is not None
            if as_json:
                print_json(face)
            elif face["error"]:
                click.echo(click.style(terminal.wrapped(terminal.line(face["error"]), others="  "), fg="red"), err=True)
            else:
                click.echo(terminal.wrapped(words(face), others="  "))
    return _FOUND_WRONG if wrong else 0
