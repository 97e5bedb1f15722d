"""What can happen to an installation in an hour, in seconds: who writes, what breaks, what a human tidies."""

from __future__ import annotations

import contextlib
import imaplib
import io
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from mailticket.desk.tickets import Desk
from mailticket.errors import MailticketError, WorldError
from mailticket.observe.failpoints import FAILPOINTS
from mailticket.site import Site as Running
from tests.e2e import post
from tests.e2e.site import SUPPORT, Site
from tests.helpdesk import message_id
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.smtp import DROP, DROP_KEPT, Accepted, SmtpSink

ARCHIVE, SENT = "Tidied", "Sent"
STAFF = {"mia": "mia@desk.example", "tom": "tom@desk.example"}
_REFUSALS = (
    ("RCPT", "450 4.2.1 greylisted"), ("DOT", "451 4.3.0 try again later"), ("DOT", DROP), ("DOT", DROP_KEPT),
    ("DATA", DROP), ("EHLO", "421 4.3.2 shutting down"), ("MAIL", "451 4.4.5 busy"), ("CONNECT", DROP),
)  # fmt: skip
_NEVER = "550 5.1.1 no such user"


class World:
    """The servers, the site, and what must be true of each sender at the end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.happened: Counter[str] = Counter()
        self.requests: set[str] = set()  # each owes one ticket and one acknowledgement
        self.automata: set[str] = set()  # each owes one record and no answer
        self.nobody: set[str] = set()  # addresses that the SMTP server refuses for good
        self.taken_away: set[str] = set()  # a human may have removed the mail before it was seen
        self.replies = 0
        self.outside: dict[str, str] = {}  # Message-IDs of answers from a mail program, and to whom they went
        self.by_mail: dict[str, str] = {}  # Message-IDs of answers to desk mails, and a phrase of each
        self.mails = 0
        self._numbers = iter(range(1, 10**9))
        self._raws: dict[str, bytes] = {}
        self._answered: set[str] = set()
        self.dovecot, self.sink = Dovecot(), SmtpSink()
        self.dovecot.user = f"soak{seed}@example.com"
        self.imap, self.smtp = Proxy(self.dovecot.plain_port), Proxy(self.sink.port)
        self.site = Site(folder, self.dovecot, self.sink)
        self.site.configure(
            mailbox={
                "port": self.imap.port,
                "poll_seconds": 2,
                "timeout_seconds": 10,
                "sent_folder": "auto",
                "save_sent": True,
            },
            smtp={"port": self.smtp.port, "connections": 3, "timeout_seconds": 10},
            caps={"per_address_hour": 100, "per_address_day": 1000, "total_hour": 10**6},
            log={"level": "warning"},
        )
        with self.site.configuration.open("a", encoding="utf-8") as file:
            file.writelines(f'[[staff]]\nname = "{name}"\naddresses = ["{to}"]\n' for name, to in STAFF.items())
            file.write('[desk]\nnew = "each"\ndigests = []\nhold_seconds = 0\nper_person_hour = 100000\n')
        self.dovecot.create(ARCHIVE)
        self.dovecot.create(SENT)
        self._lives_began = 0
        self.site.start()

    def close(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # which has the log, for tests
            self.site.close()
        for proxy in (self.imap, self.smtp):
            proxy.close()
        self.sink.stop()
        self.dovecot.close()

    def live(self, seconds: float) -> None:
        """Let things happen, one after the other, for a time."""
        deeds: list[tuple[Callable[[], None], int]] = [
            (self.write, 40), (self.copy, 4), (self.reply, 8), (self.automatic, 4), (self.staff, 3), (self.answer, 5),
            (self.answer_by_mail, 12),
            (self.refuse, 8),
            (self.cut_imap, 4), (self.cut_smtp, 3), (self.cut_short, 2), (self.kill, 2), (self.stop, 1),
            (self.hang_up, 1), (self.restart_smtp, 2), (self.restart_imap, 1), (self.read_by_human, 4),
            (self.tidy, 3), (self.snatch, 2), (self.bring_back, 2), (self.renumber, 1),
        ]  # fmt: skip
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            (deed,) = self.random.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])
            self.happened[deed.__name__] += 1
            # A server that is just being restarted has no ear for a human or for staff either.
            with contextlib.suppress(OSError, imaplib.IMAP4.error, WorldError):
                deed()
            if self.site.has_ended:  # by a failpoint
                self.happened["ended at a failpoint"] += 1
                self._start()
            time.sleep(self.random.uniform(0, 0.3))

    def calm(self) -> None:
        """Everything works again, and the daemon is stopped as it should be."""
        for stage, _ in _REFUSALS:
            self.sink.always(stage, None)
            self.sink.forget(stage)
        if not self.site.has_ended:
            self.site.stop()

    # --- who writes ---------------------------------------------------------------------------------------------------

    def write(self) -> None:
        people = [f"p{next(self._numbers)}@example.org" for _ in range(self.random.choice((1, 1, 1, 1, 2, 3, 10, 40)))]
        for person in people:
            self._raws[person] = post.request(person)
            if self.random.random() < 0.02:
                self.nobody.add(person)
                self.sink.for_recipient(person, _NEVER)
        self.requests.update(people)
        self._deliver(*(self._raws[person] for person in people))

    def copy(self) -> None:
        """The same mail by another way."""
        if self._raws:
            raw = self._raws[self.random.choice(sorted(self._raws))]
            self._deliver(
                b"Received: from list.example.org by mx.example.com; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + raw
            )

    def automatic(self) -> None:
        robot = f"robot{next(self._numbers)}@example.org"
        self.automata.add(robot)
        self._deliver(post.request(robot, headers={"Auto-Submitted": "auto-generated"}))

    def reply(self) -> None:
        letters = [mail for mail in self.sink.accepted[-200:] if mail.recipients[0] not in STAFF.values()]
        if letters:
            letter = self.random.choice(letters)
            self.replies += 1
            self._deliver(post.reply(letter, f"One thing more, number {next(self._numbers)}."))

    def staff(self) -> None:
        """Somebody of support answers a ticket that has been acknowledged."""
        mail = self._unanswered()
        if mail is None:
            return
        desk = Desk(self._site())
        with contextlib.suppress(MailticketError):
            desk.reply(post.ticket_id(mail), f"We look into it. ({next(self._numbers)})")
            self._answered.add(mail.recipients[0])

    def _unanswered(self) -> Accepted | None:
        known = self._answered.union(STAFF.values())
        open_ones = [mail for mail in self.sink.accepted if mail.recipients[0] not in known]
        return self.random.choice(open_ones) if open_ones else None

    def answer(self) -> None:
        """Mia or Tom answers from a mail program as support, which saves the mail; sometimes with support in Cc, and
        the copy in the inbox may come first."""
        mail = self._unanswered()
        person = mail.recipients[0] if mail else ""
        if person not in self.requests:
            return
        asked = re.search(rb"^Message-ID: (\S+)", self._raws[person], re.MULTILINE)
        assert asked is not None
        name = self.random.choice(sorted(STAFF))
        raw = post.request(
            SUPPORT, "Re: your request", f"It is settled. ({next(self._numbers)})",
            headers={"In-Reply-To": asked[1].decode(), "Sender": STAFF[name], "Cc": SUPPORT},
        ).replace(f"To: {SUPPORT}".encode(), f"To: {person}".encode(), 1)  # fmt: skip
        deeds: list[Callable[[], object]] = [lambda: self.dovecot.append(raw, folder=SENT, flags=["\\Seen"])]
        if self.random.random() < 0.5:
            deeds.append(
                lambda: self._deliver(b"Received: from relay by mx; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + raw)
            )
        self.random.shuffle(deeds)
        for deed in deeds:
            deed()
        self._answered.add(person)
        self.outside[message_id(raw)] = person

    def answer_by_mail(self) -> None:
        """Mia or Tom answers a desk mail by replying; the same mail may come twice, and both may answer one ticket."""
        told = [mail for mail in self.sink.accepted[-400:] if mail.recipients[0] in STAFF.values()]
        if not told:
            return
        phrase = f"It is settled, number {next(self._numbers)} says so."
        raw = post.reply(self.random.choice(told), phrase)
        self.by_mail[message_id(raw)] = phrase
        self._deliver(*[raw] * self.random.choice((1, 1, 1, 2)))

    def _site(self) -> Running:
        from mailticket.config.read import read_settings
        from mailticket.site import open_site

        return open_site(read_settings(self.site.configuration, {}), self.site.database)

    def _deliver(self, *raws: bytes) -> None:
        self.mails += self.dovecot.deliver(raws)

    # --- what breaks --------------------------------------------------------------------------------------------------

    def refuse(self) -> None:
        # What is about the server and not about a mail makes the outbox wait for seconds, so it comes more rarely.
        stage, reply = self.random.choice(_REFUSALS if self.random.random() < 0.2 else _REFUSALS[:4])
        self.sink.next(stage, *[reply] * self.random.randint(1, 4))

    def cut_imap(self) -> None:
        self.imap.cut()

    def cut_smtp(self) -> None:
        self.smtp.cut()

    def cut_short(self) -> None:
        """Connections last only so many bytes for a moment."""
        self.imap.cut_after = self.random.randint(50, 20_000)
        time.sleep(self.random.uniform(0, 1))
        self.imap.cut_after = None

    def kill(self) -> None:
        self.site.stop(signal.SIGKILL)
        self._start()

    def stop(self) -> None:
        if self._is_ready():
            code = self.site.stop()
            assert code in (0, -signal.SIGKILL), self.site.told()  # a failpoint may be quicker
            self._start()

    def _start(self) -> None:
        """A new life, which ends in half of all cases at some place of the program."""
        fail = ""
        if self.random.random() < 0.5:
            fail = f"{self.random.choice(FAILPOINTS)}:{self.random.randint(1, 12)}:kill"
        self._lives_began = len(self.site.notices)
        self.site.start(fail, ready=False)

    def hang_up(self) -> None:
        assert self.site.process is not None
        if self._is_ready():  # before that, the signal would simply end the interpreter
            self.site.process.send_signal(signal.SIGHUP)

    def _is_ready(self) -> bool:
        return any("READY=1" in notice for notice in self.site.notices[self._lives_began :])

    def restart_smtp(self) -> None:
        self.sink.stop()
        time.sleep(self.random.uniform(0, 0.5))
        self.sink.start()

    def restart_imap(self) -> None:
        self.dovecot.stop(self.random.choice((signal.SIGTERM, signal.SIGKILL)))
        self.dovecot.start()

    def renumber(self) -> None:
        """The folder is restored, once or so, and all its UIDs mean something else."""
        if self.happened["renumber"] == 1:
            self.dovecot.bump_uidvalidity()
            self.imap.cut()

    # --- what a human does --------------------------------------------------------------------------------------------

    def read_by_human(self) -> None:
        with self.dovecot.session() as imap:
            imap.select("INBOX")
            imap.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Flagged)")

    def tidy(self) -> None:
        """Move away what has been marked as seen, or delete it."""
        with self.dovecot.session() as imap:
            imap.select("INBOX")
            seen = imap.uid("SEARCH", "SEEN")[1][0].split()
            some = b",".join(seen[: self.random.randint(1, 100)]).decode()
            if some and self.random.random() < 0.7:
                imap.uid("MOVE", some, ARCHIVE)
            elif some:
                imap.uid("STORE", some, "+FLAGS.SILENT", "(\\Deleted)")
                imap.uid("EXPUNGE", some)

    def snatch(self) -> None:
        """Delete a mail that nobody may have seen yet."""
        with self.dovecot.session() as imap:
            imap.select("INBOX")
            uids = imap.uid("SEARCH", "ALL")[1][0].split()
            if not uids:
                return
            uid = self.random.choice(uids[-20:]).decode()
            _, data = imap.uid("FETCH", uid, "(BODY.PEEK[HEADER.FIELDS (FROM)])")
            # What the daemon flags at the same time is told among the answers, so ours need not be the first.
            senders = [item[1].decode() for item in data if isinstance(item, tuple)]
            if len(senders) != 1:
                return
            self.taken_away.add(senders[0].partition("<")[2].partition(">")[0])
            imap.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)")
            imap.uid("EXPUNGE", uid)

    def bring_back(self) -> None:
        """Move old mails back into the inbox, where they get new UIDs."""
        with self.dovecot.session() as imap:
            imap.select(ARCHIVE)
            uids = imap.uid("SEARCH", "ALL")[1][0].split()
            if uids:
                imap.uid("MOVE", b",".join(self.random.sample(uids, min(5, len(uids)))).decode(), "INBOX")
