"""Where the desk's deeds are done: on the database itself, or by the daemon for whoever may not read it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from mailticket.cli.common import account_of, database_of, settings_of
from mailticket.errors import NotAllowed, WorldError

if TYPE_CHECKING:
    from mailticket.desk.tickets import Desk
    from mailticket.settings import Settings
    from mailticket.store.engine import Database

Face = dict[str, Any]
_NO_DAEMON = "the daemon does not run; ask an administrator: systemctl start mailticket"
_PIECE = 65_536
_IN_MEMORY = 8_000_000  # bytes of an answer; more goes to a file, so that a pager holds no client of the daemon's


class Counter(Protocol):
    """Takes the name of a deed and its arguments, see `desk.deeds`."""

    def rows(self, deed: str, **arguments: Any) -> Iterator[Face]: ...


def one(counter: Counter, deed: str, **arguments: Any) -> Face:
    """The face of a deed that has one."""
    return next(iter(counter.rows(deed, **arguments)))


@contextmanager
def counter_of(ctx: click.Context) -> Iterator[Counter]:
    """The counter for this call. Raises NotAllowed for an account that has neither way."""
    from mailticket.desk.protocol import client_path

    path = client_path(os.environ)
    try:
        settings = settings_of(ctx)
    except NotAllowed:
        if not _is_there(path):
            if _is_of_staff():
                raise WorldError(_NO_DAEMON) from None
            raise
        yield _Daemon(path)
        return
    with database_of(settings) as database:
        yield _Database(settings, database, account_of(ctx))


def _is_there(path: Path) -> bool:
    try:
        return path.is_socket()
    except PermissionError:
        return True


def _is_of_staff() -> bool:
    """Whether this account may use the socket while there is one."""
    import grp

    from mailticket.desk.protocol import GROUP

    try:
        return grp.getgrnam(GROUP).gr_gid in os.getgroups()
    except KeyError:
        return False


class _Database:
    """Deeds on the database that this process has opened. Letters, categories and keys are built only for work."""

    def __init__(self, settings: Settings, database: Database, account: str) -> None:
        from mailticket.triage.staff import Roster

        member = Roster(settings.staff).of_login(account)
        self._settings, self._database = settings, database
        self._actor = member.name if member else account

    def rows(self, deed: str, **arguments: Any) -> Iterator[Face]:
        from mailticket.desk.looking import SIGHTS, Onlooker

        if deed in SIGHTS:
            onlooker = Onlooker(self._settings, self._database, self._actor, lambda: datetime.now(UTC))
            face = SIGHTS[deed](onlooker, **arguments)
        else:
            from mailticket.desk.deeds import DEEDS

            face = DEEDS[deed](self._desk, **arguments)
        yield from [face] if isinstance(face, dict) else face

    @cached_property
    def _desk(self) -> Desk:
        from mailticket.desk.tickets import Desk
        from mailticket.site import open_site

        return Desk(open_site(self._settings, self._database), self._actor)


class _Daemon:
    """Deeds that the daemon does; it knows by the kernel's word who asks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, deed: str, **arguments: Any) -> Iterator[Face]:
        import tempfile

        from mailticket.desk import protocol

        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as answer:
            with self._connected() as client:
                try:
                    with suppress(ConnectionError):  # why it took no more of the question stands in its answer
                        client.sendall(protocol.line({"deed": deed, "arguments": arguments}))
                    with suppress(ConnectionError):  # an answer that breaks off is none
                        while piece := client.recv(_PIECE):
                            answer.write(piece)
                except TimeoutError:
                    raise WorldError("the daemon did not answer in time; try again") from None
            answer.seek(0)
            yield from protocol.rows(answer)

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        from mailticket.desk import protocol

        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(4 * protocol.SECONDS)
            try:
                client.connect(str(self._path))
            except PermissionError:
                raise NotAllowed(
                    f"the desk is open to the group {protocol.GROUP}, and this account is not in it; as root: "
                    f"usermod -aG {protocol.GROUP} {protocol.own_account()}, and sign in again"
                ) from None
            except (FileNotFoundError, ConnectionRefusedError):
                raise WorldError(_NO_DAEMON) from None
            except OSError as error:  # as EAGAIN where too many wait to be let in
                raise WorldError(f"the daemon cannot be asked: {error.strerror or error}; try again") from None
            yield client
