"""All that can be done with a mail before its transaction begins: read it, understand it, pack it. Pure."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from mailticket.mail import read
from mailticket.mail.packing import Packed, pack
from mailticket.mail.values import Mail
from mailticket.triage.brief import Brief
from mailticket.triage.known import Claims, claims
from mailticket.triage.understanding import Understanding, understand


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail as read and understood, what it claims about itself, and its bytes as they will be stored."""

    mail: Mail
    meaning: Understanding
    claims: Claims
    packed: Packed


def prepare(raw: bytes, complete: bool, told: Brief) -> Prepared:
    """Prepare one mail. complete is False when `raw` is only its headers and beginning."""
    mail = read(raw, told.ourselves)
    return Prepared(
        mail,
        understand(mail, told.classifier),
        claims(mail, told.keys, told.support),
        pack(raw, complete=complete, digest=mail.digest),
    )


Given = tuple[bytes, bool]  # a raw mail, and whether it is complete
Answer = Prepared | str  # or what it was that preparing it raised
Batches = Generator[list[Answer], None, None]


def answers(mails: Iterable[Given], told: Brief) -> list[Answer]:
    """Prepare mails; one that raises does not keep the others from it."""
    found: list[Answer] = []
    for raw, complete in mails:
        try:
            found.append(prepare(raw, complete, told))
        except Exception as error:
            found.append(type(error).__name__)
    return found
