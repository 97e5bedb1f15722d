"""What staff do with mails in quarantine: look, take in again, open a ticket unread, or file away."""

from __future__ import annotations

import secrets

from mailticket.errors import NotFound, Refused
from mailticket.intake.take_in import Arrival, Intake, Result
from mailticket.mail.values import Attachment
from mailticket.models import Incoming, Ticket
from mailticket.promise import make_promise
from mailticket.site import Site
from mailticket.store import incoming, raws, tickets
from mailticket.triage import signatures, ticket_keys


class Isolation:
    """The quarantine of one database."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def get(self, number: int) -> tuple[Incoming, bytes]:
        """A row in quarantine and its raw bytes; none when the server never gave them."""
        with self._site.database.read() as session:
            row = incoming.by_id(session, number)
            if row.state != "quarantined":
                raise Refused(f"mail {number} is not in quarantine: it is {row.state}")
            raw = raws.get(session, row.raw_digest) if row.raw_digest else b""
        if raw is None:
            raise NotFound(f"the bytes of mail {number} are gone")
        return row, raw

    def retry(self, number: int) -> Result:
        """Read and judge the mail again; it goes back to quarantine when it still cannot be taken in."""
        row, raw = self.get(number)
        with self._site.database.write() as session:
            incoming.put_back(session, number)
        if raw == b"":
            return Result(number, "listed", "retry", "the running daemon asks the server for it again")
        arrival = Arrival(number, raw, row.arrived_at, row.route, afterwards=False)
        return Intake(self._site).take_in([arrival], alone=True)[0]

    def release(self, number: int) -> Result:
        """Open a ticket without requester that carries the unread mail as its attachment."""
        row, raw = self.get(number)
        site, now = self._site, self._site.clock()
        promised = make_promise(now, row.arrived_at, "other", "normal", site.settings.promise, site.calendar)
        with site.database.write() as session:
            key = tickets.unused_key(
                session, lambda: ticket_keys.new_key(site.settings.support.prefix, secrets.randbelow)
            )
            reason = "released from quarantine by staff"
            ticket = Ticket(
                key=key, subject=f"Unreadable mail {row.message_id or number}", marks=["no usable sender", reason],
                check_word=signatures.check_word(site.keys[0], key), created_at=row.arrived_at, updated_at=now,
                promised_from=promised.promised_from, promised_by=promised.promised_by,
                promise_reason=promised.reason,
            )  # fmt: skip
            ticket_id = tickets.add(session, ticket)
            words = f"This mail could not be read ({row.reason}). Its bytes are attached."
            message = tickets.add_message(session, ticket_id=ticket_id, direction="in", kind="request", text=words,
                                          new_text=words, at=row.arrived_at, incoming_id=number,
                                          raw_digest=row.raw_digest)  # fmt: skip
            whole = Attachment("", f"mail-{number}.eml", "message/rfc822", len(raw), row.raw_digest or "", False)
            tickets.add_attachments(session, message, [whole])
            tickets.add_event(session, ticket_id, now, "opened", reason, "staff")
            incoming.finish(session, number, now, state="opened", rule="released", reason=reason, ticket_id=ticket_id)
        return Result(number, "opened", "released", reason, key)

    def discard(self, number: int) -> Result:
        """File the mail away; its bytes stay until retention removes them."""
        self.get(number)
        reason = "discarded from quarantine by staff"
        with self._site.database.write() as session:
            incoming.finish(session, number, self._site.clock(), state="filed", rule="discarded", reason=reason)
        return Result(number, "filed", "discarded", reason)
