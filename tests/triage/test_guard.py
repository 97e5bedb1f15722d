"""The guard before every answer: each thing that is in the way, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailticket.triage.guard import Draft, Given, hindrances, shares_words
from tests.helpdesk import START

NOTE = "Known fraudster: took 4,000 USDT in March under another name, compare the photograph before you pay anything."
CHINESE = "此用户曾于三月份以他人名义提取四千泰达币请务必核对照片后再行处理切勿直接放款给他本人"
PLAIN = Draft(
    writer="mia",
    text="It is on its way, please wait until Friday.",
    key="MT-7F3K-92QX",
    own_keys=frozenset({"MT-7F3K-92QX"}),
    prefixes=("MT",),
    staff_addresses=frozenset({"tom@coinharbor.com"}),
    notes=(NOTE,),
    most=1000,
)


def codes(draft: Draft) -> list[str]:
    return [obstacle.code for obstacle in hindrances(draft)]


def test_nothing_is_in_the_way_of_a_plain_answer() -> None:
    assert codes(PLAIN) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"newer": (Given("tom", START, "Done."),)}, "collision"),
        ({"assigned_to": "tom"}, "assigned"),
        ({"text": "Write to Tom@CoinHarbor.com, please."}, "staff_address"),
        ({"text": "写信给tom@coinharbor.com。"}, "staff_address"),
        ({"copies": ("tom@coinharbor.com",)}, "staff_address"),
        ({"copies": ("Tom+desk@CoinHarbor.com",)}, "staff_address"),
        ({"text": "写信给ｔｏｍ＠ｃｏｉｎｈａｒｂｏｒ．ｃｏｍ。"}, "staff_address"),
        ({"text": "Write to tom@coin\u00adharbor\u200b.com."}, "staff_address"),
        ({"text": "Write to tom@coinharbor\r\n.com."}, "staff_address"),
        ({"text": "Write to tom (at) coinharbor [dot] com."}, "staff_address"),
        ({"text": "Write to TOM AT COINHARBOR DOT COM."}, "staff_address"),
        ({"text": "请联系 tom 艾特 coinharbor 点 com"}, "staff_address"),
        ({"text": "Write to tom&#64;coinharbor.com."}, "staff_address"),
        ({"text": "<mailto:tom%40coinharbor.com>"}, "staff_address"),
        ({"text": "Write to tom+urgent@coinharbor.com."}, "staff_address"),
        (
            {"text": "Write to tom@münzhafen.example.", "staff_addresses": frozenset({"tom@xn--mnzhafen-65a.example"})},
            "staff_address",
        ),
        ({"text": "It is as in MT-0103\u200b-\ufeff99A8."}, "ticket_id"),
        ({"text": "It is as in MT-0103&#45;99A8."}, "ticket_id"),
        ({"text": "此用戶曾於三月份以他人名義提取四千泰達幣請務必核對照片後再行處理切勿", "notes": (CHINESE,)}, "note"),
        ({"strangers": ("bob@mail.example",), "meant_for": "eve@mail.example"}, "recipient"),
        ({"text": "It is as in MT-0103-99A8."}, "ticket_id"),
        ({"text": "x " * 3000 + "see mt 0103 99a8"}, "ticket_id"),
        (
            {"text": "You took 4,000 USDT in\n> March under another name, COMPARE the photograph before"},
            "note",
        ),
        ({"text": "The seed is legal winner thank year wave sausage worth useful legal winner thank yellow"}, "secret"),
        ({"bounced": (("bob@mail.example", "5.1.1 no such user"),)}, "bounced"),
        ({"size": 1001}, "too_large"),
    ],
)
def test_it_finds(change: dict[str, object], code: str) -> None:
    assert codes(replace(PLAIN, **change)) == [code]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"assigned_to": "mia"},
        {"text": "Your ticket is MT-7F3K-92QX."},
        {"text": "Write to support@coinharbor.com."},
        {"text": "Write to atom@coinharbor.com, or tom@coinharbor.community."},
        {"text": "Tom looks at CoinHarbor.com for it."},
        {"text": "You took 4,000 USDT in March."},
        {"size": 1000},
    ],
)
def test_it_lets_pass(change: dict[str, object]) -> None:
    assert codes(replace(PLAIN, **change)) == []  # type: ignore[arg-type]


def test_sixty_letters_of_a_note_are_its_words_and_fifty_nine_are_not() -> None:
    letters = "abcdefghij" * 9
    assert shares_words(f"He said: {letters[:60]}!", [letters])
    assert not shares_words(f"He said: {letters[:59]}!", [letters])
    assert shares_words(" ".join(letters[:60]).upper(), [letters])


def test_thirty_chinese_characters_of_a_note_are_its_words() -> None:
    note = "此用户曾于三月份以他人名义提取四千泰达币请务必核对照片后再行处理切勿直接放款给他本人"
    assert shares_words(f"您好，{note[:30]}。", [note])
    assert not shares_words(f"您好，{note[:29]}。", [note])
