"""What a mail costs with a million tickets in the database, beside an empty one: `python -m benchmarks.speed.large`.

The generator fills the tables with plain SQL: tickets, three messages each, the records of their mails, raw mails of
300 bytes, outgoing mails, people, and the index of words. The same backlog is then drained into the full database and
into an empty one, and the commands that people run are timed on the full one; all of it on SQLite, then on a PostgreSQL
server of its own. It takes about 6 GB in the temporary folder for a while.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import psycopg
from sqlmodel import SQLModel

from benchmarks.speed.installation import Installation, dovecot
from benchmarks.speed.post import Post
from benchmarks.speed.sink import Sink
from mailticket.store import schema
from mailticket.store.engine import Database
from mailticket.text.terms import index_terms
from tests.servers.postgres import Postgres

_UNANSWERED = 2_000  # of all tickets, the newest
_PORTION = 20_000
_WORDS, _WORDS_OF_A_MESSAGE = 30_000, 15  # of the language that the tickets are in; the first of them is in half of all
_SEARCH_INDEX = "ix_ticket_search_terms"
_COMMANDS = {
    "list_50": ("ticket", "list", "--limit", "50"),
    "queue": ("ticket", "list", "--waiting", "us", "--limit", "50"),
    "search_rare": ("ticket", "list", "--search", "old77777@example.org"),
    "search_frequent": ("ticket", "list", "--limit", "50", "--search", "{0} {1}"),
    "search_both_rarely": ("ticket", "list", "--limit", "50", "--search", "{2} {3}"),
    "status": ("status",),
    "check_offline": ("check", "--offline"),
    "report": ("report",),
    "retention_plan": ("retention", "plan"),
    "person_show": ("person", "show", "old77777@example.org"),
    "person_forget_dry_run": ("person", "forget", "--dry-run", "old77777@example.org"),
}


def fill(url: str, tickets: int, mailbox: str, seed: int = 1) -> None:
    """Write so many tickets with three messages each into a fresh database."""
    database = Database(url)
    schema.prepare(database)
    columns = [table.name for table in SQLModel.metadata.sorted_tables]
    database.close()
    past = _time(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=400))
    folder = {"id": 1, "mailbox": mailbox, "uidvalidity": 1, "generation": 0, "high_water": tickets,
              "first_contact_at": past, "before": past, "retired_at": past}  # fmt: skip
    rows = _rows(tickets, mailbox, seed)
    with _postgres(url) if url.startswith("postgresql") else _sqlite(url) as write:
        write("folder", list(folder), [folder])
        for _ in range(0, tickets, _PORTION):
            portion: dict[str, list[dict[str, Any]]] = {}
            for made in islice(rows, _PORTION):
                for table, row in made:
                    portion.setdefault(table, []).append(row)
            for table in [table for table in (*columns, "ticket_search") if table in portion]:
                write(table, list(portion[table][0]), portion[table])


Write = Callable[[str, list[str], list[dict[str, Any]]], None]


@contextmanager
def _sqlite(url: str) -> Iterator[Write]:
    store = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
        store.execute(f"PRAGMA {pragma}")

    def write(table: str, names: list[str], rows: list[dict[str, Any]]) -> None:
        if table == "ticket_search":
            names = ["rowid" if name == "ticket_id" else name for name in names]
            rows = [{"rowid": row["ticket_id"], "terms": " ".join(row["terms"])} for row in rows]
        quoted, marks = ", ".join(f'"{name}"' for name in names), ", ".join(f":{name}" for name in names)
        store.execute("BEGIN")
        store.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", rows)
        store.execute("COMMIT")

    yield write
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


@contextmanager
def _postgres(url: str) -> Iterator[Write]:
    """Without foreign keys while it lasts; then the numbers go on behind what was written, and the planner knows it."""
    tables: set[str] = set()
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as store:
        store.execute("SET session_replication_role = replica")
        store.execute("SET TIME ZONE 'UTC'")
        row = store.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [_SEARCH_INDEX]).fetchone()
        assert row is not None
        store.execute(f"DROP INDEX {_SEARCH_INDEX}")  # to be built at once, in the end

        def write(table: str, names: list[str], rows: list[dict[str, Any]]) -> None:
            if table == "ticket_search":
                rows = [{**row, "terms": " ".join(f"'{term}'" for term in row["terms"])} for row in rows]
            quoted = ", ".join(f'"{name}"' for name in names)
            with store.cursor().copy(f"COPY {table} ({quoted}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([row[name] for name in names])
            if "id" in names:
                tables.add(table)

        yield write
        store.execute(row[0])
        for table in tables:
            store.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        store.execute("VACUUM ANALYZE")


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _language(seed: int) -> tuple[list[str], list[float]]:
    """Made-up words and how often each is used, added up: the n-th word 1/n as often as the first (Zipf)."""
    dice = random.Random(seed)
    syllables = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        words["".join(dice.choices(syllables, k=dice.randint(2, 4)))] = None
    return list(words), list(accumulate(1 / (number + 3) for number in range(_WORDS)))


def _rows(tickets: int, mailbox: str, seed: int) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The rows of one ticket after the other, oldest first, the last days ago."""
    dice = random.Random(seed)
    words, often = _language(seed)
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
        texts = [" ".join(dice.choices(words, cum_weights=often, k=_WORDS_OF_A_MESSAGE)) for _ in range(3)]
        subject, address = f"Deposit {number} has not arrived", f"old{person}@example.org"
        terms = index_terms([key, subject, "Ann", address, texts[0], texts[2]])
        made: list[tuple[str, dict[str, Any]]] = [("ticket_search", {"ticket_id": number, "terms": terms})]
        if number % 2:
            made.append(("requester", {"id": person, "name": "Ann", "language": "en", "created_at": when}))
            made.append(("address", {"key": address, "address": address,
                                     "requester_id": person, "undeliverable_why": ""}))  # fmt: skip
        made.append(("ticket", {
            "id": number, "key": key, "subject": subject,
            "status": "new" if waiting else "closed", "waiting_for": "us" if waiting else "nobody",
            "waiting_since": when if waiting else None, "priority": dice.choice(("normal", "normal", "high", "urgent")),
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
                "from_name": "Ann", "from_address": address, "to_address": "support@example.com",
                "subject": "Deposit", "text": texts[place], "new_text": texts[place],
                "at": when, "trust": "", "mark": "", "language": "en", "secrets": "[]",
                "incoming_id": number if not place else None, "raw_digest": digest if not place else None,
            }))  # fmt: skip
        made.append(("outgoing", {
            "id": number, "ticket_id": number, "message_row": 3 * number - 1, "cause_id": number,
            "kind": "acknowledgement", "rank": 5, "envelope_from": "support@example.com",
            "recipient": address, "recipient_key": address,
            "recipient_domain": "example.org", "subject": "Re: Deposit", "message_id": f"<{key}.1@example.com>",
            "wire": b"From: support@example.com\r\n\r\nThank you.\r\n", "verified": 1, "state": "sent", "reason": "",
            "attempts": 1, "created_at": when, "next_attempt_at": when, "sent_at": when, "last_error": "",
            "sent_again": 0, "counted_at": when,
        }))  # fmt: skip
        made.append(("event", {"id": number, "ticket_id": number, "at": when, "kind": "opened", "actor": "mailticket",
                               "detail": "new"}))  # fmt: skip
        yield made


