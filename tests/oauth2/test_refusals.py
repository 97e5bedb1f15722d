"""What providers and mail servers say, word for word, and what it comes to: a code, a sentence, and what to click."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mailticket.consent.providers import PROVIDERS
from mailticket.consent.refusals import Case, Refusal, _sentences, claims_of, of_mail_server, of_provider

CASE = Case("support", "microsoft365", "device", "support@example.com", "ann@example.com", "client-1")
GOOGLE = Case("support", "google", "code", "support@example.com", "support@example.com", "client-1")
SERVICE = Case("support", "google", "service-account", "support@example.com", "support@example.com")
APP = Case("support", "microsoft365", "client-credentials", "support@example.com", "support@example.com", "client-1")
CUSTOM = Case("smtp", "custom", "code", "support@example.com", "support@example.com", "client-1")

MICROSOFT = [
    ("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.", "consent-expired"),
    ("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked.", "consent-expired"),
    ("invalid_grant", "AADSTS50076: Due to a configuration change made by your administrator", "sign-in-again"),
    ("invalid_grant", "AADSTS65001: The user or administrator has not consented", "consent-missing"),
    ("invalid_grant", "AADSTS53003: Access has been blocked by Conditional Access policies.", "blocked-by-policy"),
    ("invalid_grant", "AADSTS50034: The user account does not exist in the directory.", "account-unknown"),
    ("invalid_grant", "AADSTS50057: The user account is disabled.", "account-disabled"),
    ("unauthorized_client", "AADSTS700016: Application with identifier was not found", "client-unknown"),
    ("invalid_client", "AADSTS7000215: Invalid client secret provided.", "secret-wrong"),
    ("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "secret-expired"),
    ("invalid_client", "AADSTS7000218: The request body must contain: client_assertion", "secret-missing"),
    ("invalid_request", "AADSTS90002: Tenant 'x' not found.", "tenant-unknown"),
    ("invalid_scope", "AADSTS70011: The provided request must include a 'scope'", "wrong-audience"),
    ("invalid_resource", "AADSTS500011: The resource principal was not found in the tenant", "wrong-audience"),
    ("invalid_request", "AADSTS50011: The redirect URI does not match", "redirect-unknown"),
    ("temporarily_unavailable", "AADSTS90033: A transient error has occurred.", "provider-busy"),
    ("invalid_grant", "", "consent-gone"),
    ("something_new", "AADSTS9999999: who knows", "refused"),
]
GOOGLES = [
    (GOOGLE, "invalid_grant", "Token has been expired or revoked.", "consent-expired"),
    (GOOGLE, "invalid_grant", "Bad Request", "consent-gone"),
    (GOOGLE, "invalid_client", "The OAuth client was not found.", "secret-wrong"),
    (GOOGLE, "deleted_client", "The OAuth client was deleted.", "client-unknown"),
    (GOOGLE, "admin_policy_enforced", "", "blocked-by-policy"),
    (GOOGLE, "invalid_rapt", "", "sign-in-again"),
    (GOOGLE, "access_denied", "", "denied"),
    (GOOGLE, "redirect_uri_mismatch", "", "redirect-unknown"),
    (SERVICE, "unauthorized_client", "Client is unauthorized to retrieve access tokens", "delegation-missing"),
    (SERVICE, "invalid_grant", "Invalid JWT Signature.", "key-wrong"),
    (SERVICE, "invalid_grant", "Invalid email or User ID", "account-unknown"),
    (SERVICE, "invalid_grant", "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe", "clock"),
]


@pytest.mark.parametrize(("error", "words", "code"), MICROSOFT, ids=[code + words[:12] for _, words, code in MICROSOFT])
def test_what_microsoft_refuses(error: str, words: str, code: str) -> None:
    assert of_provider(CASE, error, words).code == code


@pytest.mark.parametrize(("case", "error", "words", "code"), GOOGLES)
def test_what_google_refuses(case: Case, error: str, words: str, code: str) -> None:
    assert of_provider(case, error, words).code == code


def token(**claims: Any) -> str:
    return f"x.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.y"


MAIL = "https://outlook.office.com"
DELEGATED = token(aud=MAIL, scp="IMAP.AccessAsUser.All SMTP.Send")
SERVERS = [
    (CASE, "SMTP", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
     "Visit https://aka.ms/smtp_auth_disabled for more information.", "", DELEGATED, "smtp-off-tenant"),
    (CASE, "SMTP", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
     "", DELEGATED, "smtp-off-mailbox"),
    (CASE, "SMTP", "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults "
     "policy. Contact your administrator.", "", DELEGATED, "blocked-by-policy"),
    (CASE, "SMTP", "535 5.7.3 Authentication unsuccessful", "", token(aud="https://graph.microsoft.com"),
     "wrong-audience"),
    (CASE, "SMTP", "535 5.7.3 Authentication unsuccessful", "", token(aud=MAIL, scp="IMAP.AccessAsUser.All"),
     "scope-missing"),
    (CASE, "SMTP", "535 5.7.3 Authentication unsuccessful", "", DELEGATED, "mailbox-closed"),
    (CASE, "SMTP", "454 4.7.0 Temporary authentication failure", "", DELEGATED, "server-busy"),
    (CASE, "SMTP", "430 4.2.0 STOREDRV; mailbox logon failure", "", DELEGATED, "mailbox-closed"),
    (CASE, "IMAP", "AUTHENTICATE failed.", "", token(aud="00000003-0000-0000-c000-000000000000"), "wrong-audience"),
    (CASE, "IMAP", "AUTHENTICATE failed.", "", token(aud=MAIL, scp="SMTP.Send"), "scope-missing"),
    (CASE, "IMAP", "AUTHENTICATE failed.", "", DELEGATED, "mailbox-closed"),
    (CASE, "IMAP", "AUTHENTICATE failed.", "", "opaque", "mailbox-closed"),
    (CASE, "IMAP", "User is authenticated but not connected.", "", "", "mailbox-closed"),
    (APP, "IMAP", "AUTHENTICATE failed.", "", token(aud="https://outlook.office365.com", roles=["SMTP.SendAsApp"]),
     "scope-missing"),
    (APP, "IMAP", "AUTHENTICATE failed.", "", token(aud="https://outlook.office365.com", roles=["IMAP.AccessAsApp"]),
     "mailbox-closed"),
    (GOOGLE, "IMAP", "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
     '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}', "opaque", "token-refused"),
    (GOOGLE, "IMAP", "[ALERT] Your account is not enabled for IMAP use. Please visit your account settings page",
     "", "opaque", "imap-off-mailbox"),
    (GOOGLE, "IMAP", "[ALERT] IMAP access is disabled for your domain. Please contact your domain administrator",
     "", "opaque", "imap-off-tenant"),
    (GOOGLE, "IMAP", "[WEBALERT https://accounts.google.com/] Web login required.", "", "opaque", "sign-in-again"),
    (CUSTOM, "IMAP", "[AUTHENTICATIONFAILED] Authentication failed.", '{"status":"invalid_token"}', "x",
     "token-refused"),
    (CUSTOM, "SMTP", "535 5.7.8 no", '{"status":"insufficient_scope","scope":"mail"}', "opaque", "scope-missing"),
    (CUSTOM, "SMTP", "535 5.7.8 no such user here", "", "opaque", "mailbox-unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "protocol", "words", "challenge", "access_token", "code"), SERVERS, ids=[s[5] + s[1] for s in SERVERS]
)
def test_what_mail_servers_refuse(
    case: Case, protocol: Any, words: str, challenge: str, access_token: str, code: str
) -> None:
    assert of_mail_server(case, protocol, words, challenge, access_token).code == code


def test_a_refusal_after_a_cut_short_rotation_says_so() -> None:
    assert of_provider(CUSTOM, "invalid_grant", "", cut_short=True).code == "rotation-lost"
    assert of_provider(CUSTOM, "invalid_client", "", cut_short=True).code == "secret-wrong"


@pytest.mark.parametrize("case", [CASE, GOOGLE, SERVICE, APP, CUSTOM], ids=lambda case: f"{case.provider}-{case.flow}")
@pytest.mark.parametrize("protocol", ["IMAP", "SMTP"])
def test_every_refusal_has_a_sentence_and_what_mends_it(case: Case, protocol: Any) -> None:
    for code, (text, remedy) in _sentences(case, protocol).items():
        assert 10 < len(text) < 200, code
        assert 10 < len(remedy) < 220, code
        assert not text.endswith("."), code


def test_a_provider_s_own_words_do_not_come_through() -> None:
    refusal = of_provider(CUSTOM, "\x1b[31mevil\nline", "a token: secret-7")
    assert refusal == Refusal("refused", refusal.text, refusal.remedy)
    assert "evil" not in refusal.text
    assert "secret-7" not in refusal.text + refusal.remedy


@pytest.mark.parametrize("nonsense", ["", "a.b", "a.!!!.c", "a.bnVsbA.c", "." * 3, "a." + "W" * 17_000 + ".c", "ü.ü.ü"])
def test_a_token_that_tells_nothing_tells_nothing(nonsense: str) -> None:
    assert claims_of(nonsense) == {}


def test_each_provider_has_its_servers_and_scopes_for_each_flow() -> None:
    for name, provider in PROVIDERS.items():
        if name != "custom":
            assert provider.imap and provider.smtp and provider.scopes
            assert set(provider.scopes) == set(provider.flows)
