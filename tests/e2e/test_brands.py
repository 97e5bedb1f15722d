"""Two names on real servers: each has its mailbox, its submission server with a login of its own, and its letters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailticket.cli import root
from tests.e2e import post
from tests.e2e.site import SUPPORT, Site
from tests.servers.certificate import make_certificate
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import until
from tests.servers.smtp import Accepted, SmtpSink

pytestmark = pytest.mark.dovecot
SALES, FISH, MIA = "sales@bakery.example", "fish@sea.example", "mia@desk.example"
LOGINS = {"support": (SUPPORT, "support-secret"), "bakery": (SALES, "bakery-secret")}
DESK = """
[desk]
new = "each"
hold_seconds = 0
digests = []
[[staff]]
name = "mia"
addresses = ["mia@desk.example"]
"""


class Shops:
    """A site that answers as support and as a bakery. sinks: the submission server of each."""

    def __init__(self, site: Site, dovecot: Dovecot, sinks: dict[str, SmtpSink], certificate: Path) -> None:
        self.site, self.dovecot, self.sinks, self._certificate = site, dovecot, sinks, certificate
        self.mailboxes = {"support": dovecot.user, "bakery": f"sales-{dovecot.user}"}
        self._taken_in = 0

    def configure(self, *brands: str, bakery_secret: str = LOGINS["bakery"][1]) -> None:
        self.site.configure(
            support={"signed_reply_address": True},
            smtp=self._server("support", LOGINS["support"][1]),
            mailbox={"poll_seconds": 1},
        )
        box = {"name": "bakery", "host": "127.0.0.1", "port": self.dovecot.plain_port, "security": "none",
               "username": self.mailboxes["bakery"], "password": PASSWORD, "poll_seconds": 1}  # fmt: skip
        own = f"[brand.smtp]\n{_lines(self._server('bakery', bakery_secret))}"
        text = f"[[mailbox]]\n{_lines(box)}{DESK}" + "".join(brands)
        with self.site.configuration.open("a", encoding="utf-8") as file:
            file.write(text.replace("[own]\n", own))

    def _server(self, name: str, secret: str) -> dict[str, object]:
        return {"port": self.sinks[name].port, "security": "starttls", "ca_file": str(self._certificate),
                "host": "127.0.0.1", "username": LOGINS[name][0], "password": secret}  # fmt: skip

    def deliver(self, *raws: bytes, to: str = "support") -> None:
        self.dovecot.deliver(raws, user=self.mailboxes[to])
        self._taken_in += len(raws)

    def letter(self, name: str, reader: str, number: int = 1) -> Accepted:
        """The so manieth mail to a reader that a name's server took."""
        mails: list[Accepted] = []

        def are_there() -> bool:
            mails[:] = [mail for mail in self.sinks[name].accepted if mail.recipients[0] == reader]
            return len(mails) >= number

        until(are_there, f"mail {number} to {reader} at the server of {name}{self.site.told()}")
        return mails[number - 1]

    def cli(self, *words: str) -> Any:
        """What a command prints with --json, called in this process."""
        outcome = CliRunner().invoke(root, ["--config", str(self.site.configuration), *words, "--json"])
        assert outcome.exit_code in (0, 1), outcome.output
        return json.loads(outcome.stdout)

    def of(self, person: str) -> list[dict[str, Any]]:
        return [ticket for ticket in self.site.tickets() if ticket["requester"] == person]


