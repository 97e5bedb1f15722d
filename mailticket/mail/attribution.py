"""How mail programs say "so-and-so wrote": the attribution line above quoted history, in many languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailticket.text.patterns import lazy_pattern

MAX_LINE = 400  # a longer line is prose
MAX_CANDIDATES = 200  # lines of one mail that are looked at closely; more than these no honest mail has
MAX_SPAN = 6  # non-blank lines over which one attribution is wrapped

# The words that end an attribution line, before its colon. Verbs that carry a name behind them stand in MIDDLE.
_VERBS = (
    # English, German, French, Spanish, Portuguese, Italian, Dutch
    r"wrote|writes|sent|said|schrieb|geschrieben|a [ée]crit|a envoy[ée]|escribi[óo]|escreveu|ha scritto|scrive"
    r"|scritto|schreef|geschreven"
    # Polish, Czech, Russian, Ukrainian, Bulgarian
    r"|napisa[łl](?:\(a\)|a)?|pisze|napsal(?:\(a\)|a)?|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|пишет|пише|написа"
    # Swedish, Danish, Norwegian, Finnish, Turkish, Hungarian, Romanian, Vietnamese, Indonesian
    r"|skrev|kirjoitti|(?:şunları )?yazdı|[íi]rta|a scris|đã viết|menulis"
    # Chinese, Japanese, Korean
    r"|写道|寫道|写到|編寫|のメッセージ|が書きました|は書きました|님이 작성|작성|님이 쓴 글|씀"
)
_END = lazy_pattern(rf"(?:{_VERBS})[ \u00a0]?[:：]?$", re.IGNORECASE)
_MIDDLE = lazy_pattern(
    r"\b(?:wrote|schrieb|schreef|skrev|escribió|escreveu|ha scritto|napisał(?:\(a\))?|написал(?:\(а\))?|от|from|von"
    r"|de)\b|写道|寫道",
    re.IGNORECASE,
)
_LEAD = lazy_pattern(
    r"^(?:On|At|Am|Le|El|Em|Il|Op|W dniu|Dnia|Den|På|Vào|Pada|Dne|În|В|在|于|於|Il giorno)(?=[ \d\u00a0]|$)"
)
_MONTHS = (
    r"jan(?:uary|uar|vier|v|eiro|uari|uára)?|ene(?:ro)?|genn?(?:aio)?|feb(?:ruary|ruar|rero|braio|ruari)?"
    r"|févr?(?:ier)?|fev(?:ereiro)?|m[aä]r(?:ch|z|s|zo|ço|t|ts)?|maart|mrt|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may"
    r"|mai|mayo|maio|maggio|mag|mei|maj|june?|juni|juin|junio|junho|giu(?:gno)?|july?|juli|juil(?:let)?|julio|julho"
    r"|lug(?:lio)?|aug(?:ust|ustus|usti)?|août|ago(?:sto)?|sept?(?:ember|embre|iembre)?|set(?:embro|tembre)?"
    r"|o[ck]t(?:ober|obre)?|ou?t(?:ubro)?|octubre|ott(?:obre)?|nov(?:ember|embre|iembre|embro)?"
    r"|de[cz](?:ember|embro)?|déc(?:embre)?|dic(?:iembre|embre)?|sty(?:cznia)?|lut(?:ego)?|marca|kwi(?:etnia)?|maja"
    r"|cze(?:rwca)?|lip(?:ca)?|sie(?:rpnia)?|wrz(?:eśnia)?|paź(?:dziernika)?|lis(?:topada)?|gru(?:dnia)?|янв\w{0,5}"
    r"|февр?\w{0,5}|мар\w{0,3}|апр\w{0,4}|мая|июн\w{0,2}|июл\w{0,2}|авг\w{0,5}|сент?\w{0,5}|окт\w{0,5}|нояб?\w{0,4}"
    r"|дек\w{0,5}|tháng|thg|nis|oca|haz|tem|ağu|eyl|eki|kas|ara|ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos"
    r"|eylül|ekim|kasım|aralık"
)
_DATE = lazy_pattern(
    r"\d{4}[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}|\b\d{1,2}[-/.] ?\d{1,2}[-/.] ?\d{2,4}|\d{4}년 ?\d{1,2}월 ?\d{1,2}일"
    r"|\d{1,2}月\d{1,2}日"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|º|:?e|\.)?[ /-](?:de |of |ta )?(?:{_MONTHS})\b|\b(?:{_MONTHS})\.?[ -]\d{{1,2}}\b",
    re.IGNORECASE,
)
_DIGIT = lazy_pattern(r"\d")  # every date has one
_TIME = lazy_pattern(
    r"\b\d{1,2} ?[:.hH] ?\d{2}\b|\d{1,2}[点時时시]|[上下]午|오[전후]|午[前後]|\b\d{1,2} ?[ap]\.?m\b", re.IGNORECASE
)
_YEAR_LAST = lazy_pattern(r"\b20\d\d\.? ?[:：]$")
_EMAIL = lazy_pattern(r"[^\s<>()\[\]\"',;:@]{1,100}@[^\s<>()\[\]\"',;:@]{1,200}")
_PERSONAL = lazy_pattern(
    r"\b(?:I|you|we|he|she|they|your|my|our|ich|sie|wir|ihr|je|vous|nous|yo|usted|eu|io|ik|ja|я|вы|мы)\b|我|你|您|他"
    r"|她|私|저는",
    re.IGNORECASE,
)
_DECORATION = " \t\u00a0\u3000-_*=~—–|"
_ENDS = (":", "：", *_DECORATION)
_INLINE = lazy_pattern(
    r"On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|\d{1,4}[-/. ])[^\n]{0,40}\d"
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Lines `start` to `end` (exclusive) attribute what follows; `prefix` is new text before it on its first line.

    certain: written as programs write it (a date with an address or a time), so unquoted text below it is history too.
    """

    start: int
    end: int
    certain: bool
    prefix: str = ""


