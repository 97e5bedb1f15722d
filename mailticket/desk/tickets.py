"""What staff do with tickets: reply, note, close, reopen, take, merge, split. Each is one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from mailticket.errors import NotFound, Refused
from mailticket.intake.second_reading import knowing_letters
from mailticket.letters import Quoted
from mailticket.mail import attachment_bytes, read
from mailticket.mail.addresses import is_bare_address
from mailticket.mail.claimed import is_ours
from mailticket.mail.values import Address as MailAddress
from mailticket.mail.values import address_key
from mailticket.models import Message, Participant, Ticket
from mailticket.outbox import compose
from mailticket.outbox.compose import Dispatch
from mailticket.secrets import masking
from mailticket.secrets.spans import doubtful_kinds
from mailticket.site import Site
from mailticket.store import Session, outgoing, raws, search, tickets
from mailticket.triage import ticket_keys
from mailticket.triage.writer import unanswerable

_LONGEST_QUOTE = 5_000
_MOST_MAILS = 5  # of a ticket that are read again for whom they claim


class Desk:
    """Staff's hands. `actor` is who did it, for the history."""

    def __init__(self, site: Site, actor: str = "staff") -> None:
        self.site = site
        self.actor = actor

    def find(self, session: Session, name: str, *, merged: bool = False, lock: bool = True) -> Ticket:
        """The ticket that a person means by an ID as they type it; a merged one leads to its target, unless it is meant
        itself. lock: for whoever changes it; who only looks locks nothing."""
        settings = self.site.settings.support
        prefixes = (settings.prefix, *settings.former_prefixes)
        keys = ticket_keys.find_keys(name, prefixes) or ticket_keys.find_keys(f"{settings.prefix}-{name}", prefixes)
        if not keys:
            raise NotFound(
                f"{name!r} is no ticket ID: it looks like {settings.prefix}-7F3K-92QX, is there a typing error?"
            )
        return tickets.by_key(session, keys[0], follow_merge=not merged, lock=lock)

    def reply(self, name: str, text: str, staff_name: str = "") -> tuple[str, int]:
        """Answer the requester; returns the ticket's ID and the outgoing mail's number."""
        body = text.strip()
        if not body:
            raise Refused("the reply is empty; nothing was sent")
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            to = self._recipient(session, ticket)
            request = tickets.newest_incoming(session, int(ticket.id or 0))
            dispatch = Dispatch(
                kind="staff-reply",
                to=to,
                verified=True,  # a person decides what a staff answer says
                in_reply_to=(request.message_id or "") if request else "",
                references=self._thread(session, ticket),
            )
            row = compose.write(
                session, self.site, ticket, dispatch, now,
                staff_text=body, staff_name=staff_name, history=_quoted(request),
            )  # fmt: skip
            self._set_status(session, ticket, "pending", now)
            self._event(session, ticket, now, "staff-reply", f"to {to}")
        return ticket.key, row

    def note(self, name: str, text: str) -> str:
        """Keep a note that no requester ever sees."""
        body = text.strip()
        if not body:
            raise Refused("the note is empty")
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            masked = masking.mask(body, least="sure")  # nothing is kept behind the mask of a note
            tickets.add_message(session, ticket_id=int(ticket.id or 0), direction="note", kind="note", text=masked.text,
                                new_text=masked.text, from_name=self.actor, at=now,
                                secrets=list(masked.sure))  # fmt: skip
            self._event(session, ticket, now, "note")
        return ticket.key

    def unmasked(self, name: str) -> dict[int, tuple[str, str, str]]:
        """Subject, text and new text of the ticket's messages in which something doubtful is masked, read again from
        their raw mails without those masks: by row number; absent where no raw mail is kept. The history says who
        looked."""
        now = self.site.clock()
        texts: dict[int, tuple[str, str, str]] = {}
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            ourselves = knowing_letters(session, self.site.brief.ourselves, ticket.key)
            for row in tickets.conversation(session, int(ticket.id or 0)):
                masked = row.raw_digest and doubtful_kinds(f"{row.subject}\n{row.text}")
                raw = raws.get(session, row.raw_digest) if row.raw_digest and masked else None
                if raw is not None:
                    mail = read(raw, ourselves)
                    texts[int(row.id or 0)] = (
                        masking.mask(mail.subject, heading=True, least="sure").text,
                        masking.mask(mail.text, least="sure").text,
                        masking.mask(mail.new_text, least="sure").text,
                    )
            if texts:
                self._event(session, ticket, now, "unmasked", f"{len(texts)} messages")
        return texts

    def close(self, name: str, *, notify: bool = False) -> str:
        """Close a ticket; with notify the requester gets the solved letter."""
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            if ticket.status == "closed":
                raise Refused(f"{ticket.key} is closed already")
            if notify:
                self._send_solved(session, ticket, now)
            self._set_status(session, ticket, "closed", now)
            self._event(session, ticket, now, "closed", "the requester was told" if notify else "")
        return ticket.key

    def reopen(self, name: str) -> str:
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            if ticket.status not in ("solved", "closed", "pending"):
                raise Refused(f"{ticket.key} is {ticket.status}: there is nothing to reopen")
            self._set_status(session, ticket, "open", now)
            since, _ = tickets.oldest_unanswered(session, int(ticket.id or 0))
            tickets.wait_for_us(ticket, since or now)
            self._event(session, ticket, now, "reopened")
        return ticket.key

    def assign(self, name: str, to: str) -> str:
        """Give a ticket to somebody, which takes it: new becomes open. An empty name puts it back."""
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            ticket.assigned_to = to
            if to and ticket.status == "new":
                self._set_status(session, ticket, "open", now)
            session.add(ticket)
            self._event(session, ticket, now, "assigned", to or "to nobody")
        return ticket.key

    def merge(self, name: str, into: str) -> tuple[str, str]:
        """Move the messages of one ticket into another; later replies to the first follow. Returns both IDs."""
        now = self.site.clock()
        with self.site.database.write() as session:
            source, target = self.find(session, name), self.find(session, into)
            if source.id == target.id:
                raise Refused(f"{source.key} cannot be merged into itself")
            moved = tickets.move_messages(session, int(source.id or 0), int(target.id or 0))
            source.merged_into = target.id
            _keep_place(source, target)
            _keep_waiting(source, target, now)
            self._set_status(session, source, "closed", now)
            if target.duplicate_of == source.id:
                target.duplicate_of, target.similarity, target.duplicate_reason = None, None, ""
            tickets.point_duplicates(session, int(source.id or 0), int(target.id or 0))
            target.updated_at = now
            session.add(target)
            self._event(session, source, now, "merged", f"into {target.key}")
            self._event(session, target, now, "merged", f"{moved} messages of {source.key}")
        return source.key, target.key

    def split(self, name: str) -> str:
        """Undo the merge of a ticket, whose own messages come back, or its duplicate link."""
        now = self.site.clock()
        with self.site.database.write() as session:
            ticket = self.find(session, name, merged=True)
            if ticket.merged_into is not None:
                self._unmerge(session, ticket, now)
            elif ticket.duplicate_of is not None:
                ticket.duplicate_of, ticket.similarity, ticket.duplicate_reason = None, None, ""
                self._event(session, ticket, now, "split", "no duplicate after all")
            else:
                raise Refused(f"{ticket.key} is neither merged nor flagged as a duplicate")
            session.add(ticket)
        return ticket.key

    def _unmerge(self, session: Session, ticket: Ticket, now: datetime) -> None:
        """Its messages lie in the ticket that the last of all merges led to."""
        other = tickets.led_to(session, int(ticket.id or 0))
        away = int(other.id or 0)
        ticket.merged_into = None
        session.add(ticket)
        session.flush()
        moved = tickets.bring_back_messages(session, int(ticket.id or 0))
        for part in (ticket, other):
            tickets.restore_arrival(session, part)
        untouched = ticket.first_response_at is None and not ticket.assigned_to
        self._set_status(session, ticket, "new" if untouched else "open", now)
        for part in (ticket, other):
            part.first_response_at = part.first_response_at or tickets.first_answer_at(session, int(part.id or 0))
            self._review_waiting(session, part, now)
        detail = f"{moved} messages went back to {ticket.key}"
        tickets.add_event(session, away, now, "split", detail, self.actor)
        self._event(session, ticket, now, "split", f"{moved} messages came back")

    def _review_waiting(self, session: Session, ticket: Ticket, now: datetime) -> None:
        """After a split each part waits for what its own conversation lacks."""
        if ticket.status in ("solved", "closed"):
            return
        since, answered = tickets.oldest_unanswered(session, int(ticket.id or 0))
        if since is None and answered:
            self._set_status(session, ticket, "pending", now)
            return
        if ticket.status == "pending":
            self._set_status(session, ticket, "open", now)
        ticket.waiting_for, ticket.waiting_since = "us", since or ticket.created_at
        session.add(ticket)

    def add_participant(self, name: str, address: str) -> str:
        """Allow an address to write to a ticket beside its requester."""
        now = self.site.clock()
        self._check_address(address)
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            self._add_participant(session, ticket, address, now)
        return ticket.key

    def set_requester(self, name: str, address: str) -> str:
        """Say whose ticket it is, for one that came without a usable sender."""
        now = self.site.clock()
        self._check_address(address)
        with self.site.database.write() as session:
            ticket = self.find(session, name)
            with search.following(session, [int(ticket.id or 0)]):
                ticket.requester_id = tickets.requester_of(session, MailAddress("", address), ticket.language, now)
                ticket.claimed = False
                session.add(ticket)
            self._event(session, ticket, now, "requester", address)
        return ticket.key

    def link_addresses(self, address: str, other: str) -> None:
        """Treat two addresses as one person's; the second need not have written yet."""
        self._check_address(address)
        self._check_address(other)
        with self.site.database.write() as session:
            tickets.link_addresses(session, MailAddress("", address), MailAddress("", other))

    def mail_again(self, address: str) -> None:
        """Let automatic mail go to an address again after its mail bounced."""
        with self.site.database.write() as session:
            if not tickets.set_deliverable(session, address):
                raise Refused(f"mail to {address} is not stopped")

    def release(self, numbers: list[int] | None = None) -> int:
        """Send letters that were held back, oldest first: all of them, or the given rows. Returns how many."""
        with self.site.database.write() as session:
            return outgoing.release(session, self.site.clock(), numbers)

    def retry_outgoing(self, number: int) -> None:
        """Make a mail due now. One whose outcome is uncertain may reach its reader twice; a person decides that."""
        now = self.site.clock()
        states = ("deferred", "failed", "uncertain", "cancelled")
        with self.site.database.write() as session:
            other = outgoing.change(session, number, states, state="queued", next_attempt_at=now, created_at=now)
            if other:
                raise Refused(f"outgoing mail {number} is {_words(other)}: there is nothing to retry")
            row = outgoing.by_id(session, number)
            if not row.wire:
                raise Refused(f"the bytes of outgoing mail {number} were removed by [retention]; answer anew")
            tickets.give_answer_again(session, row, now)

    def cancel_outgoing(self, number: int) -> None:
        """Take a mail out of the queue for good."""
        states = ("queued", "deferred", "withheld", "uncertain")
        with self.site.database.write() as session:
            other = outgoing.change(session, number, states, state="cancelled", reason=f"cancelled by {self.actor}")
            if other:
                raise Refused(f"outgoing mail {number} is {_words(other)} and cannot be cancelled")
            row = outgoing.by_id(session, number)
            if row.kind == "staff-reply" and row.ticket_id is not None:
                tickets.take_back_answer(session, row.ticket_id, self.site.clock())

    def attachment(self, number: int) -> tuple[str, bytes]:
        """Name and bytes of a file, decoded from its raw mail."""
        with self.site.database.read() as session:
            row, raw = tickets.attachment_source(session, number)
        if raw is None:
            raise NotFound("the raw mail of this attachment was removed by retention")
        return row.name, attachment_bytes(raw, row.part)

    def _check_address(self, address: str) -> None:
        if not is_bare_address(address):
            raise Refused(f"{address!r} is not one e-mail address such as ann@example.org")
        if is_ours(address_key(address), self.site.brief.ourselves):
            raise Refused(f"{address} is our own address")

    def _add_participant(self, session: Session, ticket: Ticket, address: str, now: datetime) -> None:
        key = address_key(address)
        if session.get(Participant, (ticket.id, key)) is None:
            tickets.add_participant(
                session, Participant(ticket_id=int(ticket.id or 0), key=key, address=address, added_at=now)
            )
            self._event(session, ticket, now, "participant", address)

    def _recipient(self, session: Session, ticket: Ticket) -> str:
        addresses = tickets.addresses_of(session, ticket.requester_id) if ticket.requester_id else []
        if not addresses:
            raise Refused(f"{ticket.key} has no requester to answer; {self._remedy(session, ticket)}")
        newest = tickets.newest_incoming(session, int(ticket.id or 0))
        spellings = {a.key: a.address for a in addresses}
        last = address_key(newest.from_address) if newest else ""
        recipient = spellings.get(last, addresses[0].address)
        why = unanswerable(recipient, self.site.brief.ourselves)
        if why:
            refusal = f"{ticket.key} cannot be answered at {recipient}: {why}"
            raise Refused(f"{refusal}; {self._remedy(session, ticket)}")
        return recipient

    def _remedy(self, session: Session, ticket: Ticket) -> str:
        """How staff set the requester, with the one whom the ticket's mails claim, if there is one."""
        command = f"`mailticket ticket requester {ticket.key} {{}}`"
        for message in tickets.conversation(session, int(ticket.id or 0))[:_MOST_MAILS]:
            raw = raws.get(session, message.raw_digest) if message.direction == "in" and message.raw_digest else None
            mail = read(raw, self.site.brief.ourselves) if raw else None
            people = [mail.claimed, *mail.reply_to] if mail else []
            claimed = next((p for p in people if p and not unanswerable(p.address, self.site.brief.ourselves)), None)
            if claimed is not None:
                return (
                    f"its mail claims {claimed.address} as requester: if that is true, set it with "
                    + command.format(claimed.address)
                )
        return "set a requester with " + command.format("ADDRESS")

    def _thread(self, session: Session, ticket: Ticket) -> tuple[str, ...]:
        """All Message-IDs of the conversation, oldest first: what References holds (RFC 5322 section 3.6.4)."""
        rows = tickets.conversation(session, int(ticket.id or 0))
        return tuple(row.message_id for row in rows if row.message_id)

    def _send_solved(self, session: Session, ticket: Ticket, now: datetime) -> None:
        dispatch = Dispatch("solved", self._recipient(session, ticket), verified=ticket.trust == "verified",
                            references=self._thread(session, ticket))  # fmt: skip
        compose.write(session, self.site, ticket, dispatch, now, state="solved")

    def _set_status(self, session: Session, ticket: Ticket, status: str, now: datetime) -> None:
        tickets.set_status(ticket, status, now)
        session.add(ticket)

    def _event(self, session: Session, ticket: Ticket, now: datetime, kind: str, detail: str = "") -> None:
        tickets.add_event(session, int(ticket.id or 0), now, kind, detail, self.actor)


