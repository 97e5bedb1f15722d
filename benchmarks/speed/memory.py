"""Resident memory and start: `python -m benchmarks.speed.memory`.

Commands on an empty database, and `run --once` on an empty folder. Memory idle after a few mails, and at most while a
backlog is drained that holds mails of 25 MB; seconds from start to ready on a database that is there; seconds of
`mailticket --help`.
"""

from __future__ import annotations

import argparse
import json
import time

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink

_MEGABYTE = 1024 * 1024


def measure(mails: int, large: int, seed: int) -> dict[str, float]:
    post = Post(seed)
    sink = Sink()
    figures: dict[str, float] = {}
    with dovecot() as server, Installation(server.plain_port, ["ours@example.com"], sink.port) as site:
        figures["help_s"] = round(min(site.timed("--help") for _ in range(5)), 3)
        for name, words in (("list", ("ticket", "list")), ("status", ("status",))):
            site.cli(*words)  # which makes the database
            figures[f"{name}_s"] = round(min(site.timed(*words) for _ in range(3)), 2)
            figures[f"{name}_processor_s"] = round(min(site.costs(*words).processor for _ in range(3)), 2)
        site.cli("run", "--once")
        figures["once_s"] = round(min(site.timed("run", "--once") for _ in range(3)), 2)
        figures["once_processor_s"] = round(min(site.costs("run", "--once").processor for _ in range(3)), 2)
        server.deliver(post.mails(20), "ours@example.com")
        site.start()
        site.wait_idle(20)
        time.sleep(3)
        figures["idle_mb"] = round(site.memory()[0], 1)
        site.stop()
        figures["ready_s"] = round(min(_restart(site) for _ in range(3)), 2)
        for _ in range(large):
            server.deliver(post.mails(mails // large), "ours@example.com")
            server.deliver([post.large(25 * _MEGABYTE - 100_000)], "ours@example.com")
        site.start()
        site.wait_idle(20 + mails // large * large + large)
        figures["draining_mb"] = round(site.memory()[1], 1)
        time.sleep(3)
        figures["idle_afterwards_mb"] = round(site.memory()[0], 1)
    sink.close()
    return figures


def _restart(site: Installation) -> float:
    seconds = site.start()
    site.stop()
    return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=400)
    options.add_argument("--large", type=int, default=4)
    options.add_argument("--seed", type=int, default=4)
    given = options.parse_args()
    print(json.dumps(measure(given.mails, given.large, given.seed)))


if __name__ == "__main__":
    main()
