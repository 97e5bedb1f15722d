"""`mailticket mail`: how a mail reads, taking mails in from files, what became of one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json, reading_of, settings_or_none, site_of

if TYPE_CHECKING:
    from mailticket.intake.files import Found
    from mailticket.mail.values import Mail
    from mailticket.triage.understanding import Understanding


@click.group()
def mail() -> None:
    """Read a mail, take mails in from files, ask what became of one."""


def _given(files: Sequence[str]) -> Iterator[Found]:
    from mailticket.intake.files import Found, mails_in

    for name in files:
        if name == "-":
            yield Found("-", sys.stdin.buffer.read())
        else:
            yield from mails_in(Path(name))


@mail.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--whole", is_flag=True, help="The whole text too, not only what is new.")
@json_option
@config_option
@click.pass_context
def explain(ctx: click.Context, files: tuple[str, ...], whole: bool, as_json: bool) -> None:
    """Show how mails read, without touching anything (- is standard input). Texts are not masked."""
    from mailticket.intake.explain import Explainer

    explainer = Explainer(settings_or_none(ctx))
    for found in _given(files):
        reading = explainer.explain(found.raw)
        if as_json:
            from mailticket.cli import faces

            print_json(faces.mail(found.place, reading.mail, reading.meaning, reading.ticket_ids))
        else:
            _print_reading(found.place, reading.mail, reading.meaning, reading.ticket_ids, whole)


def _print_reading(place: str, read: Mail, meaning: Understanding, ticket_ids: Sequence[str], whole: bool) -> None:
    click.echo(click.style(f"{terminal.line(place)}", bold=True) + f"  {read.size} bytes")
    sender = f"{read.sender_address.name} <{read.sender_address.address}>" if read.sender_address else "nobody usable"
    verdict = meaning.verdict
    terminal.facts([
        ("from", sender.strip() if read.sender_address else f"{sender} in: {read.from_raw}".removesuffix(" in: ")),
        ("identity", f"{read.trust}: {read.trust_reason}"),
        ("to", ", ".join(a.address for a in read.to)),
        ("cc", ", ".join(a.address for a in read.cc)),
        ("reply to", ", ".join(a.address for a in read.reply_to)),
        ("subject", read.subject),
        ("date", read.date),
        ("message id", read.message_id),
        ("answers", " ".join((*read.in_reply_to, *read.references[-3:]))),
        ("language", read.language),
        ("ticket ids", ", ".join(ticket_ids)),
        ("automatic", f"{read.automatic.kind}: {read.automatic.reason}" if read.automatic else "no: a person's mail"),
        ("no answer", read.suppress),
        ("category", f"{verdict.name}, {verdict.priority}: {verdict.reason}"),
        ("details", "\n".join(f"{name}: {', '.join(values)}" for name, values in meaning.fields.items())),
        ("missing", ", ".join(meaning.missing)),
        ("secrets", ", ".join(meaning.secrets)),
        ("odd", "\n".join(read.warnings)),
    ])  # fmt: skip
    for recipient in read.bounce.recipients if read.bounce else ():
        words = (
            f"bounce: {recipient.address or 'somebody'} {recipient.action} {recipient.status} {recipient.diagnostic}"
        )
        click.echo(click.style(terminal.line(words), fg="red"))
    for file in read.attachments:
        place_of = "inline" if file.inline else "attached"
        click.echo(
            f"{place_of}: {terminal.line(file.name)}, {file.type}, {file.size} bytes, sha256 {file.sha256[:16]}…"
        )
    terminal.heading("Whole text" if whole else "New text")
    click.echo(terminal.clean(read.text if whole else read.new_text).rstrip())
    for cut in read.cuts:
        said = f"[cut: {cut.kind}, {cut.lines} lines, beginning {terminal.line(cut.first_line)[:60]!r}]"
        click.echo(click.style(said, fg="bright_black"))
    click.echo()


@mail.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--acknowledge", is_flag=True, help="Send the answers that files would have withheld.")
@json_option
@config_option
@click.pass_context
def ingest(ctx: click.Context, files: tuple[str, ...], acknowledge: bool, as_json: bool) -> int:
    """Take mails in from files, mbox, Maildir, folders, or standard input (-).

    Standard input arrives now and is acknowledged, as from an MTA's pipe. Answers to mails from files are withheld
    unless --acknowledge is given.
    """
    from mailticket.intake.ingest import Ingest

    with site_of(ctx) as site:
        inlet = Ingest(site, acknowledge=acknowledge)
        for found in _with_progress(_given(files), quiet=as_json):
            outcome = inlet.take(found)
            if as_json:
                print_json({"file": found.place, "state": outcome.state, "ticket": outcome.ticket, "rule": outcome.rule,
                            "reason": outcome.reason, "letter": outcome.letter or None,
                            "withheld": outcome.withheld or None})  # fmt: skip
    if not as_json:
        click.echo(", ".join(f"{number} {state}" for state, number in sorted(inlet.states.items())) or "no mails")
    return 1 if inlet.states["quarantined"] else 0


def _with_progress(items: Iterable[Any], *, quiet: bool) -> Iterator[Any]:
    """Count on the terminal while long work goes on; nothing in pipes."""
    shown = not quiet and sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if shown and number % 20 == 0:
            click.echo(f"\r{number} mails", nl=False, err=True)
        yield item
    if shown:
        click.echo("\r" + " " * 20 + "\r", nl=False, err=True)


@mail.command("take-up")
@click.argument("name", metavar="MAILBOX[:UID]")
@config_option
@click.pass_context
def take_up(ctx: click.Context, name: str) -> int:
    """Take in mails that were left alone as before first contact: one, or all of a mailbox.

    The daemon fetches them at its next look. Answers to mail older than [acknowledge] within_hours stay withheld.
    """
    from mailticket.store import incoming

    mailbox, _, uid = name.partition(":")
    if uid and not uid.isdigit():
        raise click.UsageError("write MAILBOX or MAILBOX:UID")
    with site_of(ctx) as site, site.database.write() as session:
        count = incoming.take_up(session, mailbox, int(uid) if uid else None)
    click.echo(f"{count} mails of {terminal.line(mailbox)} will be taken in.")
    return 0 if count else 1


@mail.command()
@click.argument("name", metavar="MESSAGE-ID|MAILBOX:UID")
@json_option
@config_option
@click.pass_context
def why(ctx: click.Context, name: str, as_json: bool) -> int:
    """Say what became of a mail, by which rule, and what evidence was looked at."""
    from mailticket.cli import faces
    from mailticket.store import incoming, outgoing, tickets

    with reading_of(ctx) as (session, _, _now):
        rows = incoming.find(session, name)
        owners = {row.ticket_id: tickets.by_id(session, row.ticket_id).key for row in rows if row.ticket_id}
        stories = [faces.incoming(row, owners.get(row.ticket_id or 0)) for row in rows]
        for story in stories:
            story["answers"] = [faces.outgoing(row, key) for row, key in outgoing.caused_by(session, story["id"])]
    if not stories:
        click.echo(f"Nothing is known of {terminal.line(name)}. A UID is written as MAILBOX:UID.", err=True)
        return 1
    (_print_json_lines if as_json else _print_stories)(stories)
    return 0


def _print_json_lines(stories: Sequence[dict[str, Any]]) -> None:
    for story in stories:
        print_json(story)


def _print_stories(stories: Sequence[dict[str, Any]]) -> None:
    for story in stories:
        place = f"{story['mailbox']}:{story['uid']}" if story["uid"] else story["mailbox"]
        click.echo(f"{click.style(place, bold=True)}  {terminal.coloured(story['state'], story['state'])}  "
                   f"{story['ticket'] or ''}")  # fmt: skip
        terminal.facts([
            ("message id", story["message_id"]),
            ("arrived", story["arrived_at"]),
            ("decided", story["decided_at"]),
            ("rule", story["rule"]),
            ("reason", story["reason"]),
            ("sender", story["sender"]),
            ("copy of", story["copy_of"]),
            ("evidence", "\n".join(f"{e['rule']}: {e['said']}" for e in story["evidence"])),
            ("answers", "\n".join(f"{a['kind']} to {a['to']}: {a['state']} {a['reason'] or a['last_error'] or ''}"
                                  for a in story["answers"])),
        ])  # fmt: skip