def _drain(site: Installation, mails: int, server: Postgres | None) -> tuple[float, float]:
    """Milliseconds of processor time a mail, the daemon's and the database server's, for so many new mails."""
    before = site.newest()
    site.start()
    began, began_there = site.cpu(), server_cpu(server)
    site.wait_idle(mails, after=before)
    spent, spent_there = site.cpu() - began, server_cpu(server) - began_there
    site.stop()
    return 1000 * spent / mails, 1000 * spent_there / mails


def server_cpu(server: Postgres | None) -> float:
    """Seconds of processor time that a PostgreSQL server has taken, its ended processes included."""
    if server is None or server._process is None:
        return 0.0
    main = server._process.pid
    children = [int(child) for child in Path(f"/proc/{main}/task/{main}/children").read_text().split()]
    ticks = 0
    for process, fields in ((main, slice(11, 15)), *((child, slice(11, 13)) for child in children)):
        with suppress(FileNotFoundError, ProcessLookupError):
            ticks += sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[fields]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(tickets: int, mails: int, seed: int, server: Postgres | None) -> dict[str, float]:
    """Costs and commands on SQLite, or on this PostgreSQL server. Mails go into the empty and the full database by
    turns, two times, and the lower cost of each counts."""
    figures: dict[str, float] = {"tickets": tickets, "messages": 3 * tickets}
    urls = [server.database() if server else "" for _ in range(2)]
    sink = Sink()
    with (
        dovecot() as imap,
        Installation(imap.plain_port, ["full@example.com"], sink.port, url=urls[0]) as full,
        Installation(imap.plain_port, ["empty@example.com"], sink.port, url=urls[1]) as empty,
    ):
        empty.cli("status")  # which makes the tables
        began = time.monotonic()
        fill(full.url, tickets, "full", seed)
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
        costs: dict[str, list[tuple[float, float]]] = {"full": [], "empty": []}
        for turn in range(2):
            made = list(Post(seed + turn, f"turn{turn}").mails(mails))
            for user, site in (("empty", empty), ("full", full)):
                imap.deliver(made, f"{user}@example.com")
                costs[user].append(_drain(site, mails, server))
        for user, runs in costs.items():
            figures[f"ms_a_mail_{user}"] = round(min(ours for ours, _ in runs), 2)
            if server:
                figures[f"server_ms_a_mail_{user}"] = round(min(theirs for _, theirs in runs), 2)
        figures["ratio"] = round(min(map(sum, costs["full"])) / min(map(sum, costs["empty"])), 3)
        figures["list_first_line_s"] = round(min(full.timed("ticket", "list", "--json", first_line=True)
                                                 for _ in range(3)), 2)  # fmt: skip
        words = _language(seed)[0]
        sought = (words[0], words[1], words[200], words[300])
        for name, command in _COMMANDS.items():
            runs = [full.costs(*(word.format(*sought) for word in command)) for _ in range(3)]
            for what, values in zip(("s", "processor_s", "mb"), zip(*runs, strict=True), strict=True):
                figures[f"{name}_{what}"] = round(min(values), 2)
    sink.close()
    return figures


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--tickets", type=int, default=1_000_000)
    options.add_argument("--mails", type=int, default=500)
    options.add_argument("--seed", type=int, default=3)
    options.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    given = options.parse_args()
    if given.database != "postgres":
        print(json.dumps({"database": "sqlite", **measure(given.tickets, given.mails, given.seed, None)}), flush=True)
    if given.database == "sqlite":
        return
    if not Postgres.available():
        raise SystemExit("PostgreSQL is not measured: its server programs (initdb, postgres) are not installed")
    server = Postgres()
    try:
        figures = measure(given.tickets, given.mails, given.seed, server)
        print(json.dumps({"database": "postgres", **figures}), flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
