"""How a mail reads, with everything that thought makes of it, and nothing touched."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailticket.intake.second_reading import knowing_letters
from mailticket.letters.values import REPLY_MARKER
from mailticket.mail import read
from mailticket.mail.values import Mail
from mailticket.settings import Settings, Smtp, Support
from mailticket.site import open_letters, ourselves_of, words_of
from mailticket.store import Session
from mailticket.topics.categories import classifier_of
from mailticket.triage import ticket_keys
from mailticket.triage.understanding import Understanding, understand

# Without a configuration nobody is "we", and all else is as it comes.
_DEFAULTS = Settings(support=Support(address="support@example.com"), smtp=Smtp(host="localhost"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail and its meaning. ticket_ids: those in the subject, in their written form."""

    mail: Mail
    meaning: Understanding
    ticket_ids: tuple[str, ...]


class Explainer:
    """Reads mails as the daemon would, by the given settings or by the defaults. loop_mark: the installation's own."""

    def __init__(self, settings: Settings | None, loop_mark: str = "") -> None:
        shown = settings or _DEFAULTS
        ourselves = ourselves_of(shown, loop_mark, REPLY_MARKER, words_of(shown, open_letters(shown)))
        self._ourselves = ourselves if settings else replace(ourselves, own_addresses=frozenset())
        self._prefixes = shown.prefixes
        self._classifier = classifier_of(shown.category)

    def as_reply_to(self, session: Session, name: str) -> None:
        """From now on read mails as replies to this ticket: below our marker, what is in its letters is ours.

        name: a ticket ID as people type it. Errors: NotFound.
        """
        key = next(iter(ticket_keys.find_keys(name, self._prefixes)), name)
        self._ourselves = knowing_letters(session, self._ourselves, key)

    def explain(self, raw: bytes) -> Reading:
        mail = read(raw, self._ourselves)
        return Reading(mail, understand(mail, self._classifier), ticket_keys.find_keys(mail.subject, self._prefixes))
