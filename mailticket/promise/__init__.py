"""When an answer can be expected: support hours, policy and forecast. Pure."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailticket.promise.calendar import SupportCalendar, from_settings
    from mailticket.promise.forecast import Load
    from mailticket.promise.load import Answered, LoadSnapshot
    from mailticket.promise.policy import Promised, make_promise, window
    from mailticket.promise.replay import BadHistory, Replay

__all__ = [
    "Answered",
    "BadHistory",
    "Load",
    "LoadSnapshot",
    "Promised",
    "Replay",
    "SupportCalendar",
    "from_settings",
    "make_promise",
    "window",
]


def __getattr__(name: str) -> Any:
    """What makes promises, loaded at first use: who only counts how they were kept needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mailticket.promise import calendar, forecast, load, policy, replay

    rooms = {"Answered": load, "BadHistory": replay, "Load": forecast, "LoadSnapshot": load, "Promised": policy,
             "Replay": replay, "SupportCalendar": calendar, "from_settings": calendar}  # fmt: skip
    return getattr(rooms.get(name, policy), name)
