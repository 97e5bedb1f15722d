"""`mailticket status`: one screen that says how it goes, what is wrong since when, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from mailticket.cli import terminal
from mailticket.cli.common import config_option, json_option, print_json
from mailticket.cli.counter import counter_of, one
from mailticket.text.clean import counted

_COLUMNS = 80
_LONGEST_NOTICE = 100  # characters of one that are shown
_MOST_TROUBLES = 6  # that one screen has room for


@click.command()
@click.option("--metrics", is_flag=True, help="Print the figures as Prometheus reads them.")
@json_option
@config_option
@click.pass_context
def status(ctx: click.Context, metrics: bool, as_json: bool) -> None:
    """One screen: what is wrong and what mends it; mailboxes, queue, promises, outbox."""
    if metrics and as_json:
        raise click.UsageError("--metrics and --json exclude each other")
    with counter_of(ctx) as counter:
        face = one(counter, "status")
    if metrics:
        from mailticket.cli.metrics import exposition

        click.echo(exposition(face), nl=False)
    elif as_json:
        print_json(face)
    else:
        _print(face)


def _print(face: dict[str, Any]) -> None:
    now = datetime.fromisoformat(face["at"])
    _print_head(face, now)
    _print_endless(face, now)
    click.echo()
    _print_hosts(face["hosts"], now)
    for part in face["parts"]:
        if part["name"].startswith("mailbox ") or part["last_success_at"]:  # the rest is said above
            _print_part(part, now)
    for consent in face["oauth2"]:
        _print_consent(consent, now)
    click.echo()
    _print_figures(face, now)


def _ago(at: str | None, now: datetime) -> str:
    return terminal.ago(datetime.fromisoformat(at) if at else None, now)


def _wrapped(text: str, first: str, others: str, colour: str = "") -> None:
    """Text in lines of one screen's width."""
    for line in terminal.paragraph(text, first, others, _COLUMNS):
        click.echo(click.style(line, fg=colour) if colour else line)


def _print_head(face: dict[str, Any], now: datetime) -> None:
    """Whether all is well; if not, what is wrong, and beside each trouble what mends it."""
    daemon, wrong = face["daemon"], face["troubles"]
    if face["well"]:
        _wrapped(f"All is well: {_life(daemon, now)}.", "✓ ", "  ", "green")
        return
    for trouble in wrong[:_MOST_TROUBLES]:
        since = f"{terminal.moment(trouble['since'])}, {_ago(trouble['since'], now)}"
        _wrapped(f"{trouble['name']}: {trouble['text']} (since {since})", "✗ ", "  ", "red")
        if trouble["remedy"]:
            _wrapped(trouble["remedy"], "  → ", "    ")
    if len(wrong) > _MOST_TROUBLES:
        more = len(wrong) - _MOST_TROUBLES
        _wrapped(f"and {more} more: mailticket check --offline", "✗ ", "  ", "red")
    if daemon is None:
        _wrapped("No daemon has run on this database yet: nobody collects mail.", "· ", "  ", "yellow")
        _wrapped("systemctl enable --now mailticket", "  → ", "    ")
    elif not daemon["alive"] and not any(trouble["name"] == "daemon" for trouble in wrong):
        _wrapped(
            f"The daemon was stopped {_ago(daemon['stopped_at'], now)}: nobody collects mail.", "· ", "  ", "yellow"
        )
        _wrapped("systemctl start mailticket", "  → ", "    ")


def _print_endless(face: dict[str, Any], now: datetime) -> None:
    """A notice that nobody thinks of any more tells everybody who writes what was true once."""
    for notice in face["notices"]:
        if notice["endless"]:
            words = f"Notice {notice['id']}, set {_ago(notice['set_at'], now)}, stands in letters and has no end: "
            _wrapped(words + _beginning(notice), "! ", "  ", "red")
            _wrapped(f"mailticket notice end {notice['id']}", "  → ", "    ")


def _beginning(notice: dict[str, Any]) -> str:
    from mailticket.text.clean import one_line

    return one_line(next(iter(notice["texts"].values())), _LONGEST_NOTICE)


def _life(daemon: dict[str, Any], now: datetime) -> str:
    if daemon["kind"] == "round":
        return f"the last round of `run --once` was {_ago(daemon['beat_at'], now)} on {daemon['host']}"
    since = terminal.moment(daemon["started_at"])
    return f"the daemon runs on {daemon['host']} since {since} (process {daemon['pid']})"


def _print_hosts(hosts: list[dict[str, Any]], now: datetime) -> None:
    """Where several share the database: what each holds, and since when."""
    for host in hosts if len(hosts) > 1 else ():
        held = ", ".join(f"{one['name']} (since {_ago(one['since'], now)})" for one in host["mailboxes"])
        kind = "a round of `run --once`" if host["kind"] == "round" else f"since {terminal.moment(host['started_at'])}"
        text = f"host {host['name']}: {held or 'no mailbox'}; {kind}, process {host['pid']}, {host['version']}"
        _wrapped(text, "✓ ", "  ")


