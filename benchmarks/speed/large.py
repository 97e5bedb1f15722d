"""What a mail costs with a million tickets in the database, beside an empty one: `python -m benchmarks.speed.large`.

The generator fills the tables with plain SQL: tickets, three messages each, the records of their mails, raw mails of
300 bytes, outgoing mails, people. The same backlog is then drained into the full database and into an empty one, and
the commands that people run are timed on the full one. It takes about 4 GB in the temporary folder for a while.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from mailticket.store import schema
from mailticket.store.engine import Database

_UNANSWERED = 2_000  # of all tickets, the newest
_PORTION = 20_000


def fill(path: str, tickets: int, mailbox: str, seed: int = 1) -> None:
    """Write so many tickets with three messages each into a fresh database."""
    database = Database(f"sqlite:///{path}")
    schema.prepare(database)
    database.close()
    store = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
        store.execute(f"PRAGMA {pragma}")
    columns = {
        table: [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
        for table in ("requester", "address", "ticket", "message", "incoming", "outgoing", "raw", "event")
    }
    past = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=400)
    life = (mailbox, tickets, _time(past), _time(past), _time(past))
    store.execute(
        "INSERT INTO folder (id, mailbox, uidvalidity, generation, high_water, first_contact_at, before, retired_at) "
        "VALUES (1, ?, 1, 0, ?, ?, ?, ?)",
        life,
    )
    rows = _rows(tickets, mailbox, seed)
    for _ in range(0, tickets, _PORTION):
        store.execute("BEGIN")
        portion: dict[str, list[dict[str, Any]]] = {table: [] for table in columns}
        for _, made in zip(range(_PORTION), rows, strict=False):
            for table, row in made:
                portion[table].append(row)
        for table, some in portion.items():
            if some:
                names = [name for name in columns[table] if name in some[0]]
                marks = ", ".join(f":{name}" for name in names)
                store.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", some)
        store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _rows(tickets: int, mailbox: str, seed: int) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The rows of one ticket after the other, oldest first, the last days ago."""
    dice = random.Random(seed)
    now = datetime.now(UTC).replace(tzinfo=None)
    categories = ("deposit", "withdrawal", "trading", "account-security", "api", "identity", "other")
    fingerprint = json.dumps({"v": 1, "x": "", "s": ["deposit"], "t": ["deposit", "usdt"], "c": [], "f": {}, "i": [],
                              "n": [], "g": [], "k": ["deposit", True], "r": [0, 0, 0], "b": [False] * 4})  # fmt: skip
    for number in range(1, tickets + 1):
        at = now - timedelta(days=365) * (1 - number / (tickets + 1)) - timedelta(hours=2)
        waiting = number > tickets - _UNANSWERED
        when, later = _time(at), _time(at + timedelta(hours=20))
        person = (number + 1) // 2
        raw = bytes(dice.randbytes(300))
        digest = hashlib.sha256(raw).hexdigest()
        key = f"MT-{number:08d}"
        made: list[tuple[str, dict[str, Any]]] = []
        if number % 2:
            made.append(("requester", {"id": person, "name": "Ann", "language": "en", "created_at": when}))
            made.append(("address", {"key": f"old{person}@example.org", "address": f"old{person}@example.org",
                                     "requester_id": person, "undeliverable_why": ""}))  # fmt: skip
        made.append(("ticket", {
            "id": number, "key": key, "subject": f"Deposit {number} has not arrived",
            "status": "new" if waiting else "closed", "priority": dice.choice(("normal", "normal", "high", "urgent")),
            "category": dice.choice(categories), "category_sure": 1, "language": "en", "requester_id": person,
            "trust": "verified", "marks": "[]", "assigned_to": "", "check_word": "babab", "serial": 1,
            "created_at": when, "updated_at": later, "promised_from": later,
            "promised_by": _time(at + timedelta(days=3)),
            "promise_reason": "policy", "first_response_at": None if waiting else later, "solved_at": None,
            "closed_at": None if waiting else later, "duplicate_reason": "", "fields": "{}", "missing": "[]",
            "fingerprint": fingerprint,
        }))  # fmt: skip
        made.append(("raw", {"digest": digest, "size": 300, "packing": "plain", "data": raw, "complete": 1,
                             "stored_at": when, "mask_after": None}))  # fmt: skip
        made.append(("incoming", {
            "id": number, "route": mailbox, "folder_id": 1, "uid": number, "size": 300, "arrived_at": when,
            "listed_at": when, "state": "opened", "alone_attempts": 0, "refusals": 0, "decided_at": when, "rule": "new",
            "reason": "nothing refers to a ticket", "evidence": "[]", "message_id": f"<{number}@old.example.org>",
            "identity": digest, "raw_digest": digest, "trust": "verified", "ticket_id": number, "afterwards": "done",
            "afterwards_attempts": 0, "afterwards_error": "",
        }))  # fmt: skip
        for place, (direction, kind) in enumerate(
            (("in", "request"), ("out", "acknowledgement"), ("out", "staff-reply"))
        ):
            made.append(("message", {
                "id": 3 * number - 2 + place, "ticket_id": number, "direction": direction, "kind": kind,
                "message_id": f"<{number}@old.example.org>" if not place else f"<{key}.{place}@example.com>",
                "from_name": "Ann", "from_address": f"old{person}@example.org", "to_address": "support@example.com",
                "subject": "Deposit", "text": "My deposit has not arrived.", "new_text": "My deposit has not arrived.",
                "at": when, "trust": "", "mark": "", "language": "en", "secrets": "[]",
                "incoming_id": number if not place else None, "raw_digest": digest if not place else None,
            }))  # fmt: skip
        made.append(("outgoing", {
            "id": number, "ticket_id": number, "message_row": 3 * number - 1, "cause_id": number,
            "kind": "acknowledgement", "rank": 5, "envelope_from": "support@example.com",
            "recipient": f"old{person}@example.org", "recipient_key": f"old{person}@example.org",
            "recipient_domain": "example.org", "subject": "Re: Deposit", "message_id": f"<{key}.1@example.com>",
            "wire": b"From: support@example.com\r\n\r\nThank you.\r\n", "verified": 1, "state": "sent", "reason": "",
            "attempts": 1, "created_at": when, "next_attempt_at": when, "sent_at": when, "last_error": "",
            "sent_again": 0, "counted_at": when,
        }))  # fmt: skip
        made.append(("event", {"id": number, "ticket_id": number, "at": when, "kind": "opened", "actor": "mailticket",
                               "detail": "new"}))  # fmt: skip
        yield made


