"""The real program with one thing rigged: `python rigged.py WORDS...` is `mailticket WORDS...` under such a fault.

RIGGED names the fault. `fsync`: at SIGUSR1 the disk no longer keeps what is written. `confined`: before anything is
imported, only the system calls whose numbers stand in RIGGED_CALLS are left. `power`: beside RIGGED_FILE, a SQLite
database, lies what a power cut would leave of it at worst: what its last commit that waited for the disk has kept.
"""

from __future__ import annotations

import errno
import itertools
import mmap
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

sys.path[0] = str(Path(__file__).parents[2])

from tests.faults import seccomp  # noqa: E402 its place is known only now


def _lose_the_disk(_signal: int, _frame: FrameType | None) -> None:
    seccomp.fail(dict.fromkeys(seccomp.NUMBERS.values(), errno.EIO))
    print("rigged: fsync fails from now on", file=sys.stderr, flush=True)


def _show_the_walls() -> None:
    """Try what the unit forbids, and say on standard error what was refused."""
    forbidden: dict[str, Callable[[], object]] = {
        "another file": lambda: Path("/var/tmp/mailticket-was-here").write_text(""),
        "another family of sockets": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
        "a resource call": lambda: os.setpriority(os.PRIO_PROCESS, 0, 5),
        "a privileged call": lambda: os.chroot("/"),
    }
    for name, attempt in forbidden.items():
        try:
            attempt()
        except OSError as error:
            print(f"rigged: {name} is refused: {error.strerror}", file=sys.stderr, flush=True)


def kept(file: Path) -> Path:
    """The folder with what a power cut leaves of a database."""
    return file.with_name("kept")


def _keep_what_is_durable(file: Path) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.pool import Pool

    numbers = itertools.count(1)

    def keep() -> None:
        """All of it or nothing, for the cut may come meanwhile."""
        name = f"kept-{next(numbers)}"
        folder, link = file.with_name(name), file.with_name(f"{name}.link")
        folder.mkdir()
        for part in (file, file.with_name(f"{file.name}-wal")):
            if part.exists():
                shutil.copy(part, folder)
        link.symlink_to(folder)
        link.replace(kept(file))

    def look(connection: Connection) -> None:
        """A commit that writes nothing waits for nothing."""
        info, driver = connection.info, cast(Any, connection.connection.driver_connection)
        waits = connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        info["durable"] = waits and driver.total_changes > info.get("changes", 0)
        info["changes"] = driver.total_changes

    def settle(_connection: Any, record: Any) -> None:
        """Whoever committed gives the connection back before another may write."""
        if record.info.pop("durable", False):
            keep()

    keep()
    event.listen(Engine, "commit", look)
    event.listen(Pool, "checkin", settle)


def main() -> None:
    if os.environ["RIGGED"] == "fsync":
        signal.signal(signal.SIGUSR1, _lose_the_disk)
    elif os.environ["RIGGED"] == "power":
        _keep_what_is_durable(Path(os.environ["RIGGED_FILE"]))
    else:
        seccomp.allow_only([int(number) for number in os.environ["RIGGED_CALLS"].split(",")])
        _show_the_walls()
    from mailticket.cli import main as program

    program()


if __name__ == "__main__":
    main()