def _print_part(part: dict[str, Any], now: datetime) -> None:
    seen = part["last_success_at"] is not None or part["error"] is not None
    sign, colour = ("✗", "red") if part["error"] else ("✓", "green") if seen else ("·", "yellow")
    text = f"last success {_ago(part['last_success_at'], now)}" if seen else "no contact yet"
    if part["error"]:
        text += f"; in trouble, first seen {_ago(part['error_since'], now)}"
    if part["backlog"]:
        text += f"; {counted(part['backlog'], 'mail waits', 'mails wait')}"
    if part["not_flagged"]:
        text += f"; {part['not_flagged']} not flagged or moved: {part['not_flagged_because']}"
    if part["note"]:
        text += f"; {part['note']}"
    _wrapped(f"{part['name']}: {text}", f"{sign} ", "  ", "" if colour == "green" else colour)


def _print_consent(consent: dict[str, Any], now: datetime) -> None:
    """How old a token of OAuth2 is and what ends; what is wrong with it is said among the troubles."""
    if consent["consented_at"] is None:
        return
    renewed = _ago(consent["renewed_at"] or consent["used_at"], now)
    text = f"oauth2 {', '.join(consent['sign_ins'])}: token renewed {renewed}"
    for what, moment in (("consent", "consent_ends_at"), ("client secret", "secret_ends_at")):
        if consent[moment]:
            text += f"; the {what} ends {_ago(consent[moment], now)}"
    _wrapped(text, "✗ " if consent["refusal"] else "✓ ", "  ", "red" if consent["refusal"] else "")


def _print_figures(face: dict[str, Any], now: datetime) -> None:
    def row(name: str, text: str, colour: str = "") -> None:
        _wrapped(text, f"  {name:<12}", " " * 14, colour)

    row("tickets", ", ".join(f"{number} {state}" for state, number in face["tickets"].items()) or "none yet")
    oldest, again = face["oldest_unanswered"], face["oldest_waiting_again"]
    waiting = f"{face['unanswered']} unanswered"
    waiting += f", the oldest {oldest['id']} from {_ago(oldest['created_at'], now)}" if oldest else ""
    waiting += f", {face['overdue']} past their promise" if face["overdue"] else ""
    row("waiting", waiting, "red" if face["overdue"] else "")
    for brand in face["brands"]:
        late = f", {brand['overdue']} past their promise" if brand["overdue"] else ""
        gone = "" if brand["configured"] else "; there is no such [[brand]] any more"
        row("brand", f"{brand['name']}: {brand['unfinished']} open, {brand['unanswered']} unanswered{late}{gone}",
            "red" if brand["overdue"] or gone else "")  # fmt: skip
    if again:
        number, since = face["waiting_again"], _ago(again["waiting_since"], now)
        row("again", f"{number} wrote again after an answer, the oldest {again['id']} {since}")
    if face["held"]:
        answers = counted(face["held"], "answer is", "answers are")
        row("held", f"{answers} held and not sent: mailticket ticket list --held", "yellow")
    for notice in face["notices"]:
        about = ", ".join(notice["categories"]) or "all letters"
        end = f"ends {_ago(notice['until'], now)}" if notice["until"] else "no end"
        row("notice", f"{notice['id']} ({about}; {end}): {_beginning(notice)}")
    kept = face["promises_7_days"]
    row("promises", f"{kept['promised']} made, {kept['kept']} kept, {kept['missed']} missed in 7 days")
    if kept["median_hours"] is not None:
        row("", f"first answers after {kept['median_hours']:.1f} h (half) and {kept['p90_hours']:.1f} h (90 %)")
    outbox = ", ".join(f"{number} {state}" for state, number in face["outbox"].items() if number) or "empty"
    row("outbox", outbox + (f", the oldest from {_ago(face['oldest_due'], now)}" if face["oldest_due"] else ""))
    row(
        "quarantine",
        counted(face["quarantine"], "mail") if face["quarantine"] else "empty",
        "red" if face["quarantine"] else "",
    )
    _print_filed(face, row)
    going = face["retention"]
    if going["due_1_day"]:
        many, first = counted(going["due_1_day"], "erasure is", "erasures are"), _ago(going["first_at"], now)
        row("retention", f"{many} due within a day, the first {first}: mailticket retention plan")


def _print_filed(face: dict[str, Any], row: Callable[[str, str, str], None]) -> None:
    """What went nowhere, so that nobody's request stays where nobody looks."""
    filed, bounces = face["filed_7_days"], face["unclaimed_bounces"]
    text = f"{counted(filed['without_ticket'], 'mail')} without a ticket in 7 days"
    text += f", {filed['named_us']} of them named us" if filed["named_us"] else ""
    text += (
        f", {counted(bounces, 'delivery report that belongs', 'delivery reports that belong')} to no letter"
        if bounces
        else ""
    )
    if filed["named_us"] or bounces:
        text += ": mailticket mail list --filed"
    row("filed", text, "yellow" if filed["named_us"] or bounces else "")
    blocked = face["blocked_7_days"]
    if blocked["mails"]:
        text = f"{blocked['mails']} in 7 days"
        text += f", {blocked['named_ticket']} of them named a ticket" if blocked["named_ticket"] else ""
        row("blocked", f"{text}: mailticket mail list --blocked", "yellow" if blocked["named_ticket"] else "")