def _drain(site: Installation, mails: int, before: int) -> float:
    """Milliseconds of processor time a mail while so many new mails are drained."""
    site.start()
    began = site.cpu()
    site.wait_idle(before + mails)
    spent = site.cpu() - began
    site.stop()
    return 1000 * spent / mails


def measure(tickets: int, mails: int, seed: int) -> dict[str, float]:
    made = list(Post(seed).mails(mails))
    figures: dict[str, float] = {"tickets": tickets, "messages": 3 * tickets}
    sink = Sink()
    with dovecot() as server, Installation(server.plain_port, ["full@example.com"], sink.port) as full:
        began = time.monotonic()
        fill(str(full.database), tickets, "full", seed)
        print(f"filled in {time.monotonic() - began:.0f} s, {full.database.stat().st_size / 1e9:.2f} GB",
              file=sys.stderr)  # fmt: skip
        costs: dict[str, list[float]] = {"full": [], "empty": []}
        for turn in range(2):
            for user in ("full", "empty"):
                server.deliver(made if turn == 0 else list(Post(seed + 1, "b").mails(mails)), f"{user}@example.com")
        with Installation(server.plain_port, ["empty@example.com"], sink.port) as empty:
            costs["empty"].append(_drain(empty, 2 * mails, 0))
        costs["full"].append(_drain(full, 2 * mails, tickets))
        figures["ms_a_mail_full"] = round(min(costs["full"]), 2)
        figures["ms_a_mail_empty"] = round(min(costs["empty"]), 2)
        figures["ratio"] = round(min(costs["full"]) / min(costs["empty"]), 3)
        for name, words, first_line in (
            ("list_50_s", ("ticket", "list", "--limit", "50"), False),
            ("list_first_line_s", ("ticket", "list", "--json"), True),
            ("status_s", ("status",), False),
            ("check_offline_s", ("check", "--offline"), False),
        ):
            figures[name] = round(min(full.timed(*words, first_line=first_line) for _ in range(3)), 2)
    sink.close()
    return figures


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--tickets", type=int, default=1_000_000)
    options.add_argument("--mails", type=int, default=500)
    options.add_argument("--seed", type=int, default=3)
    given = options.parse_args()
    print(json.dumps(measure(given.tickets, given.mails, given.seed)))


if __name__ == "__main__":
    main()
