"""Runs the measurements: `python -m benchmarks` lists them, `python -m benchmarks NAME ...` or `all` runs them.

Each is also a program of its own with options of its own: `python -m benchmarks.speed.backlog --help`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

MODULES = {
    "reader": ("benchmarks.reader", "reading a mail, beside the standard library"),
    "backlog": ("benchmarks.speed.backlog", "a backlog drained end to end, beside a bare loop"),
    "desk": ("benchmarks.speed.desk", "acknowledgements with and without staff who hear of each ticket"),
    "latency": ("benchmarks.speed.latency", "from arrival to accepted acknowledgement, beside a bare IDLE loop"),
    "hosts": ("benchmarks.speed.hosts", "a backlog drained by one, two and three hosts on PostgreSQL, beside SQLite"),
    "memory": ("benchmarks.speed.memory", "resident memory, start to ready, --help"),
    "large": ("benchmarks.speed.large", "cost a mail with a million tickets, and the commands there"),
    "texts": ("benchmarks.speed.texts", "what a mail with a megabyte of text costs, by the kind of text"),
    "surge": ("benchmarks.speed.surge", "10,000 mails while the SMTP server refuses half"),
    "categories": ("benchmarks.categories", "how well requests are sorted"),
    "duplicates": ("benchmarks.duplicates", "how well repeats are told from new requests"),
    "secrets": ("benchmarks.secrets", "how well secrets are found"),
    "promise": ("benchmarks.promise", "how well promises are kept on simulated help desks"),
}


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", choices=[[], "all", *MODULES], metavar="NAME")
    names = options.parse_args().names
    if not names:
        for name, (_, what) in MODULES.items():
            print(f"{name:11s} {what}")
        return 0
    worst = 0
    for name in MODULES if "all" in names else names:
        print(f"{name}: {MODULES[name][1]}", flush=True)
        worst = max(worst, subprocess.call([sys.executable, "-m", MODULES[name][0]]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
