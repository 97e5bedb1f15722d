"""Warnings of impostors: bounded, quick, and silent about honest mail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.address import Address
from mailticket.mail.values import Attachment, Automatic, Mail
from mailticket.settings import Settings
from mailticket.triage.impostors import warnings


def settings(address: str = "support@coinharbor.com", name: str = "Coin Harbor Support") -> Settings:
    return Settings.model_validate({"support": {"address": address, "name": name}, "smtp": {"host": "localhost"}})


SITE = settings()


def from_(name: str, address: str, **more: object) -> Mail:
    sender = Address(name, address)
    return Mail("d", "i", 1, sender_address=sender, from_=(sender,), **more)  # type: ignore[arg-type]


@given(st.text(max_size=300), st.text(max_size=80), st.text(min_size=1, max_size=80))
def test_any_name_and_address_is_read_without_error(name: str, local: str, domain: str) -> None:
    assert len(warnings(from_(name, f"{local}@{domain}"), SITE)) <= 8


@pytest.mark.parametrize("unit", ["a@", "@", "a@b ", "аa", "xn--", ".", "-", "rn", "\u202e", "a b "])
def test_hostile_names_take_no_time(unit: str) -> None:
    began = time.process_time()
    warnings(from_(unit * 20_000, f"x@{(unit * 250)[:250]}.example"), SITE)  # the reader bounds addresses
    assert time.process_time() - began < 1


DOMAINS = [
    ("support@coinharbor.com", "coinharbor.com", False),
    ("support@coinharbor.com", "mail.coinharbor.com", False),
    ("support@mail.coinharbor.co.uk", "coinharb0r.co.uk", True),
    ("support@mail.coinharbor.co.uk", "harbor.co.uk", False),
    ("support@coinharbor.com", "coinharborr.com", True),
    ("support@coinharbor.com", "coinhabor.com", True),
    ("support@coinharbor.com", "conihabor.com", False),
    ("support@coinharbor.com", "co.com", False),
    ("support@abc.com", "abd.com", False),  # three letters are too few to be anybody's alone
    ("support@modern.example", "modem.example", True),  # "rn" looks like "m"
]


@pytest.mark.parametrize(("own", "foreign", "alike"), DOMAINS)
def test_a_domain_is_alike_when_the_eye_takes_it_for_ours(own: str, foreign: str, alike: bool) -> None:
    found = warnings(from_("Ann", f"ann@{foreign}"), settings(own, "Support"))
    assert any("looks like our" in warning for warning in found) is alike


@pytest.mark.parametrize(
    ("brand", "name", "alike"),
    [("Support", "Support", True), ("Support", "Bank Support", False), ("OKQ Help", "OKQ", True),
     ("OKQ Help", "Okra", False), ("币安客服", "币安客服", True),
     ("Bakery Support", "The Bakery", True), ("Bakery Support", "Thebakery", True)],
)  # fmt: skip
def test_a_name_is_alike_when_it_bears_all_that_makes_ours_our_own(brand: str, name: str, alike: bool) -> None:
    found = warnings(from_(name, "x@evil.example"), settings(name=brand))
    assert any("like ours" in warning for warning in found) is alike


def test_programs_among_the_files_are_named() -> None:
    files = tuple(Attachment("2", name, "application/octet-stream", 2, "x", False) for name in
                  ("a.EXE", "b.pdf.js", "c.pdf", "exe", "d.docm", ""))  # fmt: skip
    found = warnings(from_("Ann", "ann@mail.example", attachments=files), SITE)
    assert [warning.split()[2] for warning in found] == ["a.EXE", "b.pdf.js", "d.docm"]


def test_machines_may_have_other_reply_addresses() -> None:
    reply_to = (Address("", "x@other.example"),)
    assert warnings(from_("Ann", "ann@mail.example", reply_to=reply_to), SITE)
    machine = from_("Shop", "no-reply@mail.example", reply_to=reply_to, automatic=Automatic("auto-generated", "x"))
    assert warnings(machine, SITE) == ()
