"""What leaves: letters from values and templates to wire bytes. Pure; templates come in as texts, `now` as a value."""

from typing import TYPE_CHECKING, Any

from mailticket.letters.values import (
    AUTO_SUBMITTED,
    KINDS,
    NOTICED,
    REPLY_MARKER,
    ArticleLink,
    Composed,
    File,
    Found,
    Letter,
    Letterhead,
    LetterKind,
    Problem,
    Quoted,
    Step,
    StepKind,
    TemplateSource,
    Trouble,
    in_language,
)

if TYPE_CHECKING:
    from mailticket.letters.alert import Alert, alert_message, alert_subject
    from mailticket.letters.compose import Letters

__all__ = [
    "AUTO_SUBMITTED",
    "KINDS",
    "NOTICED",
    "REPLY_MARKER",
    "Alert",
    "ArticleLink",
    "Composed",
    "File",
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


def __getattr__(name: str) -> Any:
    """What writes letters, loaded at first use: who only shows what is there needs no more than the values."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Letters":
        from mailticket.letters.compose import Letters

        return Letters
    from mailticket.letters import alert

    return getattr(alert, name)
