"""The documented installation on a machine that boots: both ways, by the page word by word, up to the first answer."""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.boot import page
from tests.boot.machine import CHECKOUT, CannotBoot, Machine
from tests.servers.certificate import make_certificate
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.machine import require, until
from tests.servers.smtp import SmtpSink

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1500)]

CONFIGURATION = "/etc/mailticket/mailticket.toml"
DATABASE = "/var/lib/mailticket/mailticket.db"
FACTS = """\
mailticket:/var/lib/mailticket:/usr/sbin/nologin
mailticket mailticket-staff
750 root:mailticket /etc/mailticket
750 root:mailticket /etc/mailticket/credentials
640 root:mailticket /etc/mailticket/credentials/imap-password
640 root:mailticket /etc/mailticket/credentials/smtp-password
640 root:mailticket /etc/mailticket/mailticket.toml
755 mailticket:mailticket /run/mailticket
700 mailticket:mailticket /var/lib/mailticket
600 mailticket:mailticket /var/lib/mailticket/mailticket.db
600 mailticket:mailticket /var/lib/mailticket/mailticket.db-shm
600 mailticket:mailticket /var/lib/mailticket/mailticket.db-wal
600 mailticket:mailticket /var/lib/mailticket/mailticket.db.lock
"""
"""What either way leaves on the machine while the daemon runs."""


class Provider:
    """The mail servers that the page asks for: IMAP and SMTP over TLS, with a sign-in."""

    def __init__(self, folder: Path) -> None:
        self.dovecot = Dovecot()
        certificate, key = make_certificate(folder)
        self.smtp = SmtpSink(security="tls", certificate=(str(certificate), str(key)), sign_in=True)
        self.authorities = folder / "authorities.pem"
        self.authorities.write_text(self.dovecot.certificate.read_text() + certificate.read_text())

    def send(self, subject: str) -> None:
        """A mail of a requester to the support address."""
        raw = (
            f"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: {subject}\r\n"
            f"Message-ID: <{time.time_ns()}@example.net>\r\n\r\nMy withdrawal does not arrive. {subject}\r\n"
        )
        self.dovecot.append(raw.encode())

    def close(self) -> None:
        self.smtp.stop()
        self.dovecot.close()


@contextmanager
def booted() -> Iterator[Machine]:
    """A machine of one's own; only one at a time, since containers share the control group of their caller."""
    (CHECKOUT / "build" / "boot").mkdir(parents=True, exist_ok=True)
    with (CHECKOUT / "build" / "boot" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            machine = Machine()
        except CannotBoot as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"no machine can be booted here, and CI must: {reason}")
            pytest.skip(f"no machine can be booted here: {reason}")
        try:
            yield machine
        finally:
            machine.close()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    require(Dovecot.available(), "Dovecot (Debian's dovecot-imapd) or openssl")
    provider = Provider(tmp_path)
    yield provider
    provider.close()


