"""Details of a request (order number, amount, time, ...): sought in its text, brought to one form, or missing.

A rule says how a detail looks. Amounts and times are brought to one form by their kind, so that "1,500.00" and "1500"
are the same; a trade may have forms of its own for fields by their names. Other values stay as written, blanks
collapsed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice

from mailticket.settings import Category, FieldKind, FieldRule
from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, matches
from mailticket.text.words import loosely

LONGEST_TEXT = 20_000  # characters looked at; details of a request stand at its beginning, logs behind it
LONGEST_VALUE = 200
MOST_VALUES = 20


Details = dict[str, tuple[str, ...]]
Form = Callable[[str], str]  # brings a value to the one form in which it is stored and compared; "" when it is none


@dataclass(frozen=True, slots=True)
class _Rule:
    """One field, and the form of its values, if there is one."""

    name: str
    kind: FieldKind
    form: Form | None


@dataclass(frozen=True, slots=True)
class Rules:
    """The fields of a site with all their patterns, those of one field together; make it with `compile_rules`."""

    patterns: tuple[tuple[_Rule, re.Pattern[str]], ...]
    sieve: Sieve

    def extract(self, text: str, kinds: Collection[FieldKind] = ()) -> dict[str, tuple[str, ...]]:
        """The details that the text names: field name to normalised values, in the order of the text, without repeats.

        Fields without a value are absent. At most MOST_VALUES values a field; patterns ignore case unless they say
        `(?-i:...)`. kinds: those of the fields that are sought, () for all.
        """
        text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])
        hits: dict[_Rule, list[tuple[int, str]]] = {}
        for number, places in self.sieve.candidates(loosely(text)):
            rule, pattern = self.patterns[number]
            if not kinds or rule.kind in kinds:
                hits.setdefault(rule, []).extend(_hits(text, rule, matches(pattern, text, places)))
        details = {rule.name: values for rule, places in hits.items() if (values := _values(rule, places))}
        return _without_accounts(details, {rule.name: rule.kind for rule in hits})


def compile_rules(rules: Iterable[FieldRule], forms: Mapping[str, Form]) -> Rules:
    """One compiled rule a name, in the order in which the names first appear; equal patterns only once.

    forms: by field name, before those of the kinds. Of rules of one name the first says the kind.
    """
    kinds: dict[str, FieldKind] = {}
    patterns: dict[str, dict[str, None]] = {}
    for rule in rules:
        kinds.setdefault(rule.name, rule.kind)
        patterns.setdefault(rule.name, {}).update(dict.fromkeys(rule.patterns))
    named = [_Rule(name, kinds[name], forms.get(name) or _FORMS.get(kinds[name])) for name in patterns]
    compiled = [(rule, lazy_pattern(pattern, re.IGNORECASE)) for rule in named for pattern in patterns[rule.name]]
    return Rules(tuple(compiled), Sieve(pattern for _, pattern in compiled))


def _hits(text: str, rule: _Rule, found: Iterable[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """What one pattern hits, and where."""
    for match in islice(found, MOST_VALUES):
        group = 1 if match.re.groups and match.group(1) is not None else 0
        yield match.start(group), match.group(group)
        if rule.kind == "identifier":
            yield from _enumerated(text, match.group(group), match.end(group))


def _values(rule: _Rule, hits: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    values = (_normalised(rule, value) for _, value in sorted(hits, key=lambda hit: hit[0]))
    return tuple(dict.fromkeys(value for value in values if value))[:MOST_VALUES]


_ANOTHER = lazy_pattern(
    r"\s{0,2}(?:[,，;；、/&+]|and|or|和|与|及)\s{0,2}(?:and\s|#)?([0-9A-Z][0-9A-Z-]{2,39})(?![0-9A-Z_-])", re.IGNORECASE
)
_MOST_ENUMERATED = 8


def _enumerated(text: str, value: str, end: int) -> list[tuple[int, str]]:
    """What an enumeration names behind its first ID: "orders 8841, 8842 and 8850"; IDs of one list look the same."""
    looks = re.sub(r"\d", "0", value)
    further: list[tuple[int, str]] = []
    while len(further) < _MOST_ENUMERATED and (match := _ANOTHER.match(text, end)):
        if re.sub(r"\d", "0", match[1]) != looks:
            break
        further.append((match.start(1), match[1]))
        end = match.end()
    return further


def _normalised(rule: _Rule, value: str) -> str:
    value = " ".join(value.split())[:LONGEST_VALUE]
    return rule.form(value) if rule.form else value


def _without_accounts(details: Details, kinds: Mapping[str, FieldKind]) -> Details:
    """A number that is written once cannot be both account and order: what is called an account is none other."""
    accounts = {value for name, values in details.items() if kinds[name] == "account" for value in values}
    kept = {
        name: tuple(value for value in values if value not in accounts) if kinds[name] == "identifier" else values
        for name, values in details.items()
    }
    return {name: values for name, values in kept.items() if values}


def missing(category: Category, named: Collection[str]) -> tuple[str, ...]:
    """The details that a request of this category needs and does not name, in the order of the category."""
    return tuple(name for name in category.needs if name not in named)


_DIGITS = {
    symbol: value
    for value, symbols in enumerate(("〇零", "一", "二两兩", "三", "四", "五", "六", "七", "八", "九"))
    for symbol in symbols
}
_TENS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8}


def _chinese_number(value: str) -> str:
    """A number in Chinese characters as digits: "两万" is "20000", "八萬五千" is "85000"; "" when it is none."""
    total = section = digit = 0
    for symbol in value:
        if symbol in _DIGITS:
            digit = _DIGITS[symbol]
        elif (scale := _TENS[symbol]) >= 10_000:
            total, section, digit = (total + section + digit) * scale, 0, 0
        else:
            section, digit = section + (digit or 1) * scale, 0
    return str(total + section + digit)


def _amount(value: str) -> str:
    """A plain decimal number without separators of thousands and without trailing zeros: "1,500.00" is "1500"."""
    if value and all(symbol in _DIGITS or symbol in _TENS for symbol in value):
        return _chinese_number(value)
    digits = value.replace(",", "").replace("，", "").replace(" ", "").replace("'", "")
    scale = 1
    if digits and digits[-1] in "kK万萬千":
        scale = {"k": 1000, "千": 1000, "万": 10_000, "萬": 10_000}[digits[-1].lower()]
        digits = digits[:-1]
    try:
        number = Decimal(digits) * scale
    except InvalidOperation:
        return ""
    if not number.is_finite():
        return ""
    plain = f"{number:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_YEAR_FIRST = lazy_pattern(r"(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2}) ?[日号號]?")
_CHINESE_DAY = lazy_pattern(r"(\d{1,2}) ?月 ?(\d{1,2}) ?[日号號]?")
_YEAR_LAST = lazy_pattern(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_DAY_MONTH = lazy_pattern(
    r"(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]([a-z]{3})[a-z]{0,6}\.?,?(?:[ -](\d{4}))?", re.IGNORECASE
)
_MONTH_DAY = lazy_pattern(r"([a-z]{3})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?", re.IGNORECASE)


def _time(value: str) -> str:
    """A date as 2026-11-20 or, without its year, 11-20; a clock time follows it; anything else in lower case.

    20/11/2026 is read by the number that can only be a day; where both can be the month the words stay as they are.
    """
    for pattern, order in _DATE_FORMS:
        if match := pattern.match(value):
            year, month, day = (match.group(i) if i else "" for i in order)
            number = _MONTHS.get(month[:3].lower()) if month.isalpha() else int(month)
            if pattern is _YEAR_LAST and number and number > 12:
                number, day = int(day), month
            elif pattern is _YEAR_LAST and int(day) <= 12 and day != month:
                return value.lower()
            if number and 1 <= number <= 12 and 1 <= int(day) <= 31:
                date = f"{number:02d}-{int(day):02d}"
                rest = value[match.end() :].strip(" ,，Tt").lower()
                return " ".join(part for part in (f"{year}-{date}" if year else date, rest) if part)
    return value.lower()


_DATE_FORMS: tuple[tuple[re.Pattern[str], tuple[int, int, int]], ...] = (
    (_YEAR_FIRST, (1, 2, 3)),
    (_CHINESE_DAY, (0, 1, 2)),
    (_YEAR_LAST, (3, 1, 2)),
    (_DAY_MONTH, (3, 2, 1)),
    (_MONTH_DAY, (3, 1, 2)),
)

_FORMS: Mapping[FieldKind, Form] = {"amount": _amount, "time": _time}
