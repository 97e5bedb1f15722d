"""What the commands share: where the configuration is, how the database is opened, how objects are printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailticket.config.read import find_file, read_settings
from mailticket.config.rights import work_as_owner
from mailticket.settings import Settings

if TYPE_CHECKING:  # the database is loaded only by the commands that open it
    from mailticket.site import Site
    from mailticket.store import Session
    from mailticket.store.engine import Database

F = TypeVar("F", bound=Callable[..., Any])


def _remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(dict)["config"] = value


config_option = click.option(
    "--config", metavar="FILE", expose_value=False, callback=_remember, is_eager=True, help="The configuration file."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class Number(click.types.IntParamType):
    """A whole number between two. Help shows no bounds, since nobody comes near most of them; an error does."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = super().convert(value, param, ctx)
        if not self.least <= number <= self.most:
            self.fail(f"{number} is not in the range from {self.least} to {self.most}", param, ctx)
        return number


_GREATEST = 2**31 - 1  # that a row's number in the database can be
ROW_NUMBER = Number(1, _GREATEST)
limit_option = click.option("--limit", type=Number(0, _GREATEST), metavar="N", help="At most N rows.")


def settings_of(ctx: click.Context) -> Settings:
    """The configuration that this call means; a call of root then works as the owner of the database.

    Raises ConfigurationError, and NotAllowed for an account that may not read what is needed.
    """
    settings = read_settings(config_path(ctx), os.environ)
    work_as_owner(settings)
    return settings


def config_path(ctx: click.Context) -> Path | None:
    path = (ctx.obj or {}).get("config")
    return Path(path) if path else None


def settings_or_none(ctx: click.Context) -> Settings | None:
    """The configuration, or None where there is none: for commands that are useful without."""
    if find_file(config_path(ctx), os.environ) is None:
        return None
    return settings_of(ctx)


_LONG = 20_000  # tickets; fewer are done in seconds


def _preparing(done: int, total: int) -> None:
    if total > _LONG:
        click.echo(f"The search index is built for this release: {done} of {total} tickets.", err=True)


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The configured database, brought up to date, closed at the end."""
    from mailticket.store import schema
    from mailticket.store.engine import Database

    database = Database(settings.database.url)
    try:
        schema.prepare(database, _preparing)
        yield database
    finally:
        database.close()


@contextmanager
def reading_of(ctx: click.Context) -> Iterator[tuple[Session, Settings, datetime]]:
    """A read-only view of the database, the settings and the time: for commands that show what is there, without the
    letters, categories and keys that only work needs."""
    settings = settings_of(ctx)
    with database_of(settings) as database, database.read() as session:
        yield session, settings, datetime.now(UTC)


def loop_mark_of(settings: Settings) -> str:
    """The mark by which an installation knows its own mails; "" while it has no database that can be asked."""
    from mailticket.errors import StoreUnavailable
    from mailticket.store import meta
    from mailticket.store.engine import Database

    database = Database(settings.database.url)
    try:
        if database.file is not None and not database.file.exists():
            return ""
        with database.read() as session:
            return meta.value(session, "instance")
    except StoreUnavailable:
        return ""
    finally:
        database.close()


@contextmanager
def site_of(ctx: click.Context) -> Iterator[Site]:
    """Everything that is built from the configuration, around an open database."""
    from mailticket.site import open_site

    settings = settings_of(ctx)
    with database_of(settings) as database:
        yield open_site(settings, database)


def print_json(value: Any) -> None:
    """One JSON object on one line, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    click.echo(text.encode("utf-8", "replace"))  # whatever the terminal's encoding


def account_of(ctx: click.Context) -> str:
    """Who runs the command, as the history of a ticket names them: the account, before root works as another."""
    account: str = ctx.obj["account"]
    return account


def read_text(text: str | None) -> str:
    """The text given as an option, or standard input; what is no text of UTF-8, and NUL, become marks."""
    raw = text.encode("utf-8", "surrogateescape") if text is not None else sys.stdin.buffer.read()
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")
