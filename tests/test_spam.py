"""Mail that the site's filter marked: a ticket like any, listed apart and served last."""

from __future__ import annotations

from typing import Any

import pytest

from mailticket.cli.tickets import print_tickets
from mailticket.desk.looking import list_
from mailticket.intake.filed import Cabinet
from mailticket.store import desk as queue
from mailticket.store import overview, tickets
from tests.helpdesk import HelpDesk, mail

SPAM = {"X_Spam_Flag": "YES"}
URGENT = ("Account hacked", "Somebody has stolen my account and is withdrawing my coins right now, please lock it!")


def receive(desk: HelpDesk, sender: str, *request: str, **headers: str) -> str:
    desk.later(minutes=1)
    return desk.receive(mail(f"{sender}@mail.example", *request, **headers)).ticket or ""


def listed(desk: HelpDesk, **criteria: Any) -> list[str]:
    wanted = overview.Filter(**criteria)
    return list(overview.ticket_rows(desk.database, wanted, None, lambda _, row: row.ticket.key))


def places(desk: HelpDesk) -> dict[str, int | None]:
    with desk.database.read() as session:
        return {one.row.key: tickets.position(session, one.row) for one in desk.stored()}


def test_what_the_filter_marks_comes_last_whatever_its_priority(helpdesk: HelpDesk) -> None:
    hacked = receive(helpdesk, "spammer", *URGENT, **SPAM)
    offer = receive(helpdesk, "seller", **SPAM)
    ann = receive(helpdesk, "ann")
    bob = receive(helpdesk, "bob", *URGENT)
    assert {one.row.key: (one.row.spam, one.row.priority) for one in helpdesk.stored()} == {
        hacked: (True, "urgent"), offer: (True, "high"), ann: (False, "high"), bob: (False, "urgent"),
    }  # fmt: skip
    order = [bob, ann, hacked, offer]
    assert listed(helpdesk, waiting="us") == order
    assert places(helpdesk) == {key: place for place, key in enumerate(order, 1)}
    assert listed(helpdesk, spam=True) == [offer, hacked]
    for key in order:
        with helpdesk.database.write() as session:
            first = queue.next_in_queue(session, ("",), (), lock=True)
            assert first is not None and first.key == key
            first.assigned_to = "mia"
            session.add(first)


@pytest.mark.parametrize("header", ["X-Spam-Status: Yes, score=9", "X-Filter: junk"])
def test_the_configured_headers_tell(open_desk: Any, header: str) -> None:
    desk = open_desk(trust={"spam_headers": [["X-Filter", "junk"]]})
    name, _, value = header.partition(": ")
    receive(desk, "ann", **{name.replace("-", "_"): value})
    assert desk.stored()[0].row.spam is (name == "X-Filter")


def test_who_writes_what_the_filter_lets_pass_or_was_answered_is_listed_as_others(helpdesk: HelpDesk) -> None:
    first = mail("ann@mail.example", Message_ID="<first@mail.example>", **SPAM)
    helpdesk.receive(first)
    more = {"answers": "<first@mail.example>", "text": "Are you there?"}
    helpdesk.receive(mail("ann@mail.example", "Re: x", **more, **SPAM))
    assert helpdesk.stored()[0].row.spam is True
    helpdesk.receive(mail("ann@mail.example", "Re: x", **more))
    assert helpdesk.stored()[0].row.spam is False


def test_a_mail_that_staff_released_is_no_spam(helpdesk: HelpDesk) -> None:
    result = helpdesk.receive(
        mail("Ann <ann@mail.example>", List_Id="<news.mail.example>", To="news@mail.example", **SPAM)
    )
    assert result.state == "filed"
    Cabinet(helpdesk.site, "mia").release(result.incoming_id)
    assert helpdesk.stored()[0].row.spam is False


def test_what_is_merged_with_a_persons_ticket_is_no_spam(helpdesk: HelpDesk) -> None:
    spam = receive(helpdesk, "ann", **SPAM)
    other = receive(helpdesk, "ann", "API", "How do I rotate my API keys?")
    helpdesk.desk.merge(other, spam)
    assert helpdesk.ticket(spam).row.spam is False


def test_on_a_terminal_it_stands_below_the_others(capsys: pytest.CaptureFixture[str], helpdesk: HelpDesk) -> None:
    spam, ann = receive(helpdesk, "spammer", **SPAM), receive(helpdesk, "ann")
    onlooker = helpdesk.desk.onlooker
    print_tickets(list_(onlooker, sort="waiting"))
    first, second = capsys.readouterr().out.split("\nSpam, as the site's filter says\n")
    assert ann in first and spam not in first
    assert spam in second and ann not in second
    print_tickets(list_(onlooker, spam=True))
    out = capsys.readouterr().out
    assert spam in out and ann not in out
    assert [(face["id"], face["spam"]) for face in list_(onlooker)] == [(ann, False), (spam, True)]
