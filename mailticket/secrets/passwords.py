"""Passwords and one-time codes: only with wording, since by shape they are any word and any number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailticket.secrets.spans import Secret, last_end, loosely, mentions

_NAMES = (
    r"pass ?words?|passwd|passcode|pass ?phrase|pwd|pword|psw|\bpw|\bpass|пароль|contraseña|passwort|"
    r"kennwort|mot de passe|"
    r"senha|wachtwoord"
)
# One of these is in whatever the names match.
_NAME_SIGNS = ("pass", "pwd", "pword", "psw", "pw", "пароль", "contraseña", "kennwort", "senha", "wachtwoord")
_QUALIFIER = (
    r"(?:[ \t](?:i|we)[ \t](?:use|used|set|have|had|chose|created|typed|entered|tried)(?:[ \t]\w{1,10}){0,2})?"
    r"(?:[ \t]{1,2}(?:for|of|to|on|in|at)[ \t](?:[\w@.-]{1,40}[ \t]{1,2}){0,3}[\w@.-]{1,40})?"
)
# "password: x", "password for my account = x": whatever follows is the password.
_MARKED = re.compile(
    rf"(?<![A-Za-z=])(?:{_NAMES}){_QUALIFIER}"
    rf"(?:[ \t]{{0,2}}\([^)\n]{{0,30}}\))?[ \t]{{0,3}}(?:is|was)?[ \t]{{0,2}}[:=][>]?\s{{0,3}}"
    r"[\"'`“「]?(?P<value>[^\s\"'`”」<>]{2,80})",
    re.IGNORECASE,
)
# "my password is x" and "password x": only what cannot be the next word of the sentence.
_SPOKEN = re.compile(
    rf"(?<![A-Za-z=])(?:{_NAMES}){_QUALIFIER}"
    rf"[ \t]{{1,3}}(?P<verb>(?:is|was|being|->|→|-)[ \t]{{1,3}})?"
    r"(?P<quote>[\"'`“「]?)(?P<value>[^\s\"'`”」<>]{3,80})(?P<after>.?)",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:密\s?[码碼]|口令|通行[码碼]|pin[码碼])(?P<link>\s{0,2}(?:(?:就|都|分别)?(?:是|为|為)|[:=]|"
    r"改(?:成|为)了?|叫|设(?:成|为)了?)\s{0,2}[:=]?\s{0,3}|\s{0,2})[\"'`“「《(]?"
    r"(?P<value>[\x21-\x26\x28-\x3b\x3d\x3f-\x7e]{4,64})"
)
_PIN = re.compile(
    r"\bpin(?:[ -]?code|[ -]?number)?\s{0,3}(?:is|was|[:=]|是|为)\s{0,3}(?P<value>\d{4,8})(?!\d)", re.IGNORECASE
)
_PAIR = re.compile(
    r"(?:credentials|log[ -]?in(?: details| data| info)?|account(?: details)?|登[录錄陆](?:信息|资料)?|"
    r"[账帳]号(?:密码)?|账密|帳密)\s{0,3}[:=]\s{0,3}"
    r"(?:[\w.+-]{1,64}@[\w.-]{1,100}|\w{3,40})\s{0,3}[/|]\s{0,3}(?P<value>[^\s/|,，。<>]{4,64})",
    re.IGNORECASE,
)
_NO_PASSWORDS = frozenset(
    """
    not no wrong incorrect correct the a an my your our their his her its still always never ever being been expired
    reset resets resetting changed change changing required invalid valid secure insecure safe compromised lost
    forgotten forgot forget very too so ok okay fine also now what which in on to for of at by from with and or but
    rejected accepted working work works doesn't don't didn't isn't unknown different same right strong weak leaked
    stolen hacked exposed locked blocked disabled missing empty needed set sent something nothing only just all
    already simply because when while if again after before then than that this these those i we you he she they it
    there here maybe perhaps probably please help page link button form field recovery manager managers email e-mail
    mail mails screen request requests option protected protection update updated issue issues problem problems error
    errors none n/a na unable failed fails fail failing cannot can't won't could would should will must has have had
    does do did is was are were be shown visible hidden emailed typed entered saved stored shared good bad new old
    mine correctly yes login account accounts code codes hint policy length too-weak twice once anymore either
    exactly definitely really certainly it's that's otherwise impossible possible known taken longer short long easy
    hard difficult strange weird
    """.split()  # noqa: SIM905 - a list of words reads as words
)
_SHAPE_OF_ID = re.compile(
    r"(?:0x)?[0-9a-fA-F]{64}|https?://.*|[*•●.xX]+|\d{4}-\d\d-\d\d|[A-Z]{1,8}-[0-9A-Z]{4}-[0-9A-Z]{4}"
)

_DIGITS = re.compile(r"(?<![0-9A-Za-z_#@+$€£¥-])(?<!\d[.,:/])(?:\d{6,8}|\d{3}[ -]\d{3})(?![0-9A-Za-z_@%]|[.,:/-]\d)")
_CODE_WORDING = re.compile(
    r"\b2 ?fa\b|\botp\b|\bmfa\b|\btotp\b|two[- ]factor|authenticator|google auth|\b(?:verification|"
    r"security|sms|login|log-in|one[- ]time|auth|access|confirmation|"
    r"email|backup|text|verify|passkey)[ -]?(?:pass)?codes?|\bcodes?\b|一次性密码|验证码|驗證碼|"
    r"动态[码碼口]|動態[码碼密]|动态密码|校验码|校驗碼|安全码|安全碼|谷歌[码碼]|"
    r"短信[码碼]|双重验证|雙重驗證|二次验证|备份码|備份碼|код|código",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"(?:order|ticket|amount|\buid\b|account|user ?id|member|\btx|\bref(?:erral|erence)?|invoice|"
    r"\bcase\b|error|status|zip|post(?:al)? ?code|country|area|promo\w{0,6}|"
    r"invit\w{1,6}|swift|\bqr\b|currency|discount|coupon|voucher|country|\bhttp|response|source|bar ?code|"
    r"number|tel\b|\bid\b|balance|price|[$€£¥])(?:[ -]?(?:code|no|number)s?)?|"
    r"[订訂][单單]|金[额額]|[账帳][号號户戶]|[单單][号號]|[编編][号號]|工[单單]|[错錯][误誤]|[邮郵][编編]|"
    r"[邀][请請]|[优優]惠|用[户戶]|手[机機][号號]|[电電][话話]|尾号|[余餘]额|[数數]量",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(
    r"[ \t]{0,3}(?:\(|is|was|=|是|为)[ \t]{0,3}(?:my |the |your |我的|这是)*(?:\w{1,14} ){0,2}(?:2fa|otp|"
    r"code|verification|验证码|动态码)",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(
    r"\s{0,2}(?:(?-i:[A-Z]{3,5})\b|"
    r"usdt?\b|usdc|btc|eth|eur|dollars?|yuan|元|块|个|枚|美元|人民币|days?|times?|"
    r"users?)",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def find(text: str) -> Iterator[Secret]:
    """Passwords and one-time codes in a text of half-width characters."""
    loose = loosely(text)
    named = mentions(loose, _NAME_SIGNS)
    for pattern in (_MARKED, _PAIR) if named else (_PAIR,):
        for match in pattern.finditer(text):
            if _may_be_password(match.group("value")):
                yield _password(match)
    for match in _SPOKEN.finditer(text) if named else ():
        if _is_spoken_password(match):
            yield _password(match)
    for match in _CHINESE.finditer(text):
        if _is_chinese_password(match):
            yield _password(match)
    for match in _PIN.finditer(text) if "pin" in loose else ():
        yield _password(match)
    yield from _codes(text)


def _password(match: re.Match[str]) -> Secret:
    value = match.group("value")
    return Secret("password", match.start("value"), match.start("value") + len(_bare(value)))


def _bare(value: str) -> str:
    """A password without the punctuation of the sentence behind it."""
    return value.rstrip(".,;:，。；：、)）]】") or value


def _may_be_password(value: str) -> bool:
    bare = _bare(value)
    return bare.lower() not in _NO_PASSWORDS and not _SHAPE_OF_ID.fullmatch(bare) and not bare.startswith("[redacted")


def _is_spoken_password(match: re.Match[str]) -> bool:
    value = _bare(match.group("value"))
    if not _may_be_password(value):
        return False
    if match.group("quote"):
        return True
    if _looks_made_up(value):
        return len(value) >= 5
    ends = match.group("after") in ("", "\n", "\r") or match.group("value") != value
    return bool(match.group("verb")) and ends and value.isascii()


def _is_chinese_password(match: re.Match[str]) -> bool:
    value = _bare(match.group("value"))
    if not _may_be_password(value) or value.isspace():
        return False
    return bool(match.group("link").strip()) or (len(value) >= 6 and _looks_made_up(value))


def _looks_made_up(value: str) -> bool:
    """Digits or signs among the letters, or capitals inside: no word of a sentence."""
    inner = value[1:]
    letters = any(c.isalpha() for c in value)
    digits = any(c.isdigit() for c in value)
    signs = any(not c.isalnum() and c not in "-'’./,()&" for c in value)
    capitals = not value.isupper() and any(c.isupper() for c in inner)
    return (letters and digits) or (signs and len(value) >= 5) or capitals or (digits and len(value) >= 6)


def _codes(text: str) -> Iterator[Secret]:
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        if _DATE.fullmatch(match.group()) or _UNIT_AFTER.match(text, end):
            continue
        wording = last_end(_CODE_WORDING, text, start - 40, start)
        near = wording >= 0 and wording > last_end(_NO_CODE, text, start - 40, start)
        if near or _CODE_AFTER.match(text, end):
            yield Secret("2FA code", start, end)
