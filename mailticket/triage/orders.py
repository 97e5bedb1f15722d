"""The commands at the top of a staff mail: read all together, judged before any is carried out. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mailticket.mail import addresses
from mailticket.settings import PRIORITIES
from mailticket.text.words import HAN, folded
from mailticket.triage.ticket_keys import find_keys

Word = Literal[
    "note", "take", "assign", "team", "open", "pending", "solved", "close", "priority", "category", "merge", "cc",
    "canned", "ack", "send", "stop", "mine", "next", "find", "show", "help",
]  # fmt: skip
Value = Literal["", "NAME", "TEAM", "PRIORITY", "CATEGORY", "ID", "ADDRESS", "TEXT", "WORDS"]
FlawCode = Literal[
    "unknown-word", "value-missing", "value-superfluous", "unknown-name", "unknown-team", "unknown-priority",
    "unknown-category", "unknown-text", "not-an-id", "not-an-address", "too-long", "blank-before-word", "twice",
    "conflict", "too-many",
]  # fmt: skip

MAX_ORDERS = 30  # lines of one mail; more of them nobody types
MAX_VALUE = 200  # characters
MAX_TEXT = 256 * 1024  # characters that are searched for misplaced ones


@dataclass(frozen=True, slots=True)
class Command:
    """One command as `#help` shows it. chinese: its Chinese words, the first is the one to show. value: what follows
    it, "" nothing. query: it asks and changes nothing."""

    word: Word
    chinese: tuple[str, ...]
    value: Value = ""
    query: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("note", ("备注", "内部", "内部备注")),
    Command("take", ("领取", "认领")),
    Command("assign", ("转交", "分配", "指派"), "NAME"),
    Command("team", ("团队", "小组"), "TEAM"),
    Command("open", ("打开", "处理中")),
    Command("pending", ("待回复", "等待回复")),
    Command("solved", ("已解决", "解决")),
    Command("close", ("关闭", "结束")),
    Command("priority", ("优先级", "优先"), "PRIORITY"),
    Command("category", ("分类", "类别"), "CATEGORY"),
    Command("merge", ("合并",), "ID"),
    Command("cc", ("抄送", "副本"), "ADDRESS"),
    Command("canned", ("模板", "范本"), "TEXT"),
    Command("ack", ("确认收到", "确认")),
    Command("send", ("发送", "寄出", "传送")),
    Command("stop", ("停止", "取消")),
    Command("mine", ("我的",), query=True),
    Command("next", ("下一个", "下一张"), query=True),
    Command("find", ("查找", "搜索", "搜寻"), "WORDS", query=True),
    Command("show", ("查看", "显示"), "ID", query=True),
    Command("help", ("帮助", "说明"), query=True),
)

_BY_WORD: Mapping[str, Command] = {
    spelling: command for command in COMMANDS for spelling in (command.word, *command.chinese)
}
_CHINESE_PRIORITIES = {
    "紧急": "urgent", "加急": "urgent", "高": "high", "普通": "normal", "一般": "normal", "正常": "normal",
    "中": "normal", "低": "low",
}  # fmt: skip
_STATES = ("open", "pending", "solved", "close")
# What cannot be meant together: a mail stays inside or goes out, is stopped or sent, and leaves one state behind.
_CONFLICTS: tuple[frozenset[str], ...] = (
    frozenset(("send", "note")), frozenset(("send", "stop")), frozenset(("note", "canned")),
    frozenset(("stop", "canned")), frozenset(("take", "assign")),
    *(frozenset((one, other)) for one in _STATES for other in _STATES if one < other),
)  # fmt: skip
_REPEATABLE = frozenset(("cc", "merge", "show", "find"))


@dataclass(frozen=True, slots=True)
class Order:
    """One command of a mail. value: as the desk knows it: the written ID, the configured spelling of a name, the words
    behind `#note`; "" for none. line: as it was typed."""

    word: Word
    value: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a mail's commands are not carried out: a code, the line as it was typed, its word, and its value where it is
    the value that is wrong (of a conflict the other word)."""

    code: FlawCode
    line: str
    word: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """The commands at the top of a mail, what is wrong with them, and the text below. Any flaw: carry out none.

    misplaced: lines in the text below that would be commands at the top. They are none; but who wrote `#note` there
    did not mean the text to leave.
    """

    orders: tuple[Order, ...] = ()
    unknown: tuple[Flaw, ...] = ()
    rest: str = ""
    misplaced: tuple[str, ...] = ()

    @property
    def only_queries(self) -> bool:
        """Whether the mail only asks: queries, and nothing else that could be an answer or a note."""
        return bool(self.orders) and not self.rest and all(_BY_WORD[order.word].query for order in self.orders)

    def has(self, word: Word) -> bool:
        return any(order.word == word for order in self.orders)

    def values(self, word: Word) -> tuple[str, ...]:
        return tuple(order.value for order in self.orders if order.word == word)


