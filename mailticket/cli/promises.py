"""`mailticket promise`: what would have been promised over a recorded history."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import config_option, json_option, print_json, settings_or_none
from mailticket.errors import NotFound


@click.group(cls=Group)
def promise() -> None:
    """When an answer can be expected."""


@promise.command()
@click.argument("file", metavar="FILE")
@json_option
@config_option
@click.pass_context
def replay(ctx: click.Context, file: str, as_json: bool) -> None:
    """Replay a history (JSON lines of requests and first answers, in order of time; - is standard input).

    With --json, a line for each request: what it would have been promised, knowing only what came before. Without, a
    summary: how much would have been kept.
    """
    from mailticket.promise import Replay, from_settings
    from mailticket.settings import Promise
    from mailticket.topics.exchange import categories_of

    settings = settings_or_none(ctx)
    policy = settings.promise if settings else Promise()
    zone = settings.support.timezone if settings else "UTC"
    categories = categories_of(settings.category if settings else ())
    run = Replay(policy, from_settings(policy, zone), categories)
    for promised in run.promises(_events(file)):
        if as_json:
            print_json(promised)
    if as_json:
        return
    summary = run.summary()
    if summary["requests"]:
        _print_summary(summary, policy.mode)
    else:
        click.echo("There is no request in this history.")


def _events(file: str) -> Iterator[Mapping[str, Any]]:
    from mailticket.promise import BadHistory

    try:
        stream = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 closed below
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from None
    with io.TextIOWrapper(stream, "utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise BadHistory(f"line {number}: not JSON: {error}") from None


def _print_summary(summary: dict[str, Any], mode: str) -> None:
    click.echo(f"Promises by [promise] mode = {mode}: horizon, width and waits (half, 90 %) in hours, from arrival.\n")
    head = (
        "",
        "REQUESTS",
        "KEPT",
        "MISSED",
        "OPEN",
        "KEPT %",
        "LONGER",
        "HORIZON",
        "WIDTH",
        "MEDIAN",
        "90 %",
    )
    rows = [("all", summary), *summary["weeks"].items(), *summary["categories"].items()]
    terminal.table(head, [(name, *_row(tally)) for name, tally in rows], stretch=0, spare=("OPEN", "WIDTH"))


def _row(tally: dict[str, Any]) -> tuple[object, ...]:
    share = tally["kept_share"]
    return (
        tally["requests"], tally["kept"], tally["missed"], tally["open"],
        "" if share is None else f"{100 * share:.1f}", tally["longer"], _number(tally["mean_horizon_hours"]),
        _number(tally["mean_width_hours"]), _number(tally["median_wait_hours"]), _number(tally["p90_wait_hours"]),
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
