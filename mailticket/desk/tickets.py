"""What staff do with tickets: note, take, close, merge, split and the like. Each is one transaction, one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from mailticket.desk.answers import Answers, thread_of
from mailticket.desk.hands import Change, Changed
from mailticket.desk.sorting import sort
from mailticket.errors import NotFound, Refused
from mailticket.intake.second_reading import knowing_letters
from mailticket.letters import File, LetterKind
from mailticket.mail import attachment_bytes, read
from mailticket.mail.address import Address as MailAddress
from mailticket.mail.values import Attachment
from mailticket.models import Message, Ticket
from mailticket.outbox import compose, desk_mail
from mailticket.outbox.compose import Dispatch
from mailticket.promise import make_promise
from mailticket.secrets import masking
from mailticket.secrets.spans import doubtful_kinds
from mailticket.store import Session, desk, load, outgoing, raws, search, tickets
from mailticket.text.clean import counted, one_line
from mailticket.text.times import half_hour_after
from mailticket.triage.guard import Draft, indiscretions

_LONGEST_REASON = 200


class Desk(Answers):
    """What staff do with tickets, beside answering."""

    def note(self, name: str, text: str) -> str:
        """Keep a note that no requester ever sees."""
        body = text.strip()
        if not one_line(body, len(body)):
            raise Refused("the note is empty")
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            self.keep_note(session, ticket, body, (), now)
        return ticket.key

    def keep_note(
        self, session: Session, ticket: Ticket, text: str, files: Sequence[Attachment], now: datetime
    ) -> int:  # fmt: skip
        """Write a note; returns its number. files: of the mail that it came by."""
        masked = masking.mask(text, least="sure")  # nothing is kept behind the mask of a note
        number = tickets.add_message(
            session, attachments=files, ticket_id=int(ticket.id or 0), direction="note", kind="note",
            text=masked.text, new_text=masked.text, from_name=self.actor, at=now, secrets=list(masked.sure),
            by=self.actor, via=self.origin.via, proof=self.origin.proof, incoming_id=self.origin.incoming_id,
            raw_digest=self.origin.digest,
        )  # fmt: skip
        self.event(session, ticket, now, "note")
        desk_mail.tell(session, self.site, ticket, "note", now, actor=self.actor, text=masked.text)
        return number

    def keep_held_as_note(self, session: Session, ticket: Ticket, row: Message, now: datetime) -> None:
        """Let a held mail be the note that it was meant to be."""
        row.kind, row.held, row.proof = "note", None, self.origin.proof
        session.add(row)
        session.flush()
        self.event(session, ticket, now, "note")
        desk_mail.tell(session, self.site, ticket, "note", now, actor=self.actor, text=row.text)

    def unmasked(self, name: str) -> dict[int, tuple[str, str, str]]:
        """Subject, text and new text of the ticket's messages in which something doubtful is masked, read again from
        their raw mails without those masks: by row number; absent where no raw mail is kept. The history says who
        looked."""
        now = self.site.clock()
        texts: dict[int, tuple[str, str, str]] = {}
        with self.writing() as session:
            ticket = self.find(session, name)
            ourselves = knowing_letters(session, self.site.brief.ourselves, ticket.key)
            for row in tickets.conversation(session, int(ticket.id or 0)):
                masked = row.raw_digest and row.direction == "in" and doubtful_kinds(f"{row.subject}\n{row.text}")
                raw = raws.get(session, row.raw_digest) if row.raw_digest and masked else None
                if raw is not None:
                    mail = read(raw, ourselves)
                    texts[int(row.id or 0)] = (
                        masking.mask(mail.subject, heading=True, least="sure").text,
                        masking.mask(mail.text, least="sure").text,
                        masking.mask(mail.new_text, least="sure").text,
                    )
            if texts:
                self.event(session, ticket, now, "unmasked", counted(len(texts), "message"))
        return texts

    def close(self, name: str, *, notify: bool = False) -> str:
        """Close a ticket; with notify the requester gets the solved letter."""
        return self._end(name, "closed", notify=notify)

    def solve(self, name: str, *, notify: bool = False) -> str:
        """Say that a ticket's matter is done; unless its requester writes again it closes by itself. With notify they
        get the solved letter."""
        return self._end(name, "solved", notify=notify)

    def _end(self, name: str, status: Literal["closed", "solved"], *, notify: bool) -> str:
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            if ticket.status in (status, "closed"):
                raise Refused(f"{ticket.key} is {ticket.status} already")
            if notify:
                self._tell(session, ticket, "solved", now, state="solved")
            self.set_status(session, ticket, status, now)
            self.event(session, ticket, now, status, "the requester was told" if notify else "")
        return ticket.key

    def hold_by_law(self, name: str, reason: str) -> str:
        """Keep a ticket from being erased, whatever retention says and whoever asks, until that is lifted."""
        words = one_line(reason, _LONGEST_REASON)
        if not words:
            raise Refused("say why the law has us keep it: --reason TEXT")
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            ticket.legal_hold = words
            session.add(ticket)
            self.event(session, ticket, now, "held by law", words)
        return ticket.key

    def lift_hold_by_law(self, name: str) -> str:
        """Let a ticket be erased at its time again."""
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            if not ticket.legal_hold:
                raise Refused(f"{ticket.key} is not held by law")
            before, ticket.legal_hold = ticket.legal_hold, ""
            session.add(ticket)
            self.event(session, ticket, now, "hold by law lifted", before)
        return ticket.key

    def leave(self, name: str, status: Literal["open", "pending"]) -> str:
        """Say whom a ticket that is at work waits for: open for us, pending for its requester."""
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            if ticket.status != status:
                self.set_status(session, ticket, status, now)
                if status == "open":
                    since, _ = tickets.oldest_unanswered(session, int(ticket.id or 0))
                    tickets.wait_for_us(ticket, since or now)
                self.event(session, ticket, now, status)
        return ticket.key

    def reopen(self, name: str) -> str:
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            if ticket.status not in ("solved", "closed", "pending"):
                raise Refused(f"{ticket.key} is {ticket.status}: there is nothing to reopen")
            self.set_status(session, ticket, "open", now)
            since, _ = tickets.oldest_unanswered(session, int(ticket.id or 0))
            tickets.wait_for_us(ticket, since or now)
            self.event(session, ticket, now, "reopened")
        return ticket.key

    def assign(self, name: str, to: str) -> tuple[str, str]:
        """Give a ticket to somebody, which takes it: new becomes open. An empty name puts it back. Returns its ID, and
        whose it was ("" nobody's)."""
        now = self.site.clock()
        roster = self.roster
        if to and roster.staff and roster.member(to) is None:
            raise Refused(f"{to!r} is no member of staff; there are: {', '.join(m.name for m in roster.staff)}")
        with self.writing() as session:
            ticket = self.find(session, name)
            before = ticket.assigned_to
            self._give(session, ticket, to, now)
        return ticket.key, before

    def _give(self, session: Session, ticket: Ticket, to: str, now: datetime) -> None:
        before, ticket.assigned_to = ticket.assigned_to, to
        if to and ticket.status == "new":
            self.set_status(session, ticket, "open", now)
        session.add(ticket)
        self.event(session, ticket, now, "assigned", to or "to nobody")
        if to != before:
            session.flush()
            desk_mail.tell(session, self.site, ticket, "assigned", now, actor=self.actor)

    def take_next(self, team: str = "") -> str | None:
        """Take the first ticket of the queue that is nobody's, of a team or of those that the actor is in.

        Two who ask at once get two tickets. Returns its ID, None for none.
        """
        now, teams = self.site.clock(), self.onlooker.teams(team)
        with self.writing() as session:
            ticket = desk.next_in_queue(session, ("",), teams, lock=True)
            if ticket is not None:
                self._give(session, ticket, self.actor, now)
            return ticket.key if ticket else None

    def merge(self, name: str, into: str, *, anyway: bool = False) -> tuple[str, str]:
        """Move the messages of one ticket into another; later replies to the first follow. Returns both IDs.

        anyway: also when they are two people's, one of whom then hears nothing more.
        """
        now = self.site.clock()
        with self.writing() as session:
            source, target = self.find(session, name), self.find(session, into)
            if source.id == target.id:
                raise Refused(f"{source.key} cannot be merged into itself")
            if not anyway and None not in (people := {source.requester_id, target.requester_id}) and len(people) > 1:
                raise Refused(
                    f"{source.key} and {target.key} are two people's, and answers go to the second only; "
                    "--anyway merges them"
                )
            moved = tickets.move_messages(session, int(source.id or 0), int(target.id or 0))
            desk.forget_sights(session, int(target.id or 0))
            source.merged_into = target.id
            target.spam = target.spam and source.spam
            _keep_place(source, target)
            _keep_waiting(source, target, now)
            self.set_status(session, source, "closed", now)
            if target.duplicate_of == source.id:
                target.duplicate_of, target.similarity, target.duplicate_reason = None, None, ""
            tickets.point_duplicates(session, int(source.id or 0), int(target.id or 0))
            target.updated_at = now
            session.add(target)
            self.event(session, source, now, "merged", f"into {target.key}")
            self.event(session, target, now, "merged", f"{counted(moved, 'message')} of {source.key}")
        return source.key, target.key

    def change(self, name: str, wanted: Change) -> Changed:
        """Say anew what a ticket is about, how pressing it is, or whose.

        The promise follows: an earlier one is told, and what was promised is never taken back.
        """
        self._check_change(wanted)
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name)
            self._check_subject(session, ticket, wanted.subject)
            before = {key: getattr(ticket, key) for key in ("category", "priority", "team", "subject")}
            if wanted.category:
                sort(session, self.site, ticket, wanted.category)
            ticket.priority = wanted.priority or ticket.priority
            if wanted.subject:
                with search.following(session, [int(ticket.id or 0)]):
                    ticket.subject = wanted.subject
            if wanted.team is not None:
                ticket.team, ticket.team_is_set = wanted.team, True
            ticket.updated_at = now
            session.add(ticket)
            details = [f"{key} {value or 'none'} -> {getattr(ticket, key) or 'none'}"
                       for key, value in before.items() if getattr(ticket, key) != value]  # fmt: skip
            if details:
                self.event(session, ticket, now, "set", "; ".join(details))
            sooner = bool(wanted.category or wanted.priority) and self._promise_again(session, ticket, now)
        return Changed(ticket.key, tuple(details), ticket.promised_by if sooner else None)

    def _check_change(self, wanted: Change) -> None:
        for what, name, names in (
            ("category", wanted.category, self.site.categories),
            ("team", wanted.team, [team.name for team in self.roster.teams]),
        ):
            if name and name not in names:
                raise Refused(f"there is no {what} {name!r}; there are: {', '.join(names) or 'none'}")

    def _check_subject(self, session: Session, ticket: Ticket, subject: str) -> None:
        """Refuse a subject that requesters may not read: it stands in every letter of the ticket."""
        notes = tuple(m.text for m in tickets.conversation(session, int(ticket.id or 0)) if m.kind == "note")
        draft = Draft(
            self.actor, subject, ticket.key, own_keys=frozenset({ticket.key}), prefixes=self.site.prefixes(session),
            staff_addresses=self.roster.addresses, notes=notes,
        )  # fmt: skip
        flaws = [flaw.text for flaw in indiscretions(draft)] if subject else []
        if flaws:
            raise Refused(f"the requester reads the subject, and {'; '.join(flaws)}")

    def _promise_again(self, session: Session, ticket: Ticket, now: datetime) -> bool:
        """Whether the promise ends earlier than the requester was told, who then gets a letter."""
        if ticket.first_response_at is not None or ticket.promised_by is None or ticket.status not in ("new", "open"):
            return False
        settings = self.site.settings.promise
        promised = make_promise(
            now, ticket.created_at, ticket.category, ticket.priority, settings, self.site.calendar,
            load.snapshot(session, now), self.site.classifier.categories,
        )  # fmt: skip
        if half_hour_after(promised.promised_by) >= half_hour_after(ticket.promised_by):  # as letters say it
            return False
        earlier_by, ticket.promised_from, ticket.promised_by = (
            ticket.promised_by, promised.promised_from, promised.promised_by
        )  # fmt: skip
        ticket.promise_reason, ticket.promise_longer = promised.reason, "load" if promised.longer else ""
        self.event(session, ticket, now, "promised", promised.reason)
        if desk.was_told(session, int(ticket.id or 0)):
            self._tell(session, ticket, "sooner", now, earlier_by=earlier_by)
        return True

    def split(self, name: str) -> str:
        """Undo the merge of a ticket, whose own messages come back, or its duplicate link."""
        now = self.site.clock()
        with self.writing() as session:
            ticket = self.find(session, name, merged=True)
            if ticket.merged_into is not None:
                self._unmerge(session, ticket, now)
            elif ticket.duplicate_of is not None:
                ticket.duplicate_of, ticket.similarity, ticket.duplicate_reason = None, None, ""
                self.event(session, ticket, now, "split", "no duplicate after all")
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
        self.set_status(session, ticket, "new" if untouched else "open", now)
        for part in (ticket, other):
            part.first_response_at = part.first_response_at or tickets.first_answer_at(session, int(part.id or 0))
            self._review_waiting(session, part, now)
        detail = f"{counted(moved, 'message')} went back to {ticket.key}"
        tickets.add_event(session, away, now, "split", detail, self.actor)
        self.event(session, ticket, now, "split", f"{counted(moved, 'message')} came back")

    def _review_waiting(self, session: Session, ticket: Ticket, now: datetime) -> None:
        """After a split each part waits for what its own conversation lacks."""
        if ticket.status in ("solved", "closed"):
            return
        since, answered = tickets.oldest_unanswered(session, int(ticket.id or 0))
        if since is None and answered:
            self.set_status(session, ticket, "pending", now)
            return
        if ticket.status == "pending":
            self.set_status(session, ticket, "open", now)
        ticket.waiting_for, ticket.waiting_since = "us", since or ticket.created_at
        session.add(ticket)

    def add_participant(self, name: str, address: str) -> str:
        """Allow an address to write to a ticket beside its requester."""
        now = self.site.clock()
        self.check_address(address)
        with self.writing() as session:
            ticket = self.find(session, name)
            self.let_write(session, ticket, address, now)
        return ticket.key

    def set_requester(self, name: str, address: str) -> str:
        """Say whose ticket it is, for one that came without a usable sender."""
        now = self.site.clock()
        self.check_address(address)
        with self.writing() as session:
            ticket = self.find(session, name)
            with search.following(session, [int(ticket.id or 0)]):
                ticket.requester_id = tickets.requester_of(session, MailAddress("", address), ticket.language, now)
                ticket.claimed = False
                session.add(ticket)
            self.event(session, ticket, now, "requester", address)
        return ticket.key

    def link_addresses(self, address: str, other: str) -> None:
        """Treat two addresses as one person's; the second need not have written yet."""
        self.check_address(address)
        self.check_address(other)
        with self.writing() as session:
            tickets.link_addresses(session, MailAddress("", address), MailAddress("", other))

    def mail_again(self, address: str) -> None:
        """Let automatic mail go to an address again after its mail bounced."""
        with self.writing() as session:
            stopped = (tickets.set_deliverable(session, address), desk.mail_copies_again(session, address))
            if not any(stopped):
                raise Refused(f"mail to {address} is not stopped")

    def release(self, numbers: list[int] | None = None) -> int:
        """Send letters that were held back, oldest first: all of them, or the given rows. Returns how many."""
        with self.writing() as session:
            return outgoing.release(session, self.site.clock(), numbers)

    def retry_outgoing(self, number: int) -> None:
        """Make a mail due now. One whose outcome is uncertain may reach its reader twice; a person decides that."""
        now = self.site.clock()
        states = ("deferred", "failed", "uncertain", "cancelled")
        with self.writing() as session:
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
        with self.writing() as session:
            other = outgoing.change(session, number, states, state="cancelled", reason=f"cancelled by {self.actor}")
            if other:
                raise Refused(f"outgoing mail {number} is {_words(other)} and cannot be cancelled")
            row = outgoing.by_id(session, number)
            if row.kind == "staff-reply" and row.ticket_id is not None:
                tickets.take_back_answer(session, row.ticket_id, self.site.clock())

    def attachment(self, number: int) -> File:
        """A file of a message, decoded from its raw mail."""
        with self.site.database.read() as session:
            row, raw = tickets.attachment_source(session, number)
        if raw is None:
            raise NotFound("the raw mail of this attachment was removed by retention")
        return File(row.name, row.type, attachment_bytes(raw, row.part))

    def _tell(self, session: Session, ticket: Ticket, kind: LetterKind, now: datetime, **contents: object) -> None:
        """A letter to the requester about what was done."""
        addressed = self.to_requester(session, ticket)
        references = thread_of(tickets.conversation(session, int(ticket.id or 0)), addressed.keys)
        zone = compose.zone_of(session, ticket)
        dispatch = Dispatch(kind, addressed.to, verified=ticket.trust == "verified", references=references, zone=zone)
        compose.write(session, self.site, ticket, dispatch, now, **contents)


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
                     "late_notice_at", "slip_told_at", "lead_told_at"):  # fmt: skip
            setattr(target, name, getattr(source, name))


def _words(state: str) -> str:
    """A state as the end of "outgoing mail 7 is"."""
    return "being sent at this moment" if state == "sending" else state
