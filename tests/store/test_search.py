"""Tickets are found by their words, on each database, whatever moves or goes; what is sought is data, never syntax."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text, update
from sqlmodel import col

from mailticket.desk.answers import Wish
from mailticket.desk.tickets import Change
from mailticket.letters import File
from mailticket.mail.values import Attachment
from mailticket.models import Message, Ticket
from mailticket.store import Session, backup, overview, schema, search, tickets
from mailticket.store.engine import Database
from mailticket.store.rows import savepoint
from tests.conftest import OpenDesk
from tests.helpdesk import HelpDesk, mail
from tests.store.conftest import KINDS, NOON, after, new_message, new_ticket
from tests.store.test_schema import fill

ANN, BOB = "Ann Lee <ann@mail.example>", "Bob Miller <bob@shop.example>"
HASH = "0xab54a98ceb1f0ad2c5d2f1c5e24c1a6e7a1f2b3c4d5e6f708192a3b4c5d6e7f8"


def find(database: Database, *words: str, limit: int | None = None, **criteria: object) -> list[int]:
    """The ids of the tickets that a list shows, in its order."""
    wanted = overview.Filter(search=words, **criteria)  # type: ignore[arg-type]
    return list(overview.ticket_rows(database, wanted, limit, lambda _, row: int(row.ticket.id or 0)))


def ticket_with(session: Session, *texts: str, **more: str) -> int:
    """A ticket of its own person, with a message for each text."""
    ticket = new_ticket(session, **more)
    for words in texts:
        new_message(session, ticket, words)
    return ticket


def contents(session: Session) -> dict[int, set[str]]:
    """Everything that is in the index: the terms of each ticket."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, ticket_search, instance)")
        rows = connection.exec_driver_sql("SELECT doc, term FROM temp.terms").all()
        connection.exec_driver_sql("DROP TABLE temp.terms")
    else:
        rows = connection.exec_driver_sql("SELECT ticket_id, unnest(tsvector_to_array(terms)) FROM ticket_search").all()
    index: dict[int, set[str]] = {}
    for ticket, term in rows:
        index.setdefault(int(ticket), set()).add(str(term))
    return index


def agrees(database: Database) -> bool:
    """Whether the index holds what the tickets' rows say now, no word more and none less."""
    with database.write() as session:
        numbers = list(session.execute(select(col(Ticket.id))).scalars())
        truth = search._documents(session.connection(), numbers)
        return contents(session) == {number: terms for number, terms in truth.items() if terms}


@pytest.fixture(params=KINDS)
def helpdesk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Iterator[HelpDesk]:
    """A help desk on each database."""
    yield open_desk(on=request.getfixturevalue("postgres_databases" if request.param == "postgres" else "databases"))


def with_file(raw_name: str) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = BOB, "support@coinharbor.com", "A question of fees"
    letter["Message-ID"] = "<file@shop.example>"
    letter["Cc"] = "Partner <carl@partner.example>"
    letter.set_content(f"手续费太高，提現還沒有到賬。 Withdrawal {HASH} of 1,500.00 USDT, order 88412290.")
    letter.add_attachment(b"x", maintype="image", subtype="png", filename=raw_name)
    return letter.as_bytes()


def test_a_ticket_is_found_by_all_that_people_wrote_and_nothing_that_we_wrote_by_ourselves(helpdesk: HelpDesk) -> None:
    helpdesk.receive(mail(ANN))
    result = helpdesk.receive(with_file("receipt-of-bank.png"))
    key = str(result.ticket)
    acknowledgement = next(m for m in helpdesk.ticket(key).messages if m.kind == "acknowledgement")
    assert "Coin Harbor" in acknowledgement.text
    assert find(helpdesk.database, "Coin Harbor") == []
    helpdesk.desk.reply(key, "The treasury has confirmed it.")
    helpdesk.desk.note(key, "Smells of smurfing.")
    helpdesk.desk.add_participant(key, "dora@lawyer.example")
    number = int(helpdesk.ticket(key).row.id or 0)
    for words in (
        "fees question", "withdrawal", "提现", "到账", "到賬", "手续费", HASH, HASH[:12], "88412290", "1500",
        "bob@shop.example", "BOB", "shop.example", "Miller", "carl@partner.example", "dora@lawyer.example", "dora",
        "receipt-of-bank.png", "bank", "treasury", "smurfing", key, key[3:7], key.lower(), "smurfing 提现 treasury",
    ):  # fmt: skip
        assert find(helpdesk.database, words) == [number], words
    for words in ("smurfing deposit", "lawyer.example carl@shop.example", "lemurs"):
        assert find(helpdesk.database, words) == [], words
    assert agrees(helpdesk.database)


