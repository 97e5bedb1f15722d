"""`mailticket setup`: as root after `pip install`, everything that makes the program a service."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mailticket.cli import manual
from mailticket.errors import Refused
from mailticket.upkeep import installation

_NEXT = """
Next:
  1. Set the addresses and hosts in /etc/mailticket/mailticket.toml.
  2. Write the passwords into /etc/mailticket/credentials, and run `mailticket check`.
  3. systemctl enable --now mailticket"""


def texts() -> dict[str, str]:
    """Completion and manual pages, by path below share/."""
    from click.shell_completion import get_completion_class

    from mailticket.cli import root

    completions = {
        "bash": "bash-completion/completions/mailticket",
        "zsh": "zsh/site-functions/_mailticket",
        "fish": "fish/vendor_completions.d/mailticket.fish",
    }
    files = {"man/man1/mailticket.1": manual.commands(root), "man/man5/mailticket.toml.5": manual.configuration()}
    for shell, file in completions.items():
        completion = get_completion_class(shell)
        assert completion is not None  # click knows all three
        files[file] = completion(root, {}, "mailticket", "_MAILTICKET_COMPLETE").source().strip() + "\n"
    return files


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--remove", is_flag=True, help="Stop the service and take its files away; configuration and database stay."
)
@click.option("--package", "folder", type=click.Path(path_type=Path, file_okay=False), hidden=True,
              help="For the Debian package: write its files below this folder.")  # fmt: skip
@click.option("--prefix", default="/usr/lib/mailticket", hidden=True, help="Where the package installs the program.")
def setup(dry_run: bool, remove: bool, folder: Path | None, prefix: str) -> int:
    """As root, make what pip installed a service: user, folders, configuration, unit, completion and man page.

    Each thing is done once; to run it again, as after an upgrade, changes only what is not as it should be. A
    configuration that is there is never touched.
    """
    if folder is not None:
        _write_package(folder, prefix)
        return 0
    if os.geteuid() != 0:
        raise click.UsageError("this makes users and files of the system: run it as root, or with sudo")
    if obstacle := installation.obstacle():
        raise click.UsageError(obstacle)
    for step in (installation.removal if remove else installation.steps)(texts()):
        if step.is_done():
            click.echo(f"already so: {step.what}")
        elif dry_run:
            click.echo(f"to do:      {step.what}")
        else:
            try:
                step.do()
            except OSError as error:
                raise Refused(f"{step.what}: {error.strerror or error}") from None
            click.echo(f"done:       {step.what}")
    if dry_run:
        click.echo("Nothing was changed.")
    elif not remove:
        click.echo(_NEXT)
    return 0


def _write_package(folder: Path, prefix: str) -> None:
    for place, text in installation.shared_files(installation.PACKAGED, prefix, "/usr", texts()).items():
        target = folder / place.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
