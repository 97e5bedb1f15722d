"""Linux's system-call filter by hand: make calls of the running process fail, for good, as a disk or a unit would."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Mapping, Sequence

# Of linux/seccomp.h, linux/filter.h and linux/prctl.h.
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_RETURN_ERRNO, _ALLOW, _KILL = 0x0005_0000, 0x7FFF_0000, 0x8000_0000
_LOAD, _JUMP_EQUAL, _JUMP_NOT_BELOW, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_AND = 0x54
_NO_NEW_PRIVILEGES = 38
_SYS_SECCOMP = 317
_X86_64 = 0xC000_003E
_X32_BIT = 0x4000_0000

NUMBERS = {"fsync": 74, "fdatasync": 75}
"""x86-64's numbers of the calls that tests name."""
_SOCKET, _MMAP, _MPROTECT, _PKEY_MPROTECT = 41, 9, 10, 329
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
_WRITE, _EXECUTE = 2, 4


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def available() -> bool:
    """Whether this machine is one that the filters here are written for."""
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def fail(calls: Mapping[int, int]) -> None:
    """From now on these system calls (by number) of all threads fail with their errno; all others work."""
    tests = [step for number, error in calls.items() for step in _equal(number, _RETURN_ERRNO | error)]
    _install([*tests, (_RETURN, 0, 0, _ALLOW)])


def allow_only(calls: Sequence[int], error: int = errno.EPERM) -> None:
    """From now on every other system call of all threads fails, as under SystemCallFilter= of a systemd unit.

    So do sockets of families other than Unix and internet (RestrictAddressFamilies=) and memory that is to be both
    written and executed (MemoryDenyWriteExecute=).
    """
    steps = [
        *_only_families(),
        *_never_both(_MMAP, _WRITE | _EXECUTE),
        *_never_both(_MPROTECT, _EXECUTE),
        *_never_both(_PKEY_MPROTECT, _EXECUTE),
    ]
    steps += [step for number in calls for step in _equal(number, _ALLOW)]
    _install([*steps, (_RETURN, 0, 0, _RETURN_ERRNO | error)])


def _only_families() -> list[tuple[int, int, int, int]]:
    allowed = [(_JUMP_EQUAL, len(_FAMILIES) - place, 0, family) for place, family in enumerate(_FAMILIES)]
    refuse = (_RETURN, 0, 0, _RETURN_ERRNO | errno.EAFNOSUPPORT)
    return [
        (_JUMP_EQUAL, 0, len(_FAMILIES) + 3, _SOCKET),
        (_LOAD, 0, 0, _ARGUMENTS_AT),
        *allowed,
        refuse,
        (_LOAD, 0, 0, _NUMBER_AT),
    ]


def _never_both(call: int, protection: int) -> list[tuple[int, int, int, int]]:
    """Refuse a call whose third argument has all these bits."""
    return [
        (_JUMP_EQUAL, 0, 5, call),
        (_LOAD, 0, 0, _ARGUMENTS_AT + 2 * 8),
        (_AND, 0, 0, protection),
        (_JUMP_EQUAL, 0, 1, protection),
        (_RETURN, 0, 0, _RETURN_ERRNO | errno.EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]


def _equal(number: int, then: int) -> list[tuple[int, int, int, int]]:
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, then)]


def _install(steps: list[tuple[int, int, int, int]]) -> None:
    whole = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_NOT_BELOW, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        *steps,
    ]
    instructions = (_Instruction * len(whole))(*(_Instruction(*step) for step in whole))
    program = _Program(len(whole), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if libc.syscall(_SYS_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
