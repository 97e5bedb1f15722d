"""The desk's door: a socket at which accounts of this machine do the deeds of the desk, known by the kernel's word."""

from __future__ import annotations

import grp
import logging
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from mailticket.desk import protocol
from mailticket.desk.deeds import DEEDS
from mailticket.desk.looking import SIGHTS
from mailticket.desk.tickets import Desk
from mailticket.errors import MailticketError, NotAllowed, Refused, WorldError
from mailticket.site import Site

log = logging.getLogger("mailticket.service.desk_door")

_BACKLOG = 16
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)
_PIECE = 65_536
_LOOKS = ("files", "list_notices", "list_blocked")  # deeds that change nothing: visitors may do them
_STOPS = "the daemon stops; try again in a moment"
_REST_SECONDS = 1.0  # after the system could not let anybody in


@dataclass(frozen=True)
class Limits:
    """What the door bears. Bytes of files come on top of `question_bytes`, as [desk] attach_mb allows."""

    clients: int = 32
    clients_of_one: int = 8  # of one account, so that nobody's hung shells keep the others out
    question_bytes: int = 1_000_000
    bytes_in_hand: int = 64_000_000  # of all questions together; the unit gives the daemon 512 MB
    seconds: float = protocol.SECONDS  # for a question to be whole, and for each line of the answer to be taken
    answer_seconds: float = 20 * protocol.SECONDS
    stop_seconds: float = 5.0  # for deeds in hand when the daemon stops


