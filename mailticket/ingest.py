"""Mails from files taken in like any other: recorded first, then read, judged and written in one transaction."""

from __future__ import annotations

from collections import Counter

from mailticket.intake import Arrival, Intake, Outcome
from mailticket.mail import read
from mailticket.office import Office
from mailticket.reading import Found, arrival
from mailticket.store import incoming


class Ingest:
    """Takes mails in one by one. acknowledge: whether those from files are answered; standard input always is."""

    def __init__(self, office: Office, *, acknowledge: bool = False) -> None:
        self.states: Counter[str] = Counter()
        self._office = office
        self._intake = Intake(office)
        self._acknowledge = acknowledge

    def take(self, found: Found) -> Outcome:
        """Bring one mail to its outcome; raises StoreUnavailable with nothing done."""
        now = self._office.clock()
        piped = found.place == "-"
        at = now if piped else arrival(read(found.raw, self._office.brief.site), now)
        with self._office.database.write() as session:
            row = incoming.record_file(session, at, len(found.raw), now, "stdin" if piped else "file")
        answerable = piped or self._acknowledge
        mail = Arrival(row, found.raw, at, "stdin" if piped else "file", afterwards=False, answerable=answerable)
        outcome = self._intake.take_in([mail])[0]
        self.states[outcome.state] += 1
        return outcome
