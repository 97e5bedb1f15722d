"""A member's mail becomes a deed at the desk: in the transaction of its intake, and nothing of it is dropped.

What the guard or a doubt keeps from being done is held with its reasons, and its writer hears of it. Commands are
carried out together or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailticket.desk import orders as commands
from mailticket.desk import outside, release
from mailticket.desk.answers import MENDED, Answered, Held, Then, Wish
from mailticket.desk.hands import Origin
from mailticket.desk.tickets import Desk
from mailticket.errors import NotFound, Refused
from mailticket.letters import File, Quoted
from mailticket.mail import attachment_bytes
from mailticket.mail.forwarded import MESSAGE_TYPES
from mailticket.mail.staff_files import StaffFiles, inline_pictures, staff_files
from mailticket.mail.values import Mail
from mailticket.models import Message, Ticket
from mailticket.outbox import desk_mail
from mailticket.outbox.desk_mail import Receipt
from mailticket.secrets import masking
from mailticket.site import Site
from mailticket.store import Session, desk, tickets
from mailticket.store import desk_mail as desk_state
from mailticket.store.rows import savepoint
from mailticket.text.clean import counted
from mailticket.triage.guard import Given
from mailticket.triage.marks import shows_mark
from mailticket.triage.orders import Order
from mailticket.triage.staff_mail import CONFIRM, StaffMail
from mailticket.triage.understanding import Understanding

_HOUR = timedelta(hours=1)
_MOST_QUESTIONS = 3  # an hour, whether a mail was really a member's: forged mail must not flood them
_MOST_RECEIPTS = 20  # an hour, of one ticket to one member
_ALWAYS_TOLD = ("sent", "stopped", "confirm")
_STATES: tuple[Then, ...] = ("open", "solved", "pending")

# Who is asked whether a mail was theirs and says no has not thereby sent it, wherever in the answer that stands.
_DENIAL = re.compile(r"\W*(no|not|nope|never|don'?t|stop|wait|nein|non)\b|\W*(不|没|沒|否|停|别|別)", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(no|not|none|never|nobody|cannot|\w+n['\u2019]t|wrong|fake|forged|fraud\w*|spam|scam\w*|phish\w*|stop|cancel|delete|drop"
    r"|(?:do|did|was|is)nt"
    r"|nein|nicht|kein\w*)\b|[不没沒非未别別假伪偽骗騙停删刪]",
    re.IGNORECASE,
)  # fmt: skip

Reasons = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Post:
    """A staff mail on its way: as it came, and as it is understood."""

    incoming_id: int
    raw: bytes
    mail: Mail
    meaning: Understanding
    arrived_at: datetime
    staff: StaffMail


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a staff mail: answer, note, outside, orders, queries, release, test or held, and why held."""

    what: str
    reasons: tuple[tuple[str, str], ...] = ()
    ticket: Ticket | None = None


def carry_out(session: Session, site: Site, post: Post, key: str | None, now: datetime) -> Became:
    """Do what a member's mail asks. Runs inside the caller's transaction. key: of the ticket that it leads to."""
    staff = post.staff
    if staff.proof:
        desk_state.reachable(session, staff.member.name, now)
        desk_state.proved(session, staff.member.name, staff.proof, now)
    ticket = tickets.by_key(session, key, follow_merge=True, lock=True) if key else None
    work = _Work(session, site, post, ticket, now)
    if staff.deed == "release":
        work.release()
    elif staff.doubts:
        work.hold([(doubt.code, doubt.text) for doubt in staff.doubts])
    elif staff.deed != "test":
        work.do()
    ticket = tickets.by_key(session, key, follow_merge=True) if key else None
    return Became("held" if work.obstacles else staff.deed, tuple(work.obstacles), ticket)


def _is_desk_mail(file: File) -> bool:
    """Whether a file is the mail that is answered, which some programs attach whole, with its notes."""
    return file.type in MESSAGE_TYPES and shows_mark(file.content.partition(b"\n\n")[0].decode("ascii", "replace"))