@dataclass(frozen=True, slots=True)
class Known:
    """What commands may name on this site. texts: the canned answers. prefixes: of ticket IDs."""

    members: Collection[str] = ()
    teams: Collection[str] = ()
    categories: Collection[str] = ()
    texts: Collection[str] = ()
    prefixes: Sequence[str] = ("MT",)


_SIGN = "[#＃﹟]"
_BLANKS = r"[\s\u200b\ufeff]"
# A letter must follow the sign: "#1 is broken" and "#12345" are what people write about something.
_ORDER = re.compile(rf"{_BLANKS}{{0,20}}{_SIGN}(?=[^\W\d_])(\S{{1,60}})(.{{0,1000}})", re.DOTALL)
_HEADING = re.compile(rf"{_BLANKS}{{0,20}}{_SIGN}{_BLANKS}{{1,5}}(?=[^\W\d_])(\S{{1,60}})(.{{0,1000}})", re.DOTALL)
_COLON = re.compile(r"([^:：]{1,40})[:：](.*)", re.DOTALL)
_HAN_WORD = re.compile(rf"([{HAN}]{{2,6}})([^{HAN}].*)", re.DOTALL)


def read_orders(text: str, known: Known) -> Orders:
    """The commands at the top of what a member wrote: lines `#word value`, blank ones between them passed over; the
    first other line ends them.

    text: the member's own words (see mail.staff_cut). Nothing is looked up: what the values may be is in `known`.
    A Markdown heading ("# Steps") is no command, unless its words make one: then it is a flaw, for "# note" was meant
    to be one. What stands behind `#note` on its line begins the note.
    """
    orders: list[Order] = []
    flaws: list[Flaw] = []
    note = ""
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].strip()
        judgement = _judged_line(line, known) if line else None
        if line and judgement is None:
            break
        if len(orders) + len(flaws) >= MAX_ORDERS:
            flaws.append(Flaw("too-many", line[:MAX_VALUE], line.split()[0][:60] if line else ""))
            break
        if isinstance(judgement, Flaw):
            flaws.append(judgement)
        elif judgement is not None:
            orders.append(judgement)
            note = f"{note}\n{judgement.value}".strip() if judgement.word == "note" else note
        position = end + 1
    rest = text[position:].strip("\n").rstrip()
    flaws += _conflicts(orders)
    return Orders(tuple(orders), tuple(flaws), f"{note}\n{rest}".strip("\n"), _misplaced(rest, known))


def _misplaced(text: str, known: Known) -> tuple[str, ...]:
    """Lines of a text that would be good commands at its top."""
    lines = [line.strip() for line in text[:MAX_TEXT].split("\n") if line.lstrip()[:1] in ("#", "＃", "﹟")]
    return tuple(line[:MAX_VALUE] for line in lines[:MAX_ORDERS] if isinstance(_judged_line(line, known), Order))


def _judged_line(line: str, known: Known) -> Order | Flaw | None:
    """What one line orders, or what is wrong with it; None for a line that is no command."""
    match = _ORDER.fullmatch(line) or _HEADING.fullmatch(line)
    if match is None:
        return None if not _BEGINS.match(line) else Flaw("too-long", line[:MAX_VALUE], line[1:61].split()[0])
    word, value = _parted(match[1], match[2])
    judgement = _judge(word, value, line, known)
    if match.re is _ORDER:
        return judgement
    return Flaw("blank-before-word", line[:MAX_VALUE], judgement.word) if isinstance(judgement, Order) else None


_BEGINS = re.compile(rf"{_SIGN}[^\W\d_]")


