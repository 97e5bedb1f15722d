"""Which of two forms of one text is read: the plain one, unless the HTML says what it leaves out (RFC 2046 5.1.4)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from mailticket.text.patterns import lazy_pattern

MAX_COMPARED = 60_000  # characters of each form
_SHORT = 60  # words of a plain text that may be a placeholder
_FULLER = 4  # times the words of the plain text: then the HTML is read even if that says something of its own
_LEAST_EXTRA = 3  # words that the HTML alone says and that are no footer

_WORD = lazy_pattern(
    r"[\u2600-\u27bf\U0001f300-\U0001faff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+"
)
_LINK = lazy_pattern(
    r"<?(?:https?://|www\.|mailto:|tel:|cid:)[^\s<>()\]]{1,2000}>?|\[[^\[\]\n]{0,200}\]", re.IGNORECASE
)
# A plain part that only speaks of itself: whatever the language, it names HTML, or the browser or program to use.
_OF_ITSELF = lazy_pattern(
    r"\bhtml\b|\bbrowsers?\b|\bnavigat(?:eur|or)\b|\bnavegador\b|\bplain[- ]text\b|\btext[- ]only\b"
    r"|浏览器|瀏覽器|ブラウザ"
    r"|브라우저|браузер|\bmail (?:client|program|reader)\b|\bemail client\b"
    r"|\brich text\b|\bno text (?:part|version|content)\b",
    re.IGNORECASE,
)
_FOOTER = lazy_pattern(
    r"unsubscribe|opt[- ]?out|privacy|manage (?:your )?preferences|view (?:this|it|in|online)|in (?:your|a) browser"
    r"|all rights reserved|copyright|©|virus|scanned by|avast|avg\b|sent (?:from|with|via|by)|powered by|get outlook"
    r"|caution:|external (?:e-?mail|sender)|follow us|confidential|abmelden|abbestellen|datenschutz|désabonn|désinscri"
    r"|cancelar (?:la )?suscripci|darse de baja|disiscriviti|отписаться|退订|取消订阅|退訂|取消訂閱|配信停止|隐私|隱私",
    re.IGNORECASE,
)

Choice = Literal["plain", "html", "both"]


def choose(plain: str, rich: str) -> Choice:
    """Which form holds what was written; "both" where each says what the other does not, so that no word is hidden."""
    plain_words, rich_words = _words(plain), _words(rich)
    if not rich_words:
        return "plain"
    if not plain_words:
        return "html"
    lacking = sum((plain_words - rich_words).values())  # what only the plain text says
    extra = _extra(rich, plain_words)
    total = sum(plain_words.values())
    if lacking * 10 <= total or lacking <= 2 < total:
        return "html" if extra >= _LEAST_EXTRA else "plain"
    if lacking * 2 > total and extra >= _LEAST_EXTRA and (total <= _SHORT or extra > _FULLER * total):
        return "html" if _OF_ITSELF.search(plain) else "both"
    return "html" if extra > _FULLER * total else "plain"


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(_LINK.sub(" ", text[:MAX_COMPARED]).casefold()))


def _extra(rich: str, plain_words: Counter[str]) -> int:
    """How many words only the HTML says, lines left out that programs and lists put below every mail."""
    remaining = plain_words.copy()
    extra = 0
    for line in _LINK.sub(" ", rich[:MAX_COMPARED]).split("\n"):
        words = Counter(_WORD.findall(line.casefold()))
        missing = sum(max(0, count - max(0, remaining[word])) for word, count in words.items())
        remaining.subtract(words)
        if missing and not _FOOTER.search(line):
            extra += missing
    return extra
