"""The commands: they read words, print, and set exit codes; no logic of their own. Modules load when needed."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
import traceback
from pathlib import Path

import click

from mailticket import __version__
from mailticket.errors import ConfigurationError, MailticketError, NotAllowed, StoreDamaged, WorldError
from mailticket.service.memory import begin_without_seeking

FOUND_WRONG, USAGE = 1, 2
TRY_LATER, NOT_ALLOWED, BAD_CONFIGURATION = 75, 77, 78  # sysexits.h: EX_TEMPFAIL, EX_NOPERM, EX_CONFIG

_OF_A_STREAM = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

# command -> (module, one line of help): so that `--help` need not load the database and the mail libraries
COMMANDS = {
    "demo": ("running", "Everything on this machine, no set-up: embedded servers, sample senders."),
    "setup": ("installing", "As root: user, folders, configuration, unit, completion and man page."),
    "init": ("setup", "Write a commented configuration, asking nothing."),
    "check": ("setup", "Say what is wrong, and what to do: configuration, templates, database, servers."),
    "oauth2": ("oauth2", "Sign in to Microsoft 365, Google and others; say how long that holds."),
    "run": ("running", "The daemon: take in mail and answer it, until stopped."),
    "reload": ("running", "For the unit: have the daemon read its configuration again, and say how that went."),
    "status": ("status", "One screen: mailboxes, queue, promises, what is stuck and since when."),
    "report": ("report", "How promises were kept, and how long first answers took, by week and category."),
    "mail": ("mails", "Read a mail, take mails in from files, ask what became of one."),
    "quarantine": ("quarantine", "Mails that could not be taken in."),
    "ticket": ("tickets", "List, show, answer and tidy tickets."),
    "staff": ("staff", "Who works the desk, and what each of them has."),
    "person": ("people", "Block senders; show, export and forget what is held about a person."),
    "retention": ("retention", "What of closed tickets goes next, before it goes."),
    "notice": ("notices", "What requesters should know now: it stands first in letters while it lasts."),
    "outbox": ("outgoing", "What was sent, what waits, what is held back."),
    "backup": ("backups", "Write a backup, whole and checked, while the daemon works."),
    "restore": ("backups", "Put a backup into the place of the database; nothing leaves until --go."),
    "migrate-database": ("moving", "Move everything to another database, as from SQLite to PostgreSQL, or back."),
    "promise": ("promises", "What would have been promised over a recorded history."),
    "preview": ("setup", "Look at a letter with sample data."),
    "key": ("setup", "The keys that sign our mails."),
}


_LONGEST_SENTENCE = 300  # characters


class Group(click.Group):
    """Commands below a word: help says in a whole sentence what each does, an error which one may be meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            import difflib  # which no command that is written right has to wait for

            like = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            hint = f"; did you mean {like[0]!r}?" if like else ""
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_LONGEST_SENTENCE)) for name, one in commands if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class LazyGroup(Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"mailticket.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="The configuration (also after the command, or MAILTICKET_CONFIG).")
@click.version_option(__version__, prog_name="mailticket")
@click.pass_context
def root(ctx: click.Context, config: str | None) -> None:
    """mailticket: an email ticket daemon.

    It reads a support inbox, opens tickets and threads replies onto them, and answers each new request with its
    ticket ID and an honest date. Begin with `mailticket demo`, then `mailticket init`.
    """
    from mailticket.desk.protocol import own_account

    ctx.obj = {"config": config, "account": own_account()}


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 done, 1 found something wrong, 2 usage, 75 later, 77 not
    for this account, 78 bad file, 130 interrupted."""
    begin_without_seeking()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for some among all installed packages takes 30 ms
    _prepare_process()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `mailticket ticket list | head`
        code = 0
    except OSError as error:
        _complain(f"standard output takes nothing: {error.strerror or error}")
        code = TRY_LATER
    else:
        raise SystemExit(code)
    with contextlib.suppress(OSError):  # what is left in the buffer has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise SystemExit(code)


def _run(arguments: list[str] | None) -> int:
    """The command's exit code. No error of a command goes further than this, but for one of standard output."""
    try:
        code = root.main(args=arguments, prog_name="mailticket", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except SystemExit:  # click's own way out where a pipe was closed; ours is quieter
        raise BrokenPipeError from None
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except MailticketError as error:
        return _explain(error)
    except OSError as error:
        if error.filename is None and error.errno in _OF_A_STREAM:
            raise
        _complain(f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else str(error))
        return TRY_LATER
    except Exception as error:
        return _own_up(error)
    return code if isinstance(code, int) else 0


def _prepare_process() -> None:
    """Nothing that a shell can start us with ends in a traceback: closed streams, a terminal that knows fewer
    characters than our texts have, a working folder that is gone."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        Path.cwd()
    except OSError:
        os.chdir("/")


def _complain(words: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(f"mailticket: {words}", err=True)


def _own_up(error: Exception) -> int:
    """A defect: one line for a person, all of it for whoever asks. A mail server that pipes to us keeps its mail."""
    places = [place for place in traceback.extract_tb(error.__traceback__) if "mailticket" in place.filename]
    where = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    _complain(f"this is a defect of mailticket, please report it: {type(error).__name__}: {error}{where}")
    if os.environ.get("MAILTICKET_LOG__LEVEL", "").lower() == "debug":
        traceback.print_exception(error)
    else:
        _complain("MAILTICKET_LOG__LEVEL=debug before the command shows where it arose")
    return TRY_LATER


def _explain(error: MailticketError) -> int:
    """Say what went wrong on standard error; returns the exit code."""
    if isinstance(error, ConfigurationError):
        many = len(error.problems) > 1
        click.echo(click.style("The configuration cannot be used:", fg="red", bold=True, reset=True), err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}" if many else f"  {problem}", err=True)
        return BAD_CONFIGURATION
    click.echo(f"mailticket: {error}", err=True)
    if isinstance(error, NotAllowed):
        return NOT_ALLOWED
    if isinstance(error, StoreDamaged):
        return BAD_CONFIGURATION
    return TRY_LATER if isinstance(error, WorldError) else FOUND_WRONG