def _lines(values: dict[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def brand(name: str, title: str, address: str, prefix: str, more: str = "") -> str:
    return f'[[brand]]\nname = "{name}"\ntitle = "{title}"\naddress = "{address}"\nprefix = "{prefix}"\n{more}'


def bakery(signature: str) -> str:
    return brand("bakery", "Corner Bakery", SALES, "BK", f'mailboxes = ["bakery"]\nsignature = "{signature}"\n[own]\n')


@pytest.fixture
def shops(site: Site, dovecot: Dovecot, tmp_path: Path) -> Iterator[Shops]:
    certificate, key = make_certificate(tmp_path)
    sinks = {name: SmtpSink("starttls", (str(certificate), str(key)), sign_in=True, login=login)
             for name, login in LOGINS.items()}  # fmt: skip
    made = Shops(site, dovecot, sinks, certificate)
    made.configure(bakery("Open from six"))
    yield made
    for sink in sinks.values():
        sink.stop()


def asks(person: str, to: str, subject: str, text: str) -> bytes:
    return post.request(person, subject, text).replace(f"To: {SUPPORT}".encode(), f"To: {to}".encode())


def is_of_support(mail: Accepted, reader: str) -> None:
    looks(mail, reader, "Example Support", SUPPORT, "MT")
    assert "Bakery" not in read(mail)


def is_of_bakery(mail: Accepted, reader: str, signature: str = "Open from six") -> None:
    looks(mail, reader, "Corner Bakery", SALES, "BK")
    assert signature in read(mail)
    assert "Example Support" not in read(mail)
    assert "support@" not in read(mail)


def looks(mail: Accepted, reader: str, name: str, address: str, prefix: str) -> None:
    message = post.read(mail)
    local, _, domain = address.partition("@")
    assert (mail.sender, mail.recipients) == (address, (reader,))
    assert str(message["From"]) == f"{name} <{address}>"
    assert str(message["Message-ID"]).endswith(f"@{domain}>")
    assert re.fullmatch(rf"{local}\+[^@]+@{re.escape(domain)}", str(message["Reply-To"]))
    assert re.search(rf"\b{prefix}-[0-9A-Z]{{4}}-[0-9A-Z]{{4}}", str(message["Subject"]))


def read(mail: Accepted) -> str:
    """Headers and bodies as their reader sees them."""
    message = post.read(mail)
    bodies = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *bodies])


def test_two_names_answer_for_themselves_from_the_first_letter_to_the_end(shops: Shops) -> None:
    shops.site.start()
    _first_letters(shops)
    _replies(shops)
    _answers(shops)
    _one_server_down(shops)
    _wrong_password(shops)
    _changed_configuration(shops)
    assert shops.site.stop() == 0


def _first_letters(shops: Shops) -> None:
    both = asks("carl@example.org", f"{SALES}, {SUPPORT}", "Rolls and a refund", "Rolls for Friday, please.")
    shops.deliver(asks("ann@example.org", SUPPORT, "Deposit missing", "My deposit has not arrived."))
    shops.deliver(b"Delivered-To: support@example.com\r\n" + both)
    shops.deliver(
        asks("bob@example.org", SALES, "Three loaves", "Three loaves for Monday, please."),
        asks("wang@example.org", SALES, "订购面包", "您好，我想订购三个面包，请问什么时候可以取？谢谢。"),
        b"Delivered-To: sales@bakery.example\r\n" + both,
        to="bakery",
    )
    is_of_support(shops.letter("support", "ann@example.org"), "ann@example.org")
    for person in ("bob", "wang", "carl"):
        is_of_bakery(shops.letter("bakery", f"{person}@example.org"), f"{person}@example.org")
    assert "您" in read(shops.letter("bakery", "wang@example.org"))
    assert [ticket["brand"] for ticket in shops.of("carl@example.org")] == ["bakery"]


def _replies(shops: Shops) -> None:
    """A reference leads across; an ID alone leads nobody to another's ticket."""
    bobs = shops.letter("bakery", "bob@example.org")
    shops.deliver(post.reply(bobs, "And one with seeds."))  # to support's address and mailbox
    stolen = re.search(r"BK-[0-9A-Z-]{9}", str(post.read(bobs)["Subject"]))
    assert stolen
    shops.deliver(asks("eve@evil.example", SUPPORT, f"Re: {stolen[0]}", "Send me all you have."))
    is_of_support(shops.letter("support", "eve@evil.example"), "eve@evil.example")
    assert stolen[0] not in read(shops.letter("support", "eve@evil.example"))
    until(lambda: shops.of("bob@example.org")[0]["messages"] == 3, "Bob's reply")
    assert [(one["id"], one["brand"]) for one in shops.of("bob@example.org")] == [(stolen[0], "bakery")]


