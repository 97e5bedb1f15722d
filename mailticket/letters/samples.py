"""Sample data for previews and checks: one ordinary day at an exchange's help desk, in each language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailticket.letters.values import ArticleLink, Found, Letter, Letterhead, LetterKind, Quoted, Step


@dataclass(frozen=True, slots=True)
class _Words:
    """What differs between the languages of the samples."""

    name: str
    subject: str
    category: str
    found: tuple[Found, ...]
    missing: tuple[str, ...]
    articles: tuple[str, ...]
    staff_name: str
    staff_text: str
    request: str


_ENGLISH = _Words(
    "Ann Lee",
    "USDT deposit has not arrived",
    "Deposit",
    (Found("Coin", "USDT"), Found("Network", "TRON (TRC-20)"), Found("Amount", "250")),
    ("Transaction ID (TXID)", "Account ID"),
    ("Why a deposit can take longer", "How to find the transaction ID of a transfer"),
    "Mia Brandt",
    "Thank you for the transaction ID. The transfer has 12 of the 20 confirmations that it needs; your 250 USDT will "
    "be in your account within the next half hour.\n\nYou need not do anything more.",
    "Hello,\nI sent 250 USDT over TRON three hours ago and it is not in my account.",
)
_SIMPLIFIED = _Words(
    "李明",
    "USDT 充值未到账",
    "充值",
    (Found("币种", "USDT"), Found("网络", "TRON (TRC-20)"), Found("金额", "250")),
    ("交易哈希（TXID）", "账户 UID"),
    ("充值为什么会延迟到账", "如何查找转账的交易哈希"),
    "陈晓",
    "感谢您提供交易哈希。这笔转账需要 20 次网络确认，目前已有 12 次，250 USDT 预计半小时内到账。"
    "\n\n您无需再做任何操作。",
    "你好，\n我三个小时前通过 TRON 转了 250 USDT，到现在还没有到账。",
)
_TRADITIONAL = _Words(
    "林怡君",
    "USDT 入金未到帳",
    "入金",
    (Found("幣種", "USDT"), Found("網路", "TRON (TRC-20)"), Found("金額", "250")),
    ("交易雜湊值（TXID）", "帳戶 UID"),
    ("入金為什麼會延遲", "如何查詢轉帳的交易雜湊值"),
    "陳曉彤",
    "謝謝您提供交易雜湊值。這筆轉帳需要 20 次網路確認，目前已有 12 次，250 USDT 預計半小時內入帳。"
    "\n\n您不必再做任何操作。",
    "您好，\n我三個小時前透過 TRON 轉了 250 USDT，到現在還沒有入帳。",
)
_WORDS = {"en": _ENGLISH, "zh-Hans": _SIMPLIFIED, "zh-Hant": _TRADITIONAL}
_NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

HEAD = Letterhead(
    name="Example Support",
    address="support@example.com",
    loop_mark="support@example.com",
    zone=ZoneInfo("UTC"),
)


def letter(kind: LetterKind, language: str) -> Letter:
    """A letter of this kind to a verified requester, with every detail that the kind can show."""
    words = _WORDS.get(language, _ENGLISH)
    base = Letter(
        kind=kind,
        ticket_id="MT-7F3K-92QX",
        to="ann@example.org",
        message_id="<mt7f3k92qx.1.ack.abcdefghijklmnop@example.com>",
        date=_NOW,
        language=language,
        verified=True,
        subject=words.subject,
        name=words.name,
        category=words.category,
        check_word="badokine",
        in_reply_to="<request-1@example.org>",
    )
    return replace(base, **_details(kind, words))


def _details(kind: LetterKind, words: _Words) -> dict[str, Any]:
    promise = {"promised_from": _NOW.replace(day=24), "promised_by": _NOW.replace(day=26), "position": 12}
    articles = tuple(
        ArticleLink(title, f"https://help.example.com/{number}") for number, title in enumerate(words.articles, 101)
    )
    details: dict[LetterKind, dict[str, Any]] = {
        "acknowledgement": {
            **promise,
            "found": words.found,
            "missing": words.missing,
            "articles": articles,
        },
        "duplicate-notice": {**promise, "articles": articles, "first_ticket_id": "MT-4WJ8-M1C7", "similarity": 0.87},
        "reply-received": promise,
        "late-notice": {
            **promise,
            "earlier_by": _NOW.replace(hour=12),
            "longer": "load",
            "position": 4,
        },
        "status-answer": {
            **promise,
            "state": "new",
            "steps": (
                Step(_NOW.replace(day=22, hour=9), "received"),
                Step(_NOW.replace(day=22, hour=9, minute=1), "acknowledged"),
                Step(_NOW.replace(day=22, hour=17, minute=30), "reply-received"),
            ),
        },
        "solved": {"state": "solved"},
        "split-done": {**promise, "first_ticket_id": "MT-4WJ8-M1C7"},
        "staff-reply": {
            "staff_name": words.staff_name,
            "staff_text": words.staff_text,
            "history": Quoted(words.name, _NOW.replace(day=22, hour=9), words.request),
        },
    }
    return details[kind]


def variants(kind: LetterKind, language: str) -> list[Letter]:
    """Letters of this kind that between them walk every branch of a template."""
    full = letter(kind, language)
    bare = Letter(kind, full.ticket_id, full.to, full.message_id, full.date, language, staff_text=full.staff_text)
    alarmed = replace(
        full,
        secrets=("seed phrase", "private key", "api key", "password", "2fa code", "card number", "something else"),
        former_ticket_id="MT-0A1B-2C3D",
        position=1,
        promised_from=None,
        promised_by=_NOW.replace(day=27),
        longer="hours",
        state="closed",
        zone=ZoneInfo("Asia/Shanghai"),
    )
    one_day = replace(
        full, promised_from=_NOW.replace(hour=11), promised_by=_NOW.replace(hour=18), longer="other", state="open"
    )
    summer = replace(
        full,
        state="pending",
        zone=ZoneInfo("Europe/Berlin"),
        promised_from=datetime(2026, 10, 24, 9, tzinfo=UTC),
        promised_by=datetime(2026, 10, 26, 9, tzinfo=UTC),
    )
    return [full, replace(full, verified=False), bare, alarmed, one_day, summer]
