"""What tells one matter from another however alike their words: periods, documents, names and numbered things.

A statement of March is no statement of April, room 12 is not room 15, a passport is no identity card. Only what a text
names in a telling place counts: a month that something lasts since or until says when, not what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, Sifted
from mailticket.text.words import HAN, folded

LONGEST_TEXT = 3_000  # characters that are searched: people name their matter before they paste a log
_MOST_MARKS = 16  # of a kind
# Kinds that say nothing by themselves, only where the same words stand around other ones: all that has a digit in it
# but durations and clock times, and words that begin with a capital inside a sentence.
FIGURE, PROPER = "figure", "proper"
QUOTE = "quote"  # the kind of what stands in quotation marks; other quotations say nothing against
LOOSE = "~"  # stands before a document that is known by its own word only, of which there may be another

Marks = Mapping[str, frozenset[str]]

# Kinds whose values are of one rank: when both texts name some and none is shared, they speak of different matters.
KINDS: dict[str, str] = {
    "month": "months",
    "year": "years",
    "quarter": "quarters",
    "week": "weeks",
    "document": "documents",
    "name": "names",
    "device": "devices",
}

_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# A noun that a period goes with: "May statement", "Jan invoice".
_PERIODICAL = (
    r"(?:statements?|invoices?|bills?|reports?|salary|salaries|payslips?|payroll|rent|fees?|closing|accounts|figures|"
    r"returns?|settlement|dividend|allowance|timesheets?|export|payout|contribution|premium)\b"
)
# Times that something lasts or happened before, which name no matter.
_LASTING = lazy_pattern(r"(?:\b(?:since|until|till|by|before|after|of the) |\d\.? |\dth )$")
_FULL_MONTH = lazy_pattern(
    r"(january|february|april|june|july|august|september|october|november|december)\b(?!\.? \d{1,2}(?!\d))"
)
_SHORT_MONTH = lazy_pattern(
    r"\b(?:of|for|in|from|and|our|my|the|last) (jan|feb|march|mar|apr|may|jun|jul|aug|sept|sep|oct|nov|dec)\b"
    r"(?!\.? \d{1,2}(?!\d)| (?:i|we|have|be|not)\b)"
    rf"|\b(jan|feb|march|mar|apr|may|jun|jul|aug|sept|sep|oct|nov|dec)\.? (?={_PERIODICAL}|20\d\d)"
)
# Month names that are everyday words in lower case count with a capital inside a line or at its end.
_CAPITAL_MONTH = lazy_pattern(
    r"(?<![.!?\n] )(?<=[a-z,] )(March|May)\b(?! \d{1,2}(?!\d)| (?:I|we)\b)|\b(March|May)\s*$", re.MULTILINE
)
_NUMERIC_MONTH = lazy_pattern(
    r"(?<![\w/.-])(0?[1-9]|1[0-2])[/.](20\d\d)(?![\w/-])|(?<![\w/.-])(20\d\d)[-/](0[1-9]|1[0-2])(?![\w/-])"
)
_CHINESE_MONTH = lazy_pattern(
    r"(?<![\d个])(1[0-2]|[1-9]|0[1-9]|十[一二]?|[一二三四五六七八九])\s?月(?:份|底|初)?(?!\s?[\d内前后以起一二三四五六七八九十])"
)
_CHINESE_NUMBERS = {symbol: number for number, symbol in enumerate("一二三四五六七八九十", start=1)} | {
    "十一": 11,
    "十二": 12,
}
_YEAR = lazy_pattern(
    r"(?:\b(?:for|of|year|fy|history|certificate|annual|tax|return|q[1-4]|quarter)"
    r"(?: (?:the|tax|fiscal|financial|calendar|year)){0,2} |"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|"
    r"aug|sept?|oct|nov|dec)\.? )(20\d\d)(?![\w-])"
    r"|(?<![\w-])(20\d\d) (?=tax|annual|statement|report|return|declaration|accounts|certificate)"
    r"|(?<!\d)(20\d\d)\s?年(?:度|全年)?(?!\s?\d{1,2}\s?月\s?\d)"
)
_QUARTER = lazy_pattern(
    r"\bq([1-4])\b|\b(first|second|third|fourth|1st|2nd|3rd|4th) quarter\b|第?([一二三四1-4])季度?|"
    r"\b([12])(?:st|nd) half\b"
)
_QUARTERS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "1st": "1", "2nd": "2", "3rd": "3", "4th": "4",
             "一": "1", "二": "2", "三": "3", "四": "4"}  # fmt: skip
_WEEK = lazy_pattern(r"\b(?:calendar )?week (?:no\.? ?|number )?(\d{1,2})\b|\b[ck]w ?(\d{1,2})\b|第(\d{1,2})周")

# What a paper is called. Of what may be proven by several papers, each of these is named.
_DOCUMENTS: tuple[tuple[str, str], ...] = (
    ("passport", r"passports?\b|护照"),
    ("id-card", r"(?:national |personal )?(?:id|identity)[ -]?cards?\b|national id\b|身份证"),
    ("driving-licence", r"driv\w{2,4}(?:'?s)? licen[cs]es?\b|驾照|驾驶证"),
    ("residence-permit", r"residence (?:permit|card)s?\b|居留证|居住证"),
    ("utility-bill", r"(?:utility|electricity|gas|water|phone) bills?\b|水电费?(?:账单|单)|"
    r"proof of (?:address|residence)|地址证明"),
    ("bank-statement", r"bank statements?\b|银行流水|银行账单|proof of (?:address|residence)|地址证明"),
    ("payslip", r"pay ?slips?\b|salary slips?\b|工资单|收入证明"),
    ("selfie", r"selfies?\b|手持照|自拍"),
    ("business-licence", r"business licen[cs]e\b|营业执照"),
    ("register", r"(?:share ?holders?|members?|directors?|commercial|trade)(?:'s?)? register\b|股东名册"),
    ("articles", r"articles of (?:association|incorporation)|公司章程"),
    ("resolution", r"board resolution\b|董事会决议"),
    ("power-of-attorney", r"powers? of attorney\b|授权书|委托书"),
    ("assets", r"资产证明|存款证明|余额证明"),
    ("transactions", r"交易流水|交易记录|交易明细|成交记录"),
    ("household", r"户口[本簿]"),
    ("packing-list", r"packing lists?\b|装箱单"),
    ("bill-of-lading", r"bills? of lading\b|提单"),
    ("contract", r"合同|协议书"),
    ("invoice", r"发票"),
    ("transcript", r"transcripts?\b|成绩单"),
)  # fmt: skip
_DOCUMENT = lazy_pattern("|".join(pattern for _, pattern in _DOCUMENTS))
_EACH_DOCUMENT = tuple((name, lazy_pattern(pattern)) for name, pattern in _DOCUMENTS)
# Papers named by a word of their own: "marriage certificate", "certificate of origin", "W-8BEN form".
_PAPER = r"(?:certificate|contract|policy|agreement|declaration|permit|licen[cs]e|record|register|form|card|letter)"
_PAPER_OF = lazy_pattern(rf"\b{_PAPER}s? of (?:the )?(?:account )?([a-z][a-z-]{{2,20}})")
_NAMED_PAPER = lazy_pattern(rf"\b([a-z][a-z0-9-]{{2,20}}) {_PAPER}s?\b")
_NO_PAPER_NAME = frozenset(
    """
    the this that your our his her its their new old same other another each every first second last next which what
    and for any all one two certified following attached valid enclosed correct wrong signed original online web contact
    credit debit bank visa sim gift memory key video graphics covering support web-based order feedback application
    good right whole such birthday post web medical contact-us broken lost with from send sent out please short long
    application registration claim request
    """.split()  # noqa: SIM905 - a list of words reads as words
)

_TITLE = (
    r"(?i:\bmrs?|\bms|\bmiss|\bdr|\bherr|\bfrau|\bclients?|\bcustomers?|\bcolleague|\binvestor|\bemployee|\bstudent|"
    r"\bpatient|\bholder|\btenant|\bguest|\bcandidate|\bapplicant|\bpassenger|\b(?:account|mandate|policy|"
    r"contract|file|documents|behalf) (?:of|for))"
)
_PERSON = lazy_pattern(
    rf"{_TITLE}\.?,? (?:(?i:named|called|is|our|mrs?\.?|ms\.?|dr\.?|client|customer) )?"
    r"((?:[A-ZÀ-Þ][a-zà-ÿ'’-]{1,20}\.? ?){1,4})"
)
_SUB_ACCOUNT = lazy_pattern(
    r"\bsub[ -]?accounts? (?:named |called |is )?[\"'“]?((?=[a-z0-9]*[-_\d])[a-z0-9][a-z0-9_-]{2,30})"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏"
    "魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵"
    "万钱严覃武戴莫孔向汤"
)
_CHINESE_PERSON = lazy_pattern(
    rf"(?:客户|学员|员工|同事|用户|病人|租客|投资人|我司|学生|代理)\s?(?:是|叫|：|:)?\s?([{_SURNAMES}][{HAN}]{{1,2}})"
    r"(?=的|账|先生|女士|小姐|，|,|\s|在|想|要|无法|不|$)"
)
# Words behind "client" or "Dr" that are no names.
_NO_NAME = frozenset(
    [
        "service",
        "support",
        "team",
        "care",
        "id",
        "number",
        "account",
        "desk",
        "hello",
        "hi",
        "the",
        "and",
        "portal",
        "area",
        "relations",
    ]
)

# An error message, a label or a title in quotation marks: two words at least, or one long one.
_QUOTE = lazy_pattern(
    r"[\"“”„«「『](?=[^\"“”»」』\n]{0,60}[ \u3400-\u9fff]|[^\"“”»」』\n]{10})([^\"“”„«»「」『』\n]{4,80})[\"“”»」』]"
)
_FIGURE = lazy_pattern(r"(?<![\w.,:/-])[#№]?((?:[a-z]{1,12}[-_/.#]?)?\d(?:[\w./,-]{0,40}\w)?)(?![:%]\d?)")
_DURATION = lazy_pattern(
    r"\d{1,4}\s?(?:st|nd|rd|th|hours?|hrs?|h|minutes?|mins?|days?|weeks?|months?|seconds?|times?|years?|am|pm|x|"
    r"个?(?:小时|工作日|月|星期|礼拜)|分钟|天|周|次|年|遍|秒|点)(?![a-z])|\b(?:day|no|number|mails?|try|"
    r"attempt) \d{1,2}\b|"
    r"\d{1,2}:\d\d(?::\d\d)?"
)
_PROPER = lazy_pattern(r"(?<=[a-zà-ÿ,] )([A-ZÀ-Þ][a-zà-ÿ'’-]{1,20}(?: [A-ZÀ-Þ][a-zà-ÿ'’-]{1,20}){0,3})")
_DEVICE = lazy_pattern(
    r"\b(iphone|ipad|pixel|galaxy|macbook|thinkpad|surface|redmi|oneplus|xperia|mate|nova|honor|latitude|"
    r"ledger|trezor|laserjet|officejet|ecotank|deskjet|airpods|kindle|playstation|xbox)"
    r" ?((?:nano |pro |max |air |note |s|x|se )?[a-z]?\d{1,5}[a-z]{0,2}|nano [a-z]|air|one|safe \d)\b"
)
_THING = lazy_pattern(
    r"\b(room|flat|apartment|apt|unit|class|floor|gate|door|building|block|line|lane|machine|station|desk|seat|table|"
    r"rack|server|node|printer|camera|terminal|till|pump|bay|dock|truck|bus|house|suite|locker|lesson|site|shop|store|"
    r"branch|warehouse|zone|container|pallet|batch|lot|client|customer|member|patient|student|account|order|invoice|"
    r"bill|contract|policy|claim|booking|reservation|shipment|parcel|enrolment|course|group|team|field|plot|"
    r"lift|elevator|tank|boiler|oven|meter|sensor)s?"
    r" ?(?:no\.? ?|nr\.? ?|number |# ?)?([a-z]?-?\d{1,6}[a-z]?)(?![\w.,:/%-]*\d|[\w%])"
)
_CHINESE_THING = lazy_pattern(
    r"(?<![\d.])(\d{1,5})\s?号?(房|楼|机台|机|店|桌|栋|单元|室|线|仓|库|门)(?!间?隔)"
    r"|(房间|工位|机台|教室|车间|仓库|门店|会议室)\s?(\d{1,5})(?!\d)"
)


_AS_WRITTEN = Sieve((_CAPITAL_MONTH, _PERSON))
_FOLDED = Sieve((
    _FULL_MONTH, _SHORT_MONTH, _CHINESE_MONTH, _NUMERIC_MONTH, _YEAR, _QUARTER, _WEEK, _DOCUMENT, _PAPER_OF,
    _NAMED_PAPER, _SUB_ACCOUNT, _CHINESE_PERSON, _QUOTE, _DEVICE, _THING, _CHINESE_THING,
))  # fmt: skip


def marks(text: str) -> dict[str, frozenset[str]]:
    """The marks of a text as it was written (capitals say what is a name), by kind; kinds without one are absent.

    Numbered things stand under the name of the thing: {"#room": {"12"}}. Time is linear in LONGEST_TEXT.
    """
    written = " ".join(text[:LONGEST_TEXT].replace("\n", " \n ").split(" "))
    seen: dict[str, set[str]] = {}
    for kind, value in _all_marks(Sifted(written, _AS_WRITTEN), Sifted(folded(written), _FOLDED)):
        values = seen.setdefault(kind, set())
        if len(values) < _MOST_MARKS:
            values.add(value)
    return {kind: frozenset(values) for kind, values in seen.items()}


def _all_marks(written: Sifted, plain: Sifted) -> Iterator[tuple[str, str]]:
    yield from _periods(written, plain)
    yield from _documents(plain)
    yield from _names(written, plain)
    yield from ((QUOTE, match.group(1).strip(" .!,。，！")) for match in plain.matches(_QUOTE))
    yield from ((PROPER, folded(word)) for m in _PROPER.finditer(written.text) for word in m.group(1).split())
    if any(symbol.isdecimal() for symbol in plain.text):
        yield from ((FIGURE, match.group(1)) for match in _FIGURE.finditer(_DURATION.sub(" ", plain.text)))
        yield from (("device", f"{m.group(1)} {m.group(2).strip()}") for m in plain.matches(_DEVICE))
        yield from ((f"#{m.group(1)}", m.group(2)) for m in plain.matches(_THING))
        for match in plain.matches(_CHINESE_THING):
            yield f"#{match.group(2) or match.group(3)}", match.group(1) or match.group(4)


def _periods(written: Sifted, plain: Sifted) -> Iterator[tuple[str, str]]:
    for pattern, source in ((_FULL_MONTH, plain), (_SHORT_MONTH, plain), (_CAPITAL_MONTH, written)):
        for match in source.matches(pattern):
            if not _LASTING.search(source.text, max(0, match.start() - 10), match.start()):
                yield "month", _month(_group(match))
    yield from (("month", _chinese_month(match.group(1))) for match in plain.matches(_CHINESE_MONTH))
    for match in plain.matches(_NUMERIC_MONTH):
        yield "month", (match.group(1) or match.group(4)).zfill(2)
        yield "year", match.group(2) or match.group(3)
    yield from (("year", _group(match)) for match in plain.matches(_YEAR))
    for match in plain.matches(_QUARTER):
        yield "quarter", _QUARTERS.get(_group(match), _group(match))
    yield from (("week", _group(match).zfill(2)) for match in plain.matches(_WEEK))


def _group(match: re.Match[str]) -> str:
    """The one group that took part in a match of alternatives."""
    return next(group for group in match.groups() if group is not None)


def _month(name: str) -> str:
    return f"{_MONTH_NAMES.index(name[:3].lower()) + 1:02}"


def _chinese_month(number: str) -> str:
    return f"{_CHINESE_NUMBERS.get(number) or int(number):02}"


def _documents(plain: Sifted) -> Iterator[tuple[str, str]]:
    for match in plain.matches(_DOCUMENT):
        start = match.start()
        if not (start and match.group().isascii() and "a" <= plain.text[start - 1] <= "z"):
            yield from (("document", name) for name, pattern in _EACH_DOCUMENT if pattern.fullmatch(match.group()))
    for pattern in (_PAPER_OF, _NAMED_PAPER):
        for match in plain.matches(pattern):
            if match.group(1) not in _NO_PAPER_NAME and not _DOCUMENT.match(match.group()):
                yield "document", f"{LOOSE}{match.group(1)}"


def _names(written: Sifted, plain: Sifted) -> Iterator[tuple[str, str]]:
    for match in written.matches(_PERSON):
        for word in match.group(1).split():
            if (name := folded(word.strip(".'’-"))) not in _NO_NAME:
                yield "name", name
    yield from (("name", match.group(1)) for match in plain.matches(_SUB_ACCOUNT))
    yield from (("name", match.group(1)) for match in plain.matches(_CHINESE_PERSON))
