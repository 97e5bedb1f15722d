"""How a mail reads, with everything that thought makes of it, and nothing touched."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.mail import read
from mailticket.mail.values import Mail, Ourselves
from mailticket.settings import Settings, Support
from mailticket.site import ourselves_of
from mailticket.topics.categories import classifier
from mailticket.topics.exchange import trade_of
from mailticket.triage import ticket_keys
from mailticket.triage.understanding import Understanding, understand


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail and its meaning. ticket_ids: those in the subject, in their written form."""

    mail: Mail
    meaning: Understanding
    ticket_ids: tuple[str, ...]


class Explainer:
    """Reads mails as the daemon would, by the given settings or by the defaults."""

    def __init__(self, settings: Settings | None) -> None:
        support = settings.support if settings else Support(address="support@example.com")
        self._ourselves = ourselves_of(settings) if settings else Ourselves()
        self._prefixes = (support.prefix, *support.former_prefixes)
        self._classifier = classifier(trade_of(settings.category if settings else ()))

    def explain(self, raw: bytes) -> Reading:
        mail = read(raw, self._ourselves)
        return Reading(mail, understand(mail, self._classifier), ticket_keys.find_keys(mail.subject, self._prefixes))
