"""The real program with one thing rigged: `python rigged.py WORDS...` is `mailticket WORDS...` under such a fault.

RIGGED names the fault. `fsync`: at SIGUSR1 the disk no longer keeps what is written. `confined`: before anything is
imported, only the system calls whose numbers stand in RIGGED_CALLS are left.
"""

from __future__ import annotations

import errno
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

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


def main() -> None:
    if os.environ["RIGGED"] == "fsync":
        signal.signal(signal.SIGUSR1, _lose_the_disk)
    else:
        seccomp.allow_only([int(number) for number in os.environ["RIGGED_CALLS"].split(",")])
        _show_the_walls()
    from mailticket.cli import main as program

    program()


if __name__ == "__main__":
    main()
