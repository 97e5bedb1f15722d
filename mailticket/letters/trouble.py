"""What is told of a trouble, in alerts and wherever else it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that stays broken or works again: what, in whose words, and what to do ("" nothing is known).

    since: when it broke, or for what works again, when it was reported; aware.
    """

    name: str
    text: str
    since: datetime
    remedy: str = ""
