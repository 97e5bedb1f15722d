"""The commands as people and programs call them: JSON faces, exit codes, clear words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailticket.cli import COMMANDS
from tests.cli.conftest import REQUEST, Run


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_explain_prints_every_field_of_its_face_and_touches_nothing(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("mail", "explain", "--json", "one.eml")
    (face,) = lines(out)
    assert code == 0
    assert set(face) == {
        "file", "digest", "message_id", "subject", "from", "from_raw", "to", "cc", "reply_to", "date", "language",
        "text", "new_text", "hidden_lines", "claimed",
        "attachments", "automatic", "bounce", "sender", "ticket_ids", "category", "priority", "fields", "missing",
        "secrets", "warnings",
    }  # fmt: skip
    assert (face["file"], face["message_id"], face["sender"]) == ("one.eml", "<one@example.org>", "unknown")
    assert face["from"] == {"name": "Ann Lee", "address": "ann@example.org"}
    assert (face["date"], face["category"]) == ("2026-11-22T10:00:00+00:00", "deposit")
    assert not (tmp_path / "mailticket.db").exists()


def test_explain_shows_from_as_it_came_and_asks_nothing_of_an_encrypted_mail(run: Run, tmp_path: Path) -> None:
    Path(tmp_path, "locked.eml").write_bytes(
        b"From: a@example.org, =?utf-8?q?B=C3=B6?= <b@example.org>\r\nSubject: My withdrawal has not arrived\r\n"
        b"\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n"
    )
    Path(tmp_path, "open.eml").write_bytes(b"Subject: My withdrawal has not arrived\r\n\r\nPlease help.\r\n")
    _, out, _ = run("mail", "explain", "--json", "locked.eml", "open.eml")
    locked, readable = map(json.loads, out.splitlines())
    assert (locked["from"], locked["from_raw"]) == (None, "a@example.org, Bö <b@example.org>")
    assert (locked["category"], locked["missing"]) == (readable["category"], [])
    assert readable["missing"] and readable["from_raw"] == ""
    _, out, _ = run("mail", "explain", "locked.eml")
    assert "nobody usable in: a@example.org, Bö <b@example.org>" in out and "encrypted" in out


DOUBTFUL = (
    b"From: Ann Lee <ann@example.org>\r\nTo: support@example.com\r\nSubject: Login\r\n"
    b"Message-ID: <two@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
    b"I cannot sign in.\r\nmy password is daffodil\r\n"
)


def test_explain_says_how_sure_each_secret_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.eml").write_bytes(DOUBTFUL + b"the code is 443112\r\n")
    (face,) = lines(run("mail", "explain", "--json", "two.eml")[1])
    assert face["secrets"] == [{"kind": "2FA code", "grade": "sure"}, {"kind": "password", "grade": "doubtful"}]
    assert "password (doubtful)" in run("mail", "explain", "two.eml")[1]


def test_staff_can_look_behind_a_doubtful_mask_and_the_history_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.eml").write_bytes(DOUBTFUL + b"Password: Daff-odil22\r\n")
    key = lines(run("mail", "ingest", "--json", "two.eml")[1])[0]["ticket"]
    shown = run("ticket", "show", key)[1]
    assert "daffodil" not in shown
    assert "my password is [redacted: password?]" in shown
    assert "--unmask" in shown
    (whole,) = lines(run("ticket", "show", key, "--json", "--unmask")[1])
    request = whole["conversation"][0]
    assert "my password is daffodil" in request["text"]
    assert "my password is daffodil" in request["new_text"]
    assert "Daff-odil22" not in request["text"]
    assert (request["secrets"], request["doubtful_secrets"]) == (["password"], [])
    assert [event["event"] for event in whole["history"]].count("unmasked") == 1
    assert "daffodil" not in run("ticket", "show", key, "--full")[1]


def test_a_note_of_staff_keeps_what_is_only_doubtful(run: Run) -> None:
    key = lines(run("mail", "ingest", "--json", "one.eml")[1])[0]["ticket"]
    run("ticket", "note", key, "--text", "the word of the day as password is daffodil")
    assert "password is daffodil" in run("ticket", "show", key)[1]


def test_explain_works_without_any_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mailticket.toml").unlink()
    code, out, _ = run("mail", "explain", "--json", "one.eml", "one.eml")
    assert (code, len(lines(out))) == (0, 2)


def test_a_mail_from_a_file_opens_a_ticket_once_and_its_answer_is_withheld(run: Run) -> None:
    first = lines(run("mail", "ingest", "--json", "one.eml")[1])
    again = lines(run("mail", "ingest", "--json", "one.eml")[1])
    assert [face["state"] for face in first + again] == ["opened", "known"]
    (withheld,) = lines(run("outbox", "list", "--json")[1])
    assert set(withheld) >= {
        "id", "ticket", "kind", "to", "subject", "message_id", "state", "attempts", "next_attempt_at", "last_error",
        "reason", "created_at", "sent_at",
    }  # fmt: skip
    assert (withheld["state"], withheld["reason"]) == ("withheld", "taken in from a file")
    assert (withheld["ticket"], withheld["to"]) == (first[0]["ticket"], "ann@example.org")


def test_ticket_list_and_show_print_their_faces(run: Run) -> None:
    run("mail", "ingest", "one.eml")
    (row,) = lines(run("ticket", "list", "--json")[1])
    assert set(row) >= {
        "id", "subject", "status", "priority", "category", "language", "requester", "created_at", "updated_at",
        "promised_from", "promised_by", "first_response_at", "merged_into", "position", "duplicate_of", "similarity",
        "messages",
    }  # fmt: skip
    assert (row["status"], row["requester"], row["position"], row["messages"]) == ("new", "ann@example.org", 1, 2)
    (whole,) = lines(run("ticket", "show", row["id"].lower().replace("-", " "), "--json")[1])
    kinds = [(entry["direction"], entry["kind"]) for entry in whole["conversation"]]
    assert kinds == [("in", "request"), ("out", "acknowledgement")]
    assert set(whole["conversation"][0]) >= {
        "direction", "kind", "message_id", "from", "to", "subject", "text", "new_text", "at", "sender", "attachments",
    }  # fmt: skip
    assert whole["history"][0]["event"] == "opened"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--status", "new"), 1),
        (("--status", "closed"), 0),
        (("--category", "deposit"), 1),
        (("--category", "api"), 0),
        (("--requester", "ANN@example.org"), 1),
        (("--requester", "bob@example.org"), 0),
        (("--duplicates",), 0),
        (("--search", "deposit BTC ann@example.org"), 1),
        (("--search", "deposit", "--search", "12345678"), 1),
        (("--search", "deposit", "--search", "withdrawal"), 0),
        (("--since", "2026-11-22"), 1),
        (("--since", "2999-01-01"), 0),
        (("--limit", "0"), 0),
    ],
)
def test_ticket_list_filters(run: Run, words: tuple[str, ...], count: int) -> None:
    run("mail", "ingest", "one.eml")
    assert len(lines(run("ticket", "list", "--json", *words)[1])) == count


def test_staff_reply_note_close_and_reopen(run: Run) -> None:
    key = lines(run("mail", "ingest", "--json", "one.eml")[1])[0]["ticket"]
    assert run("ticket", "reply", key, "--text", "We are looking into it.")[0] == 0
    assert run("ticket", "note", key, "--text", "called the bank")[0] == 0
    assert run("ticket", "assign", "carol", key)[0] == 0
    (shown,) = lines(run("ticket", "show", key, "--json")[1])
    assert (shown["status"], shown["assigned_to"]) == ("pending", "carol")
    assert [e["kind"] for e in shown["conversation"]] == ["request", "acknowledgement", "staff-reply", "note"]
    assert run("ticket", "close", key)[0] == 0
    assert run("ticket", "close", key)[0] == 1
    assert run("ticket", "reopen", key)[0] == 0
    sent = [row for row in lines(run("outbox", "list", "--json")[1]) if row["kind"] == "staff-reply"]
    assert [(row["state"], row["to"]) for row in sent] == [("queued", "ann@example.org")]
    assert run("outbox", "cancel", str(sent[0]["id"]))[0] == 0
    assert run("outbox", "cancel", str(sent[0]["id"]))[0] == 1


def test_why_tells_what_became_of_a_mail_and_says_so_of_unknown_ones(run: Run) -> None:
    run("mail", "ingest", "one.eml")
    for name in ("<one@example.org>", "one@example.org"):
        code, out, _ = run("mail", "why", name, "--json")
        (story,) = lines(out)
        assert (code, story["state"], story["rule"]) == (0, "opened", "new request")
        assert [answer["state"] for answer in story["answers"]] == ["withheld"]
    code, _, err = run("mail", "why", "<nobody@example.org>")
    assert code == 1
    assert "Nothing is known" in err


def test_one_round_with_dead_servers_says_which_and_can_be_tried_again(run: Run) -> None:
    code, out, err = run("run", "--once", "--json")
    (tally,) = lines(out)
    assert code == 75
    assert list(tally) == [
        "fetched", "opened", "appended", "answers", "notes", "held", "duplicates", "filed", "quarantined",
        "already_known", "sent", "deferred", "failed", "withheld",
    ]  # fmt: skip
    assert "mailbox support" in err


def test_a_round_collects_only_the_mailboxes_to_which_it_is_pinned(run: Run) -> None:
    assert run("run", "--once", "--no-mailboxes")[::2] == (0, "")
    assert run("run", "--once", "--mailboxes", "support")[0] == 75  # nobody listens
    code, _, err = run("run", "--once", "--mailboxes", "support,sales")
    assert code == 78
    assert "no mailbox is called sales; configured are support" in err
    assert run("run", "--mailboxes", "support", "--no-mailboxes")[0] == 2
    assert run("run", "--mailboxes", ",")[0] == 2


def test_status_and_check_are_true_and_machine_readable(run: Run) -> None:
    run("mail", "ingest", "one.eml")
    (status,) = lines(run("status", "--json")[1])
    assert (status["unanswered"], status["withheld"], status["quarantine"]) == (1, 1, 0)
    code, out, _ = run("check", "--offline", "--json")
    (check,) = lines(out)
    assert (code, check["ok"]) == (0, True)
    assert run("check", "--json")[0] == 1  # nobody listens on port 9


def test_status_prints_its_figures_for_prometheus(run: Run) -> None:
    run("mail", "ingest", "one.eml")
    run("run", "--once")  # nobody listens: the mailbox is in trouble
    code, out, _ = run("status", "--metrics")
    assert code == 0
    assert 'mailticket_tickets{status="new"} 1\n' in out
    assert "mailticket_unanswered 1\n" in out
    assert 'mailticket_outgoing{state="withheld"} 1\n' in out
    assert 'mailticket_part_failing{part="mailbox support"} 1\n' in out
    assert "# TYPE mailticket_oldest_unanswered_timestamp_seconds gauge\n" in out
    assert all(line.startswith(("# ", "mailticket_")) for line in out.splitlines())


def test_the_configuration_may_be_named_before_or_after_the_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mailticket.toml").rename(tmp_path / "other.toml")
    assert run("status")[0] == 78
    assert run("--config", "other.toml", "status")[0] == 0
    assert run("status", "--config", "other.toml")[0] == 0


def test_a_bad_configuration_lists_every_problem_with_exit_78(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mailticket.toml").write_text('[support]\naddress = "nobody"\nnmae = "x"\n[smtp]\nport = 0\n')
    code, _, err = run("status")
    assert code == 78
    assert all(word in err for word in ("address", "nmae", "port", "host"))


def test_usage_errors_leave_with_2(run: Run) -> None:
    assert run("ticket", "list", "--status", "sleeping")[0] == 2
    code, _, error = run("ticket", "list", "--search", "***")
    assert (code, "no letter and no digit" in error) == (2, True)
    assert run("no-such-command")[0] == 2
    assert run("outbox", "send")[0] == 2


def test_sending_what_is_not_held_back_is_said_to_be_wrong(run: Run) -> None:
    assert run("mail", "ingest", "one.eml")[0] == 0
    assert run("outbox", "send", "1")[::2] == (0, "")
    code, _, err = run("outbox", "send", "1", "999")
    assert (code, err.split(";")[0]) == (1, "mailticket: 2 of these are not held back")


def test_a_mistyped_ticket_id_is_said_to_be_one(run: Run) -> None:
    code, _, err = run("ticket", "show", "MT-0000-0001")
    assert code == 1
    assert "typing error" in err


def test_init_writes_a_configuration_that_check_can_read_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    assert run("init", "fresh")[0] == 0
    written = tmp_path / "fresh" / "mailticket.toml"
    assert written.stat().st_mode & 0o077 == 0
    assert run("check", "--offline", "--config", str(written))[0] == 0
    assert run("init", "fresh")[0] == 2


def test_what_check_says_fits_the_screen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = run("check", "--offline")[1]
    assert "trust: " in said
    assert max(len(line) for line in said.splitlines() if "→" not in line) <= 80


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_preview_shows_every_letter(run: Run, language: str) -> None:
    kinds = run("preview")[1].splitlines()[0].removeprefix("letters: ").split(", ")
    assert "acknowledgement" in kinds
    for kind in kinds:
        code, out, _ = run("preview", kind, "--language", language)
        assert (code, out.startswith("Subject: ")) == (0, True)
    assert "<html" in run("preview", "acknowledgement", "--html")[1]


def test_preview_shows_a_bakery_its_own_request(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "mailticket.toml").open("a") as file:
        file.write('\n[[category]]\nname = "order"\nlabels = { en = "Bread orders" }\nneeds = ["loaf_number"]\n')
    code, out, _ = run("preview", "acknowledgement")
    assert (code, "“Bread orders”" in out, "  * loaf number\n" in out, "USDT" in out) == (0, True, True, False)


def test_promise_replay_answers_each_request_knowing_only_what_came_before(run: Run, tmp_path: Path) -> None:
    history = [
        {"at": "2026-11-20T10:00:00+00:00", "event": "request", "id": "a", "category": "api", "priority": "normal"},
        {"at": "2026-11-20T12:00:00+00:00", "event": "first_answer", "id": "a"},
        {"at": "2026-11-21T10:00:00+00:00", "event": "request", "id": "b", "category": "api", "priority": "normal"},
    ]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in history))
    code, out, _ = run("promise", "replay", "--json", "history.jsonl")
    promised = lines(out)
    assert (code, [line["id"] for line in promised]) == (0, ["a", "b"])
    assert promised[0]["promised_by"].startswith("2026-11-23T10:0")
    assert "KEPT" in run("promise", "replay", "history.jsonl")[1]
    (tmp_path / "broken.jsonl").write_text("{}\n")
    assert run("promise", "replay", "broken.jsonl")[0] == 1


def test_what_others_wrote_cannot_act_on_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "evil.eml").write_bytes(REQUEST.replace(b"Deposit missing", b"x\x1b]0;owned\x07y\x1b[2J"))
    run("mail", "ingest", "evil.eml")
    for words in (("ticket", "list"), ("mail", "explain", "evil.eml")):
        assert "\x1b]0" not in run(*words)[1]


def test_every_command_has_help(run: Run) -> None:
    for name in COMMANDS:
        code, out, _ = run(name, "--help")
        assert (code, "Usage:" in out) == (0, True)


@pytest.mark.parametrize("words", ["outbox show", "ticket send", "ticket drop", "quarantine show", "mail release"])
def test_a_number_that_no_row_can_have_is_a_mistake_of_who_typed_it(run: Run, words: str) -> None:
    code, _, err = run(*words.split(), "9" * 30)
    assert (code, "not in the range" in err) == (2, True)


def test_a_file_of_such_a_number_is_none_either(run: Run) -> None:
    for digits in (30, 5000):
        code, _, err = run("ticket", "attachment", "9" * digits)
        assert (code, "defect" in err) == (1, False)


@pytest.mark.parametrize("language", ["xx", "de-AT", "not a language", ""])
def test_a_preview_in_a_language_without_letters_is_refused_with_those_that_have_some(run: Run, language: str) -> None:
    code, out, err = run("preview", "acknowledgement", "--language", language)
    assert (code, out) == (2, "")
    assert f"there are no letters in {language!r}; there are: en, zh-Hans, zh-Hant" in err
    assert "重置" not in run("preview", "acknowledgement", "--language", "zh_TW")[1]
