"""Who may run commands, and as whom: root works as the user whose database it is, and a stranger is told who may."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from mailticket.config.read import SYSTEM_STATE
from mailticket.errors import NotAllowed
from mailticket.settings import Settings

_WHOLE = os.R_OK | os.W_OK | os.X_OK


def state_folder(settings: Settings) -> Path:
    """The folder of the SQLite file; with PostgreSQL that of the unit, whose owner is the user to work as."""
    kind, _, file = settings.database.url.partition(":///")
    return Path(file).parent if kind == "sqlite" else SYSTEM_STATE


def work_as_owner(settings: Settings) -> None:
    """From here on the process of root has the rights of the state folder's owner, for good.

    A file that root makes there would lock the daemon out, and what strangers mail in is nothing to read as root. A
    folder that is not there, or is root's own, changes nothing. Raises NotAllowed for an account without access.
    """
    folder = state_folder(settings)
    if not folder.is_dir():
        return
    status = folder.stat()
    if os.geteuid() == 0:
        if status.st_uid != 0:
            _become(status.st_uid, status.st_gid)
    elif settings.database.url.startswith("sqlite") and not os.access(folder, _WHOLE):
        raise NotAllowed(
            f"the database lies in {folder}, where only root and the user {_name(status.st_uid)} may read and write; "
            "run the command with sudo"
        )


def _become(user: int, group: int) -> None:
    try:
        entry = pwd.getpwuid(user)
    except KeyError:  # a folder of a container, whose user is not known here
        os.setgroups([group])
    else:
        group = entry.pw_gid
        os.initgroups(entry.pw_name, group)
    os.setgid(group)
    os.setuid(user)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
