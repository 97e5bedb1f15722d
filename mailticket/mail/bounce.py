"""Delivery reports: which mail of ours did not reach whom, and why (RFC 3464, and servers that use words only)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mailticket.mail import bounce_notice, bounce_prose, bounce_words, charsets, headers
from mailticket.mail.address import Address
from mailticket.mail.bodies import part_bytes
from mailticket.mail.delivery_status import MAX_RECIPIENTS, read_fields, read_parts, refusals
from mailticket.mail.parts import Part
from mailticket.mail.structure import read_structure
from mailticket.mail.values import Bounce, BounceRecipient
from mailticket.text.patterns import lazy_pattern

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_TYPES = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_EMBEDDED = lazy_pattern(r"^[ \t]{0,8}(?:Final|Original)-Recipient:", re.IGNORECASE | re.MULTILINE)
_IDENTIFIER = lazy_pattern(
    r"^[ \t>]{0,8}(?:X-)?(?:Original-)?Message-ID:[ \t]{0,5}(?:\r?\n[ \t]{1,5})?(<[^<>\s]{1,500}>)",
    re.IGNORECASE | re.MULTILINE,
)
_IDENTIFIERS = lazy_pattern(r"<[^<>\s]{1,500}>")
_RECEIVED_ID = lazy_pattern(r"^Received:(?:[^\n]|\n[ \t]){0,600}?\bid <?([\w.-]{6,80})", re.IGNORECASE | re.MULTILINE)
_QUEUE_ID = lazy_pattern(
    r"^X-[\w-]{0,40}(?:Queue|Message)-?ID:[ \t]{0,5}<?([\w.-]{6,80})", re.IGNORECASE | re.MULTILINE
)
_MOST_HEADER = 20_000  # characters of a returned header in which servers' names for the mail are looked for
_SHORTEST_QUEUE_ID = 8  # a shorter one is used again within days
_MOST_REFERENCES = 20
_LONGEST_SUBJECT = 500


def bounce(
    raw: bytes,
    root: Part,
    *,
    subject: str,
    text: str,
    sender: Address | None,
    return_path: str | None,
    own_addresses: frozenset[str] = frozenset(),
) -> Bounce | None:
    """The delivery report that a mail is, or None. Feedback reports are none, nor receipts but for refusals.

    raw, root: the mail and its structure. text: its readable text. return_path: "" is the null path, None unknown.
    own_addresses: ours, which never failed.
    A person's mail that quotes or attaches a bounce is none: the report must be the mail's own, or a server's words.
    """
    report_type = root.params.get("report-type", "").lower()
    text = text if text.strip() else _undecoded(raw, root)
    own = _own_parts(root)
    if report_type == "feedback-report" or any(part.type == "message/feedback-report" for part in own):
        return None
    daemon = _is_daemon(root, sender, return_path)
    receipts = [part for part in own if part.type == "message/disposition-notification"]
    if receipts or report_type == "disposition-notification":
        refusal, recipients = refusals(raw, receipts, text, daemon=daemon)
        return _about(recipients, raw, root, own, refusal, text) if recipients else None
    reports = [part for part in own if part.type in _STATUS_TYPES]
    if reports and (report_type == "delivery-status" or root.type == "multipart/report" or daemon):
        report, recipients = read_parts(raw, reports)
        if recipients:
            return _about(_completed(recipients, text), raw, root, own, report, text)
    notification = bounce_notice.notification(text) if is_notifier(sender) else None
    if notification:
        return notification if isinstance(notification, Bounce) else None
    if not (reports or report_type == "delivery-status" or _says_so(own, subject, text, sender, return_path, daemon)):
        return None
    if reports and not daemon and report_type != "delivery-status":
        return None
    prose_recipients = _from_words(root, subject, text, sender, own_addresses)
    inner = _inner_bounce(raw, own) if daemon and not prose_recipients[0].address else None
    if inner:
        return inner
    prose_recipients = (
        prose_recipients if prose_recipients[0].address else _from_returned(raw, own, text, prose_recipients)
    )
    return _about(prose_recipients, raw, root, own, "", text)


def is_notifier(sender: Address | None) -> bool:
    """Whether a program seems to write from this address, whose notifications may be read as such."""
    return sender is not None and bounce_words.MACHINE_ADDRESS.match(sender.address) is not None


def _about(
    recipients: Sequence[BounceRecipient], raw: bytes, root: Part, own: list[Part], report: str, text: str
) -> Bounce:
    """The report on these recipients, with what the bounce tells of the mail that it returns."""
    returned = _returned_text(raw, own, text)
    original = _original_id(returned, root, own, report, text)
    returned = returned[:_MOST_HEADER]
    answered = f"{_field(returned, 'references')} {_field(returned, 'in-reply-to')}"
    return Bounce(
        tuple(recipients),
        original,
        tuple(dict.fromkeys(_IDENTIFIERS.findall(answered)))[-_MOST_REFERENCES:],
        headers.clean_line(headers.decode(_field(returned, "subject").encode("utf-8", "replace")))[:_LONGEST_SUBJECT],
        _queue_ids(original, returned, report),
    )


def _queue_ids(original: str, returned: str, report: str) -> tuple[str, ...]:
    """Names of a mail in servers' queues: in Received, queue headers, and the left side of a Message-ID of theirs."""
    names = [original.strip("<>").partition("@")[0], *_RECEIVED_ID.findall(returned)]
    names += _QUEUE_ID.findall(f"{report[:_MOST_HEADER]}\n{returned}")
    return tuple(dict.fromkeys(name for name in names if len(name) >= _SHORTEST_QUEUE_ID))[:_MOST_REFERENCES]


