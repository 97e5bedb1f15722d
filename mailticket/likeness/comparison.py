"""What speaks for and against two requests of one sender being the same matter, each piece weighed in log-odds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from mailticket.likeness.fingerprint import Fingerprint
from mailticket.likeness.followup_phrases import LEAST_TEXT
from mailticket.likeness.lexicon import Lexicon
from mailticket.likeness.marks import FIGURE, KINDS, LOOSE, PROPER, QUOTE


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence: its log-odds (positive for a repeat) and what it is, "" for what only sets the scale."""

    odds: float
    text: str


# Log-odds of each feature at its full value (1.0). Those of accounts and choices come with their details.
ODDS: dict[str, float] = {
    "base": -4.2,
    "words": 0.3,
    "words_alone": 3.5,
    "contained": 0.2,
    "rare": 2.7,
    "concepts": 6.0,
    "subject": 0.1,
    "answers_it": 2.9,
    "same_identifier": 5.5,
    "same_code": 2.8,
    "other_identifier": -12.0,
    "other_code": -1.7,
    "same_number": 1.6,
    "same_amount": 3.8,
    "other_amount": -5.1,
    "same_date": 1.2,
    "other_date": -3.5,
    "same_category": 0.1,
    "other_category": -4.5,
    "chaser": 8.0,
    "chaser_off_topic": -0.9,
    "again": 2.1,
    "corrects": 3.0,
    "apart": -1.2,
    "form": -10.0,
    "frame": -6.3,
    "no_topic_shared": -1.4,
    "topics_apart": -1.8,
    "thin": -0.1,
    "new_topic": -2.1,
    "asks": -0.7,
    "both_report": 0.3,
    "same_deed": 2.4,
    "deeds_apart": -0.1,
    "opposite": -4.8,
    "question_and_report": -2.3,
    "cross_language": 2.1,
    "alarm": 2.0,
    "same_quote": 2.5,
    "same_mark": 1.5,
    "other_mark": -12.0,
    "other_amount_and_date": -4.0,
    "other_lead": -6.0,
    "soon": 10.5,
}
_SAY_LITTLE = frozenset({QUOTE, FIGURE, PROPER, "document", "year"})  # marks that many matters of one sender share
SOON = 1.0  # hours in which people send what they left out of their first mail
_WORDS_OF_ITS_OWN = 15.0  # weight of the words that a mail which only points at a matter may have beside those of it
_WEIGHT_OF_MARKS = {"device": 0.3, "name": 0.7}  # where other things than the matter may bear the mark


def weigh(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon, *, soon: bool = False) -> list[Piece]:
    """All evidence about a pair, zero pieces left out. soon: the new one came within SOON hours of the earlier one."""
    pieces = [Piece(ODDS[name] * value, text) for name, value, text in features(new, earlier, lexicon)]
    if soon and is_pointer(new, earlier, lexicon):
        pieces.append(Piece(ODDS["soon"], "sent within the hour, with hardly a word of its own"))
    if new.exact and earlier.exact:
        pieces += _choices(new, earlier, lexicon)
    return [piece for piece in pieces if piece.odds]


