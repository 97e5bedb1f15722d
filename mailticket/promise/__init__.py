"""When an answer can be expected: support hours, policy and forecast. Pure."""

from mailticket.promise.calendar import SupportCalendar, from_settings
from mailticket.promise.forecast import Forecast, Load
from mailticket.promise.load import ANSWER_DAYS, ANSWERS, Answered, LoadSnapshot
from mailticket.promise.policy import Basis, Promised, make_promise, window
from mailticket.promise.replay import BadHistory, Replay, replay

__all__ = [
    "ANSWERS",
    "ANSWER_DAYS",
    "Answered",
    "BadHistory",
    "Basis",
    "Forecast",
    "Load",
    "LoadSnapshot",
    "Promised",
    "Replay",
    "SupportCalendar",
    "from_settings",
    "make_promise",
    "replay",
    "window",
]
