"""What a person is given, what the law keeps, and what retention erases by the same means."""

from __future__ import annotations

import json
import mailbox
import os
import signal
import stat
import subprocess
import zipfile
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk import looking
from mailticket.errors import NotFound, Refused
from mailticket.settings import Retention
from mailticket.store import meta, watch
from mailticket.store.engine import Database
from mailticket.upkeep import retention
from mailticket.upkeep.chores import Upkeep
from mailticket.upkeep.export import export
from mailticket.upkeep.person import holdings
from tests.cli.conftest import Run, run  # noqa: F401
from tests.helpdesk import HelpDesk, OpenDesk, mail
from tests.rights.test_forget import ANN, BOB, figures, no_progress, shared_desk, with_file
from tests.rights.traces import traces


def exported(desk: HelpDesk, target: Path, **more: Any) -> dict[str, bytes]:
    """The files of an export of Ann's data."""
    export(desk.database, desk.site.settings, ["annabel@wharf.example"], target, desk.now, no_progress, **more)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_is_read_by_any_mail_program_and_any_reader_of_json(helpdesk: HelpDesk, tmp_path: Path) -> None:
    own, bobs = shared_desk(helpdesk)
    target = tmp_path / "annabel.zip"
    files = exported(helpdesk, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    mails = [message_from_bytes(content, policy=policy.default) for name, content in files.items() if ".eml" in name]
    box = mailbox.mbox(tmp_path / "box")
    for one in mails:
        box.add(one)
    box.close()
    assert len(mails) == 3 + sum(name.startswith("letters/") for name in files)
    facts = json.loads(files[f"tickets/{own}.json"])
    assert facts["subject"] == "Zanzibar deposit" and facts["promise"]["by"]
    assert "quincunx deposit" in facts["conversation"][0]["text"]
    (scan,) = [content for name, content in files.items() if name.endswith("passport-scan.pdf")]
    assert scan == b"%PDF xylograph"
    shared = json.loads(files[f"tickets/{bobs}.json"])
    assert [entry["from"] for entry in shared["conversation"]] == ["annabel@wharf.example"]
    everything = b"".join(files.values()).decode("utf-8", "replace")
    assert "gooseberry account 77821345" not in everything and "called, quincunx again" not in everything
    assert b"zanzibar" in files["index.html"].lower() and b"index.html" in files["README.txt"]
    with pytest.raises(Refused, match="exists"):
        exported(helpdesk, target)
    assert "called, quincunx again" in b"".join(exported(helpdesk, tmp_path / "2.zip", notes=True).values()).decode()


def test_an_export_has_filed_mails_too_and_nothing_of_who_only_names_the_person(
    helpdesk: HelpDesk, tmp_path: Path
) -> None:
    helpdesk.receive(mail(ANN, "Away", "I am away, quincunx.", Auto_Submitted="auto-replied"))
    others = [
        mail("Jo <joannabel@wharf.example>", "Away", "I am away, gooseberry.", Auto_Submitted="auto-replied"),
        mail(BOB, "Gooseberry", "My colleague annabel@wharf.example knows of the gooseberry."),
    ]
    bobs = str([helpdesk.receive(raw) for raw in others][-1].ticket)
    files = exported(helpdesk, tmp_path / "a.zip")
    assert sum(name.startswith("messages/") for name in files) == 1
    everything = b"".join(files.values())
    assert b"quincunx" in everything and b"gooseberry" not in everything and bobs.encode() not in everything
    assert json.loads(files["person.json"])["messages"] == 1


def test_the_longer_address_of_another_is_nobody_elses(helpdesk: HelpDesk) -> None:
    key = str(helpdesk.receive(mail("Jo <joannabel@wharf.example>", "Gooseberry")).ticket)
    helpdesk.receive(mail("Jo <joannabel@wharf.example>", "Away", "I am away.", Auto_Submitted="auto-replied"))
    helpdesk.desk.hold_by_law(key, "a lawsuit")
    with pytest.raises(NotFound, match="nothing is held"):
        holdings(helpdesk.database, helpdesk.site.settings, ["annabel@wharf.example"])
    helpdesk.receive(mail(ANN))
    face = holdings(helpdesk.database, helpdesk.site.settings, ["annabel@wharf.example"])
    assert (len(face["tickets"]), face["legal_holds"], face["filed"]) == (1, [], 0)


def test_what_is_held_is_counted(helpdesk: HelpDesk) -> None:
    own, bobs = shared_desk(helpdesk)
    face = holdings(helpdesk.database, helpdesk.site.settings, ["annabel@wharf.example"])
    assert {one["id"]: one["role"] for one in face["tickets"]}[own] == "requester"
    assert {one["id"]: one["role"] for one in face["tickets"]}[bobs] == "participant"
    assert face["attachments"] == 2 and face["raws"] >= 3 and face["names"] == ["Annabel Leeward"]


def test_a_secret_stays_masked_in_an_export(helpdesk: HelpDesk, tmp_path: Path) -> None:
    helpdesk.receive(mail(ANN, text="I cannot sign in. My password: Zebra-7741-quartz and my user ID is 20458817."))
    assert b"Zebra-7741" not in b"".join(exported(helpdesk, tmp_path / "a.zip").values())


NAMES = (
    "../../etc/passwd",
    "same.pdf",
    "same.pdf",
    "a\0b.txt",
    "C:\\\\temp\\\\evil:name.txt",
    "x" * 400 + ".txt",
    "图" * 150 + ".png",
    "a\0b.txt",
    "..",
    "",
)


def test_names_of_files_that_strangers_chose_do_no_harm(helpdesk: HelpDesk, tmp_path: Path) -> None:
    raw = mail(ANN)
    for number, name in enumerate(NAMES):
        raw = with_file(raw, name, f"content {number}".encode())
    helpdesk.receive(raw)
    files = exported(helpdesk, tmp_path / "annabel.zip")
    attached = {name: content for name, content in files.items() if name.startswith("attachments/")}
    assert set(attached.values()) == {f"content {number}".encode() for number in range(len(NAMES))}
    for name in attached:
        folder, _, last = name.rpartition("/")
        assert (folder.count("/"), ".." in folder) == (1, False)
        assert len(last.encode()) < 200 and not set(last) & set('\\:*?"<>|\0')
        assert last in files["index.html"].decode()
    subprocess.run(["unzip", "-q", str(tmp_path / "annabel.zip"), "-d", str(tmp_path / "out")], check=True, timeout=60)
    assert sum(path.is_file() for path in (tmp_path / "out").rglob("*")) == len(files)


def test_an_export_that_is_cut_short_leaves_nothing_under_its_name(
    helpdesk: HelpDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helpdesk.receive(mail(ANN))
    seen: list[list[tuple[str, int]]] = []

    def look(_work: str, _share: float) -> None:
        seen.append([(path.name, stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.glob("ann.zip*")])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(helpdesk.database, helpdesk.site.settings, ["annabel@wharf.example"], tmp_path / "ann.zip",
               helpdesk.now, look)  # fmt: skip
    assert seen == [[("ann.zip.partial", 0o600)]], "so a kill leaves no file of the final name"
    assert list(tmp_path.glob("ann.zip*")) == []


def test_a_kill_in_the_midst_of_an_export_leaves_nothing_under_its_name(helpdesk: HelpDesk, tmp_path: Path) -> None:
    helpdesk.receive(mail(ANN))
    target = tmp_path / "ann.zip"
    child = os.fork()
    if child == 0:
        try:
            export(Database(helpdesk.url), helpdesk.site.settings, ["annabel@wharf.example"], target, helpdesk.now,
                   lambda _work, _share: os.kill(os.getpid(), signal.SIGKILL))  # fmt: skip
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert [path.name for path in tmp_path.glob("ann.zip*")] == ["ann.zip.partial"]
    assert len(exported(helpdesk, target)) > 3, "the next one writes it anew"
    assert [path.name for path in tmp_path.glob("ann.zip*")] == ["ann.zip"]


LONG = {"texts_days": 30, "letters_days": 40, "addresses_days": 50}


def test_closed_tickets_lose_texts_then_letters_then_people(open_desk: OpenDesk) -> None:
    desk = open_desk(retention=LONG, support={"grace_days": 14})
    shared_desk(desk)
    before = figures(desk)
    (first, *_) = list(
        retention.plan(desk.database, desk.site.settings, desk.now, desk.now.replace(year=2027) - desk.now)
    )
    assert first["what"] == "texts" and first["due_at"][:10] == "2026-12-23"
    words = ("quincunx", "xylograph")
    for days, gone, left in ((29, (), words), (2, ("quincunx deposit", "called, quincunx"), ("annabel@wharf.example",)),
                             (10, ("Dear Annabel",), ("annabel@wharf.example",))):  # fmt: skip
        desk.later(days=days)
        Upkeep(desk.site).run()
        assert traces(desk.database, gone, bytes_too=False) == []
        assert {t.partition(" in ")[0] for t in traces(desk.database, left, bytes_too=False)} == set(left)
    desk.later(days=10)
    Upkeep(desk.site).run()
    closed = [stored.row for stored in desk.stored() if stored.row.status == "closed"]
    assert [list(looking.show(desk.desk.onlooker, name=row.key)["erased"]) for row in closed] == [
        ["texts", "letters", "people"]
    ] * 2
    assert [row.people_erased_at is not None for row in closed] == [True, True]
    assert [row.requester_id for row in closed] == [None, None]
    assert figures(desk)[0] == before[0] and len(figures(desk)[1]) == len(before[1])
    words = ("xylograph", "passport-scan", "quincunx", "Dear Annabel")
    assert traces(desk.database, words, bytes_too=desk.database.is_sqlite) == []
    with desk.database.read() as session:
        assert not [row.error for row in meta.health(session) if row.name.startswith(watch.CHORE)]


def test_a_small_database_is_written_anew_once_a_day_after_retention(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(retention={"texts_days": 30})
    rewritten: list[Any] = []
    monkeypatch.setattr(Database, "rewrite", lambda database: rewritten.append(database) or True)
    monkeypatch.setattr(Database, "is_small", True)
    upkeep = Upkeep(desk.site)
    monkeypatch.setattr(upkeep, "_clock_is_sound", lambda: True)  # turned by hand
    for hours in (0, 12):
        desk.later(hours=hours)
        key = str(desk.receive(mail(f"p{hours}@wharf.example")).ticket)
        desk.deliver()
        desk.desk.close(key)
    desk.later(days=29, hours=13)
    for hours, times in ((0, 1), (12, 1), (12, 2), (24, 2)):
        desk.later(hours=hours)
        upkeep.run()
        assert len(rewritten) == times, (hours, times)


def test_retention_passes_over_what_is_held_by_law(open_desk: OpenDesk) -> None:
    desk = open_desk(retention={**LONG, "raw_days": 1, "sent_raw_days": 1, "events_days": 1})
    key = str(desk.receive(mail(ANN)).ticket)
    desk.deliver()
    desk.desk.close(key)
    desk.desk.hold_by_law(key, "lawsuit 7")
    before = traces(desk.database, ("annabel@wharf.example",), bytes_too=False)
    desk.later(days=400)
    Upkeep(desk.site).run()
    assert desk.ticket(key).row.subject and desk.ticket(key).happened("held by law") == ["lawsuit 7"]
    assert [bool(row.wire) for row in desk.outbox()] == [True]
    assert traces(desk.database, ("annabel@wharf.example",), bytes_too=False) == before
    desk.desk.lift_hold_by_law(key)
    Upkeep(desk.site).run()
    assert traces(desk.database, ("annabel@wharf.example",), bytes_too=False) == []


def test_addresses_cannot_go_before_the_words_that_name_them() -> None:
    with pytest.raises(ValueError, match="texts_days"):
        Retention(addresses_days=30)
    with pytest.raises(ValueError, match="texts_days"):
        Retention(addresses_days=30, texts_days=60, letters_days=30)


def test_the_commands_of_a_persons_rights(run: Run, tmp_path: Path) -> None:  # noqa: F811
    (taken,) = [json.loads(line) for line in run("mail", "ingest", "--json", "one.eml")[1].splitlines()]
    key = taken["ticket"]
    assert json.loads(run("person", "show", "ann@example.org", "--json")[1])["messages"] == 2
    assert key in run("person", "show", "ANN@example.org")[1]
    code, out, _ = run("person", "export", "ann@example.org", "ann.zip")
    assert code == 0 and "index.html" in out and (tmp_path / "ann.zip").exists()
    code, _, err = run("person", "forget", "ann@example.org", "--yes")
    assert code == 1 and "waiting for an answer" in err
    assert run("ticket", "hold", key)[0] == 2
    assert "held by law" in run("ticket", "hold", key, "--reason", "lawsuit")[1]
    assert key in run("ticket", "list", "--held-by-law")[1] and "lawsuit" in run("ticket", "show", key)[1]
    code, _, err = run("person", "forget", "ann@example.org", "--yes", "--anyway")
    assert code == 1 and "--lift" in err
    assert run("ticket", "hold", key, "--lift")[0] == 0
    code, out, _ = run("person", "forget", "ann@example.org", "--dry-run")
    assert code == 0 and "Would erase ann@example.org: 2 messages" in out
    held = json.loads(run("person", "show", "ann@example.org", "--json")[1])
    (plan,) = [
        json.loads(line) for line in run("person", "forget", "ann@example.org", "--dry-run", "--json")[1].splitlines()
    ]
    assert plan == {**held, "would_forget": [key], "shared": [], "leaving": plan["leaving"], "unsent": plan["unsent"]}
    assert json.loads(run("person", "show", "ann@example.org", "--json")[1]) == held
    code, _, err = run("person", "forget", "ann@example.org", "--anyway")
    assert code == 2 and "--yes" in err
    code, out, _ = run("person", "forget", "ann@example.org", "--anyway", "--yes")
    assert code == 0 and "Backups made before still hold them" in out
    code, _, err = run("person", "forget", "ann@example.org", "--yes")
    assert code == 1 and "nothing is held about ann@example.org" in err
    assert run("person", "forget", "--again", "--yes")[1] == "Nobody is to be forgotten again.\n"
    assert "for ever" in run("retention", "plan")[1]
    assert run("retention", "overwrite")[:2] == (0, "Nothing that was erased is left in the database.\n")
    assert run("check", "--offline")[0] in (0, 1)
