"""The machine-readable part of a bounce: every recipient with action, status and diagnostic (RFC 3464 section 2)."""

from __future__ import annotations

import re

from mailticket.mail import bounce_words, charsets
from mailticket.mail.bodies import part_bytes
from mailticket.mail.parts import Part
from mailticket.mail.values import BounceRecipient
from mailticket.text.patterns import lazy_pattern

MAX_REPORT = 200_000  # bytes of one part
MAX_RECIPIENTS = 100
MAX_DIAGNOSTIC = 500

_FIELD = lazy_pattern(r"^([A-Za-z][A-Za-z-]{0,60})[ \t]{0,5}:[ \t]?(.*)$")
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
# What says of an address that it is none, or none any more (RFC 3463 3.2, 3.3, 3.5; RFC 7505). Others of X.1 are about
# the sender (X.1.7, X.1.8), and a full or refusing mailbox (X.2.2, X.7) takes the next mail perhaps.
_DEAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_STATUS = lazy_pattern(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)")


def is_dead_address(status: str) -> bool:
    """Whether an enhanced status code (RFC 3463) says that no mail will ever reach this address."""
    return status in _DEAD_ADDRESS


def read_parts(raw: bytes, reports: list[Part]) -> tuple[str, list[BounceRecipient]]:
    """The text of the delivery-status parts and the recipients in them (RFC 3464 section 2.3)."""
    report, recipients = "", []
    for part in reports:
        text = charsets.decode(part_bytes(raw, part)[:MAX_REPORT], part.params.get("charset", "") or "utf-8")
        report += text + "\n\n"
        recipients += read_fields(text)
    first_by_address = {recipient.address.lower(): recipient for recipient in reversed(recipients)}
    return report, [recipient for recipient in recipients if first_by_address[recipient.address.lower()] is recipient][
        :MAX_RECIPIENTS
    ]


def read_fields(text: str) -> list[BounceRecipient]:
    """The recipients that a text in the form of RFC 3464 names, in its order."""
    return [recipient for fields in _blocks(text) if (recipient := _recipient(fields))]


def _blocks(text: str) -> list[dict[str, str]]:
    """The groups of fields between blank lines; a repeated recipient field begins a new group as well."""
    blocks: list[dict[str, str]] = [{}]
    last = ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        match = _FIELD.match(line.strip("\u00a0")) if line[:1] not in " \t" else None
        if not line.strip():
            blocks.append({})
            last = ""
        elif match:
            last = match.group(1).lower()
            if last == "final-recipient" and last in blocks[-1]:
                blocks.append({})
            blocks[-1].setdefault(last, match.group(2).strip())
        elif last and len(blocks[-1][last]) < 4000:
            blocks[-1][last] += " " + line.strip()
    return _joined(blocks)


def _joined(blocks: list[dict[str, str]]) -> list[dict[str, str]]:
    """Groups of one recipient that a blank line tore apart, put together again."""
    groups: list[dict[str, str]] = []
    for block in blocks:
        about = block.keys() & {"action", "status", "diagnostic-code", "remote-mta"}
        names = block.keys() & {"final-recipient", "original-recipient"}
        if groups and about and not names and not (groups[-1].keys() & about) and "final-recipient" in groups[-1]:
            groups[-1].update(block)
        elif block:
            groups.append(dict(block))
    return groups


def _recipient(fields: dict[str, str]) -> BounceRecipient | None:
    final, original = (_typed(fields.get(name, "")) for name in ("final-recipient", "original-recipient"))
    if not final and not original:
        return None
    address = final if "@" in final or "@" not in original else original
    diagnostic = fields.get("diagnostic-code", "")
    if re.match(r"[A-Za-z0-9_/-]{1,30} ?;", diagnostic):
        diagnostic = diagnostic.partition(";")[2].strip()
    status = _specific(_STATUS.search(fields.get("status", "")), diagnostic)
    action = fields.get("action", "").split("(")[0].strip().lower()
    if action not in _ACTIONS:
        action = next((name for name in _ACTIONS if action.startswith(name[:5])), "")
    action = action or {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
    return BounceRecipient(address[:320], action, status, " ".join(diagnostic.split())[:MAX_DIAGNOSTIC])


def _typed(value: str) -> str:
    """The address of "rfc822; <a@b>" (RFC 3464 section 2.1.2), whatever its type is called."""
    kind, semicolon, rest = value.partition(";")
    address = rest if semicolon and re.fullmatch(r"[ \w./-]{0,30}", kind) else value
    inner = re.search(r"<([^<>\s]{1,320})>", address)
    return inner.group(1) if inner else address.strip().strip("<>\"' ").split(" ")[0].rstrip(";,")


# Statuses that servers give whatever happened; what they say in words says more.
_CATCH_ALL = frozenset({"5.1.1", "5.1.0", "5.5.0", "4.5.0"})
_NOT_THE_ADDRESS = ("5.2.2", "5.7.1", "5.7.25", "5.7.26", "5.1.8")  # a full mailbox, a block of our server


def _specific(declared: re.Match[str] | None, diagnostic: str) -> str:
    """The status field, or the remote's own code where the field says nothing certain; without both, its words.

    "5.0.0" says nothing, and "5.1.1" is what many servers put for every refusal: the code or the words of the
    diagnostic win over these, or an address that is only full for now would be taken for dead.
    """
    status = declared.group(1) if declared else ""
    if status and not status.endswith(".0.0") and status not in _CATCH_ALL:
        return status
    written = bounce_words.written_status(diagnostic)
    if written and not written.endswith(".0.0"):
        return written
    meaning = bounce_words.meant_status(diagnostic) if status in _CATCH_ALL else ""
    if meaning in _NOT_THE_ADDRESS:
        return meaning
    if status in _CATCH_ALL:
        return status
    return written or status or bounce_words.meant_status(diagnostic)


_REFUSED = lazy_pattern(r"^Disposition:[^;\n]{0,200};[ \t]*(?:failed|denied|rejected|[a-z]{0,20}/error)", re.I | re.M)
_DROPPED = lazy_pattern(r"^Disposition:[ \t]*automatic-action[^;\n]{0,200};[ \t]*deleted", re.IGNORECASE | re.MULTILINE)


def refusals(raw: bytes, receipts: list[Part], text: str, *, daemon: bool) -> tuple[str, list[BounceRecipient]]:
    """The notification parts' text and whom they refuse a mail for; no recipients where they only tell of a reading.

    Sieve's reject (RFC 5429) may say so by a disposition notification (RFC 8098): "failed" and "denied" (RFC 2298), or
    "deleted" by an automatic action with the words of a refusal beside it. What a person deleted unread was delivered.
    """
    notice = "\n\n".join(
        charsets.decode(part_bytes(raw, part)[:MAX_REPORT], part.params.get("charset", "") or "utf-8")
        for part in receipts
    )
    words = text[:4000]
    speaks = bounce_words.REFUSAL.search(words) is not None
    if not (_REFUSED.search(notice) or (_DROPPED.search(notice) and speaks) or (not notice and daemon and speaks)):
        return notice, []
    status = bounce_words.written_status(words) or bounce_words.meant_status(words) or "5.7.1"
    addresses = [recipient.address for recipient in read_fields(notice)] or [""]
    diagnostic = " ".join(words.split())[:MAX_DIAGNOSTIC]
    return notice, [BounceRecipient(address, "failed", status, diagnostic) for address in addresses[:MAX_RECIPIENTS]]
