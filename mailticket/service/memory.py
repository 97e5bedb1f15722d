"""The process and its memory: what the interpreter and the C library would keep, or look through, for nothing."""

from __future__ import annotations

import atexit
import gc
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
_LARGE_BLOCK = 320 * 1024  # bytes; asyncio takes 256 KiB for each reply of a server, which is no mail
_OBJECTS_OF_A_START = 250_000  # more than any command makes before it begins to work


def begin_without_seeking() -> None:
    """Look for no garbage while a command starts and while it ends, and seldom in between.

    What the libraries make while they are imported stays: Python's collector would walk through it some forty times, a
    tenth of a command's time. In the end it would walk through everything three times, which takes a sixth.
    """
    gc.set_threshold(_OBJECTS_OF_A_START, 10, 10)
    atexit.register(gc.freeze)


def seek_garbage_seldom() -> None:
    """From here on look for garbage after ten times as many objects as usual, and never again among those that are
    there: they will stay, and looking through them would hold up all threads."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def give_large_blocks_back() -> None:
    """Have glibc return the memory of large mails to the system.

    Left alone, it raises the size from which it asks the system for a block of its own (mallopt(3)) to that of the
    largest mail it has seen, and keeps all below. Elsewhere nothing is done.
    """
    import ctypes  # of which commands have no need

    with suppress(AttributeError, OSError, MemoryError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
