"""Second-factor material: one-time codes, the keys by which an authenticator is set up, lists of backup codes.

By shape a code is any number, so most of it counts only with wording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailticket.secrets.spans import Reading, Secret
from mailticket.text.patterns import lazy_pattern

_KIND = "2FA code"

_DIGITS = lazy_pattern(
    r"\d(?<![0-9A-Za-z_#@+$€£¥-]\d)(?<!\d[.,:/]\d)(?:\d{5,7}|\d\d[ -]\d{3})(?![0-9A-Za-z_@%]|[.,:/-]\d)"
)
_DIGITS_OUTLINE = lazy_pattern(rb"000(?<![0a]000)(?=000|[ -]000)")
_CODE_WORDING = lazy_pattern(
    r"\b2 ?fa\b|\botp\b|\bmfa\b|\btotp\b|two[- ]factor|authenticator|google auth|\bauthy\b|\b(?:verification|"
    r"security|sms|login|log-in|one[- ]time|auth|access|confirmation|"
    r"email|backup|text|verify|passkey)[ -]?(?:pass)?codes?|\bcodes?\b|\bone[- ]time (?:password|pin)|"
    r"(?:six|6)[- ]digits?|一次性密[码碼]|验证码|驗證碼|"
    r"动态[码碼口]|動態[码碼密]|动态密码|校验码|校驗碼|安全码|安全碼|谷歌[码碼]|"
    r"短信[码碼]|双重验证|雙重驗證|二次验证|[验驗][证證]器|备份码|備份碼|код|código",
    re.IGNORECASE,
)
_NO_CODE = lazy_pattern(
    r"(?:order|ticket|amount|\buid\b|account|user ?id|member|\btx|\bref(?:erral|erence)?|invoice|"
    r"\bcase\b|error|status|zip|post(?:al)? ?code|country|area|promo\w{0,6}|"
    r"invit\w{1,6}|swift|\bqr\b|currency|discount|coupon|voucher|country|\bhttp|response|source|bar ?code|"
    r"(?<!the )number|tel\b|\bid\b|balance|price|[$€£¥])(?:[ -]?(?:code|no|number)s?)?|"
    r"[订訂][单單]|金[额額]|[账帳][号號户戶]|[单單][号號]|[編编][号號]|工[单單]|[错錯][误誤]|[邮郵][编編]|"
    r"[邀][请請]|[优優]惠|用[户戶]|手[机機][号號]|[电電][话話]|尾号|[余餘]额|[数數]量",
    re.IGNORECASE,
)
_CODE_AFTER = lazy_pattern(
    r"[ \t]{0,3}(?:\(|is|was|=|是|为|[,–—-][ \t]{0,3}(?:that|this|it)(?:['’]s| is))[ \t]{0,3}"
    r"(?:my |the |your |我的|这是)*(?:\w{1,14} ){0,2}(?:2fa|otp|code|verification|验证码|动态码)|"
    r"[ \t]{1,3}(?:from|in|on|by) (?:my |the |your )?(?:google |sms\b|text message|authenticator|2fa)",
    re.IGNORECASE,
)
_UNIT_AFTER = lazy_pattern(
    r"\s{0,2}(?:(?-i:[A-Z]{3,5})\b|"
    r"usdt?\b|usdc|btc|eth|eur|dollars?|yuan|元|块|个|枚|美元|人民币|days?|times?|"
    r"users?)",
    re.IGNORECASE,
)
_DATE = lazy_pattern(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")

_PREFIXED = lazy_pattern(r"(?<![0-9A-Za-z-])G-\d{6}(?![0-9A-Za-z-])")  # as Google writes its codes
_SENT_CODE = lazy_pattern(
    r"google|谷歌|sms\b|text(?:ed|s)?\b|verif|authent|2fa|\botp\b|log-?in|sign-?in|[验驗][证證]|短信|簡訊",
    re.IGNORECASE,
)

# RFC 4648's alphabet of base 32, in one piece or in groups of four, as authenticators show it for typing.
_LONGEST_KEY = 80
_BASE32 = lazy_pattern(
    r"(?<![0-9A-Za-z])(?:[A-Z2-7]{16,64}|(?=[a-z]{0,63}[2-7])[a-z2-7]{16,64}|"
    r"(?=[A-Z -]{0,75}[2-7])[A-Z2-7]{4}(?:[ -][A-Z2-7]{4}){3,15}|"
    r"(?=[a-z -]{0,75}[2-7])[a-z2-7]{4}(?:[ -][a-z2-7]{4}){3,15})(?![0-9A-Za-z])"
)
_LONG_WORD = lazy_pattern(r"[A-Za-z2-7]{4}(?:[A-Za-z2-7]{12}|(?:[ -][A-Za-z2-7]{4}){3})")  # in one piece or in groups
_KEY_WORDING = lazy_pattern(
    r"set-?up (?:key|code)|manual|\bscan\b|secret|authenticator|\b2 ?fa\b|\bt?otp\b|\bmfa\b|two[- ](?:factor|step)|"
    r"\bseed\b|[验驗][证證]器|[双雙]重|[两兩]步|二次[验驗]|谷歌[验驗]|[密秘金][钥鑰]",
    re.IGNORECASE,
)

_BACKUP_WORDING = lazy_pattern(
    r"\b(?:back-?up|recovery|emergency|scratch|rescue)[ -](?:2fa[ -])?codes?|[备備][用份](?:[验驗][证證])?[码碼]|"
    r"恢[复復](?:代)?[码碼]|[应應]急[码碼]",
    re.IGNORECASE,
)
_BACKUP_CODE = lazy_pattern(
    r"(?<![0-9A-Za-z_-])(?:\d{4}[ -]\d{4}|(?=[a-z-]{0,24}\d)[0-9a-z]{4,6}(?:-[0-9a-z]{4,6}){1,3}|\d{6,10}|"
    r"(?=[a-z]{0,12}\d)(?=\d{0,12}[a-z])[0-9a-z]{8,12})(?![0-9A-Za-z_-])",
    re.IGNORECASE,
)
_TICKET_KEY = lazy_pattern(r"[A-Z]{1,8}-[0-9A-Z]{4}-[0-9A-Z]{4}")
_BETWEEN_CODES = lazy_pattern(
    r"(?:[\s,;.:)•*、，·>-]{1,6}(?:and|or|和|\d{1,2}[.):])?[\s,;.:)•*、，·-]{0,4})", re.IGNORECASE
)
_LONGEST_LEAD = 80  # characters between "backup codes" and the first of them


PATTERNS = (_PREFIXED, _KEY_WORDING, _BACKUP_WORDING, _CODE_WORDING, _NO_CODE, _SENT_CODE)


def find(reading: Reading) -> Iterator[Secret]:
    """Second-factor material in a text."""
    yield from _codes(reading)
    yield from _prefixed_codes(reading)
    yield from _setup_keys(reading)
    yield from _backup_codes(reading)


def _codes(reading: Reading) -> Iterator[Secret]:
    text = reading.text
    for match in reading.numbers(_DIGITS, _DIGITS_OUTLINE):
        start, end = match.span()
        wording = reading.last_end(_CODE_WORDING, start - 60, start)
        near = wording >= 0 and wording > reading.last_end(_NO_CODE, start - 60, start)
        if not (near or _CODE_AFTER.match(text, end)):
            continue
        if not _DATE.fullmatch(match.group()) and not _UNIT_AFTER.match(text, end):
            yield Secret(_KIND, start, end)


def _prefixed_codes(reading: Reading) -> Iterator[Secret]:
    """Codes such as G-123456: sure where a sign-in or a message is spoken of, doubtful elsewhere."""
    text = reading.text
    for match in reading.matches(_PREFIXED):
        start, end = match.span()
        if reading.last_end(_NO_CODE, start - 20, start) < 0:
            spoken_of = reading.last_end(_SENT_CODE, start - 60, start) >= 0 or _SENT_CODE.search(text, end, end + 60)
            yield Secret(_KIND, start, end, grade="sure" if spoken_of else "doubtful")


def _setup_keys(reading: Reading) -> Iterator[Secret]:
    text = reading.text
    for match in reading.near(
        _KEY_WORDING, _BASE32, before=_LONGEST_KEY + 60, behind=80 + _LONGEST_KEY, hint=_LONG_WORD
    ):
        start, end = match.span()
        wording = reading.last_end(_KEY_WORDING, start - 80, start)
        named = wording >= 0 and wording > reading.last_end(_NO_CODE, start - 80, start)
        if named or _KEY_WORDING.search(text, end, end + 60):
            yield Secret(_KIND, start, end, "set-up key")


def _backup_codes(reading: Reading) -> Iterator[Secret]:
    """The codes of a list that follows its name; where another number is named before the first, there is none."""
    text, place = reading.text, 0
    for wording in reading.matches(_BACKUP_WORDING):
        start = max(place, wording.end())
        code = _BACKUP_CODE.search(text, start, start + _LONGEST_LEAD)
        if code is None or _NO_CODE.search(text, start, code.start()):
            continue
        while code and not _DATE.fullmatch(code.group()) and not _TICKET_KEY.fullmatch(code.group()):
            yield Secret(_KIND, code.start(), code.end(), "backup code")
            place = code.end()
            gap = _BETWEEN_CODES.match(text, place)
            code = _BACKUP_CODE.match(text, gap.end()) if gap else None
