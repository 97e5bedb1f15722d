"""A week before a consent or a secret ends it is a trouble for `status`, `check`, metrics and the alert; not before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mailticket.cli.metrics import exposition
from mailticket.cli.status import _print_consent
from mailticket.letters import Trouble
from mailticket.oauth2 import seal
from mailticket.oauth2.account import account_of
from mailticket.oauth2.state import ending
from mailticket.settings import Settings
from mailticket.store import oauth2
from mailticket.store.engine import Database
from mailticket.upkeep.account import own_account
from mailticket.upkeep.alerts import Alerts
from mailticket.upkeep.readiness import readiness
from mailticket.upkeep.state import state
from mailticket.upkeep.troubles import LEAST_DISK
from tests.helpdesk import OpenDesk, parsed
from tests.oauth2.conftest import MakeSettings, box, consent, tokens_of
from tests.servers.authorisation import AuthorisationServer

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def endings(database: Database, settings: Settings, now: datetime) -> list[Trouble]:
    with database.read() as session:
        return list(ending(session, settings, now))


@pytest.mark.parametrize(
    ("key", "words", "remedy"),
    [("secret_expires", "the client secret for box0", "secret_expires"),
     ("consent_expires", "the consent of support@example.com for box0", "mailticket oauth2 login box0")],
)  # fmt: skip
def test_a_date_of_the_configuration_is_a_trouble_a_week_before(
    database: Database, settings_of: MakeSettings, key: str, words: str, remedy: str
) -> None:
    settings = settings_of(**{key: date(2027, 1, 31)})
    end = datetime(2027, 1, 31, tzinfo=UTC)
    assert endings(database, settings, end - 7 * DAY - timedelta(minutes=1)) == []
    (trouble,) = endings(database, settings, end - 7 * DAY)
    assert trouble.since == end - 7 * DAY
    assert f"{words} ends on 2027-01-31" in trouble.text
    assert remedy in trouble.remedy
    assert "ended on 2027-01-31" in endings(database, settings, end + DAY)[0].text


def use(database: Database, settings: Settings, at: datetime) -> None:
    tokens_of(database, clock=lambda: at).token(settings, box(settings))


def test_an_end_that_nothing_puts_off_is_warned_of(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    """As of an application of Google that is in testing, or a session of Keycloak with a longest life."""
    consent(database, settings, provider, refresh_lifetime=6 * 86_400.0)
    assert endings(database, settings, NOW) == []  # whether it grows is not known yet
    provider.refresh_lifetime = 5 * 86_400
    use(database, settings, NOW + DAY)
    (trouble,) = endings(database, settings, NOW + DAY)
    assert trouble.remedy == "mailticket oauth2 login box0"


def test_an_end_that_each_use_puts_off_is_warned_of_by_nobody_until_it_has_come(
    database: Database, settings: Settings, provider: AuthorisationServer
) -> None:
    consent(database, settings, provider, refresh_lifetime=1800.0)
    provider.refresh_lifetime = 1800
    use(database, settings, NOW + timedelta(minutes=20))
    assert endings(database, settings, NOW + timedelta(minutes=49)) == []
    assert len(endings(database, settings, NOW + timedelta(minutes=51))) == 1


def test_a_token_of_microsoft_that_nobody_used_for_90_days_has_ended(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer
) -> None:
    settings = settings_of(provider="microsoft365")
    consent(database, settings, provider)
    assert endings(database, settings, NOW + 89 * DAY) == []
    assert len(endings(database, settings, NOW + 91 * DAY)) == 1


def test_status_and_metrics_show_ages_ends_and_refusals(
    database: Database, settings_of: MakeSettings, provider: AuthorisationServer
) -> None:
    settings = settings_of(smtp=provider.settings(), secret_expires=date(2027, 1, 31))
    consent(database, settings, provider)
    with database.write() as session:
        name = account_of(box(settings)).name
        oauth2.refused(session, name, 1, NOW, "consent-gone", "a sentence", "a remedy")
    face: dict[str, Any] = state(settings, database, NOW)
    (shown,) = face["oauth2"]
    assert shown["sign_ins"] == ["box0", "smtp"]
    assert (shown["refusal"], shown["refusal_text"], shown["remedy"]) == ("consent-gone", "a sentence", "a remedy")
    assert shown["secret_ends_at"] == "2027-01-31T00:00:00+00:00"
    text = exposition(face)
    assert 'mailticket_oauth2_refused{code="consent-gone",sign_in="box0"} 1' in text
    assert 'mailticket_oauth2_refused{code="consent-gone",sign_in="smtp"} 1' in text
    assert 'mailticket_oauth2_secret_ends_timestamp_seconds{sign_in="box0"} 1801353600' in text
    assert 'mailticket_oauth2_renewed_timestamp_seconds{sign_in="box0"}' in text


def test_the_alert_leaves_a_week_before(open_desk: OpenDesk, provider: AuthorisationServer) -> None:
    """While [smtp], which may sign in by what ends, still works."""
    keys = provider.settings(name="box0", host="127.0.0.1", secret_expires=date(2027, 1, 31))
    desk = open_desk(mailbox=[keys], alerts={"to": ["ops@example.net"]})
    desk.now = datetime(2027, 1, 24, 1, tzinfo=UTC)
    Alerts(desk.site, lambda folder: 100 * LEAST_DISK).look(desk.now)
    (alert,) = [row for row in desk.outbox("queued") if row.kind == "alert"]
    text = parsed(alert.wire).get_content()
    assert "the client secret for box0 ends on 2027-01-31" in " ".join(text.split())
    assert "Certificates" not in text  # which is Microsoft's


def test_status_on_a_screen(
    database: Database, settings: Settings, provider: AuthorisationServer, capsys: pytest.CaptureFixture[str]
) -> None:
    consent(database, settings, provider, refresh_lifetime=86_400.0 * 30)
    _print_consent(state(settings, database, NOW)["oauth2"][0], NOW)
    shown = " ".join(capsys.readouterr().out.split())
    assert "oauth2 box0: token renewed" in shown
    assert "the consent ends in 30 d" in shown


def test_a_key_that_everybody_can_read_is_told(
    database: Database, settings: Settings, provider: AuthorisationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folders of tests are closed to others, which the file's own mode then cannot open.
    monkeypatch.setattr("mailticket.upkeep.readiness.open_to_everybody", lambda file: bool(file.stat().st_mode & 4))
    consent(database, settings, provider)
    place = seal.key_place(settings, {})
    assert [f for f in readiness(settings, None, own_account(), deep=False) if f.subject == "oauth2"] == []
    place.chmod(0o644)
    (finding,) = [f for f in readiness(settings, None, own_account(), deep=False) if f.subject == "oauth2"]
    assert finding.level == "wrong"
    assert f"anybody on this machine can read the secret in {place}" in finding.said
    assert finding.remedy == f"chmod 600 {place}"


def test_nothing_is_said_where_nobody_signs_in_by_oauth2(database: Database) -> None:
    settings = Settings.model_validate({"support": {"address": "a@example.com"}, "smtp": {"host": "localhost"}})
    assert endings(database, settings, NOW) == []
    assert state(settings, database, NOW)["oauth2"] == []
