"""Prints precision, recall and the worst errors for each threshold: `python -m benchmarks.duplicates`.

`--set lookalikes` takes the pairs that share their words and differ in what identifies the matter, and repeats with
few words. `--part tune` looks only at the part that rules may be fitted to. The part "aside" is for the final measure:
its errors are shown only with `--errors aside`, so that nobody fits rules to them by accident.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailticket.likeness.duplicates import Earlier, Fingerprint, Likeness, compare, fingerprint
from mailticket.settings import Duplicates
from mailticket.topics import exchange_trade
from mailticket.topics.categories import Classifier, classifier

PAIRS = Path(__file__).with_name("pairs.jsonl")
# Pairs that share their words and differ in what identifies the matter, and repeats with few words of their own.
LOOKALIKES = Path(__file__).with_name("lookalikes.jsonl")
SETS = {"pairs": PAIRS, "lookalikes": LOOKALIKES}
THRESHOLDS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
# Repeats that a person would find hard without knowing the sender: other language, hardly any content, a correction.
HARD_KINDS = frozenset({"cross-language", "vague", "correction"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled pair and what was made of it."""

    id: str
    part: str
    kind: str
    same: bool
    likeness: Likeness

    @property
    def ordinary(self) -> bool:
        return self.same and self.kind not in HARD_KINDS


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall over all repeats, recall over ordinary ones, at one threshold."""

    precision: float
    recall: float
    ordinary_recall: float
    wrong: int
    missed: int


def judge_all(path: Path = PAIRS) -> list[Judged]:
    """Every pair of the set, compared as a new request with an earlier one."""
    reader = classifier(exchange_trade.EXCHANGE)
    with path.open(encoding="utf-8") as lines:
        return [_judge(json.loads(line), reader) for line in lines]


def score(judged: Iterable[Judged], threshold: float) -> Score:
    """The figures at a threshold; a precision without any finding is 1."""
    judged = list(judged)
    hits = [pair for pair in judged if pair.likeness.similarity >= threshold]
    right = [pair for pair in hits if pair.same]
    same = [pair for pair in judged if pair.same]
    ordinary = [pair for pair in judged if pair.ordinary]
    return Score(
        precision=len(right) / len(hits) if hits else 1.0,
        recall=len(right) / max(1, len(same)),
        ordinary_recall=sum(pair.ordinary for pair in right) / max(1, len(ordinary)),
        wrong=len(hits) - len(right),
        missed=len(same) - len(right),
    )


def _judge(pair: dict[str, object], reader: Classifier) -> Judged:
    hours = pair.get("hours")
    assert hours is None or isinstance(hours, float)
    new, earlier = (_fingerprint(pair[side], reader) for side in ("new", "earlier"))
    return Judged(str(pair["id"]), str(pair["part"]), str(pair["kind"]), bool(pair["same"]),
                  compare(new, earlier, reader.trade.lexicon, soon=Earlier("", earlier, hours).soon))  # fmt: skip


def _fingerprint(mail: object, reader: Classifier) -> Fingerprint:
    assert isinstance(mail, dict)
    subject, text = mail["subject"], mail["text"]
    verdict = reader.classify(subject, text)
    details = reader.extract(f"{subject}\n{text}")
    return fingerprint(
        subject,
        text,
        fields=details,
        category=verdict.name,
        category_sure=verdict.sure,
        lexicon=reader.trade.lexicon,
    )


def print_table(judged: Sequence[Judged]) -> None:
    default = Duplicates().threshold
    print("threshold  precision  recall  ordinary  wrong  missed")
    for threshold in THRESHOLDS:
        figures = score(judged, threshold)
        print(
            f"{threshold:9.2f}{'*' if threshold == default else ' '} {figures.precision:9.3f} {figures.recall:7.3f} "
            f"{figures.ordinary_recall:9.3f} {figures.wrong:6d} {figures.missed:7d}"
        )


def print_kinds(judged: Sequence[Judged]) -> None:
    default = Duplicates().threshold
    for kind in sorted({pair.kind for pair in judged}):
        pairs = [pair for pair in judged if pair.kind == kind]
        right = sum((pair.likeness.similarity >= default) == pair.same for pair in pairs)
        print(f"  {kind:20} {right:3d} of {len(pairs):3d} right")


def print_errors(judged: Sequence[Judged], at_most: int) -> None:
    threshold = Duplicates().threshold
    wrong = [pair for pair in judged if (pair.likeness.similarity >= threshold) != pair.same]
    for pair in sorted(wrong, key=lambda pair: -abs(pair.likeness.similarity - threshold))[:at_most]:
        said = "taken for a repeat" if not pair.same else "repeat not seen"
        print(f"  {pair.likeness.similarity:.2f} {pair.id} ({pair.kind}), {said}: {'; '.join(pair.likeness.evidence)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("--set", choices=sorted(SETS), default="pairs", help="which set of pairs")
    parser.add_argument("--part", choices=("tune", "aside", "all"), default="all")
    parser.add_argument("--errors", choices=("tune", "aside", "none"), default="tune", help="whose errors to show")
    parser.add_argument("--at-most", type=int, default=20, help="how many errors to show")
    options = parser.parse_args()
    judged = judge_all(SETS[options.set])
    for part in ("tune", "aside"):
        if options.part in (part, "all"):
            chosen = [pair for pair in judged if pair.part == part]
            print(
                f"\n{part}: {len(chosen)} pairs, {sum(pair.same for pair in chosen)} of them repeats (* is the default)"
            )
            print_table(chosen)
            if options.errors == part:
                print_kinds(chosen)
                print("worst errors:")
                print_errors(chosen, options.at_most)


if __name__ == "__main__":
    main()
