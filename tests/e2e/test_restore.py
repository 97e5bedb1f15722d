"""Back to an older backup with real servers: no mail is lost, nobody gets a second letter, and it goes on when told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from mailticket.store import tickets
from tests.e2e import post
from tests.e2e.conftest import MakeSite
from tests.e2e.site import Site
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


def message_ids(sink: SmtpSink) -> list[str]:
    return [str(post.read(mail)["Message-ID"]) for mail in sink.accepted]


def withheld(site: Site) -> dict[str, str]:
    """Whom mail is held back from, and why."""
    return {row["to"]: row["reason"] for row in site.outbox() if row["state"] == "withheld"}


def surely_later() -> datetime:
    """When a mail comes that cannot be taken for one of before: a mail server's times are cut to whole seconds."""
    return datetime.now(UTC) + timedelta(seconds=1)


def texts(site: Site, key: str) -> list[str]:
    """What was written on a ticket, without history."""
    with site.database.read() as session:
        row = tickets.by_key(session, key)
        return [message.new_text.strip() for message in tickets.conversation(session, int(row.id or 0))]


@pytest.mark.timeout(600)
def test_nobody_gets_a_second_letter_after_a_restore(any_site: Site, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    site, backup = any_site, any_site.folder / "backup"
    site.start()
    dovecot.append(post.request("ann@example.org"))
    key = post.ticket_id(smtp_sink.wait_for(1)[0])
    site.wait_idle(1)
    assert site.stop() == 0
    site.cli("ticket", "reply", key, "--text", "Your withdrawal has left.")
    made = json.loads(site.cli("backup", str(backup), "--json").stdout)
    assert (made["counts"]["ticket"], made["counts"]["outgoing"], made["counts"]["incoming"]) == (1, 2, 1)

    # After the backup: the answer of its queue leaves, others write and are answered, one of them writes again.
    site.start()
    smtp_sink.wait_for(2)
    dovecot.append(post.request("bob@example.org", message_id="<his@example.org>"))
    lost = smtp_sink.wait_for(3)[2]
    dovecot.append(post.reply(lost, "One thing more."))
    dovecot.append(
        post.reply(lost, "And another.").replace(b"\r\nReferences: ", b"\r\nReferences: <his@example.org> ", 1)
    )
    site.wait_idle(4)
    site.cli("ticket", "reply", post.ticket_id(lost), "--text", "We look into it.")
    site.cli("ticket", "reply", key, "--text", "It should be there now.")
    smtp_sink.wait_for(5)
    site.wait_idle(4)
    refused = site.cli("restore", str(backup), code=75)
    assert "running already" in refused.stderr
    assert site.stop() == 0
    before = site.tickets()
    assert len(before) == 2

    site.close_database()
    done = json.loads(site.cli("restore", str(backup), "--json").stdout)
    assert (done["held"], done["counts"], done["step"]) == (1, made["counts"], made["step"])
    assert done["replaced"]
    assert len(site.tickets()) == 1, "the database of the backup"

    # All mail since then is there again, and nothing leaves.
    assert site.once()["sent"] == 0
    assert sum(site.incoming_states().values()) == 4
    assert "listed" not in site.incoming_states()
    reasons = withheld(site)
    assert "may have left before the restore" in reasons["ann@example.org"]
    assert "may have been sent before a backup was restored" in reasons["bob@example.org"]
    assert len(smtp_sink.accepted) == 5
    assert "mailticket restore --go" in site.cli("check", "--offline", code=1).stdout

    # The reply that names his own mail joins its new ticket; the one that names ours alone opens one and says why.
    opened = [ticket for ticket in site.tickets() if ticket["requester"] == "bob@example.org"]
    assert len(opened) == 2
    assert "And another." in texts(site, opened[0]["id"])
    assert "One thing more." in texts(site, opened[1]["id"])
    with site.database.read() as session:
        row = tickets.by_key(session, opened[1]["id"])
        assert any(f"answers our mail about {post.ticket_id(lost)}" in mark for mark in row.marks or ())

    # What comes now and what staff write now waits, and leaves when it is told to.
    dovecot.append(post.request("eve@example.org"), when=surely_later())
    assert site.once()["opened"] == 1
    site.cli("ticket", "reply", key, "--text", "It has arrived by now, has it not?")
    assert site.once()["sent"] == 0
    assert len(smtp_sink.accepted) == 5
    gone = json.loads(site.cli("restore", "--go", "--json").stdout)
    assert (gone["released"], gone["leaving"], gone["held_back"]) == (True, 2, len(reasons) + 1)
    assert site.once()["sent"] == 2
    assert sorted(smtp_sink.recipients()[5:]) == ["ann@example.org", "eve@example.org"]
    assert site.cli("outbox", "send", "--withheld").stdout == "Nothing is held back.\n"
    assert len(set(message_ids(smtp_sink))) == 7, "a Message-ID given twice"
    # A person decides on the others, one by one.
    number = next(row["id"] for row in site.outbox() if row["state"] == "withheld" and row["to"] == "bob@example.org")
    site.cli("outbox", "send", str(number))
    assert site.once()["sent"] == 1


def test_a_restored_daemon_answers_new_mail_when_it_is_told_to(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site.start()
    dovecot.append(post.request("ann@example.org"))
    first = smtp_sink.wait_for(1)[0]
    site.wait_idle(1)
    backup = site.folder / "backup"
    site.cli("backup", str(backup))  # while the daemon works
    assert site.stop() == 0
    site.close_database()
    site.cli("restore", str(backup))
    site.start()
    dovecot.append(post.request("bob@example.org"), when=surely_later())
    site.wait_incoming(opened=2)
    site.wait_outgoing(sent=1, queued=1)
    site.cli("restore", "--go")
    assert smtp_sink.wait_for(2)[1].recipients == ("bob@example.org",)
    dovecot.append(post.reply(first, "Signed before the backup, known after it."))
    site.wait_incoming(opened=2, appended=1)
    assert site.stop() == 0
    assert len(smtp_sink.accepted) == 2


@pytest.mark.sqlite
def test_a_database_that_somebody_has_open_is_not_exchanged(site: Site, dovecot: Dovecot) -> None:
    dovecot.append(post.request("ann@example.org"))
    site.once()
    backup = site.folder / "backup"
    site.cli("backup", str(backup))
    with site.database.read() as session:
        session.connection().exec_driver_sql("SELECT count(*) FROM ticket").all()
        assert "has the database open" in site.cli("restore", str(backup), code=75).stderr
    assert sorted(path.name for path in site.folder.glob("*.replaced*")) == []
    site.close_database()
    site.cli("restore", str(backup))
    assert len(list(site.folder.glob("*.replaced*"))) == 1
    assert list(site.folder.glob("*.restoring*")) == []


def test_mail_that_was_moved_since_the_backup_is_taken_in_when_it_is_moved_back(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(mailbox={"afterwards": "move", "move_to": "Done"})
    dovecot.append(post.request("ann@example.org"))
    assert site.once()["sent"] == 1
    backup = site.folder / "backup"
    site.cli("backup", str(backup))
    dovecot.append(post.request("bob@example.org"))
    assert site.once()["sent"] == 1
    site.close_database()
    assert "moves mail to Done" in site.cli("restore", str(backup)).stdout
    assert site.once()["fetched"] == 0
    dovecot.move((mail.uid for mail in dovecot.messages(folder="Done")), "INBOX", folder="Done")
    counts = site.once()
    assert (counts["opened"], counts["already_known"], counts["sent"], counts["withheld"]) == (1, 1, 0, 1)
    assert len(smtp_sink.accepted) == 2
