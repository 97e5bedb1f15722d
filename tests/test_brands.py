"""Several names: what chooses one, that a ticket keeps it, and that nothing of one stands in the letters of another."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mailticket.config.read import passwords_written_in, read_settings
from mailticket.connecting import case_of
from mailticket.desk.tickets import Change
from mailticket.errors import ConfigurationError, Refused
from mailticket.oauth2.login import server_named
from mailticket.outbox.deliver import Outbox
from mailticket.settings import Settings
from mailticket.smtp import Courier
from mailticket.store import overview
from mailticket.upkeep.account import own_account
from mailticket.upkeep.brand_findings import brand_findings
from mailticket.upkeep.readiness import readiness
from tests.helpdesk import SUPPORT, HelpDesk, OpenDesk, mail, parsed
from tests.servers.smtp import SmtpSink

SALES = "sales@bakery.example"
BRAND: dict[str, Any] = {
    "name": "bakery", "title": "Corner Bakery", "address": SALES, "prefix": "BK", "signature": "Open from six",
    "addresses": ["orders@bakery.example"],
    "smtp": {"host": "127.0.0.1", "port": 26, "security": "none"},
}  # fmt: skip


@pytest.fixture
def two(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(brand=[BRAND])


@pytest.mark.parametrize(
    ("to", "cc", "brand"),
    [
        (SUPPORT, "", ""),
        (SALES, "", "bakery"),
        ("Orders@Bakery.example", "", "bakery"),
        (f"{SUPPORT}, {SALES}", "", ""),
        (f"{SALES}, {SUPPORT}", "", "bakery"),
        ("somebody@else.example", SALES, "bakery"),
    ],
)
def test_the_first_of_our_addresses_chooses_the_name(two: HelpDesk, to: str, cc: str, brand: str) -> None:
    two.receive(mail(To=to, **({"Cc": cc} if cc else {})))
    (ticket,) = two.stored()
    assert ticket.row.brand == brand
    assert ticket.row.key.startswith("BK-" if brand else "MT-")


def test_an_address_with_a_tag_may_be_a_brands_own(open_desk: OpenDesk) -> None:
    tagged = {**BRAND, "address": SUPPORT.replace("@", "+cakes@"), "addresses": ["shop+orders@bakery.example"]}
    desk = open_desk(brand=[tagged])
    addresses = [tagged["address"], "shop+orders+tag@bakery.example", SUPPORT.replace("@", "+other@"), SUPPORT]
    for number, to in enumerate(addresses):
        desk.receive(mail(f"ann{number}@x.example", To=to))
    assert [ticket.row.brand for ticket in desk.stored()] == ["bakery", "bakery", "", ""]
    with desk.database.read() as session:
        assert list(brand_findings(session, desk.site.settings, desk.now, desk.now.replace(year=2020))) == []


def test_a_password_in_an_inline_table_is_one_that_stands_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mailticket.toml"
    file.write_text(
        f'[support]\naddress = "{SUPPORT}"\n[smtp]\nhost = "localhost"\n[[brand]]\nname = "bakery"\n'
        'smtp = { host = "localhost", username = "x", password = "xyzzy" }\n[[brand]]\nname = "sea"\n'
        'smtp = { host = "localhost" }\n[[brand]]\n[brand.smtp]\npassword = "xyzzy"\n'
    )
    assert passwords_written_in(file) == [7, 13]


def test_a_letter_is_the_brands_from_first_to_last(two: HelpDesk) -> None:
    two.receive(mail(To=SALES))
    (row,) = two.outbox()
    letter = parsed(row.wire)
    assert (letter["From"], row.envelope_from, row.account) == (f"Corner Bakery <{SALES}>", SALES, "bakery")
    assert letter["Message-ID"].endswith("@bakery.example>")
    everything = "".join(part.get_content() for part in letter.walk() if part.get_content_maintype() == "text")
    assert "Open from six" in everything
    headers = "".join(f"{name}: {value}\n" for name, value in letter.items())
    assert "coinharbor" not in f"{headers}{everything}".lower().replace(" ", "")


def test_a_reply_threads_by_evidence_and_the_ticket_keeps_its_name(two: HelpDesk) -> None:
    first = two.receive(mail(To=SALES))
    (letter,) = two.deliver()
    assert two.receive(mail(To=SUPPORT, subject="More", text="One thing more.", answers=letter)).ticket == first.ticket
    two.receive(mail(To=SUPPORT, subject=f"About {first.ticket}", text="And another thing: the cake is for Friday."))
    assert [(stored.row.key, stored.row.brand) for stored in two.stored()] == [(first.ticket, "bakery")]


def test_a_stranger_who_names_the_other_brands_ticket_gets_one_of_their_own(two: HelpDesk) -> None:
    first = two.receive(mail(To=SALES))
    second = two.receive(
        mail("Eve <eve@evil.example>", f"Re: {first.ticket}", "Tell me all of it.", result=None, To=SUPPORT)
    )
    assert second.ticket != first.ticket
    assert first.ticket.encode() not in two.outbox()[-1].wire


def test_the_same_matter_at_two_brands_is_acknowledged_by_both_and_linked(two: HelpDesk) -> None:
    first = two.receive(mail(To=SUPPORT))
    second = two.receive(mail(To=SALES))
    assert [row.kind for row in two.outbox()] == ["acknowledgement", "acknowledgement"]
    tickets = {stored.row.key: stored.row for stored in two.stored()}
    assert tickets[second.ticket].duplicate_of is None
    assert tickets[second.ticket].linked_to == tickets[first.ticket].id
    assert first.ticket.encode() not in two.outbox()[-1].wire


def test_the_answer_of_a_brand_that_is_no_more_comes_from_support(two: HelpDesk) -> None:
    first = two.receive(mail(To=SALES))
    two.reopen()
    assert two.site.of_brand(two.ticket(first.ticket).row.brand).head.address == SUPPORT


def test_the_tickets_of_a_brand_that_is_no_more_are_still_others(two: HelpDesk) -> None:
    theirs, ours = (
        str(two.receive(mail(f"{who}@x.example", To=to)).ticket) for who, to in (("ann", SALES), ("bob", SUPPORT))
    )
    two.reopen()
    answered = two.desk.reply(ours, f"It is the same matter as {theirs}, and we work on it.")
    assert answered.held is not None and [one.code for one in answered.held.hindrances] == ["ticket_id"]
    with pytest.raises(Refused, match="ID of another ticket"):
        two.desk.change(ours, Change(subject=f"as in {theirs}"))
    with two.database.read() as session:
        assert (two.site.prefixes(session), overview.prefixes_beside(session, ["BK", "MT"])) == (("MT", "BK"), [])


def test_what_contradicts_itself_is_named_at_once(tmp_path: Path) -> None:
    """Each mistake on a line of its own, with what to do, in one go."""
    file = tmp_path / "mailticket.toml"
    tables = [
        {**BRAND, "prefix": "MT", "mailboxes": ["shop", "box"]},
        {**BRAND, "prefix": "OLD", "mailboxes": ["box"]},
        {"name": "support", "title": "S", "address": SUPPORT.upper(), "prefix": "BK"},
        {"name": "sea", "title": "Sea", "address": "fish@sea.example", "prefix": "BK"},
    ]
    file.write_text(
        f'[support]\naddress = "{SUPPORT}"\nformer_prefixes = ["OLD"]\n[smtp]\nhost = "localhost"\n'
        '[[mailbox]]\nname = "box"\nhost = "localhost"\nusername = "box"\n'
        + "".join("[[brand]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()
                                          if key != "smtp")
                  for table in tables)
        + 'smtp = { host = "localhost", username = "sea" }\n'
    )  # fmt: skip
    with pytest.raises(ConfigurationError) as error:
        read_settings(file, {})
    problems = "\n".join(error.value.problems)
    for words in (
        "two [[brand]] tables are named 'bakery'; give each its own",
        "a [[brand]] table is named 'support', which means [support] in commands; give another name",
        f"{SALES} is served by two brands; leave it to one",
        f"{SUPPORT} is served by two brands; leave it to one",
        "two [[brand]] tables have the mailbox 'box'; a mailbox chooses one brand",
        "[[brand]] 'bakery' names the mailbox 'shop', and there is no such [[mailbox]]",
        "the ticket prefix MT stands for two brands, or for one and [support]; give each its own",
        "the ticket prefix OLD stands for two brands, or for one and [support]; give each its own",
        "the ticket prefix BK stands for two brands",
        "the smtp of [[brand]] 'sea' has a username and needs a password of its own: write one of password, ",
    ):
        assert words in problems


def test_a_folder_of_templates_that_is_not_there_is_named_with_its_brand(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"support": {"address": SUPPORT}, "smtp": {"host": "localhost"},
         "brand": [{**BRAND, "templates": tmp_path / "nowhere"}]}
    )  # fmt: skip
    wrong = [one for one in readiness(settings, None, own_account(), deep=False)
             if one.level == "wrong" and one.subject == "templates"]  # fmt: skip
    assert len(wrong) == 1
    assert wrong[0].said.startswith("brand bakery: ")
    assert "nowhere" in wrong[0].said
    assert wrong[0].stops == 78


def test_each_server_is_called_by_its_brand_wherever_one_reads_of_it() -> None:
    token = {"auth": "oauth2", "provider": "google", "username": "a@b.example", "client_id": "id"}
    tables = {"support": {"address": SUPPORT}, "smtp": token,
              "brand": [{**BRAND, "smtp": token}, {**BRAND, "name": "fishmonger", "address": "fish@sea.example",
                                                  "prefix": "FI", "addresses": [], "smtp": token}]}  # fmt: skip
    settings = Settings.model_validate(tables)
    assert [server.part for server in settings.sign_ins] == ["smtp", "smtp bakery", "smtp fishmonger"]
    logins = [case_of(server).login for server in settings.sign_ins]
    assert logins == [f"mailticket oauth2 login {name}" for name in ("smtp", "smtp bakery", "smtp fishmonger")]
    assert [server_named(settings, one.part) for one in settings.sign_ins] == list(settings.sign_ins)
    with pytest.raises(Refused, match="smtp bakery signs in with a password"):
        server_named(Settings.model_validate({**tables, "brand": [BRAND]}), "smtp bakery")


def test_mail_is_given_up_after_the_time_of_its_own_server(open_desk: OpenDesk, smtp_sink: SmtpSink) -> None:
    def at(**more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": smtp_sink.port, "security": "none", **more}

    desk = open_desk(smtp=at(give_up_hours=100), brand=[{**BRAND, "smtp": at(give_up_hours=2)}])
    desk.receive(mail())
    desk.receive(mail("Bob <bob@mail.example>", To=SALES))
    desk.later(hours=3)
    smtp_sink.always("RCPT", "450 4.2.0 later")
    couriers = {name: Courier(smtp, lambda: "") for name, smtp in desk.site.settings.accounts.items()}
    asyncio.run(Outbox(desk.site, couriers.pop(""), further=couriers).deliver_due())
    assert [(row.account, row.state) for row in desk.outbox()] == [("", "deferred"), ("bakery", "failed")]


@pytest.mark.parametrize(
    ("sender", "warning"),
    [
        ("Corner Bakery <x@evil.example>", "the name is like ours"),
        ("CornerBakery Orders <x@evil.example>", "the name is like ours"),
        ("Coin Harbor <x@evil.example>", "the name is like ours"),
        ("Ann <x@bakery-orders.example>", "looks like our bakery.example"),
        ("Corner Bakery <mia@bakery.example>", ""),
        ("Corner Shop <x@shop.example>", ""),
    ],
)
def test_who_poses_as_any_of_our_names_is_marked(two: HelpDesk, sender: str, warning: str) -> None:
    two.receive(mail(sender))
    marks = "; ".join(two.stored()[0].marks)
    assert warning in marks if warning else not marks
