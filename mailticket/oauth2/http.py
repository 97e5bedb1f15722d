"""One exchange with an authorisation server, bounded in size and time: what authlib takes for its session.

No redirect is followed, for a token request has none (RFC 6749 section 3.2) and would carry secrets elsewhere. Nothing
of a request or a response ever stands in an exception.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import SplitResult, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from mailticket.errors import WorldError

SECONDS = 20.0  # for the whole exchange
_STEP_SECONDS = 10.0  # for a single wait in it
_LONGEST_SPAN = 10 * 366 * 86_400.0
_LARGEST = 256 * 1024  # bytes of a response


class NoResponse(WorldError):
    """The provider did not answer, or not with what can be read."""


class ClientAuth(Protocol):
    """authlib's way to add the client's name and secret to a request."""

    def prepare(self, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]: ...


class Response:
    """What came, as far as authlib asks for it. at: the provider's clock, if it told."""

    def __init__(self, status_code: int, body: bytes, at: datetime | None) -> None:
        self.status_code = status_code
        self.at = at
        self._body = body

    def json(self) -> Any:
        """The values, of which those that authlib counts with are numbers."""
        try:
            values = json.loads(self._body)
        except (ValueError, RecursionError):
            raise NoResponse(f"what it sent is not JSON (HTTP {self.status_code})") from None
        if isinstance(values, dict):
            values.pop("expires_at", None)  # by the provider's clock, and in no standard
            lifetime = seconds(values.pop("expires_in", None))
            if lifetime is not None:
                values["expires_in"] = int(lifetime)
        return values

    def raise_for_status(self) -> None:
        """Raises NoResponse for what is no success."""
        if self.status_code >= 400:
            raise NoResponse(f"HTTP {self.status_code}")


class Session:
    """Requests one after the other, each over a connection of its own. at: the provider's clock in the last one."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.at: datetime | None = None

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None,
        auth: ClientAuth | None = None,
    ) -> Response:  # fmt: skip
        """POST a form. Raises NoResponse for anything but a response of a bounded size within 20 s."""
        body, heads = urlencode(data), {"Accept": "application/json", **(headers or {})}
        heads.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if auth is not None:
            url, heads, body = auth.prepare("POST", url, heads, body)
        response = self._exchange(urlsplit(url), body.encode(), heads)
        self.at = response.at
        if response.status_code == 429 or not (response.status_code < 300 or 400 <= response.status_code < 500):
            raise NoResponse(f"HTTP {response.status_code}")
        return response

    def _exchange(self, url: SplitResult, body: bytes, headers: dict[str, str]) -> Response:
        connection = self._connection(url)
        late = threading.Event()
        timer = threading.Timer(SECONDS, _cut, (connection, late))
        timer.daemon = True
        timer.start()
        try:
            target = url.path + (f"?{url.query}" if url.query else "")
            connection.request("POST", target or "/", body, headers)
            response = connection.getresponse()
            content = response.read(_LARGEST + 1)
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            raise NoResponse("it did not answer in time" if late.is_set() else _why(error, url)) from None
        finally:
            timer.cancel()
            connection.close()
        if late.is_set():  # the end of the line may look like that of the response
            raise NoResponse("it did not answer in time")
        if len(content) > _LARGEST:
            raise NoResponse(f"it sent more than {_LARGEST // 1024} kB")
        return Response(response.status, content, _date(response))

    def _connection(self, url: SplitResult) -> HTTPConnection:
        host = url.hostname or ""
        if url.scheme != "https":
            return HTTPConnection(host, url.port, timeout=_STEP_SECONDS)
        proxy = urlsplit("" if proxy_bypass(host) else getproxies().get("https", ""))
        if not proxy.hostname:
            return HTTPSConnection(host, url.port, timeout=_STEP_SECONDS, context=self._tls)
        connection = HTTPSConnection(proxy.hostname, proxy.port or 8080, timeout=_STEP_SECONDS, context=self._tls)
        connection.set_tunnel(host, url.port or 443)
        return connection


def seconds(value: Any) -> float | None:
    """Seconds, of a number or a text of digits; None for anything else, and for none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number < _LONGEST_SPAN else None


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    """End an exchange that takes too long, whatever drips in: the reader then meets the end of the line."""
    late.set()
    line: socket.socket | None = connection.sock
    if line is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)


def _why(error: Exception, url: SplitResult) -> str:
    place = f"{url.hostname}:{url.port}" if url.port else str(url.hostname)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {place} is not to be trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"{place} cannot be looked up"
    if isinstance(error, TimeoutError):
        return f"{place} did not answer in time"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"{place} cannot be reached ({reason})"


def _date(response: HTTPResponse) -> datetime | None:
    try:
        at = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
