"""Prints accuracy and confusions of the built-in categories: `python -m benchmarks.categories`.

The parts "aside" are for the final measure: their errors are shown only when asked for, so that nobody fits words to
them by accident. The new parts hold what was once taken for something else, and its neighbours; "after" was written
when that was mended.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailticket.topics import exchange_trade
from mailticket.topics.categories import Verdict, classifier

PARTS = ("tune", "aside", "new tune", "new aside", "after")
REQUESTS = Path(__file__).with_name("requests.jsonl")


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled request and the verdict on it."""

    part: str
    category: str
    subject: str
    text: str
    verdict: Verdict

    @property
    def right(self) -> bool:
        return self.verdict.name == self.category


def judge_all(path: Path = REQUESTS) -> list[Judged]:
    """Every request of the set with its verdict."""
    reader = classifier(exchange_trade.EXCHANGE)
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Judged(**row, verdict=reader.classify(row["subject"], row["text"])) for row in rows]


def accuracy(judged: Sequence[Judged]) -> float:
    return sum(request.right for request in judged) / max(1, len(judged))


def sure_precision(judged: Sequence[Judged]) -> float:
    """The share of right ones among the verdicts that call themselves sure: on those, details are asked for."""
    return accuracy([request for request in judged if request.verdict.sure])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.categories", description=__doc__)
    parser.add_argument("--errors", choices=(*PARTS, "none"), default="new tune", help="whose errors to show")
    options = parser.parse_args()
    judged = judge_all()
    for part in PARTS:
        chosen = [request for request in judged if request.part == part]
        sure = sum(request.verdict.sure for request in chosen)
        print(f"\n{part}: {len(chosen)} requests, accuracy {accuracy(chosen):.3f}", end="; ")
        print(f"{sure} sure, {sure_precision(chosen):.3f} of these right")
        if options.errors == part:
            confusions = Counter((r.category, r.verdict.name) for r in chosen if not r.right)
            for (meant, said), count in confusions.most_common():
                print(f"  {count:3d} x {meant} taken for {said}")
            for request in chosen:
                if not request.right:
                    print(
                        f"    {request.category}: {request.subject!r} {request.text[:100]!r}: {request.verdict.scores}"
                    )


if __name__ == "__main__":
    main()
