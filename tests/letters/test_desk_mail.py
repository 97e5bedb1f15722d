"""A desk mail on the wire and as a page: harmless whoever wrote to us, short lines, the same in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailticket.letters import File, Letterhead
from mailticket.letters.desk_mail import DeskMail, author_name, desk_message, desk_subject, encoded_files
from mailticket.letters.desk_text import Entry, FileLine, Listed, Pen, Receipt, TicketView
from mailticket.letters.desk_words import CHINESE, ENGLISH, HELP
from mailticket.letters.programs import is_program
from mailticket.mail.desk_marker import is_opening, marker_span
from mailticket.triage.orders import COMMANDS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEAD = Letterhead("Coin Harbor", "support@coinharbor.com", "mark-1", ZoneInfo("Europe/Berlin"))
MAIL = DeskMail(
    to="mia@coinharbor.com", message_id="<desk.x.1.mia.ask.1.abc@coinharbor.com>", date=NOW, subject="[MT-1] cannot",
    text="Hello\n", language="en", event="new", author="Bob", ticket_key="MT-1", team="rest", priority="urgent",
)  # fmt: skip


def wire(**changes: Any) -> Any:
    from dataclasses import replace

    return message_from_bytes(desk_message(replace(MAIL, **changes), HEAD), policy=policy.default)


def pen(language: str = "en") -> Pen:
    from dataclasses import replace

    return Pen(replace(HEAD, language=language), NOW)


def view(**changes: Any) -> TicketView:
    values: dict[str, Any] = {"key": "MT-1", "subject": "cannot log in", "requester": "Bob", "trust": "verified",
                              "address": "bob@mail.example", "priority": "urgent", "status": "new"}  # fmt: skip
    return TicketView(**{**values, **changes})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bob Miller", "Bob Miller"),
        ("mia@coinharbor.com", ""),
        ("Mia ＠ Coin Harbor", ""),
        ("https://evil.example", ""),
        ("Mia <mia", ""),
        ("Bob\r\nBcc: eve@evil.example", ""),
        ("Bob\r\nX-Header: 1", "Bob X-Header: 1"),
        ("\u202eboB\u200b", "boB"),
    ],
)
def test_a_name_in_from_is_a_name_and_nothing_else(name: str, shown: str) -> None:
    assert author_name(name) == shown
    read = wire(author=name)
    assert str(read["From"].addresses[0].addr_spec) == HEAD.address and len(read["From"].addresses) == 1
    assert read["From"].addresses[0].display_name == (f"{shown} via Coin Harbor" if shown else "Coin Harbor")
    assert read["Bcc"] is None and read["X-Header"] is None


def test_what_filters_read_is_of_our_own_words() -> None:
    read = wire(team="rest\r\nX-Evil: 1", event="receipt-held")
    assert read["X-Evil"] is None and read["X-Mailticket-Event"] == "receipt-held"
    assert read["X-Loop"] == "mark-1" and read["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("change", [{"to": "mia@coinharbor.com, x@evil.example"}, {"message_id": "<a b@c>"},
                                    {"reply_to": "x@y.example\r\nBcc: z@z.example"}])  # fmt: skip
def test_what_can_stand_in_no_header_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"@"):
        wire(**change)


def test_a_hostile_text_stays_text_and_every_line_is_bounded() -> None:
    hostile = ".\r\nFrom me\n<script>\x00\x1b[31m" + "x" * 5_000
    raw = desk_message(DeskMail(**{f: getattr(MAIL, f) for f in MAIL.__slots__} | {"text": hostile}), HEAD)
    assert max(map(len, raw.split(b"\r\n"))) <= 998 and b"\r\n.\r\n" not in raw
    read = message_from_bytes(raw, policy=policy.default)
    assert read.get_content_type() == "text/plain"


def test_files_are_parts_behind_the_text() -> None:
    files = encoded_files([File("Konto Auszug.pdf", "application/pdf", b"%PDF")])
    read = wire(parts=files)
    [part] = read.iter_attachments()
    assert part.get_filename() == "Konto Auszug.pdf" and part.get_payload(decode=True) == b"%PDF"
    assert read.get_body(("plain",)).get_content().strip() == "Hello"


@pytest.mark.parametrize(
    ("file", "held_back"),
    [
        (File("a.png", "image/png", b"\x89PNG"), False),
        (File("statement.pdf", "application/pdf", b"%PDF"), False),
        (File("table.xlsx", "application/vnd.openxmlformats", b"PK\x03\x04"), False),
        (File("log.txt", "text/plain", b"12:00 started"), False),
        (File("run.EXE", "application/octet-stream", b""), True),
        (File("photo.jpg.exe ", "image/jpeg", b""), True),
        (File("photo.jpg", "image/jpeg", b"MZ\x90"), True),
        (File("notes", "text/plain", b"#!/bin/sh"), True),
        (File("notes", "application/x-msdownload", b""), True),
        (File("page.html", "text/html", b""), True),
        (File("page", "TEXT/HTML", b""), True),
        (File("drawing.svg", "image/svg+xml", b""), True),
        (File("logs.zip", "application/zip", b"PK\x03\x04"), True),
        (File("logs.dat", "application/octet-stream", b"PK\x03\x04"), True),
        (File("macro.docm", "application/msword", b""), True),
        (File("mail.eml", "message/rfc822", b""), True),
    ],
)
def test_what_may_run_something_or_hold_what_does_is_never_attached(file: File, held_back: bool) -> None:
    assert is_program(file) is held_back


def test_the_subject_of_a_ticket_is_the_same_whatever_reply_prefixes_come() -> None:
    assert {desk_subject("MT-1", text) for text in ("Help", "Re: Help", "AW: [MT-1] Help", "回复：Help")} == {
        "[MT-1] Help"
    }
    assert desk_subject("MT-1", "") == "[MT-1]"


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_the_first_lines_are_those_by_which_answers_are_cut(language: str) -> None:
    for goes in ("answer", "note", "order"):
        first, marker = pen(language).opening(goes, "abc2345", "Bob <bob@mail.example>").splitlines()  # type: ignore[arg-type]
        assert is_opening(first)
        span = marker_span(marker, "abc2345")
        assert span is not None and span[0] == 0
    held = pen(language).opening("order", "abc2345", held=True)
    assert "#send" in held or "#发送" in held


def test_both_languages_say_the_same_with_the_same_values() -> None:
    def values(words: Mapping[str, str]) -> dict[str, set[str]]:
        return {name: {field for _, field, _, _ in Formatter().parse(text) if field} for name, text in words.items()}

    chinese = values(CHINESE)  # which has words for the codes of reasons, whose sentences are English
    assert values(ENGLISH) == {name: fields for name, fields in chinese.items() if not name.startswith("reason-")}
    assert HELP["en"].keys() == HELP["zh-Hans"].keys()
    assert {command.word for command in COMMANDS} | {"top", "queries"} == HELP["en"].keys()


def test_a_requesters_words_are_set_in_so_that_none_can_pass_for_ours() -> None:
    forged = "Your answer stays inside: a note.\n--- write above this line - abc2345 ---\n== note by tom =="
    page = pen().ticket(view(newest=Entry("in", "Bob", NOW, forged)))
    assert all(line.startswith("  ") for line in page.splitlines() if "answer stays" in line or "tom" in line)


def test_a_page_names_what_it_leaves_out() -> None:
    before = tuple(Entry("in", "Bob", NOW, f"mail {number} " + "y" * 3_000) for number in range(12))
    newest = Entry("in", "Bob", NOW, "z" * 60_000, hidden=7, files=(FileLine(3, "a.exe", 2_000_000, "program"),))
    page = pen().ticket(view(newest=newest, before=before, earlier=5))
    assert "7 lines of history" in page and "cut short: mailticket ticket show MT-1" in page
    assert "* 3: a.exe, 2.0 MB, not attached: a program or an archive" in page
    assert "mailticket ticket attachment 3" in page
    shown = sum(f"mail {number} " in page for number in range(12))
    assert shown < 10 and f"{17 - shown} earlier messages" in page
    assert len(page) < 80_000


def test_lists_read_in_eighty_columns_and_bound_themselves() -> None:
    rows = [
        Listed(f"MT-TPSA-20D{n}", "s" * 200, "r" * 30, "urgent", "new", NOW + timedelta(hours=3)) for n in range(60)
    ]
    page = pen().listed(rows)
    assert max(map(len, page.splitlines())) <= 80
    assert page.count("MT-TPSA") == 50 and "and 10 more" in page


def test_a_receipt_of_an_unknown_code_still_says_its_reasons() -> None:
    page = pen().receipt(Receipt("never-heard-of", (("x", "Because of\nthis."),), "my words"))
    assert page.startswith("What became of your mail.") and "* Because of this." in page and "  my words" in page
