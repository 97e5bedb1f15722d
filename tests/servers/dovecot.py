"""A real Dovecot in a temporary folder on loopback, with the server's side of the truth."""

from __future__ import annotations

import grp
import imaplib
import itertools
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from imapclient.imap_utf7 import decode, encode

from tests.servers.certificate import make_certificate
from tests.servers.machine import Unprivileged, answers, end, free_port, program, until

PASSWORD = "correct-horse"
"""Every user name signs in with this password at first; the mailbox is made at the first sign-in."""

_CONFIGURATION = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_cache_size = 0
mail_max_userip_connections = 1000
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{root}/mail/%u
mail_plugins = acl
mail_fsync = never
plugin {{
  acl = vfile
}}
{passdb}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Verschickt {{
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_limit = 1000
}}
"""


@dataclass(frozen=True)
class Stored:
    """A mail as the server has it."""

    uid: int
    flags: frozenset[str]
    received_at: datetime
    raw: bytes


class Dovecot:
    """One Dovecot. `stop` and `start` keep ports and mail; `close` ends it for good and removes its folder.

    `user` is whose mailbox is meant where none is named; the fixture gives each test its own.
    """

    def __init__(self, introspection: str = "") -> None:
        """introspection: the address at which an authorisation server says what a token is worth (RFC 7662)."""
        self._introspection = introspection
        self.user = "support@example.com"
        self.password = PASSWORD
        self.runner = Unprivileged()
        self.root = self.runner.folder("mailticket-dovecot-")
        self.plain_port, self.tls_port = free_port(), free_port()
        self.certificate, self._key = make_certificate(self.root)
        for path in (self.certificate, self._key):
            self.runner.own(path)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.configuration = self.root / "dovecot.conf"
        self._configure()
        self.start()

    @staticmethod
    def available() -> bool:
        return program("dovecot", "/usr/sbin") is not None and program("openssl") is not None

    def change_password(self, password: str) -> None:
        """Restart with another password for everybody: who is signed in is cut off."""
        self.stop()
        self.password = password
        self._configure()
        self.start()

    def _configure(self) -> None:
        who = self.runner
        text = _CONFIGURATION.format(
            root=self.root,
            user=who.name,
            group=grp.getgrgid(who.gid).gr_name,
            uid=who.uid,
            gid=who.gid,
            certificate=self.certificate,
            key=self._key,
            password=self.password,
            passdb=self._by_token() if self._introspection else "",
            plain_port=self.plain_port,
            tls_port=self.tls_port,
        )
        self.configuration.write_text(text)
        self.runner.own(self.configuration)

    def _by_token(self) -> str:
        """The configuration by which Dovecot has the authorisation server check each token."""
        file = self.root / "oauth2.conf"
        file.write_text(
            f"introspection_mode = post\nintrospection_url = {self._introspection}\nforce_introspection = yes\n"
            "active_attribute = active\nactive_value = true\nusername_attribute = username\nusername_format = %u\n"
        )
        self.runner.own(file)
        return (
            "auth_mechanisms = plain login xoauth2 oauthbearer\n"
            f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"
        )

    def start(self) -> None:
        """Start on the same ports with the same mail; returns when both ports answer."""
        dovecot = program("dovecot", "/usr/sbin")
        assert dovecot is not None
        self._process = self.runner.start([dovecot, "-F", "-c", str(self.configuration)], self.root / "start.log")
        until(lambda: self._alive() and answers(self.plain_port, b"* OK"), "Dovecot's greeting")
        until(lambda: answers(self.tls_port), "Dovecot's TLS port")

    def _alive(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            logs = [f.read_text(errors="replace") for f in self.root.glob("*.log")]
            raise AssertionError("Dovecot ended at once:\n" + "\n".join(logs))
        return True

    @property
    def running(self) -> bool:
        return self._process is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server and every session of it; the ports then refuse connections."""
        if self._process is not None:
            end(self._process, how)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def folder_path(self, user: str = "", folder: str = "INBOX") -> Path:
        """Where Dovecot keeps the folder, as a Maildir."""
        root = self.root / "mail" / (user or self.user)
        return root if folder == "INBOX" else root / ("." + encode(folder).decode("ascii").replace("/", "."))

    def append(
        self,
        raw: bytes,
        user: str = "",
        folder: str = "INBOX",
        when: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        """Append over IMAP, as a delivery agent would; `when` becomes the INTERNALDATE."""
        with self.session(user) as imap:
            date = imaplib.Time2Internaldate(when or datetime.now(UTC))
            typ, data = imap.append(_quoted(folder), f"({' '.join(flags)})", date, raw)
            assert typ == "OK", data

    def deliver(self, mails: Iterable[bytes], user: str = "", when: datetime | None = None) -> int:
        """Put mails into INBOX's Maildir, quickly and in order; returns how many. Dovecot finds them by itself."""
        inbox = self.folder_path(user)
        if not (inbox / "new").is_dir():
            self._make_inbox(user)
        count = 0
        for raw in mails:
            count += 1
            name = f"{int(time.time())}.M{next(self._numbers):09d}P{os.getpid()}.test"
            written = inbox / "tmp" / name
            written.write_bytes(raw)
            self.runner.own(written)
            if when is not None:
                os.utime(written, (when.timestamp(), when.timestamp()))
            written.rename(inbox / "new" / name)
        return count

    def messages(self, user: str = "", folder: str = "INBOX") -> list[Stored]:
        """Everything in a folder, by UID, without changing any flag; an absent folder is empty."""
        with self.session(user) as imap:
            if imap.select(_quoted(folder), readonly=True)[0] != "OK":
                return []
            _, data = imap.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        return [_stored(item) for item in data if isinstance(item, tuple)]

    def flags(self, user: str = "", folder: str = "INBOX") -> dict[int, frozenset[str]]:
        return {mail.uid: mail.flags for mail in self.messages(user, folder)}

    def flag(self, uids: Iterable[int], flags: str = "\\Seen", user: str = "", folder: str = "INBOX") -> None:
        """What a human does in a mail program: add flags."""
        with self.session(user) as imap:
            imap.select(_quoted(folder))
            imap.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", f"({flags})")

    def expunge(self, uids: Iterable[int], user: str = "", folder: str = "INBOX") -> None:
        """What a human does in a mail program: delete for good."""
        with self.session(user) as imap:
            imap.select(_quoted(folder))
            which = ",".join(map(str, uids))
            imap.uid("STORE", which, "+FLAGS.SILENT", "(\\Deleted)")
            imap.uid("EXPUNGE", which)

    def move(self, uids: Iterable[int], to: str, user: str = "", folder: str = "INBOX") -> None:
        """What a human does in a mail program: move to another folder, which must exist."""
        with self.session(user) as imap:
            imap.select(_quoted(folder))
            typ, data = imap.uid("MOVE", ",".join(map(str, uids)), _quoted(to))
            assert typ == "OK", data

    def create(self, folder: str, user: str = "") -> None:
        with self.session(user) as imap:
            typ, data = imap.create(_quoted(folder))
            assert typ == "OK", data

    def folders(self, user: str = "") -> set[str]:
        with self.session(user) as imap:
            _, data = imap.list()
        return {decode(line.rsplit(b' "/" ', 1)[1].strip(b'"')) for line in data if isinstance(line, bytes)}

    def status(self, user: str = "", folder: str = "INBOX") -> dict[str, int]:
        """MESSAGES, UIDNEXT and UIDVALIDITY of a folder."""
        with self.session(user) as imap:
            typ, data = imap.status(_quoted(folder), "(MESSAGES UIDNEXT UIDVALIDITY)")
        assert typ == "OK", data
        assert isinstance(data[0], bytes)
        return {k.decode(): int(v) for k, v in re.findall(rb"(MESSAGES|UIDNEXT|UIDVALIDITY) (\d+)", data[0])}

    def bump_uidvalidity(self, user: str = "", folder: str = "INBOX") -> int:
        """Give the folder a new UIDVALIDITY and return it, as a restore from a backup does."""
        validity = self.status(user, folder)["UIDVALIDITY"] + 1
        self._doveadm("mailbox", "update", "--uid-validity", str(validity), "-u", user or self.user, folder)
        return validity

    def make_read_only(self, user: str = "", folder: str = "INBOX", rights: str = "lr") -> None:
        """Leave the owner only these rights (RFC 4314 letters) on the folder."""
        self._make_inbox(user)
        control = self.folder_path(user, folder) / "dovecot-acl"
        control.write_text(f"owner {rights}\n")
        self.runner.own(control)

    def _make_inbox(self, user: str) -> None:
        with self.session(user) as imap:
            imap.select("INBOX")

    def _doveadm(self, *arguments: str) -> str:
        doveadm = program("doveadm", "/usr/bin")
        assert doveadm is not None
        return self.runner.run([doveadm, "-c", str(self.configuration), *arguments])

    def kick(self, user: str = "") -> None:
        """Cut every session of a user, as a server's administrator may; one who is between two has none to cut."""
        try:
            self._doveadm("kick", user or self.user)
        except AssertionError as error:
            if "no users kicked" not in str(error):
                raise

    @contextmanager
    def session(self, user: str = "") -> Iterator[imaplib.IMAP4]:
        """A signed-in connection of the standard library's client: an eye that is not the one under test."""
        imap = imaplib.IMAP4("127.0.0.1", self.plain_port, timeout=20)
        try:
            imap.login(user or self.user, self.password)
            yield imap
        finally:
            imap.logout()

    def tls_context(self) -> ssl.SSLContext:
        """A context that trusts this server's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))


def _quoted(folder: str) -> str:
    quoted: str = '"' + encode(folder).decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '"'
    return quoted


def _stored(item: tuple[bytes, bytes]) -> Stored:
    head, raw = item
    uid = re.search(rb"UID (\d+)", head)
    flags = re.search(rb"FLAGS \(([^)]*)\)", head)
    date = re.search(rb'INTERNALDATE "([^"]+)"', head)
    assert uid and flags and date, head
    received_at = datetime.strptime(date[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    return Stored(int(uid[1]), frozenset(flags[1].decode().split()), received_at, raw)
