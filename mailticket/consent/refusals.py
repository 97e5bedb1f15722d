"""Why a sign-in by OAuth2 is refused: from the words of a provider or a mail server to a code, a sentence and a remedy.

Sources: RFC 6749 section 5.2, RFC 8628 section 3.5 and RFC 7628 section 3.2.2 for the codes of the standard;
learn.microsoft.com, "Microsoft Entra authentication and authorization error codes" for AADSTS numbers;
developers.google.com, "Using OAuth 2.0 to Access Google APIs" for Google's. What Exchange and Gmail say over IMAP and
SMTP is what they are seen to say; they promise no wording, so words decide only where no code is given.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mailticket.consent.providers import PROVIDERS, Flow, ProviderName

STALE: Final = frozenset(("token-refused", "mailbox-closed", "scope-missing", "wrong-audience"))
"""Refusals by a mail server that a fresh token may end; Exchange says of an expired one what it says of everything."""

Protocol = Literal["IMAP", "SMTP"]

_LONGEST_TOKEN = 16_384  # characters of a token into which we look


@dataclass(frozen=True, slots=True)
class Refusal:
    """code: decides. text, remedy: a sentence each for a person. passes: whether it may pass by itself."""

    code: str
    text: str
    remedy: str
    passes: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Who is refused. name: as the commands name the sign-in: a mailbox's name, smtp, or smtp and a brand's name.

    account: who consented.
    """

    name: str
    provider: ProviderName
    flow: Flow
    username: str = ""
    account: str = ""
    client_id: str = ""

    @property
    def title(self) -> str:
        return PROVIDERS[self.provider].title

    @property
    def login(self) -> str:
        return f"mailticket oauth2 login {self.name}"


_ENTRA_APP = "entra.microsoft.com, App registrations, the application"
_EXCHANGE_MAILBOX = "admin.microsoft.com, Users, Active users, the mailbox, Mail, Manage email apps"
_GOOGLE_CLIENT = "console.cloud.google.com, APIs & Services, Credentials"
_DELEGATION = "admin.google.com, Security, Access and data control, API controls, Domain-wide delegation"
_TENANT_SMTP = "admin.exchange.microsoft.com, Settings, Mail flow: clear `Turn off SMTP AUTH protocol`"

# AADSTS numbers by what they come to. A number that is in none of these is told by the standard's code.
_AADSTS: Final[Mapping[str, frozenset[int]]] = {
    "consent-expired": frozenset({70008, 700082, 700084, 70043, 50078, 50089, 50132, 50133, 50173}),
    "sign-in-again": frozenset({50072, 50074, 50076, 50079, 50158, 16000}),
    "consent-missing": frozenset({65001, 65004, 90094, 50105}),
    "blocked-by-policy": frozenset({53000, 53001, 53002, 53003, 53004, 530003, 530031, 530032, 530034}),
    "account-unknown": frozenset({50034, 50020, 51004}),
    "account-disabled": frozenset({50053, 50055, 50057}),
    "client-unknown": frozenset({700016, 700011, 7000112}),
    "secret-wrong": frozenset({7000215}),
    "secret-expired": frozenset({7000222}),
    "secret-missing": frozenset({7000218}),
    "secret-unwanted": frozenset({700025}),
    "tenant-unknown": frozenset({90002, 900023}),
    "wrong-audience": frozenset({70011, 500011, 650053, 1002012}),
    "redirect-unknown": frozenset({50011}),
    "provider-busy": frozenset({90006, 90010, 90014, 90033, 90055, 50196, 90015, 90025}),
}
_BY_NUMBER: Final = {number: code for code, numbers in _AADSTS.items() for number in numbers}

