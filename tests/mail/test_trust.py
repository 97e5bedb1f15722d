"""Whose Authentication-Results count (RFC 8601), and what they prove. Every forgery must end as unknown."""

from __future__ import annotations

import pytest

from mailticket.mail import read, trust
from mailticket.mail.values import Ourselves

SITE = Ourselves(authserv_id="mx.us.example")
M365 = Ourselves(authserv_id="microsoft365")
OURS = "Received: from out.user.example by mx.us.example with ESMTPS; Mon, 2 Nov 2026 10:00:00 +0000"
FROM = "From: Ann <ann@user.example>"


def verdict(*lines: str, site: Ourselves = SITE) -> str:
    return read("\r\n".join([*lines, "", "Hello"]).encode(), site).trust


def results(text: str, service: str = "mx.us.example") -> str:
    return f"Authentication-Results: {service}; {text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dmarc=pass header.from=user.example", "verified"),
        ("dmarc=pass (p=reject dis=none) header.from=user.example", "verified"),
        ("dmarc=pass", "verified"),
        ("DMARC=PASS header.from=USER.example", "verified"),
        ('dmarc=pass reason="a; spf=fail" header.from=user.example', "verified"),
        ("dmarc/1=pass header.from=user.example", "verified"),
        ("dmarc = pass header.from = user.example", "verified"),
        ("dmarc=pass header.from=evil.example", "unknown"),
        ("dmarc=pass header.from=otheruser.example", "unknown"),
        ("dmarc=fail header.from=user.example", "failed"),
        ("dmarc=fail header.from=user.example; spf=pass smtp.mailfrom=user.example", "failed"),
        ("spf=pass smtp.mailfrom=user.example; dmarc=fail", "failed"),
        ("dmarc=none header.from=user.example", "unknown"),
        ("dmarc=bestguesspass header.from=user.example", "unknown"),
        ("spf=pass smtp.mailfrom=bounce@user.example", "verified"),
        ("spf=pass smtp.mailfrom=mail.user.example", "verified"),
        ("spf=pass smtp.mailfrom=evil.example", "unknown"),
        ("spf=pass smtp.helo=user.example", "unknown"),
        ("spf=fail smtp.mailfrom=user.example", "unknown"),
        ("spf=softfail smtp.mailfrom=user.example; dkim=pass header.d=user.example", "verified"),
        ("dkim=pass header.d=user.example header.s=s1", "verified"),
        ("dkim=pass header.i=@user.example", "verified"),
        ("dkim=pass header.d=evil.example; dkim=pass header.d=user.example", "verified"),
        ("dkim=pass header.d=evil.example", "unknown"),
        ("dkim=pass header.d=example", "unknown"),  # a top-level domain is nobody's parent
        ("dkim=fail header.d=user.example", "unknown"),
        ("none", "unknown"),
        ("", "unknown"),
        ("spf=fail (dmarc=pass header.from=user.example)", "unknown"),
        ('spf=fail reason="; dmarc=pass"', "unknown"),
        ("x=y dmarc=pass", "unknown"),
        ("dmarc=pass (never closed", "unknown"),
        ('dmarc=pass reason="never closed', "unknown"),
    ],
)
def test_the_results_of_our_service_are_judged(text: str, expected: str) -> None:
    assert verdict(results(text), OURS, FROM) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("mx.us.example", "verified"),
        ("MX.us.example", "verified"),  # a domain name has no case
        ("mx.us.example 1", "verified"),
        ("mx.us.example (a comment)", "verified"),
        ('"mx.us.example"', "verified"),
        ("(a comment) mx.us.example", "verified"),
        ("mx.us.example 2", "unknown"),
        ("mx.us.example/1", "unknown"),
        ("mx.us.example.evil.example", "unknown"),
        ("us.example", "unknown"),
        ("evil.example (mx.us.example)", "unknown"),
        ("x@mx.us.example", "unknown"),
        ("mx.us.example=1", "unknown"),
    ],
)
def test_the_service_is_matched_exactly(service: str, expected: str) -> None:
    assert verdict(results("dmarc=pass header.from=user.example", service), OURS, FROM) == expected