def test_what_a_mask_hides_is_not_found(helpdesk: HelpDesk) -> None:
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    helpdesk.receive(mail(ANN, text=f"My seed phrase is {words}. My password: hunter2Zebra!"))
    [stored] = helpdesk.stored()
    assert find(helpdesk.database, "password") == [stored.row.id]
    assert "sausage" not in stored.messages[0].text
    for hidden in ("sausage", "yellow", "hunter2Zebra"):
        assert find(helpdesk.database, hidden) == []


def test_words_may_stand_in_different_messages_of_one_ticket_but_not_of_two(database: Database) -> None:
    with database.write() as session:
        both = ticket_with(session, "the lion roars", "a zebra runs", sender="ann@example.org")
        ticket_with(session, "the lion sleeps", sender="bob@example.org")
        ticket_with(session, "a zebra sleeps", sender="carl@example.org")
    assert find(database, "lion", "zebra") == find(database, "zebra lion") == [both]
    assert len(find(database, "sleeps")) == 2


# The one ticket says "the lion roars", the other "a zebra runs near or and not terms".
HOSTILE = {
    "lion": ['"lion', "lion'", "lion*", "-lion", "^lion", "lion:*", "lion\\", "lion 🦁", "lion " * 2_000, "l\u200bion"],
    "zebra": ["NOT zebra", "zebra AND", "NEAR(zebra)", "terms:zebra", "{terms}:zebra", "zebra & !terms"],
    "": ['"', '""', "*", "'lion' | 'zebra'", "lion NEAR zebra", "NEAR(lion zebra)", "lion OR zebra", "lion <-> zebra",
         "NOT lion", "lion\0zebra", "lion) OR (1=1", "\\", "%", "_", "; DROP TABLE ticket;--", "🦁", "\udcff", "",
         "x" * 10_000, "狮" * 10_000, "a." * 5_000, "lion\n\t\r zebra", ":param", "%(name)s", "?", "$1"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, some in HOSTILE.items() for words in some])
def test_what_is_sought_is_never_syntax(database: Database, name: str, words: str) -> None:
    with database.write() as session:
        lion = ticket_with(session, "the lion roars", sender="ann@example.org")
        zebra = ticket_with(session, "a zebra runs near or and not terms", sender="bob@example.org")
    assert find(database, words) == {"lion": [lion], "zebra": [zebra]}.get(name, [])
    assert find(database, "lion") == [lion]


def test_messages_take_their_words_along_when_tickets_are_merged_and_split(helpdesk: HelpDesk) -> None:
    first = str(helpdesk.receive(mail(ANN, "Lions", "About the lion.")).ticket)
    second = str(helpdesk.receive(mail(BOB, "Zebras", "About the zebra and the lion.")).ticket)
    third = str(helpdesk.receive(mail("Carl <carl@x.example>", "Okapis", "About the okapi.")).ticket)
    numbers = {key: int(helpdesk.ticket(key).row.id or 0) for key in (first, second, third)}
    database = helpdesk.database
    helpdesk.desk.merge(third, second, anyway=True)
    helpdesk.desk.merge(second, first, anyway=True)
    for words in ("zebra okapi", "carl@x.example zebra", second, third, "lion"):
        assert find(database, words) == [numbers[first]], words
    assert agrees(database)
    helpdesk.desk.split(second)
    assert find(database, "zebra okapi") == [numbers[second]]
    assert find(database, "okapi", "lion") == [numbers[second]]
    assert find(database, "lion") == [numbers[second], numbers[first]]
    assert agrees(database)
    helpdesk.desk.split(third)
    assert find(database, "zebra okapi") == []
    assert find(database, "okapi") == [numbers[third]]
    assert agrees(database)


def test_a_person_is_found_by_every_address_that_staff_say_is_theirs(helpdesk: HelpDesk) -> None:
    old = helpdesk.receive(mail(ANN, text="About the lion."))
    other = helpdesk.receive(mail(BOB, text="About the zebra."))
    helpdesk.desk.link_addresses("ann@mail.example", "bob@shop.example")
    helpdesk.desk.link_addresses("ann@mail.example", "ann@third.example")
    new = helpdesk.receive(mail(ANN, text="About the okapi."))
    ids = [int(helpdesk.ticket(result.ticket).row.id or 0) for result in (new, other, old)]
    assert find(helpdesk.database, "bob@shop.example") == find(helpdesk.database, "ann@third.example") == ids
    helpdesk.desk.set_requester(str(other.ticket), "eve@forest.example")
    assert find(helpdesk.database, "eve@forest.example") == [ids[1]]
    assert find(helpdesk.database, "third.example") == [ids[0], ids[2]]
    assert find(helpdesk.database, "bob@shop.example") == ids  # who wrote it stays on the ticket
    assert agrees(helpdesk.database)


