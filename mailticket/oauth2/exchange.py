"""The protocol with an authorisation server, by authlib: each flow's way to tokens, and what a refusal comes to."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mailticket import connecting
from mailticket.consent import refusals
from mailticket.consent.refusals import Refusal
from mailticket.errors import ConfigurationError, Refused, SignInRefused
from mailticket.extras import how_to_install
from mailticket.oauth2.account import Account
from mailticket.oauth2.http import NoResponse, Session, seconds

_USUAL_LIFETIME = (
    3600.0  # of an access token whose response does not say (RFC 6749 section 5.1: expires_in is optional)
)
_LONGEST_LIFETIME = 86_400.0
_ASSERTION_LIFETIME = timedelta(minutes=30)
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_TOKEN = 16_384
_MOST_SECONDS = 1800.0  # that a person may take to enter a device code


class ProviderRefused(SignInRefused):
    """The provider gave nothing, and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text, refusal.code, refusal.remedy)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, repr=False)
class Issue:
    """What a provider gave; never printed. lifetime: seconds from now. refresh_token: a new one, or None."""

    access_token: str
    lifetime: float
    refresh_token: str | None = None
    refresh_lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person is to enter, and where. device_code: what we ask with; every so many seconds, for so long."""

    device_code: str
    user_code: str
    address: str
    interval: float
    lifetime: float


def must_be_installed() -> None:
    """Raises ConfigurationError where the libraries of this room are missing."""
    try:
        import authlib  # noqa: F401
        import cryptography  # noqa: F401
    except ModuleNotFoundError as missing:
        words = f'auth = "oauth2" needs the package {missing.name}: {how_to_install("oauth2")}'
        raise ConfigurationError([words]) from None


class Exchange:
    """Asks one provider for one account. secret: the client's, "" for a public client. ca_file: for a custom provider.

    Every method raises ProviderRefused for a refusal, and NoResponse where there is no sensible answer.
    """

    def __init__(self, account: Account, secret: str, ca_file: Path | None = None) -> None:
        must_be_installed()
        from authlib.oauth2.client import OAuth2Client

        self._account = account
        self._session = Session(connecting.verifying_context(ca_file if account.case.provider == "custom" else None))
        # RFC 6749 section 2.3.1 wants every server to know Basic; the two big ones document the other way.
        by_secret = "client_secret_basic" if account.case.provider == "custom" else "client_secret_post"
        self._client = OAuth2Client(
            self._session,
            client_id=account.case.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method=by_secret if secret else "none",
            scope=" ".join(account.scopes),
            redirect_uri=account.redirect_url,
            code_challenge_method="S256",
        )

    def refresh(self, refresh_token: str, *, cut_short: bool = False) -> Issue:
        """A new access token. cut_short: see `refusals.of_provider`."""
        with self._refusals(cut_short=cut_short):
            token = self._client.refresh_token(self._account.token_url, refresh_token=refresh_token)
        issue = _issue(token)
        is_new = issue.refresh_token != refresh_token  # authlib puts the old one where the provider sent none
        return issue if is_new else Issue(issue.access_token, issue.lifetime, None, issue.refresh_lifetime)

    def as_application(self) -> Issue:
        """Client credentials (RFC 6749 section 4.4)."""
        with self._refusals():
            return _issue(self._client.fetch_token(self._account.token_url, grant_type="client_credentials"))

    def as_service_account(self, file: Path, now: datetime) -> Issue:
        """A signed request for a mailbox of the domain (RFC 7523). A clock of ours that is wrong is put right by the
        provider's: its response says what time it is."""
        try:
            return self._asserted(file, now)
        except ProviderRefused as error:
            its_time = self._session.at
            if (
                error.code not in ("clock", "consent-gone")
                or its_time is None
                or abs((its_time - now).total_seconds()) < 60
            ):
                raise
            return self._asserted(file, its_time)

    def _asserted(self, file: Path, now: datetime) -> Issue:
        from authlib.oauth2.rfc7523 import JWTBearerGrant
        from joserfc.jwk import RSAKey

        key = _service_account(file)
        try:
            signer = RSAKey.import_key(key["private_key"])
            assertion = JWTBearerGrant.sign(
                signer, key["client_email"], self._account.token_url, self._account.case.account,
                issued_at=int(now.timestamp()), expires_at=int((now + _ASSERTION_LIFETIME).timestamp()),
                claims={"scope": " ".join(self._account.scopes)},
                header={"alg": "RS256", "kid": str(key.get("private_key_id", ""))},
            )  # fmt: skip
        except Exception:  # its words could hold the key
            raise ConfigurationError([f"{file}: its private_key cannot be used; make a new one at Google"]) from None
        with self._refusals():
            token = self._client.fetch_token(
                self._account.token_url, grant_type=_JWT_GRANT, assertion=assertion, scope=""
            )
        return _issue(token)

    def begin_code(self) -> tuple[str, str, str]:
        """The address that a person opens, its state, and the verifier that shows that the code comes back to us
        (RFC 7636)."""
        from authlib.common.security import generate_token

        verifier = generate_token(64)
        hint = {"login_hint": self._account.case.account}
        address, state = self._client.create_authorization_url(
            self._account.authorize_url, code_verifier=verifier, **{**hint, **dict(self._account.extra)}
        )
        return str(address), str(state), str(verifier)

    def finish_code(self, address: str, state: str, verifier: str) -> Issue:
        """The tokens for the address to which the browser was led in the end. Raises Refused for one that is not an
        answer to our question."""
        answer = {key: values[0] for key, values in parse_qs(urlsplit(address.strip()).query).items()}
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise Refused("that address does not belong to this sign-in (its state differs); begin anew")
        if "error" in answer:
            description = answer.get("error_description", "")
            raise ProviderRefused(refusals.of_provider(self._account.case, answer["error"], description))
        if "code" not in answer:
            raise Refused("that address has no code in it; copy the whole of it from the browser")
        with self._refusals():
            token = self._client.fetch_token(
                self._account.token_url, grant_type="authorization_code", code=answer["code"], code_verifier=verifier
            )
        return _issue(token)

    def begin_device(self) -> DeviceCode:
        """A code for a person to enter elsewhere (RFC 8628)."""
        auth = self._client.client_auth(self._client.token_endpoint_auth_method)
        with self._refusals():
            response = self._session.post(
                self._account.device_url, {"scope": " ".join(self._account.scopes)}, auth=auth
            )
            values = self._client.parse_response_token(response)
        try:
            return DeviceCode(
                str(values["device_code"]), str(values["user_code"]),
                str(values.get("verification_uri") or values["verification_url"]),
                max(1.0, seconds(values.get("interval")) or 5.0),
                min(_MOST_SECONDS, seconds(values.get("expires_in")) or 900.0),
            )  # fmt: skip
        except KeyError:
            raise NoResponse("it sent no code for a person to enter") from None

    def poll_device(self, code: DeviceCode) -> Issue | float:
        """The tokens, or by how many seconds to ask less often where the code has not been entered yet."""
        from authlib.oauth2.base import OAuth2Error

        with self._refusals():
            try:
                return _issue(
                    self._client.fetch_token(
                        self._account.token_url, grant_type=_DEVICE_GRANT, device_code=code.device_code, scope=""
                    )
                )
            except OAuth2Error as error:
                if error.error not in ("authorization_pending", "slow_down"):
                    raise
                return 5.0 if error.error == "slow_down" else 0.0

    @contextmanager
    def _refusals(self, *, cut_short: bool = False) -> Iterator[None]:
        """What the library raises as what it comes to; its words may hold a token, so they go no further."""
        from authlib.oauth2.base import OAuth2Error

        try:
            yield
        except OAuth2Error as error:
            case, description = self._account.case, str(error.description or "")[:2000]
            refusal = refusals.of_provider(case, str(error.error), description, cut_short=cut_short)
            raise ProviderRefused(refusal) from None
        except NoResponse:
            raise
        except (ValueError, TypeError, LookupError, AttributeError):
            raise NoResponse("it sent something that is no token response") from None