PASS, FAIL = results("dmarc=pass header.from=user.example"), results("dmarc=fail header.from=user.example")


def test_only_the_topmost_header_of_our_service_counts() -> None:
    assert verdict(FAIL, PASS, OURS, FROM) == "failed"
    assert verdict(results("dkim=none"), OURS, PASS, FROM) == "unknown"
    assert verdict(results("dmarc=pass", "foreign.example"), FAIL, OURS, FROM) == "failed"


def test_a_damaged_header_is_not_replaced_by_a_lower_one() -> None:
    assert verdict(results("dmarc=fail (open"), PASS, OURS, FROM) == "unknown"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([OURS, PASS], "verified"),  # some services write theirs below the Received of the same hop
        (["Received: by 2001:db8::1 with SMTP id x; now", OURS, PASS], "verified"),
        (["Received: from mx.us.example by store.us.example; now", OURS, PASS], "verified"),
        (["Received: from mx.us.example by backend.local; now", PASS, OURS], "verified"),
        ([OURS, "Received: from a by mx.us.example; now", PASS], "unknown"),
        ([OURS, "Received: from home by out.user.example; now", PASS], "unknown"),
        (["Received: from home by out.user.example; now", PASS], "unknown"),
    ],
)
def test_a_header_below_somebody_elses_received_counts_for_nothing(lines: list[str], expected: str) -> None:
    assert verdict(*lines, FROM) == expected


def test_nothing_counts_unless_a_service_is_configured() -> None:
    assert verdict(PASS, OURS, FROM, site=Ourselves()) == "unknown"
    assert verdict(results("dmarc=pass", ""), FROM, site=Ourselves()) == "unknown"


@pytest.mark.parametrize(
    "sender",
    [
        "From: ann@user.example, bob@user.example",
        "From: Friends: ann@user.example;",
        "From: ann@user.example\r\nFrom: bob@user.example",
        "From: ann@user.example<bob@user.example>",
        "Subject: no From",
    ],
)
def test_without_one_sender_nobody_is_verified(sender: str) -> None:
    assert verdict(PASS, OURS, sender) == "unknown"


HOP = "Received: from BN8.mail.protection.outlook.com by DM6.prod.outlook.com; now"
BORDER = "Received: from out.user.example by BN8.mail.protection.outlook.com; now"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=user.example; dkim=pass (signature was verified)"
            " header.d=user.example;dmarc=pass action=none header.from=user.example;compauth=pass reason=100",
            "verified",
        ),
        ("spf=none smtp.mailfrom=x.example; dmarc=fail action=oreject header.from=user.example", "failed"),
        ("spf=pass smtp.mailfrom=evil.example; dmarc=none action=none header.from=user.example", "unknown"),
        ("mx.us.example; dmarc=pass header.from=user.example", "unknown"),
    ],
)
def test_microsoft_365_writes_no_service_name(text: str, expected: str) -> None:
    assert verdict(HOP, f"Authentication-Results: {text}", BORDER, FROM, site=M365) == expected


def test_a_nameless_header_counts_for_microsoft_365_alone() -> None:
    nameless = "Authentication-Results: dmarc=pass header.from=user.example"
    assert verdict(nameless, OURS, FROM) == "unknown"
    assert verdict(HOP, BORDER, "Received: from a by b.user.example; now", nameless, FROM, site=M365) == "unknown"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.example", "a.example", True),
        ("mail.a.example", "a.example", True),
        ("a.example", "mail.a.example", True),
        ("ba.example", "a.example", False),
        ("x.a.example", "y.a.example", False),
        ("example", "a.example", False),
        ("", "a.example", False),
        ("localhost", "localhost", True),
    ],
)
def test_alignment_is_subdomain_relation(one: str, other: str, expected: bool) -> None:
    assert trust.aligned(one, other) is expected
