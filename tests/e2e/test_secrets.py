"""A secret that somebody mails in shows in nothing that the program prints, logs, sends or keeps for people."""

from __future__ import annotations

from tests.e2e import post
from tests.e2e.conftest import MakeSite
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink

CANARY = "Zebra-7741-quartz"
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def test_a_secret_shows_nowhere_and_its_sender_is_told(
    make_site: MakeSite, dovecot: Dovecot, smtp_sink: SmtpSink
) -> None:
    site = make_site(log={"level": "debug"}, retention={"secret_raw_hours": 0})
    site.start()
    text = f"I cannot sign in. My password: {CANARY}\nand my seed phrase: {SEED}\n"
    dovecot.append(post.request("ann@example.org", f"password: {CANARY}", text, True, attachment=b"\x00\x01log"))
    letter = smtp_sink.wait_for(1)[0]
    site.wait_idle(1)
    key = post.ticket_id(letter)
    assert "something secret" in post.text_of(letter)
    assert "Seed phrase: move your funds" in post.text_of(letter)

    answer = post.reply(letter, f"I forgot to say, my password: {CANARY}", verified=True)
    dovecot.append(answer)
    site.wait_incoming(opened=1, appended=1)
    assert site.stop() == 0
    commands = [
        ("ticket", "list", "--json"), ("ticket", "show", key, "--full"), ("outbox", "list"), ("status",),
        ("mail", "why", "support:1"),
    ]  # fmt: skip
    told = [site.cli(*words).stdout for words in commands] + site.log + [letter.raw.decode(), post.text_of(letter)]
    assert not [words for words in told if CANARY in words or "wave sausage" in words]

    assert "exposes: password, seed phrase" in told[1]
    site.once()
    files = b"".join(file.read_bytes() for file in site.folder.glob("mailticket.db*"))
    assert CANARY.encode() not in files
    assert b"wave sausage" not in files
    site.cli("ticket", "attachment", "1", "--to", "after.bin")
    assert (site.folder / "after.bin").read_bytes() == b"\x00\x01log"


def test_the_check_names_a_help_article_that_cannot_be_used(make_site: MakeSite) -> None:
    site = make_site(articles={"folder": "help"})
    said = site.cli("check", "--offline", code=1).stdout
    assert "no such folder" in said
    (site.folder / "help").mkdir()
    (site.folder / "help" / "a.md").write_text("---\ntitle: A\nlanguage: en\ncategories: bread\n---\nText\n")
    said = site.cli("check", "--offline", code=1).stdout
    assert "a.md:1: address is missing" in said
    (site.folder / "help" / "a.md").write_text(
        "---\ntitle: A\nlanguage: en\ncategories: deposit\naddress: https://help.example/a\n---\nText\n"
    )
    assert "articles: 1 in en" in site.cli("check", "--offline").stdout
