"""What makes an installed program a service: accounts, folders, configuration, unit, completion and man page.

The Debian package and `mailticket setup` lay down the same files, made here; only the places differ.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mailticket.config.files import shipped_folder
from mailticket.config.read import SYSTEM_FILE
from mailticket.errors import Refused

USER, STAFF = "mailticket", "mailticket-staff"
_SHIPPED_PREFIX = "/opt/mailticket/venv"
"""Where the unit in systemd/ expects the program's virtual environment."""
_PACKAGED_UNITS = (Path("/lib/systemd/system/mailticket.service"), Path("/usr/lib/systemd/system/mailticket.service"))
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108
"""Where the unit sees nothing: ProtectHome= and PrivateTmp=."""
_LINK = Path("/usr/local/bin/mailticket")
_COMMAND_SECONDS = 60.0


@dataclass(frozen=True)
class Places:
    """Where the files of an installation go: the administrator's places, or a package's."""

    units: Path
    accounts: Path
    folders: Path
    share: Path


BY_HAND = Places(
    units=Path("/etc/systemd/system"),
    accounts=Path("/etc/sysusers.d"),
    folders=Path("/etc/tmpfiles.d"),
    share=Path("/usr/local/share"),
)
PACKAGED = Places(
    units=Path("/lib/systemd/system"),
    accounts=Path("/usr/lib/sysusers.d"),
    folders=Path("/usr/lib/tmpfiles.d"),
    share=Path("/usr/share"),
)


@dataclass(frozen=True)
class Step:
    """One thing that has to be so. is_done looks and changes nothing; do raises OSError or Refused."""

    what: str
    is_done: Callable[[], bool]
    do: Callable[[], None]


def program() -> Path:
    """The installed command of the Python that runs now."""
    return Path(sysconfig.get_path("scripts"), "mailticket")


def unit_text(prefix: str, interpreter: str) -> str:
    """The shipped unit for a program whose environment lies at `prefix` and whose Python at `interpreter`."""
    text = (shipped_folder("systemd") / "mailticket.service").read_text("utf-8")
    places = prefix if interpreter in ("/usr", prefix) else f"{prefix} -{interpreter}"
    return text.replace(f"-{_SHIPPED_PREFIX} ", f"-{places} ").replace(_SHIPPED_PREFIX, prefix)


def shared_files(places: Places, prefix: str, interpreter: str, texts: Mapping[str, str]) -> dict[Path, str]:
    """Every file of an installation but the configuration. texts: completion and manual pages by path below share/."""
    systemd = shipped_folder("systemd")
    return {
        places.accounts / "mailticket.conf": (systemd / "sysusers.conf").read_text("utf-8"),
        places.folders / "mailticket.conf": (systemd / "tmpfiles.conf").read_text("utf-8"),
        places.units / "mailticket.service": unit_text(prefix, interpreter),
        **{places.share / name: text for name, text in texts.items()},
    }


def obstacle() -> str:
    """Why this program cannot be set up as a service; "" when it can."""
    for unit in _PACKAGED_UNITS:
        if unit.exists():
            return f"the Debian package has set everything up already ({unit}); there is nothing to do"
    for place in (sys.prefix, sys.base_prefix):
        if any(Path(place).resolve().is_relative_to(hidden) for hidden in HIDDEN):
            return (
                f"{place} lies where a service may not look; install into /opt: python3 -m venv {_SHIPPED_PREFIX}, "
                f"with a Python that lies outside of {', '.join(HIDDEN)}"
            )
    if not program().exists():
        return f"{program()} is missing; install mailticket with pip into a virtual environment first"
    return ""


def steps(texts: Mapping[str, str]) -> Iterator[Step]:
    """All that `setup` sees to, in order; each is looked at only when those before it are done."""
    files = shared_files(BY_HAND, sys.prefix, sys.base_prefix, texts)
    accounts, folders = BY_HAND.accounts / "mailticket.conf", BY_HAND.folders / "mailticket.conf"
    unit = BY_HAND.units / "mailticket.service"
    for path in (accounts, folders):
        yield _file(path, files.pop(path))
    yield Step(
        f"the user {USER} and the group {STAFF}",
        _has_accounts,
        lambda: _run("systemd-sysusers", str(accounts)),
    )
    yield Step(f"a configuration in {SYSTEM_FILE}", SYSTEM_FILE.exists, write_configuration)
    text = (shipped_folder("systemd") / "tmpfiles.conf").read_text("utf-8")
    yield Step(
        "owners and rights of /etc/mailticket and /var/lib/mailticket",
        lambda: has_rights(text),
        lambda: _run("systemd-tmpfiles", "--create", str(folders)),
    )
    for path, content in files.items():
        yield _unit(path, content) if path == unit else _file(path, content)
    if program() != _LINK:
        yield Step(f"{_LINK} -> {program()}", lambda: _LINK.is_symlink() and _LINK.readlink() == program(), _link)
    yield Step(f"that the user {USER} can run {program()}", _user_can_run, _let_user_run)