def attributions(lines: list[str], quoted: list[bool]) -> dict[int, Attribution]:
    """All attributions by their first line. They never overlap; the cost is linear in the lines."""
    by_start: dict[int, Attribution] = {}
    above_quote = _above_quotes(lines, quoted)
    floor = candidates = 0
    for end, line in enumerate(lines):
        if quoted[end] or not _may_end(line, end in above_quote):
            continue
        candidates += 1
        if candidates > MAX_CANDIDATES:
            break
        attribution = _span_up_from(lines, quoted, end, floor, end in above_quote)
        if attribution:
            by_start[attribution.start] = attribution
            floor = attribution.end
    return by_start


def _above_quotes(lines: list[str], quoted: list[bool]) -> frozenset[int]:
    """The lines with text that stand right above a quote, at most three blank lines between."""
    above, last = set(), -9
    if True not in quoted:
        return frozenset()
    for index, line in enumerate(lines):
        if quoted[index]:
            if 0 < index - last <= 4:
                above.add(last)
            last = -9
        elif line.strip():
            last = index
    return frozenset(above)


def is_wrapped_verb(line: str) -> bool:
    """An address wrapped so that its closing bracket begins a line, which is then no quote: "> wrote:"."""
    bare = line.strip()
    return bare.startswith(">") and len(bare) < 60 and _END.fullmatch(bare[1:].strip()) is not None


def _may_end(line: str, next_quoted: bool) -> bool:
    """A cheap look at the end of a line: a colon, a frame of dashes, or a quote below it."""
    content = line.rstrip()
    if not content or len(content) > MAX_LINE or not (next_quoted or content.endswith(_ENDS)):
        return False
    bare = content.strip(_DECORATION)
    if bare.endswith((":", "：")):
        # A line may be broken in the midst of its date: "... schrieb am Fr., 28." and "Nov. 2025 um 11:53 Uhr:".
        if next_quoted or _TIME.search(bare[-40:]) or _YEAR_LAST.search(bare[-12:]):
            return True
        return _MIDDLE.search(bare) is not None or "@" in bare or _END.search(bare[-40:]) is not None
    if not next_quoted and not content.endswith("--"):
        return False
    return _END.search(bare[-40:]) is not None or ("@" in bare and _EMAIL.search(bare) is not None)


