"""What leaves of a staff member's answer, by mail program, and what is held because it cannot be told."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail import read
from mailticket.mail.desk_marker import OPENINGS, marker_line, marker_span
from mailticket.mail.staff_cut import StaffCut, staff_cut
from mailticket.mail.values import Mail, Ourselves
from tests.mail.replies import DISCLAIMER, REPLIES, SUPPORT, SYMBOLS, Reply, desk_mail, mail_of, quoted, table

SITE = Ourselves(own_addresses=frozenset({SUPPORT}))
NAMES = ("via CoinHarbor",)
WORDS = "Hi Bob,\n\nplease try again: your account is open now.\n\nKind regards\nMia"
WORDS_ZH = "王女士，您好！\n\n您的账户已经恢复，请重新登录。\n\n祝好\nMia"


def cut_of(raw: bytes, symbols: str = SYMBOLS) -> StaffCut:
    return staff_cut(read(raw, SITE), SITE, symbols, NAMES)


def dense(cut: StaffCut) -> StaffCut:
    """A cut without empty lines, which HTML sets around every paragraph of Word."""
    return replace(cut, text="\n".join(line for line in cut.text.split("\n") if line))


def words_of(reply: Reply) -> str:
    return WORDS if reply.language == "en" else WORDS_ZH


def bodies(reply: Reply, words: str, desk: str) -> dict[str, tuple[str | None, str | None]]:
    """The forms in which a program may send a reply."""
    plain = reply.plain(words, desk)
    if reply.rich is None:
        return {"plain": (plain, None)}
    rich = reply.rich(words, desk)
    return {"plain": (plain, None), "html": (None, rich), "both": (plain, rich)}


BODIES = [pytest.param(reply, form, id=f"{reply.program}, {form}") for reply in REPLIES
          for form in bodies(reply, "", "")]  # fmt: skip


@pytest.mark.parametrize(("reply", "form"), BODIES)
def test_of_a_reply_only_the_new_words_leave(reply: Reply, form: str) -> None:
    raw = mail_of(*bodies(reply, words_of(reply), desk_mail(reply.language))[form])
    assert dense(cut_of(raw)) == dense(StaffCut(words_of(reply), sure=True, why="marker", below_marker=True))


@pytest.mark.parametrize(("reply", "form"), BODIES)
def test_a_reply_without_a_word_is_empty_whatever_it_quotes(reply: Reply, form: str) -> None:
    raw = mail_of(*bodies(reply, "", desk_mail(reply.language))[form])
    assert cut_of(raw) == StaffCut("", sure=False, why="empty", below_marker=True)


@pytest.mark.parametrize(("reply", "form"), BODIES)
def test_where_the_marker_was_lost_the_heading_that_names_us_serves(reply: Reply, form: str) -> None:
    raw = mail_of(*bodies(reply, words_of(reply), desk_mail(reply.language, marker=""))[form])
    assert dense(cut_of(raw)) == dense(StaffCut(words_of(reply), sure=True, why="top-posted"))


@pytest.mark.parametrize(("reply", "form"), BODIES)
def test_without_a_word_and_without_the_marker_it_is_empty_too(reply: Reply, form: str) -> None:
    desk = desk_mail(reply.language, marker="")
    cut = cut_of(mail_of(*bodies(reply, "", desk)[form]))
    assert (cut.text, cut.sure) == ("", False)


LEAD = f"On Mon, Nov 2, 2026 at 10:15 AM Bob Miller via CoinHarbor <{SUPPORT}> wrote:"
BLOCK = f"From: Bob Miller via CoinHarbor <{SUPPORT}>\nSent: Monday, November 2, 2026 10:15 AM\nTo: Mia\nSubject: x"
BANK = "From: Bank <info@bank.example>\nSent: Monday, November 2, 2026 9:15 AM\nTo: us\nSubject: x"
BLOCK_WITHOUT_US = BLOCK.replace("via CoinHarbor", "").replace(SUPPORT, "relay@mail.example")
FORWARD = f"---------- Forwarded message ---------\n{BLOCK}"
MARKER = marker_line(SYMBOLS)
OPENING = f"{OPENINGS['answer']['en']} Bob Miller <bob@mail.example> as CoinHarbor Support"
DESK = desk_mail()
NO_MARKER = desk_mail(marker="")

# What must be held, and the code that says why.
HELD = {
    "below the quote": (f"{LEAD}\n{quoted(DESK)}\n\n{WORDS}", "bottom-posted"),
    "below the quote, marker lost": (f"{LEAD}\n{quoted(NO_MARKER)}\n\n{WORDS}", "bottom-posted"),
    "between the lines": (f"{LEAD}\n{quoted(DESK)}\nIt works now.\n> more\n", "bottom-posted"),
    "above and between": (f"Hi Bob\n\n{LEAD}\n{quoted(DESK)}\nIt works now.\n> more\n", "inline"),
    "above and between, marker lost": (f"Hi Bob\n\n{LEAD}\n{quoted(NO_MARKER)}\nIt works now.\n> more\n", "inline"),
    "above and below": (f"Hi Bob\n\n{LEAD}\n{quoted(DESK)}\n\nIt works now.", "inline"),
    "answers to lines that were picked": (
        f"> I cannot log in\n\nIt works now.\n\n{LEAD}\n{quoted(DESK)}", "bottom-posted"),
    "between the header block and our first line": (f"Hi\n\n{BLOCK}\n\nIt works now.\n\n{DESK}", "inline"),
    "right above the marker, in the quote": (
        f"{BLOCK}\n\n{OPENING}\n\nIt works now.\n\n{MARKER}\n\nmore", "bottom-posted"),
    "a pasted header block": (
        f"The bank says:\n\n{BANK}\n\nIt is done.\n\n{LEAD}\n{quoted(DESK)}", "inline"),
    "a pasted header block, nothing else": (
        f"See:\n\n{BANK}\n\nDone.",
        "no-marker"),
    "the requester's own mail answered, our address only in To": (
        f"Done.\n\n{BANK.replace('To: us', f'To: {SUPPORT}')}\n\n#close",
        "no-marker"),
    "pointing at a quote without marks": (f"Hi, my answers are below in red.\n\n{BLOCK}\n\n{DESK}", "points-down"),
    "pointing at it, marker lost": (f"Hi, see my comments below.\n\n{BLOCK}\n\n{NO_MARKER}", "points-down"),
    "pointing at it, Chinese": (f"您好，见下文红字。\n\n{BLOCK}\n\n{DESK}", "points-down"),
    "a sentence like our first line": ("Hi,\n\nYour answer goes to the bank.\n\nMia", "no-marker"),
    "a heading in a language nobody taught us": (
        f"Done.\n\nจาก: Bob via CoinHarbor <{SUPPORT}>\nส่ง: x\n\n{DESK}", "heading"),
    "such a heading, marker lost": (f"Done.\n\nจาก: Bob via CoinHarbor <{SUPPORT}>\nส่ง: x\n\nI cannot.", "no-marker"),
    "a marker with other symbols above ours": (
        f"Done.\n\n{marker_line('zzzzzzz')}\n\nx\n\n{LEAD}\n{quoted(DESK)}", "other-marker"),
    "a marker with other symbols alone": (f"Done.\n\n{marker_line('zzzzzzz')}\n\n#close", "other-marker"),
    "a marker with other symbols below a signature": (
        f"Done.\n\n-- \nMia\n\n{marker_line('zzzzzzz')}\n\n#close", "other-marker"),
    "a forward": (f"For you.\n\n{FORWARD}\n\n{DESK}", "forward"),
    "a forward, marker lost": (f"For you.\n\n{FORWARD}\n\n{NO_MARKER}", "forward"),
    "a forward as Apple writes it": (f"For you.\n\n{quoted(FORWARD)}\n{quoted(DESK)}", "forward"),
    "the same, marker lost": (f"For you.\n\n{quoted(FORWARD)}\n{quoted(NO_MARKER)}", "forward"),
    "long text below dashes without their blank": (
        "One:\n--\n" + "\n".join(f"line {at}" for at in range(20)) + f"\n\n{LEAD}\n{quoted(DESK)}", "signature"),
    "a line that may be a phone's": (f"Done.\n\nSent from Hamburg\n\n{LEAD}\n{quoted(DESK)}", "signature"),
    "the same without a quote": ("Done.\n\nSent from Hamburg", "signature"),
    "a command that the requester wrote": (f"{LEAD}\n{quoted('#close')}", "empty"),
    "an attribution and nothing": (LEAD, "empty"),
    "nothing": ("", "empty"),
    "a phone's line alone": (f"Sent from my iPhone\n\n{LEAD}\n{quoted(DESK)}", "empty"),
    "a signature alone": (f"-- \nMia\n\n{LEAD}\n{quoted(DESK)}", "empty"),
    "an answer of a megabyte": ("x" * 300_000 + f"\n\n{LEAD}\n{quoted(DESK)}", "too-long"),
}  # fmt: skip


@pytest.mark.parametrize("case", HELD)
def test_what_cannot_be_told_is_held(case: str) -> None:
    text, why = HELD[case]
    cut = cut_of(mail_of(text))
    assert (cut.sure, cut.why) == (False, why)
    assert "#close" not in cut.text and "cannot log in" not in cut.text


# What leaves, though it looks a little like something that must not.
KEPT = {
    "no quotation": ("Done.\n\nMia", "Done.\n\nMia", "nothing-quoted"),
    "a list with dashes": ("- one\n- two", "- one\n- two", "nothing-quoted"),
    "a line of dashes between parts": ("One\n-----\nTwo", "One\n-----\nTwo", "nothing-quoted"),
    "the word below in an answer": (
        f"Please follow the steps below:\n1. x\n2. y\n\n{BLOCK}\n\n{DESK}",
        "Please follow the steps below:\n1. x\n2. y", "marker"),
    "pointing at a quote to which nothing was added": (
        f"See my comments below.\n\n{LEAD}\n{quoted(DESK)}", "See my comments below.", "marker"),
    "in Chinese": (f"请按以下步骤操作：\n1. x\n\n{BLOCK}\n\n{DESK}", "请按以下步骤操作：\n1. x", "marker"),
    "our address in an answer that has a heading": (
        f"Write to {SUPPORT} next time.\n\n{LEAD}\n{quoted(DESK)}", f"Write to {SUPPORT} next time.", "marker"),
    "what was sent by wire": (f"It was sent via SWIFT. Wait a day.\n\n{LEAD}\n{quoted(DESK)}",
                              "It was sent via SWIFT. Wait a day.", "marker"),
    "programs in a list": (f"It works with\nOutlook\nGmail\n\n{LEAD}\n{quoted(DESK)}",
                           "It works with\nOutlook\nGmail", "marker"),
    "one confidential word": (f"Keep your code confidential.\n\n{LEAD}\n{quoted(DESK)}",
                              "Keep your code confidential.", "marker"),
    "a phone's line in the midst": (f"Done.\n\nSent from my iPhone\n\nPS: thanks\n\n{LEAD}\n{quoted(DESK)}",
                                    "Done.\n\nPS: thanks", "marker"),
    "no heading at all above the marker": (f"Done.\n\n{DESK}", "Done.", "marker"),
    "an answer on the attribution's line": (f"Done. {LEAD}\n{quoted(DESK)}", "Done.", "marker"),
    "a warning that the writer wrote": (f"Done.\n\nCaution: the old code is void.\n\n{LEAD}\n{quoted(DESK)}",
                                        "Done.\n\nCaution: the old code is void.", "marker"),
    "the same without a heading": (f"Done.\n\nCaution: the old code is void.\n\n{MARKER}\n",
                                   "Done.\n\nCaution: the old code is void.", "marker"),
    "an older marker below ours": (f"Done.\n\n{LEAD}\n{quoted(DESK + chr(10) + marker_line('zzzzzzz'))}",
                                   "Done.", "marker"),
    "our first line wrapped": (
        f"Done.\n\n{LEAD}\nYour answer goes to Bob Miller\n<bob@mail.example> as\n{MARKER}", "Done.", "marker"),
    "the marker wrapped, its end without a mark": (
        f"Done.\n\n{LEAD}\n> --- write above this line -\n{SYMBOLS} ---\n{quoted('#close')}", "Done.", "marker"),
    "dashes without their blank above a short signature": (f"Done.\n\n--\nMia Berg\n\n{LEAD}\n{quoted(DESK)}",
                                                          "Done.", "marker"),
    "a long signature below its mark": (
        "Done.\n\n-- \n" + "Mia\n" * 30 + f"\n{LEAD}\n{quoted(DESK)}", "Done.", "marker"),
    "a notice of several paragraphs": (
        f"Done.\n\n{DISCLAIMER}\n\nE-mail is not secure: any disclosure is yours.\n\nPlease consider the environment "
        f"before printing this.\n\n{LEAD}\n{quoted(DESK)}", "Done.", "marker"),
    "a sentence with one sign of a notice": (
        f"Done.\n\nAny disclosure of the code is dangerous.\n\n{LEAD}\n{quoted(DESK)}",
        "Done.\n\nAny disclosure of the code is dangerous.", "marker"),
    "a virus scanner's line below all": (
        f"Done.\n\n{LEAD}\n{quoted(DESK)}\n\nVirus-free. www.avast.com", "Done.", "marker"),
    "a program's line with its link below": (
        f"Done.\n\nGet Outlook for iOS\n<https://aka.ms/o0ukef>\n\n{LEAD}\n{quoted(DESK)}", "Done.", "marker"),
    "a link that ends the answer": (
        f"See\nhttps://help.coinharbor.example/x\n\n{LEAD}\n{quoted(DESK)}",
        "See\nhttps://help.coinharbor.example/x", "marker"),
    "commands": (f"#take\n#solved\n\nDone.\n\n{LEAD}\n{quoted(DESK)}", "#take\n#solved\n\nDone.", "marker"),
    "our first line below a heading that does not name us": (
        f"Done.\n\n{BLOCK_WITHOUT_US}\n\n{OPENING}\n\nI cannot log in.", "Done.", "top-posted"),
}  # fmt: skip


@pytest.mark.parametrize("case", KEPT)
def test_what_only_looks_doubtful_leaves(case: str) -> None:
    text, expected, why = KEPT[case]
    cut = cut_of(mail_of(text))
    assert (cut.text, cut.sure, cut.why) == (expected, True, why)


def test_what_stands_below_the_quote_is_shown_to_its_writer() -> None:
    cut = cut_of(mail_of(f"{LEAD}\n{quoted(DESK)}\n\nIt works now.\n\n-- \nMia"))
    assert (cut.text, cut.beneath) == ("", "It works now.")


def test_without_symbols_no_line_is_a_marker() -> None:
    cut = cut_of(mail_of(f"Done.\n\n{LEAD}\n{quoted(DESK)}"), symbols="")
    assert (cut.text, cut.why, cut.below_marker) == ("Done.", "top-posted", False)


def test_the_words_of_an_attached_mail_are_nobody_elses() -> None:
    raw = (
        b"From: mia@coinharbor.example\nTo: support@coinharbor.example\nSubject: Re: x\nIn-Reply-To: <a@b>\n"
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
        b"From: bob@mail.example\nSubject: x\n\n#close\n\n--b--\n"
    )
    assert cut_of(raw) == StaffCut("", sure=False, why="empty")


def test_an_encrypted_answer_is_held() -> None:
    cut = cut_of(mail_of("-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n"))
    assert cut == StaffCut("", sure=False, why="unreadable")


def test_signed_reply_addresses_name_us_too() -> None:
    lead = LEAD.replace(SUPPORT, "support+desk.x@coinharbor.example")
    assert cut_of(mail_of(f"Done.\n\n{lead}\n\nI cannot log in.")).why == "top-posted"


def test_a_name_alone_names_us() -> None:
    block = BLOCK.replace(f" <{SUPPORT}>", "")
    raw = mail_of(f"Done.\n\n{block}\n\nI cannot log in.")
    assert cut_of(raw).why == "top-posted"
    assert staff_cut(read(raw, SITE), SITE, SYMBOLS).why == "no-marker"


def test_the_manual_has_the_table_of_programs() -> None:
    manual = Path(__file__).resolve().parents[2] / "docs" / "desk.md"
    assert table() in manual.read_text(encoding="utf-8")


# What a requester may write to pass for a member, a line of each; every line bears a word that must never leave.
TRICKS = [
    "#close xyzzy", "> xyzzy", "-- ", "--", f"{marker_line('zzzzzzz')} xyzzy", "Sent from my iPhone xyzzy", "",
    f"{OPENING} xyzzy", "On Mon, Nov 2, 2026 at 10:15 AM xyzzy <a@b.example> wrote:", "xyzzy", "| xyzzy",
    "From: xyzzy <a@b.example>", "Sent: Monday, November 2, 2026 10:15 AM", "Subject: xyzzy", "To: xyzzy",
    "---------- Forwarded message --------- xyzzy", "________________________________", "xyzzy wrote:", "> > xyzzy",
    "-----Original Message-----", "这是xyzzy", "写道：",
]  # fmt: skip


@given(st.sampled_from(BODIES), st.lists(st.sampled_from(TRICKS), max_size=12), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_nothing_that_a_requester_writes_leaves_or_orders(
    case: Any, tricks: list[str], marked: bool, worded: bool
) -> None:
    reply, form = case.values
    desk = desk_mail(reply.language, None if marked else "") + "\n" + "\n".join(tricks)
    words = words_of(reply) if worded else ""
    cut = cut_of(mail_of(*bodies(reply, words, desk)[form]))
    assert "xyzzy" not in cut.text and "#close" not in cut.text
    assert not cut.sure or dense(cut).text == dense(StaffCut(words, True, "marker")).text


LINES = [*TRICKS, "Done.", "  indented", "> quoted", MARKER, quoted(MARKER), OPENING, *BLOCK.split("\n"), LEAD, "", ""]


@given(st.lists(st.sampled_from(LINES), max_size=25))
@settings(max_examples=400, deadline=None)
def test_what_leaves_stood_above_the_marker_and_is_no_quote(lines: list[str]) -> None:
    text = "\n".join(lines)
    cut = staff_cut(Mail("", "", 1, text=text), SITE, SYMBOLS, NAMES)
    span = marker_span(text, SYMBOLS)
    above = text if span is None else text[: span[0]]
    assert cut.below_marker == (span is not None)
    for line in filter(None, cut.text.split("\n")):
        assert line in [kept.rstrip() for kept in above.split("\n")]
        assert not line.startswith(">")
    assert cut.text.strip() or not cut.sure


HOSTILE = {
    "signs of notices": "Any disclosure.\n\n" * 8_000 + "Sent from my iPhone\n\n" * 6_000,
    "notices and programs' lines": f"{DISCLAIMER}\n\nSent from my iPhone\n\n" * 1_000,
    "letters of the marker": "writeabovethislin" * 60_000,
    "the marker's words": "write above this line - " * 40_000,
    "blanks within them": ("w" + " " * 59) * 16_000,
    "quote marks": "> " * 500_000,
    "header lines": f"{BLOCK}\n" * 8_000,
    "From lines": "From: a\n" * 120_000,
    "attributions": f"{LEAD}\n" * 12_000,
    "half an attribution": "On Mon, Nov 2, 2026 at 10:15 AM\n" * 30_000,
    "openings": f"{OPENING}\n" * 14_000,
    "rules": "____\n" * 200_000,
    "dashes of Notes": "---02/11/2026 " * 70_000,
    "one word": "a" * 1_000_000,
    "one line of blanks": " " * 1_000_000,
    "programs' lines": "Sent from my iPhone\n" * 50_000,
    "words of notices": "confidential e-mail message intended received this in error " * 16_000,
    "notices": f"{DISCLAIMER}\n\n" * 4_000,
    "cards": "| |\n" * 200_000 + "签名由 网易邮箱大师 定制",
    "links": "https://" * 120_000,
    "addresses": "a@b.example " * 80_000,
    "Chinese": "从我的手机发送" * 140_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_megabyte_costs_little(case: str) -> None:
    whole, part = HOSTILE[case], HOSTILE[case][:250_000]
    quote = f"\n\n{LEAD}\n{quoted(DESK)}\n"
    for text in (whole, part, f"Done.{quote}{whole}", f"{part}{quote}", f"Done.\n\n{part}"):
        mail = Mail("", "", 1, text=text)
        start = time.process_time()
        staff_cut(mail, SITE, SYMBOLS, NAMES)
        assert time.process_time() - start < 3
