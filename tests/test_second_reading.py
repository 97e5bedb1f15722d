"""A reply that repeats a letter of ours is read a second time only where the letters of its ticket cut it otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailticket.intake import second_reading
from mailticket.letters.values import REPLY_MARKER
from mailticket.mail import new_text_beside, read
from mailticket.mail.values import OurLetters, Ourselves
from tests.helpdesk import HelpDesk, mail, parsed

NEW = "It came after all, and I thank you."
EML = sorted((Path(__file__).parent / "mail" / "eml").rglob("*.eml"))


def test_cutting_again_finds_what_reading_again_would() -> None:
    assert EML
    for file in EML:
        raw = file.read_bytes()
        first = Ourselves(reply_marker=REPLY_MARKER)
        mail = read(raw, first)
        halves = (mail.text[: len(mail.text) // 2], mail.text[len(mail.text) // 2 :])
        later = replace(first, letters=OurLetters(sent=halves[:1], said=halves[1:]))
        assert new_text_beside(mail, later) == read(raw, later).new_text, file.name


def reply_to(letter: bytes, *, below: bool) -> bytes:
    """A mail with a new sentence above the letter that it quotes, or below it and without marks of a quote."""
    body = parsed(letter).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    words = f"{text}\n\n{NEW}" if below else f"{NEW}\n\nSupport wrote:\n{quoted}"
    return mail(subject=f"Re: {parsed(letter)['Subject']}", text=words, answers=letter)


@pytest.mark.parametrize("below", [False, True])
def test_a_reply_is_read_again_only_for_another_cut(
    helpdesk: HelpDesk, monkeypatch: pytest.MonkeyPatch, below: bool
) -> None:
    readings: list[bytes] = []

    def read_noted(raw: bytes, *others: Any) -> Any:
        readings.append(raw)
        return read(raw, *others)

    monkeypatch.setattr(second_reading, "read", read_noted)
    ticket = helpdesk.receive(mail()).ticket
    reply = helpdesk.receive(reply_to(helpdesk.letters()[0], below=below))
    assert (reply.state, reply.ticket, len(readings)) == ("appended", ticket, int(below))
    assert helpdesk.ticket(ticket).messages[-1].new_text == NEW
