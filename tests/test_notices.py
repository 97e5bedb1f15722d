"""Notices at work: which letters show them, in which language, until when; and replies that quote them."""

from __future__ import annotations

from typing import Any

import pytest

from mailticket.desk.notices import end_notice, list_notices, set_notice
from mailticket.errors import NotFound, Refused
from mailticket.site import open_site
from tests.helpdesk import HelpDesk, OpenDesk, mail, parsed, words

DELAY = "Withdrawals of ETH are delayed until tonight; nothing is lost."
WITHDRAWAL = ("My withdrawal has not arrived", "Hello, my withdrawal of 2 ETH has been pending for hours. Please help.")
CHINESE = ("提币未到账", "您好，我昨天申请提币 2 ETH，到现在还没有到账，请帮忙查一下，谢谢。")


def announce(desk: HelpDesk, text: str = DELAY, **more: Any) -> dict[str, Any]:
    return set_notice(desk.site, "mia", texts=more.pop("texts", {"": text}), **more)


def plain(wire: bytes) -> str:
    body = parsed(wire).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def ask(desk: HelpDesk, request: tuple[str, str] = WITHDRAWAL, sender: str = "Ann Lee <ann@mail.example>") -> bytes:
    desk.receive(mail(sender, *request))
    return desk.letters()[-1]


def test_a_notice_stands_first_in_the_letters_of_its_category_only(helpdesk: HelpDesk) -> None:
    announce(helpdesk, categories=["withdrawal"])
    letter = words(ask(helpdesk))
    assert letter.count("Please read this first") == 2  # in both bodies
    assert letter.index(DELAY[:30]) < letter.index("Hello Ann")
    other = ask(
        helpdesk, ("API key", "Which permissions does my API key need to place orders?"), "Bob <bob@mail.example>"
    )
    assert "Please read this first" not in words(other)


def test_a_notice_without_a_category_stands_in_all_letters_newest_first(helpdesk: HelpDesk) -> None:
    announce(helpdesk, "First notice.")
    announce(helpdesk, "Second notice.", categories=["withdrawal"])
    letter = plain(ask(helpdesk))
    assert letter.index("Second notice.") < letter.index("First notice.")


def test_a_category_that_is_only_guessed_shows_its_notice(helpdesk: HelpDesk) -> None:
    announce(helpdesk, categories=["withdrawal"])
    letter = ask(helpdesk, ("Question", "Hello, is it the API or the withdrawal?"))
    [stored] = helpdesk.stored()
    assert (stored.row.category, stored.row.category_sure) == ("withdrawal", False)
    assert "Withdrawals of ETH are delayed" in plain(letter)


def test_it_stands_in_duplicate_notices_and_status_answers_and_never_in_what_staff_write(helpdesk: HelpDesk) -> None:
    announce(helpdesk, categories=["withdrawal"])
    first = ask(helpdesk)
    helpdesk.later(minutes=10)
    helpdesk.receive(mail("Ann Lee <ann@mail.example>", WITHDRAWAL[0], WITHDRAWAL[1] + " Again."))
    helpdesk.receive(mail("Ann Lee <ann@mail.example>", "Re: x", "STATUS", answers=first))
    helpdesk.desk.reply(helpdesk.stored()[0].row.key, "We look into it.")
    shown = {row.kind: "Please read this first" in words(row.wire) for row in helpdesk.outbox()}
    assert shown == {"acknowledgement": True, "duplicate-notice": True, "status-answer": True, "staff-reply": False}


def test_it_speaks_the_language_of_the_letter_else_the_supports_else_english(open_desk: OpenDesk) -> None:
    desk = open_desk(support={"language": "zh-Hant"})
    texts = {"en": "In English.", "zh-Hant": "繁體中文公告。", "zh-CN": "简体中文公告。"}
    face = announce(desk, texts=texts)
    assert set(face["texts"]) == {"en", "zh-Hant", "zh-Hans"} and face["without"] == []
    assert "简体中文公告" in plain(ask(desk, CHINESE))
    end_notice(desk.site, "mia", face["id"])
    announce(desk, texts={"": "繁體中文公告。"})
    assert "繁體中文公告" in plain(ask(desk, CHINESE, "li@mail.example"))
    desk.reopen(support={"language": "zh-Hans"})
    end_notice(desk.site, "mia", 2)
    announce(desk, texts={"en": "Only English."})
    assert "Only English." in plain(ask(desk, CHINESE, "wang@mail.example"))


