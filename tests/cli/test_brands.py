"""Several names on the terminal: by which name a ticket is answered, how each fares, what `check` says of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIGURATION, Run

BAKERY = """
[[brand]]
name = "bakery"
title = "Corner Bakery"
address = "sales@bakery.example.org"
prefix = "BK"
"""
SALES, SUPPORT = "sales@bakery.example.org", "support@example.com"


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Run:
    """Two names, each with a ticket: Ann's of support, Bob's of the bakery."""
    configure(tmp_path, BAKERY)
    ingest(run, tmp_path, "ann", SUPPORT, "Deposit missing")
    ingest(run, tmp_path, "bob", SALES, "Three loaves")
    return run


def configure(folder: Path, more: str = "") -> None:
    (folder / "mailticket.toml").write_text(CONFIGURATION + more)


def ingest(run: Run, folder: Path, person: str, to: str, subject: str, cc: str = "") -> None:
    now = format_datetime(datetime.now(UTC))
    (folder / f"{person}.eml").write_text(
        f"Received: from a by b; {now}\nFrom: {person} <{person}@mail.example>\nTo: {to}\nCc: {cc}\n"
        f"Subject: {subject}\nMessage-ID: <{person}@mail.example>\nDate: {now}\n\nHello, {subject}. {person}\n"
    )
    assert run("mail", "ingest", f"{person}.eml")[0] == 0


def listed(run: Run, *words: str) -> list[str]:
    code, out, err = run("ticket", "list", *words, "--json")
    assert code == 0, err
    return [json.loads(line)["requester"].partition("@")[0] for line in out.splitlines()]


def test_tickets_are_listed_by_name(shop: Run, tmp_path: Path) -> None:
    assert listed(shop) == ["bob", "ann"]
    assert listed(shop, "--brand", "bakery") == ["bob"]
    assert listed(shop, "--brand", "support") == ["ann"]
    code, _, err = shop("ticket", "list", "--brand", "fish")
    assert code == 1
    assert "there is no brand 'fish'; there are: support, bakery" in err
    configure(tmp_path)
    assert listed(shop, "--brand", "bakery") == ["bob"], "what a name left behind is found by it"


def test_the_table_has_names_only_where_there_are_several(shop: Run) -> None:
    rows = [line.split()[1] for line in shop("ticket", "list")[1].splitlines()]
    assert rows == ["BRAND", "bakery", "support"]
    assert "BRAND" not in shop("ticket", "list", "--brand", "support")[1]


def shown_as(run: Run, person: str) -> str:
    (row,) = [one for one in map(json.loads, run("ticket", "list", "--json")[1].splitlines())
              if one["requester"].startswith(person)]  # fmt: skip
    screen = run("ticket", "show", row["id"])[1]
    return next((line.split(maxsplit=2)[2] for line in screen.splitlines() if line.startswith("answered as")), "")


def test_a_ticket_says_as_whom_it_is_answered(shop: Run, tmp_path: Path) -> None:
    assert shown_as(shop, "bob") == f"bakery, from {SALES}"
    assert shown_as(shop, "ann") == f"support, from {SUPPORT}"
    configure(tmp_path)
    assert shown_as(shop, "bob") == f"bakery, from {SUPPORT}"
    assert shown_as(shop, "ann") == ""


def test_report_and_status_count_by_name_where_there_are_several(shop: Run, tmp_path: Path) -> None:
    report = json.loads(shop("report", "--json")[1])
    assert {name: tally["requests"] for name, tally in report["brands"].items()} == {"bakery": 1, "support": 1}
    assert "bakery" in shop("report")[1]
    status = json.loads(shop("status", "--json")[1])
    assert [(one["name"], one["unanswered"], one["configured"]) for one in status["brands"]] == [
        ("support", 1, True), ("bakery", 1, True),
    ]  # fmt: skip
    assert "bakery: 1 open, 1 unanswered" in shop("status")[1]
    assert 'mailticket_brand_unanswered{brand="bakery"} 1' in shop("status", "--metrics")[1]
    configure(tmp_path)
    assert json.loads(shop("status", "--json")[1])["brands"] == []
    assert "mailticket_brand_unanswered{" not in shop("status", "--metrics")[1]


def findings(run: Run) -> dict[str, str]:
    """What `check` says of addresses and of names, with what mends it."""
    rows = json.loads(run("check", "--offline", "--json")[1])["findings"]
    return {row["subject"]: f"{row['said']}; {row['remedy']}" for row in rows
            if row["subject"] in ("addresses", "former addresses") or row["subject"].startswith("brand ")}  # fmt: skip


def test_check_names_addresses_that_no_name_serves(shop: Run, tmp_path: Path) -> None:
    assert "addresses" not in findings(shop)
    ingest(shop, tmp_path, "cat", "Orders <orders@bakery.example.org>", "A cake")
    ingest(shop, tmp_path, "dan", "orders+today@bakery.example.org", "Another cake")
    ingest(shop, tmp_path, "eve", f"cook@bakery.example.org, {SUPPORT}", "Rolls", cc="baker@bakery.example.org")
    ingest(shop, tmp_path, "fay", "info@example.com", "Of support's own domain, as support")
    ingest(shop, tmp_path, "gus", "orders@elsewhere.example", "Of nobody's")
    text = findings(shop)["addresses"]
    assert text.startswith("2 requests of the last days went to orders@bakery.example.org, which no name serves")
    assert "answered as support" in text
    assert "addresses of its [[brand]]" in text
    configure(tmp_path, f'{BAKERY}addresses = ["orders@bakery.example.org"]\n')
    assert "addresses" not in findings(shop)


def test_check_names_open_tickets_of_a_name_that_is_gone(shop: Run, tmp_path: Path) -> None:
    assert "brand bakery" not in findings(shop)
    configure(tmp_path)
    text = findings(shop)["brand bakery"]
    assert "1 ticket is open" in text
    assert f"letters leave as {SUPPORT}" in text
    assert "mailticket ticket list --brand bakery" in text


def test_check_names_the_addresses_of_a_name_that_is_gone(shop: Run, tmp_path: Path) -> None:
    assert "former addresses" not in findings(shop)
    configure(tmp_path)
    text = findings(shop)["former addresses"]
    assert text.startswith(f"letters left from {SALES} (the last on {datetime.now().astimezone():%Y-%m-%d}), which ")
    assert text.endswith(f'; write into [support]: former_addresses = ["{SALES}"]')
    place = tmp_path / "mailticket.toml"
    former = f'former_addresses = ["old@example.com"]\naddress = "{SUPPORT}"'
    place.write_text(CONFIGURATION.replace(f'address = "{SUPPORT}"', former))
    assert f'former_addresses = ["old@example.com", "{SALES}"]' in findings(shop)["former addresses"]
    place.write_text(place.read_text().replace("old@example.com", SALES))
    assert "former addresses" not in findings(shop)
