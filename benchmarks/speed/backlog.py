"""A backlog drained from inbox to accepted acknowledgement, beside the bare loop: `python -m benchmarks.speed.backlog`.

Both drain the same mails from the same Dovecot into the same SMTP sink, each from its own mailbox, in turns: the mix as
it is, then with a twentieth of long texts in it. The time is that from setting out (the daemon says it is ready; the
loop has imported all) to the last mail that the sink accepted. The ratio is the loop's time divided by ours, so 1.0 or
more means that we are at least as fast. The same of processor time, the loop's imports among it, says more on a busy
machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from tests.servers.dovecot import PASSWORD, Dovecot


def ours(server: Dovecot, user: str, sink: Sink, mails: int, wrapper: list[str] | None = None) -> dict[str, float]:
    """Drain a mailbox with the daemon: seconds, letters, processor seconds, MB at most."""
    sink.forget()
    with Installation(server.plain_port, [user], sink.port) as site:
        site.start(wrapper)
        began = time.monotonic()
        before = site.cpu()
        site.wait_idle(mails)
        accepted = sink.log()
        memory = site.memory()[1]
        processor = site.cpu() - before
        if wrapper:
            site.stop()
    return {
        "seconds": max(mail.at for mail in accepted) - began,
        "letters": len(accepted),
        "processor": processor,
        "memory": memory,
    }


def bare(server: Dovecot, user: str, sink: Sink, site: Installation) -> dict[str, float]:
    """Drain a mailbox with the bare loop: seconds and letters."""
    sink.forget()
    database = site.folder / f"{user}.db"
    command = [sys.executable, "-m", "benchmarks.speed.reference", str(server.plain_port), user, PASSWORD]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, str(sink.port), str(database)], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    accepted = sink.log()
    return {
        "seconds": max(mail.at for mail in accepted) - float(done.stdout.split()[0]),
        "letters": len(accepted),
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def measure(mails: int, seed: int, passes: int, long: float = 0.0) -> dict[str, float]:
    made = list(Post(seed, long=long).mails(mails))
    sizes = sorted(map(len, made))
    best_ours: list[dict[str, float]] = []
    best_bare: list[dict[str, float]] = []
    sink = Sink()
    with dovecot() as server, Installation(server.plain_port, [], sink.port) as site:
        for number in range(passes):  # in turns, so that a busy moment of the machine hits both
            for who in ("ours", "bare"):
                server.deliver(made, f"{who}{number}@example.com")
            best_ours.append(ours(server, f"ours{number}@example.com", sink, mails))
            best_bare.append(bare(server, f"bare{number}@example.com", sink, site))
            print(f"pass {number}: ours {best_ours[-1]}, bare {best_bare[-1]}", file=sys.stderr)
    sink.close()
    fast, plain = (min(runs, key=lambda run: run["seconds"]) for runs in (best_ours, best_bare))
    return {
        "mails": mails,
        "long_texts": long,
        "median_kb": round(statistics.median(sizes) / 1000, 1),
        "mean_kb": round(statistics.mean(sizes) / 1000, 1),
        "ours_letters": fast["letters"],
        "bare_letters": plain["letters"],
        "ours_ms_a_mail": round(1000 * fast["seconds"] / mails, 2),
        "ours_processor_ms_a_mail": round(1000 * fast["processor"] / mails, 2),
        "bare_ms_a_mail": round(1000 * plain["seconds"] / mails, 2),
        "bare_processor_ms_a_mail": round(1000 * plain["processor"] / mails, 2),
        "ours_memory_mb": round(fast["memory"], 1),
        "ratio": round(plain["seconds"] / fast["seconds"], 3),
        "processor_ratio": round(_least(best_bare, "processor") / _least(best_ours, "processor"), 3),
    }


def _least(runs: list[dict[str, float]], name: str) -> float:
    return min(run[name] for run in runs)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--passes", type=int, default=3)
    options.add_argument("--long", type=float, nargs="*", default=[0.0, 0.05], help="shares of long texts, a run each")
    given = options.parse_args()
    for long in given.long:
        print(json.dumps(measure(given.mails, given.seed, given.passes, long)), flush=True)


if __name__ == "__main__":
    main()