@functools.cache
def make(target: str) -> None:
    """Make a target of the Makefile, once for this process of tests."""
    done = subprocess.run(["make", "--silent", target], cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def bring_sources(machine: Machine) -> dict[str, str]:
    """Copy what pip needs of the checkout to /root/mailticket; the environment in which pip needs no network."""
    for name in ("mailticket", "templates", "config", "systemd", "README.md", "pyproject.toml"):
        machine.copy_in(CHECKOUT / name, f"/root/mailticket/{name}")
    machine.copy_in(CHECKOUT / "build" / "wheels", "/root/wheels")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/root/wheels", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def edit(machine: Machine, provider: Provider) -> None:
    """What a person does in the editor: the page's lines, with the names of this provider."""
    text = machine.shell(f"cat {CONFIGURATION}")
    for section, table in page.configuration().items():
        values = dict(table[0] if isinstance(table, list) else table)
        if "host" in values:
            port = provider.dovecot.tls_port if section == "mailbox" else provider.smtp.port
            values |= {"host": "127.0.0.1", "port": port, "ca_file": "/etc/mailticket/authorities.pem"}
        if section == "mailbox":
            values["username"] = provider.dovecot.user
        for key, value in values.items():
            line = f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
            pattern = rf"(?ms)(^\[+{section}\]+\n(?:(?!^\[).)*?)^#?{key} = [^\n]*"
            text, count = re.subn(pattern, lambda match, line=line: match[1] + line, text, count=1)
            assert count, f"[{section}] {key} does not stand in the shipped configuration"
    machine.shell(f"cat > {CONFIGURATION}", stdin=text)
    machine.copy_in(provider.authorities, "/etc/mailticket/authorities.pem")


def configure(machine: Machine, provider: Provider) -> None:
    for command in page.commands("Configure"):
        if command == f"editor {CONFIGURATION}":
            edit(machine, provider)
        elif command.startswith("install "):
            machine.shell(command, stdin=f"{PASSWORD}\n")
        else:
            assert command == "mailticket check"
            print(machine.shell(command))


def first_answer(machine: Machine, provider: Provider) -> None:
    """The page's chapter `Start`: the first mail is in, its acknowledgement and an answer are out."""
    provider.smtp.clear()
    start, *rest = page.commands("Start")
    machine.shell(start)
    provider.send("Withdrawal of Monday")
    (letter,) = provider.smtp.wait_for(1)
    assert letter.recipients == ("ann@example.net",)
    (key,) = set(re.findall(rb"MT-\w{4}-\w{4}", letter.raw))
    for command in rest:
        said = machine.shell(command.replace("ID", key.decode()))
        assert key.decode() in said or command == "mailticket status", said
    answer = provider.smtp.wait_for(2)[1]
    assert b"Thank you, we look into it." in answer.raw


def facts(machine: Machine) -> str:
    """Users, groups, owners and rights, as they are now."""
    return machine.shell(
        "getent passwd mailticket | cut -d: -f1,6,7; id -nG mailticket; "
        "stat -c '%a %U:%G %n' /etc/mailticket /etc/mailticket/credentials /etc/mailticket/credentials/* "
        f"{CONFIGURATION} /run/mailticket /var/lib/mailticket /var/lib/mailticket/*"
    )


def unit(machine: Machine, path: str, prefix: str) -> str:
    """The unit, but for where the program lies."""
    return machine.shell(f"cat {path}").replace(prefix, "/opt/mailticket/venv")


def is_active(machine: Machine) -> bool:
    return machine.run("systemctl", "is-active", "mailticket", expect=None).stdout.strip() == "active"


def main_process(machine: Machine) -> str:
    return machine.run("systemctl", "show", "--value", "--property=MainPID", "mailticket").stdout.strip()


def reload_is_answered(machine: Machine) -> None:
    """A good configuration is taken; a broken one fails visibly, with its problem, and the daemon goes on."""
    (command, log) = page.commands("Change the configuration")
    process = main_process(machine)
    machine.shell(command)
    good = machine.shell(f"cat {CONFIGURATION}")
    machine.shell(f"cat > {CONFIGURATION}", stdin=f"{good}\n[smpt]\n")
    machine.shell(command, expect=1)
    assert "[smpt]" in machine.shell(log)
    assert is_active(machine)
    assert main_process(machine) == process
    machine.shell(f"cat > {CONFIGURATION}", stdin=good)
    machine.shell(command)


def a_failure_is_told(machine: Machine) -> None:
    """The page's example: a unit of the administrator is started when the configuration cannot be used."""
    teller, drop_in = page.units()
    machine.shell("cat > /etc/systemd/system/tell-somebody@.service", stdin=teller)
    folder = "/etc/systemd/system/mailticket.service.d"
    machine.shell(f"mkdir {folder} && cat > {folder}/override.conf && systemctl daemon-reload", stdin=drop_in)
    machine.shell(
        f"mv {CONFIGURATION} /root/ && ! systemctl restart mailticket && mv /root/mailticket.toml /etc/mailticket/"
    )
    until(
        lambda: "Finished" in machine.shell("journalctl --no-pager -u 'tell-somebody@mailticket.service.service'"),
        "the unit that tells somebody",
        30,
    )
    machine.shell("systemctl restart mailticket")


def wrong_secret_is_loud(machine: Machine) -> None:
    file = "/etc/mailticket/credentials/imap-password"
    machine.shell(f"install -m 640 -g mailticket /dev/stdin {file}", stdin="not the password\n")
    machine.shell("systemctl restart mailticket")
    until(lambda: "refused" in machine.shell("mailticket status", expect=None), "the refused sign-in in `status`", 30)
    assert "✗" in machine.shell("mailticket check", expect=1)
    machine.shell(f"install -m 640 -g mailticket /dev/stdin {file}", stdin=f"{PASSWORD}\n")
    machine.shell("systemctl restart mailticket")


def root_leaves_nothing_behind(machine: Machine, provider: Provider) -> None:
    """What root runs by hand, before there is any database too, the daemon can go on with."""
    machine.shell("systemctl stop mailticket; mv /var/lib/mailticket/* /root/")
    machine.shell("umask 022; mailticket run --once")
    owners = machine.shell("stat -c '%a %U:%G' /var/lib/mailticket/*")
    assert set(owners.splitlines()) == {"600 mailticket:mailticket"}
    machine.shell("rm /var/lib/mailticket/*; mv /root/mailticket.db* /var/lib/mailticket/")
    machine.shell("runuser -u mailticket -- mailticket run --once")
    machine.shell("systemctl start mailticket")
    count = len(provider.smtp.accepted)
    provider.send("Withdrawal of Tuesday")
    provider.smtp.wait_for(count + 1)


def strangers_are_told(machine: Machine) -> None:
    for account in ("--reuid=65534 --clear-groups", "--reuid=65534 --regid=65534 --groups=$(id -g mailticket)"):
        for command, way in (("status", "usermod -aG mailticket-staff nobody"), ("check", "sudo")):
            said = machine.shell(f"setpriv {account} mailticket {command}", expect=77, cwd="/")
            assert way in said
            assert "Traceback" not in said


def test_the_package_of_debian_12(provider: Provider) -> None:
    require(shutil.which("dh"), "debhelper")
    with booted() as machine:
        *building, install = page.commands("Debian 12: a package")
        assert building[-1] == "make deb"
        make("deb")
        (package,) = (CHECKOUT / "dist").glob("mailticket_*.deb")
        lintian_finds_nothing(package)
        machine.copy_in(package, f"/root/dist/{package.name}")
        assert "not started" in machine.shell(install)
        assert not is_active(machine)
        configure(machine, provider)
        first_answer(machine, provider)
        assert facts(machine) == FACTS
        shipped = (CHECKOUT / "systemd" / "mailticket.service").read_text()
        assert unit(machine, "/lib/systemd/system/mailticket.service", "/usr/lib/mailticket") == shipped
        assert "there is nothing to do" in machine.shell("mailticket setup", expect=2)
        strangers_are_told(machine)
        reload_is_answered(machine)
        a_failure_is_told(machine)
        wrong_secret_is_loud(machine)
        root_leaves_nothing_behind(machine, provider)

        before, written = main_process(machine), machine.shell(f"cat {CONFIGURATION}")
        newer(machine, package.name)
        machine.shell("apt install -y /root/newer/mailticket_*.deb")
        assert is_active(machine)
        assert main_process(machine) != before
        assert machine.shell(f"cat {CONFIGURATION}") == written

        machine.shell("apt remove -y mailticket")
        assert not is_active(machine)
        machine.shell(f"test -f {CONFIGURATION} && test -f {DATABASE}")
        (purge,) = (line for line in page.commands("Remove") if line.startswith("apt "))
        assert "stays in /var/lib/mailticket" in machine.shell(purge)
        machine.shell(f"test ! -e /etc/mailticket && test ! -e /usr/lib/mailticket && test -f {DATABASE}")


def lintian_finds_nothing(package: Path) -> None:
    require(shutil.which("lintian"), "lintian")
    done = subprocess.run(
        ["lintian", "--fail-on", "error,warning", str(package)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def newer(machine: Machine, name: str) -> None:
    """Lay a newer version of the package into /root/newer, the same but for its number."""
    machine.shell(
        f"mkdir newer && dpkg-deb -R dist/{name} parts && sed -i 's/^Version: .*/&+1/' parts/DEBIAN/control && "
        f"dpkg-deb -Znone -b parts newer/mailticket_newer.deb && rm -r parts"
    )


def test_pip_and_setup(provider: Provider) -> None:
    with booted() as machine:
        make("wheels")
        environ = bring_sources(machine)
        *commands, setup = page.commands("Any Linux: pip")
        for command in commands:
            machine.shell(command, cwd="/root/mailticket", environ=environ)
        assert "to do:      the user mailticket" in machine.shell(f"{setup} --dry-run")
        machine.shell("! getent passwd mailticket && test ! -e /etc/mailticket")
        assert "run it as root" in machine.shell(f"setpriv --reuid=65534 --clear-groups {setup}", expect=2, cwd="/")
        assert "done:       the user mailticket" in machine.shell(setup)
        again = machine.shell(setup)
        assert "already so:" in again
        assert "done:" not in again
        assert not is_active(machine)
        configure(machine, provider)
        first_answer(machine, provider)
        assert facts(machine) == FACTS
        shipped = (CHECKOUT / "systemd" / "mailticket.service").read_text()
        assert unit(machine, "/etc/systemd/system/mailticket.service", "/opt/mailticket/venv") == shipped
        reload_is_answered(machine)

        before = main_process(machine)
        for command in page.commands("Upgrade")[2:]:
            machine.shell(command, cwd="/root/mailticket", environ=environ)
        assert main_process(machine) != before
        assert is_active(machine)

        for command in page.commands("Remove")[1:]:
            machine.shell(command)
        machine.shell(f"test -f {CONFIGURATION} && test -f {DATABASE}")
        machine.shell("! command -v mailticket && ! systemctl cat mailticket 2>/dev/null")
