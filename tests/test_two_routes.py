"""One mail by two routes is one ticket and one letter, whatever gateways did to it on one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.helpdesk import HelpDesk, OpenDesk, mail

ORIGINAL = mail(
    "Iva <iva@sender.example>", "Bank transfer of 300 EUR is missing",
    "Good day,\r\n\r\nthe transfer of 300 EUR that I made on Friday is not in my account.\r\n\r\nIva Horn\r\n",
    result=None, Message_ID="<w1@sender.example>", Cc="desk@coinharbor.com",
)  # fmt: skip
BODY_AT = ORIGINAL.index(b"\r\n\r\n") + 4


def on_top(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode() + ORIGINAL


def renamed(*lines: str) -> bytes:
    """With a Message-ID of the gateway's own, as Exchange gives what a rule redirects."""
    return on_top(*lines, "X-MS-Exchange-Parent-Message-Id: <w1@sender.example>").replace(
        b"Message-ID: <w1@sender.example>", b"Message-ID: <DB9PR-99@gateway.example>"
    )


def tagged(tag: bytes) -> bytes:
    return ORIGINAL.replace(b"Subject: ", b"Subject: " + tag)


def bottom(*lines: bytes) -> bytes:
    """Headers that a gateway put behind the writer's."""
    return ORIGINAL[: BODY_AT - 2] + b"".join(line + b"\r\n" for line in lines) + ORIGINAL[BODY_AT - 2 :]


SAME = {
    "a forwarding server's own headers": on_top(
        "Delivered-To: desk@coinharbor.com", "X-Forwarded-To: support@coinharbor.com", "X-Gm-Message-State: AOJu0Y",
        "DKIM-Signature: v=1; a=rsa-sha256; d=forward.example; b=QQ==",
    ),
    "Exchange's marks behind the writer's headers": bottom(
        b"X-MS-Exchange-AntiSpam-MessageData-0: Zm9v", b"X-OriginatorOrg: harbor.example",
        b"X-MS-Exchange-CrossTenant-FromEntityHeader: Internet", b"X-Microsoft-Exchange-Diagnostics: 1;DB9",
    ),
    "resent by hand": on_top(
        "Resent-Date: Mon, 23 Nov 2026 09:04:00 +0000", "Resent-From: desk@coinharbor.com",
        "Resent-To: support@coinharbor.com", "Resent-Message-ID: <again@coinharbor.com>", "X-Sieve: CMU Sieve 2.4",
    ),
    "a filter that nobody knows, above what another server received": on_top(
        "X-Harbour-Firewall-Verdict: clean; policy 7", "X-Harbour-Firewall-Id: 0815",
        "Received: from out.sender.example by in.harbor.example; Mon, 23 Nov 2026 08:59:30 +0000",
    ),
    "a tag in brackets": tagged(b"[EXTERN] "),
    "a list's tag": tagged(b"[harbor-desk 1204] "),
    "a filter's stars": tagged(b"***SPAM?*** "),
    "a tag in words": tagged(b"EXTERNAL: "),
    "a tag in Chinese": tagged(b"=?utf-8?b?44CQ5aSW6YOo6YKu5Lu244CR?= "),
    "a redirect of an Exchange rule": renamed(
        "Auto-Submitted: auto-generated", "Resent-From: <desk@coinharbor.com>",
        "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
    ),
    "other line breaks and another encoding of the text": ORIGINAL[:BODY_AT].replace(
        b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: quoted-printable"
    ) + ORIGINAL[BODY_AT:].replace(b"that I made", b"that =\r\nI made"),
    # Written after the mending:
    "a scanner's report behind the headers": bottom(b"X-Barracuda-Spam-Score: 0.1", b"X-Mimecast-Spam-Score: 2"),
    "a tag behind the subject": ORIGINAL.replace(b"is missing\r\n", b"is missing [SUSPECTED SPAM]\r\n"),
}  # fmt: skip
AROUND = {
    "a banner": ORIGINAL[:BODY_AT] + b"CAUTION: This mail came from outside.\r\n\r\n" + ORIGINAL[BODY_AT:],
    "a list's footer": ORIGINAL + b"\r\n-- \r\ndesk mailing list\r\nhttps://lists.coinharbor.com/desk\r\n",
    "a disclaimer and a tag": tagged(b"[EXT] ") + b"\r\nThe content of this mail is confidential.\r\n",
}  # fmt: skip
BEFORE = [True, False]


def letters(desk: HelpDesk) -> int:
    return len(desk.outbox())


