"""Prints what was missed and over what it cried: `python -m benchmarks.secrets`; exit 1 if any of it is known to work.

A line of `mails.jsonl` holds a text and the values in it that are secret (each with its kind) or that must stay. Those
of grade "doubtful" must be masked and not called sure, all others must be sure. The part "former" holds without an
exception; "tune" was looked at while the rules were made; "aside" is for the final measure, its errors are shown only
with `--errors aside`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailticket.secrets.masking import mask

MAILS = Path(__file__).with_name("mails.jsonl")


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail of the set. missed: secrets that stayed readable. touched: other values that did not, or an ordinary text.
    graded_right: whether what is secret was called what it is, and an ordinary text not surely secret."""

    part: str
    text: str
    leaks: bool
    missed: tuple[str, ...]
    touched: tuple[str, ...]
    graded_right: bool

    @property
    def right(self) -> bool:
        return self.graded_right and not self.missed and not self.touched


def judge_all(path: Path = MAILS) -> list[Judged]:
    with path.open(encoding="utf-8") as lines:
        return [_judge(json.loads(line)) for line in lines]


def _judge(row: dict[str, Any]) -> Judged:
    text, secret, keep = str(row["text"]), row["secret"], row["keep"]
    masked = mask(text)
    kinds = set(masked.doubtful if row.get("grade") == "doubtful" else masked.sure)
    return Judged(
        part=row["part"],
        text=text,
        leaks=bool(secret),
        missed=tuple(value for value in secret if value in masked.text),
        touched=tuple(value for value in keep if value not in masked.text)
        + ((text,) if not secret and masked.text != text else ()),
        graded_right=set(secret.values()) <= kinds if secret else not masked.sure,
    )


def _counts(judged: Iterable[Judged]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for mail in judged:
        if mail.leaks:
            counts.update({"leaks": 1, "missed": bool(mail.missed), "grade": not mail.missed and not mail.graded_right})
        else:
            counts.update({"ordinary": 1, "cried": not mail.graded_right, "masked": bool(mail.touched)})
    return counts


def _print_errors(judged: Sequence[Judged]) -> None:
    for mail in judged:
        if not mail.right:
            print(
                f"  {mail.text[:110]!r}: missed {mail.missed}, touched {mail.touched}, grade right {mail.graded_right}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.secrets", description=__doc__)
    parser.add_argument("--errors", choices=("tune", "aside", "none"), default="tune", help="whose errors to show")
    options = parser.parse_args()
    judged = judge_all()
    for part in ("former", "tune", "aside"):
        chosen = [mail for mail in judged if mail.part == part]
        counts = _counts(chosen)
        print(
            f"{part}: {counts['leaks']} leaks, {counts['missed']} missed, {counts['grade']} of the wrong grade; "
            f"{counts['ordinary']} ordinary ones, {counts['cried']} taken for a leak, {counts['masked']} masked"
        )
        if part in ("former", options.errors):
            _print_errors(chosen)
    sys.exit(0 if all(mail.right for mail in judged if mail.part == "former") else 1)


if __name__ == "__main__":
    main()
