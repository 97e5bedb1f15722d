"""Forgetting a person: nothing of theirs stays anywhere, and nothing of others goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mailticket.desk.answers import Wish
from mailticket.errors import NotFound
from mailticket.letters import File
from mailticket.store import overview, requests
from mailticket.upkeep import person
from tests.helpdesk import HelpDesk, OpenDesk, mail
from tests.rights.traces import traces

ANN = "Annabel Leeward <annabel@wharf.example>"
BOB = "Bob Stone <bob@hill.example>"
SECRETS = ("annabel@wharf.example", "Annabel Leeward", "zanzibar", "quincunx", "xylograph", "passport-scan")
OF_BOB = ("bob@hill.example", "Bob Stone", "gooseberry")


def no_progress(_work: str, _share: float) -> None:
    """Nobody looks."""


def forget(desk: HelpDesk, *addresses: str, anyway: bool = False) -> Any:
    settings = desk.site.settings
    return person.forget(desk.database, settings, addresses, desk.now, "root", no_progress, anyway=anyway)


def with_file(raw: bytes, name: str, content: bytes) -> bytes:
    """The mail with a file attached."""
    from email import message_from_bytes, policy

    letter: Any = message_from_bytes(raw, policy=policy.SMTP)
    letter.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return bytes(letter.as_bytes())


def shared_desk(desk: HelpDesk) -> tuple[str, str]:
    """Ann has a ticket; Bob has one to which Ann was let in, and quotes her. Returns both IDs, all closed."""
    opening = with_file(
        mail(ANN, "Zanzibar deposit", "My quincunx deposit of 250 USDT has not arrived at all since monday."),
        "passport-scan.pdf", b"%PDF xylograph",
    )  # fmt: skip
    own = str(desk.receive(opening).ticket)
    desk.deliver()
    desk.desk.note(own, "Annabel Leeward called, quincunx again.")
    desk.desk.reply(own, "Dear Annabel Leeward, we look at the zanzibar.", Wish(files=(File("x.pdf", "x/y", b"%"),)))
    answer = desk.deliver()[-1]
    desk.receive(mail(ANN, "Re: Zanzibar deposit", "Thank you, the quincunx came.", answers=answer))
    request = mail(BOB, "Gooseberry account", "My gooseberry account 77821345 is locked. Please open it. Bob Stone")
    bobs = str(desk.receive(request).ticket)
    bobs_letter = desk.deliver()[-1]
    desk.desk.add_participant(bobs, "annabel@wharf.example")
    words = "I can confirm what Bob says, I saw the zanzibar lock with my own eyes on monday."
    from_ann = mail(ANN, "Re: Gooseberry account", words, answers=bobs_letter)
    assert desk.receive(from_ann).ticket == bobs
    quoting = f"Indeed a gooseberry.\n\nOn Monday, {ANN} wrote:\n> {words}\n"
    assert desk.receive(mail(BOB, "Re: Gooseberry account", quoting, answers=bobs_letter, Cc=ANN)).ticket == bobs
    elsewhere = desk.receive(mail(BOB, "Gooseberry and papers", f"{quoting}\nWhere do I send my papers?"))
    assert elsewhere.ticket != bobs
    desk.desk.reply(bobs, "We opened the gooseberry, Bob Stone. Greetings to Annabel Leeward.")
    desk.deliver()
    for key in (own, bobs):
        desk.desk.close(key)
    return own, bobs


def figures(desk: HelpDesk) -> Any:
    """What reports and `check` count."""
    with desk.database.read() as session:
        counted = overview.figures(session, desk.now, desk.now.replace(year=2020))
        return (
            overview.conservation(session), sorted(requests.requests(session, desk.now.replace(year=2020)), key=repr),
            requests.follow_ups(session, desk.now.replace(year=2020)), counted.tickets, counted.kept, counted.missed,
        )  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Iterator[HelpDesk]:
    """A help desk on each database."""
    yield open_desk(url=request.getfixturevalue("postgres_url")) if request.param == "postgres" else open_desk()


def test_nothing_of_a_person_is_left_and_all_of_the_others_is(desk: HelpDesk) -> None:
    own, bobs = shared_desk(desk)
    assert {trace.partition(" in ")[0] for trace in traces(desk.database, SECRETS)} == set(SECRETS)
    before, conversation = figures(desk), [row.new_text for row in desk.ticket(bobs).messages if "Bob" in row.from_name]
    toll = forget(desk, "ANNABEL@wharf.example")
    assert traces(desk.database, SECRETS) == []
    assert (toll.tickets, toll.broken) == (1, 0)
    assert figures(desk) == before
    assert own not in [stored.row.key for stored in desk.stored()]
    after = desk.ticket(bobs)
    assert [row.new_text for row in after.messages if "Bob" in row.from_name] == conversation
    assert after.requester == ("bob@hill.example",) and after.participants == ()
    assert after.row.subject == "Gooseberry account"
    assert {trace.partition(" in ")[0] for trace in traces(desk.database, OF_BOB)} == set(OF_BOB)
    with pytest.raises(NotFound, match="nothing is held"):
        forget(desk, "annabel@wharf.example")
