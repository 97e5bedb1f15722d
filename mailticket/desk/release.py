"""What is held is carried out after all: an answer leaves, a note is kept, commands are obeyed, as they were meant."""

from __future__ import annotations

from typing import Any

from mailticket.desk import orders as commands
from mailticket.desk import outside
from mailticket.desk.answers import MENDED, Answered, Wish
from mailticket.desk.hands import Origin, Via
from mailticket.desk.tickets import Desk
from mailticket.errors import NotFound, Refused
from mailticket.intake.prepare import prepare
from mailticket.mail.staff_cut import staff_cut
from mailticket.models import Message, Ticket
from mailticket.store import Session, desk, incoming, raws, tickets
from mailticket.triage.orders import Known, Order, read_orders


def of(session: Session, message_row: int, by: str) -> int:
    """The number of a held mail or of a note that its own writer wants sent."""
    row = session.get(Message, message_row, populate_existing=True)
    if row is None or row.kind not in ("held", "note"):
        raise NotFound("there is nothing held any more: it was sent, or dropped")
    if row.by != by:
        raise Refused(f"what {row.by} wrote is theirs to send; `mailticket ticket send {message_row}` sends it")
    return message_row


def send(desk_: Desk, number: int, *, anyway: bool = False, proof: str = "") -> Answered:
    """Carry out what is held, in the name of who wrote it. A note leaves as an answer, and stays a note as well.

    proof: what has proved its writer since; "" leaves what was known.
    """
    with desk_.writing() as session:
        row = session.get(Message, number, populate_existing=True)
        if row is not None and row.kind == "note" and row.by == desk_.actor:
            return _send_note(desk_, session, row, proof or row.proof)
        row = desk.held(session, number)
        kept: dict[str, Any] = row.held or {}
        deed, lines, reasons = kept.get("deed", "answer"), kept.get("orders", []), kept.get("reasons", [])
        writer = _joined(desk_, session, row, proof or row.proof)
        ticket = tickets.led_to(session, row.ticket_id)
        if deed == "answer":
            whole = _whole(writer, session, row, kept) if anyway and row.secrets else ""
            answered = writer.send_held(number, anyway=anyway, whole=whole)
        else:
            grave = [reason for reason in reasons if reason not in MENDED]
            if grave and not anyway:
                raise Refused(f"{number} was held for {', '.join(grave)}; --anyway carries it out all the same")
            _carry_out(writer, session, ticket, row, deed)
            answered = Answered(ticket.key, "", ())
        if "order" not in reasons:
            commands.obey(writer, ticket.key, _orders_of(session, writer, lines))
        return answered


def _send_note(desk_: Desk, session: Session, row: Message, proof: str) -> Answered:
    """Answer with the words of a note, once: its receipts send it no second time."""
    number, ticket = int(row.id or 0), tickets.led_to(session, row.ticket_id)
    if row.secrets:
        raise Refused(f"note {number} contains a secret, of which only the mask is kept; write the answer anew")
    wish = Wish(files=desk_.files_of(session, row), seen=number)
    answered = _joined(desk_, session, row, proof).reply(ticket.key, row.text, wish, from_note=number)
    if answered.held is None:
        desk.forget_receipts(session, number)
    return answered


def _orders_of(session: Session, writer: Desk, lines: list[str]) -> list[Order]:
    """Commands again from the lines in which they were typed; what they name may be gone since."""
    known = Known(
        members=[member.name for member in writer.roster.staff],
        teams=[team.name for team in writer.roster.teams],
        categories=list(writer.site.categories),
        prefixes=writer.site.prefixes(session),
    )
    orders = read_orders("\n".join(lines), known)
    if orders.unknown:
        raise Refused(f"{orders.unknown[0].line}: that names nothing any more")
    return [order for order in orders.orders if order.word not in ("note", "send", "canned")]


def _joined(desk_: Desk, session: Session, row: Message, proof: str) -> Desk:
    """The writer of what is held, at work inside the same transaction. Who sends it has waited long enough."""
    via: Via = "mail" if row.via == "mail" else "cli"
    return Desk(desk_.site, row.by, session=session, origin=Origin(via, proof, row.incoming_id, row.raw_digest))


def _carry_out(writer: Desk, session: Session, ticket: Ticket, row: Message, deed: str) -> None:
    now = writer.site.clock()
    if deed in ("note", "forward"):
        writer.keep_held_as_note(session, ticket, row, now)
        return
    if deed == "outside":
        source = incoming.by_id(session, int(row.incoming_id or 0))
        raw = raws.get(session, source.raw_digest or "")
        if raw is None:
            raise NotFound("the mail itself was removed by retention; `mailticket ticket note` keeps its words")
        item = prepare(raw, True, writer.site.brief)
        outside.record(session, writer.site, ticket, item.mail, item.meaning, by=row.by, via="mail",
                       proof=writer.origin.proof, incoming_id=int(source.id or 0), now=now,
                       arrived_at=source.arrived_at)  # fmt: skip
    desk.remove_held(session, row)


def _whole(writer: Desk, session: Session, row: Message, kept: dict[str, Any]) -> str:
    """The words of a held answer without masks, read again from its mail while that is kept as it came."""
    source = incoming.by_id(session, row.incoming_id) if row.incoming_id else None
    raw = raws.get(session, source.raw_digest or "") if source else None
    if raw is None:
        return ""
    cut = staff_cut(prepare(raw, True, writer.site.brief).mail, writer.site.brief.ourselves, kept.get("symbols", ""))
    return read_orders(cut.text, Known()).rest or cut.beneath
