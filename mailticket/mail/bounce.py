"""Delivery reports: which mail of ours did not reach whom, and why (RFC 3464, and servers that use words only)."""

from __future__ import annotations

import re
from dataclasses import replace

from mailticket.mail import bounce_prose, bounce_words, charsets, headers
from mailticket.mail.bodies import part_bytes
from mailticket.mail.parts import Part
from mailticket.mail.structure import read_structure
from mailticket.mail.values import Address, Bounce, BounceRecipient

MAX_REPORT = 200_000  # bytes of a delivery-status part
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_TYPES = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{0,60})[ \t]{0,5}:[ \t]?(.*)$")
_EMBEDDED = re.compile(r"^[ \t]{0,8}(?:Final|Original)-Recipient:", re.IGNORECASE | re.MULTILINE)
_IDENTIFIER = re.compile(
    r"^[ \t>]{0,8}(?:X-Original-)?Message-ID:[ \t]{0,5}(?:\r?\n[ \t]{1,5})?(<[^<>\s]{1,500}>)",
    re.IGNORECASE | re.MULTILINE,
)
_IDENTIFIERS = re.compile(r"<[^<>\s]{1,500}>")
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)")


def bounce(
    raw: bytes, root: Part, *, subject: str, text: str, sender: Address | None, return_path: str | None
) -> Bounce | None:
    """The delivery report that a mail is, or None. Feedback reports and read receipts are none.

    raw, root: the mail and its structure. text: its readable text. return_path: "" is the null path, None unknown.
    A person's mail that quotes or attaches a bounce is none: the report must be the mail's own, or a server's words.
    """
    report_type = root.params.get("report-type", "").lower()
    text = text if text.strip() else _undecoded(raw, root)
    if report_type in ("feedback-report", "disposition-notification"):
        return None
    own = _own_parts(root)
    if any(part.type in ("message/feedback-report", "message/disposition-notification") for part in own):
        return None
    daemon = _is_daemon(root, sender, return_path)
    reports = [part for part in own if part.type in _STATUS_TYPES]
    if reports and (report_type == "delivery-status" or root.type == "multipart/report" or daemon):
        said, found = _status_parts(raw, reports)
        if found:
            return Bounce(_completed(found, text), _original_id(raw, root, own, said, text))
    notified = (
        bounce_prose.notification(text) if sender and bounce_words.MACHINE_ADDRESS.match(sender.address) else None
    )
    if notified:
        return Bounce(notified[0], notified[1] or _original_id(raw, root, own, "", text))
    if not (reports or report_type == "delivery-status" or _says_so(own, subject, text, sender, return_path, daemon)):
        return None
    if reports and not daemon and report_type != "delivery-status":
        return None
    found_in_words = _from_words(raw, root, own, subject, text, sender)
    if daemon and not found_in_words[0].address:
        carried = _carried(raw, own)
        if carried:
            return carried
    return Bounce(found_in_words, _original_id(raw, root, own, "", text))


def _carried(raw: bytes, own: list[Part]) -> Bounce | None:
    """The delivery report that a gateway's notification without recipients carries as a message."""
    for part in own:
        if part.type == "message/rfc822":
            inner = part_bytes(raw, part)
            root = read_structure(inner)[0]
            reports = [one for one in _own_parts(root) if one.type in _STATUS_TYPES]
            said, found = _status_parts(inner, reports)
            if found:
                return Bounce(tuple(found), _original_id(inner, root, _own_parts(root), said, ""))
    return None


def _undecoded(raw: bytes, root: Part) -> str:
    """The body as it came, of a report whose parts are so broken that it has no text."""
    return charsets.decode(raw[root.start : min(root.end, root.start + 65536)])


def _own_parts(root: Part) -> list[Part]:
    """The parts of the mail itself, not those of messages that it carries."""
    own, stack = [], [root]
    while stack:
        part = stack.pop()
        own.append(part)
        if not part.type.startswith("message/"):
            stack.extend(reversed(part.children))
    return own


def _is_daemon(root: Part, sender: Address | None, return_path: str | None) -> bool:
    """Whether a mail server seems to have written the mail."""
    written = headers.text(root.headers, "from")
    address = sender.address if sender else written
    return (
        bounce_words.DAEMON_ADDRESS.search(address[:400]) is not None
        or bounce_words.DAEMON_NAME.search(written[:400]) is not None
        or (return_path is not None and bounce_words.DAEMON_ADDRESS.match(return_path) is not None)
        or (return_path in ("", None) and written.strip() in ("<>", ""))
    )


def _says_so(
    own: list[Part], subject: str, text: str, sender: Address | None, return_path: str | None, daemon: bool
) -> bool:
    """Whether a mail without a machine-readable report is a bounce: who wrote it, and what subject and words say."""
    titled = bounce_words.SUBJECT.search(subject[:400]) is not None
    answer = bounce_words.ANSWER_SUBJECT.match(subject[:40]) is not None
    words = bounce_prose.prose(text)
    worded = bounce_words.FAILURE.search(words) is not None
    if own[0].headers.has("x-failed-recipients") and (daemon or return_path == "" or (titled and not answer)):
        return True
    if daemon:
        return (
            (titled and not answer)
            or worded
            or (bool(text) and bounce_words.RETURNED_HEADER.search(text[:4000]) is not None)
        )
    if return_path == "" and worded and any(part.type in _RETURNED_TYPES for part in own):
        return True
    if answer or not titled:
        return False
    machine = sender is None or bounce_words.MACHINE_ADDRESS.match(sender.address) is not None
    return (worded or bounce_words.meant_status(words) != "") and (machine or return_path == "")


