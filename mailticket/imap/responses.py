"""What an IMAP server responds, as values: sets of UIDs, items of FETCH, COPYUID; nothing here touches a connection."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient.datetime_util import parse_to_datetime
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

HIGHEST_UID = 2**32 - 1


@dataclass(frozen=True)
class Folder:
    """A selected folder. `uidnext` is None where the server does not tell. keywords: whether it keeps those of ours
    (`\\*` among PERMANENTFLAGS, RFC 3501 section 7.1). name: as the server calls it."""

    uidvalidity: int
    uidnext: int | None
    exists: int
    read_only: bool
    keywords: bool = False
    name: str = ""


@dataclass(frozen=True)
class Listed:
    """What is known of a mail before it is fetched: size in bytes (0: the server would not say) and arrival, UTC."""

    size: int
    internaldate: datetime


@dataclass(frozen=True)
class Fetched:
    """A mail as the server gave it. `whole` is False when only the headers and the beginning were fetched."""

    uid: int
    raw: bytes
    internaldate: datetime
    whole: bool = True


@dataclass(frozen=True)
class Missing:
    """A mail that the server did not give. `listed`: it still lists it, so this is its fault and not an end.

    raw: the headers, where the server gave those alone.
    """

    uid: int
    listed: bool
    reason: str
    raw: bytes = b""


def uid_set(uids: Iterable[int]) -> str:
    """The sequence-set of some UIDs (RFC 3501 section 9), runs joined: {1, 2, 3, 7} is 1:3,7. Names no other UID."""
    spans: list[list[int]] = []
    for uid in sorted(set(uids)):
        if not 0 < uid <= HIGHEST_UID:
            raise ValueError(f"{uid} is no UID")
        if spans and spans[-1][1] == uid - 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in spans)


def search_uids(data: Iterable[Any]) -> set[int]:
    """The UIDs of the SEARCH responses."""
    uids: set[int] = set()
    for line in data:
        if not line:
            continue
        if not isinstance(line, bytes) or not re.fullmatch(rb"[\d ]*", line):
            raise ProtocolError("a SEARCH response that is no list of numbers")
        uids.update(map(int, line.split()))
    return uids


def fetch_items(data: list[Any], wanted: Iterable[int]) -> dict[int, dict[bytes, Any]]:
    """The items of FETCH responses by UID. Responses without UID or for other mails are nobody's business here.

    They are told apart by the UID inside each response, never by the sequence number, which shifts under our feet. An
    item of one mail that comes twice with different content is a protocol error: which one would be the mail?
    """
    responses = iter(parse_response(data))
    mails: dict[int, dict[bytes, Any]] = {uid: {} for uid in wanted}
    for _sequence in responses:
        items = _items(next(responses, None))
        mail = mails.get(items.pop(b"UID", None))
        if mail is None:
            continue
        for name, value in items.items():
            if name.startswith(b"BODY") and mail.get(name, value) != value:
                raise ProtocolError("the server gave two different bodies for one UID")
            mail[name] = value
    return {uid: items for uid, items in mails.items() if items}


def _items(response: Any) -> dict[bytes, Any]:
    if not isinstance(response, tuple) or len(response) % 2:
        raise ProtocolError("a FETCH response that is no list of pairs")
    names = [name.upper() if isinstance(name, bytes) else name for name in response[::2]]
    if any(not isinstance(name, bytes) for name in names) or len(set(names)) != len(names):
        raise ProtocolError("a FETCH response with strange or repeated names")
    return dict(zip(names, response[1::2], strict=True))


def listing(items: Mapping[bytes, Any], now: datetime) -> Listed:
    """RFC822.SIZE and INTERNALDATE of a FETCH response; a missing size is 0."""
    size = items.get(b"RFC822.SIZE", 0)
    if not isinstance(size, int):
        raise ProtocolError("a size that is no number")
    return Listed(size, internaldate(items.get(b"INTERNALDATE"), now))


def internaldate(value: Any, now: datetime) -> datetime:
    """INTERNALDATE as UTC; `now` for a server that breaks RFC 3501 section 2.3.3 and gives none or nonsense."""
    try:
        moment: datetime = parse_to_datetime(value, normalise=False)
        return moment.astimezone(UTC) if moment.tzinfo else now
    except (ValueError, OverflowError, TypeError, AttributeError):
        return now


def mail(uid: int, items: Mapping[bytes, Any], listing_before: Listed, whole: bool = True) -> Fetched | None:
    """The mail in a FETCH response, or None when the response holds no body."""
    raw = next((value for name, value in items.items() if name.startswith(b"BODY[]")), None)
    if not isinstance(raw, bytes):
        return None
    return Fetched(uid, raw, internaldate(items.get(b"INTERNALDATE"), listing_before.internaldate), whole)


def shortfall(mail: Fetched, listing_before: Listed) -> str:
    """What is wrong with a mail of which the server gave nothing, or headers alone, while its size says that there is
    more; "" for every other mail. Sizes are not compared beyond that: honest servers only estimate them.
    """
    if not mail.raw:
        return f"the server gave an empty body for a mail of {listing_before.size} bytes" if listing_before.size else ""
    if listing_before.size <= len(mail.raw) + _LINE_ENDS:
        return ""
    _, _, body = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    if body.strip():
        return ""
    return f"the server gave {len(mail.raw)} bytes of headers for a mail of {listing_before.size} bytes"


_LINE_ENDS = 2  # that servers add behind a mail, or count and do not send


def portions(uids: Iterable[int], at_most: int) -> Iterator[list[int]]:
    """The UIDs, ascending and each once, in lists of at most so many."""
    ascending = sorted(set(uids))
    return (ascending[start : start + at_most] for start in range(0, len(ascending), at_most))


def groups(
    mails: Mapping[int, Listed], at_most: int, size: int, alone: Collection[int] = ()
) -> Iterator[dict[int, Listed]]:
    """Cut mails, in order of UID, into groups of at most so many mails and so many bytes.

    A mail that is larger than that is a group of its own, and so is each of `alone`.
    """
    group: dict[int, Listed] = {}
    total = 0
    for uid in sorted(mails):
        full = len(group) >= at_most or total + mails[uid].size > size
        if group and (full or uid in alone or next(reversed(group)) in alone):
            yield group
            group, total = {}, 0
        group[uid] = mails[uid]
        total += mails[uid].size
    if group:
        yield group


def copy_uids(data: Any, uids: Iterable[int]) -> dict[int, int]:
    """Old UID to new UID from a COPYUID code (RFC 4315 section 3); empty when the server tells none or nonsense."""
    sources = set(uids)
    try:
        _, old, new = data[-1].split(b" ")
        pairs = dict(zip(_expanded(old, len(sources)), _expanded(new, len(sources)), strict=True))
    except (ValueError, TypeError, IndexError, AttributeError):
        return {}
    return pairs if sources.issuperset(pairs) else {}


def _expanded(text: bytes, at_most: int) -> list[int]:
    numbers: list[int] = []
    for span in text.split(b","):
        first, _, last = span.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        if high - low >= at_most:
            raise ValueError("more UIDs than were asked for")
        numbers.extend(range(low, high + 1))
    return numbers
