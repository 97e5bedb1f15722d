"""The manual pages, made from what `--help` says and from the shipped configuration, so that they cannot differ."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from mailticket import __version__
from mailticket.config.files import shipped_folder

_FILES = """.SH FILES
.TP
.I /etc/mailticket/mailticket.toml
The configuration, see
.BR mailticket.toml (5).
.TP
.I /etc/mailticket/credentials/
Passwords, a file each:
.IR imap\\-password ,
.IR smtp\\-password ,
and
.I imap\\-password\\-NAME
for a mailbox NAME with one of its own.
.TP
.I /var/lib/mailticket/mailticket.db
The database: tickets, letters, and every mail as it came.
"""

_STATUS = """.SH EXIT STATUS
.TP
.B 0
Done, or all is well.
.TP
.B 1
Something is wrong, and was said.
.TP
.B 2
The command line was not understood.
.TP
.B 75
Another process holds the database, or the world is not as it should be; try again later.
.TP
.B 77
The account that ran the command may not read what it needs.
.TP
.B 78
The configuration cannot be used.
"""


def commands(root: click.Group) -> str:
    """mailticket(1), in roff."""
    lines = [
        f'.TH MAILTICKET 1 "" "mailticket {__version__}" "User Commands"',
        ".SH NAME",
        "mailticket \\- an email ticket daemon",
        ".SH SYNOPSIS",
        ".B mailticket",
        "[\\fB\\-\\-config\\fR \\fIFILE\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(root.help or ""),
        ".SH COMMANDS",
    ]
    with click.Context(root, info_name="mailticket") as ctx:
        for name, command in _walk(root, ctx, ""):
            lines += _command(name, command, ctx)
    return "\n".join(lines) + "\n" + _FILES + _STATUS + ".SH SEE ALSO\n.BR mailticket.toml (5),\n.BR systemctl (1)\n"


def configuration() -> str:
    """mailticket.toml(5), in roff: the shipped file, in which every key stands with what it means."""
    text = (shipped_folder("config") / "mailticket.toml").read_text("utf-8")
    return "\n".join(
        [
            f'.TH MAILTICKET.TOML 5 "" "mailticket {__version__}" "File Formats"',
            ".SH NAME",
            "mailticket.toml \\- the configuration of mailticket",
            ".SH DESCRIPTION",
            "The file as it is shipped:",
            ".PP",
            ".nf",
            *map(_escaped, text.splitlines()),
            ".fi",
            ".SH SEE ALSO",
            ".BR mailticket (1)",
            "",
        ]
    )


def _walk(group: click.Group, ctx: click.Context, above: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from _walk(command, ctx, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def _command(name: str, command: click.Command, ctx: click.Context) -> list[str]:
    usage = " ".join(_escaped(piece) for piece in command.collect_usage_pieces(ctx))
    lines = [".SS", f"\\fBmailticket {_escaped(name)}\\fR {usage}", *_paragraphs(command.help or "")]
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and "--help" not in record[0]:
            lines += [".TP", f"\\fB{_escaped(record[0])}\\fR", _escaped(record[1])]
    return lines


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines += [".PP", _escaped(" ".join(paragraph.replace("\b", "").split()))]
    return lines


def _escaped(text: str) -> str:
    """A line of text as roff shows it: no escape, no request, and hyphens that can be copied."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