@pytest.mark.parametrize("first", BEFORE)
@pytest.mark.parametrize("form", SAME)
def test_it_is_one_ticket_and_one_letter(helpdesk: HelpDesk, form: str, first: bool) -> None:
    ways = [ORIGINAL, SAME[form]] if first else [SAME[form], ORIGINAL]
    assert ways[0] != ways[1]
    results = [helpdesk.receive(raw, route) for raw, route in zip(ways, ("desk", "support"), strict=True)]
    assert [result.state for result in results] == ["opened", "known"]
    assert results[1].ticket == results[0].ticket
    helpdesk.receive_all(ways, "desk")
    helpdesk.receive_all(ways, "support")
    assert [row.recipient for row in helpdesk.outbox()] == ["iva@sender.example"]
    assert len(helpdesk.stored()) == 1


@pytest.mark.parametrize("first", BEFORE)
@pytest.mark.parametrize("form", AROUND)
def test_words_around_it_are_shown_and_not_answered_again(helpdesk: HelpDesk, form: str, first: bool) -> None:
    ways = [ORIGINAL, AROUND[form]] if first else [AROUND[form], ORIGINAL]
    results = [helpdesk.receive(raw, route) for raw, route in zip(ways, ("desk", "support"), strict=True)]
    assert [result.state for result in results] == ["opened", "opened"]
    assert results[1].duplicate_of == results[0].ticket
    assert letters(helpdesk) == 1


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "other words": lambda raw: raw.replace(b"300 EUR that", b"400 EUR that"),
    "another writer": lambda raw: raw.replace(b"iva@sender.example>\r\nTo", b"ivo@sender.example>\r\nTo"),
    "another time": lambda raw: raw.replace(b"08:59:00", b"08:59:01"),
    "another Message-ID": lambda raw: raw.replace(b"<w1@", b"<w2@"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_in_one_of_them_is_never_known(helpdesk: HelpDesk, change: str) -> None:
    helpdesk.receive(ORIGINAL)
    other = CHANGES[change](tagged(b"[EXT] "))
    assert other != tagged(b"[EXT] ")
    assert helpdesk.receive(other).state == "opened"


def test_a_forger_s_copy_makes_nothing_known_and_nothing_silent(helpdesk: HelpDesk) -> None:
    top = b"Authentication-Results: mx.coinharbor.com; dmarc=%s header.from=sender.example\r\n"
    forged = helpdesk.receive(top % b"fail" + tagged(b"[EXT] "))
    real = helpdesk.receive(top % b"pass" + ORIGINAL)
    assert (forged.state, real.state, real.letter, real.withheld) == ("opened", "opened", "acknowledgement", "")
    assert real.duplicate_of is None


def test_a_better_judged_copy_is_a_ticket_and_has_no_second_letter(helpdesk: HelpDesk) -> None:
    helpdesk.receive(tagged(b"[EXT] "), "desk")
    better = b"Authentication-Results: mx.coinharbor.com; dmarc=pass header.from=sender.example\r\n" + ORIGINAL
    assert helpdesk.receive(better, "support").state == "opened"
    assert letters(helpdesk) == 1


def test_what_came_through_a_list_first_is_answered_when_it_comes_to_us(helpdesk: HelpDesk) -> None:
    through_list = bottom(b"List-Id: <desk.harbor.example>", b"Precedence: list")
    first = helpdesk.receive(through_list, "desk")
    second = helpdesk.receive(ORIGINAL, "support")
    assert (first.state, first.letter, second.state, second.letter) == ("opened", "", "known", "acknowledgement")
    helpdesk.receive(ORIGINAL, "support")
    assert letters(helpdesk) == 1


def test_what_was_filed_from_a_list_is_a_ticket_when_it_comes_to_us(helpdesk: HelpDesk) -> None:
    hidden = ORIGINAL.replace(b"To: support@coinharbor.com", b"To: traders@lists.example").replace(
        b"Cc: desk@coinharbor.com\r\n", b""
    )
    listed = hidden.replace(b"\r\n\r\n", b"\r\nList-Id: <traders.lists.example>\r\n\r\n", 1)
    assert helpdesk.receive(listed).state == "filed"
    assert helpdesk.receive(listed, "desk").state == "known"
    assert helpdesk.receive(hidden).state == "opened"
    assert letters(helpdesk) == 1


def test_each_mailbox_may_still_have_its_own(open_desk: OpenDesk) -> None:
    desk = open_desk(duplicates={"same_mail_in_several_mailboxes": "each"})
    ways = zip(2 * [ORIGINAL, tagged(b"[EXT] ")], 2 * ["support", "desk"], strict=True)
    states = [desk.receive(raw, route).state for raw, route in ways]
    assert states == ["opened", "opened", "known", "known"]
