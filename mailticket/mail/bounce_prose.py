"""Bounces that say it in words only: who was not reached, and why (qmail, Exim, Postfix, Exchange, Gmail, 163, ...)."""

from __future__ import annotations

import re

from mailticket.mail import bounce_words
from mailticket.mail.delivery_status import MAX_DIAGNOSTIC, MAX_RECIPIENTS
from mailticket.mail.values import BounceRecipient
from mailticket.text.patterns import lazy_pattern

MAX_PROSE = 20_000  # characters; a server says it in fewer

_ADDRESS = r"[A-Za-z0-9.!#$%&*+/=?^_`{}~'-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?"
_ANY = lazy_pattern(_ADDRESS)
_OPENING = lazy_pattern(rf"^[ \t>]{{0,10}}<({_ADDRESS})>", re.MULTILINE)
_ALONE = lazy_pattern(
    rf"^[ \t>*|-]{{0,12}}(?:(?:[\w.-]{{1,40}} ){{0,3}}<)?[\"'<(\[]?({_ADDRESS})[\"'>)\]]?:?"
    r"(?:[ \t]*\((?:expanded|reason|ultimately|generated)[^\n]{0,200}| on [^\n]{0,60}|[ \t]*\.\.\.[^\n]{0,200}"
    r"| <[^\n>]{1,200}>|[ \t]+\(unrecoverable error\))?[ \t]*:?\r?$",
    re.MULTILINE,
)
_LABELLED = lazy_pattern(
    r"(?<![A-Za-z0-9.@+_-])(?:recipients?|to|user|addressee|address(?:es)?|final-recipient|mail ?box|delivery to"
    r"|deliver(?:ed)? (?:mail |message )?to|message to|mail to|rcpt to|for|empfänger|destinataire|destinatario"
    r"|destinatário|получател[ья]|收件人|收件者|收件人邮箱|收件地址|邮箱|郵箱|地址|给|給|到|发往|發往|宛先|受信者"
    r"|수신자)"
    rf"(?:地址| address(?:es)?| mailbox)?(?:(?<=[^\x00-\x7f])|(?=[\s:：=\"'<(\[（【《“「]))"
    rf"[ \t]{{0,3}}(?:[:：=]|rfc822;|is\b|was\b)?[ \t]{{0,3}}(?:rfc822;[ \t]?)?[\"'<(\[（【《“「]{{0,2}}({_ADDRESS})",
    re.IGNORECASE,
)
_TRANSCRIPT = lazy_pattern(rf"RCPT TO: ?<({_ADDRESS})>", re.IGNORECASE)
_NOT_RECIPIENTS = lazy_pattern(r"^(?:mailer-daemon|postmaster|abuse|noreply|no-reply)@", re.IGNORECASE)


def prose(text: str) -> str:
    """The server's own words: what stands above the returned mail."""
    head = text[:MAX_PROSE]
    ends = [
        m.start() for pattern in (bounce_words.RETURNED, bounce_words.RETURNED_HEADER) if (m := pattern.search(head, 1))
    ]
    cut = head[: min(ends)] if ends else head
    return cut if cut.strip() else head


def recipients(
    text: str, failed: tuple[str, ...], excluded: frozenset[str], *, delayed: bool
) -> tuple[BounceRecipient, ...]:
    """The recipients that the words name, with the status each is given in writing or by meaning.

    failed: addresses that headers (X-Failed-Recipients) or the returned mail name. excluded: lowercased addresses of
    the bounce's own sender and recipients. Each recipient's words reach to the next recipient's.
    """
    words = prose(text)
    places = _places(words, failed, excluded)
    starts = sorted(places.values())
    action = "delayed" if delayed else "failed"
    entries = []
    for address, start in sorted(places.items(), key=lambda item: item[1]):
        end = next((later for later in starts if later > start), len(words))
        own = words[start:end] if start >= 0 else words
        entries.append(BounceRecipient(address, action, *_status(own, words, address, alone=len(starts) == 1)))
    if not entries:
        entries = [BounceRecipient("", action, *_status(words, words, "", alone=True))]
    return tuple(entries[:MAX_RECIPIENTS])


def _status(own: str, words: str, address: str, *, alone: bool) -> tuple[str, str]:
    """Status and diagnostic of one recipient; all words count where there is only one recipient."""
    bare = own.replace(address, "") if address else own
    status = bounce_words.written_status(bare) or (bounce_words.written_status(words) if alone else "")
    meaning = bounce_words.meant_status(bare) or (bounce_words.meant_status(words) if alone else "")
    return status or meaning, " ".join(own.split())[:MAX_DIAGNOSTIC]


def _places(words: str, failed: tuple[str, ...], excluded: frozenset[str]) -> dict[str, int]:
    """Each recipient's address, as first written, and where its words begin; the surest way of naming that is used."""
    if failed:
        lowercase = words.lower()
        return {address: lowercase.find(address.lower()) for address in dict.fromkeys(failed)}
    for pattern in (_OPENING, _ALONE, _TRANSCRIPT, _LABELLED, _ANY):
        places: dict[str, int] = {}
        keys: set[str] = set()
        for match in pattern.finditer(words):
            address = match.group(match.lastindex or 0).rstrip(".")
            key = address.lower()
            if key in keys or key in excluded or _NOT_RECIPIENTS.match(key) or "." not in key.rpartition("@")[2]:
                continue
            keys.add(key)
            places[address] = match.start()
            if pattern is _ANY or len(places) >= MAX_RECIPIENTS:
                break
        if places:
            return places
    return {}


def names_failed(words: str) -> bool:
    """Whether a server's words name whom they are about where servers do: in brackets, alone on a line."""
    return (_OPENING.search(words) or _ALONE.search(words)) is not None and not _ASKS.search(words)


def is_notice(words: str) -> bool:
    """Whether words that no known server wrote are a server's: its formula first, an address alone, no question."""
    return bounce_words.NOTICE.match(words.lstrip()[:400]) is not None and names_failed(words)


_ASKS = lazy_pattern("[?？]")
