"""A mail that repeats a letter of ours, read again when its ticket is known: what is not in the letters is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailticket.intake.prepare import Prepared
from mailticket.letters.notice import plain
from mailticket.mail import bodies, html, new_text_beside, read, structure
from mailticket.mail.values import Ourselves
from mailticket.store import Session, correspondence, tickets
from mailticket.store.notices import Standing
from mailticket.triage.brief import Brief
from mailticket.triage.understanding import understand
from mailticket.triage.writer import with_writer


def read_again(
    session: Session, raw: bytes, item: Prepared, key: str | None, brief: Brief, notices: Sequence[Standing] = ()
) -> Prepared:
    """The mail as a reply to this ticket, None for one that leads to none, when these notices may stand in letters.

    It stays as it is when nothing is known beyond what the first reading knew, or when that cuts nothing otherwise.
    """
    ourselves = knowing_letters(session, brief.ourselves, key) if key else brief.ourselves
    if notices:
        texts = [plain(text) for notice in notices for text in notice.texts.values()]
        letters = ourselves.letters
        ourselves = replace(ourselves, letters=replace(letters, passages=(*letters.passages, *texts)))
    if ourselves is brief.ourselves or new_text_beside(item.mail, ourselves) == item.mail.new_text:
        return item
    mail = with_writer(read(raw, ourselves), ourselves)
    return replace(item, mail=mail, meaning=understand(mail, brief.classifier))


def knowing_letters(session: Session, ourselves: Ourselves, key: str) -> Ourselves:
    """What the reader must know to read a reply to this ticket; NotFound if there is no such ticket."""
    written = correspondence.of_ticket(session, tickets.id_of(session, key))
    if not written.letters:
        return ourselves
    pages = [page for wire in written.wires for page in _pages(wire)]
    letters = replace(ourselves.letters, sent=(*written.letters, *pages), said=written.said)
    return replace(ourselves, letters=letters)


def _pages(wire: bytes) -> list[str]:
    """The HTML pages of a letter as text: they say things that its plain text does not."""
    content = structure.canonical(wire)
    root, _ = structure.read_structure(content)
    pages = [bodies.part_bytes(content, part) for part in root.walk() if part.type == "text/html"]
    return [html.to_text(page.decode("utf_8", "replace")) for page in pages]
