"""Dovecot and an SMTP server that have the provider check each token: both mechanisms, refused, expired, closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mailticket.errors import SignInRefused, WorldError
from mailticket.imap import Inbox, Waker
from mailticket.oauth2.tokens import Tokens
from mailticket.settings import Mailbox, Settings
from mailticket.smtp import Courier, Outcome
from mailticket.store.engine import Database
from tests.oauth2.conftest import MakeSettings, Ticks, box, consent, tokens_of
from tests.servers.authorisation import AuthorisationServer
from tests.servers.dovecot import Dovecot
from tests.servers.scripted_imap import ScriptedImap
from tests.servers.smtp import SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def inbox_settings(settings_of: MakeSettings, token_dovecot: Dovecot) -> Settings:
    return settings_of(port=token_dovecot.plain_port)


def inbox(tokens: Tokens, settings: Settings) -> Inbox:
    return Inbox(box(settings), tokens.secret(settings, box(settings)))


def test_dovecot_lets_us_in_by_a_token_that_the_provider_calls_good(
    database: Database, inbox_settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, inbox_settings, provider)
    ours = inbox(tokens_of(database), inbox_settings)
    ours.connect()
    assert ours.select().exists == 0
    ours.logout()


@pytest.mark.parametrize("kind", ["google", "custom"])
def test_each_mechanism_is_understood(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer, token_dovecot: Dovecot, kind: str
) -> None:
    """Dovecot has both: a custom provider is asked by the standard's, Google by the one that it documents."""
    settings = settings_of(port=token_dovecot.plain_port, provider=kind)
    consent(database, settings, provider)
    ours = inbox(tokens_of(database), settings)
    ours.connect()
    ours.logout()
    method = {"google": "XOAUTH2", "custom": "OAUTHBEARER"}[kind]
    assert f"method={method}" in (token_dovecot.root / "dovecot.log").read_text()


def test_a_token_that_died_before_its_time_is_replaced_at_once(
    database: Database, inbox_settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, inbox_settings, provider)
    ours = inbox(tokens_of(database), inbox_settings)
    ours.connect()
    ours.drop()
    provider.expire_access_tokens()
    ours.connect()
    ours.logout()
    assert len(provider.requests) == 2


def test_a_consent_that_was_taken_back_is_told_with_what_mends_it(
    database: Database, inbox_settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, inbox_settings, provider)
    ours = inbox(tokens_of(database), inbox_settings)
    ours.connect()
    ours.drop()
    provider.revoke()
    with pytest.raises(SignInRefused) as refusal:
        ours.connect()
    assert (refusal.value.code, refusal.value.remedy) == ("consent-gone", "mailticket oauth2 login box0")


def test_a_token_that_expires_during_idle_costs_one_connection(
    database: Database, inbox_settings: Settings, provider: AuthorisationServer, token_dovecot: Dovecot
) -> None:
    """The server cuts the line when the token's time is up, as Exchange does; the next sign-in has a new token."""
    consent(database, inbox_settings, provider)
    ticks = Ticks()
    ours = inbox(tokens_of(database, ticks), inbox_settings)
    ours.connect()
    ours.select()
    ticks.now += 3600
    provider.expire_access_tokens()
    assert ours.list_new(0) == []
    token_dovecot.kick()
    waker = Waker()
    with pytest.raises(WorldError):
        ours.idle(30, waker)
    waker.close()
    token_dovecot.deliver([b"Subject: x\r\n\r\nx\r\n"])
    ours.connect()
    assert ours.select().exists == 1
    ours.logout()
    assert len(provider.requests) == 2


def exchange_box(server: ScriptedImap, **more: Any) -> Mailbox:
    values = {"name": "box0", "host": "127.0.0.1", "port": server.port, "security": "none", "auth": "oauth2"}
    more = {"provider": "microsoft365", "client_id": "c", "username": "support@example.com", **more}
    return Mailbox.model_validate({**values, **more})


