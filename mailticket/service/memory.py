"""The process and its memory: what the interpreter and the C library would keep, or look through, for nothing."""

from __future__ import annotations

import atexit
import gc
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
_LARGE_BLOCK = 256 * 1024  # bytes


def seek_garbage_seldom() -> None:
    """Look for garbage after ten times as many objects as usual, and not at all while the process ends.

    While the libraries are imported, Python's collector would walk through them several times: a tenth of a command's
    time. In the end it would walk through everything three times, which takes a sixth.
    """
    gc.set_threshold(10_000, 20, 20)
    atexit.register(keep_what_is_there)


def keep_what_is_there() -> None:
    """What exists now will stay, so it is not looked through again: that would hold up all threads."""
    gc.freeze()


def give_large_blocks_back() -> None:
    """Have glibc return the memory of large mails to the system.

    Left alone, it raises the size from which it asks the system for a block of its own (mallopt(3)) to that of the
    largest mail it has seen, and keeps all below. Elsewhere nothing is done.
    """
    import ctypes  # of which commands have no need

    with suppress(AttributeError, OSError, MemoryError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
