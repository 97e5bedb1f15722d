"""What leaves: letters from values and templates to wire bytes. Pure; templates come in as texts, `now` as a value."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailticket.letters.alert import Alert, alert_message, alert_subject
    from mailticket.letters.compose import Letters
    from mailticket.letters.trouble import Trouble
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
    """Each where it is, loaded at first use: who only shows what is there needs no more than troubles."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    rooms = {"Alert": "alert", "Letters": "compose", "Trouble": "trouble", "alert_message": "alert",
             "alert_subject": "alert"}  # fmt: skip
    return getattr(import_module(f"mailticket.letters.{rooms.get(name, 'values')}"), name)
