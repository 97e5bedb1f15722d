"""One mail that reaches two mailboxes of a real server, changed on one of its ways."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.e2e import post
from tests.e2e.site import Site
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


def test_one_mail_by_two_mailboxes_is_one_ticket_and_one_letter(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    desk = f"desk-{dovecot.user}"
    with site.configuration.open("a", encoding="utf-8") as file:
        file.write(
            f'[[mailbox]]\nname = "desk"\nhost = "127.0.0.1"\nport = {dovecot.plain_port}\nsecurity = "none"\n'
            f'username = "{desk}"\npassword = "{PASSWORD}"\n'
        )
    people = [f"person{number}@example.org" for number in range(5)]
    mails = [
        post.request(person, message_id=f"<{person}>", headers={"Date": "Mon, 23 Nov 2026 08:00:00 +0000"})
        for person in people
    ]
    ways = [
        b"Resent-From: desk@example.com\r\nX-MS-Exchange-CrossTenant-Id: 7\r\nX-OriginatorOrg: example.com\r\n"
        + mails[0],
        b"Delivered-To: desk@example.com\r\nX-Sieve: Pigeonhole Sieve 0.5\r\n" + mails[1],
        mails[2].replace(b"Subject: ", b"Subject: [EXTERNAL] "),
        b"X-MS-Exchange-Parent-Message-Id: <%s>\r\nAuto-Submitted: auto-generated\r\n" % people[3].encode()
        + mails[3].replace(f"<{people[3]}>\r\nDate".encode(), b"<AM9PR-3@gateway.example>\r\nDate"),
        mails[4] + b"\r\n-- \r\nThis mail was scanned.\r\n",
    ]
    assert all(one != other for one, other in zip(mails, ways, strict=True))
    dovecot.deliver(mails)
    dovecot.deliver(ways, user=desk)
    counts = site.once()
    assert Counter(smtp_sink.recipients()) == dict.fromkeys(people, 1)
    assert (counts["opened"], counts["already_known"], counts["sent"]) == (6, 4, 5)
    tickets = Counter(ticket["requester"] for ticket in site.tickets())
    assert tickets == {**dict.fromkeys(people, 1), people[4]: 2}
    assert [ticket["requester"] for ticket in site.tickets() if ticket["duplicate_of"]] == [people[4]]
    assert site.once()["fetched"] == 0
    site.cli("check")
