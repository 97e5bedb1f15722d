"""What is understood beyond a mail's new text: secrets and IDs in forwarded and quoted words."""

from __future__ import annotations

import pytest

from mailticket.mail import read
from mailticket.mail.values import Cut, Mail
from mailticket.topics.categories import classifier
from mailticket.topics.exchange_trade import EXCHANGE
from mailticket.triage.understanding import understand

READER = classifier(EXCHANGE)
TXID, OTHER = "c7" * 32, "5e" * 32
OURS = "<mt7f3k92qx.1a.ack.aaaaaaaaaaaaaaaa@support.example.com>"


def raw(text: str, *fields: str, subject: str = "Re: question") -> bytes:
    head = ["From: ann@example.org", "To: support@example.com", f"Subject: {subject}", "Message-ID: <9@example.org>"]
    return "\r\n".join([*head, *fields, "", text.replace("\n", "\r\n")]).encode()


FORWARDED = (
    "Please see below.\n\n-----Original Message-----\nFrom: Carla Diaz <carla@example.net>\n"
    "Sent: Monday, 2 March 2026 10:00\nTo: Ann\nSubject: transfer\n\n"
)


def trimmed(below: str, **more: object) -> Mail:
    """A mail of which only the first line is new."""
    return Mail("d", "i", 1, subject="Re: question", text=f"Please look.\n{below}", new_text="Please look.", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("below", "name", "value"),
    [
        (f"> the hash is {TXID}, thanks", "txid", TXID),
        (f"> > my UID: 60233817\n> > {TXID}", "account_id", "60233817"),
        ("Von: Carla\nAn: Ann\n\norder no. 77120 from Monday", "order_id", "77120"),
        (f"On Monday Carla wrote:\n> 交易哈希：{TXID}", "txid", TXID),
        ("> 我的账号60233817被锁了", "account_id", "60233817"),
    ],
)
def test_ids_below_the_new_text_are_details(below: str, name: str, value: str) -> None:
    assert understand(trimmed(below), READER).fields[name] == (value,)


def test_ids_of_the_new_text_come_first_and_each_once() -> None:
    text = f"The hash is {TXID}.\n\n> is it {TXID} or {OTHER}?"
    mail = Mail("d", "i", 1, text=text, new_text=f"The hash is {TXID}.")
    assert understand(mail, READER).fields["txid"] == (TXID, OTHER)


def test_only_ids_are_taken_from_there_no_amounts() -> None:
    assert "amount" not in understand(trimmed("> I sent 500 USDT"), READER).fields


def test_the_history_of_a_letter_of_ours_adds_nothing() -> None:
    below_marker = (Cut("below the marker", "##- write above -##", 1),)
    for more in ({"in_reply_to": (OURS,)}, {"references": ("<1@example.org>", OURS)}, {"cuts": below_marker}):
        assert "txid" not in understand(trimmed(f"> your request names {TXID}", **more), READER).fields


def test_a_forwarded_conversation_is_read_from_its_bytes() -> None:
    meaning = understand(read(raw(f"{FORWARDED}my hash {TXID}\nPassword: Tulip_4471\n")), READER)
    assert meaning.fields["txid"] == (TXID,)
    assert meaning.secrets == ("password",)
    assert "Tulip" not in meaning.text


@pytest.mark.parametrize("below", ["> password: Tulip_4471", "On Monday Carla wrote:\n> my password is Tulip_4471."])
def test_a_sure_secret_in_quoted_words_is_one(below: str) -> None:
    meaning = understand(trimmed(below), READER)
    assert (meaning.secrets, meaning.doubtful_secrets) == (("password",), ())
    assert "Tulip" not in meaning.text


def test_a_doubtful_secret_is_named_apart_and_a_subject_holds_none() -> None:
    text = "user: carla\nmy password is tulips\n"
    meaning = understand(Mail("d", "i", 1, subject="my password is gone", text=text, new_text=text), READER)
    assert (meaning.secrets, meaning.doubtful_secrets) == ((), ("password",))
    assert (meaning.subject, "tulips" in meaning.new_text) == ("my password is gone", False)


def test_what_is_sure_somewhere_is_not_doubtful() -> None:
    text = "my password is tulips\nmy new password is Tulip_4471"
    assert understand(Mail("d", "i", 1, text=text, new_text=text), READER).doubtful_secrets == ()