def features(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    """Name of the feature, value from 0 to 1, and what it says in words."""
    if not new.exact or not earlier.exact:
        yield "base", 2.0, "no text to compare"
        return
    yield "base", 1.0, ""
    alike = _dice(new, earlier)
    yield from _wording(new, earlier, alike)
    yield from _topics(new, earlier, lexicon)
    yield from _details(new, earlier, alike, lexicon)
    yield from _standing(new, earlier, lexicon)


def is_pointer(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> bool:
    """Whether the new one has no matter of its own beside that of the earlier one, as a screenshot without words."""
    if not new.exact:
        return True
    if new.other or (new.asks and not new.chaser) or _other_codes(new, earlier, lexicon):
        return False
    topics = _own_topics(new, earlier, lexicon)
    words = sum(weight for term, weight in new.terms.items() if term not in earlier.terms)
    if new.again and len(topics) == 1:
        topics = {}  # it says itself that it adds to what was written before
    points = new.points or new.chaser or new.again or not new.terms
    return not topics and words <= (_WORDS_OF_ITS_OWN if points else LEAST_TEXT / 4)


def _other_codes(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> bool:
    """Whether both name codes and share none: a code that only the later one names may be what was left out."""
    names = lexicon.fields_of("identifier")
    ours, theirs = new.identifiers | _values(new, names), earlier.identifiers | _values(earlier, names)
    return bool(ours and theirs and not _same_codes(new, earlier, lexicon))


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
        if not new.concepts and not earlier.concepts and len(rare) >= 3:
            yield "words_alone", max(0.0, min(1.0, (alike - 0.3) / 0.3)), ""
    turns = len(new.turns & earlier.turns) / max(12, min(len(new.turns), len(earlier.turns)))
    if turns > 0.1:
        yield from _frame(new, earlier, shared, turns)
    subject = set(new.subject) & set(earlier.subject)
    if subject:
        yield "subject", len(subject) / max(len(new.subject), len(earlier.subject)), "subjects alike"
        if new.reply and not earlier.reply and len(subject) >= 0.7 * len(set(earlier.subject)):
            yield "answers_it", 1.0, "its subject is a reply to the earlier one's"


def _frame(new: Fingerprint, earlier: Fingerprint, shared: Set[str], turns: float) -> Iterator[tuple[str, float, str]]:
    """The same turns of phrase around other content: so one tells another matter, not the same one in other words."""
    # A text of numbers and little words alone has turns of phrase, but no term, and so no length.
    ours, theirs = (
        sum(weight for term, weight in print_.terms.items() if weight > 2.0 and term not in shared)
        / (print_.length or 1.0)
        for print_ in (new, earlier)
    )
    value = min(1.0, 2 * turns) * min(1.0, 2 * min(ours, theirs))
    if value:
        yield "frame", value, "the same turns of phrase about something else"
    leads = len(new.lead & earlier.lead) / max(1, min(len(new.lead), len(earlier.lead)))
    if turns > 0.2 and new.lead and earlier.lead and leads < 0.25 and not (new.chaser or new.again):
        yield "other_lead", min(1.0, 2 * turns), "the same lines below another matter"


def _topics(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    shared = new.concepts.keys() & earlier.concepts.keys()
    if shared:
        common = sum(new.concepts[name] for name in shared)
        whole = sum(new.concepts.values()) + sum(earlier.concepts.values())
        # Few shared concepts prove less than many: the pseudo-weight in the divisor sees to that.
        value = 2 * common / (whole + 4.0)
        yield "concepts", value, f"both speak of {', '.join(sorted(shared)[:6])}"
        if len(shared) == 1 and not new.chaser and new.han == earlier.han:
            yield "thin", 1.0, "nothing but one topic in common"
        if new.han != earlier.han:
            yield "cross_language", value, ""
    elif new.concepts and earlier.concepts:
        yield "no_topic_shared", 1.0, "they speak of different things"
    if new.alarm and any(new.concepts[name] >= 1.4 and name not in lexicon.general for name in shared):
        yield "alarm", 1.0, "told again in alarm"
    yield from _deeds(new, earlier, lexicon)
    yield from _apart(new, earlier, lexicon)
    if new.category_sure and earlier.category_sure:
        if new.category == earlier.category:
            yield "same_category", 1.0, f"same category {new.category}"
        else:
            # Categories of short texts and of cries are guesses: where the same sum is named, they say less.
            tied = new.alarm or _amounts(new, earlier, lexicon.fields_of("amount")) > 0
            yield "other_category", 0.3 if tied else 1.0, f"categories differ: {new.category}, {earlier.category}"


def _deeds(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    """What happened or is wanted, and what excludes each other."""
    ours, theirs = new.concepts.keys() & lexicon.deeds, earlier.concepts.keys() & lexicon.deeds
    if ours & theirs:
        yield "same_deed", min(1.0, sum(new.concepts[name] for name in ours & theirs) / 3), ""
    elif ours and theirs:
        yield "deeds_apart", 1.0, "other things happened or are wanted"
    opposite = next((pair for pair in lexicon.opposites if _opposed(new, earlier, *pair)), None)
    if opposite:
        yield "opposite", 1.0, f"one speaks of {opposite[0]}, the other of {opposite[1]}"


def _apart(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    """What only one of both speaks of."""
    ours, theirs = _own_topics(new, earlier, lexicon), _own_topics(earlier, new, lexicon)
    if ours and not new.chaser:
        yield "new_topic", min(1.0, sum(ours.values()) / 4), f"the new one speaks of {_listed(ours)}"
    if ours and theirs:
        value = min(1.0, min(sum(ours.values()), sum(theirs.values())) / 4)
        yield "topics_apart", value, f"one speaks of {_listed(ours)}, the other of {_listed(theirs)}"


def _listed(topics: Iterable[str]) -> str:
    return ", ".join(list(topics)[:3])


def _opposed(new: Fingerprint, earlier: Fingerprint, one: str, other: str) -> bool:
    ours = {name for name in (one, other) if name in new.concepts}
    theirs = {name for name in (one, other) if name in earlier.concepts}
    return len(ours) == len(theirs) == 1 and ours != theirs


def _own_topics(one: Fingerprint, other: Fingerprint, lexicon: Lexicon) -> dict[str, float]:
    """What one speaks of and the other does not, the concepts that go with any matter left out."""
    return {
        name: weight
        for name, weight in one.concepts.items()
        if weight >= 1.4 and name not in lexicon.general and name not in other.concepts
    }


def _details(
    new: Fingerprint, earlier: Fingerprint, alike: float, lexicon: Lexicon
) -> Iterator[tuple[str, float, str]]:
    codes = list(_codes_evidence(new, earlier, lexicon))
    yield from codes
    if not (new.correction or earlier.correction):
        yield from _marks(new, earlier)
    amounts = _amounts(new, earlier, lexicon.fields_of("amount"))
    if amounts:
        yield "same_amount" if amounts > 0 else "other_amount", 1.0, f"{'same' if amounts > 0 else 'different'} amount"
    elif numbers := new.numbers & earlier.numbers:
        yield "same_number", min(1.0, (max(map(len, numbers)) - 1) / 3), "same number"
    # Who tells again names further days: that of the bank's answer, that of writing.
    tied = amounts > 0 or any(name == "same_identifier" for name, _, _ in codes)
    dates = list(_dates(new, earlier, lexicon.fields_of("time"), tied=tied))
    yield from dates
    if amounts < 0 and any(name == "other_date" for name, _, _ in dates):
        yield "other_amount_and_date", 1.0, "another amount on another day"
    same = any(name.startswith("same_") for name, _, _ in codes)
    if alike <= 0.6 or same or new.correction or earlier.correction:
        return
    differ = amounts < 0 or any(n.startswith("other_") for n, _, _ in codes + dates) or _other_details(new, earlier)
    if differ:
        yield "form", min(1.0, (alike - 0.6) / 0.2), "nearly the same text with other details, as of a form"


def _other_details(new: Fingerprint, earlier: Fingerprint) -> bool:
    """Whether each names numbers, or names, that the other does not."""
    pairs = [(new.numbers, earlier.numbers)]
    pairs += [(new.marks.get(kind, frozenset()), earlier.marks.get(kind, frozenset())) for kind in (FIGURE, PROPER)]
    return any(ours - theirs and theirs - ours for ours, theirs in pairs)


def _marks(new: Fingerprint, earlier: Fingerprint) -> Iterator[tuple[str, float, str]]:
    """Of the kinds of marks of which both name some and share none, the one that says most: they hang together."""
    shared = new.marks.keys() & earlier.marks.keys()
    if not shared:
        return
    same = new.marks[QUOTE] & earlier.marks[QUOTE] if QUOTE in shared else None
    if same:
        yield "same_quote", 1.0, f"both quote {min(same)!r}"
    differing = [kind for kind in shared if not new.marks[kind] & earlier.marks[kind]]
    weights = {kind: _weight_of_mark(kind, new.marks[kind], earlier.marks[kind]) for kind in differing}
    kind = max(sorted(weights), key=lambda kind: weights[kind], default="")
    if kind and weights[kind]:
        yield "other_mark", weights[kind], f"different {KINDS.get(kind) or kind.removeprefix('#') + ' numbers'}"
    elif common := [
        kind for kind in new.marks if kind not in _SAY_LITTLE and new.marks[kind] & earlier.marks.get(kind, set())
    ]:
        yield "same_mark", 1.0, f"same {KINDS.get(common[0]) or common[0].removeprefix('#') + ' number'}"


def _weight_of_mark(kind: str, ours: Iterable[str], theirs: Iterable[str]) -> float:
    loose = kind == "document" and any(all(value.startswith(LOOSE) for value in values) for values in (ours, theirs))
    if kind in (QUOTE, FIGURE, PROPER):
        return 0.0
    return 0.7 if loose else _WEIGHT_OF_MARKS.get(kind, 1.0)


def _choices(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[Piece]:
    """Accounts, and choices of a few (as a size is): a different one sets apart, an equal one says little."""
    for name, detail in lexicon.details.items():
        if detail.kind in ("account", "choice"):
            ours, theirs = _values(new, [name]), _values(earlier, [name])
            if ours & theirs:
                yield Piece(detail.same, f"same {detail.word}")
            elif ours and theirs:
                yield Piece(detail.other, f"different {detail.word}s")


def _codes_evidence(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    """What identifiers say: labelled ones decide; of others, shared ones prove nothing while each side has its own."""
    names = lexicon.fields_of("identifier")
    labelled = [name for name in names if _conflict(new, earlier, name)]
    same = _same_codes(new, earlier, lexicon)
    if same and not labelled:
        if same in _values(new, names) | _values(earlier, names) or ".." in same:
            yield "same_identifier", 1.0, f"same identifier {same}"
        elif not (new.identifiers - earlier.identifiers and earlier.identifiers - new.identifiers):
            yield "same_code", min(1.0, len(same) / 8), f"same code {same}"
        else:
            yield "other_code", 1.0, "different codes"
    elif labelled and not (new.correction or earlier.correction):
        yield "other_identifier", 1.0, f"different {' and '.join(labelled)}"
    elif not same and new.identifiers and earlier.identifiers:
        if _shapes(new.identifiers) & _shapes(earlier.identifiers) and not (new.correction or earlier.correction):
            yield "other_identifier", 1.0, "different codes of one kind"
        else:
            yield "other_code", 1.0, "different codes"


_SHAPE = str.maketrans("123456789bcdefghijklmnopqrstuvwxyz", "0" * 9 + "a" * 25)


def _shapes(codes: Iterable[str]) -> frozenset[str]:
    """How codes look: "tb99120" as "aa00000". Numbers of one series look the same; hashes and addresses all do."""
    return frozenset(code.translate(_SHAPE) for code in codes if len(code) <= 24 and ".." not in code)


def _dates(
    new: Fingerprint, earlier: Fingerprint, names: Iterable[str], *, tied: bool
) -> Iterator[tuple[str, float, str]]:
    ours, theirs = _days(_values(new, names)), _days(_values(earlier, names))
    if ours & theirs:
        yield "same_date", 1.0, "same date"
    elif ours and theirs:
        yield "other_date", 0.4 if tied else 1.0, "different dates"


def _standing(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> Iterator[tuple[str, float, str]]:
    if new.chaser:
        # The more else a text says, the less its asking for news stands for the earlier one alone.
        value = max(0.0, min(1.0, 1 - (new.length - 10) / 60))
        if value:
            yield "chaser", value, "asks for news"
        topics = new.concepts.keys() - lexicon.general
        if topics and not topics & earlier.concepts.keys():
            yield "chaser_off_topic", 1.0, "asks for news of something else"
    if new.again:
        yield "again", min(new.again, 2) / 2, "refers to an earlier mail"
    if new.correction:
        yield "corrects", 1.0, "corrects what was written before"
    if new.other:
        yield "apart", min(new.other, 2) / 2, "says that it is another matter"
    if new.asks and not new.chaser:
        yield "asks", 1.0, "asks how something is done"
    if new.reports and earlier.reports and not new.asks:
        yield "both_report", 1.0, ""
    mood = (new.asks and not new.reports, new.reports, earlier.asks and not earlier.reports, earlier.reports)
    if not new.chaser and ((mood[0] and mood[3]) or (mood[1] and mood[2])):
        yield "question_and_report", 1.0, "one asks how something is done, the other reports a failure"


def _conflict(new: Fingerprint, earlier: Fingerprint, name: str) -> bool:
    ours, theirs = new.fields.get(name), earlier.fields.get(name)
    return bool(ours and theirs and not ours & theirs)


def _values(print_: Fingerprint, names: Iterable[str]) -> frozenset[str]:
    fields = print_.fields
    return frozenset().union(*[fields[name] for name in names if name in fields])


def _same_codes(new: Fingerprint, earlier: Fingerprint, lexicon: Lexicon) -> str:
    """An identifier that both name, whole or abbreviated; "" if there is none."""
    names, accounts = lexicon.fields_of("identifier"), lexicon.fields_of("account")
    ours, theirs = new.identifiers | _values(new, names), earlier.identifiers | _values(earlier, names)
    same = (ours & theirs) - _values(new, accounts) - _values(earlier, accounts)
    if same:
        # A code may stand around a labelled one, where a pattern takes the number out of "B-482913".
        labelled = _values(new, names) | _values(earlier, names)
        return max(same, key=lambda code: (code in labelled, len(code), code))
    return next((code for pair in ((ours, theirs), (theirs, ours)) for code in _abbreviations(*pair)), "")


def _abbreviations(short: Iterable[str], whole: frozenset[str]) -> Iterator[str]:
    for code in short:
        start, dots, end = code.partition("..")
        if dots and any(_fits(start, end, other) for other in whole if ".." not in other):
            yield code


def _fits(start: str, end: str, whole: str) -> bool:
    return whole.endswith(end) and whole.startswith(start.removeprefix("0x"))


def _amounts(new: Fingerprint, earlier: Fingerprint, names: Iterable[str]) -> int:
    """1 when an amount of both is equal to within a hundredth, -1 when both name amounts and none is, else 0."""
    ours, theirs = _values(new, names), _values(earlier, names)
    if ours & (theirs | earlier.numbers) or theirs & new.numbers:
        return 1
    if not (ours and theirs):
        return 0
    return 1 if any(_is_near(float(a), float(b)) for a in ours for b in theirs) else -1


def _is_near(one: float, other: float) -> bool:
    """Equal to within a hundredth; "4.500" is 4500 to half of Europe."""
    return abs(one - other) <= 0.01 * max(one, other) or one == 1000 * other or other == 1000 * one


def _days(times: Iterable[str]) -> frozenset[str]:
    """The days among times, without their years, which people leave out."""
    days = (value.split()[0][-5:] for value in times)
    return frozenset(day for day in days if len(day) == 5 and day[2] == "-" and day[:2].isdigit() and day[3:].isdigit())