def _keep_place(source: Ticket, target: Ticket) -> None:
    """A person who wrote twice keeps the earlier place in the queue, and the earlier promise (section 1)."""
    waiting = source.first_response_at is None and target.first_response_at is None
    if not waiting or source.requester_id != target.requester_id or source.created_at >= target.created_at:
        return
    target.created_at = source.created_at
    if source.promised_by is not None and (target.promised_by is None or source.promised_by < target.promised_by):
        target.promised_from, target.promised_by = source.promised_from, source.promised_by


def _keep_waiting(source: Ticket, target: Ticket, now: datetime) -> None:
    """Whoever waits in one of two merged tickets waits in both, and a promise that is still to be kept goes on."""
    if source.waiting_for != "us":
        return
    if target.status in ("pending", "solved", "closed"):
        tickets.set_status(target, "open", now)
    tickets.wait_for_us(target, source.waiting_since or source.created_at)
    if source.first_response_at is None and target.first_response_at is not None:
        target.first_response_at = None
        for name in ("promised_from", "promised_by", "promise_reason", "promise_longer", "late_warned_at",
                     "late_notice_at"):  # fmt: skip
            setattr(target, name, getattr(source, name))


def _words(state: str) -> str:
    """A state as the end of "outgoing mail 7 is"."""
    return "being sent at this moment" if state == "sending" else state


def _quoted(message: Message | None) -> Quoted | None:
    if message is None:
        return None
    return Quoted(message.from_name or message.from_address, message.at, message.new_text[:_LONGEST_QUOTE])
