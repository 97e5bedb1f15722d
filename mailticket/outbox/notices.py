"""Which notices a letter shows, and in which language."""

from __future__ import annotations

from datetime import datetime

from mailticket.letters import NOTICED, LetterKind
from mailticket.letters.notice import Block, blocks
from mailticket.models import Ticket
from mailticket.site import Site
from mailticket.store import Session
from mailticket.store.notices import Standing


def notices_for(
    session: Session, site: Site, ticket: Ticket, kind: LetterKind, language: str, now: datetime
) -> tuple[tuple[Block, ...], ...]:
    """The notices that last for a ticket's category, the newest first; () for kinds that show none.

    A category that is not sure counts too: who reads a notice that is not theirs loses a moment, and who lacks theirs
    writes again.
    """
    if kind not in NOTICED:
        return ()
    recent = site.notices.at(session, now)
    lasting = [notice for notice in recent if notice.lasts(now) and notice.concerns(ticket.category)]
    return tuple(blocks(text_of(notice, site, language)) for notice in lasting)


def text_of(notice: Standing, site: Site, language: str) -> str:
    """The notice in this language of letters, else in the support's, else in English."""
    order = (language, site.letters.language_for(site.head.language), "en")
    return next((notice.texts[one] for one in order if one in notice.texts), "")
