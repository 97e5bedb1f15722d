"""The weekly report: its figures as a page that mail programs and browsers show, as text, and as a mail."""

from __future__ import annotations

import hashlib
import textwrap
from base64 import b64encode, encodebytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from markupsafe import Markup

from mailticket.letters.mime import content, encoded_text, entity, multipart
from mailticket.letters.values import Letterhead
from mailticket.mail.addresses import is_bare_address
from mailticket.text.clean import counted

_COLUMNS = ("Requests", "Kept", "Missed", "Median", "90 %")
_TH = "padding:6px 0 6px 4px; font-size:11px; line-height:16px; font-weight:normal; text-align:right; color:#5b6672;"
_TD = (
    "padding:5px 0 5px 7px; font-size:13px; line-height:20px; text-align:right; border-top:1px solid #e1e5ea; "
    "color:#1b2530;"
)
_LEFT = "text-align:left; padding-left:0; word-break:break-word;"  # a long name never widens the page
_STYLE = """\
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) { .pad { padding-left: 16px !important; padding-right: 16px !important; } }
@media (prefers-color-scheme: dark) {
.page { background-color: #10161c !important; }
.card { background-color: #1a222b !important; border-color: #2b3641 !important; }
.ink { color: #e8edf2 !important; }
.mute { color: #a7b3bf !important; }
.rule { border-color: #2b3641 !important; }
}"""
_SENTENCE = '<p class="ink" style="margin:0 0 12px; font-size:15px; line-height:22px; color:#1b2530;">{}</p>'
_FACT = """\
<p class="mute" style="margin:0; font-size:13px; line-height:18px; color:#5b6672;">{}</p>
<p class="ink" style="margin:0 0 10px; font-size:15px; line-height:21px; color:#1b2530;">{}</p>"""
_HEADING = """\
<h2 class="ink" style="margin:24px 0 8px; font-size:16px; line-height:22px; font-weight:bold; color:#1b2530;">{}</h2>"""
_IMAGE = """\
<img src="{}" alt="{}" width="536" style="display:block; width:100%; max-width:536px; border-radius:6px;">"""
_TABLE = """\
<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;">
{}
</table>"""
_WHOLE = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
_CARD = "padding:24px 32px; background-color:#ffffff; border:1px solid #e1e5ea; border-radius:12px;"
_FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_PAGE = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{title}}</title>
<style>
{_STYLE.replace("{", "{{").replace("}", "}}")}
</style>
</head>
<body class="page" style="margin:0; padding:0; background-color:#f2f4f6; -webkit-text-size-adjust:100%;">
<table {_WHOLE} class="page" style="background-color:#f2f4f6;">
<tr><td align="center" style="padding:16px 8px 32px;">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table {_WHOLE} style="max-width:600px; font-family:{_FONT};">
<tr><td class="card pad" style="{_CARD}">
<h1 class="ink" style="margin:0 0 4px; font-size:22px; line-height:30px; color:#1b2530;">{{title}}</h1>
<p class="mute" style="margin:0 0 18px; font-size:13px; line-height:19px; color:#5b6672;">{{window}}</p>
{{body}}
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of a report: its file's name, what it shows in words, and its PNG."""

    name: str
    alt: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What one report says. title: whose it is. since, until: of the requests in it, as their zone writes them.

    figures: as `mailticket report --json` has them, with those of follow-ups. plots: () without the extra.
    outlook: where no request arrived, when there will be something to report.
    """

    title: str
    since: datetime
    until: datetime
    figures: Mapping[str, Any]
    plots: Sequence[Plot] = ()
    outlook: str = ""

    @property
    def subject(self) -> str:
        what = counted(self.figures["requests"], "request")
        return f"[mailticket] report: {what} from {self.since:%d %b} to {self.until:%d %b %Y}"

    @property
    def window(self) -> str:
        since, until = (f"{at:%Y-%m-%d %H:%M}" for at in (self.since, self.until))
        return f"Requests that arrived from {since} to {until} ({self.until:%Z})"

    @property
    def empty(self) -> str:
        """What stands in place of the figures when no request arrived; "" when there are some."""
        return "" if self.figures["requests"] else f"No request arrived in this time. {self.outlook}".rstrip()


def facts(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The whole in a few lines: what it is, and its value."""
    share, follow_ups = figures["kept_share"], figures["follow_ups"]
    if not (figures["requests"] or follow_ups["answered"] or follow_ups["waiting"]):
        return []
    lines = [] if not figures["requests"] else [
        ("Requests", str(figures["requests"])),
        ("Promises", f"{figures['promised']} made, {figures['kept']} kept, {figures['missed']} missed, "
                     f"{figures['open']} open, {figures['unanswered']} closed without an answer"),
        ("Kept, of those decided", "none is decided yet" if share is None else f"{100 * share:.1f} %"),
        ("First answer", _within(figures) or "none yet"),
    ]  # fmt: skip
    again = f"{follow_ups['answered']} answered"
    if follow_ups["answered"]:
        again += f", {_within(follow_ups)}"
    if follow_ups["waiting"]:
        oldest = follow_ups["oldest_waiting"]
        since = f", the longest {oldest['id']}" if oldest else ""
        again += f"; {follow_ups['waiting']} wait{'s' if follow_ups['waiting'] == 1 else ''} now{since}"
    return [*lines, ("Those who wrote again", again)]


def _within(figures: Mapping[str, Any]) -> str:
    if figures["median_hours"] is None:
        return ""
    return f"half within {figures['median_hours']:.1f} h, 90 % within {figures['p90_hours']:.1f} h"


