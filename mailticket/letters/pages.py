"""The pages of one letter: what its templates see, and what comes of them."""

from __future__ import annotations

from typing import Any

from mailticket.letters import moments
from mailticket.letters.colours import look
from mailticket.letters.engine import TemplateEngine
from mailticket.letters.mime import Pages
from mailticket.letters.values import Letter, Letterhead, in_language
from mailticket.text.clean import one_line


def render(engine: TemplateEngine, letter: Letter, head: Letterhead, language: str) -> Pages:
    """The pages of a letter that was made presentable. Errors: whatever a template raises."""
    values = _values(letter, head, language)
    subject = engine.render("subject", letter.kind, language, values)
    actual = engine.place(language, f"{letter.kind}.j2").partition("/")[0]
    return Pages(
        subject=_with_id(one_line(subject, 300), letter.ticket_id),
        text=engine.render("text", letter.kind, actual, values),
        html=engine.render("html", letter.kind, actual, values),
        language=actual,
    )


def _values(letter: Letter, head: Letterhead, language: str) -> dict[str, Any]:
    """What templates see."""
    zone = letter.zone or head.zone
    wording = head.wording
    labels = {kind: in_language(texts, language) for kind, texts in wording.secrets.items()}
    return {
        "letter": letter,
        "head": head,
        "look": look(head.colour, head.dark_colour),
        "secret_labels": {kind: label for kind, label in labels.items() if label},
        "never_ask": in_language(wording.never_ask, language),
        "promise": moments.span(letter.promised_from, letter.promised_by, zone, with_utc=letter.zone is not None),
        "earlier": moments.span(None, letter.earlier_by, zone, with_utc=letter.zone is not None),
        "steps": [(step.kind, moments.moment(step.at, zone)) for step in letter.steps],
        "quoted_at": moments.moment(letter.history.at, zone) if letter.history else None,
    }


def _with_id(subject: str, ticket_id: str) -> str:
    """A subject is worth nothing without the ticket ID, so a template that forgets it is put right."""
    return subject if ticket_id in subject else f"{subject} [{ticket_id}]"
