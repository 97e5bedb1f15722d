"""When an answer can be expected: support hours, policy and forecast. Pure."""

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
