"""A bare Debian 12 that boots: a real systemd in a container, on this machine's network."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers.machine import program, until

CHECKOUT = Path(__file__).parent.parent.parent
_SUITE = "bookworm"
_PACKAGES = ("ca-certificates", "dbus", "python3-venv", "systemd")
_SMALLER = ("/usr/share/locale/*", "/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*")
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
_BUILD_SECONDS, _COMMAND_SECONDS, _BOOT_SECONDS, _HALT_SECONDS = 600.0, 240.0, 90.0, 60.0
_numbers = itertools.count(1)


class CannotBoot(Exception):
    """Why no container can be booted here."""


def bare_root() -> Path:
    """An archive with the files of a bare Debian 12 that has systemd and python3-venv; made once for a checkout.

    Raises CannotBoot with what the tool said.
    """
    recipe = hashlib.sha256(repr((_SUITE, _PACKAGES, _SMALLER)).encode()).hexdigest()[:12]
    archive = CHECKOUT / "build" / "boot" / f"{_SUITE}-{recipe}.tar"
    if archive.exists():
        return archive
    for tool in ("mmdebstrap", "systemd-nspawn"):
        if program(tool, "/usr/bin") is None:
            raise CannotBoot(f"{tool} is missing (apt install mmdebstrap systemd-container)")
    archive.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(file) for file in _SOURCES if file.exists() and file.read_text().strip()][:1]
    unfinished = archive.with_suffix(f".{os.getpid()}.tar")
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}",
         *(f"--dpkgopt=path-exclude={pattern}" for pattern in _SMALLER), _SUITE, str(unfinished), *sources],
        capture_output=True, text=True, timeout=_BUILD_SECONDS,
    )  # fmt: skip
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        raise CannotBoot(f"mmdebstrap could not build a Debian: {done.stderr.strip()[-1500:]}")
    unfinished.rename(archive)
    return archive


class Machine:
    """One booted container; `close` ends it and leaves nothing of it behind.

    Its loopback is this machine's, so servers of the tests answer there as the mail servers of a provider.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise CannotBoot("only root can boot a container")
        self._name = f"mailticket-test-{os.getpid()}-{next(_numbers)}"
        archive = bare_root()
        self.root = Path(tempfile.mkdtemp(prefix="mailticket-boot-", dir="/var/tmp"))
        self._log = self.root.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        try:
            subprocess.run(
                ["tar", "--directory", str(self.root), "--extract", "--file", str(archive), "--exclude=./dev/*"],
                check=True, timeout=_COMMAND_SECONDS,
            )  # fmt: skip
            self.root.chmod(0o755)
            self._boot()
        except BaseException:
            self.close()
            raise

    def _boot(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}",
                 f"--machine={self._name}", "--register=no", "--keep-unit", "--settings=no", "--resolv-conf=off",
                 "--timezone=off", "--link-journal=no", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            until(lambda: self._leader() is not None, "the first process of the container", _BOOT_SECONDS)
            until(self._is_up, "systemd in the container", _BOOT_SECONDS)
        except AssertionError as error:
            said = self._log.read_text(errors="replace")[-3000:]
            raise CannotBoot(f"{error}; systemd-nspawn said:\n{said}") from None

    def _is_up(self) -> bool:
        done = self.run("systemctl", "is-system-running", "--wait", expect=None)
        if done.stdout.strip() == "degraded":
            raise CannotBoot(f"units failed at boot: {self.run('systemctl', '--failed', '--no-pager').stdout}")
        return done.stdout.strip() == "running"

    def _leader(self) -> int | None:
        """The container's first process, seen from here."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended with {self._process.returncode}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        with contextlib.suppress(OSError):
            if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
                return int(children[0])
        return None

    def run(
        self,
        *command: str,
        stdin: str = "",
        expect: int | None = 0,
        environ: Mapping[str, str] | None = None,
        cwd: str = "/root",
        seconds: float = _COMMAND_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root. Fails unless it ends with the status that is expected (None: whichever)."""
        leader = self._leader()
        assert leader is not None
        clean = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        }
        variables = [f"{name}={value}" for name, value in {**clean, **(environ or {})}.items()]
        done = subprocess.run(
            ["nsenter", "--target", str(leader), "--all", "--wdns=" + cwd, "env", "-i", *variables, *command],
            input=stdin, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
        if expect is not None and done.returncode != expect:
            log = self.run("journalctl", "--no-pager", "-n", "40", "-u", "mailticket", expect=None).stdout
            raise AssertionError(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}\n--- journal\n{log}"
            )
        return done

    def shell(self, line: str, *, stdin: str = "", expect: int | None = 0, cwd: str = "/root",
              environ: Mapping[str, str] | None = None) -> str:  # fmt: skip
        """Run a line of a shell inside as root; what it printed on both streams."""
        done = self.run("sh", "-c", line, stdin=stdin, expect=expect, cwd=cwd, environ=environ)
        return done.stdout + done.stderr

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file or folder to a path inside."""
        place = self.root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True)
        else:
            shutil.copyfile(source, place)

    def close(self) -> None:
        """Halt, by force if it must be, and remove every file."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_HALT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # its first process dies with it, and with that all others
                process.wait(_HALT_SECONDS)
        shutil.rmtree(self.root, ignore_errors=True)
        self._log.unlink(missing_ok=True)
        _remove_folders(Path("/run/systemd/nspawn/propagate", self._name))
        for name in ("payload", "supervisor"):  # the control groups of a container beside those of its caller
            for place in {_own_group(line) / name for line in Path("/proc/self/cgroup").read_text().splitlines()}:
                _remove_folders(place)


def _own_group(line: str) -> Path:
    """The folder of this process's control group, by a line of cgroups(7)' /proc/PID/cgroup."""
    _, controllers, path = line.split(":", 2)
    hierarchy = controllers.removeprefix("name=") or ("unified" if Path("/sys/fs/cgroup/unified").is_dir() else "")
    return Path("/sys/fs/cgroup", hierarchy, path.lstrip("/"))


def _remove_folders(place: Path) -> None:
    """Remove a tree of folders that hold nothing of their own; one that is in use stays."""
    for folder in [*sorted((p for p in place.rglob("*") if p.is_dir()), reverse=True), place]:
        with contextlib.suppress(OSError):
            folder.rmdir()
