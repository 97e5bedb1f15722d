"""Answers of staff: to whom, what is in the way, what is quoted, what is held and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from mailticket.config.canned import NoSuchText, canned_text
from mailticket.desk.hands import Hands
from mailticket.errors import NotFound, Refused
from mailticket.letters import File, Quoted
from mailticket.letters.mime import container
from mailticket.mail import attachment_bytes, read
from mailticket.mail.address import address_key
from mailticket.mail.forwarded import MESSAGE_TYPES
from mailticket.mail.packing import pack
from mailticket.mail.values import Ourselves
from mailticket.models import Message, Ticket
from mailticket.outbox import compose
from mailticket.outbox.compose import Dispatch
from mailticket.secrets import masking
from mailticket.store import Session, desk, incoming, raws, tickets
from mailticket.store import outgoing as outgoing_mails
from mailticket.store.tickets import merged_from
from mailticket.text.clean import one_line
from mailticket.triage.guard import LOOKED_AT, Draft, Given, Hindrance, hindrances
from mailticket.triage.writer import unanswerable

_LONGEST_QUOTE = 5_000
_MOST_MAILS = 5  # of a ticket that are read again for whom they claim
_MOST_READ = 256 * 1024  # bytes of a file in which the guard looks for what its readers may not know
_MEGABYTE = 1_000_000
_NEVER_KEPT = ("secret", "too_large")  # no text of ours holds a secret, and no database a film

MENDED = (*LOOKED_AT, "unproved", "cut", "refused")
"""Reasons that a person's word settles that what is held may be carried out."""

Then = Literal["pending", "open", "solved"]


@dataclass(frozen=True, slots=True)
class Wish:
    """How an answer is to leave.

    signs: what stands under it, None for what the member's configuration says. copies: further addresses for Cc, which
    may then write to the ticket. canned: the name of a ready answer that comes first. then: the ticket's state.
    seen: the number of the newest message that the writer has seen, None for what they were last shown. anyway:
    whatever is in the way. orders: commands to be carried out once it has left, as they were typed.
    """

    signs: str | None = None
    files: tuple[File, ...] = ()
    copies: tuple[str, ...] = ()
    canned: str = ""
    then: Then = "pending"
    seen: int | None = None
    anyway: bool = False
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that did not leave. number: of the row that keeps it, None where nothing was kept. newer: what others
    have answered meanwhile."""

    number: int | None
    hindrances: tuple[Hindrance, ...]
    newer: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer.

    outgoing: its number in the outbox, None while it is held. new_since: what its requester wrote after what the writer
    saw. passed: what was in the way and did not stop it.
    """

    key: str
    to: str
    copies: tuple[str, ...]
    outgoing: int | None = None
    held: Held | None = None
    new_since: tuple[Message, ...] = ()
    passed: tuple[Hindrance, ...] = ()


@dataclass(frozen=True, slots=True)
class Addressed:
    """To whom an answer goes, and the mail that it answers."""

    to: str
    copies: tuple[str, ...]
    keys: frozenset[str]  # of everybody whose words may be quoted
    mail: Message | None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """An answer on its way: its text whole, and the conversation that it answers."""

    text: str
    wish: Wish
    addressed: Addressed
    conversation: Sequence[Message] = field(repr=False)
    by: str
    seen: int | None
    meant_for: tuple[str, ...] = ()  # addresses to which it was written, where they may not be those that get it


