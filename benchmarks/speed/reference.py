"""The bare loop that the program is compared with; it does the main job and nothing besides.

Fetch 50 at a time (IMAPClient), parse with the standard library's `email` (policy default, bodies and attachments
decoded), insert with plain `sqlite3` (WAL, synchronous FULL, one commit for 50), render a small template (Jinja) and
send with `smtplib` on one connection that is kept. It answers what neither refers to another mail nor is automatic.

    python -m benchmarks.speed.reference PORT_IMAP USER PASSWORD PORT_SMTP DATABASE [--idle]

prints the time of `time.monotonic` when it set out, then, with `--idle`, waits for mail until its stdin ends.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import hashlib
import select
import smtplib
import sqlite3
import sys
import time
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr

from imapclient import IMAPClient
from jinja2 import Environment

CHUNK = 50
_TEMPLATE = """Dear {{ name or "customer" }},

thank you for your mail "{{ subject }}". Your ticket is {{ ticket }}; you will hear from us within {{ hours }} hours.
{% if attachments %}We received these files:
{% for one in attachments %}  * {{ one }}
{% endfor %}{% endif %}
Kind regards
Example Support
"""
_TABLES = """
CREATE TABLE mail (id INTEGER PRIMARY KEY, uid INTEGER UNIQUE, message_id TEXT, sender TEXT, subject TEXT, text TEXT,
  raw BLOB, digest TEXT);
CREATE INDEX mail_message_id ON mail (message_id);
CREATE TABLE attachment (id INTEGER PRIMARY KEY, mail INTEGER, name TEXT, size INTEGER);
"""


class Loop:
    """The bare loop over one mailbox."""

    def __init__(self, imap_port: int, user: str, password: str, smtp_port: int, database: str) -> None:
        self.began = time.monotonic()
        self.imap = IMAPClient("127.0.0.1", imap_port, ssl=False)
        self.imap.login(user, password)
        self.imap.select_folder("INBOX")
        self.smtp = smtplib.SMTP("127.0.0.1", smtp_port)
        self.smtp.ehlo("localhost")
        self.store = sqlite3.connect(database)
        self.store.execute("PRAGMA journal_mode=WAL")
        self.store.execute("PRAGMA synchronous=FULL")
        self.store.executescript(_TABLES)
        self.template = Environment(autoescape=False).from_string(_TEMPLATE)
        self.last = 0
        self.sent = 0

    def round(self) -> None:
        """Take in and answer all that is new."""
        uids = [uid for uid in self.imap.search(f"UID {self.last + 1}:*") if uid > self.last]
        for start in range(0, len(uids), CHUNK):
            some = uids[start : start + CHUNK]
            fetched = self.imap.fetch(some, ["BODY.PEEK[]"])
            answers = [answer for uid in some if uid in fetched for answer in self._take(uid, fetched[uid][b"BODY[]"])]
            self.store.commit()
            for answer in answers:
                self.smtp.send_message(answer)
                self.sent += 1
            self.last = some[-1]

    def _take(self, uid: int, raw: bytes) -> list[EmailMessage]:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        subject, message_id = str(message["Subject"]), str(message["Message-ID"])
        name, sender = parseaddr(str(message["From"]))
        texts, names, sizes = [], [], []
        for part in message.walk():
            if part.is_multipart():
                continue
            content = part.get_content()
            if part.get_content_maintype() == "text":
                texts.append(content)
            else:
                names.append(part.get_filename() or "")
                sizes.append(len(content))
        digest = hashlib.sha256(raw).hexdigest()
        insert = "INSERT INTO mail (uid, message_id, sender, subject, text, raw, digest) VALUES (?, ?, ?, ?, ?, ?, ?)"
        row = self.store.execute(insert, (uid, message_id, sender, subject, texts[0] if texts else "", raw, digest))
        files = [(row.lastrowid, *one) for one in zip(names, sizes, strict=True)]
        self.store.executemany("INSERT INTO attachment (mail, name, size) VALUES (?, ?, ?)", files)
        if message["In-Reply-To"] or message["Auto-Submitted"] or message["List-Id"]:
            return []
        ticket = f"MT-{row.lastrowid:08d}"
        answer = EmailMessage()
        answer["From"], answer["To"] = "Example Support <support@example.com>", sender
        answer["Subject"] = f"[{ticket}] {subject}"
        answer["Message-ID"], answer["In-Reply-To"] = make_msgid(domain="example.com"), message_id
        answer["Auto-Submitted"] = "auto-replied"
        answer.set_content(self.template.render(name=name, subject=subject, ticket=ticket, hours=48, attachments=names))
        return [answer]

    def idle_until_told(self) -> None:
        """Wait in IDLE and take in what comes, until stdin ends."""
        while True:
            self.imap.idle()
            while not (heard := self.imap.idle_check(timeout=0.5)):
                if select.select([sys.stdin], [], [], 0)[0]:
                    self.imap.idle_done()
                    return
            self.imap.idle_done()
            if heard:
                self.round()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("imap_port", type=int)
    options.add_argument("user")
    options.add_argument("password")
    options.add_argument("smtp_port", type=int)
    options.add_argument("database")
    options.add_argument("--idle", action="store_true")
    given = options.parse_args()
    loop = Loop(given.imap_port, given.user, given.password, given.smtp_port, given.database)
    print(loop.began, flush=True)
    loop.round()
    print(time.monotonic(), loop.sent, flush=True)
    if given.idle:
        loop.idle_until_told()


if __name__ == "__main__":
    main()
