"""Prints precision and recall of the named help articles: `python -m benchmarks.articles`.

precision: of the articles named, how many are the right one. recall: of the requests that an article answers, for how
many it is named. silent: of the requests that none answers, how many get none. The part "aside" is for the final
measure: its errors are shown only with `--errors aside`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailticket.config.articles import read_articles
from mailticket.config.files import shipped_folder
from mailticket.likeness.duplicates import fingerprint
from mailticket.topics import exchange, exchange_trade
from mailticket.topics.articles import matcher
from mailticket.topics.categories import classifier

REQUESTS = Path(__file__).with_name("requests.jsonl")
AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """A labelled request and what was named for it, both by the last part of the articles' addresses."""

    part: str
    language: str
    article: str
    subject: str
    text: str
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """The three shares of a set of requests; 1.0 where there is nothing to count."""

    precision: float
    recall: float
    silent: float


def choose_all(path: Path = REQUESTS) -> list[Chosen]:
    """Every request of the set with the articles of the demo that are named for it."""
    names = frozenset(category.name for category in exchange.CATEGORIES)
    articles, flaws = read_articles(shipped_folder("config") / "articles", names)
    if flaws:
        raise ValueError("; ".join(map(str, flaws)))
    fitting, reader = matcher(articles, exchange_trade.EXCHANGE.lexicon), classifier(exchange_trade.EXCHANGE)
    chosen = []
    with path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            verdict = reader.classify(row["subject"], row["text"])
            details = reader.extract(f"{row['subject']}\n{row['text']}")
            print_of = fingerprint(row["subject"], row["text"], fields=details, category=verdict.name,
                                   category_sure=verdict.sure, lexicon=exchange_trade.EXCHANGE.lexicon)  # fmt: skip
            articles = fitting.best(print_of, verdict, row["language"], AT_MOST)
            chosen.append(Chosen(**row, named=tuple(a.address.rpartition("/")[2] for a in articles)))
    return chosen


def measure(chosen: Sequence[Chosen]) -> Measure:
    named = [(request.article, name) for request in chosen for name in request.named]
    answerable = [request for request in chosen if request.article]
    others = [request for request in chosen if not request.article]
    return Measure(
        precision=_share(sum(right == name for right, name in named), len(named)),
        recall=_share(sum(request.article in request.named for request in answerable), len(answerable)),
        silent=_share(sum(not request.named for request in others), len(others)),
    )


def _share(number: int, of: int) -> float:
    return number / of if of else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.articles", description=__doc__)
    parser.add_argument("--errors", choices=("tune", "aside", "none"), default="tune", help="whose errors to show")
    options = parser.parse_args()
    everything = choose_all()
    for part in ("tune", "aside"):
        of_part = [request for request in everything if request.part == part]
        for language in ("en", "zh-Hans", ""):
            chosen = [r for r in of_part if language in ("", r.language)]
            m = measure(chosen)
            print(f"{part:5} {language or 'all':7} {len(chosen):3d} requests: precision {m.precision:.3f}, "
                  f"recall {m.recall:.3f}, silent {m.silent:.3f}")  # fmt: skip
        if options.errors == part:
            for r in of_part:
                if set(r.named) != ({r.article} if r.article else set()):
                    print(f"    {r.article or 'none'}: named {', '.join(r.named) or 'none'}: {r.subject!r} {r.text!r}")


if __name__ == "__main__":
    main()
