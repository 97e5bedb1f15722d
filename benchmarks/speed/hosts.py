"""A backlog drained by one, two and three hosts on PostgreSQL, beside SQLite: `python -m benchmarks.speed.hosts`.

The same mails lie in two mailboxes, then in three, of the same Dovecot, and leave for the same SMTP sink; the database
is a fresh one each time, on a PostgreSQL server with durable commits. Each host is pinned to its share of the
mailboxes, so that nothing is handed over while it is measured; a host without a share only sends. Mails a second count
from the moment at which the first host is ready to the last letter that the sink accepted. Processor time is that of
all daemons from ready to idle, and that of the database's processes. Everything shares one machine: where its cores are
busy, further hosts cannot show what they would bring on machines of their own, and the processor time tells more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.large import server_cpu
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres

_SQLITE = "sqlite"


class Run(NamedTuple):
    """What a drained backlog took. seconds by the clock; daemons, database: of processor time."""

    seconds: float
    daemons: float
    database: float
    letters: int


def drain(
    imap: Dovecot, users: Sequence[str], sink: Sink, mails: Sequence[bytes], hosts: int, server: Postgres | None
) -> Run:
    """Deliver the mails to the mailboxes in turn, and have so many hosts drain them."""
    for number, user in enumerate(users):
        imap.deliver(mails[number :: len(users)], user)
    sink.forget()
    url = server.database() if server else ""
    with ExitStack() as stack:
        sites = [
            stack.enter_context(Installation(imap.plain_port, list(users), sink.port, url=url)) for _ in range(hosts)
        ]
        sites[0].cli("status")  # which makes the tables
        shares = [[user.partition("@")[0] for user in users[number::hosts]] for number in range(hosts)]
        with ThreadPoolExecutor(hosts) as pool:
            ready = list(pool.map(_start, sites, shares))
        before, before_there = [site.cpu() for site in sites], server_cpu(server)
        sites[0].wait_idle(len(mails))
        accepted = sink.log()
        daemons = sum(site.cpu() - began for site, began in zip(sites, before, strict=True))
        database = server_cpu(server) - before_there
    if server:
        server.drop(url)
    return Run(max(mail.at for mail in accepted) - min(ready), daemons, database, len(accepted))


def _start(site: Installation, share: Sequence[str]) -> float:
    """Start a host that collects its share only; returns when it was ready."""
    site.start(words=["--mailboxes", ",".join(share)] if share else ["--no-mailboxes"])
    return time.monotonic()


def measure(mails: int, mailboxes: int, passes: int, seed: int, server: Postgres) -> dict[str, dict[str, float]]:
    """Figures by the kind of installation: medians of the passes, in which all kinds take turns."""
    made = list(Post(seed).mails(mails))
    kinds = {_SQLITE: 1, **{f"postgres_{hosts}": hosts for hosts in (1, 2, 3)}}
    runs: dict[str, list[Run]] = {kind: [] for kind in kinds}
    sink = Sink()
    with dovecot() as imap:
        for turn in range(passes):
            for kind, hosts in kinds.items():
                users = [f"{kind}-{turn}-{mailboxes}-{number}@example.com" for number in range(mailboxes)]
                run = drain(imap, users, sink, made, hosts, None if kind == _SQLITE else server)
                runs[kind].append(run)
                print(f"pass {turn}, {mailboxes} mailboxes, {kind}: {run}", file=sys.stderr, flush=True)
    sink.close()
    return {kind: _figures(of_kind, mails) for kind, of_kind in runs.items()}


def _figures(runs: Sequence[Run], mails: int) -> dict[str, float]:
    seconds, daemons, database, letters = (statistics.median(values) for values in zip(*runs, strict=True))
    return {
        "mails_a_second": round(mails / seconds, 1),
        "daemons_ms_a_mail": round(1000 * daemons / mails, 1),
        "database_ms_a_mail": round(1000 * database / mails, 1),
        "letters": letters,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=600)
    options.add_argument("--mailboxes", type=int, nargs="*", default=[2, 3], help="a run for each number of them")
    options.add_argument("--passes", type=int, default=3)
    options.add_argument("--seed", type=int, default=6)
    arguments = options.parse_args()
    if not Postgres.available():
        raise SystemExit("PostgreSQL's server programs (initdb, postgres) are not installed")
    server = Postgres(durable=True)
    try:
        for mailboxes in arguments.mailboxes:
            figures = measure(arguments.mails, mailboxes, arguments.passes, arguments.seed, server)
            print(json.dumps({"mails": arguments.mails, "mailboxes": mailboxes, **figures}), flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