def _inner_bounce(raw: bytes, own: list[Part]) -> Bounce | None:
    """The delivery report that a gateway's notification without recipients carries as a message."""
    for part in own:
        if part.type == "message/rfc822":
            inner = part_bytes(raw, part)
            root = read_structure(inner)[0]
            reports = [part for part in _own_parts(root) if part.type in _STATUS_TYPES]
            report, recipients = read_parts(inner, reports)
            if recipients:
                return _about(recipients, inner, root, _own_parts(root), report, "")
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
    author = headers.text(root.headers, "from")[:400]
    address = sender.address if sender else author.rpartition("<")[2].lstrip(' "')
    return (
        bounce_words.DAEMON_ADDRESS.match(address) is not None
        or bounce_words.DAEMON_NAME.search(author) is not None
        or (return_path or "").lower().startswith(("mailer-daemon@", "postmaster@"))
        or author == "<>"
        or (return_path == "" and not author)
    )


def _says_so(
    own: list[Part], subject: str, text: str, sender: Address | None, return_path: str | None, daemon: bool
) -> bool:
    """Whether a mail without a machine-readable report is a bounce: who wrote it, and what subject and words say."""
    subject_matches = bounce_words.SUBJECT.search(subject[:400]) is not None
    answer = bounce_words.ANSWER_SUBJECT.match(subject[:40]) is not None
    if not daemon and return_path != "" and not subject_matches:
        return False  # a person's mail, as most are: its words need not be searched
    words = bounce_prose.prose(text)
    words_match = bounce_words.FAILURE.search(words) is not None
    if own[0].headers.has("x-failed-recipients") and (daemon or return_path == "" or (subject_matches and not answer)):
        return True
    if daemon and subject_matches and not answer:
        return True
    if daemon and not answer and words_match and bounce_prose.names_failed(words):
        return True
    if daemon and bounce_words.RETURNED_HEADER.search(text[:4000]):
        return True
    if (
        daemon
        and words_match
        and "@" in words
        and (bounce_words.written_status(words) or bounce_words.meant_status(words))
    ):
        return True
    if return_path == "" and words_match and any(part.type in _RETURNED_TYPES for part in own):
        return True
    if answer or not subject_matches:
        return False
    machine = sender is None or bounce_words.MACHINE_ADDRESS.match(sender.address) is not None
    machine = machine or return_path == "" or bounce_prose.is_notice(words)
    return machine and (words_match or bounce_words.meant_status(words) != "")


