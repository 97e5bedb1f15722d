"""How the consents stand: how old each is, when it or a client secret ends, and what the provider had against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from mailticket.connecting import Server, case_of
from mailticket.consent.refusals import of_provider
from mailticket.letters import Trouble
from mailticket.models import Consent
from mailticket.oauth2.account import Account, account_of, by_consent
from mailticket.settings import Settings
from mailticket.store import Session
from mailticket.store import oauth2 as store

WARNING = timedelta(days=7)  # before an end from which on it counts as a trouble


@dataclass(frozen=True, slots=True)
class End:
    """When something ends, and what mends that. certain: whether it ends whatever is done meanwhile."""

    what: Literal["consent", "secret"]
    at: datetime
    remedy: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """One consent. names: of the sign-ins that share it. row: None while there was none."""

    names: tuple[str, ...]
    account: Account
    row: Consent | None
    ends: tuple[End, ...]

    @property
    def next_end(self) -> End | None:
        """The nearest that comes whatever is done meanwhile."""
        return min((end for end in self.ends if end.certain), key=lambda end: end.at, default=None)


def standings(session: Session, settings: Settings) -> list[Standing]:
    """The consents by which the configured sign-ins work, in the order of the configuration."""
    shared = by_consent(settings)
    rows = {row.name: row for row in store.consents(session)} if shared else {}
    return [
        Standing(tuple(case_of(one).name for one in sign_ins), account_of(sign_ins[0]), rows.get(name),
                 tuple(_ends(sign_ins, rows.get(name))))
        for name, sign_ins in shared.items()
    ]  # fmt: skip


def _ends(sign_ins: Sequence[Server], row: Consent | None) -> Iterator[End]:
    account = account_of(sign_ins[0])
    login = account.case.login
    if secret_ends := [one.secret_expires for one in sign_ins if one.secret_expires]:
        yield End("secret", _midnight(min(secret_ends)), of_provider(account.case, "", "AADSTS7000222").remedy)
    if consent_ends := [one.consent_expires for one in sign_ins if one.consent_expires]:
        yield End("consent", _midnight(min(consent_ends)), login)
    if row is None or not account.needs_person:
        return
    if row.expires_at is not None:
        yield End("consent", row.expires_at, login, certain=row.grows is False)
    elif account.unused_days is not None and row.rotated_at is not None:
        yield End(
            "consent", (row.used_at or row.rotated_at) + timedelta(days=account.unused_days), login, certain=False
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def ending(session: Session, settings: Settings, now: datetime) -> Iterator[Trouble]:
    """Consents and secrets that end within a week, or have. What each use puts off is no trouble while it is used."""
    for standing in standings(session, settings):
        for end in standing.ends:
            if end.at - now > WARNING or not (end.certain or end.at <= now):
                continue
            what = "the client secret" if end.what == "secret" else f"the consent of {standing.account.case.account}"
            verb = "ends" if end.at > now else "ended"
            text = f"{what} for {' and '.join(standing.names)} {verb} on {end.at:%Y-%m-%d}, and the sign-in with it"
            yield Trouble(f"oauth2 {standing.names[0]} {end.what}", text, end.at - WARNING, end.remedy)


def face(standing: Standing) -> dict[str, Any]:
    """In JSON's values; times in ISO 8601. Nothing of a token or a secret."""
    row, case = standing.row, standing.account.case
    ends = {end.what: end.at.isoformat() for end in sorted(standing.ends, key=lambda end: end.at, reverse=True)}
    return {
        "sign_ins": list(standing.names),
        "username": case.username,
        "account": case.account,
        "provider": case.provider,
        "flow": case.flow,
        "consented_at": _moment(row.consented_at if row else None),
        "renewed_at": _moment(row.rotated_at if row else None),
        "used_at": _moment(row.used_at if row else None),
        "consent_ends_at": ends.get("consent"),
        "secret_ends_at": ends.get("secret"),
        "refusal": (row.refusal or None) if row else ("no-consent" if standing.account.needs_person else None),
        "refusal_text": (row.refusal_text or None) if row else None,
        "remedy": (row.refusal_remedy or None) if row else (case.login if standing.account.needs_person else None),
        "refused_at": _moment(row.refused_at if row else None),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