@pytest.mark.parametrize("words", ["NO AUTHENTICATE failed.", "OK AUTHENTICATE completed."])
def test_exchange_that_opens_nothing_is_told_apart_from_a_wrong_password(words: str) -> None:
    """Where IMAP is off for the mailbox, Exchange may refuse the token, or take it and refuse the first command."""

    def script(server: Any) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR")
        tag = server.expect("AUTHENTICATE XOAUTH2")
        server.send(b"+ \r\n")
        server.read_line()
        server.send(f"{tag} {words}\r\n".encode())
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2")
        server.answer("SELECT", ending=b"BAD User is authenticated but not connected.")
        server.wait_until_gone()

    with ScriptedImap(script) as server:
        ours = Inbox(exchange_box(server), "opaque")
        with pytest.raises(SignInRefused) as refusal:
            ours.connect()
            ours.select()
    assert refusal.value.code == "mailbox-closed"
    assert "tick IMAP" in refusal.value.remedy


def test_a_server_without_oauth2_is_named() -> None:
    def script(server: Any) -> None:
        server.send(b"* OK ready\r\n")
        server.answer("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        server.wait_until_gone()

    with ScriptedImap(script) as server, pytest.raises(WorldError, match="offers no sign-in by OAuth2"):
        Inbox(exchange_box(server), "opaque").connect()


# --- SMTP -------------------------------------------------------------------------------------------------------------


def probe(tokens: Tokens, settings: Settings) -> Outcome | None:
    return asyncio.run(Courier(settings.smtp, tokens.secret(settings, settings.smtp)).probe())


@pytest.fixture
def smtp_settings(settings_of: MakeSettings, provider: AuthorisationServer, token_sink: SmtpSink) -> Settings:
    return settings_of(smtp=provider.settings(port=token_sink.port))


@pytest.mark.parametrize(("kind", "mechanism"), [("google", "XOAUTH2"), ("custom", "OAUTHBEARER")])
def test_the_submission_server_lets_us_in(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer, token_sink: SmtpSink, kind: str,
    mechanism: str,
) -> None:  # fmt: skip
    settings = settings_of(smtp=provider.settings(port=token_sink.port, provider=kind))
    consent(database, settings, provider)
    assert probe(tokens_of(database), settings) is None
    assert token_sink.mechanisms == [mechanism]


def test_a_token_that_the_submission_server_refuses_is_replaced_once(
    database: Database, smtp_settings: Settings, provider: AuthorisationServer, token_sink: SmtpSink
) -> None:
    consent(database, smtp_settings, provider)
    tokens = tokens_of(database)
    assert probe(tokens, smtp_settings) is None
    provider.expire_access_tokens()
    assert probe(tokens, smtp_settings) is None
    assert len(token_sink.mechanisms) == 3
    tokens.renew(smtp_settings.smtp, tokens.token(smtp_settings, smtp_settings.smtp))
    token_sink.check_token = lambda token: ""
    outcome = probe(tokens, smtp_settings)  # came just now: another would fare no better
    assert outcome is not None
    assert (outcome.kind, outcome.code, outcome.phase) == ("configuration", 535, "sign-in")
    assert "does not take the token" in outcome.text
    assert len(token_sink.mechanisms) == 4


def test_smtp_auth_that_is_switched_off_says_where_it_is_switched_on(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer, token_sink: SmtpSink
) -> None:
    settings = settings_of(smtp=provider.settings(port=token_sink.port, provider="microsoft365"))
    consent(database, settings, provider)
    token_sink.always("AUTH", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the "
                              "Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.")  # fmt: skip
    outcome = probe(tokens_of(database), settings)
    assert outcome is not None
    assert "switched off for the organisation" in outcome.text
    assert "Turn off SMTP AUTH protocol" in outcome.text


def test_a_consent_that_is_gone_stops_the_queue_and_costs_no_mail(
    database: Database, smtp_settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, smtp_settings, provider)
    provider.revoke()
    outcome = probe(tokens_of(database), smtp_settings)
    assert outcome is not None
    assert outcome.about_the_server
    assert "mailticket oauth2 login smtp" in outcome.text
