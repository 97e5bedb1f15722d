"""All that can be done with a mail before its transaction begins: read it, understand it, pack it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailticket.mail import read
from mailticket.mail.packing import Packed, pack
from mailticket.mail.values import Mail
from mailticket.text.patterns import compile_waiting
from mailticket.triage.brief import Brief
from mailticket.triage.known import Claims, claims
from mailticket.triage.understanding import Understanding, understand
from mailticket.triage.writer import with_writer

_SMALLEST = b"From: a@example.org\r\nSubject: a\r\n\r\na\r\n"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail as read and understood, what it claims about itself, and its bytes as they will be stored."""

    mail: Mail
    meaning: Understanding
    claims: Claims
    packed: Packed


def prepare(raw: bytes, complete: bool, brief: Brief) -> Prepared:
    """Prepare one mail. complete is False when `raw` is only its headers and beginning."""
    mail = with_writer(read(raw, brief.ourselves), brief.ourselves)
    return Prepared(
        mail,
        understand(mail, brief.classifier),
        claims(mail, brief.keys, brief.prefixes),
        pack(raw, complete=complete, digest=mail.digest),
    )


def make_ready(brief: Brief) -> None:
    """Make now what the first mail would have to wait for, half a second: the sieves, and all patterns."""
    prepare(_SMALLEST, True, brief)
    compile_waiting()


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail that could not be prepared, and what kept it from being."""

    reason: str


def prepare_all(mails: Iterable[tuple[bytes, bool]], brief: Brief) -> list[Prepared | Failure]:
    """Prepare mails, each with whether it is complete; one that raises does not keep the others from it."""
    preparations: list[Prepared | Failure] = []
    for raw, complete in mails:
        try:
            preparations.append(prepare(raw, complete, brief))
        except Exception as error:
            preparations.append(Failure(type(error).__name__))
    return preparations
