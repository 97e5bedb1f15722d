"""The record of incoming mail: lives of a folder, what is owed, attempts, and the server's copy."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailticket.errors import NotFound, Refused
from mailticket.mail.packing import pack
from mailticket.models import Folder
from mailticket.settings import Mailbox
from mailticket.store import Session, incoming, raws
from mailticket.store.engine import Database
from mailticket.store.incoming import Account, Listed
from tests.store.conftest import ACCOUNT, NOON, after

THREE_DAYS = timedelta(hours=72)


def enter(session: Session, uidvalidity: int = 7, uidnext: int = 1, minutes: float = 0) -> Folder:
    return incoming.enter_folder(session, "support", ACCOUNT, uidvalidity, uidnext, after(minutes), THREE_DAYS)


def listed(session: Session, folder: Folder, *uids: int) -> list[int]:
    """Rows of mails that have just arrived; returns their ids."""
    incoming.record_listed(session, folder, [Listed(uid, 100, NOON) for uid in uids], NOON)
    return [int(row.id or 0) for row in incoming.pending(session, int(folder.id or 0), 100) if row.uid in uids]


def test_the_first_listing_leaves_old_mail_alone_and_passes_only_recorded_uids(database: Database) -> None:
    with database.write() as session:
        folder = enter(session)
        old, new = NOON - timedelta(hours=73), NOON - timedelta(hours=71)
        incoming.record_listed(session, folder, [Listed(1, 9, old), Listed(2, 9, new), Listed(5)], NOON)
        assert folder.high_water == 5
    with database.read() as session:
        assert {row.uid: row.state for row in (incoming.find(session, f"support:{n}")[0] for n in (1, 2, 5))} == {
            1: "before", 2: "listed", 5: "vanished",
        }  # fmt: skip
        assert incoming.recorded_uids(session, "support", ACCOUNT, 7) == (5, {1, 2, 5})


def test_a_uid_is_recorded_once(database: Database) -> None:
    with database.write() as session:
        listed(session, enter(session), 1)
    with pytest.raises(Exception, match=r"(?i)unique"), database.write() as session:
        listed(session, enter(session, uidnext=2), 1)


@pytest.mark.parametrize(
    ("uidvalidity", "uidnext", "generation"),
    [(7, 3, 0), (7, 9, 0), (7, 0, 0), (8, 1, 1), (7, 2, 1)],
    ids=["nothing new", "new mail", "a server that tells no UIDNEXT", "new UIDVALIDITY", "UIDs that went back"],
)
def test_a_folder_s_life_goes_on_or_begins_anew(
    database: Database, uidvalidity: int, uidnext: int, generation: int
) -> None:
    with database.write() as session:
        listed(session, enter(session), 1, 2)
    with database.write() as session:
        folder = enter(session, uidvalidity, uidnext, 1)
        assert (folder.generation, folder.high_water) == (generation, 0 if generation else 2)


def test_what_was_pending_in_an_old_life_is_given_up_and_will_be_listed_again(database: Database) -> None:
    long_ago = NOON - timedelta(days=9)
    with database.write() as session:
        first = enter(session)
        first.before = long_ago
        incoming.record_listed(session, first, [Listed(1, 9, long_ago), Listed(2, 9, NOON)], NOON)
        done, waiting = incoming.pending(session, int(first.id or 0), 9)
        incoming.finish(session, int(waiting.id or 0), NOON, state="opened", afterwards="due", afterwards_at=NOON)
    with database.write() as session:
        second = enter(session, uidvalidity=8)
        assert second.before == long_ago  # so that the mail of UID 1 is not "before first contact" now
        assert incoming.by_id(session, int(done.id or 0)).state == "vanished"
        assert incoming.afterwards_due(session, int(first.id or 0), after(1)) == []


HERE = {"host": ACCOUNT.host, "username": ACCOUNT.username, "path": ACCOUNT.path}


@pytest.mark.parametrize(
    ("change", "same_mail"),
    [({"host": "new.example.com"}, True), ({"username": "sales@example.com"}, False), ({"path": "Sales"}, False)],
)
def test_another_account_under_the_same_name_begins_a_new_life(
    database: Database, change: dict[str, str], same_mail: bool
) -> None:
    """Or its mail would be passed over, up to the UID that the former account had reached. Where only the server's name
    changed, the mail is probably the same: what was still pending must not be too old for a first contact."""
    other, long_ago = Account(**(HERE | change)), NOON - timedelta(days=9)
    with database.write() as session:
        first = enter(session)
        first.before = long_ago
        incoming.record_listed(session, first, [Listed(1, 9, long_ago), Listed(2, 9, NOON)], NOON)
        _, row = incoming.pending(session, int(first.id or 0), 9)
        incoming.finish(session, row.id, NOON, state="opened", afterwards="due", afterwards_at=NOON)
    with database.write() as session:
        assert incoming.recorded_uids(session, "support", ACCOUNT, 7) == (2, {1, 2})
        assert incoming.recorded_uids(session, "support", other, 7) is None
        second = incoming.enter_folder(session, "support", other, 7, 3, after(1), THREE_DAYS)
        assert (second.generation, second.high_water) == (1, 0)
        assert second.before == (long_ago if same_mail else after(1) - THREE_DAYS)
        given_up = incoming.find(session, "support:1")[0]
        assert (given_up.state, given_up.reason) == (
            "vanished", incoming.RENUMBERED if same_mail else incoming.MOVED_AWAY
        )  # fmt: skip
        assert incoming.afterwards_due(session, int(first.id or 0), after(1)) == [], "its UIDs are of the other account"
    with database.write() as session:
        assert incoming.enter_folder(session, "support", other, 7, 3, after(2), THREE_DAYS).id == second.id


def test_the_account_that_is_met_first_after_an_upgrade_is_the_folder_s(database: Database) -> None:
    other = Account(**(HERE | {"username": "sales@example.com"}))
    with database.write() as session:
        first = enter(session)
        listed(session, first, 1)
        first.host = first.username = first.path = None
        session.add(first)
    with database.write() as session:
        assert incoming.recorded_uids(session, "support", ACCOUNT, 7) == (1, {1})
        assert enter(session, uidnext=2).generation == 0
    with database.write() as session:
        assert incoming.enter_folder(session, "support", other, 7, 2, NOON, THREE_DAYS).generation == 1


def test_an_account_is_the_same_in_whatever_case_its_host_is_written() -> None:
    box = Mailbox(name="support", host="IMAP.Example.com", username="Ann", password="x", folder="INBOX/Help")
    assert incoming.account_of(box) == Account("imap.example.com", "Ann", "INBOX/Help")


def test_what_nobody_would_ask_for_is_not_put_back(database: Database) -> None:
    """Its folder has begun a new life: as "listed" it would wait for ever."""
    with database.write() as session:
        number = listed(session, enter(session), 1)[0]
        incoming.count_refusal(session, number, 1, "no such message", NOON)
        enter(session, uidvalidity=8)
    with pytest.raises(Refused, match=f"mailticket quarantine release {number}"), database.write() as session:
        incoming.ask_again(session, number)
    with database.write() as session:
        assert incoming.set_aside(session, number).state == "quarantined"
        incoming.finish(session, number, NOON, state="filed")
    with pytest.raises(Refused, match="it is filed"), database.write() as session:
        incoming.ask_again(session, number)


def test_what_is_owed_comes_in_order_and_once(database: Database) -> None:
    with database.write() as session:
        folder = enter(session)
        ids = listed(session, folder, 3, 1, 2)
        assert [row.uid for row in incoming.pending(session, int(folder.id or 0), 2)] == [1, 2]
        assert [r.uid for r in incoming.pending(session, int(folder.id or 0), 9, without={ids[0]})] == [2, 3]
        assert incoming.is_owed(session, ids[0])
        incoming.finish(session, ids[0], NOON, state="filed", rule="list", reason="a list")
        assert not incoming.is_owed(session, ids[0])


def test_only_attempts_alone_are_counted_and_can_be_taken_back(database: Database) -> None:
    with database.write() as session:
        ids = listed(session, enter(session), 1, 2)
        incoming.begin_attempts(session, ids, NOON)
        incoming.begin_alone(session, ids[0], 2, NOON)
    with database.write() as session:
        rows = [incoming.by_id(session, number) for number in ids]
        assert [(row.attempted_at, row.alone_attempts) for row in rows] == [(NOON, 2), (NOON, 0)]
        incoming.forget_attempts(session, {ids[0]: 1, ids[1]: 0})
    with database.read() as session:
        rows = [incoming.by_id(session, number) for number in ids]
        assert [(row.attempted_at, row.alone_attempts) for row in rows] == [(None, 1), (None, 0)]


def test_a_mail_that_the_server_never_gives_ends_in_quarantine_and_can_be_asked_for_again(database: Database) -> None:
    with database.write() as session:
        number = listed(session, enter(session), 1)[0]
    for expected in ("listed", "listed", "quarantined"):
        with database.write() as session:
            incoming.count_refusal(session, number, 3, "no such message", NOON)
        with database.read() as session:
            assert incoming.by_id(session, number).state == expected
    with database.write() as session:
        assert [row.id for row in incoming.quarantined(session)] == [number]
        incoming.ask_again(session, number)
    with database.read() as session:
        assert (incoming.by_id(session, number).state, incoming.by_id(session, number).refusals) == ("listed", 0)


def test_a_refused_flag_is_tried_again_later_each_time_until_it_is_done(database: Database) -> None:
    with database.write() as session:
        folder = enter(session)
        number = listed(session, folder, 1)[0]
        incoming.finish(session, number, NOON, state="opened", afterwards="due", afterwards_at=NOON)

    def due(minutes: float) -> list[int | None]:
        with database.read() as session:
            return [row.id for row in incoming.afterwards_due(session, int(folder.id or 0), after(minutes))]

    assert due(0) == [number]
    for wait in (1, 2, 4, 8):
        with database.write() as session:
            incoming.afterwards_failed(session, [number], NOON, "no right to do that")
        assert (due(wait - 0.1), due(wait)) == ([], [number])
    with database.write() as session:
        incoming.afterwards_done(session, [number])
    assert due(9999) == []


def test_a_mail_is_found_by_message_id_or_by_mailbox_and_uid(database: Database) -> None:
    with database.write() as session:
        number = listed(session, enter(session), 4)[0]
        incoming.finish(session, number, NOON, state="opened", message_id="<x@example.org>")
        assert [row.id for row in incoming.find(session, "x@example.org")] == [number]
        assert [row.id for row in incoming.find(session, "<x@example.org>")] == [number]
        assert [row.id for row in incoming.find(session, "support:4")] == [number]
        assert incoming.find(session, "support:5") == incoming.find(session, "other:4") == []
        with pytest.raises(NotFound):
            incoming.by_id(session, number + 1)


def test_files_whose_taking_in_was_cut_short_are_given_up(database: Database) -> None:
    with database.write() as session:
        number = incoming.record_file(session, NOON, 9, NOON)
        assert incoming.give_up_files(session, NOON, after(60), 10) == 0
        assert incoming.give_up_files(session, after(1), after(60), 10) == 1
    with database.read() as session:
        assert incoming.by_id(session, number).state == "vanished"


@pytest.mark.parametrize(
    "raw", [b"", b"short", b"Subject: x\r\n\r\n" + b"again and again " * 99, bytes(range(256)) * 99]
)
def test_raw_mail_comes_back_as_it_was_and_is_stored_once(database: Database, raw: bytes) -> None:
    packed = pack(raw)
    with database.write() as session:
        raws.put(session, packed, NOON)
        raws.put(session, packed, after(1))
    with database.read() as session:
        assert raws.get(session, packed.digest) == raw
        assert raws.get(session, "0" * 64) is None
    assert len(packed.data) <= len(raw)