class _Work:
    """One mail at work. What is refused is undone, and the mail is held instead."""

    def __init__(self, session: Session, site: Site, post: Post, ticket: Ticket | None, now: datetime) -> None:
        self._session, self._site, self._post, self._now = session, site, post, now
        self._ticket_id = int(ticket.id or 0) if ticket else None
        self._staff, self._name = post.staff, post.staff.member.name
        origin = Origin("mail", post.staff.proof, post.incoming_id, post.mail.digest, site.settings.desk.hold_seconds)
        self._desk = Desk(site, self._name, session=session, origin=origin)
        self._files = self._own_files()
        self.obstacles: Reasons = []  # why it was not done

    def do(self) -> None:
        deeds = {
            "answer": self._answer,
            "note": self._note,
            "outside": self._outside,
            "orders": self._obey,
            "forward": self._cover,
        }
        try:
            with savepoint(self._session):
                deeds[self._staff.deed]()
                self._supersede()
                self._ask()
        except (Refused, NotFound) as error:
            self.hold([("refused", str(error))])

    def _supersede(self) -> None:
        """What was held of the same words is done now that the mail came once more, better proved."""
        words = masking.mask(self._text, least="sure").text
        if not self.obstacles and self._ticket_id is not None and words:
            desk.remove_same_held(self._session, self._ticket_id, self._name, words)

    @property
    def _key(self) -> str:
        """The ticket as the writer names it: by the mark, which may be of one that was merged since."""
        mark = self._staff.mark
        return mark.key if mark and mark.ticket else self._staff.ticket

    @property
    def _ticket(self) -> Ticket | None:
        return tickets.by_id(self._session, self._ticket_id) if self._ticket_id else None

    @property
    def _afterwards(self) -> list[Order]:
        """The commands that are deeds of their own beside the words."""
        of_words = commands.WITH_ANSWER if self._staff.deed == "answer" else commands.WITH_WORDS
        return [order for order in self._staff.orders.orders if order.word not in of_words]

    def _own_files(self) -> StaffFiles:
        """The member's own files: not the logo of every mail, nor what their program sent back with the quote."""
        attachments = self._post.mail.attachments
        if not attachments:
            return StaffFiles()
        pictures = inline_pictures(attachments)
        seen = desk.pictures_of(self._session, self._name, pictures) if self._staff.proof else frozenset()
        ours = desk.files_of(self._session, self._ticket_id) if self._ticket_id else frozenset()
        return staff_files(attachments, seen, ours)

    def _decoded(self) -> tuple[File, ...]:
        raw = self._post.raw
        files = (File(file.name, file.type, attachment_bytes(raw, file.part)) for file in self._files.leave)
        return tuple(file for file in files if not _is_desk_mail(file))

    def _answer(self) -> None:
        self._check_cap()
        mark, ticket = self._staff.mark, self._ticket
        if mark and ticket and desk.requester_changed_since(self._session, int(ticket.id or 0), mark.made_at):
            self.hold([("recipient", "it answers a mail about another requester than the ticket has now")])
            return
        orders = self._staff.orders
        wish = Wish(
            files=self._decoded(),
            copies=orders.values("cc"),
            canned=next(iter(orders.values("canned")), ""),
            then=next((state for state in _STATES if any(order.word == state for order in orders.orders)), "pending"),
            seen=self._staff.answered.shown,
            orders=tuple(order.line for order in self._afterwards),
        )
        answered = self._desk.reply(self._key, self._staff.text, wish)
        if answered.held is not None:
            self._tell_held(answered.held)
            return
        commands.obey(self._desk, answered.key, self._afterwards)
        self._tell_sent(answered)

    def _check_cap(self, *, given: bool = False) -> None:
        """Refuse an answer beyond the cap of the hour. given: it counts already."""
        most = self._site.settings.desk.per_person_answers_hour
        if desk.answers_since(self._session, self._name, self._now - _HOUR) - given >= most:
            raise Refused(f"it would be more than {counted(most, 'answer')} within an hour")

    def _tell_held(self, held: Held) -> None:
        self.obstacles = [(one.code, one.text) for one in held.hindrances]
        self._receive("held", self.obstacles, other=held.newer, about=held.number)

    def _tell_sent(self, answered: Answered) -> None:
        """A receipt of an answer that only a mark proves, so that misuse shows, or of which there is more to say."""
        reasons = [("conflict", self._staff.conflict)] if self._staff.conflict else []
        if self._staff.proof == "mark" or reasons or answered.new_since:
            if self._files.logos:
                files = counted(len(self._files.logos), "file was", "files were")
                reasons.append(("logos", f"{files} left out that your program adds to each mail"))
            about = desk.message_of(self._session, answered.outgoing or 0)
            left = self._session.get_one(Message, about).new_text if self._staff.deed == "release" else self._text
            self._receive("sent", reasons, news=answered.new_since, about=about, text=left)

    def _note(self) -> None:
        ticket = self._desk.find(self._session, self._key)
        number = self._desk.keep_note(self._session, ticket, self._text, self._files.leave, self._now)
        commands.obey(self._desk, ticket.key, self._afterwards)
        if self._staff.mark is None or self._staff.mark.purpose == "receipt":
            self._receive("note", [], about=number)

    def _outside(self) -> None:
        post, ticket = self._post, self._ticket
        if ticket is None:
            raise NotFound("the ticket is not there any more")
        outside.record(
            self._session, self._site, ticket, post.mail, post.meaning, by=self._name, via="mail",
            proof=self._staff.proof, incoming_id=post.incoming_id, now=self._now, arrived_at=post.arrived_at,
        )  # fmt: skip
        commands.obey(self._desk, ticket.key, self._afterwards)
        self._receive("recorded", [])

    def _cover(self) -> None:
        """What stands above a forward is for the desk alone."""
        ticket = self._desk.find(self._session, self._key)
        if not self._staff.proof and (self._staff.text or self._staff.orders.orders):
            self.hold([("unproved", f"nothing but its From says that {self._name} wrote it")])
            return
        if self._staff.text:
            self._desk.keep_note(self._session, ticket, self._staff.text, (), self._now)
        commands.obey(self._desk, ticket.key, [order for order in self._afterwards if order.word != "ack"])

    def _obey(self) -> None:
        wordless = next((order for order in self._staff.orders.orders if order.word in ("send", "note")), None)
        if wordless is not None:
            raise Refused(
                f"{wordless.line}: there are no words that it could mean; answer the mail that names what is held"
            )
        if self._ticket_id is not None:
            commands.obey(self._desk, self._key, self._staff.orders.orders)

    def _ask(self) -> None:
        """Queries are answered to the configured address, whoever asks."""
        passages = commands.answers_to(
            self._session, self._site, self._desk.onlooker, self._staff.orders.orders, self._now
        )  # fmt: skip
        if passages and not self._is_flooded("queries"):
            receipt = Receipt("queries", passages=passages)
            desk_mail.receipt(self._session, self._site, self._staff.member, receipt, self._now, ticket=self._ticket,
                              cause_id=self._post.incoming_id)  # fmt: skip

    def hold(self, reasons: Reasons) -> None:
        """Keep the mail with what hinders it, and tell its writer; who may not be its writer is asked."""
        ticket, staff = self._ticket, self._staff
        self.obstacles = reasons
        unproved = any(code == "unproved" for code, _ in reasons)
        number = None
        if ticket is not None:
            orders = staff.orders
            kept = {
                "deed": staff.deed,
                "then": next((s for s in _STATES if any(o.word == s for o in orders.orders)), "pending"),
                "copies": list(orders.values("cc")),
                "canned": next(iter(orders.values("canned")), ""),
                "orders": [order.line for order in (self._afterwards if staff.deed == "answer" else orders.orders)],
                "symbols": staff.mark.symbols if staff.mark else "",
            }
            number = self._desk.hold(self._session, ticket, self._text, reasons, self._now, self._decoded(), kept)
        if unproved and desk.asked_since(self._session, self._name, self._now - _HOUR) >= _MOST_QUESTIONS:
            return
        self._receive("confirm" if unproved else "held" if ticket else "refused", reasons, about=number)

    @property
    def _text(self) -> str:
        """The words that are held: where an answer stands below what it quotes, those."""
        cut = self._staff.cut
        return self._staff.text or (cut.beneath if cut else "")

    def release(self) -> None:
        """Let leave, or throw away, what the receipt is about that the mail answers."""
        try:
            if self._staff.doubts:
                raise Refused("; ".join(doubt.text for doubt in self._staff.doubts))
            with savepoint(self._session):
                self._settle()
        except (Refused, NotFound) as error:
            self.obstacles = [("refused", str(error))]
            self._receive("refused", self.obstacles)

    def _settle(self) -> None:
        about, event, orders = self._staff.answered.about, self._staff.answered.event, self._staff.orders
        if event == "receipt-sent" and orders.has("stop"):
            commands.obey(self._desk, self._key, [order for order in orders.orders if order.word == "stop"])
            self._receive("stopped", [])
        elif about is None:
            raise Refused("there is nothing to send or to stop")
        elif orders.has("stop") or (event == CONFIRM and self._is_denied()):
            self._desk.drop_held(release.of(self._session, about, self._name))
            self._receive("stopped", [])
        else:
            proof = "confirmed" if event == CONFIRM else self._staff.proof
            released = release.send(self._desk, release.of(self._session, about, self._name), proof=proof)
            self._follow(released, orders.orders, proof)
            if self._staff.text and event != CONFIRM:  # it changes nothing of what leaves, and is not lost
                ticket = self._desk.find(self._session, released.key)
                self._desk.keep_note(self._session, ticket, self._staff.text, (), self._now)
            if released.held is not None:
                self._tell_held(released.held)
            elif released.outgoing is not None:
                self._check_cap(given=True)
                if event != CONFIRM:
                    self._tell_sent(released)

    def _is_denied(self) -> bool:
        """Whether who is asked says that a mail was not theirs. What may be meant either way is no consent."""
        cut, orders = self._staff.cut, self._staff.orders
        words = self._staff.text or (cut.beneath if cut else "")
        if _DENIAL.match(words):
            return True
        # What stands below may be the forger's own words, which the question quotes.
        if not (self._staff.text or orders.has("send")) or _NEGATION.search(words):
            raise Refused("it is not plain whether you wrote it: answer the question with yes, or with no")
        return False

    def _follow(self, released: Answered, orders: Sequence[Order], proof: str) -> None:
        """Carry out what stands beside `#send`. It changes nothing of what leaves, nor to whom."""
        more = [order for order in orders if order.word not in ("send", *commands.QUERIES)]
        changing = next((order for order in more if order.word in commands.WITH_WORDS), None)
        if changing is not None:
            raise Refused(f"{changing.line}: what is held leaves as it is; write it anew to change it")
        if more and proof == "mark" and self._site.settings.desk.proof == "verified":
            raise Refused(f"{more[0].line}: only the mail that it answers says who wrote it, and this site wants more")
        commands.obey(self._desk, released.key, more)
        self._ask()

    def _receive(
        self, code: str, reasons: Reasons, *, news: Sequence[Message] = (), other: Sequence[Given] = (),
        about: int | None = None, text: str | None = None,
    ) -> None:  # fmt: skip
        """Write a receipt. text: of the mail, where that is not what it says itself."""
        if self._is_flooded(code):
            return
        hint, number = self._hint(code, reasons, about)
        receipt = Receipt(
            code,
            tuple(reasons),
            masking.mask(self._text if text is None else text, least="sure").text,
            tuple(Quoted(m.from_name or m.from_address, m.at, m.new_text) for m in news),
            tuple(Quoted(answer.by, answer.at, answer.text) for answer in other),
            hint=hint,
            number=number,
        )
        desk_mail.receipt(self._session, self._site, self._staff.member, receipt, self._now, ticket=self._ticket,
                          cause_id=self._post.incoming_id, message_row=about)  # fmt: skip

    def _is_flooded(self, code: str) -> bool:
        """Whether so many receipts went out that one more helps nobody: forged mails, or a responder that answers each.
        What shows misuse always goes; its number is bounded by the caps on answers and questions."""
        if code in _ALWAYS_TOLD:
            return False
        since = self._now - _HOUR
        if not self._staff.proof:
            return desk.receipts_since(self._session, self._name, since) >= self._site.settings.desk.per_person_hour
        return desk.receipts_since(self._session, self._name, since, self._ticket_id) >= _MOST_RECEIPTS

    def _hint(self, code: str, reasons: Reasons, about: int | None) -> tuple[str, int | None]:
        """What the reader of a receipt can do about it."""
        delay = self._site.settings.desk.hold_seconds
        if code == "held":
            return ("send" if all(reason in MENDED for reason, _ in reasons) else "grave"), about
        if code == "sent" and delay and self._staff.deed != "release":  # what is released does not wait again
            return "stop", delay
        return {"note": "send-note", "confirm": "deny"}.get(code, ""), None
