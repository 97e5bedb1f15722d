"""Sample data for previews and checks: one ordinary day at a help desk, in each language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from mailticket.letters.notice import blocks
from mailticket.letters.values import (
    NO_WORDING,
    NOTICED,
    ArticleLink,
    Found,
    Letter,
    Letterhead,
    LetterKind,
    Quoted,
    Step,
    StepKind,
    in_language,
)
from mailticket.settings import LetterSample, LettersText


@dataclass(frozen=True, slots=True)
class _Words:
    """What differs between the languages of the samples: the names of people, and what any trade may say."""

    name: str
    staff_name: str
    general: LetterSample


_WORDS = {
    "en": _Words(
        "Ann Lee",
        "Mia Brandt",
        LetterSample(
            subject="A question about my order",
            body="Hello,\nmy order should have been here three hours ago.",
            answer="Thank you for the details. Your order is on its way and will be with you within the next half hour."
            "\n\nYou need not do anything more.",
            category="Orders",
            categories=("Delivery", "Payment", "Other"),
            found={"Order number": "12345"},
            missing=("Date of the order",),
            articles=("Why an order can take longer", "How to find your order number"),
        ),
    ),
    "zh-Hans": _Words(
        "李明",
        "陈晓",
        LetterSample(
            subject="关于我的订单",
            body="你好，\n我的订单三个小时前就该送到了。",
            answer="感谢您提供的信息。您的订单已在途中，预计半小时内送达。\n\n您无需再做任何操作。",
            category="订单",
            categories=("配送", "付款", "其他"),
            found={"订单号": "12345"},
            missing=("下单日期",),
            articles=("订单为什么会延迟", "如何查找订单号"),
        ),
    ),
    "zh-Hant": _Words(
        "林怡君",
        "陳曉彤",
        LetterSample(
            subject="關於我的訂單",
            body="您好，\n我的訂單三個小時前就該送到了。",
            answer="謝謝您提供的資料。您的訂單已在途中，預計半小時內送達。\n\n您不必再做任何操作。",
            category="訂單",
            categories=("配送", "付款", "其他"),
            found={"訂單號碼": "12345"},
            missing=("下單日期",),
            articles=("訂單為什麼會延遲", "如何查詢訂單號碼"),
        ),
    ),
}
NOTICE_WORDS = "status.example.com"
NOTICE = blocks(f"Parcels are **two days** late.\n\n- *Abroad*: three days\n- See <https://{NOTICE_WORDS}>\n\n1. Wait")
_NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

HEAD = Letterhead(
    name="Example Support",
    address="support@example.com",
    loop_mark="support@example.com",
    zone=ZoneInfo("UTC"),
)


def letter(kind: LetterKind, language: str, wording: LettersText = NO_WORDING, prefix: str = "MT") -> Letter:
    """A letter of this kind to a verified requester, with every detail that the kind can show.

    prefix: of its ticket IDs.
    """
    words = _WORDS.get(language, _WORDS["en"])
    sample = _filled(in_language(wording.sample, language), words.general)
    base = Letter(
        kind=kind,
        ticket_id=f"{prefix}-7F3K-92QX",
        to="ann@example.org",
        message_id="<mt7f3k92qx.1.ack.abcdefghijklmnop@example.com>",
        date=_NOW,
        language=language,
        verified=True,
        subject=sample.subject,
        name=words.name,
        category=sample.category,
        categories=sample.categories if kind == "acknowledgement" else (),
        check_word="badokine",
        in_reply_to="<request-1@example.org>",
    )
    return replace(base, **_details(kind, words, sample, prefix))


def _filled(sample: LetterSample | None, general: LetterSample) -> LetterSample:
    """The site's own sample, its missing texts as any trade may say them; a request may well need no details."""
    if sample is None:
        return general
    texts = ("subject", "body", "answer", "category", "categories", "articles")
    return sample.model_copy(update={name: getattr(sample, name) or getattr(general, name) for name in texts})


def _details(kind: LetterKind, words: _Words, sample: LetterSample, prefix: str) -> dict[str, Any]:
    promise = {"promised_from": _NOW.replace(day=24), "promised_by": _NOW.replace(day=26), "position": 12}
    articles = tuple(
        ArticleLink(title, f"https://help.example.com/{number}") for number, title in enumerate(sample.articles, 101)
    )
    details: dict[LetterKind, dict[str, Any]] = {
        "acknowledgement": {
            **promise,
            "found": tuple(Found(label, value) for label, value in sample.found.items()),
            "missing": sample.missing,
            "articles": articles,
        },
        "duplicate-notice": {
            **promise,
            "articles": articles,
            "first_ticket_id": f"{prefix}-4WJ8-M1C7",
            "similarity": 0.87,
        },
        "reply-received": promise,
        "late-notice": {
            **promise,
            "earlier_by": _NOW.replace(hour=12),
            "longer": "load",
            "position": 4,
        },
        "sooner": {
            **promise,
            "earlier_by": _NOW.replace(day=28),
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
        "split-done": {**promise, "first_ticket_id": f"{prefix}-4WJ8-M1C7"},
        "staff-reply": {
            "staff_name": words.staff_name,
            "staff_text": sample.answer,
            "history": Quoted(words.name, _NOW.replace(day=22, hour=9), sample.body),
        },
    }
    return details[kind]


def variants(kind: LetterKind, language: str, wording: LettersText = NO_WORDING) -> list[Letter]:
    """Letters of this kind that between them walk every branch of a template."""
    full = letter(kind, language, wording)
    bare = Letter(kind, full.ticket_id, full.to, full.message_id, full.date, language, staff_text=full.staff_text)
    alarmed = replace(
        full,
        secrets=("api key", "password", "2fa code", "card number", "something else"),
        former_ticket_id="MT-0A1B-2C3D",
        notices=(NOTICE,) if kind in NOTICED else (),
        position=1,
        promised_from=None,
        promised_by=_NOW.replace(day=27),
        longer="hours",
        state="closed",
        steps=tuple(Step(_NOW, kind) for kind in get_args(StepKind)),
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