def test_what_staff_change_and_enclose_is_found_and_what_is_held_is_not(helpdesk: HelpDesk) -> None:
    key = str(helpdesk.receive(mail(ANN, "Lions", "About the lion.")).ticket)
    [number] = find(helpdesk.database, "lion")
    helpdesk.desk.change(key, Change(subject="Okapis"))
    assert find(helpdesk.database, "okapi") == [number]
    statement = File("statement.pdf", "application/pdf", b"x")
    assert helpdesk.desk.reply(key, "See the giraffe.", Wish(files=(statement,))).held is None
    assert find(helpdesk.database, "giraffe statement.pdf") == [number]
    other = str(helpdesk.receive(mail(BOB, "Zebras", "About the zebra.")).ticket)
    assert helpdesk.desk.reply(other, f"The hippo is on {key}.", Wish(files=(statement,))).held is not None
    assert find(helpdesk.database, "hippo") == []
    assert find(helpdesk.database, "statement") == [number]
    assert agrees(helpdesk.database)


def test_details_that_a_reply_brings_find_the_ticket_in_their_one_form(helpdesk: HelpDesk) -> None:
    first = helpdesk.receive(mail(ANN, text="My deposit has not arrived."))
    [letter] = helpdesk.letters()
    helpdesk.receive(mail(ANN, text="The amount was 12,500.00 USDT on Nov 20, 2026.", answers=letter))
    stored = helpdesk.ticket(first.ticket)
    assert stored.row.fields and "12500" in stored.row.fields["amount"]
    assert find(helpdesk.database, "12500") == [stored.row.id]
    assert agrees(helpdesk.database)


def test_what_is_taken_back_is_not_found(database: Database) -> None:
    with database.write() as session:
        ticket = ticket_with(session, "the lion roars")
        with pytest.raises(RuntimeError), savepoint(session):
            new_message(session, ticket, "a zebra runs")
            raise RuntimeError("taken back")
    with pytest.raises(RuntimeError), database.write() as session:
        new_message(session, ticket, "an okapi hides")
        raise RuntimeError("taken back")
    assert find(database, "lion") == [ticket]
    assert find(database, "zebra") == find(database, "okapi") == []


