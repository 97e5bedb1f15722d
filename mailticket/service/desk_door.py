"""The desk's door: a socket at which accounts of this machine do the deeds of the desk, known by the kernel's word."""

from __future__ import annotations

import grp
import json
import logging
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from mailticket.desk import protocol
from mailticket.desk.deeds import DEEDS
from mailticket.desk.looking import SIGHTS
from mailticket.desk.tickets import Desk
from mailticket.errors import MailticketError, NotAllowed, Refused
from mailticket.site import Site

log = logging.getLogger("mailticket.service.desk_door")

_BACKLOG = 16
_MOST_CLIENTS = 32
_MOST_OF_ONE = 8  # of one account at a time, so that nobody's hung shell keeps the others out
_ROOM = 1_000_000  # bytes of a question beside its files
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)
_STOP_SECONDS = 5.0


class DeskDoor:
    """Listens while the daemon runs. `site` gives the site of the moment; `done` is called after each deed."""

    def __init__(self, path: Path, site: Callable[[], Site], done: Callable[[], None]) -> None:
        self._path = path
        self._site = site
        self._done = done
        self._inside: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen. That it cannot is written to the log, and keeps nobody from answering mail."""
        try:
            self._socket = _listening(self._path)
        except OSError as error:
            log.error("staff cannot use the desk's socket %s: %s", self._path, error.strerror or error)
            return
        threading.Thread(target=self._welcome, args=(self._socket,), name="desk", daemon=True).start()
        log.info("the desk's socket is %s", self._path)

    def close(self) -> None:
        """Let nobody in any more, and wait a moment for the deeds in hand."""
        if self._socket is None:
            return
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with suppress(OSError):
            self._path.unlink()
        end = time.monotonic() + _STOP_SECONDS
        while self._inside.total() and time.monotonic() < end:
            time.sleep(0.05)

    def _welcome(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            user = _CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[1]
            with self._lock:
                full = self._inside.total() >= _MOST_CLIENTS or self._inside[user] >= _MOST_OF_ONE
                self._inside[user] += not full
            if full:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client, user), name="desk client", daemon=True).start()

    def _serve(self, client: socket.socket, user: int) -> None:
        try:
            with client:
                client.settimeout(protocol.SECONDS)
                self._answer(client, user)
        except OSError as error:
            log.info("the desk: a client of account %s went away: %s", protocol.account_of(user), error)
        finally:
            with self._lock:
                self._inside[user] -= 1
                self._inside += Counter()  # forgets who has left

    def _answer(self, client: socket.socket, user: int) -> None:
        site = self._site()
        try:
            name, arguments = _question(client, _ROOM + int(site.settings.desk.attach_mb * 2_000_000))
            face = _act(name, site, user)(**arguments)
            for row in [face] if isinstance(face, dict) else face:
                client.sendall(protocol.line({"row": row}))
            client.sendall(protocol.line({"done": True}))
        except ValidationError as error:
            words = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            client.sendall(protocol.line(protocol.failure(Refused(f"the question is not understood: {words}"))))
        except MailticketError as error:
            client.sendall(protocol.line(protocol.failure(error)))
        except OSError:
            raise
        except Exception:
            log.exception("the desk: a defect")
            words = "this is a defect of mailticket; the daemon's log says where"
            client.sendall(protocol.line(protocol.failure(Refused(words))))
        self._done()


def _listening(path: Path) -> socket.socket:
    """A socket for the group of staff. One that a daemon left behind is replaced, a living one is not."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(FileNotFoundError, ConnectionRefusedError):
        probe.settimeout(1.0)
        probe.connect(str(path))
        raise OSError(f"{path} belongs to another daemon")
    with suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    try:
        os.chown(path, -1, grp.getgrnam(protocol.GROUP).gr_gid)
    except (KeyError, PermissionError):
        log.warning(
            "the socket is not of the group %s, which is not there or not the daemon's: only this account and root "
            "can use it", protocol.GROUP,
        )  # fmt: skip
    listener.listen(_BACKLOG)
    return listener


def _question(client: socket.socket, most: int) -> tuple[str, dict[str, Any]]:
    """The deed and its arguments. Raises Refused for what is no question, and TimeoutError for one that is not whole
    in time."""
    end = time.monotonic() + protocol.SECONDS
    pieces: list[bytes] = []
    size = 0
    while not (pieces and pieces[-1].endswith(b"\n")):
        client.settimeout(max(0.001, end - time.monotonic()))
        piece = client.recv(65_536)
        size += len(piece)
        if not piece or size > most:
            raise Refused("the question is too large" if piece else "the question is not whole")
        pieces.append(piece)
    client.settimeout(protocol.SECONDS)
    try:
        value = json.loads(b"".join(pieces))
        name, arguments = value["deed"], value["arguments"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("the question is not understood") from None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Refused("the question is not understood")
    return name, arguments


def _act(name: str, site: Site, user: int) -> Callable[..., Any]:
    """What an account may do under a name: members, root and the daemon's own everything, visitors may look."""
    account = protocol.account_of(user)
    member = site.roster.of_login(account)
    actor = member.name if member else account
    if name not in SIGHTS and name not in DEEDS:
        raise Refused(f"the daemon knows no {name!r}: it is of another release than this command")
    if member is None and user not in (0, os.geteuid()):
        if not site.settings.desk.visitors:
            raise NotAllowed(
                f"the account {account} is no member's; add it to a [[staff]] table of the configuration: "
                f'login = "{account}"'
            )
        if name not in (*SIGHTS, "files"):
            raise NotAllowed(f"the account {account} may look, and change nothing: it is no member's `login`")
    desk = Desk(site, actor)
    return partial(_checked(SIGHTS[name]), desk.onlooker) if name in SIGHTS else partial(_checked(DEEDS[name]), desk)


@cache
def _checked(deed: Callable[..., Any]) -> Callable[..., Any]:
    """A deed whose arguments are checked: what comes through a socket is nobody's promise."""
    checked: Callable[..., Any] = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(deed)
    return checked