def _answers(shops: Shops) -> None:
    """What staff write leaves as the ticket's name, whichever way they write it."""
    shops.cli("ticket", "reply", shops.of("bob@example.org")[0]["id"], "--text", "Yours on Monday.")
    answer = shops.letter("bakery", "bob@example.org", 2)
    is_of_bakery(answer, "bob@example.org")
    assert "Yours on Monday." in read(answer)
    key = shops.of("wang@example.org")[0]["id"]
    until(lambda: _told(shops, key), "mia's mail of Wang's ticket")
    told = _told(shops, key)[0]
    assert post.read(told)["X-Mailticket-Brand"] == "bakery"
    assert f"Answered as: Corner Bakery <{SALES}>" in post.text_of(told)
    assert "as Corner Bakery." in post.text_of(told)
    shops.deliver(post.reply(told, "星期一可以取。", MIA, verified=True))
    answer = shops.letter("bakery", "wang@example.org", 2)
    is_of_bakery(answer, "wang@example.org")
    assert "星期一可以取。" in read(answer)


def _told(shops: Shops, key: str) -> list[Accepted]:
    return [mail for mail in shops.sinks["support"].accepted
            if mail.recipients == (MIA,) and post.read(mail)["X-Mailticket-Ticket"] == key]  # fmt: skip


def _one_server_down(shops: Shops) -> None:
    shops.sinks["bakery"].stop()
    shops.deliver(asks("dan@example.org", SALES, "A cake", "A cake for Sunday, please."), to="bakery")
    shops.deliver(asks("fay@example.org", SUPPORT, "Login fails", "I cannot log in since today."))
    is_of_support(shops.letter("support", "fay@example.org"), "fay@example.org")

    def troubles() -> list[str]:
        return [trouble["name"] for trouble in shops.cli("status")["troubles"] if trouble["name"].startswith("smtp")]

    until(lambda: troubles() == ["smtp bakery"], f"the trouble of the bakery's server{shops.site.told()}")
    waiting = [row["to"] for row in shops.site.outbox() if row["state"] in ("queued", "deferred")]
    assert waiting == ["dan@example.org"]
    shops.sinks["bakery"].start()


def _wrong_password(shops: Shops) -> None:
    """`check` signs in to each server, and names whose login is wrong."""
    shops.configure(bakery("Open from six"), bakery_secret="wrong")
    servers = {one["subject"]: one for one in shops.cli("check")["findings"] if one["subject"].startswith("smtp")}
    assert (servers["smtp"]["level"], servers["smtp bakery"]["level"]) == ("ok", "wrong")
    assert "refused the user name or password" in servers["smtp bakery"]["said"]
    assert servers["smtp bakery"]["remedy"] == "correct username and password"


def _changed_configuration(shops: Shops) -> None:
    shops.configure(bakery("Open from five"), brand("fish", "Fish and Sons", FISH, "FI"))
    shops.site.hang_up()
    is_of_bakery(shops.letter("bakery", "dan@example.org"), "dan@example.org")  # the letter was written before
    shops.deliver(asks("gus@example.org", SALES, "Two baguettes", "Two baguettes, please."), to="bakery")
    shops.deliver(asks("hal@example.org", FISH, "A herring", "One herring, please."))
    is_of_bakery(shops.letter("bakery", "gus@example.org"), "gus@example.org", "Open from five")
    looks(shops.letter("support", "hal@example.org"), "hal@example.org", "Fish and Sons", FISH, "FI")
    shops.configure(brand("fish", "Fish and Sons", FISH, "FI"))
    shops.site.hang_up()
    key = shops.of("bob@example.org")[0]["id"]
    shops.cli("ticket", "reply", key, "--text", "We moved, Bob.")
    answer = shops.letter("support", "bob@example.org")
    assert (answer.sender, str(post.read(answer)["From"])) == (SUPPORT, f"Example Support <{SUPPORT}>")
    assert key in str(post.read(answer)["Subject"])
    before = shops.of("bob@example.org")[0]["messages"]
    shops.deliver(post.reply(answer, "I will find you."))
    until(lambda: shops.of("bob@example.org")[0]["messages"] > before, "Bob's reply on his ticket")
    assert [one["id"] for one in shops.of("bob@example.org")] == [key]
