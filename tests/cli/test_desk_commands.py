"""The desk's commands as a person types them: answers from an editor, files in and out, several tickets at once."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk.file_names import safe_name
from tests.cli.conftest import Run
from tests.cli.test_faces import lines

STAFF = """
[[staff]]
name = "mia"
signs = "Mia"
addresses = ["mia@example.com"]
login = "{account}"
[[staff]]
name = "tom"
addresses = ["tom@example.com"]
"""


def opened(run: Run, tmp_path: Path, sender: str = "bob", attachment: bytes = b"") -> str:
    text = f"From: {sender} <{sender}@mail.example>\r\nTo: support@example.com\r\nSubject: Deposit of {sender}\r\n"
    text += f"Message-ID: <{sender}@mail.example>\r\n"
    body = b"\r\nMy deposit has not arrived.\r\n"
    if attachment:
        text += "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
        body = b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere.\r\n" + attachment + b"--b--\r\n"
    (tmp_path / "new.eml").write_bytes(text.encode() + body)
    key: str = lines(run("mail", "ingest", "--json", "new.eml")[1])[0]["ticket"]
    return key


def shown(run: Run, key: str) -> dict[str, Any]:
    face: dict[str, Any] = json.loads(run("ticket", "show", key, "--json")[1])
    return face


def test_several_tickets_have_a_line_each_and_the_exit_code_counts_them(run: Run, tmp_path: Path) -> None:
    keys = [opened(run, tmp_path, name) for name in ("bob", "eve")]
    code, out, err = run("ticket", "close", keys[0], "MT-0000-0000", keys[1])
    assert code == 1 and [line.split()[0] for line in out.splitlines()] == keys and "MT-0000-0000" in err
    assert run("ticket", "reopen", *keys)[0] == 0
    faces = lines(run("ticket", "take", *keys, "--json")[1])
    assert [(face["id"], face["error"]) for face in faces] == [(key, None) for key in keys]


def test_an_answer_with_a_file_and_a_copy(run: Run, tmp_path: Path) -> None:
    key = opened(run, tmp_path)
    (tmp_path / "bill.pdf").write_bytes(b"%PDF")
    code, out, _ = run("ticket", "reply", key, "--text", "Here.", "--attach", "bill.pdf", "--cc", "law@firm.example")
    assert code == 0 and "bob@mail.example, Cc law@firm.example" in out
    entry = shown(run, key)["conversation"][-1]
    assert (entry["cc"], entry["files"], entry["new_text"]) == ("law@firm.example", ["bill.pdf"], "Here.")


def test_an_answer_that_is_held_says_why_and_how_it_leaves(run: Run, tmp_path: Path) -> None:
    key = opened(run, tmp_path)
    assert run("ticket", "assign", "carol", key)[0] == 0
    code, _, err = run("ticket", "reply", key, "--text", "Hello, I am here.")
    assert code == 1 and "carol's" in err and "ticket take" in err
    (held,) = shown(run, key)["held"]
    code, out, _ = run("ticket", "reply", key, "--text", "Hello.", "--json")
    face = json.loads(out)
    assert code == 1 and face["outgoing"] is None and face["held"]["reasons"] == ["assigned"]
    assert run("ticket", "send", str(held["number"]))[0] == 0
    assert run("ticket", "drop", str(face["held"]["number"]))[0] == 0
    assert shown(run, key)["held"] == []


def test_setting_nothing_is_a_mistake(run: Run, tmp_path: Path) -> None:
    key = opened(run, tmp_path)
    assert run("ticket", "set", key)[0] == 2
    code, out, _ = run("ticket", "set", key, "--subject", "Deposit of 250 USDT", "--priority", "urgent")
    assert code == 0 and "urgent" in out and shown(run, key)["subject"] == "Deposit of 250 USDT"


NAMED = b'--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="%s"\r\n\r\n%s\r\n'


def test_files_are_saved_under_clean_names_and_never_over_another(run: Run, tmp_path: Path) -> None:
    parts = NAMED % (b"../../etc/bill.pdf", b"one") + NAMED % (b"bill.pdf", b"two") + NAMED % (b"run.exe", b"three")
    key = opened(run, tmp_path, attachment=parts)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bill.pdf").write_bytes(b"mine")
    code, out, err = run("ticket", "attachment", key, "--all", "--to", "out")
    assert code == 0 and "can run as a program" in err and str(Path("out/bill-2.pdf")) in out
    files = {path.name: path.read_bytes().strip() for path in (tmp_path / "out").iterdir()}
    assert files == {"bill.pdf": b"mine", "bill-2.pdf": b"one", "bill-3.pdf": b"two", "run.exe": b"three"}
    number = shown(run, key)["conversation"][0]["attachments"][0]["id"]
    assert run("ticket", "attachment", str(number), "--to", "out/bill.pdf")[0] == 2
    assert run("ticket", "attachment", str(number), "--to", "other.pdf")[0] == 0
    assert (tmp_path / "other.pdf").read_bytes().strip() == b"one"
    assert run("ticket", "attachment", key)[0] == 2


@pytest.mark.parametrize(
    ("name", "kind", "clean"),
    [
        ("a.pdf", "application/pdf", "a.pdf"),
        ("", "application/pdf", "attachment-7.pdf"),
        ("../../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Windows\\a.png", "image/png", "a.png"),
        (".bashrc", "text/plain", "bashrc.txt"),
        ("a\u202efdp.exe", "application/pdf", "a_fdp.exe"),
        ("报告.pdf", "application/pdf", "报告.pdf"),
        ("a\r\nb.txt", "text/plain", "a_b.txt"),
        ("x" * 400 + ".pdf", "application/pdf", "x" * 120 + ".pdf"),
        ("..", "image/png", "attachment-7.png"),
        ("-rf", "text/plain", "rf.txt"),
    ],
)
def test_a_stranger_s_file_name_is_made_harmless(name: str, kind: str, clean: str) -> None:
    assert safe_name(name, kind, 7) == clean


EDITOR = """#!{python}
import pathlib, sys
page = pathlib.Path(sys.argv[1])
text = page.read_text()
pathlib.Path({seen!r}).write_text(text)
page.write_text({new})
"""


def edited(tmp_path: Path, key: str, new: str) -> tuple[int, str, str]:
    """`ticket reply` on a terminal, with an editor that leaves `new` (an expression over `text`) in the page."""
    editor = tmp_path / "editor"
    editor.write_text(EDITOR.format(python=sys.executable, seen=str(tmp_path / "seen.txt"), new=new))
    editor.chmod(0o755)
    terminal, end = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mailticket", "ticket", "reply", key], cwd=tmp_path, stdin=end,
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "EDITOR": str(editor), "VISUAL": "", "TMPDIR": str(tmp_path)},
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(end)
    return done.returncode, done.stdout, done.stderr


def test_an_answer_is_written_in_an_editor_above_the_conversation(run: Run, tmp_path: Path) -> None:
    key = opened(run, tmp_path)
    code, out, _ = edited(tmp_path, key, '"It is on its way.\\n" + text')
    page = (tmp_path / "seen.txt").read_text()
    assert code == 0 and "in the outbox" in out
    assert "To: bob@mail.example" in page and "My deposit has not arrived." in page
    assert shown(run, key)["conversation"][-1]["new_text"] == "It is on its way."


def test_an_empty_page_sends_nothing_and_one_without_its_line_is_kept(run: Run, tmp_path: Path) -> None:
    key = opened(run, tmp_path)
    code, out, _ = edited(tmp_path, key, 'text + "below the line"')
    assert (code, "Nothing was written" in out) == (0, True)
    code, _, err = edited(tmp_path, key, '"Only words."')
    assert code == 1 and "✂" in err
    assert len(shown(run, key)["conversation"]) == 2
    assert Path(err.split()[-1]).read_text() == "Only words."


@pytest.mark.parametrize("number", ["0", str(2**31), "9" * 30])
def test_a_number_that_no_row_can_have_is_refused_in_words(run: Run, number: str) -> None:
    for command in (
        ("ticket", "send"),
        ("ticket", "drop"),
        ("outbox", "show"),
        ("outbox", "cancel"),
        ("notice", "end"),
    ):
        code, _, err = run(*command, number)
        assert code == 2 and "is not in the range" in err
    code, _, err = run("ticket", "attachment", number)
    assert code == 1 and f"there is no attachment number {number}" in err
