"""An authorisation server on loopback: every flow, rotation that takes each refresh token once, and faults on demand.

PKCE, states and signed requests are really checked, the latter two by authlib. It stands in for Microsoft 365, Google
and any other provider; what those do beyond the standards is their own words in `refuse`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwk, jwt

from tests.servers.machine import PATIENCE, free_port

CLIENT_ID, CLIENT_SECRET = "mailticket-test", "client-secret-of-the-test"
USER = "support@example.com"


@dataclass
class _Grant:
    """A consent: its refresh tokens, the newest last, and until when it holds."""

    user: str
    scope: str
    refresh_tokens: list[str] = field(default_factory=list)
    revoked: bool = False


class AuthorisationServer:
    """In a thread of its own. Public attributes say how it behaves; `requests` holds every form that came, in order."""

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[dict[str, str]] = []
        self.lifetime = 3600
        self.rotates = True  # and takes each refresh token once; an old one revokes the whole consent
        self.refresh_lifetime: int | None = None
        self.clock_offset = 0.0  # seconds by which its clock is ahead of ours
        self.pending_polls = 1  # times that a device code is not yet entered
        self.secret: str | None = None  # of the client; None: a public client
        self.key: Any = None  # the public key of the service account
        self.delay = threading.Event()  # while set, token requests wait for `go`
        self.go = threading.Event()
        self._refusals: list[tuple[int, bytes]] = []
        self._always: tuple[int, bytes] | None = None
        self._grants: list[_Grant] = []
        self._access: dict[str, tuple[str, float, _Grant | None]] = {}
        self._codes: dict[str, tuple[str, str, str]] = {}  # code -> (challenge, redirect, user)
        self._devices: dict[str, int] = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._server: ThreadingHTTPServer | None = None
        self.start()

    # --- addresses ----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a sign-in with this provider has in the configuration."""
        return {
            "auth": "oauth2", "provider": "custom", "client_id": CLIENT_ID, "username": USER,
            "authorize_url": f"{self.url}/authorize", "token_url": f"{self.url}/token",
            "device_url": f"{self.url}/device", "scopes": ["mail", "offline_access"], **more,
        }  # fmt: skip

    # --- what a test does ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="authorisation", daemon=True).start()

    def stop(self) -> None:
        """Refuse connections until `start`; what was given stays known."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def refuse(self, error: str, description: str = "", status: int = 400, *, always: bool = False) -> None:
        """Answer the next token request, or all of them, with this error in place of a token."""
        self.answer(status, json.dumps({"error": error, "error_description": description}).encode(), always=always)

    def answer(self, status: int, body: bytes, *, always: bool = False) -> None:
        """Answer the next token request, or all of them, with these bytes."""
        with self._lock:
            if always:
                self._always = (status, body)
            else:
                self._refusals.append((status, body))

    def relent(self) -> None:
        with self._lock:
            self._always = None
            self._refusals.clear()

    def revoke(self) -> None:
        """Take every consent back, with all tokens that came of it."""
        with self._lock:
            for grant in self._grants:
                grant.revoked = True
            self._access.clear()

    def expire_access_tokens(self) -> None:
        """Let every access token be invalid from now on; consents stay good."""
        with self._lock:
            self._access.clear()

    def consent(self, user: str = USER) -> str:
        """A consent that was given elsewhere: its refresh token."""
        with self._lock:
            grant = _Grant(user, "mail offline_access", [secrets.token_urlsafe(24)])
            self._grants.append(grant)
            return grant.refresh_tokens[-1]

    def newest_refresh_token(self) -> str:
        with self._lock:
            return self._grants[-1].refresh_tokens[-1]

    def everything_secret(self) -> list[str]:
        """Every token that was given or presented."""
        with self._lock:
            tokens = [token for grant in self._grants for token in grant.refresh_tokens]
            return [
                *tokens,
                *self._access,
                *(form["refresh_token"] for form in self.requests if "refresh_token" in form),
            ]

    def is_good(self, token: str) -> str:
        """Whose an access token is, "" for one that is not valid."""
        with self._lock:
            user, until, grant = self._access.get(token, ("", 0.0, None))
            return user if until > time.monotonic() and not (grant and grant.revoked) else ""

    def browse(self, address: str, user: str = USER) -> str:
        """What a person does in a browser: open, consent, and copy the address to which it leads."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = (query["code_challenge"], query["redirect_uri"], user)
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def wait_for_requests(self, count: int) -> list[dict[str, str]]:
        with self._changed:
            met = self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)
            assert met, f"{len(self.requests)} token requests came, {count} were awaited"
            return list(self.requests)

    # --- what a client does -------------------------------------------------------------------------------------------

    def handle(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        if path == "/introspect":
            user = self.is_good(form.get("token", ""))
            return 200, json.dumps({"active": bool(user), "username": user, "scope": "mail"}).encode()
        if path == "/device":
            return self._device()
        with self._changed:
            self.requests.append(form)
            self._changed.notify_all()
        if self.delay.is_set():
            self.go.wait(PATIENCE)
        with self._lock:
            if self._refusals:
                return self._refusals.pop(0)
            if self._always is not None:
                return self._always
            if self.secret is not None and not self._knows(form, authorization):
                return _error("invalid_client", status=401)
            return self._token(form)

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        basic = base64.b64encode(f"{CLIENT_ID}:{self.secret}".encode()).decode()
        by_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, self.secret)
        return by_form or authorization == f"Basic {basic}"

    def _device(self) -> tuple[int, bytes]:
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._devices[code] = self.pending_polls
        values = {"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": f"{self.url}/enter",
                  "expires_in": 900, "interval": 1}  # fmt: skip
        return 200, json.dumps(values).encode()

    def _token(self, form: dict[str, str]) -> tuple[int, bytes]:
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form["refresh_token"])
            case "authorization_code":
                return self._by_code(form)
            case "urn:ietf:params:oauth:grant-type:device_code":
                return self._by_device(form["device_code"])
            case "client_credentials":
                return self._issue(USER, None)
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return self._by_assertion(form["assertion"])
        return _error("unsupported_grant_type")

    def _refresh(self, token: str) -> tuple[int, bytes]:
        grant = next((grant for grant in self._grants if token in grant.refresh_tokens), None)
        if grant is None or grant.revoked:
            return _error("invalid_grant")
        if token != grant.refresh_tokens[-1]:
            grant.revoked = True  # an old one was stolen or lost: RFC 9700 section 4.14.2
            return _error("invalid_grant", "reuse")
        if self.rotates:
            grant.refresh_tokens.append(secrets.token_urlsafe(24))
        return self._issue(grant.user, grant, with_refresh=self.rotates)

    def _by_code(self, form: dict[str, str]) -> tuple[int, bytes]:
        challenge, redirect, user = self._codes.pop(form["code"], ("", "", ""))
        if not challenge or form["redirect_uri"] != redirect:
            return _error("invalid_grant")
        if create_s256_code_challenge(form.get("code_verifier", "")) != challenge:
            return _error("invalid_grant", "PKCE")
        return self._first(user)

    def _by_device(self, code: str) -> tuple[int, bytes]:
        left = self._devices.get(code)
        if left is None:
            return _error("expired_token")
        if left:
            self._devices[code] = left - 1
            return _error("authorization_pending")
        del self._devices[code]
        return self._first(USER)

    def _by_assertion(self, assertion: str) -> tuple[int, bytes]:
        claims = jwt.decode(assertion, jwk.import_key(self.key, "RSA"), algorithms=["RS256"]).claims
        now = time.time() + self.clock_offset
        if not (claims["iat"] - 60 <= now <= claims["exp"]):
            words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."  # noqa: E501
            return _error("invalid_grant", words)
        if claims["aud"] != f"{self.url}/token" or "sub" not in claims:
            return _error("invalid_grant")
        return self._issue(claims["sub"], None)

    def _first(self, user: str) -> tuple[int, bytes]:
        grant = _Grant(user, "mail", [secrets.token_urlsafe(24)])
        self._grants.append(grant)
        return self._issue(user, grant, with_refresh=True)

    def _issue(self, user: str, grant: _Grant | None, *, with_refresh: bool = False) -> tuple[int, bytes]:
        token = secrets.token_urlsafe(24)
        self._access[token] = (user, time.monotonic() + self.lifetime, grant)
        values: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        if with_refresh and grant is not None:
            values["refresh_token"] = grant.refresh_tokens[-1]
        if self.refresh_lifetime is not None:
            values["refresh_expires_in"] = self.refresh_lifetime
        return 200, json.dumps(values).encode()


def _error(error: str, description: str = "", status: int = 400) -> tuple[int, bytes]:
    return status, json.dumps({"error": error, "error_description": description}).encode()


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[AuthorisationServer]
    timeout = 30

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        status, body = self.owner.handle(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
        with contextlib.suppress(ConnectionError):
            self.send_response_only(status)
            self.send_header("Date", formatdate(time.time() + self.owner.clock_offset, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def authorisation_server() -> Iterator[AuthorisationServer]:
    server = AuthorisationServer()
    try:
        yield server
    finally:
        server.go.set()
        server.stop()
