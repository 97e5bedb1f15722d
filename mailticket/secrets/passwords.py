"""Passwords: only with wording, since by shape they are any word. How sure one is, its looks and its place decide.

What looks like a password, is quoted, or stands behind a colon is one. "My password is refused" and "my password is
kittens" are the same sentence, so a plain word is doubtful at most, and nothing in running prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailticket.secrets.spans import Grade, Reading, Secret
from mailticket.text.patterns import lazy_pattern
from mailticket.text.words import HAN

_NAMES = (
    r"pass ?words?|passwd|passcode|pass ?phrase|pwd|pword|psw|\bpw|\bpass|пароль|contraseña|passwort|"
    r"kennwort|mot de passe|"
    r"senha|wachtwoord"
)
_CHOSEN = r"(?:[ \t](?:i|we)[ \t](?:use|used|set|have|had|chose|created|typed|entered|tried)(?:[ \t]\w{1,10}){0,2}?)"
_PURPOSE = r"(?!is\b|was\b)[\w@.-]{1,40}"
_QUALIFIER = (
    rf"(?P<chosen>{_CHOSEN})?"
    rf"(?:[ \t]{{1,2}}(?:for|of|to|on|in|at)[ \t](?:{_PURPOSE}[ \t]{{1,2}}){{0,3}}{_PURPOSE})?"
)
# "password: x", "password for my account = x".
_MARKED = lazy_pattern(
    rf"(?<![A-Za-z=])(?:{_NAMES}){_QUALIFIER}"
    rf"(?:[ \t]{{0,2}}\([^)\n]{{0,30}}\))?[ \t]{{0,3}}(?:is|was)?[ \t]{{0,2}}[:=][>]?(?P<gap>\s{{0,3}})"
    r"(?P<quote>[\"'`“「]?)(?P<value>[^\s\"'`”」<>]{2,80})",
    re.IGNORECASE,
)
# "my password is x" and "password x".
_SPOKEN = lazy_pattern(
    rf"(?<![A-Za-z=])(?:{_NAMES}){_QUALIFIER}"
    r"(?P<verb>['’]s[ \t]{1,3}|[ \t]{1,3}(?:is|was|being|est|ist|lautet|es|->|→|-)[ \t]{1,3})?(?(verb)|[ \t]{1,3})"
    r"(?P<quote>[\"'`“「]?)(?P<value>[^\s\"'`”」<>]{3,80})",
    re.IGNORECASE,
)
_CHINESE = lazy_pattern(
    r"(?:密\s?[码碼]|口令|通行[码碼]|pin[码碼])(?P<link>\s{0,2}(?:(?:就|都|分别)?(?:是|为|為)|[:=]|"
    r"改(?:成|为)了?|叫|设(?:成|为)了?)\s{0,2}[:=]?\s{0,3}|\s{0,2})(?P<quote>[\"'`“「《(]?)"
    r"(?P<value>[\x21-\x26\x28-\x3b\x3d\x3f-\x7e]{4,64})"
)
_PIN = lazy_pattern(
    r"\bpin(?:[ -]?code|[ -]?number)?\s{0,3}(?:is|was|[:=]|是|为)\s{0,3}(?P<value>\d{4,8})(?!\d)", re.IGNORECASE
)
_PAIR = lazy_pattern(
    r"(?:credentials|log[ -]?in(?: details| data| info)?|account(?: details)?|登[录錄陆](?:信息|资料)?|"
    r"[账帳]号(?:密码)?|账密|帳密)\s{0,3}(?P<link>[:=]|\bis\b|是)\s{0,3}"
    r"(?:[\w.+-]{1,64}@[\w.-]{1,100}|\w{3,40})\s{0,3}[/|]\s{0,3}(?P<value>[^\s/|,，。<>]{4,64})",
    re.IGNORECASE,
)
# Whom the password lets in, named beside it: without that a plain word gives nothing away.
_LOGIN = lazy_pattern(
    r"\b(?:user|log-?in|account|e-?mail)(?:[ -]?(?:name|id|address))?(?: ?[:=] ?| is | (?=[\w.+-]{0,64}[@\d]))[\w.+-]|"
    r"[账帳帐賬][号號户戶]码?\s?[:是为為]?\s?[0-9A-Za-z]|(?:用[户戶]名|[邮郵]箱)\s?[:是为為]?\s?[0-9A-Za-z]",
    re.IGNORECASE,
)
_LOGIN_BEFORE = 80
_NO_PASSWORD = lazy_pattern(
    r"(?:0x)?[0-9a-fA-F]{64}|https?://.*|[*•●.xX]+|\d{4}-\d\d-\d\d|[A-Z]{1,8}-[0-9A-Z]{4}-[0-9A-Z]{4}|\[redacted.*"
)

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_PROSE = lazy_pattern(rf"{_WORD}(?:[-.,;:!?…()/&—–]+{_WORD})*")  # a blank forgotten behind a sign is common
_MEASURE = lazy_pattern(r"\d+(?:[-–.,:/+%]+\d*)+|\d+(?:st|nd|rd|th|x|h|d)?(?:[-–+]+[^\W\d_]+)+", re.IGNORECASE)
_SIGN = lazy_pattern(r"[@#$%^&*_+=~|\\{}\[\]]")
_SIGN_OR_MARK = lazy_pattern(r"[@#$%^&*_+=~|\\{}\[\]!?]")
_MIXED = lazy_pattern(r"[a-z][A-Z]")
_MAILBOX = lazy_pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
# An English verb or adjective by its ending: what a password is ("refused", "frozen", "unusable") more often than one.
_ENDING_OF_ENGLISH = lazy_pattern(r".{2,}(?:ed|..en|ing|[ai]ble|less|ful)", re.IGNORECASE)
_COUNTED = lazy_pattern(r"\s{0,2}[位个個次天年月号號日]")
_CLOSING = "!?…*_~.,;:，。；：、(（)）]】"
_SHOUT = lazy_pattern(r"[!?]{2,20}1{0,20}$")
_NEXT_TOKEN = lazy_pattern(
    r"[ \t]{1,3}(?P<value>(?=[^\s\d]{0,40}\d)(?=[^\sA-Z]{0,40}[A-Z])(?=[^\sa-z]{0,40}[a-z])[^\s\"'<>]{8,40})"
)


PATTERNS = (_MARKED, _SPOKEN, _CHINESE, _PAIR, _PIN)


def find(reading: Reading, *, heading: bool = False) -> Iterator[Secret]:
    """Passwords in a text. heading: whether the text is a subject, in which no word stands alone."""
    for match in reading.matches(_MARKED):
        yield from _graded(match, _grade_marked(_Candidate(match)))
    for match in reading.matches(_SPOKEN):
        word = _Candidate(match)
        yield from _graded(match, _grade_spoken(word, heading=heading))
        yield from _behind_adverb(word)
    for match in reading.matches(_CHINESE):
        yield from _graded(match, _grade_chinese(_Candidate(match), heading=heading))
    for match in reading.matches(_PAIR):
        yield from _graded(match, _grade_pair(match))
    for match in reading.matches(_PIN):
        yield from _graded(match, "sure")


def _graded(match: re.Match[str], grade: Grade | None) -> Iterator[Secret]:
    if grade:
        start = match.start("value")
        yield Secret("password", start, start + len(_bare(match.group("value"))), grade=grade)


def _bare(value: str) -> str:
    """A password without the punctuation of the sentence behind it."""
    return value.rstrip(".,;:，。；：、)）]】") or value


class _Candidate:
    """A word where a password may stand: its looks, and what stands around it."""

    __slots__ = ("after", "exclaimed", "made_up", "match", "mixed_only", "plain", "quoted", "value")

    def __init__(self, match: re.Match[str]) -> None:
        self.match = match
        self.quoted = bool(match.group("quote"))
        value = match.group("value")
        end = match.start("value") + len(_bare(value))
        self.after = match.string[end : end + 60].partition("\n")[0]
        self.exclaimed = value.endswith(("!", "?"))
        self.value = _SHOUT.sub("", value).strip("*_~").rstrip(_CLOSING)
        self.plain = bool(_PROSE.fullmatch(self.value) or _MAILBOX.fullmatch(self.value))
        if _NO_PASSWORD.fullmatch(_bare(value)):
            self.value = ""
        mixed = any(_MIXED.search(piece) for piece in re.split(r"[-.,;:!?…()/&—–]", self.value))
        self.mixed_only = self.plain and mixed
        self.made_up = _looks_made_up(self.value)

    @property
    def ends_clause(self) -> bool:
        rest = self.after.lstrip(" \t*_~\"'`”」")
        return not rest or rest[0] in ".,;!，。；！、)）]】–—-/|"

    @property
    def ends_line(self) -> bool:
        return not self.after.strip(" \t*_~\"'`”」.。")

    @property
    def beside_login(self) -> bool:
        """Whether the same line, or a little before it, says whom the password lets in."""
        start = self.match.start()
        before = self.match.string[max(0, start - _LOGIN_BEFORE) : start]
        return bool(_LOGIN.search(before) or _LOGIN.search(self.after))


def _looks_made_up(value: str) -> bool:
    """Letters with digits, or signs among them, or a long number: no word of a sentence and no measure."""
    if _MEASURE.fullmatch(value) or _MAILBOX.fullmatch(value):
        return False
    letters = any(c.isalpha() and not _is_han(c) for c in value)
    digits = any(c.isdigit() for c in value)
    return (letters and digits) or (len(value) >= 5 and bool(_SIGN.search(value))) or (digits and len(value) >= 6)


def _is_han(character: str) -> bool:
    return bool(re.match(rf"[{HAN}]", character))


def _grade_pair(match: re.Match[str]) -> Grade | None:
    """Behind a login name and a slash: "account: blocked / frozen" is no pair of name and password."""
    value = _bare(match.group("value"))
    if _NO_PASSWORD.fullmatch(value):
        return None
    if _looks_made_up(value):
        return "sure"
    return "doubtful" if match.group("link") in ":=" else None


def _grade_marked(word: _Candidate) -> Grade | None:
    """Behind a colon: a plain word too, if it closes its clause on the same line."""
    if not word.value or word.quoted or word.made_up:
        return "sure" if word.value else None
    if len(word.value) < 4 or not word.value.isascii():
        return None
    if "\n" in word.match.group("gap"):
        return "doubtful" if word.ends_line and word.value.islower() else None
    if not word.exclaimed and (word.mixed_only or word.ends_line or (word.ends_clause and word.beside_login)):
        return "sure"
    return "doubtful" if word.ends_clause or word.beside_login else None


def _grade_spoken(word: _Candidate, *, heading: bool) -> Grade | None:
    """Behind "is", or behind nothing but a blank."""
    if not word.value:
        return None
    verb = bool(word.match.group("verb"))
    if word.quoted:
        return "sure" if verb or word.made_up else "doubtful"
    if word.made_up:
        return _grade_made_up(word, verb=verb)
    if word.value.isdigit() and len(word.value) >= 4 and verb and word.ends_clause:
        return "sure"
    if word.mixed_only and word.ends_clause:
        return "sure" if verb else "doubtful"
    if not verb:
        return "doubtful" if word.plain and len(word.value) >= 5 and word.ends_line and word.beside_login else None
    return _grade_plain(word, heading=heading)


def _behind_adverb(word: _Candidate) -> Iterator[Secret]:
    """The password of "is now Kx7!pLm2": capitals, small letters and digits in one, behind a single plain word."""
    goes_on = word.plain and word.match.group("verb") and not word.ends_clause
    token = _NEXT_TOKEN.match(word.match.string, word.match.end("value")) if goes_on else None
    if token:
        start, bare = token.start("value"), _bare(token.group("value"))
        yield Secret("password", start, start + len(bare), grade="sure" if _SIGN_OR_MARK.search(bare) else "doubtful")


def _grade_made_up(word: _Candidate, *, verb: bool) -> Grade | None:
    """What looks like a password, unless the sentence goes on as one about something else ("is sha256 hashed")."""
    if len(word.value) < 5:
        return None
    if word.ends_clause:
        return "sure"
    following = re.match(r"[ \t]{1,3}([^\W\d_]+)", word.after)
    goes_on = bool(following and _ENDING_OF_ENGLISH.fullmatch(following[1]))
    if re.fullmatch(r"[A-Za-z]?[a-z]+\d{1,3}", word.value) and (goes_on or not verb):
        return None if goes_on else "doubtful"
    return "doubtful" if goes_on else "sure"


def _grade_plain(word: _Candidate, *, heading: bool) -> Grade | None:
    """A word like any other. In running prose it is one."""
    if len(word.value) < 4 or not word.value.isascii() or _ENDING_OF_ENGLISH.fullmatch(word.value):
        return None
    alone = word.ends_line and not heading and not word.exclaimed
    told = word.ends_clause and (word.beside_login or bool(word.match.groupdict().get("chosen")))
    return "doubtful" if alone or told else None


def _grade_chinese(word: _Candidate, *, heading: bool) -> Grade | None:
    """Latin letters, digits and signs behind the Chinese word: what they mean in a Chinese sentence is seldom open."""
    link = word.match.group("link").strip()
    if not word.value or _COUNTED.match(word.after):
        return None
    if word.quoted:
        return "sure" if link else "doubtful"
    if word.made_up:
        return "sure" if link or len(word.value) >= 6 else None
    if word.value.isdigit():
        return "sure" if link else None
    if not link or not word.plain:
        return None
    if link[-1] in ":=" and (word.ends_line or word.ends_clause):
        return "sure"
    return _grade_plain(word, heading=heading)
