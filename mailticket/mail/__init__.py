"""Raw bytes in, a true, bounded, complete reading out; never raises, never waits, touches nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailticket.mail.reader import attachment_bytes, new_text_beside, read

__all__ = ["attachment_bytes", "new_text_beside", "read"]


def __getattr__(name: str) -> Any:
    """The reader, loaded at first use: commands that only show what is there need no more than the values."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mailticket.mail import reader

    return getattr(reader, name)
