"""What speaks for and against two requests of one sender being the same matter, each piece weighed in log-odds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailticket.triage.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence: its log-odds (positive for a repeat) and what it is, "" for what only sets the scale."""

    odds: float
    text: str


# Log-odds of each feature at its full value (1.0).
ODDS: dict[str, float] = {
    "base": -3.6,
    "words": 5.0,
    "contained": 1.5,
    "rare": 1.5,
    "concepts": 3.5,
    "subject": 1.0,
    "same_identifier": 4.0,
    "other_identifier": -4.5,
    "other_code": -1.0,
    "same_number": 0.8,
    "same_amount": 1.5,
    "other_amount": -3.0,
    "same_coin": 0.3,
    "other_coin": -2.5,
    "same_date": 1.0,
    "other_date": -1.8,
    "other_account": -2.5,
    "other_network": -1.0,
    "same_category": 0.4,
    "other_category": -1.8,
    "bare_chaser": 4.2,
    "chaser": 0.9,
    "again": 1.2,
    "apart": -2.0,
    "template": -2.0,
    "no_topic_shared": -0.8,
}


def weigh(new: Fingerprint, earlier: Fingerprint) -> list[Piece]:
    """All evidence about a pair, zero pieces left out."""
    return [
        Piece(ODDS[name] * value, text) for name, value, text in features(new, earlier) if value and ODDS[name] * value
    ]


def features(new: Fingerprint, earlier: Fingerprint) -> Iterator[tuple[str, float, str]]:
    """Name of the feature, value from 0 to 1, and what it says in words."""
    if not new.exact or not earlier.exact:
        yield "base", 2.0, "no text to compare"
        return
    yield "base", 1.0, ""
    alike = _dice(new, earlier)
    yield from _wording(new, earlier, alike)
    yield from _topics(new, earlier)
    yield from _details(new, earlier, alike)
    yield from _standing(new, earlier)


def _dice(new: Fingerprint, earlier: Fingerprint) -> float:
    shared = _shared_weight(new, earlier)
    return 2 * shared / (new.length + earlier.length) if shared else 0.0


def _shared_weight(new: Fingerprint, earlier: Fingerprint) -> float:
    return sum(new.terms[term] for term in new.terms.keys() & earlier.terms.keys())


def _wording(new: Fingerprint, earlier: Fingerprint, alike: float) -> Iterator[tuple[str, float, str]]:
    shared = new.terms.keys() & earlier.terms.keys()
    if shared:
        yield "words", alike, f"words alike to {alike:.0%}"
        shorter = min(new.length, earlier.length)
        # A few words are easily contained in many: only a text of some length proves something by it.
        yield "contained", _shared_weight(new, earlier) / max(shorter, 30.0), ""
        rare = sorted((term for term in shared if new.terms[term] > 3.0), key=lambda term: (-new.terms[term], term))
        value = min(1.0, sum(new.terms[term] - 2.5 for term in rare) / 15)
        yield "rare", value, f"rare words in both: {', '.join(rare[:5])}" if rare else ""
    subject = set(new.subject) & set(earlier.subject)
    if subject:
        yield "subject", len(subject) / max(len(new.subject), len(earlier.subject)), "subjects alike"


def _topics(new: Fingerprint, earlier: Fingerprint) -> Iterator[tuple[str, float, str]]:
    shared = new.concepts.keys() & earlier.concepts.keys()
    if shared:
        common = sum(new.concepts[name] for name in shared)
        whole = sum(new.concepts.values()) + sum(earlier.concepts.values())
        # Few shared concepts prove less than many: the pseudo-weight in the divisor sees to that.
        yield "concepts", 2 * common / (whole + 2.0), f"both speak of {', '.join(sorted(shared)[:6])}"
    elif new.concepts and earlier.concepts:
        yield "no_topic_shared", 1.0, "they speak of different things"
    if new.category_sure and earlier.category_sure:
        if new.category == earlier.category:
            yield "same_category", 1.0, f"same category {new.category}"
        else:
            yield "other_category", 1.0, f"categories differ: {new.category}, {earlier.category}"