def removal(texts: Mapping[str, str]) -> Iterator[Step]:
    """The way back: what `steps` laid down goes; accounts, configuration and database stay."""
    unit = BY_HAND.units / "mailticket.service"
    yield Step(
        "the service is stopped and disabled",
        lambda: not unit.exists(),
        lambda: _run("systemctl", "disable", "--now", "mailticket"),
    )
    files = [*shared_files(BY_HAND, sys.prefix, sys.base_prefix, texts), _LINK]
    yield from (_absence(path) for path in files)


def write_configuration() -> None:
    """The shipped configuration in its place, readable for the daemon; never over one that is there."""
    SYSTEM_FILE.parent.mkdir(mode=0o750, exist_ok=True)
    with SYSTEM_FILE.open("x", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o640)
        os.fchown(file.fileno(), 0, grp.getgrnam(USER).gr_gid)
        file.write((shipped_folder("config") / "mailticket.toml").read_text("utf-8"))


def has_rights(tmpfiles: str) -> bool:
    """Whether everything that the lines of a tmpfiles.d(5) file name has the mode, user and group that they say."""
    for line in tmpfiles.splitlines():
        if not line or line.startswith("#"):
            continue
        kind, path, mode, user, group = line.split()
        root = Path("/")
        paths = list(root.glob(path.removeprefix("/"))) if kind == "z" else [Path(path)]
        for place in paths:
            if not place.exists():
                return False
            status = place.stat()
            is_so = (status.st_mode & 0o7777, pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name)
            if is_so != (int(mode, 8), user, group):
                return False
    return True


def _file(path: Path, content: str) -> Step:
    def write() -> None:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        path.chmod(0o644)

    return Step(str(path), lambda: path.is_file() and path.read_text("utf-8") == content, write)


def _unit(path: Path, content: str) -> Step:
    plain = _file(path, content)

    def write() -> None:
        plain.do()
        _have_units_read()

    return Step(plain.what, plain.is_done, write)


def _absence(path: Path) -> Step:
    def remove() -> None:
        path.unlink()
        if path.suffix == ".service":
            _have_units_read()

    return Step(f"{path} is gone", lambda: not path.exists() and not path.is_symlink(), remove)


def _have_units_read() -> None:
    if Path("/run/systemd/system").is_dir():  # systemd runs here, and knows only what it has read
        _run("systemctl", "daemon-reload")


def _link() -> None:
    if _LINK.exists() and not _LINK.is_symlink():
        raise Refused(f"{_LINK} is a program of its own; remove it and run this again")
    _LINK.unlink(missing_ok=True)
    _LINK.symlink_to(program())


def _has_accounts() -> bool:
    try:
        return bool(pwd.getpwnam(USER)) and USER in grp.getgrnam(STAFF).gr_mem
    except KeyError:
        return False


def _user_can_run() -> bool:
    try:
        user = pwd.getpwnam(USER)
        done = subprocess.run(  # noqa: S603
            [program(), "--version"], user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", timeout=60,
            capture_output=True, check=False,
        )  # fmt: skip
    except (KeyError, OSError):
        return False
    return done.returncode == 0


def _let_user_run() -> None:
    """pip installs with the umask of root, which on some systems keeps everybody else out."""
    _run("chmod", "-R", "a+rX", sys.prefix)
    if not _user_can_run():
        raise Refused(f"the user {USER} may not run {program()}: look at the rights of the folders above it")


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        raise Refused(f"{command[0]} is missing: the service needs systemd")
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
    )
    if done.returncode:
        raise Refused(f"{' '.join(command)} failed: {done.stderr.strip() or done.returncode}")
