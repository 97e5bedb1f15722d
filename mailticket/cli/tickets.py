"""`mailticket ticket`: list, show, answer and tidy tickets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import (
    config_option,
    database_of,
    json_option,
    limit_option,
    print_json,
    read_text,
    settings_of,
    site_of,
    user_name,
)
from mailticket.cli.ticket_view import print_ticket

if TYPE_CHECKING:
    from mailticket.desk.tickets import Desk
    from mailticket.models import Ticket
    from mailticket.site import Site
    from mailticket.store import Session, overview

STATUSES = ("new", "open", "pending", "solved", "closed")


@click.group()
def ticket() -> None:
    """List, show, answer and tidy tickets."""


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
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only these states (repeatable).")
@click.option("--category", default="", help="Only this category.")
@click.option("--requester", default="", metavar="ADDRESS", help="Only of this person.")
@click.option("--duplicates", is_flag=True, help="Only those flagged as duplicates.")
@click.option("--merged", is_flag=True, help="Merged ones too.")
@click.option("--waiting", type=click.Choice(("us", "them")), help="Only what waits for us, in the order of the queue, "
              "or for its requester.")  # fmt: skip
@click.option("--search", multiple=True, callback=_words, metavar="WORDS", help="Only with all these words, wherever "
              "they stand in the ticket (repeatable).")  # fmt: skip
@click.option("--since", callback=_since, metavar="WHEN", help="Opened since: a date, a time, 12h, 7d.")
@limit_option
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, /, limit: int | None, as_json: bool, **criteria: Any) -> None:
    """List tickets, newest first; with --waiting us the queue, the next to be answered first."""
    from mailticket.cli import faces
    from mailticket.store import overview, tickets

    now = datetime.now(UTC)

    def cells(_session: Session, row: overview.TicketRow) -> tuple[object, ...]:
        t = row.ticket
        promise = terminal.ago(t.promised_by, now) if t.promised_by and not t.first_response_at else ""
        opened = terminal.ago(t.created_at, now)
        return (t.key, t.status, t.priority, t.category, row.requester, opened, _wait(t, now), promise,
                row.duplicate_of or "", t.subject)  # fmt: skip

    criteria["status"] = tuple(criteria["status"])
    criteria["waiting"] = criteria["waiting"] or ""
    wanted = overview.Filter(**criteria)
    with database_of(settings_of(ctx)) as database:
        if as_json:
            for face in overview.ticket_rows(
                database, wanted, limit, lambda session, row: faces.ticket(row, tickets.position(session, row.ticket))
            ):
                print_json(face)
            return
        lines = list(overview.ticket_rows(database, wanted, limit, cells))
    if lines:
        head = (
            "TICKET",
            "STATUS",
            "PRIORITY",
            "CATEGORY",
            "REQUESTER",
            "OPENED",
            "WAITS FOR",
            "PROMISED",
            "DUPLICATE OF",
            "SUBJECT",
        )
        terminal.table(head, lines, spare=("OPENED", "CATEGORY", "PRIORITY", "DUPLICATE OF"))
    else:
        click.echo("No tickets.")


def _wait(ticket: Ticket, now: datetime) -> str:
    """For whom a ticket waits, and for us since when."""
    if ticket.waiting_for != "us":
        return ticket.waiting_for.replace("nobody", "")
    return f"us, {terminal.ago(ticket.waiting_since, now)}"


@ticket.command("show")
@click.argument("name", metavar="ID")
@click.option("--all", "--full", "full", is_flag=True, help="Whole texts, with quoted history and signatures.")
@click.option("--unmask", is_flag=True, help="Texts without the masks of doubtful secrets; the history notes it.")
@json_option
@config_option
@click.pass_context
def show_(ctx: click.Context, name: str, full: bool, unmask: bool, as_json: bool) -> None:
    """Show a ticket with its whole conversation and history."""
    with site_of(ctx) as site:
        details = _details(site, name, _desk(site).unmasked(name) if unmask else {})
    if as_json:
        print_json(details)
        return
    print_ticket(details, full=full)


def _details(site: Site, name: str, unmasked: Mapping[int, tuple[str, str, str]]) -> dict[str, Any]:
    from mailticket.cli import faces
    from mailticket.desk.tickets import Desk
    from mailticket.store import outgoing, overview, tickets

    with site.database.read() as session:
        row: Ticket = Desk(site).find(session, name, lock=False)
        ticket_id = int(row.id or 0)
        conversation = tickets.conversation(session, ticket_id)
        files = tickets.attachments_of(session, [int(m.id or 0) for m in conversation])
        deliveries = outgoing.of_messages(session, conversation)
        return {
            **faces.ticket(overview.ticket_row(session, row), tickets.position(session, row)),
            "linked_by": tickets.linked_by(session, ticket_id),
            "check_word": row.check_word,
            "promise_reason": row.promise_reason,
            "requester_name": tickets.name_of(session, row.requester_id),
            "participants": [p.address for p in tickets.participants(session, ticket_id)],
            "addresses": [a.address for a in tickets.addresses_of(session, row.requester_id)],
            "undeliverable": [a.address for a in tickets.addresses_of(session, row.requester_id)
                              if a.undeliverable_since],
            "conversation": [faces.message(m, files.get(n, []), unmasked.get(n), deliveries.get(n))
                             for m in conversation for n in [int(m.id or 0)]],
            "history": [faces.event(e) for e in tickets.events(session, ticket_id)],
        }  # fmt: skip


@ticket.command()
@click.argument("name", metavar="ID")
@click.option("--text", help="The answer; without it, standard input.")
@click.option("--as", "staff_name", default="", metavar="NAME", help="Who signs.")
@json_option
@config_option
@click.pass_context
def reply(ctx: click.Context, name: str, text: str | None, staff_name: str, as_json: bool) -> None:
    """Answer the requester. The ticket becomes pending."""
    with site_of(ctx) as site:
        key, number = _desk(site).reply(name, read_text(text), staff_name)
        warning = _warning(site, number)
    if as_json:
        print_json({"id": key, "outgoing": number, "warning": warning})
        return
    click.echo(f"{key}: the answer is in the outbox as number {number}.")
    if warning:
        click.echo(click.style(f"! {warning}", fg="yellow"), err=True)


def _warning(site: Site, number: int) -> str | None:
    """What staff should know about the address they just wrote to."""
    from mailticket.mail.values import address_key
    from mailticket.models import Address
    from mailticket.store import outgoing

    with site.database.read() as session:
        row = outgoing.by_id(session, number)
        address = session.get(Address, address_key(row.recipient))
        if address is not None and address.undeliverable_since is not None:
            return f"mail to {row.recipient} has bounced: {address.undeliverable_why}"
    return None


@ticket.command()
@click.argument("name", metavar="ID")
@click.option("--text", help="The note; without it, standard input.")
@config_option
@click.pass_context
def note(ctx: click.Context, name: str, text: str | None) -> None:
    """Keep a note that only staff see."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).note(name, read_text(text))}: noted.")


