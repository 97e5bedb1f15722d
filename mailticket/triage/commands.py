"""The few words that are commands when a requester's reply holds nothing else."""

from __future__ import annotations

import unicodedata
from typing import Literal

Command = Literal["status", "solved", "split"]
_WORDS: dict[str, Command] = {
    "status": "status", "状态": "status", "狀態": "status", "进度": "status", "進度": "status",
    "solved": "solved", "已解决": "solved", "已解決": "solved",
    "split": "split", "拆分": "split", "分开": "split", "分開": "split",
}  # fmt: skip
_AROUND = ".!?。「」“”[]()*'\""  # what people and mail programs put around a single word


def command(new_text: str) -> Command | None:
    """The command that a mail consists of, or None: anything beside the one word makes it just text."""
    if len(new_text) > 100:
        return None
    plain = unicodedata.normalize("NFKC", new_text).strip().strip(_AROUND).strip().lower()
    return _WORDS.get(plain)
