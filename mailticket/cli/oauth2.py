"""`mailticket oauth2`: sign in to a provider, and see how long that holds."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import config_option, database_of, json_option, print_json, reading_of, settings_of
from mailticket.errors import SignInRefused

_WARNING_DAYS = 7


@click.group(cls=Group)
def oauth2() -> None:
    """Sign in to Microsoft 365, Google and other providers, and see how long that holds."""


@oauth2.command()
@click.argument("name", metavar="MAILBOX|smtp [BRAND]", nargs=-1, required=True)
@config_option
@click.pass_context
def login(ctx: click.Context, name: tuple[str, ...]) -> None:
    """Get the consent for a mailbox, for smtp, or for a brand's smtp; this machine needs no browser.

    What comes is kept encrypted in the database; the key lies beside it. For a flow without a person it is tried out.
    """
    from mailticket.oauth2.login import Person, log_in, server_named

    settings = settings_of(ctx)
    server = server_named(settings, " ".join(name))
    with database_of(settings) as database:
        try:
            account = log_in(
                database, settings, server, Person(_enter_code, _open_address), datetime.now(UTC), os.environ
            )
        except SignInRefused as error:
            raise SignInRefused(f"{error}; {error.remedy}") from None
    click.echo(f"{account.case.title} lets mailticket in as {account.case.username}.")
    click.echo("Next: mailticket check; a daemon that was refused before: systemctl reload mailticket")


def _enter_code(address: str, code: str) -> None:
    click.echo(f"On any machine with a browser, open\n\n  {_plain(address)}\n\nand enter the code  {_plain(code)}\n")
    click.echo("Waiting until that is done (Ctrl-C ends it) ...")


def _open_address(address: str) -> str:
    click.echo(f"On any machine with a browser, open\n\n  {_plain(address)}\n")
    click.echo("and consent. The browser then finds no page, which is right: copy the whole address that it shows.")
    answer: str = click.prompt("Paste it here", prompt_suffix=": ")
    return answer


def _plain(text: str) -> str:
    """A provider's text with nothing in it that a terminal would act on."""
    return "".join(character for character in text if character.isprintable())[:4000]


@oauth2.command()
@json_option
@config_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Each consent: whose, how old its token is, when it or the client secret ends, what is wrong."""
    from mailticket.oauth2.state import face, standings

    with reading_of(ctx) as (session, settings, now):
        faces = [face(standing) for standing in standings(session, settings)]
    if as_json:
        for each in faces:
            print_json(each)
        return
    if not faces:
        click.echo('Nothing signs in by OAuth2: no mailbox and no [smtp] has auth = "oauth2".')
    for each in faces:
        _print(each, now)


def _print(face: dict[str, Any], now: datetime) -> None:
    click.echo(click.style(", ".join(face["sign_ins"]), bold=True)
               + f"  {face['username']} at {face['provider']}, {face['flow']}")  # fmt: skip
    for words, moment in (("consent given", "consented_at"), ("refresh token had", "renewed_at"),
                          ("last used", "used_at")):  # fmt: skip
        if face[moment]:
            click.echo(f"  {words} {terminal.ago(datetime.fromisoformat(face[moment]), now)}")
    for words, moment in (("consent", "consent_ends_at"), ("client secret", "secret_ends_at")):
        if face[moment]:
            end = datetime.fromisoformat(face[moment])
            near = (end - now).days < _WARNING_DAYS
            click.echo(click.style(f"  {words} ends on {end:%Y-%m-%d}", fg="yellow" if near else None))
    if face["refusal"]:
        click.echo(click.style(f"  {face['refusal_text'] or 'nobody has consented yet'}", fg="red"))
        click.echo(f"  -> {face['remedy']}")
