"""What people write to the site, and what they read of its answers."""

from __future__ import annotations

import email
import itertools
import re
from collections.abc import Mapping, Sequence
from email import policy
from email.message import EmailMessage

from tests.e2e.site import BORDER, SUPPORT
from tests.servers.smtp import Accepted

_numbers = itertools.count(1)
_MATTERS = (
    ("Withdrawal is pending since Tuesday", "I asked for a withdrawal of 3 ETH on Tuesday and it is still pending."),
    ("API key is refused", "Every call of the REST interface answers 401 although the API key is fresh."),
    ("Identity check without an answer", "My passport was uploaded two weeks ago; the identity check shows nothing."),
    ("Limit order was not filled", "The price passed my limit twice, and the limit order stayed open."),
    ("Two-factor code is wrong", "After changing my phone the six digits are no longer accepted at sign-in."),
)


def request(
    sender: str = "ann@example.org",
    subject: str = "",
    text: str = "",
    verified: bool = False,
    message_id: str = "",
    attachment: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A person's mail to support; each is another matter unless subject and text are given."""
    number = next(_numbers)
    matter = _MATTERS[number % len(_MATTERS)]
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = f"Somebody <{sender}>"
    message["To"] = SUPPORT
    message["Subject"] = subject or f"{matter[0]} ({number})"
    message["Message-ID"] = message_id or f"<{number}.request@{sender.partition('@')[2]}>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text or f"Hello,\n\n{matter[1]}\nMy customer number is {77120000 + number}.\n")
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="log.bin")
    domain = sender.partition("@")[2]
    verdict = f"Authentication-Results: {BORDER}; dmarc=pass header.from={domain}\r\n" if verified else ""
    return verdict.encode() + message.as_bytes()


def requests(count: int) -> list[bytes]:
    """Mails of as many people."""
    return [request(f"person{n}@example.org") for n in range(1, count + 1)]


def reply(to: Accepted, text: str, sender: str = "", verified: bool = False) -> bytes:
    """An answer to one of our mails, as a mail program writes it."""
    ours = read(to)
    headers = {"In-Reply-To": str(ours["Message-ID"]), "References": str(ours["Message-ID"])}
    quoted = "\n".join(f"> {line}" for line in text_of(to).splitlines())
    words = f"{text}\n\nOn Sun, 22 Nov 2026 at 10:00, Example Support <{SUPPORT}> wrote:\n{quoted}\n"
    return request(sender or to.recipients[0], f"Re: {ours['Subject']}", words, verified, headers=headers)


def read(mail: Accepted) -> EmailMessage:
    """A mail of ours as its reader's program sees it."""
    return email.message_from_bytes(mail.raw, policy=policy.default)


def text_of(mail: Accepted) -> str:
    body = read(mail).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def ticket_id(mail: Accepted) -> str:
    """The ticket ID in our mail's subject."""
    found = re.search(r"MT-[0-9A-Z]{4}-[0-9A-Z]{4}", str(read(mail)["Subject"]))
    assert found, read(mail)["Subject"]
    return found[0]


def message_ids(mails: Sequence[Accepted]) -> list[str]:
    return [str(read(mail)["Message-ID"]) for mail in mails]
