"""The fingerprint of a request: what of it bears on whether another request repeats it, small enough to be stored."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from zlib import crc32

from mailticket.likeness import boilerplate
from mailticket.likeness.lexicon import Lexicon
from mailticket.likeness.marks import marks
from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import bigrams, folded, is_han, pieces, stem

VERSION = 3
_WITHOUT_MARKS = 2  # a version that knew no marks, no lead and no pointing
MOST_TERMS = 240
MOST_TURNS = 160
_LEAST_LEAD, _MOST_LEAD = 3, 12  # informative units that its first lines have
_FUNCTION_WORD = 1.0  # a word in more than a third of all mails says nothing

_IDENTIFIER = lazy_pattern(r"(?<![0-9a-z])(?=[a-z_-]{0,20}\d)[0-9a-z][0-9a-z_-]{4,90}(?![0-9a-z])")
_DURATION = lazy_pattern(
    r"\d[\d.,]{0,8}\s{0,2}(?:\+\s?)?(?:more |business |working )?(?:hours?|hrs?|h|minutes?|mins?|days?|"
    r"weeks?|months?|seconds?|times?|years?|%|percent"
    r"|个?(?:小时|工作日|月|星期|礼拜)|分钟|天|周|次|年|点|号|遍|秒)(?![a-z])"
)
_NUMBER = lazy_pattern(
    r"(?<![0-9a-z.,_:/-])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![0-9a-z])|"
    r"(?<![0-9a-z.,_:/-])\d{1,12}(?:\.\d{1,18})?(?![0-9a-z]|[:/-]\d)"
)
_DATE_LIKE = lazy_pattern(r"\d{4}-\d{1,2}-\d{1,2}\S{0,12}|\d{1,2}[-/]\d{1,2}(?:[-/]\d{2,4})?|(?:19|20)\d{6}")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What of a request bears on likeness.

    exact: digest of the whole normalised text; "" when there is none. subject: stems of the bare subject.
    terms: stems and character pairs with their weights. concepts: names with weights. fields: normalised details.
    identifiers: words with digits in them that no field claimed. numbers: bare numbers other than durations.
    marks: what tells its matter from others, by kind (`marks`): months, documents, names, numbered things.
    lead: the informative units of its first lines, which name the matter, whatever stands below.
    turns: checksums of its turns of phrase (three words or five Chinese characters in a row).
    chaser, again, other: how strongly the text asks for news, refers to an earlier mail, sets itself apart (0 to 3).
    asks, reports: whether it asks how something is done, and whether it reports that something went wrong.
    alarm: whether it cries for help.
    points: whether it only hands in something about a matter told elsewhere, such as a screenshot.
    reply: whether its subject carries a mark of a reply or a forward.
    """

    exact: str = ""
    subject: tuple[str, ...] = ()
    terms: Mapping[str, float] = field(default_factory=dict)
    concepts: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    identifiers: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    marks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lead: frozenset[str] = frozenset()
    turns: frozenset[int] = frozenset()
    category: str = ""
    category_sure: bool = False
    chaser: int = 0
    again: int = 0
    other: int = 0
    correction: bool = False
    asks: bool = False
    reports: bool = False
    points: bool = False
    alarm: bool = False
    reply: bool = False
    han: bool = False
    length: float = 0.0  # the sum of the weights of all terms

    def to_json(self) -> dict[str, Any]:
        """A compact dictionary that `json` can write; `from_json` reads it back."""
        return {
            "v": VERSION,
            "x": self.exact,
            "s": list(self.subject),
            "t": _bands(self.terms),
            "c": _bands(self.concepts),
            "f": {name: sorted(values) for name, values in self.fields.items()},
            "i": sorted(self.identifiers),
            "n": sorted(self.numbers),
            "m": {kind: sorted(values) for kind, values in self.marks.items()},
            "l": sorted(self.lead),
            "g": sorted(self.turns),
            "k": [self.category, self.category_sure],
            "r": [self.chaser, self.again, self.other],
            "b": [self.correction, self.asks, self.reports, self.reply, self.points, self.alarm],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Fingerprint:
        """The fingerprint that `to_json` wrote, now or at the version before, which said less.

        One of any other version compares as empty, so nothing resembles it.
        """
        if stored.get("v") not in (VERSION, _WITHOUT_MARKS):
            return cls()
        chaser, again, other = stored["r"]
        correction, asks, reports, reply, *further = stored["b"]
        points, alarm = further or (False, False)
        terms = _unbanded(stored["t"])
        return cls(
            exact=stored["x"],
            subject=tuple(stored["s"]),
            terms=terms,
            concepts=_unbanded(stored["c"]),
            fields={name: frozenset(values) for name, values in stored["f"].items()},
            identifiers=frozenset(stored["i"]),
            numbers=frozenset(stored["n"]),
            marks={kind: frozenset(values) for kind, values in stored.get("m", {}).items()},
            lead=frozenset(stored.get("l", ())),
            turns=frozenset(stored["g"]),
            category=stored["k"][0],
            category_sure=stored["k"][1],
            chaser=chaser,
            again=again,
            other=other,
            correction=correction,
            asks=asks,
            reports=reports,
            points=points,
            alarm=alarm,
            reply=reply,
            han=_mostly_han(terms),
            length=math.fsum(terms.values()),
        )


def fingerprint(
    subject: str,
    text: str,
    *,
    fields: Mapping[str, tuple[str, ...]],
    category: str,
    category_sure: bool,
    lexicon: Lexicon,
) -> Fingerprint:
    """The fingerprint of a request from its subject, its new text, the details that both name, and its category.

    Never raises; time and size are bounded (`boilerplate.LONGEST_TEXT`, MOST_TERMS).
    """
    bare = boilerplate.bare_subject(subject) or boilerplate.forwarded_subject(text)
    written = boilerplate.content(text)
    body = folded(written)
    head = folded(bare)
    whole = f"{head}\n{body}"
    reply = boilerplate.is_reply(subject) and bool(body.strip())
    # The subject of a reply or forward names the matter of the mail before it, which need not be that of this one.
    own = body if reply else whole
    whole_pieces = pieces(whole)
    standing = lexicon.phrases.stance(whole)
    details = _details(fields, own if reply else "", lexicon)
    claimed = frozenset().union(*details.values())
    rest = (lexicon.phrases.stance(own) if reply else standing).rest
    terms = _terms(_without_codes(rest.replace("[redacted", " ")), lexicon)
    return Fingerprint(
        exact=_exact(whole_pieces),
        subject=tuple(_subject_stems(head, lexicon)),
        terms=terms,
        concepts=lexicon.concepts_in(own),
        fields=details,
        identifiers=_unclaimed(_identifiers(own, lexicon), claimed),
        numbers=_numbers(own) - claimed,
        marks=marks(written if reply else f"{bare}\n{written}"),
        lead=_lead(body, lexicon),
        turns=_turns(pieces(own) if reply else whole_pieces),
        category=category,
        category_sure=category_sure,
        chaser=standing.chaser,
        again=standing.again,
        other=standing.other,
        correction=standing.correction,
        asks=standing.asks,
        reports=standing.reports,
        points=standing.points,
        alarm=standing.alarm,
        reply=reply,
        han=_mostly_han(terms),
        length=math.fsum(terms.values()),
    )


def _details(fields: Mapping[str, tuple[str, ...]], body: str, lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """The telling fields; for a reply only the values that its body names itself."""
    details = {name: frozenset(v.lower() for v in fields[name]) for name in lexicon.details if fields.get(name)}
    if not body:
        return details
    plain = body.replace(",", "")
    # A choice and a time are written in many ways, so that their values cannot be sought in the text.
    worded = {*lexicon.fields_of("choice"), *lexicon.fields_of("time")}
    kept = {name: frozenset(v for v in values if name in worded or v in plain) for name, values in details.items()}
    return {name: values for name, values in kept.items() if values}


def _exact(pieces_of_text: list[str]) -> str:
    """Digest of the letters and digits alone: case, width, script, blanks and punctuation do not count."""
    letters = "".join(pieces_of_text)
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()[:24] if letters else ""


def _subject_stems(subject: str, lexicon: Lexicon) -> list[str]:
    """Informative units of a subject; a subject such as "help" or "问题" has none."""
    units = [u for piece in pieces(subject)[:60] for u in (bigrams(piece) if is_han(piece) else [stem(piece)])]
    return [unit for unit in dict.fromkeys(units) if lexicon.weight(unit) > 2.0][:30]


def _terms(text: str, lexicon: Lexicon) -> dict[str, float]:
    terms: dict[str, float] = {}
    for piece in pieces(text):
        for term in bigrams(piece) if is_han(piece) else (stem(piece),):
            if term not in terms and len(term) < 40 and not term.isdecimal():
                weight = lexicon.weight(term)
                if weight > _FUNCTION_WORD:
                    terms[term] = weight
        if len(terms) >= MOST_TERMS:
            break
    return terms


def _lead(body: str, lexicon: Lexicon) -> frozenset[str]:
    lead: list[str] = []
    for line in body.splitlines()[:20]:
        lead += list(_terms(line[:300], lexicon))
        if len(lead) >= _LEAST_LEAD:
            break
    return frozenset(lead[:_MOST_LEAD])


def _turns(pieces_of_text: list[str]) -> frozenset[int]:
    every = (unit for piece in pieces_of_text for unit in (piece if is_han(piece) else (stem(piece),)))
    units = list(islice(every, 2 * MOST_TURNS))
    turns = (_turn(units, place) for place in range(len(units) - 2))
    return frozenset(sorted(turn for turn in turns if turn)[:MOST_TURNS])


def _turn(units: list[str], place: int) -> int:
    """The checksum of a turn of phrase: three words, or five Chinese characters, which say as much. 0 where none is."""
    size = 5 if is_han(units[place]) else 3
    turn = units[place : place + size]
    return crc32("\0".join(turn).encode("utf-8", "surrogatepass")) if len(turn) == size else 0


def _without_codes(text: str) -> str:
    return _IDENTIFIER.sub(" ", text)


# Numbers that stay the same from mail to mail: those of the sender's company, bank and telephone.
_SENDERS = lazy_pattern(
    r"(?<![a-z])(?:vat|tax|ust|iban|bic|tel|phone|mobile|电话|手机|税号|联系电话)\S{0,3}(?:\s?(?:id|no\.?|number|"
    r"nr\.?))?\s{0,3}[:：]?\s{0,3}[+0-9a-z-]{5,34}"
)
_FILE_NAME = lazy_pattern(r"[\w-]{1,60}\.(?:png|jpe?g|heic|webp|gif|pdf|mp4|mov|docx?|xlsx?|csv|txt|log|zip)(?![a-z])")
_ABBREVIATED = lazy_pattern(r"(?<![0-9a-z])((?:0x)?[0-9a-z]{3,12})(?:\.{2,6}|\*{2,8})([0-9a-z]{3,12})(?![0-9a-z])")
_ENDING = lazy_pattern(
    r"(?:ending (?:in|with)|ends (?:in|with)|last (?:four|six|4|6|8) (?:digits )?(?:are|is)?|尾号|"
    r"后[四六4-8]位)(?:是|为)?\s?[:：]?\s?([0-9a-z]{4,8})(?![0-9a-z])"
)
# Dates, amounts with their unit, Chinese mobile numbers.
_NO_CODE = lazy_pattern(
    r"\d{4}-\d{1,2}-\d{1,2}\S{0,12}|\d{1,2}-\d{1,2}(?:-\d{2,4})?|(?:19|20)\d{6}|\d{1,12}[a-z]{1,5}|1[3-9]\d{9}"
)
# Codes with two digits only: "GHX42P", "alpha-07"; unlike "win11" and "trc20".
_SHORT_CODE = lazy_pattern(r"(?=.{6})(?:[a-z]+\d+[a-z]+[0-9a-z]*|[a-z]?\d[a-z]+\d[a-z0-9]*|[a-z_-]{3,40}[-_]\d\d)")


def _identifiers(text: str, lexicon: Lexicon) -> frozenset[str]:
    """Codes with digits in them, and abbreviated ones as "start..end"."""
    text = _FILE_NAME.sub(" ", _SENDERS.sub(" ", text))
    words = (match.group().strip("-_") for match in _IDENTIFIER.finditer(text))
    codes = {word for word in words if _is_telling(word, lexicon)}
    codes |= {f"{match.group(1)}..{match.group(2)}" for match in _ABBREVIATED.finditer(text)}
    codes |= {f"..{match.group(1)}" for match in _ENDING.finditer(text) if any(c.isdigit() for c in match.group(1))}
    return frozenset(sorted(codes)[:40])


def _unclaimed(codes: frozenset[str], claimed: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code in codes if code not in claimed and code.removeprefix("0x") not in claimed)


def _is_telling(code: str, lexicon: Lexicon) -> bool:
    digits = sum(c.isdigit() for c in code)
    if len(code) < 5 or digits < 2 or _NO_CODE.fullmatch(code) or (digits == 2 and not _SHORT_CODE.fullmatch(code)):
        return False
    return lexicon.volatile is None or not lexicon.volatile.fullmatch(code)


def _numbers(text: str) -> frozenset[str]:
    """Bare numbers that are no durations, dates or clock times; thousands without separators."""
    text = _DURATION.sub(" ", _DATE_LIKE.sub(" ", text))
    numbers = {match.group().replace(",", "") for match in _NUMBER.finditer(text)}
    return frozenset(sorted(number for number in numbers if len(number.replace(".", "")) >= 2)[:40])


def _mostly_han(terms: Mapping[str, float]) -> bool:
    return 2 * sum(not term.isascii() for term in terms) > len(terms)


def _bands(weights: Mapping[str, float]) -> list[tuple[float, list[str]]]:
    """Words by their weights, of which there are few: a tenth of the size of a weight beside each word."""
    bands: dict[float, list[str]] = {}
    for word, weight in weights.items():
        bands.setdefault(weight, []).append(word)
    return list(bands.items())


def _unbanded(bands: list[tuple[float, list[str]]]) -> dict[str, float]:
    return {word: weight for weight, words in bands for word in words}