def _completed(recipients: list[BounceRecipient], text: str) -> tuple[BounceRecipient, ...]:
    """Statuses that the report leaves out or leaves at "5.0.0", where the words beside it write a better one."""
    vague = {
        recipient.address
        for recipient in recipients
        if "@" in recipient.address
        and not recipient.diagnostic
        and (not recipient.status or recipient.status.endswith(".0.0"))
    }
    if not vague:
        return tuple(recipients)
    addresses = tuple(recipient.address for recipient in recipients if "@" in recipient.address)
    prose_recipients = bounce_prose.recipients(text, addresses, frozenset(), delayed=False)
    statuses = {
        recipient.address: recipient.status for recipient in prose_recipients if not recipient.status.endswith(".0.0")
    }
    return tuple(
        replace(recipient, status=statuses[recipient.address])
        if recipient.address in vague
        and statuses.get(recipient.address, "")[:1] in (recipient.status[:1] or "4", recipient.status[:1] or "5")
        else recipient
        for recipient in recipients
    )


def _from_words(
    root: Part, subject: str, text: str, sender: Address | None, own_addresses: frozenset[str]
) -> tuple[BounceRecipient, ...]:
    """The recipients where no part is a report: by fields in the text, by header, by words; else a nameless one."""
    if _EMBEDDED.search(text[: bounce_prose.MAX_PROSE]):
        fields = "\n".join(line.strip() for line in text[: bounce_prose.MAX_PROSE].splitlines())
        recipients = read_fields(fields)
        if recipients:
            return tuple(recipients[:MAX_RECIPIENTS])
    addresses = tuple(_addresses(headers.text(root.headers, "x-failed-recipients")))
    excluded = {address.lower() for address in _addresses(headers.text(root.headers, "to"))}
    excluded |= {re.sub(r"\+[^@]{0,300}@", "@", address) for address in excluded} | own_addresses
    if sender:
        excluded.add(sender.key)
    words = f"{subject}\n{bounce_prose.prose(text)}"
    delayed = bounce_words.DELAY.search(words) is not None and not bounce_words.GIVEN_UP.search(words)
    return bounce_prose.recipients(text, addresses, frozenset(excluded), delayed=delayed)


def _from_returned(
    raw: bytes, own: list[Part], text: str, nameless: tuple[BounceRecipient, ...]
) -> tuple[BounceRecipient, ...]:
    """The recipients that the returned mail was addressed to, where the words name none."""
    addresses = tuple(_addresses(_field(_returned_text(raw, own, text), "to")))[:10]
    delayed = nameless[0].action == "delayed"
    return bounce_prose.recipients(text, addresses, frozenset(), delayed=delayed) if addresses else nameless


def _addresses(value: str) -> list[str]:
    return [match.group() for match in re.finditer(r"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}", value[:4000])]


def _returned_text(raw: bytes, own: list[Part], text: str) -> str:
    """The header of the returned mail: of the attached one, else what stands below the words."""
    for part in own:
        if part.type in _RETURNED_TYPES:
            return charsets.decode(part_bytes(raw, part)[:65536].lstrip())
    return text[len(bounce_prose.prose(text)) : 200_000]


def _field(returned: str, name: str) -> str:
    match = re.search(
        rf"^[ \t>]{{0,8}}{name}:([^\n]{{0,1000}}(?:\n[ \t]+[^\n]{{0,1000}}){{0,20}})", returned, re.I | re.M
    )
    return match.group(1) if match else ""


def _original_id(returned: str, root: Part, own: list[Part], report: str, text: str) -> str:
    """The Message-ID of the mail that was not delivered: as returned, as reported, or as the bounce refers to it."""
    for source in (returned, report, text[: bounce_prose.MAX_PROSE]):
        match = _IDENTIFIER.search(source)
        if match:
            return match.group(1)
    for name in ("x-original-message-id", "in-reply-to", "references"):
        identifiers = _IDENTIFIERS.findall(headers.text(root.headers, name))
        if identifiers:
            return str(identifiers[-1])
    for part in own[1:]:  # a returned mail whose header was taken for that of a part
        identifiers = _IDENTIFIERS.findall(headers.text(part.headers, "message-id"))
        if identifiers:
            return str(identifiers[0])
    return ""
