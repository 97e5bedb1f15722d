"""Whose consent a sign-in works by, and where it is given: from the settings, with what is known of the provider."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailticket import connecting
from mailticket.connecting import Server
from mailticket.consent.providers import PERSONS, PROVIDERS, Flow
from mailticket.consent.refusals import Case
from mailticket.settings import Settings

_ANY_TENANT = "organizations"


@dataclass(frozen=True, slots=True)
class Account:
    """One consent. name: by which it is kept; sign-ins of the same name share its tokens. case: for what is said of it.

    extra: what the address of the consent says besides. unused_days: see `providers.Provider`.
    """

    name: str
    case: Case
    authorize_url: str
    token_url: str
    device_url: str
    redirect_url: str
    scopes: tuple[str, ...]
    extra: tuple[tuple[str, str], ...]
    unused_days: int | None

    @property
    def flow(self) -> Flow:
        return self.case.flow

    @property
    def needs_person(self) -> bool:
        """Whether a person consents, and a refresh token is kept."""
        return self.flow in PERSONS


def account_of(sign_in: Server) -> Account:
    """The consent of a sign-in that has `auth = "oauth2"`."""
    provider = PROVIDERS[sign_in.provider or "custom"]
    flow = sign_in.oauth2_flow
    tenant = sign_in.tenant or _ANY_TENANT
    token_url = sign_in.token_url or provider.token_url.replace("{tenant}", tenant)
    whom = sign_in.account or sign_in.username
    application = str(sign_in.service_account_file) if flow == "service-account" else sign_in.client_id
    parts = [token_url, application, "application" if flow == "client-credentials" else whom.lower(), *sign_in.scopes]
    return Account(
        name=" ".join(parts),
        case=connecting.case_of(sign_in),
        authorize_url=sign_in.authorize_url or provider.authorize_url.replace("{tenant}", tenant),
        token_url=token_url,
        device_url=sign_in.device_url or provider.device_url.replace("{tenant}", tenant),
        redirect_url=sign_in.redirect_url,
        scopes=sign_in.scopes or (provider.scopes or {}).get(flow, ()),
        extra=provider.extra,
        unused_days=provider.unused_days,
    )


def by_consent(settings: Settings) -> dict[str, list[Server]]:
    """The sign-ins by OAuth2 that are configured, by the name of their consent, mailboxes first."""
    shared: dict[str, list[Server]] = {}
    for sign_in in oauth2_sign_ins(settings.sign_ins):
        shared.setdefault(account_of(sign_in).name, []).append(sign_in)
    return shared


def oauth2_sign_ins(sign_ins: Iterable[Server]) -> list[Server]:
    return [sign_in for sign_in in sign_ins if sign_in.auth == "oauth2"]