class DeskDoor:
    """Listens while the daemon runs. `site` gives the site of the moment; `done` is called after each deed."""

    def __init__(
        self, path: Path, site: Callable[[], Site], done: Callable[[], None], limits: Limits = Limits()
    ) -> None:
        self._path = path
        self._site = site
        self._done = done
        self._limits = limits
        self._inside: Counter[int] = Counter()
        self._asking: set[socket.socket] = set()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._socket: socket.socket | None = None

    @property
    def clients(self) -> int:
        """How many are inside."""
        return self._inside.total()

    @property
    def bytes_in_hand(self) -> int:
        """How much of questions has come and is not yet answered."""
        return self._bytes

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
        """Let nobody in any more, send away who is still asking, and wait a moment for the deeds in hand."""
        if self._socket is None:
            return
        self._closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with suppress(OSError):
            self._path.unlink()
        with self._changed:
            for client in self._asking:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._inside, self._limits.stop_seconds)

    def _welcome(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                client, _ = listener.accept()
                self._let_in(client)
            except (OSError, RuntimeError) as error:  # no descriptor or no thread is left: others may go
                if not self._closing.is_set():
                    log.warning("the desk could let nobody in: %s", error)
                self._closing.wait(_REST_SECONDS)

    def _let_in(self, client: socket.socket) -> None:
        user = _CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[1]
        with self._changed:
            full = self.clients >= self._limits.clients or self._inside[user] >= self._limits.clients_of_one
        if full:
            with client, suppress(OSError):
                client.setblocking(False)
                client.sendall(protocol.line(protocol.failure(WorldError("the desk is full; try again in a moment"))))
            return
        self._count(user, 1)
        try:
            threading.Thread(target=self._serve, args=(client, user), name="desk client", daemon=True).start()
        except RuntimeError:
            client.close()
            self._count(user, -1)
            raise

    def _count(self, user: int, change: int) -> None:
        with self._changed:
            self._inside[user] += change
            self._inside += Counter()  # forgets who has left
            self._changed.notify_all()

    def _serve(self, client: socket.socket, user: int) -> None:
        try:
            with client:
                self._answer(client, user)
        except OSError as error:
            log.info("the desk: a client of account %s went away: %s", protocol.account_of(user), error)
        finally:
            self._count(user, -1)

    def _answer(self, client: socket.socket, user: int) -> None:
        size = 0
        try:
            site = self._site()
            text = self._question(client, self._limits.question_bytes + int(site.settings.desk.attach_mb * 2_000_000))
            size = len(text)
            self._act(client, site, user, text)
        except ValidationError as error:
            words = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            self._say(client, protocol.failure(Refused(f"the question is not understood: {words}")))
        except MailticketError as error:
            self._say(client, protocol.failure(error))
        except OSError:
            raise
        except Exception:
            log.exception("the desk: a defect")
            words = "this is a defect of mailticket; the daemon's log says where"
            self._say(client, protocol.failure(WorldError(words)))
        finally:
            with self._changed:
                self._bytes -= size

    def _act(self, client: socket.socket, site: Site, user: int, text: bytearray) -> None:
        """Do what is asked, and say what came of it, line by line."""
        end = time.monotonic() + self._limits.answer_seconds
        name, arguments = protocol.question(text)
        deed = _deed(name, site, user)
        try:
            face = deed(**arguments)
            for row in [face] if isinstance(face, dict) else face:
                self._say(client, {"row": row})
                if time.monotonic() > end:
                    raise TimeoutError("the answer was not taken in time")
            self._say(client, {"done": True})
        finally:
            if name in DEEDS:
                self._done()

    def _say(self, client: socket.socket, value: dict[str, Any]) -> None:
        client.settimeout(self._limits.seconds)
        client.sendall(protocol.line(value))

    def _question(self, client: socket.socket, most: int) -> bytearray:
        """The line of a question, counted among what is in hand. Raises Refused for one that is too large or not whole,
        WorldError where too much is in hand, and TimeoutError for one that is not whole in time."""
        end = time.monotonic() + self._limits.seconds
        text = bytearray()
        self._ask(client)
        try:
            while not text.endswith(b"\n"):
                client.settimeout(max(0.001, end - time.monotonic()))
                piece = client.recv(_PIECE)
                if time.monotonic() > end:
                    raise TimeoutError("the question was not whole in time")
                if not piece:
                    raise WorldError(_STOPS) if self._closing.is_set() else Refused("the question is not whole")
                if len(text) + len(piece) > most:
                    raise Refused("the question is too large; [desk] attach_mb says how much files may have")
                text += piece
                self._take_in_hand(len(piece), most)
        except BaseException:
            with self._changed:
                self._bytes -= len(text)
            raise
        finally:
            with self._changed:
                self._asking.discard(client)
        return text

    def _ask(self, client: socket.socket) -> None:
        with self._changed:
            if self._closing.is_set():
                raise WorldError(_STOPS)
            self._asking.add(client)

    def _take_in_hand(self, size: int, most: int) -> None:
        with self._changed:
            self._bytes += size
            if self._bytes > max(self._limits.bytes_in_hand, most):
                raise WorldError("too many files are on their way to the desk; try again in a moment")


def _listening(path: Path) -> socket.socket:
    """A socket for the group of staff. One that a daemon left behind is replaced, a living one is not."""
    if path.exists() and not path.is_socket():
        raise OSError(f"{path} is a file, and no socket")
    with socket.socket(socket.AF_UNIX) as probe, suppress(FileNotFoundError, ConnectionRefusedError):
        probe.settimeout(1.0)
        probe.connect(str(path))
        raise OSError(f"{path} belongs to another daemon")
    with suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        _give_to_staff(path)
        listener.listen(_BACKLOG)  # before this nobody comes in, whatever the umask was
    except OSError:
        listener.close()
        raise
    return listener


def _give_to_staff(path: Path) -> None:
    try:
        os.chown(path, -1, grp.getgrnam(protocol.GROUP).gr_gid)
    except (KeyError, PermissionError):
        log.warning(
            "the socket is not of the group %s, which is not there or not the daemon's: only this account and root "
            "can use it", protocol.GROUP,
        )  # fmt: skip
    path.chmod(0o660)


def _deed(name: str, site: Site, user: int) -> Callable[..., Any]:
    """What an account may do under a name: members, root and the daemon's own everything, visitors may look."""
    account = protocol.account_of(user)
    member = site.roster.of_login(account)
    actor = member.name if member else account
    if name not in SIGHTS and name not in DEEDS:
        raise Refused(f"the daemon knows no {name[:40]!r}: it is of another release than this command")
    if member is None and user not in (0, os.geteuid()):
        if not site.settings.desk.visitors:
            raise NotAllowed(
                f"the account {account} is no member's; add it to a [[staff]] table of the configuration: "
                f'login = "{account}"'
            )
        if name not in (*SIGHTS, *_LOOKS):
            raise NotAllowed(f"the account {account} may look, and change nothing: it is no member's `login`")
    desk = Desk(site, actor)
    return partial(_checked(SIGHTS[name]), desk.onlooker) if name in SIGHTS else partial(_checked(DEEDS[name]), desk)


@cache
def _checked(deed: Callable[..., Any]) -> Callable[..., Any]:
    """A deed whose arguments are checked: what comes through a socket is nobody's promise."""
    checked: Callable[..., Any] = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(deed)
    return checked
