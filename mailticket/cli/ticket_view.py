"""How a ticket looks on a terminal: its facts, its conversation, its history."""

from __future__ import annotations

from typing import Any

import click

from mailticket.cli import terminal

_UNDER_WAY = ("queued", "sending", "sent")
_LINES_OF_A_LETTER = 2  # of our automatic letters; everybody knows the rest


def print_ticket(details: dict[str, Any], *, full: bool) -> None:
    """The whole ticket; `full` shows texts with quoted history and signatures, and letters to the end."""
    status = terminal.coloured(details["status"], details["status"])
    click.echo(f"{click.style(details['id'], bold=True)}  {status}  {terminal.line(details['subject'])}")
    terminal.facts(_facts(details))
    for entry in details["conversation"]:
        _print_entry(entry, full)
    terminal.heading("History")
    for event in details["history"]:
        actor = f"  by {terminal.line(event['by'])}" if event["by"] != "mailticket" else ""
        at, words = terminal.moment(event["at"]), f"{terminal.line(event['event'])}  {terminal.line(event['detail'])}"
        click.echo(terminal.wrapped(f"{at}  {words.strip()}{actor}", others=" " * (terminal.width(at) + 2)))


def _facts(details: dict[str, Any]) -> list[tuple[str, object]]:
    window = [terminal.moment(details[name]) for name in ("promised_from", "promised_by") if details[name]]
    duplicate = f"{details['duplicate_of']} ({details['similarity']:.2f})" if details["duplicate_of"] else ""
    return [
        ("requester", f"{_requester(details)} ({details['sender']})"),
        ("category", f"{details['category']}, {details['priority']}"),
        ("assigned to", _assigned(details)),
        ("answered as", _brand(details)),
        ("promised", " to ".join(window)),
        ("place", details["position"]),
        ("waits for", _waits(details)),
        ("answered", terminal.moment(details["first_response_at"])),
        ("duplicate of", duplicate),
        ("linked with", ", ".join([*([details["linked_to"]] if details["linked_to"] else []), *details["linked_by"]])),
        ("details", ", ".join(f"{name}: {' '.join(values)}" for name, values in details["fields"].items())),
        ("missing", ", ".join(details["missing"])),
        ("marks", "\n".join(details["marks"])),
        ("participants", ", ".join(details["participants"])),
        ("mail bounces", ", ".join(details["undeliverable"])),
        ("held by law", details["legal_hold"] or ""),
        ("erased", ", ".join(f"{what} {terminal.moment(at)}" for what, at in (details["erased"] or {}).items())),
        ("check word", details["check_word"]),
    ]


def _assigned(details: dict[str, Any]) -> str:
    team = f" (team {details['team']})" if details["team"] else ""
    return f"{details['assigned_to'] or 'nobody'}{team}" if details["assigned_to"] or team else ""


def _brand(details: dict[str, Any]) -> str:
    address = details["brand_address"]
    return f"{details['brand'] or 'support'}, from {address}" if address else ""


def _waits(details: dict[str, Any]) -> str:
    since = f" since {terminal.moment(details['waiting_since'])}" if details["waiting_since"] else ""
    return "" if details["waiting_for"] == "nobody" else f"{details['waiting_for']}{since}"


def _requester(details: dict[str, Any]) -> str:
    name, address = details["requester_name"], details["requester"]
    return f"{name} <{address}>" if name and address else address or "nobody"


def _print_entry(entry: dict[str, Any], full: bool) -> None:
    arrow = {"in": "→", "out": "←", "note": "✎"}[entry["direction"]]
    who = entry["to"] if entry["direction"] == "out" else entry["from"]
    writer = f"{entry['by']} to " if entry["direction"] == "out" and entry["by"] else ""
    number = f"#{entry['number']}"
    terminal.heading(f"{arrow} {number}  {terminal.moment(entry['at'])}  {entry['kind']}  {writer}{terminal.line(who)}")
    if entry["kind"] == "held":
        why = ", ".join(entry["reasons"]).replace("_", " ")
        command = f"mailticket ticket send {entry['number']}"
        words = f"! held for: {why}; `{command}`, or `{command.replace('send', 'drop')}`"
        click.echo(click.style(terminal.wrapped(words, others="  "), fg="red"))
    for label, value in (("From", entry["from_raw"]), ("Cc", entry["cc"])):
        if value:
            click.echo(f"{label}: {terminal.line(value)}")
    delivery = entry["delivery"]
    if delivery and delivery["state"] not in _UNDER_WAY:
        why = delivery["error"] or f"see `mailticket outbox show {delivery['number']}`"
        words = f"! {delivery['state']}, outgoing mail {delivery['number']}: {why}"
        click.echo(click.style(terminal.wrapped(terminal.line(words), others="  "), fg="red"))
    if entry["mark"]:
        click.echo(click.style(terminal.wrapped(f"! {terminal.line(entry['mark'])}", others="  "), fg="yellow"))
    if entry["secrets"]:
        click.echo(click.style(f"! exposes: {', '.join(entry['secrets'])}; ask to change it", fg="red"))
    if entry["doubtful_secrets"]:
        hidden = ", ".join(entry["doubtful_secrets"])
        words = f"! masked, perhaps without need: {hidden} (--unmask shows it while the raw mail is kept)"
        click.echo(click.style(terminal.wrapped(words, others="  "), fg="yellow"))
    click.echo(_text(entry, full))
    for file in entry["attachments"]:
        line = f"[{terminal.line(file['name'])}, {file['type']}, {file['size']} bytes: attachment {file['id']}]"
        click.echo(click.style(line, fg="bright_black"))


def _text(entry: dict[str, Any], full: bool) -> str:
    """The text of an entry; what of it is not shown is counted at its end."""
    text = terminal.clean(entry["text"] if full else entry["new_text"]).rstrip()
    if full:
        return terminal.wrapped(text)
    lines = text.splitlines()
    letter = entry["direction"] == "out" and entry["kind"] != "staff-reply"
    shown = lines[:_LINES_OF_A_LETTER] if letter else lines
    left_out = entry["hidden_lines"] + sum(bool(line.strip()) for line in lines[len(shown) :])
    return "\n".join([*map(terminal.wrapped, shown), *([terminal.hidden(left_out, "--all")] if left_out else [])])
