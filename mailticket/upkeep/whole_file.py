"""A file that appears under its name only when it was written whole: a backup, an export."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailticket.errors import Refused, StoreUnavailable
from mailticket.store.backup import remove, sync


@contextmanager
def whole_file(target: Path, *, force: bool = False) -> Iterator[Path]:
    """A file beside the target, readable by its owner alone, that gets its name at the end, when the disk has it.

    force: it may replace another. Raises Refused where there is one, StoreUnavailable where it cannot be written.
    """
    if os.path.lexists(target) and not force:
        raise Refused(f"{target} exists; choose another name")
    partial = target.with_name(f"{target.name}.partial")
    with _alone(partial, target):
        yield partial
        sync(partial)
        _name(partial, target, force=force)
        sync(target.resolve().parent)


@contextmanager
def _alone(partial: Path, target: Path) -> Iterator[None]:
    """An empty file that is ours alone, removed at the end; what a killed writer left is used anew."""
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = str(error.strerror) if target.parent.is_dir() else f"there is no folder {target.parent}"
        raise StoreUnavailable(f"{target} cannot be written: {why}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreUnavailable(f"another backup or export is being written to {partial}") from None
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, 0o600)
        try:
            yield
        finally:
            remove(partial)
    finally:
        os.close(descriptor)


def _name(partial: Path, target: Path, *, force: bool) -> None:
    try:
        if force:
            partial.replace(target)
        else:
            target.hardlink_to(partial)  # which fails where a file of that name appeared meanwhile
    except FileExistsError:
        raise Refused(f"{target} exists by now; choose another name") from None
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error
