"""What is filed without a ticket stays in sight: counted, listed, released, dismissed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailticket.cli import root
from mailticket.errors import NotFound, Refused
from mailticket.intake.filed import Cabinet
from mailticket.store import overview, tickets
from mailticket.upkeep.checkup import check_state
from mailticket.upkeep.chores import Upkeep
from tests.helpdesk import SUPPORT, HelpDesk, mail

NEWS = {"To": "traders@lists.example", "List_Id": "<traders.lists.example>", "Precedence": "list"}
AWAY = {"Auto_Submitted": "auto-replied"}


def figures(desk: HelpDesk) -> tuple[int, int, int]:
    with desk.database.read() as session:
        now = overview.figures(session, desk.now, desk.now - timedelta(days=7))
    return now.filed, now.filed_named_us, now.unclaimed_bounces


def bounce_of_nothing() -> bytes:
    """A report of a mail server about a mail that we never sent."""
    return (
        b"Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@relay.example>\r\nTo: " + SUPPORT.encode() +
        b"\r\nSubject: Undelivered Mail Returned to Sender\r\nMessage-ID: <nothing@relay.example>\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nIt failed.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        b"Final-Recipient: rfc822; gone@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )  # fmt: skip


def test_what_is_filed_is_counted_and_listed_newest_first(helpdesk: HelpDesk) -> None:
    list_mail = helpdesk.receive(mail("Li <li@lists.example>", "Weekly digest", "News.", **NEWS))
    helpdesk.later(minutes=1)
    away = helpdesk.receive(mail("Zoë <zoe@far.example>", "Away until Monday", "I am away.", **AWAY))
    helpdesk.receive(mail())
    assert (list_mail.state, away.state) == ("filed", "filed")
    assert figures(helpdesk) == (2, 1, 0)
    newest, oldest = Cabinet(helpdesk.site).listing()
    assert (newest.row.id, newest.sender, newest.subject, newest.names_us) == (
        away.incoming_id, "Zoë <zoe@far.example>", "Away until Monday", True,
    )  # fmt: skip
    assert (oldest.row.rule, oldest.names_us) == ("automatic: list", False)
    assert [entry.row.id for entry in Cabinet(helpdesk.site).listing(1)] == [away.incoming_id]
    helpdesk.later(days=8)
    assert figures(helpdesk) == (0, 0, 0)
    assert len(Cabinet(helpdesk.site).listing()) == 2


def test_a_row_without_a_description_is_read_from_its_raw_mail(helpdesk: HelpDesk) -> None:
    row = helpdesk.receive(mail("Zoë <zoe@far.example>", "My password: Tr0ub4dor&3x", "Away.", **AWAY))
    with helpdesk.database.write() as session:
        record = session.get_one(type(helpdesk.record(row)), row.incoming_id)
        record.sender, record.subject, record.names_us = "", "", None
    entry = Cabinet(helpdesk.site).listing()[0]
    assert (entry.sender, entry.names_us) == ("Zoë <zoe@far.example>", True)
    assert "Tr0ub4dor" not in entry.subject


def test_a_released_mail_is_a_ticket_of_its_sender_without_a_letter(helpdesk: HelpDesk) -> None:
    filed = helpdesk.receive(mail("Zoë <zoe@far.example>", "Away?", "I am away, and my deposit is too.", **AWAY))
    result = Cabinet(helpdesk.site, "kim").release(filed.incoming_id)
    ticket = helpdesk.ticket(result.ticket)
    assert (ticket.requester, ticket.kinds, ticket.row.status) == (("zoe@far.example",), ["request"], "new")
    assert ticket.happened("released") == [f"mail {filed.incoming_id} was automatic: auto-reply"]
    assert [event.actor for event in ticket.events if event.kind == "released"] == ["kim"]
    assert helpdesk.outbox() == []
    record = helpdesk.record(filed)
    assert (record.state, record.ticket_id, record.rule) == ("opened", ticket.row.id, "released")
    assert figures(helpdesk) == (0, 0, 0)
    with helpdesk.database.read() as session:
        assert overview.conservation(session) == {"support": {"opened": 1}}
    with pytest.raises(Refused):
        Cabinet(helpdesk.site).release(filed.incoming_id)


def test_a_mail_whose_secrets_were_masked_is_released_with_its_files(helpdesk: HelpDesk) -> None:
    body = (
        b"From: robot@mail.example\r\nTo: list@else.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n"
        b"Message-ID: <s@mail.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain\r\n\r\nMy seed: legal winner thank year wave sausage worth useful legal winner "
        b"thank yellow\r\n--b\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: attachment; filename=a.txt\r\n\r\nabc\r\n--b--\r\n"
    )
    number = helpdesk.receive(body).incoming_id
    helpdesk.later(hours=48)
    Upkeep(helpdesk.site).run()
    result = Cabinet(helpdesk.site, "mia").release(number)
    with helpdesk.database.read() as session:
        (message, *_) = helpdesk.ticket(result.ticket).messages
        (file,) = tickets.attachments_of(session, [int(message.id or 0)])[int(message.id or 0)]
    assert "legal winner" not in message.text
    assert helpdesk.desk.attachment(int(file.id or 0)).content.strip() == b"abc"


def test_a_released_mail_may_be_acknowledged(helpdesk: HelpDesk) -> None:
    filed = helpdesk.receive(mail("Zoë <zoe@far.example>", "Away?", "My deposit is away.", **AWAY))
    result = Cabinet(helpdesk.site).release(filed.incoming_id, acknowledged=True)
    assert (result.letter, [row.recipient for row in helpdesk.outbox("queued")]) == (
        "acknowledgement", ["zoe@far.example"],
    )  # fmt: skip


def test_nobody_releases_what_has_a_ticket_or_no_bytes(helpdesk: HelpDesk) -> None:
    opened = helpdesk.receive(mail())
    for number, trouble in ((opened.incoming_id, Refused), (4711, NotFound)):
        with pytest.raises(trouble):
            Cabinet(helpdesk.site).release(number)
        with pytest.raises(trouble):
            Cabinet(helpdesk.site).dismiss(number)
    assert len(helpdesk.stored()) == 1


def test_a_bounce_without_a_way_back_shows_until_somebody_looked(helpdesk: HelpDesk) -> None:
    bounce = helpdesk.receive(bounce_of_nothing())
    assert (bounce.state, bounce.rule) == ("filed", "bounce-unclaimed")
    helpdesk.later(days=30)
    assert figures(helpdesk) == (0, 0, 1)
    notices = [
        finding
        for finding in check_state(helpdesk.site.settings, helpdesk.database, helpdesk.now)
        if finding.subject == "filed"
    ]
    assert [(finding.level, "1 delivery report belongs" in finding.said) for finding in notices] == [("note", True)]
    Cabinet(helpdesk.site).dismiss(bounce.incoming_id)
    assert figures(helpdesk) == (0, 0, 0)
    assert Cabinet(helpdesk.site).listing()[0].row.dismissed_at == helpdesk.now


@pytest.fixture
def shell(helpdesk: HelpDesk, tmp_path: Path) -> Any:
    """Runs a command on the help desk's database; returns the exit code and the objects that it prints."""
    file = tmp_path / "mailticket.toml"
    file.write_text(
        f'[support]\nname = "Coin Harbor Support"\naddress = "{SUPPORT}"\n[database]\n'
        f'url = "{helpdesk.url}"\n[smtp]\nhost = "127.0.0.1"\nport = 25\nsecurity = "none"\n'
    )

    def run(*words: str) -> tuple[int, list[dict[str, Any]]]:
        done = CliRunner().invoke(root, [*words, "--json", "--config", str(file)], standalone_mode=False)
        return done.return_value or 0, [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_the_commands_print_what_programs_read(helpdesk: HelpDesk, shell: Any) -> None:
    numbers: Sequence[int] = [
        helpdesk.receive(mail(f"P{n} <p{n}@far.example>", f"Away {n}", "Away.", **AWAY)).incoming_id for n in range(3)
    ]
    _, rows = shell("mail", "list", "--filed", "--limit", "2")
    assert [(row["id"], row["from"], row["subject"], row["named_us"], row["rule"]) for row in rows] == [
        (numbers[2], "P2 <p2@far.example>", "Away 2", True, "automatic: auto-reply"),
        (numbers[1], "P1 <p1@far.example>", "Away 1", True, "automatic: auto-reply"),
    ]
    _, (face,) = shell("status")
    assert (face["filed_7_days"], face["unclaimed_bounces"]) == ({"without_ticket": 3, "named_us": 3}, 0)
    code, outcomes = shell("mail", "release", str(numbers[0]), "4711")
    assert (code, [outcome["state"] for outcome in outcomes]) == (1, ["released", "refused"])
    assert outcomes[0]["ticket"]
    code, outcomes = shell("mail", "dismiss", str(numbers[1]))
    assert (code, outcomes) == (0, [{"id": numbers[1], "state": "dismissed"}])
    assert shell("status")[1][0]["filed_7_days"] == {"without_ticket": 2, "named_us": 1}