# The standard's words and Google's own.
_ERRORS: Final[Mapping[str, str]] = {
    "invalid_grant": "consent-gone",
    "invalid_client": "secret-wrong",
    "deleted_client": "client-unknown",
    "disabled_client": "client-unknown",
    "unauthorized_client": "not-authorised",
    "invalid_scope": "wrong-audience",
    "access_denied": "denied",
    "authorization_declined": "denied",
    "admin_policy_enforced": "blocked-by-policy",
    "org_internal": "blocked-by-policy",
    "invalid_rapt": "sign-in-again",
    "interaction_required": "sign-in-again",
    "consent_required": "consent-missing",
    "redirect_uri_mismatch": "redirect-unknown",
    "expired_token": "code-expired",
    "temporarily_unavailable": "provider-busy",
    "server_error": "provider-busy",
    "rate_limit_exceeded": "provider-busy",
}
# What Google writes beside `invalid_grant`, which it gives for everything.
_GOOGLE_GRANT = (
    (re.compile(r"expired or revoked", re.I), "consent-expired"),
    (re.compile(r"reasonable timeframe|iat|exp\b|short-lived|clock", re.I), "clock"),
    (re.compile(r"invalid jwt signature|no valid verifier", re.I), "key-wrong"),
    (re.compile(r"invalid email|user id|account not found|not a valid email", re.I), "account-unknown"),
    (re.compile(r"account.*(disabled|deleted|suspended)", re.I), "account-disabled"),
)


