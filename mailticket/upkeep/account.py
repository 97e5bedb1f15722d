"""As whom the daemon runs, and what the machine looks like through the eyes of that account."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailticket.upkeep.installation import USER

_ROOT = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine with its groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    @property
    def group(self) -> str:
        """The name of its own group, or the number of one that has none."""
        try:
            return grp.getgrgid(self.gid).gr_name
        except KeyError:
            return str(self.gid)

    @contextmanager
    def eyes(self) -> Iterator[None]:
        """What is looked at meanwhile is seen with this account's rights, if we are root and it is another's.

        Modules must be loaded before: the account need not be able to read ours. Only for a process with one thread.
        """
        if os.geteuid() != _ROOT or self.uid == _ROOT:
            yield
            return
        groups, gid = os.getgroups(), os.getegid()
        os.setgroups(self.groups)
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(_ROOT)
            os.setegid(gid)
            os.setgroups(groups)

    def obstacle(self, path: Path, rights: int) -> tuple[Path, str] | None:
        """What keeps this account from a file or folder: the path at which it ends, and why; None for nothing.

        rights: os.R_OK, os.W_OK, os.X_OK, together what it must be able to do with `path`.
        """
        with self.eyes():
            for folder in reversed(path.parents):
                if folder.exists() and not os.access(folder, os.X_OK, effective_ids=True):
                    return folder, os.strerror(errno.EACCES)
            try:
                path.stat()
            except OSError as error:
                return path, error.strerror or str(error)
            if os.access(path, rights, effective_ids=True):
                return None
        return path, os.strerror(errno.EACCES)


def own_account() -> Account:
    """Whoever runs this process."""
    return _account(os.geteuid(), os.getegid(), os.getgroups())


def daemon_account(state: Path, *, system_wide: bool) -> Account:
    """As whom the daemon meets this configuration.

    That is who owns the state folder, if we are root, or the package's user, if there is no folder yet and the
    configuration is the system's own; else whoever runs this process. state: the database's folder.
    """
    if os.geteuid() != _ROOT:
        return own_account()
    try:
        owner = pwd.getpwuid(state.stat().st_uid) if state.exists() else None
        if owner is None and system_wide:
            owner = pwd.getpwnam(USER)
    except KeyError:
        return own_account()
    if owner is None or owner.pw_uid == _ROOT:
        return own_account()
    return Account(owner.pw_name, owner.pw_uid, owner.pw_gid, tuple(os.getgrouplist(owner.pw_name, owner.pw_gid)))


def open_to_everybody(file: Path) -> bool:
    """Whether every user of this machine can read a file: by its own mode, and by that of each folder on the way."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH) and all(
            folder.stat().st_mode & stat.S_IXOTH for folder in file.absolute().parents
        )
    except OSError:
        return False


def _account(uid: int, gid: int, groups: list[int]) -> Account:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, gid, tuple(groups))
