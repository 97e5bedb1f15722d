"""A server that lists a mail and gives nothing of it, or its headers alone: asked again, then quarantined, never taken
for an empty mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailticket.imap.responses import Fetched, Listed, shortfall
from mailticket.intake.collect import Collector
from mailticket.intake.quarantine import Isolation
from mailticket.models import Incoming
from mailticket.settings import Mailbox
from mailticket.store import incoming
from tests.helpdesk import HelpDesk, mail
from tests.servers.scripted_imap import Conversation, ScriptedImap

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WHOLE = mail(text="My withdrawal of 3 ETH hangs.")
HEAD = WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
CUT = [b"", HEAD, HEAD[:-2], HEAD.replace(b"\r\n", b"\n"), b"From: ann@mail.example\r\n\r\n"]


@pytest.mark.parametrize("raw", CUT)
def test_headers_alone_of_a_larger_mail_are_no_mail(raw: bytes) -> None:
    assert shortfall(Fetched(1, raw, NOW), Listed(len(WHOLE), NOW))


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (WHOLE, len(WHOLE)),
        (WHOLE, 10 * len(WHOLE)),  # some servers only estimate
        (WHOLE.replace(b"\r\n", b"\n"), len(WHOLE)),
        (HEAD, len(HEAD)),  # only a subject was written
        (HEAD + b"\r\n", len(HEAD)),
        (HEAD, 0),  # the server would not say
        (b"", 0),
        (b"no header, and no blank line", 12),
    ],
)
def test_whatever_may_be_whole_is_taken(raw: bytes, size: int) -> None:
    assert shortfall(Fetched(1, raw, NOW), Listed(size, NOW)) == ""


def giving(*bodies: bytes) -> ScriptedImap:
    """A server with one mail, of which each connection gets the next of these bodies, the later ones the last."""

    def one_round(server: Conversation) -> None:
        body = bodies[min(server.number, len(bodies) - 1)]
        server.greet(b"IMAP4rev1")
        server.select(exists=1, uidnext=2)
        server.answer("UID SEARCH", b"* SEARCH 1")
        if server.number == 0:
            size = b'* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE "23-Nov-2026 08:59:00 +0000")' % len(WHOLE)
            server.answer("RFC822.SIZE", size)
        server.answer("BODY.PEEK[]", b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)" % (len(body), body))
        server.answer("UID SEARCH", b"* SEARCH 1")
        server.answer("LOGOUT", b"* BYE")

    return ScriptedImap(one_round)


def collect(desk: HelpDesk, server: ScriptedImap, rounds: int) -> Incoming:
    given = {"name": "support", "host": "127.0.0.1", "port": server.port, "security": "none", "username": "ann"}
    box = Mailbox.model_validate({**given, "timeout_seconds": 5, "afterwards": "keep"})
    collector = Collector(desk.site, box, lambda: "secret")
    for _ in range(rounds):
        collector.collect_once()
    collector.close()
    with desk.database.read() as session:
        return incoming.by_id(session, 1)


@pytest.mark.parametrize("given", [b"", HEAD])
def test_it_is_asked_for_again_and_what_comes_at_last_is_a_ticket(helpdesk: HelpDesk, given: bytes) -> None:
    with giving(given, given, WHOLE) as server:
        assert collect(helpdesk, server, 2).state == "listed"
        assert helpdesk.stored() == []
        assert collect(helpdesk, server, 1).state == "opened"
    assert "3 ETH" in helpdesk.stored()[0].messages[0].text


@pytest.mark.parametrize("given", [b"", HEAD])
def test_after_many_rounds_it_is_quarantined_with_the_reason(helpdesk: HelpDesk, given: bytes) -> None:
    with giving(given) as server:
        row = collect(helpdesk, server, 10)
    assert (row.state, row.rule, row.identity) == ("quarantined", "not given", None)
    assert f"a mail of {len(WHOLE)} bytes" in row.reason
    assert Isolation(helpdesk.site).get(1)[1] == given
    assert helpdesk.stored() == []
    assert helpdesk.receive(WHOLE).state == "opened", "it is known to nobody"
    assert Isolation(helpdesk.site).retry(1).state == "listed"
