"""Passwords that change while the daemon runs: no restart, no reload, and a missing one is a trouble that passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import post
from tests.e2e.conftest import MakeHouse
from tests.e2e.site import Site
from tests.servers import smtp as smtp_server
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import require, until
from tests.servers.smtp import USERNAME, SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    """A Dovecot of the test's own, whose password it may change."""
    require(Dovecot.available(), "Dovecot (Debian's dovecot-imapd) or openssl")
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture
def strict_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink(sign_in=True)
    yield sink
    sink.stop()


def write(file: Path, password: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(password + "\n")
    file.chmod(0o600)


def trouble(site: Site, part: str) -> str:
    parts = site.json("status")[0]["parts"]
    return next((row["error"] or "" for row in parts if row["name"] == part), "")


@pytest.mark.parametrize("place", ["password_file", "credentials"])
def test_a_password_that_is_changed_on_both_sides_is_taken_without_a_restart(
    tmp_path: Path,
    own_dovecot: Dovecot,
    strict_sink: SmtpSink,
    house_of: MakeHouse,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    site = Site(tmp_path, own_dovecot, strict_sink)
    imap_file, smtp_file = (tmp_path / "credentials" / f"{name}-password" for name in ("imap", "smtp"))
    keys = {"password": None}
    if place == "password_file":
        imap_file, smtp_file = tmp_path / "imap-password", tmp_path / "smtp-password"
    try:
        site.configure(
            mailbox={**keys, **({"password_file": imap_file.name} if place == "password_file" else {})},
            smtp={"username": USERNAME, **({"password_file": smtp_file.name} if place == "password_file" else {})},
        )
        write(imap_file, PASSWORD)
        write(smtp_file, smtp_server.PASSWORD)
        house = house_of(site)
        house.start()
        own_dovecot.append(post.request("before@example.org"))
        strict_sink.wait_for(1)

        imap_file.unlink()
        own_dovecot.change_password("battery-staple")
        until(lambda: imap_file.name in trouble(site, "mailbox support"), "the missing password to be shown")
        monkeypatch.setattr(strict_sink, "_login", (smtp_server.USERNAME, "paper-clip"))
        strict_sink.stop()
        strict_sink.start()
        write(smtp_file, "paper-clip")
        write(imap_file, "battery-staple")
        until(lambda: not trouble(site, "mailbox support"), "the mailbox to work again")
        own_dovecot.append(post.request("after@example.org"))
        assert strict_sink.wait_for(2)[1].recipients == ("after@example.org",)
        house.stop()
    finally:
        site.close()
