"""`mailticket mail`: how a mail reads, taking mails in from files, what became of one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import (
    ROW_NUMBER,
    account_of,
    config_option,
    json_option,
    limit_option,
    loop_mark_of,
    print_json,
    reading_of,
    settings_or_none,
    site_of,
)
from mailticket.text.clean import counted

if TYPE_CHECKING:
    from mailticket.intake.explain import Explainer
    from mailticket.intake.filed import Cabinet
    from mailticket.intake.files import MailFile
    from mailticket.mail.values import Mail
    from mailticket.triage.understanding import Understanding


@click.group(cls=Group)
def mail() -> None:
    """Read a mail, take mails in from files, ask what became of one."""


def _mails_of(files: Sequence[str]) -> Iterator[MailFile]:
    from mailticket.intake.files import MailFile, mails_in

    for name in files:
        if name == "-":
            yield MailFile("-", sys.stdin.buffer.read())
        else:
            yield from mails_in(Path(name))


@mail.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--all", "--whole", "whole", is_flag=True, help="The whole text, not only what is new.")
@click.option("--as-reply-to", "ticket", default="", metavar="ID", help="Read them as replies to this ticket.")
@json_option
@config_option
@click.pass_context
def explain(ctx: click.Context, files: tuple[str, ...], whole: bool, ticket: str, as_json: bool) -> None:
    """Show how mails read, without touching anything (- is standard input). Texts are not masked.

    They are read as intake reads them. What of a reply is new depends on the letters that it repeats: name its ticket
    with --as-reply-to.
    """
    explainer = _explainer(ctx, ticket)
    for source in _mails_of(files):
        reading = explainer.explain(source.raw)
        if as_json:
            from mailticket.desk import faces

            print_json(faces.mail(source.place, reading.mail, reading.meaning, reading.ticket_ids))
        else:
            _print_reading(source.place, reading.mail, reading.meaning, reading.ticket_ids, whole)


def _explainer(ctx: click.Context, ticket: str) -> Explainer:
    """The reader of intake, as far as the configuration and a database that exists already tell."""
    from mailticket.intake.explain import Explainer
    from mailticket.store import meta

    if ticket:
        with reading_of(ctx) as (session, settings, _):
            explainer = Explainer(settings, meta.value(session, "instance"))
            explainer.as_reply_to(session, ticket)
        return explainer
    configured = settings_or_none(ctx)
    return Explainer(configured, loop_mark_of(configured) if configured else "")


def _print_reading(place: str, read: Mail, meaning: Understanding, ticket_ids: Sequence[str], whole: bool) -> None:
    from mailticket.desk import faces

    click.echo(click.style(f"{terminal.line(place)}", bold=True) + f"  {read.size} bytes")
    sender = f"{read.sender_address.name} <{read.sender_address.address}>" if read.sender_address else "nobody usable"
    verdict = meaning.verdict
    terminal.facts([
        ("from", sender.strip() if read.sender_address else f"{sender} in: {read.from_raw}".removesuffix(" in: ")),
        ("identity", f"{read.trust}: {read.trust_reason}"),
        ("to", ", ".join(a.address for a in read.to)),
        ("cc", ", ".join(a.address for a in read.cc)),
        ("reply to", ", ".join(a.address for a in read.reply_to)),
        ("claimed", f"{read.claimed.address}, by {read.claimed_by}" if read.claimed else ""),
        ("subject", read.subject),
        ("date", terminal.moment(read.date)),
        ("message id", read.message_id),
        ("answers", " ".join((*read.in_reply_to, *read.references[-3:]))),
        ("language", read.language),
        ("ticket ids", ", ".join(ticket_ids)),
        ("automatic", f"{read.automatic.kind}: {read.automatic.reason}" if read.automatic else "no: a person's mail"),
        ("no answer", read.suppress),
        ("category", f"{verdict.name}, {verdict.priority}: {verdict.reason}"),
        ("details", "\n".join(f"{name}: {', '.join(values)}" for name, values in meaning.fields.items())),
        ("missing", ", ".join(meaning.missing)),
        ("secrets", ", ".join((*meaning.secrets, *(f"{kind} (doubtful)" for kind in meaning.doubtful_secrets)))),
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
    left_out = 0 if whole else faces.hidden_lines(read.text, read.new_text)
    if left_out:
        click.echo(terminal.hidden(left_out, "--all"))
    for cut in read.cuts:
        notice = f"[cut: {cut.kind}, {counted(cut.lines, 'line')}, beginning {terminal.line(cut.first_line)[:60]!r}]"
        click.echo(click.style(notice, fg="bright_black"))
    click.echo()


@mail.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--acknowledge", is_flag=True, help="Send the letters that files would have withheld.")
@json_option
@config_option
@click.pass_context
def ingest(ctx: click.Context, files: tuple[str, ...], acknowledge: bool, as_json: bool) -> int:
    """Take mails in from files, mbox, Maildir, folders, or standard input (-).

    Standard input arrives now and is acknowledged, as from an MTA's pipe. Letters to mails from files are withheld
    unless --acknowledge is given.
    """
    from mailticket.intake.ingest import Ingest

    with site_of(ctx) as site:
        inlet = Ingest(site, acknowledge=acknowledge)
        for source in _with_progress(_mails_of(files), quiet=as_json):
            result = inlet.take(source)
            if as_json:
                print_json({"file": source.place, "state": result.state, "ticket": result.ticket, "rule": result.rule,
                            "reason": result.reason, "letter": result.letter or None,
                            "withheld": result.withheld or None})  # fmt: skip
    if not as_json:
        click.echo(", ".join(f"{number} {state}" for state, number in sorted(inlet.states.items())) or "no mails")
    return 1 if inlet.states["quarantined"] else 0


def _with_progress(items: Iterable[Any], *, quiet: bool) -> Iterator[Any]:
    """Count on the terminal while long work goes on; nothing in pipes."""
    visible = not quiet and sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if visible and number % 20 == 0:
            click.echo(f"\r{counted(number, 'mail')}", nl=False, err=True)
        yield item
    if visible:
        click.echo("\r" + " " * 20 + "\r", nl=False, err=True)


@mail.command("list")
@click.option("--filed", is_flag=True, expose_value=False, help="What was filed without a ticket; the default.")
@click.option("--blocked", is_flag=True, help="Of that, what was blocked.")
@limit_option
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, blocked: bool, limit: int | None, as_json: bool) -> None:
    """List the mails that were filed without a ticket, newest first: lists, receipts, automatic replies, bounces, and
    what was blocked."""
    from mailticket.desk import faces
    from mailticket.intake.filed import Cabinet
    from mailticket.triage.rules import BLOCKED

    with site_of(ctx) as site:
        mails = Cabinet(site).listing(limit, BLOCKED if blocked else "")
        now = site.clock()
    if as_json:
        for entry in mails:
            print_json(faces.filed(entry))
        return
    lines = [
        (entry.row.id, terminal.ago(entry.row.decided_at, now), entry.row.route, entry.row.rule,
         _NAMED[entry.names_us], "dismissed" if entry.row.dismissed_at else "", terminal.line(entry.sender),
         terminal.line(entry.subject), terminal.line(entry.row.reason))
        for entry in mails
    ]  # fmt: skip
    if lines:
        head = ("NUMBER", "SINCE", "MAILBOX", "RULE", "NAMED US", "SEEN", "FROM", "SUBJECT", "WHY")
        terminal.table(head, lines, spare=("MAILBOX", "RULE"))
    else:
        click.echo("Nothing was blocked." if blocked else "Nothing was filed without a ticket.")


_MOST_UIDS = 10
_NAMED = {True: "yes", False: "no", None: "?"}


@mail.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True, metavar="NUMBER...")
@click.option("--acknowledge", is_flag=True, help="Send its writer the letter that a request gets.")
@json_option
@config_option
@click.pass_context
def release(ctx: click.Context, numbers: tuple[int, ...], acknowledge: bool, as_json: bool) -> int:
    """Open a ticket for mails that were filed without one, by the numbers of `mail list --filed`.

    Each is read as a person's request. Nobody gets a letter unless --acknowledge is given. What was blocked is taken in
    as if it were not, and answered unless it is too old; its sender stays blocked.
    """

    def release_one(cabinet: Cabinet, number: int) -> dict[str, Any]:
        result = cabinet.release(number, acknowledged=acknowledge)
        outcome = {"ticket": result.ticket, "letter": result.letter or None, "withheld": result.withheld or None}
        if result.state not in ("opened", "appended"):
            outcome["reason"] = f"{result.state} again, by rule {result.rule}: {result.reason}"
        return outcome

    return _on_filed(ctx, numbers, release_one, "released", as_json)


@mail.command()
@click.argument("numbers", type=ROW_NUMBER, nargs=-1, required=True, metavar="NUMBER...")
@json_option
@config_option
@click.pass_context
def dismiss(ctx: click.Context, numbers: tuple[int, ...], as_json: bool) -> int:
    """Say that somebody looked at mails that were filed without a ticket: `status` counts them as unseen no more."""

    def dismiss_one(cabinet: Cabinet, number: int) -> dict[str, Any]:
        cabinet.dismiss(number)
        return {}

    return _on_filed(ctx, numbers, dismiss_one, "dismissed", as_json)


def _on_filed(
    ctx: click.Context, numbers: Sequence[int], act: Callable[[Cabinet, int], dict[str, Any]], done: str, as_json: bool
) -> int:
    """Act on each of the mails; one that cannot be acted on is named and does not stop the others."""
    from mailticket.errors import NotFound, Refused
    from mailticket.intake.filed import Cabinet

    wrong = 0
    with site_of(ctx) as site:
        cabinet = Cabinet(site, account_of(ctx))
        for number in numbers:
            try:
                outcome: dict[str, Any] = {"id": number, "state": done, **act(cabinet, number)}
            except (NotFound, Refused) as refusal:
                wrong += 1
                outcome = {"id": number, "state": "refused", "reason": str(refusal)}
            if as_json:
                print_json(outcome)
            else:
                words = (outcome.get(name) for name in ("state", "ticket", "letter", "withheld"))
                why = f": {outcome['reason']}" if outcome.get("reason") else ""
                click.echo(f"{number}: {' '.join(str(word) for word in words if word)}{why}",
                           err=outcome["state"] == "refused")  # fmt: skip
    return 1 if wrong else 0


@mail.command("take-up")
@click.argument("name", metavar="MAILBOX[:UID]")
@config_option
@click.pass_context
def take_up(ctx: click.Context, name: str) -> int:
    """Take in mails that were left alone as before first contact: one, or all of a mailbox.

    The daemon fetches them at its next look. Letters to mail older than [acknowledge] within_hours stay withheld.
    """
    from mailticket.errors import NotFound
    from mailticket.store import incoming

    mailbox, _, uid = name.partition(":")
    if uid and not uid.isdigit():
        raise click.UsageError("write MAILBOX or MAILBOX:UID")
    with site_of(ctx) as site:
        names = [configured.name for configured in site.settings.watched]
        if mailbox not in names:
            raise NotFound(f"there is no mailbox {mailbox!r}; there are: {', '.join(names) or 'none'}")
        with site.database.write() as session:
            count = incoming.take_up(session, mailbox, int(uid) if uid else None)
    many = counted(count, "mail") if count else "No mail"
    click.echo(f"{many} of {name} will be taken in{'.' if count else ': none was left alone as before first contact.'}")
    return 0 if count else 1


@mail.command("give-up")
@click.argument("mailbox", metavar="MAILBOX")
@click.option("--dry-run", is_flag=True, help="Only say which mails it would be.")
@json_option
@config_option
@click.pass_context
def give_up(ctx: click.Context, mailbox: str, dry_run: bool, as_json: bool) -> int:
    """End the wait for mails of a mailbox that is not configured any more. They count as vanished, with the reason."""
    from mailticket.errors import Refused
    from mailticket.store import incoming

    with site_of(ctx) as site:
        if mailbox in (configured.name for configured in site.settings.watched):
            raise Refused(f"mailbox {mailbox} is configured: the daemon takes in what waits there")
        with site.database.write() as session:
            uids = incoming.strays(session, mailbox)
            if not dry_run:
                incoming.give_up(session, mailbox, site.clock(), account_of(ctx))
    if as_json:
        print_json({"mailbox": mailbox, "uids": uids, "given_up": 0 if dry_run else len(uids)})
    else:
        some = ", ".join(map(str, uids[:_MOST_UIDS])) + (" ..." if len(uids) > _MOST_UIDS else "")
        verb = "would be" if dry_run else "is" if len(uids) == 1 else "are"
        many, which = counted(len(uids), "mail"), f": UID {some}"
        text = f"{many} of {mailbox} {verb} given up{which}." if uids else f"No mail of a mailbox {mailbox} waits."
        click.echo(terminal.line(text))
    return 0 if uids else 1


@mail.command()
@click.argument("name", metavar="MESSAGE-ID|MAILBOX:UID")
@json_option
@config_option
@click.pass_context
def why(ctx: click.Context, name: str, as_json: bool) -> int:
    """Say what became of a mail, by which rule, and what evidence was looked at."""
    from mailticket.desk import faces
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
            ("arrived", terminal.moment(story["arrived_at"])),
            ("decided", terminal.moment(story["decided_at"])),
            ("rule", story["rule"]),
            ("reason", story["reason"]),
            ("sender", story["sender"]),
            ("copy of", story["copy_of"]),
            ("evidence", "\n".join(f"{e['rule']}: {e['said']}" for e in story["evidence"])),
            ("answers", "\n".join(f"{a['kind']} to {a['to']}: {a['state']} {a['reason'] or a['last_error'] or ''}"
                                  for a in story["answers"])),
        ])  # fmt: skip
