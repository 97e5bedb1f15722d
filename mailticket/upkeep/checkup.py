"""Is everything as it should be: configuration, templates, database, servers, conservation; and what to do if not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from mailticket.config.rights import work_as_owner
from mailticket.errors import MailticketError
from mailticket.oauth2.state import Standing, standings
from mailticket.settings import Settings, SignIn
from mailticket.store import overview, restored, schema, tombstones
from mailticket.store.engine import Database
from mailticket.text.clean import counted
from mailticket.upkeep.account import Account
from mailticket.upkeep.brand_findings import brand_findings
from mailticket.upkeep.readiness import Finding, account_for, in_part, password_or_trouble, readiness
from mailticket.upkeep.state import hosts_face
from mailticket.upkeep.troubles import CHECK, Life, life, troubles


def check_state(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    """What is wrong, and whether every mail that was listed is accounted for (promise 1)."""
    with database.read() as session:
        figures = overview.figures(session, now, now - timedelta(days=7))
        table = overview.conservation(session)
        sign = life(session, settings, now)
        everyone = hosts_face(session, settings, now)
        wrong = troubles(session, settings, database, now)
        consents = standings(session, settings)
        names = list(brand_findings(session, settings, now, now - timedelta(days=7)))
        back = tombstones.returned(session) if restored.restored_at(session) is not None else []
    for trouble in wrong:
        remedy = "" if trouble.remedy == CHECK else trouble.remedy  # which this is
        yield Finding("wrong", trouble.name, f"{trouble.text} (since {_moment(trouble.since)})", remedy)
    yield from _signs_of_life(sign)
    for host in everyone if len(everyone) > 1 else ():
        held = ", ".join(mailbox["name"] for mailbox in host["mailboxes"]) or "no mailbox"
        yield Finding("ok", f"host {host['name']}", f"holds {held} (process {host['pid']}, {host['version']})")
    yield from _consents(consents)
    yield from names
    for route, states in table.items():
        listed = sum(states.values())
        parts = " + ".join(f"{number} {state}" for state, number in sorted(states.items()) if state != "listed")
        waiting = f" + {states['listed']} pending" if states.get("listed") else ""
        yield Finding("ok", f"mail of {route}", f"{listed} listed = {parts or '0'}{waiting}")
    if back:
        yield Finding("wrong", "forgotten", f"a restored backup brought back who had been forgotten: {', '.join(back)}",
                      "mailticket person forget --again")  # fmt: skip
    if figures.unclaimed_bounces:
        reports = counted(figures.unclaimed_bounces, "delivery report belongs", "delivery reports belong")
        yield Finding("note", "filed", f"{reports} to no letter of ours",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if figures.filed_named_us:
        mails = counted(figures.filed_named_us, "mail")
        yield Finding("note", "filed", f"{mails} of the last 7 days named us and became no ticket",
                      "see `mailticket mail list --filed`; release or dismiss them")  # fmt: skip
    if number := figures.outgoing.get("uncertain"):
        yield Finding("note", "outbox", f"{counted(number, 'mail')} may or may not have been accepted",
                      "see `mailticket outbox list --state uncertain`; retry or cancel them")  # fmt: skip


def _signs_of_life(sign: Life) -> Iterator[Finding]:
    """What is no trouble: somebody lives, nobody has lived yet, or somebody was stopped just now."""
    if sign.beat is None:
        yield Finding("note", "daemon", "no daemon has run on this database yet: nobody collects mail",
                      "systemctl enable --now mailticket")  # fmt: skip
    elif sign.rests:
        yield Finding("note", "daemon", f"it was stopped {_moment(sign.beat.stopped_at)}",
                      "systemctl start mailticket")  # fmt: skip
    elif sign.alive:
        yield Finding("ok", "daemon", sign.words)


def _consents(consents: Sequence[Standing]) -> Iterator[Finding]:
    """How old each consent is, and when it or its secret ends; what is refused now is said where it signs in."""
    for standing in consents:
        row, name = standing.row, f"oauth2 {standing.names[0]}"
        if row is None:
            if standing.account.needs_person:
                yield Finding("wrong", name, "nobody has consented yet", standing.account.case.login)
            continue
        ages = f"consent of {row.consented_at:%Y-%m-%d}" if row.consented_at else "consent"
        if row.rotated_at and standing.account.needs_person:
            ages += f", refresh token of {_moment(row.rotated_at)}"
        end = standing.next_end
        yield Finding("ok", name, ages + (f"; the {end.what} ends on {end.at:%Y-%m-%d}" if end else ""))


def _moment(at: datetime | None) -> str:
    """A time in the zone of this machine, whose name stands beside it, as on every screen."""
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}" if at else "its beginning"


def check_all(
    settings: Settings, configuration: Path | None, now: datetime, *, offline: bool, deep: bool
) -> Iterator[Finding]:
    """Everything, in the order in which one would mend it. configuration: the file that the settings came from.

    Root looks at files through the eyes of the daemon's account, and then becomes it. Raises NotAllowed for a stranger.
    """
    if os.geteuid() != 0:
        work_as_owner(settings)
    account = account_for(settings, configuration)
    yield from readiness(settings, configuration, account, deep=deep)
    stored = {} if offline else _stored_passwords(settings, account)
    work_as_owner(settings)
    with _database_with_tables(settings) as database:
        if database is not None:
            yield from in_part("Mail", check_state(settings, database, now))
        if not offline:
            from mailticket.upkeep.servers import check_servers

            yield from in_part("Servers", check_servers(settings, database, account, stored))


def _stored_passwords(settings: Settings, account: Account) -> dict[SignIn, str | Finding]:
    """The passwords that lie in files, or what is wrong with them; tokens are left alone. Root reads them, for systemd
    gives the unit some that nobody else may read."""
    everybody = settings.sign_ins
    servers = [server for server in everybody if not server.oauth2_token_command and server.auth == "password"]
    return {server: password_or_trouble(server, account) for server in servers}


@contextmanager
def _database_with_tables(settings: Settings) -> Iterator[Database | None]:
    """The database, if there is something in it to look at; None where `readiness` has said what is wrong with it."""
    database = None
    try:
        database = Database(settings.database.url)
        # A SQLite file is not made by looking.
        absent = database.file is not None and not database.file.is_file()
        usable = not absent and schema.fits(database)
    except MailticketError:
        usable = False
    try:
        yield database if usable else None
    finally:
        if database is not None:
            database.close()
