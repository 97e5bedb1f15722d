"""Commands at the top of a staff mail: what is one, what it may name, and that one flaw stops them all."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.triage.orders import COMMANDS, Known, Order, Orders, read_orders
from mailticket.triage.ticket_keys import new_key

KEY = new_key("MT", random.Random(1).randrange)
KNOWN = Known(
    members=("mia", "Tom"), teams=("money", "客服"), categories=("deposit", "account-security"), texts=("kyc",),
    prefixes=("MT", "CH"),
)  # fmt: skip


def read(text: str) -> Orders:
    return read_orders(text, KNOWN)


def orders_of(text: str) -> list[tuple[str, str]]:
    orders = read(text)
    assert not orders.unknown, orders.unknown
    return [(order.word, order.value) for order in orders.orders]


ORDERS = [
    ("#note", "note", ""),
    ("#NOTE", "note", ""),
    ("  #note  ", "note", ""),
    ("\u00a0#note\u00a0", "note", ""),
    ("＃note", "note", ""),
    ("﹟note", "note", ""),
    ("＃ＮＯＴＥ", "note", ""),
    ("\u200b#note", "note", ""),
    ("#take.", "take", ""),
    ("#领取。", "take", ""),
    ("#assign tom", "assign", "Tom"),
    ("#assign\u00a0TOM", "assign", "Tom"),
    ("#assign\ttom", "assign", "Tom"),
    ("#assign: tom", "assign", "Tom"),
    ("#assign：tom", "assign", "Tom"),
    ("#assign:tom", "assign", "Tom"),
    ("#assign @tom", "assign", "Tom"),
    ("#转交 tom", "assign", "Tom"),
    ("#轉交 tom", "assign", "Tom"),
    ("#转交tom", "assign", "Tom"),
    ("#轉交：tom", "assign", "Tom"),
    ("#team money", "team", "money"),
    ("#团队 客服", "team", "客服"),
    ("#團隊 客服", "team", "客服"),
    ("#open", "open", ""),
    ("#打開", "open", ""),
    ("#pending", "pending", ""),
    ("#待回覆", "pending", ""),
    ("#solved", "solved", ""),
    ("#已解決", "solved", ""),
    ("#close", "close", ""),
    ("#關閉", "close", ""),
    ("#priority urgent", "priority", "urgent"),
    ("#priority High", "priority", "high"),
    ("#优先级 紧急", "priority", "urgent"),
    ("#優先級 緊急", "priority", "urgent"),
    ("#優先級 低", "priority", "low"),
    ("#category Deposit", "category", "deposit"),
    ("#分類 account-security", "category", "account-security"),
    (f"#merge {KEY}", "merge", KEY),
    (f"#merge [{KEY.lower()}]", "merge", KEY),
    (f"#合併 {KEY.replace('-', '')}", "merge", KEY),
    ("#cc ann@mail.example", "cc", "ann@mail.example"),
    ("#cc Ann Lee <ann@mail.example>", "cc", "ann@mail.example"),
    ("#cc <ann@mail.example>", "cc", "ann@mail.example"),
    ("#cc ann@mail.example <mailto:ann@mail.example>", "cc", "ann@mail.example"),
    ("#cc ann＠mail.example", "cc", "ann@mail.example"),
    ("#抄送 ann@mail.example", "cc", "ann@mail.example"),
    ("#canned KYC", "canned", "kyc"),
    ("#範本 kyc", "canned", "kyc"),
    ("#ack", "ack", ""),
    ("#確認收到", "ack", ""),
    ("#send", "send", ""),
    ("#發送", "send", ""),
    ("#stop", "stop", ""),
    ("#mine", "mine", ""),
    ("#我的", "mine", ""),
    ("#next", "next", ""),
    ("#下一個", "next", ""),
    ("#find bob usdt", "find", "bob usdt"),
    ("#查找 充值 usdt", "find", "充值 usdt"),
    (f"#show {KEY}", "show", KEY),
    ("#help", "help", ""),
    ("#幫助", "help", ""),
]


@pytest.mark.parametrize(("line", "word", "value"), ORDERS)
def test_a_command_is_read_however_it_is_typed(line: str, word: str, value: str) -> None:
    assert orders_of(line) == [(word, value)]


FLAWS = [
    ("#assgin tom", "unknown-word", "assgin"),
    ("#hashtag", "unknown-word", "hashtag"),
    ("#c++ is slow", "unknown-word", "c++"),
    ("#转交给谁", "unknown-word", "转交给谁"),
    ("#assign", "value-missing", "assign"),
    ("#assign nobody", "unknown-name", "assign"),
    ("#assign mia tom", "unknown-name", "assign"),
    ("#team nobody", "unknown-team", "team"),
    ("#category nothing", "unknown-category", "category"),
    ("#canned nothing", "unknown-text", "canned"),
    ("#priority quickly", "unknown-priority", "priority"),
    ("#merge", "value-missing", "merge"),
    (f"#merge {KEY[:-1]}{'0' if KEY[-1] != '0' else '1'}", "not-an-id", "merge"),
    (f"#merge {KEY} {KEY}", "not-an-id", "merge"),
    (f"#merge {KEY} please", "not-an-id", "merge"),
    (f"#show {KEY.replace('MT', 'XX')}", "not-an-id", "show"),
    ("#cc ann", "not-an-address", "cc"),
    ("#cc ann@mail.example bob@mail.example", "not-an-address", "cc"),
    ("#cc Ann ann@mail.example", "not-an-address", "cc"),
    ("#cc ann@mail.example, bob@mail.example", "not-an-address", "cc"),
    ('#cc "a b"@mail.example', "not-an-address", "cc"),
    ("#take it", "value-superfluous", "take"),
    ("#send now", "value-superfluous", "send"),
    ("#find", "value-missing", "find"),
    ("#find " + "x" * 300, "too-long", "find"),
    ("#find " + "x" * 3000, "too-long", "find"),
    ("# note", "blank-before-word", "note"),
    ("#\u00a0转交 tom", "blank-before-word", "assign"),
]


@pytest.mark.parametrize(("line", "code", "word"), FLAWS)
def test_a_flaw_has_a_code_and_names_the_word(line: str, code: str, word: str) -> None:
    orders = read(line)
    assert orders.orders == ()
    assert [(flaw.code, flaw.word) for flaw in orders.unknown] == [(code, word)]


TEXTS = [
    "#1 is the problem",
    "#12345",
    "# Heading",
    "# Steps to take",
    "#",
    "##",
    "##close",
    "# 1",
    "#-1",
    "no #close",
    "Hello\n#close",
    "> #close",
    "-#close",
    "C# is a language",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_command_is_text(text: str) -> None:
    orders = read(text)
    assert (orders.orders, orders.unknown, orders.rest) == ((), (), text)


def test_the_first_other_line_ends_the_commands() -> None:
    orders = read("\n#take\n\n \n#solved\n\nHi Bob,\n\n#close\n\nMia\n")
    assert [order.word for order in orders.orders] == ["take", "solved"]
    assert orders.rest == "Hi Bob,\n\n#close\n\nMia"
    assert orders.misplaced == ("#close",)


def test_lines_that_are_no_good_command_are_not_misplaced() -> None:
    assert read("Hi\n#1\n#hashtag\n# note\n#assign nobody").misplaced == ()


def test_all_lines_are_judged_and_all_flaws_are_named() -> None:
    orders = read("#take\n#assgin tom\n#team nobody\n#solved\ntext")
    assert [order.word for order in orders.orders] == ["take", "solved"]
    assert [flaw.code for flaw in orders.unknown] == ["unknown-word", "unknown-team"]
    assert orders.rest == "text"


def test_words_behind_note_begin_the_note() -> None:
    orders = read("#note known fraudster\n#take\n\nLook at the wallet.")
    assert [order.word for order in orders.orders] == ["note", "take"]
    assert orders.rest == "known fraudster\nLook at the wallet."


CONFLICTS = [
    "#send\n#note", "#send\n#stop", "#note\n#canned kyc", "#stop\n#canned kyc", "#take\n#assign tom", "#open\n#solved",
    "#solved\n#close", "#pending\n#close", "#open\n#pending",
]  # fmt: skip


@pytest.mark.parametrize("text", CONFLICTS)
def test_what_cannot_be_meant_together_is_a_flaw(text: str) -> None:
    for lines in (text.split("\n"), text.split("\n")[::-1]):
        flaws = read("\n".join(lines)).unknown
        assert [flaw.code for flaw in flaws] == ["conflict"]
        assert {flaws[0].word, flaws[0].value} == {line[1:].split()[0] for line in lines}


@pytest.mark.parametrize(
    "text",
    ["#take\n#solved", "#assign tom\n#team money", "#note\n#close", "#send\n#solved", "#note\n#ack",
     "#canned kyc\n#send", "#cc a@b.example\n#cc c@d.example", "#take\n#take"],
)  # fmt: skip
def test_what_can_be_meant_together_is_read(text: str) -> None:
    assert not read(text).unknown


def test_one_command_with_two_values_is_a_flaw() -> None:
    assert [flaw.code for flaw in read("#assign tom\n#assign mia").unknown] == ["twice"]


def test_no_more_lines_are_read_than_anybody_types() -> None:
    orders = read("#take\n" * 50)
    assert orders.unknown[0].code == "too-many"
    assert len(orders.orders) == 30


def test_only_queries_are_told_from_what_also_says_something() -> None:
    assert read(f"#mine\n#show {KEY}").only_queries
    assert not read("#mine\n#take").only_queries
    assert not read("#mine\n\ntext").only_queries
    assert not read("").only_queries


def test_questions_about_what_was_read() -> None:
    orders = read("#cc a@b.example\n#cc c@d.example\n#note")
    assert orders.has("note") and not orders.has("send")
    assert orders.values("cc") == ("a@b.example", "c@d.example")


def test_every_command_has_words_that_lead_to_it_and_to_no_other() -> None:
    spellings = [spelling for command in COMMANDS for spelling in (command.word, *command.chinese)]
    assert len(spellings) == len(set(spellings))
    assert all(command.chinese for command in COMMANDS)
    samples = {"NAME": "mia", "TEAM": "money", "PRIORITY": "low", "CATEGORY": "deposit", "ID": KEY,
               "ADDRESS": "a@b.example", "TEXT": "kyc", "WORDS": "x", "": ""}  # fmt: skip
    for command in COMMANDS:
        for spelling in (command.word, *command.chinese):
            assert [word for word, _ in orders_of(f"#{spelling} {samples[command.value]}")] == [command.word]


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    orders = read(f"#take\n{text}")
    assert orders.orders[:1] == (Order("take", "", "#take"),) or orders.unknown


@pytest.mark.parametrize(
    "text", ["#take\n" * 200_000, "#" * 1_000_000, "#a" * 500_000, "#cc " + "a@b," * 250_000, "\n" * 1_000_000,
             "#" + "转" * 500_000, "#find " + " " * 1_000_000 + "x", "x\n" + "#take\n" * 200_000]
)  # fmt: skip
def test_a_hostile_megabyte_costs_little(text: str) -> None:
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 1
