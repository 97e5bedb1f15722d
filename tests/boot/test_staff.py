"""Two accounts of one machine at the desk, as the page says: by name, never both on one ticket, and nobody else."""

from __future__ import annotations

import json
import shlex
import subprocess
from email.message import EmailMessage
from typing import Any

import pytest

from tests.boot import page
from tests.boot.machine import Machine
from tests.boot.test_install import (
    CONFIGURATION,
    Provider,
    booted,
    bring_sources,
    configure,
    make,
    provider,
)

__all__ = ["provider"]  # the fixture
pytestmark = [pytest.mark.boot, pytest.mark.timeout(1500)]

MIA, TOM, UNLISTED, OUTSIDER = "mberg", "tstark", "epark", "mkey"
INVOICE = b"%PDF-1.4 not really\n"


class Desk:
    """What people of the machine type."""

    def __init__(self, machine: Machine, host: Provider) -> None:
        self._machine = machine
        self._provider = host

    def says(self, account: str, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """A command of an account, in its home, under a LOGNAME that lies."""
        line = shlex.join(["runuser", "-u", account, "--", "env", "LOGNAME=root", "USER=root", "mailticket", *words])
        return self._machine.run("sh", "-c", line, expect=expect, cwd=f"/home/{account}")

    def json(self, account: str, *words: str, expect: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.says(account, *words, "--json", expect=expect).stdout.splitlines()]

    def receive(self, sender: str, subject: str) -> str:
        """A mail with a file; returns its ticket once its acknowledgement has left."""
        count = len(self._provider.smtp.accepted)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "support@example.com", subject
        mail["Message-ID"] = f"<{subject.replace(' ', '.')}@example.net>"
        mail.set_content(f"Please help: {subject}")
        mail.add_attachment(INVOICE, maintype="application", subtype="pdf", filename="invoice.pdf")
        self._provider.dovecot.append(mail.as_bytes())
        letter = self._provider.smtp.wait_for(count + 1)[count]
        return next(str(row["id"]) for row in self.json(MIA, "ticket", "list", "--all") if row["id"] in str(letter.raw))


def open_accounts(machine: Machine) -> None:
    """The page's chapter for mia and, with other names, for tom; one in the group whom no table names, one outside."""
    words = {"mberg": TOM, "mia": "tom", "Mia": "Tom"}
    text = page.commands("Let staff work")
    table = page.tables("Let staff work")
    others = [text, [_replaced(line, words) for line in text]]
    for commands, block in zip(others, (table, _replaced(table, words)), strict=True):
        for command in commands:
            if command.startswith("editor "):
                machine.shell(f"cat >> {CONFIGURATION}", stdin=f"\n{block}")
            else:
                machine.shell(command.replace("adduser", "useradd --create-home"))
    for account in (UNLISTED, OUTSIDER):
        machine.shell(f"useradd --create-home {account}")
    machine.shell(f"usermod -aG mailticket-staff {UNLISTED}")


def _replaced(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def test_staff_work_at_one_desk(provider: Provider) -> None:
    with booted() as machine:
        make("wheels")
        environ = bring_sources(machine)
        for command in page.commands("Any Linux: pip"):
            machine.shell(command, cwd="/root/mailticket", environ=environ)
        configure(machine, provider)
        machine.shell(page.commands("Start")[0])
        desk = Desk(machine, provider)
        open_accounts(machine)
        assert machine.shell("stat -c '%a %U:%G' /run/mailticket/desk.sock") == "660 mailticket:mailticket-staff\n"
        strangers_stay_out(desk)
        two_get_two(desk, machine)
        an_answer_that_crosses_another_is_held(desk, machine)
        what_the_desk_writes_is_the_caller_s(desk, machine)
        without_a_daemon(desk, machine)


def strangers_stay_out(desk: Desk) -> None:
    for words in (("ticket", "list"), ("status",), ("staff", "list")):
        refused = desk.says(UNLISTED, *words, expect=77)
        assert f"the account {UNLISTED} is no member's; add it to a [[staff]] table" in refused.stderr
        assert refused.stdout == ""
        told = desk.says(OUTSIDER, *words, expect=77)
        assert f"usermod -aG mailticket-staff {OUTSIDER}" in told.stderr


def two_get_two(desk: Desk, machine: Machine) -> None:
    keys = {desk.receive("Ann <ann@example.net>", "Withdrawal of Monday"),
            desk.receive("Bob <bob@example.net>", "Cannot sign in")}  # fmt: skip
    assert {row["id"] for row in desk.json(TOM, "ticket", "list")} == keys
    take = "runuser -u {0} -- mailticket ticket next --take --json > /home/{0}/taken"
    machine.shell(f"{take.format(MIA)} & {take.format(TOM)} & wait %1 && wait %2")
    taken = [json.loads(machine.shell(f"cat /home/{account}/taken")) for account in (MIA, TOM)]
    assert {face["id"] for face in taken} == keys
    assert [face["assigned_to"] for face in taken] == ["mia", "tom"]
    assert "Nothing waits." in desk.says(MIA, "ticket", "next", "--take").stdout


def an_answer_that_crosses_another_is_held(desk: Desk, machine: Machine) -> None:
    def sent() -> int:
        return len(machine.shell("mailticket outbox list --json").splitlines())

    key = desk.receive("Oscar <oscar@example.net>", "Deposit of Friday")
    desk.says(TOM, "ticket", "show", key)
    desk.says(MIA, "ticket", "reply", key, "--text", "Hello Oscar, it is on its way.")
    before = sent()
    held = desk.says(TOM, "ticket", "reply", key, "--text", "We are looking into it.", expect=1)
    assert "nothing was sent" in held.stderr
    assert "mia answered at" in held.stderr
    assert "Hello Oscar, it is on its way." in held.stdout
    assert sent() == before
    assert desk.json(TOM, "status")[0]["held"] == 1
    desk.says(TOM, "ticket", "reply", key, "--text", "We are looking into it.", "--anyway")
    assert (sent(), desk.json(TOM, "status")[0]["held"]) == (before + 1, 0)
    (shown,) = desk.json(MIA, "ticket", "show", key)
    assert [event["by"] for event in shown["history"] if event["event"] == "staff-reply"] == ["mia", "tom"]
    assert [event["by"] for event in shown["history"] if event["event"] in ("held", "sent anyway")] == ["tom", "tom"]
    assert shown["assigned_to"] == "mia"
    assert [(row["name"], row["open"]) for row in desk.json(MIA, "staff", "list")] == [("mia", 2), ("tom", 1)]


def what_the_desk_writes_is_the_caller_s(desk: Desk, machine: Machine) -> None:
    key = desk.json(MIA, "ticket", "list", "--mine")[0]["id"]
    said = desk.says(MIA, "ticket", "attachment", key, "--all", "--to", "files").stdout
    assert f"invoice.pdf: {len(INVOICE)} bytes in files/invoice.pdf" in said
    assert machine.shell("stat -c %U:%G /home/mberg/files/invoice.pdf") == f"{MIA}:{MIA}\n"
    assert machine.shell("cat /home/mberg/files/invoice.pdf").encode() == INVOICE


def without_a_daemon(desk: Desk, machine: Machine) -> None:
    machine.shell("systemctl stop mailticket")
    assert "the daemon does not run" in desk.says(MIA, "ticket", "list", expect=75).stderr
    assert "sudo" in desk.says(OUTSIDER, "ticket", "list", expect=77).stderr
    machine.shell("systemctl start mailticket")
    assert desk.json(MIA, "ticket", "list")
