"""What staff do with mails in quarantine: look, take in again, open a ticket unread, or file away."""

from __future__ import annotations

from mailticket.errors import NotFound, Refused
from mailticket.intake.apply import open_ticket
from mailticket.intake.take_in import Arrival, Intake, Result
from mailticket.mail.values import Attachment
from mailticket.models import Incoming
from mailticket.outbox import desk_mail
from mailticket.site import Site
from mailticket.store import incoming, raws, tickets


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
        """Read and judge the mail again. It stays in quarantine until it has another result, so that whatever ends this
        command leaves it there, with its bytes; a mail that the server did not give is asked for again."""
        row, raw = self.get(number)
        if raw == b"" or row.rule == incoming.NOT_GIVEN:
            with self._site.database.write() as session:
                incoming.ask_again(session, number)
            return Result(number, "listed", "retry", "the running daemon asks the server for it again")
        arrival = Arrival(number, raw, row.arrived_at, row.route, afterwards=False, state="quarantined")
        results = Intake(self._site).take_in([arrival], alone=True)
        return results[0] if results else self._settled(number)

    def _settled(self, number: int) -> Result:
        """What another command made of the mail meanwhile."""
        with self._site.database.read() as session:
            row = incoming.by_id(session, number)
            key = tickets.by_id(session, row.ticket_id).key if row.ticket_id else None
        return Result(number, row.state, row.rule, f"another command settled it: {row.reason}", key)

    def release(self, number: int) -> Result:
        """Open a ticket without requester that carries the unread mail as its attachment."""
        row, raw = self.get(number)
        site, now = self._site, self._site.clock()
        arrived_at, reason = min(row.arrived_at, now), "released from quarantine by staff"
        with site.database.write() as session:
            incoming.set_aside(session, number)
            ticket = open_ticket(
                session, site, arrived_at, reason, now,
                marks=("no usable sender", reason), actor="staff",
                subject=f"Unreadable mail {row.message_id or number}",
            )  # fmt: skip
            ticket_id = int(ticket.id or 0)
            words = f"This mail could not be read ({row.reason}). Its bytes are attached."
            whole = Attachment("", f"mail-{number}.eml", "message/rfc822", len(raw), row.raw_digest or "", False)
            tickets.add_message(session, attachments=[whole], also=[ticket.key, ticket.subject], ticket_id=ticket_id,
                                direction="in", kind="request", text=words, new_text=words, at=arrived_at,
                                incoming_id=number, raw_digest=row.raw_digest)  # fmt: skip
            desk_mail.tell(session, site, ticket, "new", now, cause_id=number)
            incoming.finish(session, number, now, state="opened", rule="released", reason=reason, ticket_id=ticket_id)
        return Result(number, "opened", "released", reason, ticket.key)

    def discard(self, number: int) -> Result:
        """File the mail away; its bytes stay until retention removes them."""
        self.get(number)
        reason = "discarded from quarantine by staff"
        now = self._site.clock()
        with self._site.database.write() as session:
            incoming.set_aside(session, number)
            incoming.finish(session, number, now, state="filed", rule="discarded", reason=reason, dismissed_at=now)
        return Result(number, "filed", "discarded", reason)
