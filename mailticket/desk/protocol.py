"""How a command speaks to the daemon over the desk's socket: one question in a line of JSON, the answer in several."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mailticket import errors
from mailticket.errors import MailticketError, NotAllowed, NotFound, Refused, WorldError

SOCKET = Path("/run/mailticket/desk.sock")
GROUP = "mailticket-staff"
SECONDS = 30.0  # in which a question must be here whole, and each line of the answer be taken
_ERRORS: dict[str, type[MailticketError]] = {
    kind.__name__: kind for kind in (NotAllowed, NotFound, Refused, errors.StoreUnavailable, WorldError)
}


def socket_path(environ: Mapping[str, str]) -> Path | None:
    """Where the daemon listens: as MAILTICKET_DESK_SOCKET says, or in the folder that systemd made for it; None for
    nowhere."""
    if environ.get("MAILTICKET_DESK_SOCKET"):
        return Path(environ["MAILTICKET_DESK_SOCKET"])
    folder = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(folder) / SOCKET.name if folder else None


def client_path(environ: Mapping[str, str]) -> Path:
    """Where a command finds the daemon."""
    return Path(environ.get("MAILTICKET_DESK_SOCKET") or SOCKET)


def line(value: Mapping[str, Any]) -> bytes:
    """A value as it travels."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"


def question(text: bytes | bytearray) -> tuple[str, dict[str, Any]]:
    """The deed that a line asks for, and its arguments. Raises Refused for what is no question.

    Half surrogates and NUL, which no database takes, become marks.
    """
    try:
        value = json.loads(text)
        name, arguments = value["deed"], _storable(value["arguments"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("the question is not understood") from None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Refused("the question is not understood")
    return name, arguments


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {name: _storable(one) for name, one in value.items()}
    return value


def failure(error: MailticketError) -> dict[str, Any]:
    """An error as it travels: its kind decides the exit code, its text is for a person."""
    kind = next((name for name, one in _ERRORS.items() if isinstance(error, one)), "Refused")
    return {"error": kind, "text": str(error)}


def rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The values of an answer. Raises the error that the daemon sent, or WorldError when it broke off."""
    for text in lines:
        try:
            value = json.loads(text)
        except ValueError:
            break
        if "error" in value:
            raise _ERRORS.get(value["error"], MailticketError)(value["text"])
        if "done" in value:
            return
        yield value["row"]
    raise WorldError("the daemon broke off; try again")


def account_of(user: int) -> str:
    """The name of an account of this machine, its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def own_account() -> str:
    """The account of this process."""
    return account_of(os.getuid())