@ticket.command()
@click.argument("name", metavar="ID")
@click.option("--notify", is_flag=True, help="Tell the requester.")
@config_option
@click.pass_context
def close(ctx: click.Context, name: str, notify: bool) -> None:
    """Close a ticket."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).close(name, notify=notify)} is closed.")


@ticket.command()
@click.argument("name", metavar="ID")
@config_option
@click.pass_context
def reopen(ctx: click.Context, name: str) -> None:
    """Open a ticket again."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).reopen(name)} is open.")


@ticket.command()
@click.argument("name", metavar="ID")
@click.argument("to", metavar="NAME")
@config_option
@click.pass_context
def assign(ctx: click.Context, name: str, to: str) -> None:
    """Give a ticket to somebody ("" puts it back)."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).assign(name, to)} is {'taken by ' + to if to else 'nobody’s'}.")


@ticket.command()
@click.argument("name", metavar="A")
@click.argument("into", metavar="B")
@config_option
@click.pass_context
def merge(ctx: click.Context, name: str, into: str) -> None:
    """Move the messages of A into B; later replies to A follow."""
    with site_of(ctx) as site:
        source, target = _desk(site).merge(name, into)
        click.echo(f"{source} is merged into {target}.")


@ticket.command()
@click.argument("name", metavar="ID")
@config_option
@click.pass_context
def split(ctx: click.Context, name: str) -> None:
    """Undo a merge, or say that a ticket is no duplicate."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).split(name)} stands for itself again.")


@ticket.command()
@click.argument("name", metavar="ID")
@click.argument("address")
@config_option
@click.pass_context
def participant(ctx: click.Context, name: str, address: str) -> None:
    """Allow an address to write to a ticket."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).add_participant(name, address)}: {address} may write to it.")


@ticket.command()
@click.argument("name", metavar="ID")
@click.argument("address")
@config_option
@click.pass_context
def requester(ctx: click.Context, name: str, address: str) -> None:
    """Say whose ticket it is."""
    with site_of(ctx) as site:
        click.echo(f"{_desk(site).set_requester(name, address)} belongs to {address}.")


@ticket.command()
@click.argument("address")
@click.argument("other")
@config_option
@click.pass_context
def same(ctx: click.Context, address: str, other: str) -> None:
    """Treat two addresses as one person's."""
    with site_of(ctx) as site:
        _desk(site).link_addresses(address, other)
        click.echo(f"{address} and {other} are one person.")


@ticket.command("mail-again")
@click.argument("address")
@config_option
@click.pass_context
def mail_again(ctx: click.Context, address: str) -> None:
    """Let automatic mail go to an address again after mail to it bounced."""
    with site_of(ctx) as site:
        _desk(site).mail_again(address)
        click.echo(f"{address} gets automatic mail again.")


@ticket.command()
@click.argument("number", type=int, metavar="ATTACHMENT")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="The file; - is standard output.")
@config_option
@click.pass_context
def attachment(ctx: click.Context, number: int, target: Path | None) -> None:
    """Save a file of a message, by the number that `show` gives."""
    from mailticket.desk.tickets import Desk

    with site_of(ctx) as site:
        name, content = Desk(site).attachment(number)
    if target is not None and str(target) == "-":
        sys.stdout.buffer.write(content)
        return
    place = target or Path(f"attachment-{number}")  # never a name that a stranger chose
    if place.exists():
        raise click.UsageError(f"{place} exists; name another with --to")
    place.write_bytes(content)
    click.echo(f"{terminal.line(name)}: {len(content)} bytes in {place}")


def _desk(site: Site) -> Desk:
    from mailticket.desk.tickets import Desk

    return Desk(site, user_name())