def _issue(token: Any) -> Issue:
    access, refresh = token.get("access_token"), token.get("refresh_token")
    if not isinstance(access, str) or not 0 < len(access) <= _LONGEST_TOKEN or not access.isprintable():
        raise NoResponse("it sent no access token")
    if not (refresh is None or (isinstance(refresh, str) and len(refresh) <= _LONGEST_TOKEN)):
        raise NoResponse("it sent a refresh token that is none")
    lifetime = seconds(token.get("expires_in")) or _USUAL_LIFETIME
    # Google's name and Keycloak's; the standard has none. Keycloak's 0 stands for "never".
    refresh_lifetime = seconds(token.get("refresh_token_expires_in")) or seconds(token.get("refresh_expires_in"))
    return Issue(access, min(lifetime, _LONGEST_LIFETIME), refresh or None, refresh_lifetime)


def _service_account(file: Path) -> dict[str, Any]:
    try:
        key = json.loads(file.read_bytes()[:65_536])
    except OSError as error:
        raise ConfigurationError([f"service_account_file {file} cannot be read: {error.strerror}"]) from None
    except ValueError:
        key = None
    if not isinstance(key, dict) or not {"client_email", "private_key"} <= key.keys():
        raise ConfigurationError([f"service_account_file {file} is no key of a service account (JSON)"])
    return key
