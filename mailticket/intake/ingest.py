"""Mails from files taken in like any other: recorded first, then read, judged and written in one transaction."""

from __future__ import annotations

from collections import Counter

from mailticket.intake.files import MailFile, arrival_time
from mailticket.intake.take_in import Arrival, Intake, Result
from mailticket.site import Site
from mailticket.store import incoming


class Ingest:
    """Takes mails in one by one. acknowledge: whether those from files are answered; standard input always is."""

    def __init__(self, site: Site, *, acknowledge: bool = False) -> None:
        self.states: Counter[str] = Counter()
        self._site = site
        self._intake = Intake(site)
        self._acknowledge = acknowledge

    def take(self, file: MailFile) -> Result:
        """Bring one mail to its result; raises StoreUnavailable with nothing done."""
        now = self._site.clock()
        piped = file.place == "-"
        route = "stdin" if piped else "file"
        arrived_at = now if piped else arrival_time(file.raw, now)
        with self._site.database.write() as session:
            incoming_id = incoming.record_file(session, arrived_at, len(file.raw), now, route)
        mail = Arrival(incoming_id, file.raw, arrived_at, route, afterwards=False,
                       letters_allowed=piped or self._acknowledge)  # fmt: skip
        result = self._intake.take_in([mail])[0]
        self.states[result.state] += 1
        return result