def _parted(typed: str, behind: str) -> tuple[str, str]:
    """Word and value: a colon may stand between them, and a Chinese word needs no blank behind it."""
    typed = typed.rstrip(".,;!。，；！、")
    word, value = typed, behind
    match = _COLON.fullmatch(typed) or (_HAN_WORD.fullmatch(typed) if folded(typed) not in _BY_WORD else None)
    if match:
        word, value = match[1], match[2] + behind
    return word, " ".join(value.strip(" \t\u00a0\u200b:：").split())


def _judge(typed: str, value: str, line: str, known: Known) -> Order | Flaw:
    command = _BY_WORD.get(folded(typed))
    line = line[:MAX_VALUE]
    if command is None:
        return Flaw("unknown-word", line, typed)
    if command.word == "note":
        return Order("note", value, line)
    if not value or not command.value:
        code: FlawCode = "value-missing" if command.value else "value-superfluous"
        good = not value and not command.value
        return Order(command.word, "", line) if good else Flaw(code, line, command.word, value[:MAX_VALUE])
    if len(value) > MAX_VALUE:
        return Flaw("too-long", line, command.word, value[:MAX_VALUE])
    meaning = _READERS[command.value](unicodedata.normalize("NFKC", value), known)
    if meaning:
        return Order(command.word, meaning, line)
    return Flaw(_FLAWS[command.value], line, command.word, value)


def _one_of(value: str, names: Collection[str]) -> str:
    """The configured spelling of a name, whatever its case; "" for one that is not there."""
    wanted = folded(value.removeprefix("@"))
    return next((name for name in names if folded(name) == wanted), "")


def _priority(value: str, _known: Known) -> str:
    wanted = folded(value)
    return _CHINESE_PRIORITIES.get(wanted) or _one_of(wanted, PRIORITIES)


def _key(value: str, known: Known) -> str:
    """The one ID that a value is, as it is written."""
    keys = find_keys(value[:60], known.prefixes)
    rest = [piece for piece in re.split(r"[\W_]+", value) if piece]
    return keys[0] if len(keys) == 1 and len("".join(rest)) == len(keys[0].replace("-", "")) else ""


def _address(value: str, _known: Known) -> str:
    """The one address that a value is: bare, or in angle brackets behind a name."""
    bare = re.sub(r"^mailto:", "", value, flags=re.IGNORECASE)
    if "<" in bare:
        bare = bare.rpartition("<")[2].removesuffix(">")
    # A program that makes a link of what looks like an address writes it twice: "a@b.example (a@b.example)".
    pieces = {piece.strip("()<>").removeprefix("mailto:") for piece in bare.split()}
    one = pieces.pop() if len(pieces) == 1 else ""
    return one if value.count("@") <= 2 and addresses.is_address(one) and addresses.is_bare_address(one) else ""


_READERS: Mapping[str, Callable[[str, Known], str]] = {
    "NAME": lambda value, known: _one_of(value, known.members),
    "TEAM": lambda value, known: _one_of(value, known.teams),
    "CATEGORY": lambda value, known: _one_of(value, known.categories),
    "TEXT": lambda value, known: _one_of(value, known.texts),
    "PRIORITY": _priority,
    "ID": _key,
    "ADDRESS": _address,
    "WORDS": lambda value, _known: value,
}
_FLAWS: Mapping[str, FlawCode] = {
    "NAME": "unknown-name", "TEAM": "unknown-team", "CATEGORY": "unknown-category", "TEXT": "unknown-text",
    "PRIORITY": "unknown-priority", "ID": "not-an-id", "ADDRESS": "not-an-address",
}  # fmt: skip


def _conflicts(orders: Sequence[Order]) -> list[Flaw]:
    """Commands that cannot be meant together, each pair once, and one that is given twice with different values."""
    flaws: list[Flaw] = []
    first: dict[str, Order] = {}
    for order in orders:
        earlier = first.setdefault(order.word, order)
        if earlier is not order and earlier.value != order.value and order.word not in _REPEATABLE:
            flaws.append(Flaw("twice", order.line, order.word, order.value))
    present = list(first.values())
    for at, order in enumerate(present):
        flaws += [
            Flaw("conflict", order.line, order.word, earlier.word)
            for earlier in present[:at]
            if frozenset((order.word, earlier.word)) in _CONFLICTS
        ]
    return flaws
