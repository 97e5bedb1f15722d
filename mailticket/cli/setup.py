"""`mailticket init`, `check`, `preview` and `key`: before the first start, and when something is to be looked at."""

from __future__ import annotations

import os
import shutil
import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailticket.cli import Group, terminal
from mailticket.cli.common import config_option, config_path, json_option, print_json, settings_or_none, site_of
from mailticket.config.files import shipped_folder
from mailticket.config.read import SYSTEM_FILE, find_file, read_settings

if TYPE_CHECKING:
    from mailticket.upkeep.readiness import Finding

_NEXT = """
Next:
  1. Set the addresses, hosts and passwords in {file}.
  2. mailticket check --config {file}
  3. mailticket run --once --config {file}     one round by hand
  4. systemctl enable --now mailticket         see docs/install.md
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a commented configuration into FOLDER (here, if none is named), asking nothing."""
    target = folder / "mailticket.toml"
    if target.exists():
        raise click.UsageError(f"{target} exists; it is not overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped_folder("config") / "mailticket.toml", target)
    target.chmod(0o600)  # a password may be written into it
    if target.resolve() == SYSTEM_FILE and os.geteuid() == 0:
        os.chown(target, -1, target.parent.stat().st_gid)  # the folder's group is the daemon's
        target.chmod(0o640)
    click.echo(f"{target} is written; every key stands in it with its default.")
    click.echo(_NEXT.format(file=target))


@click.command()
@click.option("--offline", is_flag=True, help="Connect to no server.")
@click.option("--deep", is_flag=True, help="Let the database check itself, however large it is.")
@json_option
@config_option
@click.pass_context
def check(ctx: click.Context, offline: bool, deep: bool, as_json: bool) -> int:
    """Say what is wrong, and what to do, as the daemon would meet it. Exit code 1 if anything is.

    Run by root it looks with the rights of the daemon's user.
    """
    from mailticket.upkeep.checkup import check_all

    path = config_path(ctx)
    settings, place = read_settings(path, os.environ), find_file(path, os.environ)
    findings: list[Finding] = []
    for finding in check_all(settings, place, datetime.now(UTC), offline=offline, deep=deep):
        if not as_json:
            _print_finding(finding, is_first=not findings or findings[-1].part != finding.part)
        findings.append(finding)
    wrong = sum(finding.level == "wrong" for finding in findings)
    if as_json:
        print_json({
            "ok": not wrong,
            "findings": [
                {"level": f.level, "subject": f.subject, "said": f.said, "remedy": f.remedy or None} for f in findings
            ],
        })  # fmt: skip
    else:
        notes = sum(finding.level == "note" for finding in findings)
        summary = f"{wrong} wrong." if wrong else "All is well."
        click.echo()
        click.echo(click.style(f"{summary} {notes} to note." if notes else summary, bold=True))
    return 1 if wrong else 0


def _print_finding(finding: Finding, *, is_first: bool) -> None:
    if is_first:
        click.echo(click.style(f"{finding.part}:", bold=True))
    sign, colour = {"ok": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "red")}[finding.level]
    lines = terminal.paragraph(f"{finding.subject}: {finding.said}", "    ", "    ", terminal.screen())
    click.echo(f"  {click.style(sign, fg=colour, bold=True)} " + "\n".join(lines).lstrip())
    # A remedy stays one line: it is there to be copied.
    if finding.remedy:
        click.echo(f"      → {finding.remedy}")


@click.command()
@click.argument("template", required=False)
@click.option("--language", default="en", show_default=True, help="en, zh-Hans, zh-Hant, or one of your own.")
@click.option("--html", "as_html", is_flag=True, help="Print the HTML.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the HTML to a file.")
@click.option("--browser", is_flag=True, help="Open the HTML in the browser.")
@click.option("--brand", default="", help="Under this name of a [[brand]] table.")
@config_option
@click.pass_context
def preview(
    ctx: click.Context,
    template: str | None,
    language: str,
    as_html: bool,
    target: Path | None,
    browser: bool,
    brand: str,
) -> int:
    """Look at a letter filled with a sample; without a name, list the letters."""
    from mailticket.letters import KINDS
    from mailticket.settings import Settings, Smtp, Support
    from mailticket.site import letterhead, open_letters, shipped_letters

    settings = settings_or_none(ctx)
    whose = next((one for one in settings.brand if one.name == brand), None) if settings else None
    if brand and whose is None:
        names = ", ".join(one.name for one in settings.brand) if settings else ""
        raise click.UsageError(f"there is no brand {brand!r}; there are: {names or 'none'}")
    settings = settings.of_brand(brand) if settings else None
    letters = open_letters(settings) if settings else shipped_letters()
    if template is None:
        click.echo(f"letters: {', '.join(KINDS)}\nlanguages: {', '.join(letters.languages)}")
        return 0
    kind = next((kind for kind in KINDS if kind == template.removesuffix(".j2")), None)
    if kind is None:
        raise click.UsageError(f"there is no letter {template!r}; there are {', '.join(KINDS)}")
    if not letters.has_language(language):
        raise click.UsageError(f"there are no letters in {language!r}; there are: {', '.join(letters.languages)}")
    if settings is None:
        support = Support(name="Example Support", address="support@example.com")
        settings = Settings(support=support, smtp=Smtp(host="localhost"))
    head = letterhead(settings, brand=whose)
    composed = letters.compose(letters.sample(kind, language, head, settings.support.prefix), head)
    for warning in composed.warnings:
        click.echo(click.style(f"! {warning}", fg="yellow"), err=True)
    if browser:
        descriptor, name = tempfile.mkstemp(prefix=f"mailticket-{kind}-", suffix=".html")
        os.close(descriptor)
        target = Path(name)
    if target is not None:
        target.write_text(composed.html, "utf-8")
        click.echo(f"{target} holds the HTML.")
        if browser:
            webbrowser.open(target.resolve().as_uri())
    elif as_html:
        click.echo(composed.html)
    else:
        click.echo(f"Subject: {composed.subject}\n\n{composed.text}")
    return 1 if composed.warnings else 0


@click.group(cls=Group)
def key() -> None:
    """The keys that sign our Message-IDs and reply addresses."""


@key.command()
@config_option
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Sign with a fresh key from now on; what older ones signed stays good."""
    from mailticket.store import meta

    with site_of(ctx) as site, site.database.write() as session:
        file = site.settings.support.key_file
        if file is None:
            meta.add_key(session, site.clock())
        else:
            meta.keep_key(session, site.keys[0], site.clock())
    if file is None:
        click.echo("A fresh key signs from now on. A running daemon takes it at its next reload (SIGHUP).")
    else:
        click.echo(f"What the key in {file} signed stays good. Now write another key into that file, for example with")
        click.echo(f"  head -c 32 /dev/urandom | base64 > {file}")
        click.echo("and reload the daemon: systemctl reload mailticket")