@pytest.mark.parametrize("few", [0, 25])
def test_many_matches_come_newest_first_page_by_page_under_any_filter(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Beyond what is looked at first, and with more words of one beginning than are asked for by name."""
    monkeypatch.setattr(search, "NEWEST", 4)
    monkeypatch.setattr(search, "_MOST_FORMS", 3)
    monkeypatch.setattr(search, "_FEW", few)
    monkeypatch.setattr(overview, "_PAGE", 5)
    dice, truth = random.Random(7), []
    with database.write() as session:
        for number in range(60):
            words = [word for word in ("lion", f"lion{number % 9}", "zebra", "okapi") if dice.random() < 0.5]
            status = dice.choice(("new", "closed", "closed"))
            ticket = ticket_with(session, *words, at=after(number), status=status)  # type: ignore[arg-type]
            truth.append((ticket, words, status))
    truth.reverse()

    def expect(words: tuple[str, ...], status: tuple[str, ...]) -> list[int]:
        return [
            ticket for ticket, text_, state in truth
            if (not status or state in status) and all(any(t.startswith(w) for t in text_) for w in words)
        ]  # fmt: skip

    for words in (
        ("lion",),
        ("zebra",),
        ("lion", "zebra"),
        ("lion", "okapi", "zebra"),
        ("lion7",),
        ("giraffe", "lion"),
    ):
        for status in ((), ("new",), ("closed",)):
            for limit in (None, 3, 7):
                assert find(database, *words, limit=limit, status=status) == expect(words, status)[:limit]
        waiting = find(database, *words, waiting="us")
        assert sorted(waiting, reverse=True) == expect(words, ("new",))


def test_an_older_database_is_filled(empty: Database) -> None:
    number = 1
    with empty.engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0007")
        fill(connection, "ticket", id=number, key="MT-AAAA-AAAA", subject="Fees", status="new", fields={"txid": [HASH]})
        fill(connection, "participant", ticket_id=number, key="d@l.example", address="d@l.example")
        for direction, kind, words in (("in", "request", "提现没有到账"), ("out", "acknowledgement", "thanks"),
                                       ("note", "note", "smurfing")):  # fmt: skip
            fill(connection, "message", ticket_id=number, direction=direction, kind=kind, text=words)
    steps: list[tuple[int, int]] = []
    assert schema.prepare(empty, lambda done, total: steps.append((done, total))) is True
    assert steps == [(1, 1)]
    for words in ("fees", HASH, "d@l.example", "提现", "smurfing", "MT-AAAA-AAAA"):
        assert find(empty, words) == [number]
    assert find(empty, "thanks") == []
    assert agrees(empty)


def test_a_flood_of_words_does_not_keep_a_message_out(database: Database) -> None:
    """A tsvector ends at a megabyte; what comes after is in the ticket, and only not found there."""
    with database.write() as session:
        ticket = ticket_with(session, "the lion roars")
        for part in range(8):
            new_message(session, ticket, " ".join(f"{part}{number:07d}界{number:080d}" for number in range(9_000)))
        assert len(tickets.conversation(session, ticket)) == 9
    assert find(database, "lion") == find(database, f"0{5:07d}") == [ticket]


@pytest.fixture
def forgotten(database: Database) -> Callable[[], int]:
    """A ticket with a secret of its person, between others, whose text was then removed."""

    def forget() -> int:
        with database.write() as session:
            for number in range(40):
                ticket_with(session, f"the lion number{number} roars", sender=f"p{number}@example.org")
            ticket = ticket_with(session, "her name is xylophonia", "a zebra runs", sender="x@example.org")
        with database.write() as session:
            for number in range(40):
                ticket_with(session, f"the okapi number{number} hides", sender=f"q{number}@example.org")
        with database.write() as session, search.following(session, [ticket]):
            gone = update(Message).where(col(Message.text) == "her name is xylophonia")
            session.execute(gone.values(text="", new_text=""))
        return ticket

    return forget


def test_removed_words_find_nothing_and_leave_the_index(database: Database, forgotten: Callable[[], int]) -> None:
    ticket = forgotten()
    search.purge(database)
    assert find(database, "xylophonia") == find(database, "xylo") == []
    assert find(database, "zebra") == [ticket]
    assert len(find(database, "lion")) == len(find(database, "okapi")) == 40
    with database.write() as session:
        assert "xylophonia" not in {term for terms in contents(session).values() for term in terms}


def test_removed_words_are_not_left_in_the_file(
    database: Database, forgotten: Callable[[], int], tmp_path: Path
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL keeps many files, and cleans them by itself")
    forgotten()
    files = [tmp_path / "store.db", tmp_path / "store.db-wal"]
    database.forget_overwritten()
    assert any(b"xylophonia" in file.read_bytes() for file in files)  # FTS5 has only marked it
    search.purge(database)
    assert not any(b"xylophonia" in file.read_bytes() for file in files if file.exists())


def test_removals_are_never_more_than_additions_for_fts5(database: Database) -> None:
    """It counts rows, and takes a count below nothing for damage."""
    with database.write() as session:
        ticket = ticket_with(session, "lion zebra okapi")
    for words in ("lion zebra", "lion", ""):
        with database.write() as session, search.following(session, [ticket]):
            session.execute(update(Message).values(text=words))
    assert find(database, "zebra") == find(database, "lion") == []
    if database.is_sqlite:
        with database.write() as session:
            session.execute(text("INSERT INTO ticket_search (ticket_search) VALUES ('integrity-check')"))


def test_a_copy_of_the_database_finds_the_same(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        ticket = ticket_with(session, "提现没有到账")
    target = tmp_path / "copy.db"
    target.touch()
    copied = backup.copy_database(database, target, backup.Note(NOON, "1"), None, lambda _work, _share: None)
    assert copied.counts["ticket"] == 1
    if database.is_sqlite:
        copy = Database(f"sqlite:///{target}")
        assert find(copy, "提现") == [ticket]
        copy.close()


def test_an_answer_and_its_files_are_found_and_letters_cost_nothing(database: Database) -> None:
    with database.write() as session:
        ticket = new_ticket(session)
        file = Attachment("1", "statement-2026.pdf", "application/pdf", 1, "0", False)
        for kind in ("staff-reply", "acknowledgement"):
            tickets.add_message(session, attachments=[file] if kind == "staff-reply" else (), ticket_id=ticket,
                                direction="out", kind=kind, text=f"words of {kind.partition('-')[0]}", at=NOON,
                                to_address="eve@forest.example", from_address="support@example.com")  # fmt: skip
    for words in ("statement-2026.pdf", "staff", "eve@forest.example"):
        assert find(database, words) == [ticket]
    assert find(database, "acknowledgement") == find(database, "support@example.com") == []