class Answers(Hands):
    """What staff write to requesters."""

    def reply(self, name: str, text: str, wish: Wish = Wish(), *, from_note: int | None = None) -> Answered:
        """Answer the requester; what is in the way holds the answer, unless it is to leave anyway. from_note: the note
        of the writer's own whose words it is."""
        now = self.site.clock()
        with self.writing() as session:
            named, ticket = self.find(session, name, merged=True), self.find(session, name)
            body = self._with_canned(session, ticket, text.strip(), wish.canned)
            if not one_line(body, len(body)):
                raise Refused("the reply is empty; nothing was sent")
            for address in wish.copies:
                self.check_address(address)
            conversation = [m for m in tickets.conversation(session, int(ticket.id or 0)) if m.id != from_note]
            seen = self._seen(session, ticket, wish.seen, conversation)
            addressed = self.addressed(session, ticket, wish.copies)
            owner = named.requester_id if named.requester_id != ticket.requester_id else None
            meant_for = tuple(a.address for a in tickets.addresses_of(session, owner)) if owner else ()
            sheet = _Sheet(body, wish, addressed, conversation, self.actor, seen, meant_for)
            draft = self._draft(session, ticket, sheet)
            obstacles = hindrances(draft)
            if obstacles and not wish.anyway:
                held = Held(self._hold(session, ticket, sheet, obstacles, now), obstacles, draft.newer)
                return Answered(ticket.key, sheet.addressed.to, sheet.addressed.copies, held=held)
            return self._send(session, ticket, sheet, obstacles, now)

    def recipients(self, name: str) -> tuple[str, tuple[str, ...]]:
        """To whom an answer would go, and who would get it in Cc."""
        with self.site.database.read() as session:
            addressed = self.addressed(session, self.find(session, name, lock=False))
        return addressed.to, addressed.copies

    def send_held(self, number: int, *, anyway: bool = False, whole: str = "") -> Answered:
        """Let a held answer leave, under the name of who wrote it. whole: its words without masks, if they are known.

        What its writer was told of when it was held stands no longer in its way; a secret, words of a note and the like
        must be sent anyway.
        """
        now = self.site.clock()
        with self.writing() as session:
            row, ticket = self._held(session, number)
            kept: dict[str, Any] = row.held or {}
            body = self._with_canned(session, ticket, whole or row.text, kept.get("canned", ""))
            if not one_line(body, len(body)):
                raise Refused(f"held answer {number} has no words of its own; answer anew")
            grave = [code for code in kept.get("reasons", []) if code not in MENDED]
            if grave and not anyway:
                raise Refused(f"held answer {number} was held for {', '.join(grave)}; --anyway sends it all the same")
            if row.secrets and not whole:
                remedy = "its mail is gone; answer anew" if anyway else "--anyway sends it whole"
                raise Refused(f"held answer {number} contains a secret, of which only the mask is kept; {remedy}")
            wish = Wish(kept.get("signs"), self.files_of(session, row), tuple(kept.get("copies", ())), "",
                        kept.get("then", "pending"), number, anyway)  # fmt: skip
            conversation = tickets.conversation(session, int(ticket.id or 0))
            addressed = self.addressed(session, ticket, wish.copies)
            meant_for = tuple(filter(None, (row.to_address, *row.cc_address.split(", "))))
            sheet = _Sheet(body, wish, addressed, conversation, row.by, number, meant_for)
            obstacles = hindrances(self._draft(session, ticket, sheet))
            fresh = [obstacle for obstacle in obstacles if obstacle.code not in ("assigned", *grave)]
            if fresh and not anyway:
                raise Refused(f"held answer {number}: {'; '.join(one.text for one in fresh)}; --anyway sends it")
            desk.remove_held(session, row)
            return self._send(session, ticket, sheet, obstacles, now)

    def drop_held(self, number: int) -> str:
        """Throw a held answer away; returns its ticket's ID."""
        now = self.site.clock()
        with self.writing() as session:
            row, ticket = self._held(session, number)
            by = row.by
            desk.remove_held(session, row)
            self.event(session, ticket, now, "held answer dropped", f"{number}, of {by}")
        return ticket.key

    def _held(self, session: Session, number: int) -> tuple[Message, Ticket]:
        """A held answer and its ticket, locked: of two who send or drop it at once the second finds it gone."""
        while True:
            ticket = tickets.led_to(session, desk.held(session, number).ticket_id)
            row = desk.held(session, number)
            if row.ticket_id == ticket.id:
                return row, ticket

    def _seen(
        self, session: Session, ticket: Ticket, number: int | None, conversation: Sequence[Message]
    ) -> int | None:
        """Up to which message the actor has seen a ticket: by their word, else what they were last shown."""
        shown = desk.seen(session, self.actor, int(ticket.id or 0))
        newest = max(int(conversation[-1].id or 0) if conversation else 0, shown or 0)
        if number is not None and self.origin.via == "mail":
            return min(number, newest)  # what a desk mail showed may lie on another ticket since
        if number is not None and not 0 <= number <= newest:
            raise Refused(
                f"{ticket.key} has no message {number}: its newest is {newest}; "
                f"`mailticket ticket show {ticket.key}` shows it"
            )
        return shown if number is None else number

    def _with_canned(self, session: Session, ticket: Ticket, text: str, canned: str) -> str:
        if not canned:
            return text
        site = self.site.of_brand(ticket.brand)
        support = site.settings.support
        language = site.letters.language_for(ticket.language, support.language)
        values = {"name": tickets.name_of(session, ticket.requester_id), "ticket_id": ticket.key}
        try:
            ready = canned_text(self.site.settings.desk.canned, canned, (language, support.language, "en"), values)
        except NoSuchText as error:
            raise NotFound(str(error)) from None
        return f"{ready}\n\n{text}".strip()

    def addressed(self, session: Session, ticket: Ticket, further: Sequence[str] = ()) -> Addressed:
        """The writer of the newest mail of the requester or of a participant gets the answer; the others get copies.

        Words of anybody else are never quoted: not those of staff, nor of another person whose ticket was merged.
        """
        owned = tickets.addresses_of(session, ticket.requester_id) if ticket.requester_id else []
        others = [p.address for p in tickets.participants(session, int(ticket.id or 0))]
        if not owned:
            raise Refused(f"{ticket.key} has no requester to answer; {self._remedy(session, ticket)}")
        spellings = {a.key: a.address for a in owned} | {address_key(address): address for address in others}
        mail = desk.newest_mail_of(session, int(ticket.id or 0), list(spellings))
        to = spellings[address_key(mail.from_address)] if mail else owned[0].address
        self._check_answerable(session, ticket, to)
        own_keys = {a.key for a in owned}
        requester = [] if address_key(to) in own_keys else [self._usual(session, ticket, owned[0].address)]
        inside = self.roster.addresses  # no colleague is shown to requesters unless a writer insists
        shown = [address for address in (*requester, *others) if address_key(address) not in inside]
        copies = {address_key(address): address for address in (*shown, *further)}
        copies.pop(address_key(to), None)
        return Addressed(to, tuple(copies.values()), frozenset(spellings), mail)

    def to_requester(self, session: Session, ticket: Ticket) -> Addressed:
        """A letter about a ticket goes to its requester alone, whoever wrote last."""
        owned = tickets.addresses_of(session, ticket.requester_id) if ticket.requester_id else []
        if not owned:
            raise Refused(f"{ticket.key} has no requester to write to; {self._remedy(session, ticket)}")
        to = self._usual(session, ticket, owned[0].address)
        self._check_answerable(session, ticket, to)
        return Addressed(to, (), frozenset(a.key for a in owned), None)

    def _check_answerable(self, session: Session, ticket: Ticket, to: str) -> None:
        why = unanswerable(to, self.site.brief.ourselves)
        if why:
            refusal = f"{ticket.key} cannot be answered at {to}: {why}"
            raise Refused(f"{refusal}; {self._remedy(session, ticket)}")

    def _usual(self, session: Session, ticket: Ticket, otherwise: str) -> str:
        """The address from which the requester wrote last on this ticket."""
        keys = {a.key: a.address for a in tickets.addresses_of(session, ticket.requester_id)}
        mail = desk.newest_mail_of(session, int(ticket.id or 0), list(keys))
        return keys[address_key(mail.from_address)] if mail else otherwise

    def _draft(self, session: Session, ticket: Ticket, sheet: _Sheet) -> Draft:
        """The answer as the guard judges it."""
        merged = [number for number, _ in merged_from(session, int(ticket.id or 0))]
        newer = [m for m in sheet.conversation if m.kind == "staff-reply" and int(m.id or 0) > (sheet.seen or 0)]
        to, copies = sheet.addressed.to, sheet.addressed.copies
        shown = (sheet.text, self._signature(sheet), *(file.name for file in sheet.wish.files))
        return Draft(
            writer=sheet.by,
            text="\n".join(shown),
            key=ticket.key,
            assigned_to=ticket.assigned_to,
            newer=tuple(Given(m.by, m.at, m.new_text) for m in newer if m.by not in ("", sheet.by)),
            own_keys=frozenset({ticket.key, *desk.keys_of(session, merged)}),
            prefixes=self.site.prefixes(session),
            staff_addresses=self.roster.addresses - ({address_key(to)} if not copies else set()),
            enclosed="\n".join(map(_readable, sheet.wish.files)),
            notes=tuple(m.text for m in sheet.conversation if m.kind == "note"),
            copies=(*copies, to) if copies else (),
            strangers=self._strangers(session, ticket, sheet),
            meant_for=", ".join(sheet.meant_for),
            bounced=tuple(desk.undeliverable(session, int(ticket.id or 0), (to, *copies))),
            size=sum(len(file.content) for file in sheet.wish.files),
            most=int(self.site.settings.desk.attach_mb * _MEGABYTE),
        )

    def _signature(self, sheet: _Sheet) -> str:
        member = self.roster.member(sheet.by)
        return sheet.wish.signs if sheet.wish.signs is not None else member.signs if member else ""

    def _strangers(self, session: Session, ticket: Ticket, sheet: _Sheet) -> tuple[str, ...]:
        """Who would get an answer though it was written to others: their ticket was merged, or is another's now."""
        if not sheet.meant_for:
            return ()
        meant = {address_key(address) for address in (*sheet.meant_for, *sheet.wish.copies)}
        own_keys = {a.key for a in tickets.addresses_of(session, ticket.requester_id)}
        if meant & own_keys:  # to which of their addresses it goes is all the same
            meant |= own_keys
        return tuple(a for a in (sheet.addressed.to, *sheet.addressed.copies) if address_key(a) not in meant)

    def _send(
        self, session: Session, ticket: Ticket, sheet: _Sheet, obstacles: tuple[Hindrance, ...], now: datetime
    ) -> Answered:
        """Put the answer into the outbox, and the ticket into its new state."""
        wish, addressed = sheet.wish, sheet.addressed
        dispatch = Dispatch(
            kind="staff-reply",
            to=addressed.to,
            verified=True,  # a person decides what a staff answer says
            in_reply_to=(addressed.mail.message_id or "") if addressed.mail else "",
            references=thread_of(sheet.conversation, addressed.keys),
            copies=addressed.copies,
            incoming_id=self.origin.incoming_id,
            by=sheet.by,
            via=self.origin.via,
            proof=self.origin.proof,
            delay=self.origin.delay,
            zone=compose.zone_of(session, ticket),
        )
        outgoing = compose.write(
            session, self.site, ticket, dispatch, now,
            staff_text=sheet.text, staff_name=self._signature(sheet), history=_quoted(addressed.mail), files=wish.files,
        )  # fmt: skip
        message_row = desk.message_of(session, outgoing)
        self._keep_files(session, message_row, wish.files, now, found_on=ticket.id)
        for address in wish.copies:
            self.let_write(session, ticket, address, now)
        if not ticket.assigned_to and self.roster.member(sheet.by) is not None:
            ticket.assigned_to = sheet.by
        news = _news(sheet.conversation, sheet.seen, addressed.keys)
        self._leave(session, ticket, wish.then, news, now)
        also = f" and {', '.join(addressed.copies)}" if addressed.copies else ""
        self.event(session, ticket, now, "staff-reply", f"to {addressed.to}{also}")
        if outgoing_mails.cancel_late_notice(session, int(ticket.id or 0)):
            self.event(session, ticket, now, "late notice cancelled", "the answer was there before it left")
        if obstacles:
            self.event(session, ticket, now, "sent anyway", "; ".join(one.text for one in obstacles))
        desk.remove_same_held(session, int(ticket.id or 0), sheet.by, sheet.text)
        member = sheet.by if self.roster.member(sheet.by) is not None else ""
        incoming.mark_answered(session, int(ticket.id or 0), member, without=[int(m.id or 0) for m in news])
        return Answered(ticket.key, addressed.to, addressed.copies, outgoing, None, news, obstacles)

    def _leave(self, session: Session, ticket: Ticket, then: Then, news: Sequence[Message], now: datetime) -> None:
        """The ticket's state after an answer; words that its writer had not seen keep it open, and waiting."""
        self.set_status(session, ticket, "open" if news else then, now)
        if news or then == "open":
            ticket.waiting_for, ticket.waiting_since = "us", news[0].at if news else now

    def _hold(
        self, session: Session, ticket: Ticket, sheet: _Sheet, obstacles: Sequence[Hindrance], now: datetime
    ) -> int | None:
        """Keep an answer that may not leave; returns its number, None for one that is not kept."""
        codes = list(dict.fromkeys(obstacle.code for obstacle in obstacles))
        if self.origin.via == "cli" and any(code in _NEVER_KEPT for code in codes):
            return None
        kept = {"signs": sheet.wish.signs, "then": sheet.wish.then, "copies": list(sheet.wish.copies),
                "orders": list(sheet.wish.orders)}  # fmt: skip
        reasons = [(obstacle.code, obstacle.text) for obstacle in obstacles]
        addressed = (sheet.addressed.to, ", ".join(sheet.addressed.copies))
        return self.hold(session, ticket, sheet.text, reasons, now, sheet.wish.files, kept, addressed)

    def hold(
        self, session: Session, ticket: Ticket, text: str, reasons: Sequence[tuple[str, str]], now: datetime,
        files: Sequence[File] = (), kept: Mapping[str, Any] = {}, addressed: tuple[str, str] = ("", ""),
    ) -> int:  # fmt: skip
        """Keep what may not be carried out; returns its number. reasons: codes, each with a sentence. kept: how it was
        to be carried out. addressed: to whom it was to go, and to whom in Cc."""
        ticket_id = int(ticket.id or 0)
        masked = masking.mask(text, least="sure")  # the mail that it came by has the whole for a while
        desk.remove_same_held(session, ticket_id, self.actor, masked.text)
        number = tickets.add_message(
            session, ticket_id=ticket_id, direction="note", kind="held", text=masked.text, new_text=masked.text,
            from_name=self.actor, to_address=addressed[0], cc_address=addressed[1], at=now, by=self.actor,
            via=self.origin.via, proof=self.origin.proof, incoming_id=self.origin.incoming_id,
            secrets=list(masked.sure), held={"reasons": list(dict(reasons)), **kept},
        )  # fmt: skip
        self._keep_files(session, number, files, now)
        self.event(session, ticket, now, "held", "; ".join(sentence for _, sentence in reasons))
        return number

    def _keep_files(
        self, session: Session, message_row: int, files: Sequence[File], now: datetime, found_on: int | None = None
    ) -> None:
        """Files of an answer lie in a mail of their own, as those of requesters do in theirs."""
        if not files:
            return
        raw = container(files)
        packed = pack(raw)
        raws.put(session, packed, now)
        desk.set_raw(session, message_row, packed.digest)
        tickets.add_attachments(session, message_row, read(raw, _NOBODY).attachments, found_on)

    def files_of(self, session: Session, row: Message) -> tuple[File, ...]:
        """The files of a held answer, or of a note, again."""
        attachments = tickets.attachments_of(session, [int(row.id or 0)]).get(int(row.id or 0), [])
        raw = raws.get(session, row.raw_digest) if row.raw_digest and attachments else None
        if attachments and raw is None:
            raise NotFound("the files of this held answer were removed by retention; answer anew")
        return tuple(File(a.name, a.type, attachment_bytes(raw or b"", a.part)) for a in attachments)

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


