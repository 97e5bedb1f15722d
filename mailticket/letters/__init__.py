"""What leaves: letters from values and templates to wire bytes. Pure; templates come in as texts, `now` as a value."""

from mailticket.letters.alert import Alert, Trouble, alert_message
from mailticket.letters.alert import subject as alert_subject
from mailticket.letters.compose import Letters
from mailticket.letters.values import (
    AUTO_SUBMITTED,
    KINDS,
    NOTICED,
    REPLY_MARKER,
    ArticleLink,
    Composed,
    Found,
    Letter,
    Letterhead,
    LetterKind,
    Problem,
    Quoted,
    Step,
    StepKind,
    TemplateSource,
    in_language,
)

__all__ = [
    "AUTO_SUBMITTED",
    "KINDS",
    "NOTICED",
    "REPLY_MARKER",
    "Alert",
    "ArticleLink",
    "Composed",
    "Found",
    "Letter",
    "LetterKind",
    "Letterhead",
    "Letters",
    "Problem",
    "Quoted",
    "Step",
    "StepKind",
    "TemplateSource",
    "Trouble",
    "alert_message",
    "alert_subject",
    "in_language",
]
