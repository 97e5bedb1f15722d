"""`python -m tests.soak [--seconds 300 | --hosts 3 --mails 600 --hurry 15] [--seed 1]`: a long random run; exit 1 when
broken."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.soak import several
from tests.soak.verdict import broken, counts, finish
from tests.soak.world import World


def soak(seconds: float, seed: int, folder: Path) -> list[str]:
    """One run; returns what is broken."""
    world = World(folder, seed)
    try:
        world.live(seconds)
        world.calm()
        problems = [*finish(world), *broken(world)]
        for name, number in counts(world).items():
            print(f"{name}: {number}")
        if problems:
            print(*world.site.log[-200:], sep="\n", file=sys.stderr)
        return problems
    finally:
        world.close()


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").strip())
    options.add_argument("--seconds", type=float, default=300, help="without --hosts")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--hosts", type=int, default=0, help="so many daemons on one PostgreSQL with a standby")
    options.add_argument("--mails", type=int, default=600, help="with --hosts")
    options.add_argument("--hurry", type=float, default=15, help="with --hosts: 1 for beats and leases as they are")
    given = options.parse_args()
    logging.getLogger("mailticket").setLevel(logging.CRITICAL)  # the rounds at the end; the daemon has a log of its own
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailticket-soak-") as folder:
        if given.hosts:
            problems = several.soak(Path(folder), given.seed, given.hosts, given.mails, given.hurry)
        else:
            problems = soak(given.seconds, given.seed, Path(folder))
    for problem in problems[:50]:
        print(f"BROKEN: {problem}", file=sys.stderr)
    verdict = "broken" if problems else "nothing lost, nothing doubled"
    print(f"seed {given.seed}, {time.monotonic() - began:.0f} s: {verdict}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