def _readable(file: File) -> str:
    """What a person reads in a file of text, or in a mail that is one; "" of any other."""
    content = file.content[:_MOST_READ]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        return ""
    text = content.decode("utf-8", "replace")
    return f"{text}\n{read(content, _NOBODY).text}" if file.type in MESSAGE_TYPES else text


_NOBODY = Ourselves(own_addresses=frozenset())


def thread_of(conversation: Iterable[Message], keys: frozenset[str]) -> tuple[str, ...]:
    """The Message-IDs, oldest first, that those of these addresses have: of their own mails, and of ours to them. It is
    what References holds (RFC 5322 section 3.6.4). One of a letter to somebody else would name that person's ticket."""
    return tuple(m.message_id for m in conversation if m.message_id and not keys.isdisjoint(_people(m)))


def _people(message: Message) -> set[str]:
    """The keys of who wrote a mail of a requester's, or got one of ours."""
    if message.direction != "out":
        return {address_key(message.from_address)}
    return {address_key(address) for address in (message.to_address, *message.cc_address.split(", ")) if address}


def _news(conversation: Iterable[Message], seen: int | None, keys: frozenset[str]) -> tuple[Message, ...]:
    """What those who get an answer wrote after what its writer saw; nothing where nobody knows what that was."""
    if seen is None:
        return ()
    return tuple(
        m for m in conversation
        if int(m.id or 0) > seen and m.direction == "in" and m.kind in ("request", "reply")
        and address_key(m.from_address) in keys
    )  # fmt: skip


def _quoted(message: Message | None) -> Quoted | None:
    if message is None:
        return None
    return Quoted(message.from_name or message.from_address, message.at, message.new_text[:_LONGEST_QUOTE])
