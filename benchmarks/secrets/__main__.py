"""Prints what was missed and what was touched by mistake: `python -m benchmarks.secrets`; exit 1 if anything was.

A line of `mails.jsonl` holds a text and the values in it that are secret (each with its kind) or that must stay.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mailticket.secrets.masking import mask

MAILS = Path(__file__).with_name("mails.jsonl")


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail of the set: the secrets that stayed readable, the other values that did not."""

    text: str
    missed: tuple[str, ...]
    touched: tuple[str, ...]
    kinds_right: bool


def judge_all(path: Path = MAILS) -> list[Judged]:
    with path.open(encoding="utf-8") as lines:
        return [_judge(json.loads(line)) for line in lines]


def _judge(row: dict[str, object]) -> Judged:
    text, secret, keep = str(row["text"]), row["secret"], row["keep"]
    assert isinstance(secret, dict)
    assert isinstance(keep, list)
    masked, kinds = mask(text)
    return Judged(
        text=text,
        missed=tuple(value for value in secret if value in masked),
        touched=tuple(value for value in keep if value not in masked)
        + ((text,) if not secret and masked != text else ()),
        kinds_right=set(secret.values()) <= set(kinds),
    )


def main() -> None:
    judged = judge_all()
    wrong = [mail for mail in judged if mail.missed or mail.touched or not mail.kinds_right]
    counts = Counter(
        {
            "mails": len(judged),
            "missed": sum(len(m.missed) for m in judged),
            "touched": sum(bool(m.touched) for m in judged),
        }
    )
    print(f"{counts['mails']} mails: {counts['missed']} secrets missed, {counts['touched']} mails with a value touched")
    for mail in wrong:
        print(f"  {mail.text[:100]!r}: missed {mail.missed}, touched {mail.touched}, kinds right {mail.kinds_right}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