def test_it_expires_by_itself_and_ends_by_command(helpdesk: HelpDesk) -> None:
    first = announce(helpdesk, until="2h")
    helpdesk.later(hours=1, minutes=59)
    assert "Withdrawals of ETH" in plain(ask(helpdesk))
    helpdesk.later(minutes=1)
    assert "Withdrawals of ETH" not in plain(ask(helpdesk, sender="Bob <bob@mail.example>"))
    assert list_notices(helpdesk.site) == []
    second = announce(helpdesk)
    assert "Withdrawals of ETH" in plain(ask(helpdesk, sender="Dan <dan@mail.example>"))
    assert end_notice(helpdesk.site, "tom", second["id"])["ended_by"] == "tom"
    assert "Withdrawals of ETH" not in plain(ask(helpdesk, sender="Eve <eve@mail.example>"))
    states = {face["id"]: face["state"] for face in list_notices(helpdesk.site, ended=True)}
    assert states == {first["id"]: "expired", second["id"]: "ended"}
    for number, error in ((first["id"], Refused), (second["id"], Refused), (99, NotFound)):
        with pytest.raises(error):
            end_notice(helpdesk.site, "tom", number)


def test_what_another_process_sets_is_seen_within_seconds(helpdesk: HelpDesk) -> None:
    assert "Withdrawals of ETH" not in plain(ask(helpdesk))
    other = open_site(helpdesk.site.settings, helpdesk.database, lambda: helpdesk.now)
    set_notice(other, "mia", texts={"": DELAY})
    helpdesk.later(seconds=5)
    assert "Withdrawals of ETH" in plain(ask(helpdesk, sender="Bob <bob@mail.example>"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"until": "2026-11-22"}, "is past"),
        ({"until": "soon"}, "is no time"),
        ({"categories": ["withdrawl"]}, "did you mean withdrawal"),
        ({"texts": {"": "  \n "}}, "is empty"),
        ({"texts": {"": "x" * 2001}}, "longer than 2000"),
        ({"texts": {"fr": "Bonjour."}}, "no letters in 'fr'"),
        ({"texts": {"zh-Hans": "公告"}}, "in English too"),
        ({"texts": {"en": "One.", "": "Two."}}, "twice in en"),
        ({"texts": {"": "Use the password: Hunter2xyz!9 to sign in"}}, "something secret"),
        ({"texts": {"": "It is as in MT-0103-99A8."}}, "the ID of another ticket"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_is_set(helpdesk: HelpDesk, more: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        announce(helpdesk, **more)
    assert list_notices(helpdesk.site, ended=True) == []


def test_an_endless_notice_is_loud_after_a_day(helpdesk: HelpDesk) -> None:
    announce(helpdesk)
    announce(helpdesk, until="3d")
    helpdesk.later(hours=23)
    assert [face["endless"] for face in list_notices(helpdesk.site)] == [False, False]
    helpdesk.later(hours=2)
    assert [face["endless"] for face in list_notices(helpdesk.site)] == [False, True]


def quoting(letter: bytes, text: str = "It has arrived now, thank you.") -> str:
    body = parsed(letter).get_body(("plain",))
    assert body is not None
    return f"{text}\n\n" + str(body.get_content()).replace("\r\n", "\n")  # without marks, as some programs quote


def test_a_reply_that_quotes_a_notice_says_only_its_own_words(helpdesk: HelpDesk) -> None:
    announce(helpdesk)
    letter = ask(helpdesk)
    helpdesk.later(days=30)
    helpdesk.receive(mail("Ann Lee <ann@mail.example>", "Re: withdrawal", quoting(letter), answers=letter))
    assert helpdesk.stored()[0].messages[-1].new_text == "It has arrived now, thank you."


def test_a_notice_is_known_where_the_letter_that_showed_it_is_not(helpdesk: HelpDesk) -> None:
    announce(helpdesk, "The **hot wallet** of our exchange is being moved; see [news](https://news.coinharbor.com/1).")
    letter = ask(helpdesk)
    end_notice(helpdesk.site, "mia", 1)

    def received(sender: str) -> str:
        helpdesk.receive(mail(sender, "Re: withdrawal", quoting(letter, "And mine?"), answers="<lost@mail.example>"))
        return helpdesk.stored()[-1].messages[0].new_text

    helpdesk.later(days=50)
    assert "hot wallet" not in received("Bob <bob@mail.example>")
    helpdesk.later(days=11)
    assert "hot wallet" in received("Eve <eve@mail.example>")