def _span_up_from(lines: list[str], quoted: list[bool], end: int, floor: int, above_quote: bool) -> Attribution | None:
    """The shortest run of lines up to `end` that is an attribution, grown by a first line such as "On Fri, May"."""
    span, best = "", None
    length = 0
    for start in range(end, max(floor, end - 2 * MAX_SPAN) - 1, -1):
        line = lines[start].strip()
        if not line:
            if start == end or length == 0:
                return best
            continue
        if len(line) > MAX_LINE or length >= MAX_SPAN or quoted[start]:
            break
        span = f"{line} {span}".strip()
        length += 1
        if best is None:
            best = _judge(lines, start, end, span, quoted_next=above_quote)
        elif best.start == start + 1 and _LEAD.match(line) and not _LEAD.match(lines[best.start].strip()):
            better = _judge(lines, start, end, span, quoted_next=above_quote)
            return better if better and not better.prefix and len(line) < 40 else best
        else:
            break
    return best or (_by_address_alone(lines, end) if above_quote else None)


def _judge(lines: list[str], start: int, end: int, span: str, *, quoted_next: bool) -> Attribution | None:
    """Whether the joined lines are an attribution: a date, and a verb, an address or a program's frame around it."""
    bare = span.strip(_DECORATION)
    verb = _END.search(bare[-40:]) is not None
    colon = bare.endswith((":", "："))
    email = "@" in bare and _EMAIL.search(bare) is not None
    framed = verb and lines[end].rstrip().endswith("--") and lines[start].lstrip().startswith("--")
    if framed:
        return Attribution(start, end + 1, certain=True)
    if not (verb or colon or (email and quoted_next)):
        return None
    if not _DIGIT.search(bare) or not _DATE.search(bare):
        return None
    timed = _TIME.search(bare) is not None
    if not (verb or (email and (colon or quoted_next)) or (colon and (timed or quoted_next) and _MIDDLE.search(bare))):
        return None
    head = lines[start].strip().lstrip(_DECORATION)
    inline = None if _LEAD.match(head) else _inline_start(lines[start])
    if inline and quoted_next:
        return Attribution(start, end + 1, certain=True, prefix=inline)
    if inline or not _begins_attribution(head, email):
        return None
    personal = _PERSONAL.search(_EMAIL.sub("", bare)) is not None
    certain = (email and (verb or timed)) or (verb and timed and not personal)
    if not certain and not quoted_next:
        return None
    return Attribution(start, end + 1, certain=certain)


def _begins_attribution(head: str, email: bool) -> bool:
    """Programs begin with a preposition, a weekday, a date, or the writer's name before an address."""
    if _LEAD.match(head):
        return True
    date_match = _DATE.search(head)
    if date_match and date_match.start() <= 20:
        return True
    email_match = _EMAIL.search(head)
    return email and email_match is not None and email_match.start() <= 60


def _inline_start(line: str) -> str | None:
    """New text before an attribution on the same line ("thanks On Wed, Apr 4, 2012 at 3:59 PM, a@b wrote:")."""
    starts = [match.start() for match in _INLINE.finditer(line) if match.start() > 0]
    return line[: starts[-1]].rstrip(_DECORATION) or None if starts else None


def _by_address_alone(lines: list[str], end: int) -> Attribution | None:
    """An undated one ("Ann <ann@example.org> wrote:", "Ann wrote:") counts only right above a quote."""
    bare = lines[end].strip().strip(_DECORATION)
    if len(bare) > 120 or not _END.search(bare) or not (bare.endswith((":", "：")) or _EMAIL.search(bare)):
        return None
    return Attribution(end, end + 1, certain=False)
