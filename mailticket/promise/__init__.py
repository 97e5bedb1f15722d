"""When an answer can be expected: support hours, policy and forecast. Pure."""

from mailticket.promise.calendar import SupportCalendar, from_settings
from mailticket.promise.forecast import Forecast, Load
from mailticket.promise.load import ANSWER_DAYS, ANSWERS, Answered, LoadSnapshot
from mailticket.promise.policy import Basis, Promised, make_promise, window

__all__ = [
    "ANSWERS",
    "ANSWER_DAYS",
    "Answered",
    "Basis",
    "Forecast",
    "Load",
    "LoadSnapshot",
    "Promised",
    "SupportCalendar",
    "from_settings",
    "make_promise",
    "window",
]
