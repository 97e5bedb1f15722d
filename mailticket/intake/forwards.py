"""A mail that a member of staff forwards opens a ticket of its author, as if they had written to us themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailticket.desk import by_mail
from mailticket.desk.by_mail import Became, Post
from mailticket.intake.apply import Arrived, carry_out
from mailticket.mail import attachment_bytes, read
from mailticket.mail.forwarded import Forwarded
from mailticket.mail.language import language
from mailticket.mail.packing import pack
from mailticket.mail.values import Mail
from mailticket.site import Site
from mailticket.store import Session, knowledge, raws
from mailticket.triage.decide import judge_forwarded
from mailticket.triage.decision import Case, Decision
from mailticket.triage.known import Claims
from mailticket.triage.staff_mail import StaffMail
from mailticket.triage.understanding import understand


def take_forward(
    session: Session, site: Site, case: Case, arrived: Arrived, staff: StaffMail, now: datetime
) -> tuple[Decision, Became]:
    """Open the author's ticket; the words above the forward become a note, and commands are carried out on it.

    The acknowledgement is held back unless `#ack` asks for it: its author does not know yet that we have their mail.
    """
    assert staff.forwarded is not None
    mail = _authors(arrived, staff.forwarded, staff.member.name, session, now)
    meaning = understand(mail, site.brief.classifier)
    claims = Claims()
    authors_case = replace(
        case, mail=mail, claims=claims, known=knowledge.known(session, mail, claims, site.settings, now),
        fingerprint=meaning.fingerprint, office=None,
    )  # fmt: skip
    decision = judge_forwarded(authors_case, staff)
    ticket = carry_out(session, site, replace(arrived, mail=mail, meaning=meaning), decision, now)
    assert ticket is not None
    post = Post(arrived.incoming_id, arrived.raw, arrived.mail, arrived.meaning, arrived.arrived_at,
                replace(staff, ticket=ticket.key))  # fmt: skip
    return decision, by_mail.carry_out(session, site, post, ticket.key, now)


def _authors(arrived: Arrived, forward: Forwarded, member: str, session: Session, now: datetime) -> Mail:
    """The forwarded mail as its author's: claimed by whoever forwards it, and so never verified."""
    mail = arrived.mail
    inner = attachment_bytes(arrived.raw, forward.part) if forward.part else b""
    own = read(inner) if inner else None
    if own is not None:
        raws.put(session, pack(inner, complete=True), now)
    return replace(
        mail,
        digest=own.digest if own else mail.digest,
        message_id=own.message_id if own else "",  # the forward's own names its sender's machine
        in_reply_to=(), references=(),
        sender_address=forward.author, from_=(forward.author,), from_raw=forward.author.address,
        claimed=forward.author, claimed_by=f"a forward by {member}",
        trust="unknown", trust_reason=f"{forward.author.key} is only claimed, by a forward of {member}",
        subject=forward.subject, text=forward.text, new_text=forward.text, cuts=(),
        language=language(forward.text), attachments=forward.files,
    )  # fmt: skip
