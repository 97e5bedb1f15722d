"""The whole program by OAuth2: mail in and out, a provider that is down, a consent taken back, and no token told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailticket.config.read import read_settings
from mailticket.oauth2.exchange import Issue
from mailticket.oauth2.tokens import keep_consent
from tests.e2e import post
from tests.e2e.site import Site
from tests.oauth2.conftest import NOW
from tests.servers.authorisation import AuthorisationServer
from tests.servers.dovecot import Dovecot
from tests.servers.machine import until
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def site(
    tmp_path: Path, url: str, token_dovecot: Dovecot, token_sink: SmtpSink, provider: AuthorisationServer
) -> Iterator[Site]:
    """An installation whose mailbox and [smtp] share a consent that was given already."""
    site = Site(tmp_path, token_dovecot, token_sink, url)
    keys: dict[str, Any] = {**provider.settings(), "password": None}
    site.configure(mailbox=keys, smtp=keys, oauth2={"key_file": "oauth2-key"})
    sign_in(site, provider)
    yield site
    site.close()


def sign_in(site: Site, provider: AuthorisationServer) -> None:
    settings = read_settings(site.configuration, {})
    keep_consent(site.database, settings, settings.mailbox[0], Issue("x", 60.0, provider.consent()), NOW, {})


def test_mail_comes_and_goes_and_no_token_is_ever_told(
    site: Site, provider: AuthorisationServer, token_dovecot: Dovecot, token_sink: SmtpSink
) -> None:
    token_dovecot.deliver(post.requests(2))
    site.start()
    token_sink.wait_for(2)
    site.wait_idle(2)
    assert len(provider.requests) == 1  # one token for the mailbox and for SMTP
    token_sink.stop()
    token_sink.start()
    provider.expire_access_tokens()
    token_dovecot.kick()
    provider.revoke()
    until(lambda: any("mailticket oauth2 login support" in line for line in site.log), "the refusal")
    shown = site.cli("status", code=None).stdout
    assert "mailticket oauth2 login support" in " ".join(shown.split())
    (face,) = site.json("oauth2", "status")
    assert face["refusal"] == "consent-gone"

    sign_in(site, provider)
    token_dovecot.deliver([post.request("later@example.org")])
    site.hang_up()  # or the next try would come in a minute, and later ever more slowly
    assert token_sink.wait_for(3)[2].recipients == ("later@example.org",)
    assert site.stop() == 0
    files = b"".join(path.read_bytes() for path in site.folder.iterdir() if path.is_file())
    told = "\n".join(site.log) + shown + files.decode("latin-1")
    secrets = [token for token in provider.everything_secret() if token]
    assert len(secrets) > 3
    assert [token for token in secrets if token in told] == []


def test_while_the_provider_is_down_mail_waits_and_nothing_is_lost(
    site: Site, provider: AuthorisationServer, token_dovecot: Dovecot, token_sink: SmtpSink
) -> None:
    token_dovecot.deliver(post.requests(2))
    token_sink.always("CONNECT", "421 4.3.2 later")  # so that letters are written and wait
    site.once(code=75)
    provider.stop()
    token_sink.always("CONNECT", None)
    token_dovecot.deliver([post.request("later@example.org")])
    for _ in range(3):
        done = site.cli("run", "--once", code=75)
        assert "gives no tokens just now" in done.stdout + done.stderr
    assert site.outgoing_states()["deferred"] == 2
    assert {row["attempts"] for row in site.outbox()} == {0}
    (face,) = site.json("oauth2", "status")
    assert face["refusal"] is None
    provider.start()
    site.once()
    assert sorted(token_sink.recipients()) == ["later@example.org", "person1@example.org", "person2@example.org"]
    assert len(site.tickets()) == 3
