"""The seeded mix of mails: 70 % new requests, 25 % replies, and duplicates, copies and automatic mail.

Texts are those of the labelled sets beside this folder, English and Chinese, signed and followed by quoted history;
half have an HTML alternative, a third attachments. Sizes have a median of about 10 kB and a mean of about 60 kB.
"""

from __future__ import annotations

import email.policy
import json
import math
import random
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from benchmarks.reader import markup

SUPPORT = "support@example.com"
BORDER = "mx.example.com"
_SETS = Path(__file__).resolve().parents[1]
_NAMES = ("Ann Example", "王小明", "Jörg Müller", "Liu Wei", "Maria Rossi", "陳大文")


@cache
def requests() -> tuple[tuple[str, str], ...]:
    """Subjects and texts of the labelled sets."""
    found = []
    for line in (_SETS / "categories" / "requests.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found.append((row["subject"], row["text"]))
    for line in (_SETS / "duplicates" / "pairs.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found.append((row["earlier"]["subject"], row["earlier"]["text"]))
    return tuple(found)


_LONG = (20_000, 1_000_000)  # characters of a long text, each order of magnitude as often


class Post:
    """Makes the mails of one seed, in order; a reply or duplicate always follows the mail that it belongs to.

    long: the share of mails whose text is long, as of people who paste logs and whole conversations.
    """

    def __init__(self, seed: int = 1, site: str = "a", long: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._long = long
        self._site = site
        self._count = 0
        self._sent: list[tuple[str, str, str, str, str]] = []  # address, name, Message-ID, subject, text

    def mails(self, count: int) -> Iterator[bytes]:
        """The next `count` mails of the mix."""
        last = b""
        for _ in range(count):
            if self._long and self._random.random() < self._long:
                yield self.long()
                continue
            throw = self._random.random()
            if not self._sent or throw < 0.70:
                last = self.new()
            elif throw < 0.95:
                last = self.reply()
            elif throw < 0.97:
                last = self.repeat()
            elif throw < 0.98 and last:
                pass  # a copy of the mail before, byte for byte
            else:
                last = self.automatic()
            yield last

    def new(self) -> bytes:
        """A new request from an address that was not heard of before."""
        subject, text = self._random.choice(requests())
        return self._mail(*self._person(), subject, text)

    def reply(self) -> bytes:
        """A later mail of the same sender that refers to his earlier one."""
        address, name, parent, subject, text = self._random.choice(self._sent[-400:])
        new = self._random.choice(requests())[1][:300]
        quoted = "\n".join(f"> {line}" for line in text.splitlines()[:60])
        body = f"{new}\n\nOn Mon, 2 Nov 2026 at 10:00, {name} <{address}> wrote:\n{quoted}"
        return self._mail(address, name, f"Re: {subject}", body, parent=parent)

    def repeat(self) -> bytes:
        """The same matter once more in a new mail."""
        address, name, _, subject, text = self._random.choice(self._sent[-400:])
        return self._mail(address, name, subject, f"Nobody has answered me yet.\n\n{text}")

    def automatic(self) -> bytes:
        """A note of absence or a mail of a list."""
        address, name = self._person()
        if self._random.random() < 0.5:
            return self._mail(address, name, "Automatic reply: out of office", "I am away until Monday.",
                              fields={"Auto-Submitted": "auto-replied"})  # fmt: skip
        return self._mail(address, name, "Our newsletter", "This month: many things.\n" * 20,
                          fields={"List-Id": "<news.example.net>", "Precedence": "bulk"})  # fmt: skip

    def long(self) -> bytes:
        """A new request whose text has 20,000 to 1,000,000 characters, all of them new."""
        size = int(math.exp(self._random.uniform(*map(math.log, _LONG))))
        subject, text = self._random.choice(requests())
        pieces, length = [text], len(text)
        while length < size:
            pieces.append(self._random.choice(requests())[1])
            length += len(pieces[-1])
        address, name = self._person()
        message = self._message(address, name, " ".join(subject.split()), "", {})
        message.set_content("\n\n".join(pieces)[:size] + "\n", cte="base64")
        return message.as_bytes(policy=email.policy.SMTP)

    def large(self, size: int) -> bytes:
        """A new request with an attachment, of about this size in all."""
        address, name = self._person()
        message = self._message(address, name, "Screen recording", "", {})
        message.set_content("The recording shows how my withdrawal fails. Please help.")
        data = self._random.randbytes(size * 72 // 100)
        message.add_attachment(data, maintype="video", subtype="mp4", filename="recording.mp4")
        return message.as_bytes(policy=email.policy.SMTP)

    def _person(self) -> tuple[str, str]:
        self._count += 1
        return f"user{self._count}.{self._site}@example.net", self._random.choice(_NAMES)

    def _message(self, address: str, name: str, subject: str, parent: str, fields: dict[str, str]) -> EmailMessage:
        self._count += 1
        message = EmailMessage()
        message["Received"] = f"from mx.example.net by {BORDER} with ESMTPS; Mon, 2 Nov 2026 10:00:01 +0000"
        if self._random.random() < 0.8:
            verdict = "spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net; dmarc=pass"
            message["Authentication-Results"] = f"{BORDER}; {verdict} header.from=example.net"
        message["From"] = f"{name} <{address}>"
        message["To"] = f"Example Support <{SUPPORT}>"
        message["Subject"] = subject[:200]
        message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
        message["Message-ID"] = f"<{self._count}.{self._random.randrange(10**9)}.{self._site}@example.net>"
        if parent:
            message["In-Reply-To"] = message["References"] = parent
        for field, value in fields.items():
            message[field] = value
        return message

    def _mail(
        self, address: str, name: str, subject: str, text: str, parent: str = "", fields: dict[str, str] | None = None
    ) -> bytes:
        random = self._random
        subject = " ".join(subject.split())
        message = self._message(address, name, subject, parent, fields or {})
        if not fields:
            self._sent.append((address, name, message["Message-ID"], subject, text))
        size = int(min(40_000, random.lognormvariate(6.9, 0.9)))
        whole = self._signed(text, name, size)
        message.set_content(whole, cte=random.choice(("8bit", "quoted-printable", "base64")))
        if random.random() < 0.5:
            message.add_alternative(markup(whole, random, 3 * size), subtype="html", cte="quoted-printable")
        if random.random() < 0.27:
            for number in range(random.randint(1, 3)):
                data = random.randbytes(int(min(600_000, random.lognormvariate(10.6, 1.0))))
                message.add_attachment(data, maintype="image", subtype="png", filename=f"截图 {number}.png")
        return message.as_bytes(policy=email.policy.SMTP)

    def _signed(self, text: str, name: str, size: int) -> str:
        lines = [text, "", "Best regards", name, ""]
        if sum(map(len, lines)) < size:
            lines.append(f"On Mon, 2 Nov 2026 at 10:00, Example Support <{SUPPORT}> wrote:")
        while sum(map(len, lines)) < size:
            lines += [f"> {line}" for line in self._random.choice(requests())[1].splitlines()]
        return "\n".join(lines) + "\n"