def of_provider(case: Case, error: str, description: str, *, cut_short: bool = False) -> Refusal:
    """What the token endpoint refused. error, description: of its JSON (RFC 6749 section 5.2).

    cut_short: the last use of this refresh token was stopped before what came of it was written down.
    """
    number = re.search(r"\bAADSTS(\d{4,8})\b", description)
    code = _BY_NUMBER.get(int(number[1]), "") if number else ""
    if not code and error == "invalid_grant":
        code = next((code for pattern, code in _GOOGLE_GRANT if pattern.search(description)), "")
    code = code or _ERRORS.get(error, "refused")
    if cut_short and code in ("consent-gone", "consent-expired"):
        code = "rotation-lost"
    if code == "not-authorised" and case.flow == "service-account":
        code = "delegation-missing"
    sign = number[0] if number else error
    return _made(case, code, f" ({sign})" if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", sign) else "")


def provider_down(case: Case, why: str) -> Refusal:
    """The provider cannot be asked: nothing is refused, and mail waits."""
    return Refusal("provider-down", f"{case.title} gives no tokens just now: {why}",
                   "wait: it is asked again by itself, and mail waits meanwhile", passes=True)  # fmt: skip


def never_signed_in(case: Case) -> Refusal:
    return Refusal("no-consent", f"nobody has consented yet that mailticket reads the mail of {case.username}",
                   case.login)  # fmt: skip


def other_key(case: Case, place: str) -> Refusal:
    """The refresh token was encrypted with another key than the one we have."""
    text = f"the refresh token was kept with another key than the one in {place}"
    return Refusal("other-key", text, f"put the former key back, or: {case.login}")


def of_mail_server(case: Case, protocol: Protocol, words: str, challenge: str = "", token: str = "") -> Refusal:
    """Why a mail server did not take a token.

    words: its response. challenge: the JSON that it sent before it (RFC 7628 section 3.2.2). token: the access token;
    what it says of itself, where it can be read, tells a wrong token from a server that is switched off.
    """
    code = _said_by(words) or _said_by_challenge(challenge)
    if code in ("", "token-refused"):
        code = _said_by_token(case, protocol, claims_of(token)) or code
    if not code:
        code = "mailbox-closed" if case.provider == "microsoft365" else "token-refused"
    return _made(case, code, "", protocol)


_WORDS: Final = (
    (r"SmtpClientAuthentication is disabled for the Tenant", "smtp-off-tenant"),
    (r"SmtpClientAuthentication is disabled for the Mailbox", "smtp-off-mailbox"),
    (r"security defaults policy|blocked by.*conditional access|5\.7\.139.*policy", "blocked-by-policy"),
    (r"not enabled for IMAP use", "imap-off-mailbox"),
    (r"IMAP access is disabled for your domain", "imap-off-tenant"),
    (r"web login required|log in through your web browser|application-specific password", "sign-in-again"),
    (r"authenticated but not connected|mailbox logon failure|MapiExceptionLogonFailed", "mailbox-closed"),
    (r"MailboxInTransit|MailboxOffline|temporar|try again|too many|throttl|\[UNAVAILABLE\]", "server-busy"),
    (r"no such user|mailbox unavailable|user unknown|\bunknown user", "mailbox-unknown"),
)


def _said_by(words: str) -> str:
    return next((code for pattern, code in _WORDS if re.search(pattern, words, re.I)), "")


def _said_by_challenge(challenge: str) -> str:
    try:
        status = str(json.loads(challenge)["status"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return {"insufficient_scope": "scope-missing"}.get(status, "token-refused")


def claims_of(token: str) -> Mapping[str, Any]:
    """What an access token says of itself, where it is a JWT; nothing that is trusted, and empty for any other."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


_MAIL_AUDIENCE = re.compile(
    r"^(https://(partner\.)?outlook\.(office|office365|cn)\.|00000002-0000-0ff1-ce00-000000000000)", re.I
)


def _said_by_token(case: Case, protocol: Protocol, claims: Mapping[str, Any]) -> str:
    """Exchange says the same of everything; its tokens tell what they are good for."""
    if case.provider != "microsoft365" or not claims:
        return ""
    audience = str(claims.get("aud", ""))
    if not _MAIL_AUDIENCE.search(audience):
        return "wrong-audience"
    roles = claims.get("roles")
    rights = [*str(claims.get("scp", "")).split(), *(roles if isinstance(roles, list) else [])]
    wanted = {
        ("IMAP", True): "IMAP.AccessAsApp", ("IMAP", False): "IMAP.AccessAsUser.All",
        ("SMTP", True): "SMTP.SendAsApp", ("SMTP", False): "SMTP.Send",
    }[protocol, case.flow == "client-credentials"]  # fmt: skip
    return "" if wanted in rights else "scope-missing"


def _made(case: Case, code: str, sign: str, protocol: Protocol = "IMAP") -> Refusal:
    text, remedy = _sentences(case, protocol)[code]
    return Refusal(code, f"{text}{sign}", remedy, code in ("provider-busy", "server-busy"))


def _sentences(case: Case, protocol: Protocol) -> dict[str, tuple[str, str]]:
    return {**_of_consent(case), **_of_application(case), **_of_server(case, protocol)}


def _of_consent(case: Case) -> dict[str, tuple[str, str]]:
    who, whom = case.title, case.account or case.username
    again = case.login
    if case.flow not in ("device", "code"):
        again = f"mailticket oauth2 login {case.name} (tries it out); an administrator of {who} has to allow it"
    return {
        "consent-expired": (f"the consent of {whom} has expired or was taken back at {who}", again),
        "consent-gone": (f"{who} does not know the consent of {whom} any more: it expired, was taken back, or its "
                         "token was used elsewhere (an older backup, a second installation)", again),
        "rotation-lost": (f"{who} takes each refresh token once, and mailticket was stopped between its answer and "
                          "writing the new one down", again),
        "sign-in-again": (f"{who} wants {whom} to sign in again, with the second factor", again),
        "consent-missing": (f"the application may not read this mail: {whom} or an administrator has not consented",
                            f"{_ENTRA_APP}, API permissions, Grant admin consent; then: {again}"),
        "denied": (f"the consent was refused at {who}", again),
        "code-expired": ("the code was not entered in time", again),
        "blocked-by-policy": _policy(case),
        "account-unknown": (f"{who} knows no account {whom}", "correct username (or account) and tenant"),
        "account-disabled": (f"the account {whom} is switched off, locked or its password has expired at {who}",
                             f"have it unlocked at {who}; then: {again}"),
        "clock": ("the clock of this machine is wrong, so the signed request was refused",
                  "timedatectl set-ntp true"),
        "refused": (f"{who} refused without a reason that is known here", again),
        "provider-busy": (f"{who} is busy", "wait: it is asked again by itself"),
    }  # fmt: skip


def _policy(case: Case) -> tuple[str, str]:
    if case.provider == "google":
        return ("a rule of the organisation at Google keeps the application out",
                "admin.google.com, Security, Access and data control, API controls, Manage app access: trust the "
                f"client {case.client_id}")  # fmt: skip
    if case.provider == "microsoft365":
        return ("a rule of the organisation (Conditional Access or security defaults) keeps the application out",
                "entra.microsoft.com, Protection, Conditional Access, Policies: except this application")  # fmt: skip
    return "a rule of the provider keeps the application out", "ask the provider's administrator"


def _of_application(case: Case) -> dict[str, tuple[str, str]]:
    who, app = case.title, {"microsoft365": _ENTRA_APP, "google": _GOOGLE_CLIENT}.get(case.provider, "the provider")
    secrets = f"{app}, Certificates & secrets" if case.provider == "microsoft365" else app
    return {
        "client-unknown": (f"{who} knows no application {case.client_id}, or it is switched off",
                           f"correct client_id and tenant; it stands at {app}"),
        "secret-wrong": (f"{who} refused the application or its client secret",
                         f"copy the secret's value (not its ID) anew: {secrets}"),
        "secret-expired": ("the client secret has expired",
                           f"make a new one: {secrets}; write it in place of the old, and its end into secret_expires"),
        "secret-missing": ("the application counts as one with a secret, and none is configured",
                           f"{_ENTRA_APP}, Authentication: Allow public client flows = Yes; or set client_secret_file"),
        "secret-unwanted": ("the application is a public client, which has no secret", "remove client_secret"),
        "tenant-unknown": (f"{who} knows no such organisation", f"correct tenant; it stands at {app}, Overview"),
        "not-authorised": ("the application may not use this flow", f"{app}: allow it, or set another flow"),
        "delegation-missing": ("the service account may not act for the mailbox",
                               f"{_DELEGATION}: add its client ID with the scope https://mail.google.com/"),
        "key-wrong": ("the key of the service account is not one that Google knows",
                      "console.cloud.google.com, IAM & Admin, Service Accounts, Keys: make a new one"),
        "wrong-audience": (f"the token is for something else than mail at {who}",
                           "remove scopes from the configuration, or correct them; then: " + case.login),
        "redirect-unknown": ("the application does not know the redirect address",
                             f"{app}: add http://localhost as a redirect of a mobile and desktop application"),
    }  # fmt: skip


def _of_server(case: Case, protocol: Protocol) -> dict[str, tuple[str, str]]:
    who, box = case.title, case.username
    rights = {
        ("microsoft365", "client-credentials"): (
            f"{_ENTRA_APP}, API permissions, Office 365 Exchange Online, Application: "
            f"{'IMAP.AccessAsApp' if protocol == 'IMAP' else 'SMTP.SendAsApp'}, Grant admin consent"
        ),
        ("google", "service-account"): f"{_DELEGATION}: https://mail.google.com/",
    }.get((case.provider, case.flow), f"remove scopes from the configuration; then: {case.login}")
    return {
        "token-refused": (f"the {protocol} server does not take the token of {box}",
                          f"is username the mailbox of who consented? {case.login}"),
        "scope-missing": (f"the token does not allow {protocol}", rights),
        "imap-off-mailbox": (f"IMAP is switched off for {box}", _imap_on(case)),
        "imap-off-tenant": ("IMAP is switched off for the organisation",
                            "admin.google.com, Apps, Google Workspace, Gmail, End User Access: enable IMAP"),
        "smtp-off-tenant": ("SMTP AUTH is switched off for the organisation", _TENANT_SMTP),
        "smtp-off-mailbox": (f"SMTP AUTH is switched off for {box}",
                             f"{_EXCHANGE_MAILBOX}: tick Authenticated SMTP"),
        "mailbox-closed": _closed(case, protocol),
        "mailbox-unknown": (f"{who} knows no mailbox {box}", "correct username"),
        "server-busy": (f"the {protocol} server is busy", "wait: it is asked again by itself"),
    }  # fmt: skip


def _imap_on(case: Case) -> str:
    if case.provider == "google":
        return "mail.google.com, Settings, Forwarding and POP/IMAP: Enable IMAP"
    return f"{_EXCHANGE_MAILBOX}: tick IMAP"


def _closed(case: Case, protocol: Protocol) -> tuple[str, str]:
    """Exchange took the token for good, or says nothing of it, and does not open this mailbox."""
    switch = "IMAP" if protocol == "IMAP" else "Authenticated SMTP"
    if case.flow == "client-credentials":
        grant = f"Exchange PowerShell: New-ServicePrincipal, then Add-MailboxPermission -Identity {case.username}"
    else:
        grant = f"or {case.account or case.username} may not open it"
    text = (
        f"Exchange does not open {case.username}: {switch} is off for it, it does not exist, or we have no right to it"
    )
    return text, f"{_EXCHANGE_MAILBOX}: tick {switch}; {grant}"
