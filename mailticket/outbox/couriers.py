"""A courier for each submission server that the settings name."""

from __future__ import annotations

from mailticket.oauth2.tokens import Tokens
from mailticket.settings import Settings
from mailticket.smtp import Courier


def couriers_of(settings: Settings, tokens: Tokens) -> dict[str, Courier]:
    """The couriers by account: "" for that of [smtp], a brand's name for its own server."""
    return {name: Courier(smtp, tokens.secret(settings, smtp)) for name, smtp in settings.accounts.items()}
