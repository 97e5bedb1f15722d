"""Acknowledgements with and without staff who hear of each ticket: `python -m benchmarks.speed.desk`.

The same backlog is drained by the same daemon in turns, once without `[[staff]]` and once with four members of two
teams who are told of each new ticket at once (`new = "each"`). The time is that from ready to the last acknowledgement
that the sink accepted; mail to staff, which goes behind, is not waited for. The ratios are with staff divided by
without: 1.05 is five hundredths slower.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from tests.servers.dovecot import Dovecot

_INSIDE = "@desk.example"
_MEMBERS = ("ann", "ben", "eva", "kim")


def _staff(new: str) -> str:
    members = [f'[[staff]]\nname = "{name}"\naddresses = ["{name}{_INSIDE}"]' for name in _MEMBERS]
    teams = ['[[team]]\nname = "money"\nmembers = ["ann", "ben"]\ncategories = ["deposit", "withdrawal"]',
             '[[team]]\nname = "rest"\nmembers = ["eva", "kim"]']  # fmt: skip
    return "\n".join([*members, *teams, f'[desk]\nnew = "{new}"'])


def drain(server: Dovecot, user: str, sink: Sink, mails: int, more: str) -> dict[str, float]:
    """Seconds to the last acknowledgement, processor seconds, letters, and mails to staff."""
    sink.forget()
    with Installation(server.plain_port, [user], sink.port, more) as site:
        site.start()
        began, before = time.monotonic(), site.cpu()
        site.wait_idle(mails)
        processor = site.cpu() - before
        accepted = sink.log()
    letters = [mail for mail in accepted if not mail.recipient.endswith(_INSIDE)]
    return {
        "seconds": max(mail.at for mail in letters) - began,
        "processor": processor,
        "letters": len(letters),
        "inside": len(accepted) - len(letters),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=500)
    options.add_argument("--passes", type=int, default=5)
    options.add_argument("--new", choices=("each", "urgent"), default="each")
    arguments = options.parse_args()
    made = list(Post(1).mails(arguments.mails))
    runs: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    sink = Sink()
    with dovecot() as server:
        for number in range(arguments.passes):  # in turns, so that a busy moment of the machine hits both
            for name, more in (("without", ""), ("with", _staff(arguments.new))):
                user = f"{name}{number}@example.com"
                server.deliver(made, user)
                runs[name].append(drain(server, user, sink, arguments.mails, more))
                print(f"pass {number} {name}: {runs[name][-1]}", file=sys.stderr)
    sink.close()
    ratios = {
        what: round(statistics.median(w[what] / o[what] for w, o in zip(runs["with"], runs["without"], strict=True)), 3)
        for what in ("seconds", "processor")
    }
    print(json.dumps({"mails": arguments.mails, "inside": runs["with"][0]["inside"], **ratios}))


if __name__ == "__main__":
    main()
