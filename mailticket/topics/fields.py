"""Details of a request (transaction ID, order ID, amount, ...): found in its text, brought to one form, or missing.

A rule says how a detail looks; its name says how its value is brought to one form (`_FORMS`), so that "0xAB..." and
"ab..." are the same transaction. Names without an entry there keep the words as written, blanks collapsed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mailticket.settings import Category, FieldRule

LONGEST_TEXT = 50_000  # characters looked at; details of a request stand at its beginning, logs behind it
LONGEST_VALUE = 200
MOST_VALUES = 20


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A field rule with its patterns compiled."""

    name: str
    patterns: tuple[re.Pattern[str], ...]


def compile_rules(rules: Iterable[FieldRule]) -> tuple[CompiledRule, ...]:
    """One compiled rule a name, in the order in which the names first appear; equal patterns only once."""
    patterns: dict[str, dict[str, None]] = {}
    for rule in rules:
        patterns.setdefault(rule.name, {}).update(dict.fromkeys(rule.patterns))
    return tuple(
        CompiledRule(name, tuple(re.compile(pattern, re.IGNORECASE) for pattern in given))
        for name, given in patterns.items()
    )


def extract(text: str, rules: Sequence[FieldRule]) -> dict[str, tuple[str, ...]]:
    """The details that the text names: field name to normalised values, in the order of the text, without repeats.

    Fields without a value are absent. At most MOST_VALUES values a field; patterns ignore case unless they say
    `(?-i:...)`.
    """
    return extract_compiled(text, compile_rules(rules))


def extract_compiled(text: str, rules: Sequence[CompiledRule]) -> dict[str, tuple[str, ...]]:
    """`extract` for rules that were compiled once."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT])
    found = {rule.name: values for rule in rules if (values := _values(text, rule))}
    return _without_accounts_as_orders(found)


def _values(text: str, rule: CompiledRule) -> tuple[str, ...]:
    hits: list[tuple[int, str]] = []
    for pattern in rule.patterns:
        for count, match in enumerate(pattern.finditer(text)):
            if count == MOST_VALUES:
                break
            group = 1 if pattern.groups and match.group(1) is not None else 0
            hits.append((match.start(group), match.group(group)))
    values = (normalised(rule.name, value) for _, value in sorted(hits, key=lambda hit: hit[0]))
    return tuple(dict.fromkeys(value for value in values if value))[:MOST_VALUES]


def _without_accounts_as_orders(found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A number that is written once cannot be both account and order: what is called an account is none other."""
    accounts, orders = found.get("account_id", ()), found.get("order_id", ())
    if not (accounts and orders and set(accounts) & set(orders)):
        return found
    kept = tuple(value for value in orders if value not in accounts)
    others = {name: values for name, values in found.items() if name != "order_id"}
    return {**others, "order_id": kept} if kept else others


def missing(category: Category, found: Collection[str]) -> tuple[str, ...]:
    """The details that a request of this category needs and that were not found, in the order of the category."""
    return tuple(name for name in category.needs if name not in found)


def normalised(name: str, value: str) -> str:
    """A value of the field in the one form in which it is stored and compared; "" when it is none."""
    value = " ".join(value.split())[:LONGEST_VALUE]
    form = _FORMS.get(name)
    return form(value) if form else value


def _txid(value: str) -> str:
    """Hexadecimal IDs without 0x in lower case; base 58 (Solana) is case-sensitive and stays."""
    bare = value[2:] if value[:2] in ("0x", "0X") else value
    return bare.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", bare) else value


def _identifier(value: str) -> str:
    return value.strip("#-_:：").upper()


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


_COINS = {
    "U": "USDT",
    "BITCOIN": "BTC", "XBT": "BTC", "比特币": "BTC", "比特幣": "BTC", "大饼": "BTC", "大餅": "BTC",
    "ETHEREUM": "ETH", "ETHER": "ETH", "以太坊": "ETH", "以太币": "ETH", "以太幣": "ETH",
    "TETHER": "USDT", "泰达币": "USDT", "泰達幣": "USDT", "LITECOIN": "LTC", "莱特币": "LTC", "萊特幣": "LTC",
    "DOGECOIN": "DOGE", "狗狗币": "DOGE", "狗狗幣": "DOGE", "狗币": "DOGE", "RIPPLE": "XRP", "瑞波币": "XRP",
    "瑞波幣": "XRP", "SOLANA": "SOL", "索拉纳": "SOL", "CARDANO": "ADA", "艾达币": "ADA", "POLKADOT": "DOT",
    "波卡": "DOT", "MONERO": "XMR", "TRON": "TRX", "波场币": "TRX", "SHIBA": "SHIB", "柴犬币": "SHIB",
    "TONCOIN": "TON", "MATIC": "POL", "CHAINLINK": "LINK", "AVALANCHE": "AVAX",
}  # fmt: skip


def _coin(value: str) -> str:
    return _COINS.get(value.upper(), value.upper())


_NETWORKS = {
    "TRC20": "TRC20", "TRON": "TRC20", "TRX": "TRC20", "波场": "TRC20", "波場": "TRC20",
    "ERC20": "ERC20", "ETHEREUM": "ERC20", "ETH": "ERC20", "以太坊": "ERC20",
    "BEP20": "BEP20", "BSC": "BEP20", "BNBSMARTCHAIN": "BEP20", "BNBCHAIN": "BEP20", "BINANCESMARTCHAIN": "BEP20",
    "币安智能链": "BEP20", "幣安智能鏈": "BEP20", "BEP2": "BEP2",
    "SOLANA": "SOLANA", "SOL": "SOLANA", "SPL": "SOLANA", "POLYGON": "POLYGON", "MATIC": "POLYGON",
    "ARBITRUM": "ARBITRUM", "ARB": "ARBITRUM", "ARBITRUMONE": "ARBITRUM", "OPTIMISM": "OPTIMISM", "OP": "OPTIMISM",
    "AVALANCHE": "AVALANCHE", "AVAXC": "AVALANCHE", "AVAX": "AVALANCHE", "AVALANCHECCHAIN": "AVALANCHE",
    "BITCOIN": "BITCOIN", "BTC": "BITCOIN", "比特币": "BITCOIN", "比特幣": "BITCOIN", "LIGHTNING": "LIGHTNING",
    "闪电": "LIGHTNING", "閃電": "LIGHTNING",
}  # fmt: skip


def _network(value: str) -> str:
    bare = re.sub(r"[-_ ()]", "", value).upper()
    return _NETWORKS.get(bare, bare)


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_YEAR_FIRST = re.compile(r"(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2}) ?[日号號]?")
_CHINESE_DAY = re.compile(r"(\d{1,2}) ?月 ?(\d{1,2}) ?[日号號]?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]([a-z]{3})[a-z]{0,6}\.?,?(?:[ -](\d{4}))?", re.IGNORECASE
)
_MONTH_DAY = re.compile(r"([a-z]{3})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?", re.IGNORECASE)


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

_FORMS: dict[str, Callable[[str], str]] = {
    "txid": _txid,
    "order_id": _identifier,
    "account_id": _identifier,
    "amount": _amount,
    "coin": _coin,
    "network": _network,
    "time": _time,
}
