"""The smallest configurations of the pages are whole: they are read, and what they leave out is the provider's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailticket.config.read import read_settings
from mailticket.consent.refusals import Case, _sentences
from mailticket.errors import ConfigurationError
from mailticket.oauth2.account import account_of
from mailticket.settings import Settings

DOCS = Path(__file__).parent.parent.parent / "docs"
CONFIGURATIONS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("oauth2-*.md"))
    for number, text in enumerate(re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S))
]
FLOWS = {"microsoft365": {"device", "client-credentials"}, "google": {"code", "service-account"}, "custom": {"code"}}


def settings_from(text: str, folder: Path) -> Settings:
    file = folder / "mailticket.toml"
    file.write_text(text, "utf-8")
    return read_settings(file, {})


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_smallest_configuration_is_sound_and_shares_one_consent(text: str, tmp_path: Path) -> None:
    settings = settings_from(text, tmp_path)
    (mailbox,), smtp = settings.mailbox, settings.smtp
    assert (mailbox.security, mailbox.port) == ("tls", 993)
    assert mailbox.host and smtp.host
    if mailbox.auth == "oauth2":
        assert account_of(mailbox).name == account_of(smtp).name
        assert account_of(mailbox).scopes
        assert account_of(mailbox).token_url.startswith("https://")


def test_every_provider_and_flow_has_its_configuration(tmp_path: Path) -> None:
    shown: dict[str, set[str]] = {}
    for configuration in CONFIGURATIONS:
        mailbox = settings_from(str(configuration.values[0]), tmp_path).mailbox[0]
        if mailbox.auth == "oauth2" and mailbox.provider:
            shown.setdefault(mailbox.provider, set()).add(mailbox.oauth2_flow)
    assert shown == FLOWS


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_no_line_of_a_smallest_configuration_can_be_left_out(text: str, tmp_path: Path) -> None:
    """But for those that say what is known anyway to people: when a secret ends, and who consents."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line or line.startswith(("[", "secret_expires", "account", "tenant", "scopes")):
            continue
        rest = "\n".join(lines[:number] + lines[number + 1 :])
        try:
            settings = settings_from(rest, tmp_path)
        except ConfigurationError:
            continue
        assert settings != settings_from(text, tmp_path), line


def test_every_refusal_stands_in_the_table_of_the_page() -> None:
    page = (DOCS / "oauth2-other.md").read_text("utf-8")
    listed = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.M))))
    codes = set(_sentences(Case("x", "custom", "code"), "IMAP")) - {"refused"}
    assert listed == codes | {"no-consent", "other-key", "provider-down"}


def test_the_servers_of_each_provider(tmp_path: Path) -> None:
    by_page = {str(c.id): settings_from(str(c.values[0]), tmp_path) for c in CONFIGURATIONS}
    microsoft, google = by_page["oauth2-microsoft365-0"], by_page["oauth2-google-1"]
    assert (microsoft.mailbox[0].host, microsoft.smtp.host) == ("outlook.office365.com", "smtp.office365.com")
    assert (microsoft.smtp.port, microsoft.smtp.security) == (587, "starttls")
    assert (google.mailbox[0].host, google.smtp.host) == ("imap.gmail.com", "smtp.gmail.com")
    assert (google.smtp.port, google.smtp.security) == (465, "tls")
    assert account_of(microsoft.smtp).token_url == (
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"
    )
