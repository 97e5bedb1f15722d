"""`mailticket person`, and what `mail` and `status` show of blocked mail."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import REQUEST, Run
from tests.cli.test_faces import lines


def test_a_person_is_blocked_listed_and_unblocked(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("person", "block", "ann@example.org", "--reason", "threats")
    assert code == 0 and out.startswith("ann@example.org is blocked; ")
    assert "was blocked already" in run("person", "block", "ANN@example.org", "--reason", "threats")[1]
    (face,) = lines(run("person", "blocked", "--json")[1])
    assert (face["kind"], face["value"], face["reason"]) == ("address", "ann@example.org", "threats")
    assert "threats" in run("person", "blocked")[1]
    (taken,) = lines(run("mail", "ingest", "--json", "one.eml")[1])
    assert (taken["state"], taken["rule"], taken["ticket"]) == ("filed", "blocked", None)
    (listed,) = lines(run("mail", "list", "--blocked", "--json")[1])
    assert (listed["rule"], listed["from"], listed["named_ticket"]) == ("blocked", "Ann Lee <ann@example.org>", False)
    assert lines(run("mail", "list", "--filed", "--json")[1]) == [listed]
    assert lines(run("mail", "list", "--json")[1]) == [listed]
    assert "person block ann@example.org by " in run("mail", "why", "one@example.org")[1]
    assert json.loads(run("status", "--json")[1])["blocked_7_days"] == {"mails": 1, "named_ticket": 0}
    assert "blocked     1 in 7 days: mailticket mail list --blocked" in run("status")[1]
    code, out, _ = run("mail", "release", str(listed["id"]), "--json")
    assert code == 0 and json.loads(out)["ticket"].startswith("MT-")
    assert run("mail", "list", "--blocked")[1] == "Nothing was blocked.\n"
    assert run("person", "unblock", "ann@example.org")[0] == 0
    code, _, err = run("person", "unblock", "ann@example.org")
    assert code == 1 and "not blocked" in err
    assert run("person", "blocked")[1] == "Nobody is blocked.\n"


def test_a_released_mail_that_is_filed_again_says_why(run: Run, tmp_path: Path) -> None:
    run("person", "block", "ann@example.org")
    (tmp_path / "away.eml").write_bytes(b"Auto-Submitted: auto-replied\r\n" + REQUEST)
    run("mail", "ingest", "away.eml")
    assert "filed again, by rule automatic: auto-reply" in run("mail", "release", "1")[1]


def test_what_cannot_be_asked_is_said(run: Run) -> None:
    code, _, err = run("person", "block", "support@example.com")
    assert code == 1 and "our own address" in err
