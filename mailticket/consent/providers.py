"""Microsoft 365 and Google as facts: their mail servers, their authorisation servers, and what is asked of them there.

Sources: learn.microsoft.com, "Authenticate an IMAP, POP or SMTP connection using OAuth"; developers.google.com, "OAuth
2.0 Mechanism" of Gmail and "OAuth 2.0 for iOS & Desktop Apps". `custom` is any other, of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ProviderName = Literal["microsoft365", "google", "custom"]
Flow = Literal["device", "code", "client-credentials", "service-account"]
Place = tuple[str, int, Literal["tls", "starttls"]]  # host, port, security

PERSONS: Final[tuple[Flow, ...]] = ("device", "code")  # the flows that need a person's consent, and a refresh token


@dataclass(frozen=True, slots=True)
class Provider:
    """What is known of one.

    flows: those it has for mail, the usual one first. {tenant} stands in addresses for the organisation. unused_days:
    after how many days without use a refresh token dies; each use gives a new one. extra: what the address of the
    consent must say besides, so that there is a refresh token at all.
    """

    title: str
    flows: tuple[Flow, ...]
    imap: Place | None = None
    smtp: Place | None = None
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    scopes: Mapping[Flow, tuple[str, ...]] | None = None
    unused_days: int | None = None
    extra: tuple[tuple[str, str], ...] = ()


_ENTRA = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
_DELEGATED = (
    "https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access"
)  # fmt: skip
_GMAIL = ("https://mail.google.com/",)

PROVIDERS: Final[Mapping[str, Provider]] = {
    "microsoft365": Provider(
        title="Microsoft 365",
        flows=("device", "code", "client-credentials"),
        imap=("outlook.office365.com", 993, "tls"),
        smtp=("smtp.office365.com", 587, "starttls"),
        authorize_url=f"{_ENTRA}/authorize",
        token_url=f"{_ENTRA}/token",
        device_url=f"{_ENTRA}/devicecode",
        scopes={
            "device": _DELEGATED,
            "code": _DELEGATED,
            "client-credentials": ("https://outlook.office365.com/.default",),
        },
        unused_days=90,
    ),
    "google": Provider(
        title="Google",
        flows=("code", "service-account"),
        imap=("imap.gmail.com", 993, "tls"),
        smtp=("smtp.gmail.com", 465, "tls"),
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        scopes={"code": _GMAIL, "service-account": _GMAIL},
        unused_days=180,
        extra=(("access_type", "offline"), ("prompt", "consent")),
    ),
    "custom": Provider(title="the provider", flows=("code", "device", "client-credentials")),
}
