"""How a mail reads, with everything that thought makes of it, and nothing touched."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.intake.second_reading import knowing_letters
from mailticket.letters.values import REPLY_MARKER
from mailticket.mail import read
from mailticket.mail.values import Mail, Ourselves
from mailticket.settings import Settings, Support
from mailticket.site import open_letters, ourselves_of, shipped_letters, words_of
from mailticket.store import Session
from mailticket.topics.categories import classifier
from mailticket.topics.exchange import CATEGORIES
from mailticket.triage import ids
from mailticket.triage.understanding import Understanding, understand


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail and its meaning. ticket_ids: those in the subject, in their written form."""

    mail: Mail
    meaning: Understanding
    ticket_ids: tuple[str, ...]


class Explainer:
    """Reads mails as the daemon would, by the given settings or by the defaults. loop_mark: the installation's own."""

    def __init__(self, settings: Settings | None, loop_mark: str = "") -> None:
        support = settings.support if settings else Support(address="support@example.com")
        categories = (settings.category if settings else ()) or CATEGORIES
        words = words_of(support, categories, open_letters(settings) if settings else shipped_letters())
        self._ourselves = (
            ourselves_of(settings, loop_mark, REPLY_MARKER, words)
            if settings
            else Ourselves(reply_marker=REPLY_MARKER, letters=words)
        )
        self._prefixes = (support.prefix, *support.former_prefixes)
        self._classifier = classifier(categories)

    def as_reply_to(self, session: Session, name: str) -> None:
        """From now on read mails as replies to this ticket: below our marker, what is in its letters is ours.

        name: a ticket ID as people type it. Errors: NotFound.
        """
        key = next(iter(ids.find_ids(name, self._prefixes)), name)
        self._ourselves = knowing_letters(session, self._ourselves, key)

    def explain(self, raw: bytes) -> Reading:
        mail = read(raw, self._ourselves)
        return Reading(mail, understand(mail, self._classifier), ids.find_ids(mail.subject, self._prefixes))
