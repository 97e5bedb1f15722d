"""What an acknowledgement says of the request: details found and missing, articles; what a later reply fills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mailticket.config.files import shipped_folder
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import HelpDesk, OpenDesk, mail, parsed, words

TXID = "9f2c4be1d07a5c83e6f1420b9ad8375e6c01fb24d95a7e3380c6b1f2e4d7a951"
ARTICLES = {"folder": shipped_folder("config") / "articles"}
ENGLISH = (
    "Deposit not credited",
    f"Hello,\n\nmy deposit of 0.42 BTC has six confirmations and is not credited.\nTXID: {TXID}\n",
)
CHINESE = ("充值没有到账", f"您好:\n\n我今天早上充值了0.42个BTC,已经确认,到现在还没有到账。\n交易哈希:{TXID}\n")


@pytest.fixture
def helpdesk(open_desk: OpenDesk) -> OpenDesk:
    return open_desk


def plain(wire: bytes) -> str:
    body = parsed(wire).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def section(text: str, heading: str) -> str:
    """The text below a heading of a letter, up to the next one."""
    assert heading in text, text
    return text.split(heading, 1)[1].split("\n---", 2)[1].rpartition("\n\n")[0]


@pytest.mark.parametrize(
    ("subject", "text", "found", "missing", "account"),
    [
        (*ENGLISH, "What we found in your message", "What we still need from you", "account ID (UID)"),
        (*CHINESE, "我们从来信中读到的信息", "还需要您补充", "账户 ID（UID）"),
    ],
    ids=["en", "zh-Hans"],
)
def test_it_lists_what_was_found_and_asks_only_for_what_is_missing(
    helpdesk: Callable[..., HelpDesk], subject: str, text: str, found: str, missing: str, account: str
) -> None:
    desk = helpdesk()
    key = desk.receive(mail(subject=subject, text=text)).ticket
    letter = plain(desk.letters()[0])
    assert TXID in section(letter, found)
    asked = section(letter, missing)
    assert account in asked
    assert "TXID" not in asked
    assert desk.ticket(key).row.missing == ["account_id"]


@pytest.mark.parametrize("request_", [ENGLISH, CHINESE], ids=["en", "zh-Hans"])
def test_to_an_unverified_sender_it_asks_and_repeats_nothing(
    helpdesk: Callable[..., HelpDesk], request_: tuple[str, str]
) -> None:
    desk = helpdesk(articles=ARTICLES)
    desk.receive(mail(subject=request_[0], text=request_[1], result=None))
    said = words(desk.letters()[0])
    assert TXID not in said
    assert request_[0] not in str(parsed(desk.letters()[0])["Subject"])
    assert "UID" in plain(desk.letters()[0])
    assert "/deposit-not-credited" in said


def test_when_the_category_is_not_sure_nothing_is_asked_for(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    key = desk.receive(mail(subject="Question", text="Hello, could you look into my matter please?")).ticket
    assert "What we still need" not in plain(desk.letters()[0])
    assert desk.ticket(key).row.missing == []


@pytest.mark.parametrize(
    ("request_", "reply"),
    [(ENGLISH, "My account ID is 77120453."), (CHINESE, "我的用户ID是 77120453。")],
    ids=["en", "zh-Hans"],
)
def test_details_in_a_later_reply_fill_what_was_missing(
    helpdesk: Callable[..., HelpDesk], request_: tuple[str, str], reply: str
) -> None:
    desk = helpdesk()
    key = desk.receive(mail(subject=request_[0], text=request_[1])).ticket
    [letter] = desk.deliver()
    desk.receive(mail(subject=f"Re: {parsed(letter)['Subject']}", text=reply, answers=letter))
    row = desk.ticket(key).row
    assert row.missing == []
    assert row.fields is not None
    assert (row.fields["account_id"], row.fields["txid"]) == (["77120453"], [TXID])


def test_a_stranger_with_a_good_signature_fills_no_details(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk()
    key = desk.receive(mail(subject=ENGLISH[0], text=ENGLISH[1])).ticket
    [letter] = desk.deliver()
    desk.receive(mail("mallory@mail.example", f"Re: {key}", "My account ID is 666666.", answers=letter))
    row = desk.ticket(key).row
    assert "666666" not in (row.fields or {}).get("account_id", [])


@pytest.mark.parametrize(
    ("request_", "named"),
    [(ENGLISH, "https://help.demo.example/en/deposit-not-credited"), (CHINESE, "https://help.demo.example/zh-hans/deposit-not-credited")],
    ids=["en", "zh-Hans"],
)  # fmt: skip
def test_acknowledgement_and_duplicate_notice_name_the_articles_that_fit(
    helpdesk: Callable[..., HelpDesk], request_: tuple[str, str], named: str
) -> None:
    desk = helpdesk(articles=ARTICLES)
    desk.receive(mail(subject=request_[0], text=request_[1]))
    desk.receive(mail(subject=request_[0], text=request_[1] + "\n\n!!"))
    kinds = [row.kind for row in desk.outbox()]
    assert kinds == ["acknowledgement", "duplicate-notice"]
    for wire in desk.letters():
        letter = parsed(wire)
        assert plain(wire).count(named) == 1
        html = letter.get_body(("html",))
        assert html is not None
        assert f'href="{named}"' in html.get_content()


def test_no_article_is_named_where_none_fits_or_none_are_configured(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk(articles=ARTICLES)
    desk.receive(mail(subject="Job", text="I would like to apply as a Python developer. My CV is attached."))
    other = helpdesk()
    other.receive(mail(subject=ENGLISH[0], text=ENGLISH[1]))
    none = helpdesk(articles={**ARTICLES, "at_most": 0})
    none.receive(mail(subject=ENGLISH[0], text=ENGLISH[1]))
    for one in (desk, other, none):
        assert "help.demo.example" not in words(one.letters()[0])


def test_an_answer_by_shell_cancels_a_late_notice_that_has_not_left(helpdesk: Callable[..., HelpDesk]) -> None:
    desk = helpdesk(promise={"late_notice": True})
    result = desk.receive(mail())
    desk.deliver()
    promised = desk.ticket(result.ticket).row.promised_by
    assert promised is not None
    desk.now = promised - timedelta(minutes=10)
    Upkeep(desk.site)._tell_late(desk.now)  # one chore alone: the clock leaps
    assert [row.kind for row in desk.outbox("queued")] == ["late-notice"]
    desk.desk.reply(str(result.ticket), "Here it is.")
    assert [row.kind for row in desk.outbox("queued")] == ["staff-reply"]
    assert desk.ticket(result.ticket).happened("late notice cancelled")


def test_each_mail_of_a_ticket_has_a_message_id_of_its_own_the_first_among_them(open_desk: OpenDesk) -> None:
    """The first letter's number is counted by the row of the ticket itself."""
    desk = open_desk()
    result = desk.receive(mail("Ann Lee <ann@mail.example>"))
    for answer in ("One.", "Two."):
        desk.desk.reply(str(result.ticket), answer)
    assert desk.ticket(result.ticket).row.serial == 3
    assert len({parsed(wire)["Message-ID"] for wire in desk.letters()}) == 3
