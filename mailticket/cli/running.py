"""`mailticket run`, `mailticket reload` and `mailticket demo`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mailticket.cli.common import config_option, config_path, json_option, print_json, settings_of
from mailticket.config.read import find_file
from mailticket.errors import ConfigurationError, WorldError
from mailticket.extras import how_to_install
from mailticket.observe.failpoints import FAILPOINTS
from mailticket.settings import Settings


def _list_failpoints(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        click.echo("\n".join(FAILPOINTS))
        ctx.exit()


@click.command()
@click.option("--once", is_flag=True, help="One round: take in all that waits, deliver all that is due, and leave.")
@click.option("--list-failpoints", is_flag=True, expose_value=False, is_eager=True, callback=_list_failpoints,
              help="For tests: the places at which MAILTICKET_FAIL can stop the program.")  # fmt: skip
@click.option("--mailboxes", metavar="NAMES", help="Collect these only, with commas between them.")
@click.option("--no-mailboxes", is_flag=True, help="Collect none: only send what waits to be sent.")
@json_option
@config_option
@click.pass_context
def run(ctx: click.Context, once: bool, mailboxes: str | None, no_mailboxes: bool, as_json: bool) -> int:
    """The daemon: take in mail and answer it until stopped. SIGTERM ends it, SIGHUP reads the configuration again."""
    from mailticket import observe

    settings = settings_of(ctx)
    pins = _pins(mailboxes, no_mailboxes)
    observe.set_up_logging(settings.log.level, settings.log.format)
    if not once:
        from mailticket.service.daemon import Daemon

        with _naming_who_runs(ctx):
            daemon = Daemon(lambda: _ready_settings(ctx, pins), mailboxes=pins)
        daemon.handle_signals()
        daemon.run()
        return 0
    from mailticket.service.once import run_once

    with _naming_who_runs(ctx):
        settings = _ready_settings(ctx, pins)
    tally = run_once(settings, pins)
    if as_json:
        print_json(tally.as_dict())
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')} {number}" for name, number in tally.as_dict().items()))
    for words in tally.left:
        click.echo(f"mailticket: {words}", err=True)
    for trouble in tally.troubles:
        click.echo(f"mailticket: {trouble}", err=True)
    return 75 if tally.troubles else 0


@contextmanager
def _naming_who_runs(ctx: click.Context) -> Iterator[None]:
    """A database that cannot be looked at is often held by a daemon that stands still: then say that, and which."""
    from mailticket.store.engine import Database
    from mailticket.store.lock import run_lock

    try:
        yield
    except WorldError:
        database = Database(settings_of(ctx).database.url)
        if not database.is_sqlite:  # which several run on, and none of them stands in the way
            raise
        try:
            with run_lock(database):
                raise
        finally:
            database.close()


def _pins(names: str | None, none: bool) -> frozenset[str] | None:
    """The mailboxes to which a host is pinned; None for all that are configured."""
    if none and names is not None:
        raise click.UsageError("--mailboxes and --no-mailboxes exclude each other")
    if none:
        return frozenset()
    if names is None:
        return None
    pins = frozenset(name.strip() for name in names.split(",") if name.strip())
    if not pins:
        raise click.UsageError("--mailboxes names none; --no-mailboxes collects none")
    return pins


def _ready_settings(ctx: click.Context, pins: frozenset[str] | None) -> Settings:
    """The configuration, if what `check` says of it lets us start; at a reload too."""
    from mailticket.upkeep.readiness import must_be_ready

    settings = settings_of(ctx)
    names = [mailbox.name for mailbox in settings.mailbox]
    if unknown := sorted((pins or frozenset()).difference(names)):
        problem = (
            f"run --mailboxes: no mailbox is called {', '.join(unknown)}; configured are {', '.join(names) or 'none'}"
        )
        raise ConfigurationError([problem])
    must_be_ready(settings, find_file(config_path(ctx), os.environ))
    return settings


@click.command()
@click.argument("process", type=click.IntRange(min=1), metavar="PID")
@click.option("--patience", type=float, default=80.0, show_default=True, metavar="SECONDS",
              help="How long to wait for the daemon's word.")  # fmt: skip
def reload(process: int, patience: float) -> int:
    """For the unit: have the daemon read its configuration again, and say what it made of it.

    Exit code 1 when it refused the new one, with every problem; the old one then stays. People run
    `systemctl reload mailticket`.
    """
    from mailticket.service.reload import ask

    result = ask(process, os.environ, patience)
    for problem in result.problems:
        click.echo(f"reload refused: {problem}", err=True)
    for note in result.notes:
        click.echo(note, err=True)
    return 1 if result.problems else 0


@click.command()
@click.option("--keep", is_flag=True, help="Leave the servers up and say how to reach them with a mail program.")
@click.option("--mail", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Feed a mail of your own (repeatable).")  # fmt: skip
def demo(keep: bool, files: tuple[Path, ...]) -> int:
    """Everything on this machine, no set-up: real mail servers on loopback, the real daemon, sample senders."""
    try:
        from mailticket.demo import run_demo
    except ModuleNotFoundError as missing:
        click.echo(f"The demo's mail servers are not installed ({missing.name}): {how_to_install('demo')}", err=True)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it leaves nothing behind, however it is ended
    return run_demo(sys.stdout, keep=keep, files=files)
