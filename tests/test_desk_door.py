"""The desk's door: who comes in, what a question may be, and that nobody who hangs keeps the others out."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk import protocol
from mailticket.errors import MailticketError, NotAllowed, Refused, WorldError
from mailticket.service import desk_door
from mailticket.service.desk_door import DeskDoor, Limits
from tests.helpdesk import HelpDesk, OpenDesk, mail
from tests.servers.machine import PATIENCE, require, until

MEMBER, STRANGER = "daemon", "nobody"  # accounts of every Linux
OWN = protocol.own_account()
STAFF = [{"name": "mia", "addresses": ["mia@coinharbor.com"], "login": OWN},
         {"name": "tom", "addresses": ["tom@coinharbor.com"], "login": MEMBER}]  # fmt: skip
ASK = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[2])
    client.sendall(sys.stdin.buffer.read())
    while piece := client.recv(65536):
        sys.stdout.buffer.write(piece)
"""
CALL = """
import os, sys
from tests.cli.matrix import preload
from mailticket.cli import main
preload()
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
main(sys.argv[2:])
"""

OpenDoor = Callable[..., DeskDoor]


@pytest.fixture
def path() -> Iterator[Path]:
    """Where a door may be; other accounts reach it, and it is short, for Unix sockets allow about 100 characters."""
    folder = Path(tempfile.mkdtemp(prefix="mailticket-desk-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "desk.sock"
    shutil.rmtree(folder)


@pytest.fixture
def open_door(path: Path) -> Iterator[OpenDoor]:
    """Opens a door to a help desk, whose configuration of the moment counts; limits by keyword."""
    doors: list[DeskDoor] = []

    def make(desk: HelpDesk, done: Callable[[], None] = lambda: None, **limits: Any) -> DeskDoor:
        doors.append(DeskDoor(path, lambda: desk.site, done, Limits(**limits)))
        doors[-1].open()
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def desk(open_desk: OpenDesk) -> HelpDesk:
    return open_desk(staff=STAFF)


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    try:
        client.connect(str(path))
    except OSError:
        client.close()
        raise
    return client


def answer(client: socket.socket) -> list[dict[str, Any]]:
    with client.makefile("rb") as lines:
        return list(protocol.rows(lines))


def ask(path: Path, raw: bytes) -> list[dict[str, Any]]:
    with connected(path) as client:
        with contextlib.suppress(ConnectionError):  # who is told to come again may be told before asking
            client.sendall(raw)
        return answer(client)


def question(deed: str, **arguments: Any) -> bytes:
    return protocol.line({"deed": deed, "arguments": arguments})


def ask_as(account: str, path: Path, raw: bytes) -> list[dict[str, Any]]:
    """What the door answers to another account of this machine."""
    require(os.geteuid() == 0, "root")
    path.chmod(0o666)  # who is in the group is tested where there is one
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(pwd.getpwnam(account).pw_uid), str(path)],
        input=raw, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(protocol.rows(done.stdout.splitlines()))


def call_as(account: str, path: Path, *words: str, mode: int = 0o666) -> subprocess.CompletedProcess[str]:
    """A command of another account, which may not read the configuration."""
    require(os.geteuid() == 0, "root")
    path.chmod(mode)
    closed = path.parent / "mailticket.toml"
    closed.touch(0o600)
    here = str(Path(__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-c", CALL, str(pwd.getpwnam(account).pw_uid), *words, "--config", str(closed)],
        cwd=here, capture_output=True, text=True, timeout=2 * PATIENCE, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": here, "MAILTICKET_DESK_SOCKET": str(path), "LOGNAME": "mia", "USER": "mia"},
    )  # fmt: skip


def test_a_member_acts_under_their_name_whatever_the_environment_says(desk: HelpDesk, open_door: OpenDoor,
                                                                      path: Path) -> None:  # fmt: skip
    key = desk.receive(mail()).ticket
    open_door(desk)
    done = call_as(MEMBER, path, "ticket", "reply", str(key), "--text", "It is on its way.")
    assert done.returncode == 0, done.stderr
    assert "the answer to ann@mail.example is in the outbox" in done.stdout
    assert {event.actor for event in desk.ticket(key).events if event.kind == "staff-reply"} == {"tom"}
    assert [message.by for message in desk.ticket(key).messages if message.kind == "staff-reply"] == ["tom"]
    assert desk.ticket(key).row.assigned_to == "tom"


def test_an_account_that_is_nobody_s_is_refused_in_a_sentence(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    open_door(desk)
    done = call_as(STRANGER, path, "ticket", "list")
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr == (
        "mailticket: the account nobody is no member's; add it to a [[staff]] table of the configuration: "
        'login = "nobody"\n'
    )


def test_who_may_not_use_the_socket_is_told_the_group(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    open_door(desk)
    done = call_as(STRANGER, path, "ticket", "list", mode=0o660)
    assert (done.returncode, done.stdout) == (77, "")
    assert "the desk is open to the group mailticket-staff" in done.stderr
    assert "usermod -aG mailticket-staff nobody" in done.stderr


def test_where_no_daemon_runs_that_is_said(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    done = call_as(STRANGER, path, "ticket", "list")
    assert (done.returncode, done.stdout) == (75, "")
    assert "the daemon does not run" in done.stderr


def test_status_and_staff_are_shown_to_a_member_and_a_visitor(
    open_desk: OpenDesk, open_door: OpenDoor, path: Path
) -> None:
    team = {"name": "money", "members": ["tom"], "lead": "tom"}
    desk = open_desk(staff=STAFF, team=[team], desk={"visitors": True})
    desk.desk.actor = "mia"
    key = str(desk.receive(mail()).ticket)
    desk.desk.reply(key, "It is on its way.")
    open_door(desk)
    for account in (MEMBER, STRANGER):
        (face,) = ask_as(account, path, question("status"))
        assert (face["tickets"], face["held"]) == ({"pending": 1}, 0)
        assert [row["name"] for row in ask_as(account, path, question("staff"))] == ["mia", "tom"]
    done = call_as(MEMBER, path, "status")
    assert (done.returncode, "1 pending" in done.stdout) == (0, True)
    done = call_as(MEMBER, path, "staff", "list")
    assert [line.split() for line in done.stdout.splitlines()][1:] == [
        ["mia", "1", "0", *done.stdout.splitlines()[1].split()[3:]], ["tom", "money", "0", "0", "never"],
    ]  # fmt: skip


@pytest.mark.parametrize("deed", ["reply", "take", "show_unmasked", "take_next", "send", "same"])
def test_a_visitor_looks_and_changes_nothing(open_desk: OpenDesk, open_door: OpenDoor, path: Path, deed: str) -> None:
    desk = open_desk(staff=STAFF, desk={"visitors": True})
    key = desk.receive(mail()).ticket
    open_door(desk)
    assert [row["id"] for row in ask_as(STRANGER, path, question("list"))] == [key]
    assert ask_as(STRANGER, path, question("show", name=key))[0]["id"] == key
    with pytest.raises(NotAllowed, match="may look, and change nothing"):
        ask_as(STRANGER, path, question(deed))
    assert desk.outbox("queued")[0].kind == "acknowledgement"


def test_only_the_owner_and_the_group_may_use_the_socket_whatever_the_umask(desk: HelpDesk, open_door: OpenDoor,
                                                                            path: Path) -> None:  # fmt: skip
    before = os.umask(0)
    try:
        open_door(desk)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\n", "not understood"),
        (b"hello\n", "not understood"),
        (b"\xff\xfe\x00\n", "not understood"),
        (b"[]\n", "not understood"),
        (b"null\n", "not understood"),
        (b'{"deed": "list"}\n', "not understood"),
        (b'{"deed": ["list"], "arguments": {}}\n', "not understood"),
        (b'{"deed": "list", "arguments": []}\n', "not understood"),
        (b'{"deed": "list", "arguments": {"limit": 1' + b"0" * 5000 + b"}}\n", "not understood"),
        (b"[" * 200_000 + b"\n", "not understood"),
        (b'{"deed": "list", "arguments": {"status": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}\n", "not understood"),
        (b'{"deed": "list", "arguments": {"status": ' + b"[" * 800 + b"]" * 800 + b"}}\n", "not understood"),
        (question("list", nonsense=1), "nonsense: Unexpected keyword"),
        (question("list", onlooker="me"), "onlooker"),
        (question("reply", desk="me", name="x"), "desk"),
        (question("list", mine="perhaps"), "mine: Input should be a valid boolean"),
        (question("list", limit=None, sort="upside down"), "sort"),
        (question("list", limit=float("nan")), "limit"),
        (question("show"), "name: Missing"),
        (question("show", name=["MT-7F3K-92QX"]), "name: Input should be a valid string"),
        (question("reply", name="x", text="y", then="never"), "then"),
        (question("reply", name="x", text="y", files=[{"name": "a", "type": "b", "content": "!"}]), "not arrive whole"),
        (question("reply", name="x", text="y", files=["a"]), "files.0"),
        (question("__init__"), "of another release"),
        (question("x" * 100_000), "of another release"),
        (question("reply", name="x", text="y" * 2_000), "too large"),
    ],
)  # fmt: skip
def test_what_is_no_question_is_said_to_be_none(
    open_desk: OpenDesk, open_door: OpenDoor, path: Path, caplog: pytest.LogCaptureFixture, raw: bytes, words: str
) -> None:
    most = 1_000 if "too large" in words else 1_000_000
    open_door(open_desk(staff=STAFF, desk={"attach_mb": 0}), question_bytes=most)
    with pytest.raises(MailticketError, match=words) as refused:
        ask(path, raw)
    assert isinstance(refused.value, Refused)
    assert len(str(refused.value)) < 500
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert ask(path, question("list")) == []


def test_a_question_that_breaks_off_is_none(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    open_door(desk)
    with connected(path) as client:
        client.sendall(question("list")[:-1])
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(Refused, match="not whole"):
            answer(client)


@pytest.mark.parametrize("number", [10**30, -(10**30)])
@pytest.mark.parametrize("deed", ["files", "send", "drop", "list", "reply"])
def test_numbers_that_no_database_knows_are_no_defect(
    desk: HelpDesk, open_door: OpenDoor, path: Path, caplog: pytest.LogCaptureFixture, deed: str, number: int
) -> None:
    key = desk.receive(mail()).ticket
    open_door(desk)
    arguments = {"files": {"name": str(abs(number))}, "list": {"limit": number},
                 "reply": {"name": key, "text": "Soon.", "seen": number}}.get(deed, {"number": number})  # fmt: skip
    try:
        ask(path, question(deed, **arguments))
    except MailticketError as error:
        assert "defect" not in str(error)
    assert "defect" not in caplog.text


@pytest.mark.parametrize("text", ['"a\\ud800b"', '"a\\u0000b"', '"a\\udfff\\u0000"'])
def test_characters_that_no_database_takes_become_marks(desk: HelpDesk, open_door: OpenDoor, path: Path,
                                                        text: str) -> None:  # fmt: skip
    key = str(desk.receive(mail()).ticket)
    open_door(desk)
    ask(path, b'{"deed": "note", "arguments": {"name": "%s", "text": %s}}\n' % (key.encode(), text.encode()))
    (note,) = (message for message in desk.ticket(key).messages if message.kind == "note")
    assert "\0" not in note.text
    assert note.text.startswith("a")


def test_who_asks_nothing_holds_nobody_and_is_sent_away(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    door = open_door(desk, seconds=0.3)
    with connected(path) as silent, connected(path) as slow:
        slow.sendall(b'{"deed": ')
        assert ask(path, question("list")) == []
        assert silent.recv(10) == slow.recv(10) == b"", "sent away"
    until(lambda: door.clients == 0, "the clients' threads")


def test_a_question_in_drops_is_not_waited_for_beyond_its_time(desk: HelpDesk, open_door: OpenDoor,
                                                               path: Path) -> None:  # fmt: skip
    door = open_door(desk, seconds=0.3)
    with connected(path) as client, pytest.raises(ConnectionError):
        client.settimeout(0.02)
        while True:
            client.sendall(b" ")
            try:
                if client.recv(10) == b"":
                    raise ConnectionError
            except TimeoutError:
                continue
    until(lambda: door.clients == 0, "the client's thread")


def _fill(desk: HelpDesk) -> str:
    """A ticket whose answer does not fit into what the system keeps for a client that takes nothing."""
    key = str(desk.receive(mail(text="My deposit is missing. " + "word " * 20_000)).ticket)
    for number in range(8):
        desk.receive(mail(text=f"Deposit {number} " + "word " * 20_000, answers=desk.letters()[0]))
    return key


def test_who_takes_nothing_is_left_and_holds_no_other(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    key = _fill(desk)
    door = open_door(desk, seconds=0.3)
    with connected(path) as client:
        client.sendall(question("show", name=key))
        assert ask(path, question("list"))[0]["id"] == key
        until(lambda: door.clients == 0, "the end of the client's thread", PATIENCE / 3)
        with pytest.raises(WorldError, match="broke off"):
            answer(client)


def test_who_takes_line_by_line_too_slowly_is_left(open_desk: OpenDesk, open_door: OpenDoor, path: Path) -> None:
    desk = open_desk(staff=STAFF)
    keys = [desk.receive(mail(f"Ann {n} <ann{n}@mail.example>")).ticket for n in range(3)]
    door = open_door(desk, answer_seconds=0)
    with pytest.raises(WorldError, match="broke off"):
        ask(path, question("take", names=keys))
    until(lambda: door.clients == 0, "the end of the client's thread")


def test_more_than_it_bears_are_told_to_come_again(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    open_door(desk, clients=3, clients_of_one=2)
    with connected(path) as one, connected(path) as another:
        with pytest.raises(WorldError, match="full"):
            ask(path, question("list"))
        if os.geteuid() == 0:
            assert ask_as(MEMBER, path, question("list")) == [], "one account leaves room for another"
        one.sendall(question("list"))
        assert answer(one) == []
        another.close()
    until(lambda: not _is_full(path), "room at the desk")


def _is_full(path: Path) -> bool:
    try:
        ask(path, question("list"))
    except WorldError:
        return True
    return False


def test_files_on_their_way_have_a_common_bound(open_desk: OpenDesk, open_door: OpenDoor, path: Path) -> None:
    desk = open_desk(staff=STAFF, desk={"attach_mb": 0})
    door = open_door(desk, question_bytes=50_000, bytes_in_hand=60_000)
    with connected(path) as first:
        first.sendall(b" " * 40_000)
        until(lambda: door.bytes_in_hand == 40_000, "the first's half question")
        with pytest.raises(WorldError, match="too many files"), connected(path) as second:
            second.sendall(b" " * 40_000)
            answer(second)
        first.sendall(question("list"))
        assert answer(first) == []
    until(lambda: door.bytes_in_hand == 0, "nothing in hand")


@pytest.mark.parametrize("what", ["accept", "thread"])
def test_a_moment_without_descriptors_or_threads_closes_no_door(
    desk: HelpDesk, open_door: OpenDoor, path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(desk_door, "_REST_SECONDS", 0.01)
    failures = iter([OSError(24, "Too many open files")] if what == "accept" else [RuntimeError("no thread")])
    original = DeskDoor._let_in if what == "accept" else threading.Thread.start

    def failing(one: Any, *arguments: Any) -> None:
        if what == "accept" or one.name == "desk client":
            for failure in failures:
                for client in arguments:
                    client.close()
                raise failure
        original(one, *arguments)

    door = open_door(desk)
    monkeypatch.setattr(*((DeskDoor, "_let_in") if what == "accept" else (threading.Thread, "start")), failing)
    with pytest.raises((WorldError, ConnectionError)):
        ask(path, question("list"))
    assert ask(path, question("list")) == []
    until(lambda: door.clients == 0, "the clients' threads")


def test_whatever_a_deed_runs_into_is_a_sentence_and_the_log_s(
    desk: HelpDesk, open_door: OpenDoor, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(onlooker: object) -> None:
        raise AssertionError("words of a mail")

    monkeypatch.setitem(desk_door.SIGHTS, "list", defect)  # type: ignore[arg-type]
    open_door(desk)
    with pytest.raises(WorldError, match="this is a defect of mailticket; the daemon's log says where"):
        ask(path, question("list"))
    assert "a defect" in caplog.text


def test_deeds_wake_the_outbox_and_looks_do_not(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    woken: list[str] = []
    key = desk.receive(mail()).ticket
    door = open_door(desk, lambda: woken.append("woken"))
    ask(path, question("show", name=key))
    until(lambda: door.clients == 0, "the end of the look")
    assert woken == []
    ask(path, question("reply", name=key, text="Soon."))
    until(lambda: door.clients == 0, "the end of the deed")
    assert woken == ["woken"]


def test_a_door_that_closes_sends_the_silent_away_at_once(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    door = open_door(desk)
    with connected(path) as silent:
        until(lambda: door.clients == 1, "the client")
        door.close()
        assert not path.exists()
        assert door.clients == 0, "nobody was waited for"
        with pytest.raises(WorldError, match="the daemon stops"):
            answer(silent)
    with pytest.raises(FileNotFoundError):
        connected(path)


def test_a_deed_in_hand_is_ended_before_the_door_is_closed(
    desk: HelpDesk, open_door: OpenDoor, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def deed(desk: object) -> dict[str, Any]:
        begun.set()
        assert goes_on.wait(PATIENCE)
        return {"id": "MT"}

    monkeypatch.setitem(desk_door.DEEDS, "wait", deed)  # type: ignore[arg-type]
    door = open_door(desk, stop_seconds=PATIENCE)
    with connected(path) as client:
        client.sendall(question("wait"))
        assert begun.wait(PATIENCE)
        closing = threading.Thread(target=door.close)
        closing.start()
        until(lambda: not path.exists(), "the closing of the door")
        assert closing.is_alive()
        goes_on.set()
        assert answer(client) == [{"id": "MT"}]
        closing.join(PATIENCE)


def test_a_socket_that_a_killed_daemon_left_is_replaced(desk: HelpDesk, open_door: OpenDoor, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    open_door(desk)
    assert ask(path, question("list")) == []


def test_the_socket_of_a_living_daemon_is_left_alone(desk: HelpDesk, open_door: OpenDoor, path: Path,
                                                     caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    open_door(desk)
    open_door(desk).close()
    assert "belongs to another daemon" in caplog.text
    assert ask(path, question("list")) == []


def test_a_file_in_the_socket_s_place_is_left_alone(desk: HelpDesk, open_door: OpenDoor, path: Path,
                                                    caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    path.write_text("precious")
    open_door(desk).close()
    assert "no socket" in caplog.text
    assert path.read_text() == "precious"


def test_a_place_that_is_not_there_keeps_no_daemon_from_its_work(desk: HelpDesk, path: Path,
                                                                 caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    for place in (path / "no" / "folder", path.with_name("x" * 200)):
        door = DeskDoor(place, lambda: desk.site, lambda: None)
        door.open()
        door.close()
    assert caplog.text.count("staff cannot use the desk's socket") == 2


def test_a_reload_says_anew_who_is_whose(open_desk: OpenDesk, open_door: OpenDoor, path: Path) -> None:
    desk = open_desk()
    key = str(desk.receive(mail()).ticket)
    open_door(desk)
    ask(path, question("note", name=key, text="One"))
    desk.reopen(staff=STAFF)
    ask(path, question("note", name=key, text="Two"))
    assert [message.by for message in desk.ticket(key).messages if message.kind == "note"] == [OWN, "mia"]