def _status_parts(raw: bytes, reports: list[Part]) -> tuple[str, list[BounceRecipient]]:
    """The text of the delivery-status parts and the recipients in them (RFC 3464 section 2.3)."""
    said, found = "", []
    for part in reports:
        text = charsets.decode(part_bytes(raw, part)[:MAX_REPORT], part.params.get("charset", "") or "utf-8")
        said += text + "\n\n"
        found += [recipient for fields in _blocks(text) if (recipient := _recipient(fields))]
    return said, found[: bounce_prose.MAX_RECIPIENTS]


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
    joined: list[dict[str, str]] = []
    for block in blocks:
        about = block.keys() & {"action", "status", "diagnostic-code", "remote-mta"}
        named = block.keys() & {"final-recipient", "original-recipient"}
        if joined and about and not named and not (joined[-1].keys() & about) and "final-recipient" in joined[-1]:
            joined[-1].update(block)
        elif block:
            joined.append(dict(block))
    return joined


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
    return BounceRecipient(address[:320], action, status, " ".join(diagnostic.split())[: bounce_prose.MAX_DIAGNOSTIC])


def _typed(value: str) -> str:
    """The address of "rfc822; <a@b>" (RFC 3464 section 2.1.2), whatever its type is called."""
    kind, semicolon, rest = value.partition(";")
    address = rest if semicolon and re.fullmatch(r"[ \w./-]{0,30}", kind) else value
    inner = re.search(r"<([^<>\s]{1,320})>", address)
    return inner.group(1) if inner else address.strip().strip("<>\"' ").split(" ")[0].rstrip(";,")


def _specific(declared: re.Match[str] | None, diagnostic: str) -> str:
    """The status field, or the code in the diagnostic where the field only says "5.0.0"; without both, the words."""
    status = declared.group(1) if declared else ""
    if status and not status.endswith(".0.0"):
        return status
    written = bounce_words.written_status(diagnostic)
    return written or status or bounce_words.meant_status(diagnostic)


def _completed(found: list[BounceRecipient], text: str) -> tuple[BounceRecipient, ...]:
    """Statuses that the report leaves out or leaves at "5.0.0", where the words beside it write a better one."""
    vague = {
        one.address
        for one in found
        if "@" in one.address and not one.diagnostic and (not one.status or one.status.endswith(".0.0"))
    }
    if not vague:
        return tuple(found)
    addresses = tuple(one.address for one in found if "@" in one.address)
    worded = bounce_prose.recipients(text, addresses, frozenset(), delayed=False)
    written = {one.address: one.status for one in worded if not one.status.endswith(".0.0")}
    return tuple(
        replace(one, status=written[one.address])
        if one.address in vague and written.get(one.address, "")[:1] in (one.status[:1] or "4", one.status[:1] or "5")
        else one
        for one in found
    )


def _from_words(
    raw: bytes, root: Part, own: list[Part], subject: str, text: str, sender: Address | None
) -> tuple[BounceRecipient, ...]:
    """The recipients of a bounce without report: fields in its text, X-Failed-Recipients, its words, the returned To."""
    words = bounce_prose.prose(text)
    if _EMBEDDED.search(text[: bounce_prose.MAX_PROSE]):
        embedded = "\n".join(line.strip() for line in text[: bounce_prose.MAX_PROSE].splitlines())
        found = [recipient for fields in _blocks(embedded) if (recipient := _recipient(fields))]
        if found:
            return tuple(found[: bounce_prose.MAX_RECIPIENTS])
    failed = tuple(_addresses(headers.text(root.headers, "x-failed-recipients")))
    excluded = {address.lower() for address in _addresses(headers.text(root.headers, "to"))}
    if sender:
        excluded.add(sender.key)
    said = f"{subject}\n{words}"
    delayed = bounce_words.DELAY.search(said) is not None and not bounce_words.GIVEN_UP.search(said)
    found_in_words = bounce_prose.recipients(text, failed, frozenset(excluded), delayed=delayed)
    if found_in_words[0].address:
        return found_in_words
    returned = tuple(_addresses(_returned_field(raw, own, text, "to")))[:10]
    return bounce_prose.recipients(text, returned, frozenset(), delayed=delayed) if returned else found_in_words


def _addresses(value: str) -> list[str]:
    return [match.group() for match in re.finditer(r"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}", value[:4000])]


def _returned_text(raw: bytes, own: list[Part], text: str) -> str:
    """The header of the returned mail: of the attached one, else what stands below the words."""
    for part in own:
        if part.type in _RETURNED_TYPES:
            return charsets.decode(part_bytes(raw, part)[:65536].lstrip())
    return text[len(bounce_prose.prose(text)) : 200_000]


def _returned_field(raw: bytes, own: list[Part], text: str, name: str) -> str:
    match = re.search(
        rf"^[ \t>]{{0,8}}{name}:([^\n]{{0,1000}}(?:\n[ \t]+[^\n]{{0,1000}}){{0,20}})",
        _returned_text(raw, own, text),
        re.I | re.M,
    )
    return match.group(1) if match else ""


def _original_id(raw: bytes, root: Part, own: list[Part], said: str, text: str) -> str:
    """The Message-ID of the mail that was not delivered: as returned, as reported, or as the bounce refers to it."""
    for source in (_returned_text(raw, own, text), said, text[: bounce_prose.MAX_PROSE]):
        match = _IDENTIFIER.search(source)
        if match:
            return match.group(1)
    for name in ("x-original-message-id", "in-reply-to", "references"):
        identifiers = _IDENTIFIERS.findall(headers.text(root.headers, name))
        if identifiers:
            return str(identifiers[-1])
    return ""
