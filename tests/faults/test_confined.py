"""The main job inside the unit's walls: its system calls, a read-only file system, no capability, no other socket.

The nearest that a machine without systemd as its first process allows: the unit's own lines are read and put into
force by hand, with a system-call filter, a mount namespace and setpriv.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import post
from tests.e2e.site import Site
from tests.faults import seccomp, truth
from tests.faults.test_life import RIGGED
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink
from tests.test_unit_file import analyze, settings_of_the_unit

pytestmark = [pytest.mark.dovecot, pytest.mark.systemd]

_MAILS = 60  # more than a chunk
# The site's folder stays writable, as StateDirectory= does under ProtectSystem=strict; all else becomes read-only.
_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd "$0" && exec "$@"'


def members(name: str) -> set[str]:
    """The system calls of one of systemd's sets, those of the sets inside it included."""
    found: set[str] = set()
    for line in analyze("syscall-filter", name).stdout.splitlines()[1:]:
        word = line.split("#")[0].strip()
        if word.startswith("@"):
            found |= members(word)
        elif word:
            found.add(word)
    return found


def allowed_calls() -> set[str]:
    """What the SystemCallFilter= lines of the unit leave."""
    allowed: set[str] = set()
    for line in settings_of_the_unit("SystemCallFilter"):
        names = set().union(*(members(name) if "@" in name else {name} for name in line.removeprefix("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def numbers(names: set[str]) -> Iterator[int]:
    """The numbers of system calls on this machine; those that it does not have are left out."""
    resolve = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2").seccomp_syscall_resolve_name
    for name in sorted(names):
        number = int(resolve(name.encode()))
        if number >= 0:
            yield number


def possible() -> str:
    """Why it cannot be shown here, or ""."""
    if not seccomp.available():
        return "the filter is written for Linux on x86-64"
    if os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("unshare"):
        return "needs root, unshare and setpriv"
    tried = subprocess.run(["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"], capture_output=True, timeout=10)
    return "" if tried.returncode == 0 else "this machine lets nobody make a mount namespace"


def test_the_main_job_is_done_inside_the_unit_s_walls(
    site: Site, dovecot: Dovecot, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said := possible():
        pytest.skip(said)
    calls = ",".join(str(number) for number in numbers(allowed_calls()))
    assert calls.count(",") > 200
    monkeypatch.setattr(
        site, "_command", lambda *words: _walled(site.folder, *words, "--config", str(site.configuration))
    )
    dovecot.deliver(post.requests(_MAILS))
    site.start(RIGGED="confined", RIGGED_CALLS=calls, PYTHONDONTWRITEBYTECODE="1")
    for wall in ("another file", "another family", "executable memory", "a resource call", "a privileged call"):
        assert "is refused" in site.wait_log(f"rigged: {wall}")
    ours = smtp_sink.wait_for(_MAILS)[0]
    dovecot.append(post.reply(ours, "One thing more."))
    site.wait_idle(_MAILS + 1)
    truth.all_are_flagged(dovecot, _MAILS + 1)
    assert "refused" not in site.hang_up()
    assert site.stop() == 0
    assert [line for line in site.log if "ERROR" in line or "CRITICAL" in line] == []
    truth.each_was_answered_once(smtp_sink, [f"person{number}@example.org" for number in range(1, _MAILS + 1)])


def _walled(folder: Path, *words: str) -> list[str]:
    without_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    inside = ["sh", "-c", _READ_ONLY, str(folder), *without_rights, sys.executable, str(RIGGED), *words]
    return ["unshare", "--mount", "--propagation", "private", *inside]
