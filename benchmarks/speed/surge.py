"""A surge of mails while the SMTP server refuses half of all recipients: `python -m benchmarks.speed.surge`.

One mailbox holds the surge. In its midst a few mails come to another mailbox, and staff answer tickets. Printed: the
daemon's memory as it goes, how long the other mailbox's mails waited to be taken in, how long staff answers took
against how many acknowledgements stood before them, and whether the letters of each ticket left in order.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import sys
import time

from benchmarks.speed.installation import Installation, dovecot, until
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from tests.servers.dovecot import Dovecot

_OTHERS = 10
_ANSWERS = 3


def measure(mails: int, seed: int) -> dict[str, float]:
    sink = Sink(refuse=0.5)
    figures: dict[str, float] = {"mails": mails}
    with dovecot() as server:
        small = (mail for mail in Post(seed).mails(3 * mails) if len(mail) < 20_000)
        server.deliver((next(small) for _ in range(mails)), "surge@example.com")
        users = ["surge@example.com", "other@example.com"]
        with Installation(server.plain_port, users, sink.port) as site:
            site.start()
            until(lambda: _taken(site) >= mails // 10, "a tenth taken in")
            early = site.memory()[0]
            figures |= _another_mailbox(server, site, seed)
            figures |= _staff(site)
            until(lambda: _taken(site) >= mails // 2, "half taken in")
            figures["memory_at_a_tenth_mb"] = round(early, 1)
            figures["memory_at_half_mb"] = round(site.memory()[0], 1)
            until(lambda: _taken(site) >= mails + _OTHERS, "all taken in")
            figures["memory_at_the_end_mb"] = round(site.memory()[0], 1)
            figures["memory_most_mb"] = round(site.memory()[1], 1)
            figures["refused"] = sink.refused()
            figures["sent_meanwhile"] = sink.count()
            sink.accept_all()
            figures["out_of_order"] = _out_of_order(site)
    sink.close()
    return figures


def _taken(site: Installation) -> int:
    return site.ask("SELECT count(*) FROM incoming WHERE state NOT IN ('listed')")


def _another_mailbox(server: Dovecot, site: Installation, seed: int) -> dict[str, float]:
    """Seconds until mails to the other mailbox are taken in, while the surge goes on."""
    began = time.monotonic()
    server.deliver(Post(seed + 1, "other").mails(_OTHERS), "other@example.com")
    query = "SELECT count(*) FROM incoming WHERE route = 'other' AND state != 'listed'"
    until(lambda: site.ask(query) >= _OTHERS, "the other mailbox")
    return {"other_mailbox_s": round(time.monotonic() - began, 2)}


def _staff(site: Installation) -> dict[str, float]:
    """Seconds of a `ticket reply`, then until all of them were tried, and how many acknowledgements waited before."""
    tickets = [str(ticket["id"]) for ticket in site.json("ticket", "list", "--limit", str(_ANSWERS))]
    waiting = site.ask("SELECT count(*) FROM outgoing WHERE state IN ('queued', 'deferred')")
    began = time.monotonic()
    for ticket in tickets:
        site.cli("ticket", "reply", ticket, "--text", "It is on its way.")
    written = time.monotonic()
    query = "SELECT count(*) FROM outgoing WHERE kind = 'staff-reply' AND attempts > 0"
    until(lambda: site.ask(query) >= len(tickets), "staff answers tried")
    return {
        "staff_command_s": round((written - began) / len(tickets), 2),
        "staff_tried_after_s": round(time.monotonic() - written, 2),
        "acknowledgements_waiting": waiting,
    }


def _out_of_order(site: Installation) -> int:
    """Letters that left before an earlier one of the same ticket and rank."""
    query = (
        "SELECT count(*) FROM outgoing later JOIN outgoing earlier ON earlier.ticket_id = later.ticket_id "
        "AND earlier.id < later.id AND earlier.rank <= later.rank WHERE later.state = 'sent' AND "
        "(earlier.state IN ('queued', 'deferred', 'sending') OR earlier.sent_at > later.sent_at)"
    )
    with contextlib.closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as store:
        return int(store.execute(query).fetchone()[0])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=5)
    given = options.parse_args()
    print(json.dumps(measure(given.mails, given.seed)), file=sys.stdout)


if __name__ == "__main__":
    main()