def _details(new: Fingerprint, earlier: Fingerprint, alike: float) -> Iterator[tuple[str, float, str]]:
    differ = False
    same = _same_codes(new, earlier)
    if same:
        yield "same_identifier", 1.0, f"same identifier {same}"
    elif not (new.correction or earlier.correction):
        other = [name for name in ("txid", "order_id") if _conflict(new, earlier, name)]
        differ = bool(other)
        if other:
            yield "other_identifier", 1.0, f"different {' and '.join(other)}"
        elif new.identifiers and earlier.identifiers:
            differ = True
            yield "other_code", 1.0, "different codes or numbers"
    amounts = _amounts(new, earlier)
    if amounts:
        yield "same_amount" if amounts > 0 else "other_amount", 1.0, f"{'same' if amounts > 0 else 'different'} amount"
    elif new.numbers & earlier.numbers:
        yield "same_number", 1.0, "same number"
    for name, known in (("coin", "coin"), ("network", "network")):
        if _conflict(new, earlier, name):
            yield f"other_{known}", 1.0, f"different {name}s"
        elif name == "coin" and new.fields.get(name, frozenset()) & earlier.fields.get(name, frozenset()):
            yield "same_coin", 1.0, "same coin"
    if _conflict(new, earlier, "account_id"):
        yield "other_account", 1.0, "different account IDs"
    yield from _dates(new, earlier)
    numbers_differ = bool(new.numbers or earlier.numbers) and new.numbers != earlier.numbers
    if alike > 0.6 and not same and (differ or amounts < 0 or numbers_differ):
        yield "template", 1.0, "nearly the same text with other details: a form"


def _dates(new: Fingerprint, earlier: Fingerprint) -> Iterator[tuple[str, float, str]]:
    ours, theirs = _days(new), _days(earlier)
    if ours & theirs:
        yield "same_date", 1.0, "same date"
    elif ours and theirs:
        yield "other_date", 1.0, "different dates"


def _standing(new: Fingerprint, earlier: Fingerprint) -> Iterator[tuple[str, float, str]]:
    if new.bare_chaser:
        yield "bare_chaser", 1.0, "asks for news without naming another matter"
    elif new.chaser:
        yield "chaser", min(new.chaser, 2) / 2, "asks for news"
    if new.again:
        yield "again", min(new.again, 2) / 2, "refers to an earlier mail"
    if new.other:
        yield "apart", min(new.other, 2) / 2, "says that it is another matter"


def _conflict(new: Fingerprint, earlier: Fingerprint, name: str) -> bool:
    ours, theirs = new.fields.get(name), earlier.fields.get(name)
    return bool(ours and theirs and not ours & theirs)


def _codes(print_: Fingerprint) -> frozenset[str]:
    fields = print_.fields
    return print_.identifiers | fields.get("txid", frozenset()) | fields.get("order_id", frozenset())


def _same_codes(new: Fingerprint, earlier: Fingerprint) -> str:
    """An identifier that both name, whole or abbreviated; "" if there is none."""
    ours, theirs = _codes(new), _codes(earlier)
    accounts = new.fields.get("account_id", frozenset()) | earlier.fields.get("account_id", frozenset())
    same = (ours & theirs) - accounts
    if same:
        return max(same, key=lambda code: (len(code), code))
    return next((code for pair in ((ours, theirs), (theirs, ours)) for code in _abbreviations(*pair)), "")


def _abbreviations(short: Iterable[str], whole: frozenset[str]) -> Iterator[str]:
    for code in short:
        start, dots, end = code.partition("..")
        if dots and any(_fits(start, end, other) for other in whole if ".." not in other):
            yield code


def _fits(start: str, end: str, whole: str) -> bool:
    return whole.endswith(end) and whole.startswith(start.removeprefix("0x"))


def _amounts(new: Fingerprint, earlier: Fingerprint) -> int:
    """1 when an amount of both is equal to within a hundredth, -1 when both name amounts and none is, else 0."""
    ours, theirs = new.fields.get("amount", frozenset()), earlier.fields.get("amount", frozenset())
    if ours & (theirs | earlier.numbers) or theirs & new.numbers:
        return 1
    if not (ours and theirs):
        return 0
    near = any(abs(float(a) - float(b)) <= 0.01 * max(float(a), float(b)) for a in ours for b in theirs)
    return 1 if near else -1


def _days(print_: Fingerprint) -> frozenset[str]:
    """The days that a request names, without their years, which people leave out."""
    days = (value.split()[0][-5:] for value in print_.fields.get("time", ()))
    return frozenset(day for day in days if len(day) == 5 and day[2] == "-" and day[:2].isdigit() and day[3:].isdigit())