def _cells(tally: Mapping[str, Any]) -> tuple[str, ...]:
    share = tally["kept_share"]
    hours = ("" if tally[name] is None else f"{tally[name]:.1f}" for name in ("median_hours", "p90_hours"))
    return (str(tally["requests"]), "" if share is None else f"{100 * share:.0f} %", str(tally["missed"]), *hours)


def _sections(report: Report) -> list[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    figures = report.figures
    sections = (
        ("week of arrival", {_short(week): tally for week, tally in figures["weeks"].items()}),
        ("category", figures["categories"]),
        ("brand", figures["brands"]),
    )
    return [(f"By {what}, with hours to the first answer", groups) for what, groups in sections if groups]


def _short(week: str) -> str:
    """The number of a week and the last two digits of its year: W47/26."""
    year, _, number = week.partition("-")
    return f"{number}/{year[2:]}"


def text(report: Report) -> str:
    """The report in plain text, with the same figures as the page."""
    lines = [report.title, report.window, ""]
    if report.empty:
        lines += [*textwrap.wrap(report.empty, 76), ""]
    lines += [f"{name}: {value}" for name, value in facts(report.figures)]
    for title, groups in _sections(report) if report.figures["requests"] else ():
        wide = max(map(len, groups))
        lines += ["", title, "-" * len(title), f"{'':{wide}}" + "".join(f"{name:>10}" for name in _COLUMNS)]
        lines += [f"{name:{wide}}" + "".join(f"{cell:>10}" for cell in _cells(tally)) for name, tally in groups.items()]
    lines += [""] if lines[-1] else []
    return "\n".join([*lines, "`mailticket report` shows the same figures as they stand now.", ""])


def html(report: Report, sources: Sequence[str]) -> str:
    """The report as a page. sources: where each of its plots is found, `cid:` in a mail and `data:` in a file."""
    parts = [_filled(_FACT, name, value) for name, value in facts(report.figures)]
    if report.empty:
        parts.insert(0, _filled(_SENTENCE, report.empty))
    for plot, source in zip(report.plots, sources, strict=True):
        parts += [_filled(_HEADING, plot.alt), _filled(_IMAGE, source, plot.alt)]
    for title, groups in _sections(report) if report.figures["requests"] else ():
        parts += [_filled(_HEADING, title), _groups(groups)]
    return _filled(_PAGE, title=report.title, window=report.window, body=Markup("\n").join(parts))


def _filled(template: str, *values: object, **named: object) -> Markup:
    """A piece of the page, with values escaped into it."""
    return Markup(template).format(*values, **named)  # noqa: S704 - the pieces stand above


def _groups(groups: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = [_row("th", "mute", ("", *_COLUMNS))]
    rows += [_row("td", "ink rule", (name, *_cells(tally))) for name, tally in groups.items()]
    return _filled(_TABLE, Markup("\n").join(rows))


def _row(kind: str, classes: str, cells: Sequence[str]) -> Markup:
    style = _TH if kind == "th" else _TD
    styles = (f"{style} {_LEFT}", *[f"{style} white-space:nowrap;"] * (len(cells) - 1))
    cell = Markup('<{0} class="{1}" style="{2}">{3}</{0}>')
    return Markup("<tr>{}</tr>").format(
        Markup("").join(cell.format(kind, classes, one, text) for one, text in zip(styles, cells, strict=True))
    )


def report_file(report: Report) -> str:
    """The page as one file that holds its plots."""
    return html(report, [f"data:image/png;base64,{b64encode(plot.png).decode()}" for plot in report.plots])


def report_message(report: Report, head: Letterhead, to: str, message_id: str, date: datetime) -> bytes:
    """The report as SMTP takes it. Errors: ValueError for an address that cannot stand in a header."""
    if not is_bare_address(to):
        raise ValueError(f"to: {to!r} is not one bare address")
    name = hashlib.sha256(message_id.encode()).hexdigest()[:32]
    domain = head.address.rpartition("@")[2]
    ids = [f"{number}.{name}@{domain}" for number, _ in enumerate(report.plots)]
    page = entity(*content("html", html(report, [f"cid:{one}" for one in ids])))
    if report.plots:
        pictures = (_picture(plot, one) for plot, one in zip(report.plots, ids, strict=True))
        boundary = f"=_{name}-related"
        kind = f'multipart/related; type="text/html";\r\n boundary="{boundary}"'
        page = entity([("Content-Type", kind)], multipart(boundary.encode(), (page, *pictures)))
    body = multipart(f"=_{name}".encode(), (entity(*content("plain", text(report))), page))
    fields = [
        ("From", f"mailticket <{head.address}>"),
        ("To", to),
        ("Date", format_datetime(date.astimezone(UTC))),
        ("Message-ID", message_id),
        ("Subject", encoded_text(report.subject, "Subject")),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
        ("X-Auto-Response-Suppress", "All"),
        ("X-Loop", encoded_text(head.loop_mark, "X-Loop")),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="=_{name}"'),
    ]
    return entity(fields, body)


def _picture(plot: Plot, content_id: str) -> bytes:
    """A plot as a part that the page shows (RFC 2387, RFC 2392)."""
    fields = [
        ("Content-Type", f'image/png; name="{plot.name}"'),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-ID", f"<{content_id}>"),
        ("Content-Disposition", f'inline; filename="{plot.name}"'),
    ]
    return entity(fields, encodebytes(plot.png).replace(b"\n", b"\r\n"))
