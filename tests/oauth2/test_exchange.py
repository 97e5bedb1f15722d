"""Each flow against a real authorisation server: PKCE and state are checked, answers are bounded, nothing leaks."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mailticket.errors import ConfigurationError, MailticketError, Refused, SignInRefused
from mailticket.oauth2 import http
from mailticket.oauth2.account import account_of
from mailticket.oauth2.exchange import DeviceCode, Exchange, Issue
from mailticket.oauth2.http import NoResponse
from mailticket.settings import Mailbox
from tests.oauth2.conftest import MakeSettings, box
from tests.servers.authorisation import CLIENT_SECRET, USER, AuthorisationServer


def exchange(mailbox: Mailbox, secret: str = "") -> Exchange:
    return Exchange(account_of(mailbox), secret)


@pytest.fixture
def mailbox(settings_of: MakeSettings) -> Mailbox:
    return box(settings_of())


def test_a_code_comes_back_by_the_address_that_is_pasted(mailbox: Mailbox, provider: AuthorisationServer) -> None:
    ours = exchange(mailbox)
    address, state, verifier = ours.begin_code()
    issue = ours.finish_code(f"  {provider.browse(address)}\n", state, verifier)
    assert provider.is_good(issue.access_token) == USER
    assert issue.refresh_token == provider.newest_refresh_token()
    assert verifier not in address


def test_an_address_of_another_sign_in_is_refused_before_its_code_is_used(
    mailbox: Mailbox, provider: AuthorisationServer
) -> None:
    ours = exchange(mailbox)
    _, state, verifier = ours.begin_code()
    other, _, _ = ours.begin_code()
    with pytest.raises(Refused, match="state differs"):
        ours.finish_code(provider.browse(other), state, verifier)
    with pytest.raises(Refused, match="state differs"):
        ours.finish_code("http://localhost:8765/?code=x", state, verifier)
    with pytest.raises(Refused, match="no code"):
        ours.finish_code(f"http://localhost:8765/?state={state}", state, verifier)
    assert provider.requests == []


def test_a_code_without_its_verifier_is_worth_nothing(mailbox: Mailbox, provider: AuthorisationServer) -> None:
    ours = exchange(mailbox)
    address, state, verifier = ours.begin_code()
    with pytest.raises(SignInRefused):
        ours.finish_code(provider.browse(address), state, f"{verifier[:-1]}-")


def test_a_person_who_says_no_is_told_so(mailbox: Mailbox) -> None:
    ours = exchange(mailbox)
    _, state, verifier = ours.begin_code()
    with pytest.raises(SignInRefused) as refusal:
        ours.finish_code(f"http://localhost:8765/?error=access_denied&state={state}", state, verifier)
    assert refusal.value.code == "denied"


def test_google_is_asked_for_a_refresh_token_in_its_own_way(tmp_path: Path) -> None:
    google = Mailbox.model_validate(
        {"name": "x", "auth": "oauth2", "provider": "google", "client_id": "c", "username": USER}
    )
    address, _, _ = exchange(google).begin_code()
    assert "access_type=offline" in address
    assert "prompt=consent" in address
    assert "scope=https%3A%2F%2Fmail.google.com%2F" in address


def test_a_device_code_is_waited_for(mailbox: Mailbox, provider: AuthorisationServer) -> None:
    ours = exchange(mailbox)
    code = ours.begin_device()
    assert (code.user_code, code.address) == ("WDJB-MJHT", f"{provider.url}/enter")
    assert ours.poll_device(code) == 0.0
    provider.refuse("slow_down")
    assert ours.poll_device(code) == 5.0
    issue = ours.poll_device(code)
    assert isinstance(issue, Issue)
    assert issue.refresh_token == provider.newest_refresh_token()
    with pytest.raises(SignInRefused) as refusal:
        ours.poll_device(DeviceCode("unknown", "", "", 1, 1))
    assert refusal.value.code == "code-expired"


@pytest.mark.parametrize("kind", ["custom", "microsoft365"])
def test_client_credentials_present_the_secret_as_the_provider_wants_it(
    settings_of: MakeSettings, provider: AuthorisationServer, kind: str
) -> None:
    provider.secret = CLIENT_SECRET
    mailbox = box(settings_of(flow="client-credentials", provider=kind, tenant="contoso.example", scopes=["mail"]))
    issue = exchange(mailbox, CLIENT_SECRET).as_application()
    assert provider.is_good(issue.access_token) == USER
    assert issue.refresh_token is None
    assert ("client_secret" in provider.requests[0]) == (kind == "microsoft365")
    with pytest.raises(SignInRefused) as refusal:
        exchange(mailbox, "wrong").as_application()
    assert refusal.value.code == "secret-wrong"


@pytest.fixture
def service_account(tmp_path: Path, provider: AuthorisationServer) -> Iterator[Path]:
    key = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    provider.key = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    file = tmp_path / "service-account.json"
    values = {"client_email": "bot@project.example", "private_key": private, "private_key_id": "7"}
    file.write_text(json.dumps(values))
    yield file


def google_box(settings_of: MakeSettings, file: Path) -> Mailbox:
    return box(settings_of(provider="google", flow="service-account", service_account_file=str(file), client_id=""))


def test_a_service_account_signs_for_the_mailbox(
    settings_of: MakeSettings, provider: AuthorisationServer, service_account: Path
) -> None:
    mailbox = google_box(settings_of, service_account)
    issue = exchange(mailbox).as_service_account(service_account, datetime.now(UTC))
    assert provider.is_good(issue.access_token) == USER


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=-3)])
def test_a_clock_that_is_wrong_is_put_right_by_the_provider_s(
    settings_of: MakeSettings, provider: AuthorisationServer, service_account: Path, ahead: timedelta
) -> None:
    mailbox = google_box(settings_of, service_account)
    issue = exchange(mailbox).as_service_account(service_account, datetime.now(UTC) + ahead)
    assert provider.is_good(issue.access_token) == USER
    assert len(provider.requests) == 2


def test_a_key_that_is_none_is_named_without_its_words(
    settings_of: MakeSettings, service_account: Path, tmp_path: Path
) -> None:
    values = json.loads(service_account.read_text())
    service_account.write_text(json.dumps({**values, "private_key": values["private_key"][:200]}))
    with pytest.raises(MailticketError, match="private_key cannot be used") as trouble:
        exchange(google_box(settings_of, service_account)).as_service_account(service_account, datetime.now(UTC))
    assert values["private_key"][40:60] not in str(trouble.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"access_token": 7}',
        b'{"access_token": ""}',
        b'{"access_token": "x\\u0001auth=Bearer y"}',
        b'{"access_token": "' + b"x" * 20_000 + b'"}',
        b'{"token_type": "Bearer"}',
        b'{"access_token": "x", "refresh_token": ["y"]}',
        b'{"access_token":' + b"[" * 50_000,
        b'{"error": {"a": 1}}',
        b"\xff\xfe",
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_an_answer_that_is_none_is_trouble_of_the_provider(
    mailbox: Mailbox, provider: AuthorisationServer, body: bytes
) -> None:
    provider.answer(200, body)
    with pytest.raises((NoResponse, SignInRefused)):
        exchange(mailbox).refresh("r")


@pytest.mark.parametrize("lifetime", ['"3600"', "3600", '"soon"', "-1", "1e400", "null", "[]"])
def test_a_lifetime_is_read_whatever_it_is(mailbox: Mailbox, provider: AuthorisationServer, lifetime: str) -> None:
    provider.answer(200, f'{{"access_token": "x", "expires_in": {lifetime}}}'.encode())
    assert exchange(mailbox).refresh("r").lifetime == 3600


def test_no_redirect_takes_our_secrets_elsewhere(mailbox: Mailbox, provider: AuthorisationServer) -> None:
    provider.answer(307, b"")
    with pytest.raises(NoResponse, match="HTTP 307"):
        exchange(mailbox).refresh("r")
    assert len(provider.requests) == 1


@pytest.fixture
def endless() -> Iterator[tuple[str, threading.Event]]:
    """A server that sends a byte of its header every now and then, or without end as much as is taken."""
    server = socket.create_server(("127.0.0.1", 0))
    ended, flood = threading.Event(), threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + b"\r\n" * flood.is_set())
                try:
                    while not ended.wait(0 if flood.is_set() else 0.02):
                        line.sendall(b"x" * 65536 if flood.is_set() else b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/token", flood
    ended.set()
    server.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody who waits for a connection
    thread.join()
    server.close()


def test_an_answer_that_drips_is_cut_off(
    settings_of: MakeSettings, endless: tuple[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.3)
    with pytest.raises(NoResponse, match="did not answer in time"):
        exchange(box(settings_of(token_url=endless[0]))).refresh("r")


def test_an_answer_without_end_is_not_read_to_its_end(
    settings_of: MakeSettings, endless: tuple[str, threading.Event]
) -> None:
    endless[1].set()
    with pytest.raises(NoResponse, match="more than 256 kB"):
        exchange(box(settings_of(token_url=endless[0]))).refresh("r")


def test_where_the_library_is_missing_the_command_that_brings_it_is_named(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(ConfigurationError, match=r"needs the package authlib: .*pip install .authlib"):
        exchange(mailbox)


def test_nothing_secret_stands_in_errors_and_logs(
    mailbox: Mailbox, provider: AuthorisationServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token, secret = "the-refresh-token ü%zz", "the-client-secret"
    provider.refuse("invalid_grant", f"the token {token} is void")
    provider.answer(200, token.encode())
    errors = []
    for _ in range(2):
        with pytest.raises(MailticketError) as trouble:
            exchange(mailbox, secret).refresh(token)
        errors.append(f"{trouble.value!r} {trouble.value.__cause__!r} {trouble.value.__dict__}")
    told = caplog.text + "".join(errors)
    assert "the-refresh-token" not in told
    assert secret not in told
    assert "the-access" not in repr(Issue("the-access", 1.0, "the-refresh-token"))
    assert "the-refresh-token" not in repr(Issue("the-access", 1.0, "the-refresh-token"))
