"""Payment cards: numbers with the prefix, length and check digit of a brand, and the security codes beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailticket.secrets.spans import Reading, Secret
from mailticket.text.patterns import lazy_pattern

_RUN = lazy_pattern(
    r"\d(?<![0-9A-Za-z]\d)(?:\d{3}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}|\d{3}[ -]\d{6}[ -]\d{4,5}|"
    r"\d{12,18})(?![0-9A-Za-z])"
)
_RUN_OUTLINE = lazy_pattern(rb"0000(?<![0a]0000)(?=[ -]0000|000000000)")
# Prefixes and lengths of brands (ISO/IEC 7812): Visa, Mastercard, American Express, Discover, JCB, UnionPay, Diners,
# Maestro.
_BRAND = lazy_pattern(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|3[47]\d{13}|"
    r"6(?:011|5\d{2}|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|3(?:0[0-5]|[68]\d)\d{11}|(?:50|"
    r"5[6-9]|6[37])\d{14}"
)
_WORDING = lazy_pattern(
    r"card|visa|mastercard|amex|unionpay|credit|debit|卡号|卡號|信用卡|银行卡|銀行卡|借记卡|银联|銀聯|"
    r"卡片|\bcc\b|\bpan\b",
    re.IGNORECASE,
)
_OTHER_NUMBER = lazy_pattern(
    r"order|txid|\btx\b|hash|\buid\b|\bref|ticket|invoice|tracking|account|trade|timestamp|nonce|\bid\b|"
    r"订单|訂單|单号|單號|流水|哈希|工单|账号|帳號|时间戳|编号",
    re.IGNORECASE,
)
_CODE = lazy_pattern(
    r"\b(?:cvv2?|cvc2?|cvn|csc|card security code)\b\s{0,3}(?:code|number)?\s{0,2}(?:is|[:=]|是|"
    r"为)?\s{0,3}(?P<code>\d{3,4})(?!\d)",
    re.IGNORECASE,
)
PATTERNS = (_CODE, _WORDING, _OTHER_NUMBER)


def find(reading: Reading) -> Iterator[Secret]:
    """Card numbers in a text. One without wording of a card keeps its first six and last four
    digits, so that an order ID that happens to look like one can still be told from others."""
    text = reading.text
    for match in reading.numbers(_RUN, _RUN_OUTLINE):
        digits = match.group().replace(" ", "").replace("-", "")
        if not (_BRAND.fullmatch(digits) and luhn(digits)):
            continue
        start, end = match.span()
        card = reading.last_end(_WORDING, start - 60, start)
        other = reading.last_end(_OTHER_NUMBER, start - 40, start)
        if card >= 0 and card > other:
            yield Secret("card number", start, end)
        elif other < 0:
            yield Secret("card number", *_middle(text, start, end))
    for match in reading.matches(_CODE):
        yield Secret("card number", match.start("code"), match.end("code"), "security code")


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B."""
    values = bytes(map(int, digits))
    return (sum(values[::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


_DOUBLED = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)).ljust(256)  # a digit taken twice, and the sum of the digits of that


def _middle(text: str, start: int, end: int) -> tuple[int, int]:
    places = [place for place in range(start, end) if text[place].isdigit()]
    return places[6], places[-5] + 1
