"""Keys: PEM blocks, wallet keys in their own encodings, bare hexadecimal ones with wording, API keys and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain

from mailticket.secrets.spans import Reading, Secret
from mailticket.text.patterns import lazy_pattern

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_INDEX = {symbol: index for index, symbol in enumerate(_BASE58)}
_LONGEST_PEM = 20_000
_LONGEST_KEY = 130

_PEM_BEGIN = lazy_pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = lazy_pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_WIF = lazy_pattern(rf"[5KL9c](?<![0-9A-Za-z].)[{_BASE58}]{{50,51}}(?![0-9A-Za-z])")
_SHORTEST_WIF = 51
_EXTENDED = lazy_pattern(rf"(?<![0-9A-Za-z])[xyztuvYZUV]prv[{_BASE58}]{{100,112}}(?![0-9A-Za-z])")
_WORDED_KEY = lazy_pattern(
    rf"(?<![0-9A-Za-z])(?:(?:0x)?[0-9a-fA-F]{{64}}|[{_BASE58}]{{86,88}}|[5KL9c][{_BASE58}]{{50,51}}|(?:0x)?[0-9a-fA-F]{{128}})(?![0-9A-Za-z])"
)
_KEY_WORDING = lazy_pattern(
    r"priv(?:ate)?[ _-]?keys?|secret[ _-]?keys?|\bpk\b|priv[ _-]?k|wallet key|signing key|私[钥鑰匙]|"
    r"密[钥鑰匙]|秘[钥鑰匙]|clave privada|закрытый ключ|приватный ключ",
    re.IGNORECASE,
)
_TRANSACTION_WORDING = lazy_pattern(
    r"tx(?:[ _-]?(?:id|hash|n))?\b|transaction|hash|trans(?:fer)?[ _-]?id|/tx/|block|[哈雜]希|雜湊|交易|"
    r"[转轉][账帳]|區塊|区块|订单|order",
    re.IGNORECASE,
)
_KEY_AFTER = lazy_pattern(
    r"[ \t]{0,3}[)\"'`]?[ \t]{0,3}(?:\(|<-+|←|is|was|=|是|为|"
    r"[,，-])[ \t]{0,3}(?:my |the |our |its |that's |this is |我的|这是|我)*"
    r"(?:wallet |eth |btc |metamask |钱包)?(?:priv(?:ate)?[ _-]?key|secret[ _-]?key|私[钥鑰匙])",
    re.IGNORECASE,
)
_TRANSACTION_AFTER = lazy_pattern(
    r"[ \t]{0,3}[)\"'`]?[ \t]{0,3}(?:\(|<-+|←|is|was|=|是|为|"
    r"[,，-])[ \t]{0,3}(?:my |the |our |its |that's |this is |我的|这是)*"
    r"(?:deposit |withdrawal |提现|充值)?(?:tx|transaction|hash|transfer|block|哈希|交易)",
    re.IGNORECASE,
)
_BYTE_ARRAY = lazy_pattern(r"\[\s{0,3}(?:\d{1,3}\s{0,3},\s{0,3}){63}\d{1,3}\s{0,3}\]")

# The prefixes are those that the vendors document so that scanners can find leaked keys.
_VENDOR = lazy_pattern(
    r"(?<![0-9A-Za-z])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{30,255}|github_pat_[0-9A-Za-z_]{40,255}|"
    r"[sr]k_(?:live|test)_[0-9A-Za-z]{16,255}|whsec_[0-9A-Za-z+/=]{24,100}|xox[abeprs]-[0-9A-Za-z-]{10,255}|"
    r"AIza[0-9A-Za-z_-]{35}|GOCSPX-[0-9A-Za-z_-]{20,60}|ya29\.[0-9A-Za-z_-]{20,500}|glpat-[0-9A-Za-z_-]{20,64}|"
    r"SG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{16,64}|sk-(?:proj-|ant-)?[0-9A-Za-z_-]{20,255}|npm_[0-9A-Za-z]{36}|"
    r"pypi-AgEI[0-9A-Za-z_-]{50,255}|hf_[0-9A-Za-z]{30,60}|dop_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|"
    r"hvs\.[0-9A-Za-z_-]{24,255}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}|LTAI[0-9A-Za-z]{12,24}|"
    r"ATATT3[0-9A-Za-z_=-]{50,255}|AGE-SECRET-KEY-1[0-9A-Z]{58}|"
    r"eyJ[0-9A-Za-z_-]{8,2000}\.eyJ[0-9A-Za-z_-]{4,4000}\.[0-9A-Za-z_-]{8,1000})(?![0-9A-Za-z])|"
    r"otpauth://[^\s<>\"']{5,500}"
)
# Those that do not begin with what is their own, and that mark.
_VENDOR_MARK = lazy_pattern("8Q~|:AA")
_VENDOR_INSIDE = lazy_pattern(
    r"(?<![0-9A-Za-z])(?:[0-9A-Za-z_~.-]{3}8Q~[0-9A-Za-z_~.-]{31,40}|\d{8,10}:AA[0-9A-Za-z_-]{33})(?![0-9A-Za-z])"
)
# Amazon's secret key has no prefix, but stands beside the ID of its key, which has one.
_AMAZON_ID = lazy_pattern(r"(?<![0-9A-Za-z])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])")
_AMAZON_SECRET = lazy_pattern(r"(?<![0-9A-Za-z/+=])[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])")
_AMAZON_NEAR = 200
_WORDED_TOKEN = lazy_pattern(
    r"(?:(?<![0-9A-Za-z])(?:api|app|access|auth|account|client|consumer|secret|shared|signing|master|private|storage|service|2fa|totp|"
    r"otp|backup|setup)[ _-]?(?:api[ _-]?|access[ _-]?)?(?:key|secret|token)s?"
    r"(?:[ _-]?(?:id|key|secret|string|value))?|\b(?:secret|token|bearer|passphrase|api)|api\s?(?:密[钥鑰匙]|"
    r"秘[钥鑰匙]|私[钥鑰匙])|(?:密|秘|私|金)[钥鑰匙]|接口密[钥鑰匙]|令牌)"
    r"['\"]?\s{0,3}(?:\([^)\n]{0,20}\)\s{0,2})?(?:is|are|was|=>|[:=]|是|为|"
    r"為)?\s{0,3}[\"'`<\[(]?(?P<value>[0-9A-Za-z+/_=.-]{16,200})",
    re.IGNORECASE,
)
PATTERNS = (
    _PEM_BEGIN, _EXTENDED, _KEY_WORDING, _BYTE_ARRAY, _VENDOR, _VENDOR_MARK, _AMAZON_ID, _WORDED_TOKEN,
    _TRANSACTION_WORDING,
)  # fmt: skip


def find(reading: Reading) -> Iterator[Secret]:
    """Keys in a text."""
    yield from _pem(reading)
    for match in reading.runs(_WIF, _SHORTEST_WIF):
        if base58check(match.group()):
            yield Secret("private key", match.start(), match.end())
    for match in chain(reading.matches(_EXTENDED), reading.matches(_BYTE_ARRAY)):
        yield Secret("private key", match.start(), match.end())
    for match in reading.near(_KEY_WORDING, _WORDED_KEY, before=_LONGEST_KEY + 100, behind=60 + _LONGEST_KEY):
        if _called_key(reading, match.start(), match.end()):
            yield Secret("private key", match.start(), match.end())
    marked_inside = reading.near(_VENDOR_MARK, _VENDOR_INSIDE, before=10, behind=50)
    for match in chain(reading.matches(_VENDOR), marked_inside):
        yield Secret("API key", match.start(), match.end())
    yield from _amazon_secrets(reading)
    for match in reading.matches(_WORDED_TOKEN):
        if _looks_random(match.group("value")):
            yield Secret("API key", match.start("value"), match.start("value") + len(match.group("value").rstrip(".")))


def _amazon_secrets(reading: Reading) -> Iterator[Secret]:
    """Secret keys near the ID of an Amazon key; 40 hexadecimal digits are a commit, not a key."""
    text = reading.text
    for key_id in reading.matches(_AMAZON_ID):
        for match in _AMAZON_SECRET.finditer(text, max(0, key_id.start() - _AMAZON_NEAR), key_id.end() + _AMAZON_NEAR):
            if _looks_random(match.group()) and not match.group().islower():
                yield Secret("API key", match.start(), match.end())


def base58check(text: str) -> bool:
    """Whether the last four bytes are the double SHA-256 of the others, and the first that of a private key (WIF)."""
    number = 0
    for symbol in text:
        number = number * 58 + _BASE58_INDEX[symbol]
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, check = data[:-4], data[-4:]
    return body[:1] in (b"\x80", b"\xef") and sha256(sha256(body).digest()).digest()[:4] == check


def _pem(reading: Reading) -> Iterator[Secret]:
    place = 0
    for begin in reading.matches(_PEM_BEGIN):
        if begin.start() >= place:
            end = _PEM_END.search(reading.text, begin.end(), begin.end() + _LONGEST_PEM)
            place = end.end() if end else _end_of_base64(reading.text, begin.end())
            yield Secret("private key", begin.start(), place)


_BASE64_LINES = lazy_pattern(r"[0-9A-Za-z+/=\s:,.-]{0,20000}")


def _end_of_base64(text: str, start: int) -> int:
    match = _BASE64_LINES.match(text, start)
    return match.end() if match else start


def _called_key(reading: Reading, start: int, end: int) -> bool:
    """Whether the wording around calls this a private key; the wording that stands nearest before it decides."""
    if _TRANSACTION_AFTER.match(reading.text, end):
        return False
    if _KEY_AFTER.match(reading.text, end):
        return True
    called_key = reading.last_end(_KEY_WORDING, start - 60, start)
    return called_key >= 0 and called_key > reading.last_end(_TRANSACTION_WORDING, start - 60, start)


def _looks_random(value: str) -> bool:
    """Long, with digits among letters: no word, no file name, no plain number."""
    if len(value) == 40 and _AMAZON_SECRET.fullmatch(value):  # may hold a single digit, and end in a sign
        return any(c.isdigit() for c in value) and any(c.isupper() for c in value) and any(c.islower() for c in value)
    value = value.rstrip(".=-_/")
    digits = sum(c.isdigit() for c in value)
    letters = sum(c.isalpha() for c in value)
    return len(value) >= 16 and digits >= 2 and letters >= 4 and len(set(value)) >= 8 and "://" not in value
