"""What is not as it should be: one list for `status`, `check`, the metrics and the alerts, with what mends each.

Some of it is written down where it happens, in the health table: a server that refuses us, a chore that fails, a clock
that leaps. The rest is seen in the tables themselves whenever somebody looks, so that it is true also when nobody is
left to write anything down.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mailticket import observe
from mailticket.errors import StoreFull, StoreUnavailable
from mailticket.letters import Trouble
from mailticket.models import Health, Host
from mailticket.oauth2.state import ending
from mailticket.settings import Mailbox, Settings, keeper_of
from mailticket.store import Session, desk_mail, hosts, meta, outgoing, restored, tombstones, watch
from mailticket.store.engine import Database
from mailticket.text.clean import counted

if TYPE_CHECKING:  # `status` looks for troubles without the letters and categories of a site
    from mailticket.site import Site

log = logging.getLogger("mailticket.upkeep.troubles")

LEAST_DISK = 500 * 1024 * 1024  # bytes free beside the database, below which it is a trouble
LEAST_ROOM = 64 * 1024 * 1024  # below which intake pauses
_SILENT = timedelta(minutes=5)  # a daemon writes a sign of life each minute
_STUCK = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_LOOKS = 3  # of a mailbox that may fail to be written down
_LEAST_LIMIT = timedelta(minutes=10)
_MANY = 3  # people whose mail is put off before it counts as the server's trouble
LIFELESS = "daemon"  # the trouble that nobody can tell of by mail
_ANSWER = "answer to "
_STRAY = "mail of "
_CONSENT = "oauth2 "
_UNREACHABLE = "desk mail to "
_FORGETTING = "forgetting"
_HOST = "host "
_CLOCK = "clock of "
_CLOCK_SECONDS = 60.0  # by which a host's clock may differ from the database's
_SEEN = ("intake", "outbox", "quarantine", "answers", "promises missed", "promises slipping", "follow-ups",
         _FORGETTING)  # fmt: skip
SMTP = "smtp"
CHECK = "mailticket check"  # the remedy where the trouble is with signing in
_REMEDIES = {
    SMTP: CHECK,
    "clock": "set the clock right, then: systemctl restart mailticket; rules of age pause meanwhile",
    "delivery": "journalctl -u mailticket; report the lines; mailticket outbox list --state deferred",
    "disk": "make room; intake goes on by itself",
    restored.PART: "mailticket outbox list --withheld; then: mailticket restore --go",
}


def free_bytes(folder: Path) -> int:
    """How much room a folder's disk has for us."""
    return shutil.disk_usage(folder).free


def note_defect(site: Site, name: str, error: Exception) -> None:
    """Write down that a part met a defect of ours; the log, which names the place, is the caller's."""
    log.exception("%s: a defect", name, exc_info=error)
    with suppress(StoreUnavailable), site.database.write() as session:
        meta.went_wrong(session, name, site.clock(), observe.defect(error))


class Room:
    """Watches the disk for those who write much: what is short is written down at once, while that can be."""

    def __init__(self, free_bytes: Callable[[Path], int] = free_bytes) -> None:
        self._free_bytes = free_bytes
        self._was_short = False

    def check(self, site: Site) -> None:
        """Note that the disk fills, or does no more. Raises StoreFull when what is left is needed for what must be
        written: outcomes of deliveries, answers, the alert."""
        text = short_of_room(site.database, self._free_bytes)
        if bool(text) != self._was_short:
            note_disk(site, text)
            self._was_short = bool(text)
        file = site.database.file
        if text and file is not None and self._free_bytes(file.resolve().parent) < LEAST_ROOM:
            raise StoreFull(f"{text}; intake pauses")


def note_disk(site: Site, text: str) -> None:
    """Write down at once that the disk is full or fills, if that can be written; "" that it has room again."""
    if text:
        log.error("%s", text)
    with suppress(StoreUnavailable), site.database.write() as session:
        if text:
            meta.went_wrong(session, "disk", site.clock(), text)
        elif meta.is_unwell(session, "disk"):
            meta.went_well(session, "disk", site.clock())


def is_seen(name: str) -> bool:
    """Whether a trouble of this name is seen in the tables, so that nobody else writes or ends it."""
    return name in _SEEN or name.startswith((_ANSWER, _STRAY, _CONSENT, _UNREACHABLE, _HOST, _CLOCK))


@dataclass(frozen=True, slots=True)
class Life:
    """Whether anybody collects mail: the newest sign of life, and whether it is fresh.

    rests: it is not, but the daemon was stopped in order so little a time ago that somebody is at work on it.
    """

    beat: Host | None
    alive: bool = False
    rests: bool = False

    @property
    def words(self) -> str:
        """Who lives, in a few words."""
        if self.beat is None:
            return ""
        since = f"{self.beat.started_at:%Y-%m-%d %H:%M} UTC"
        if self.beat.kind == "round":
            return f"the last round of `run --once` began {since} on {self.beat.name}"
        return f"runs since {since} on {self.beat.name} (process {self.beat.pid}, {self.beat.version})"


def life(session: Session, settings: Settings, now: datetime) -> Life:
    """A daemon lives while it beats; a round of `run --once` counts until the next one is overdue."""
    beats = hosts.recent(session)
    if not beats:
        return Life(None)
    at = hosts.shared_time(session, now)
    alive = [beat for beat in beats if is_alive(beat, settings, at)]
    if alive:
        return Life(max(alive, key=lambda beat: (beat.kind == "daemon", beat.started_at)), alive=True)
    stopped = beats[0].stopped_at if beats[0].kind == "daemon" else None
    grace = timedelta(minutes=settings.alerts.after_minutes)
    return Life(beats[0], rests=stopped is not None and abs(at - stopped) <= grace)


def is_alive(beat: Host, settings: Settings, at: datetime) -> bool:
    """Whether a host counts as alive; at: the time that all who share the database agree on."""
    limit = _SILENT if beat.kind == "daemon" else timedelta(minutes=settings.alerts.round_minutes)
    fresh = abs(at - beat.beat_at) <= limit  # one from the future tells of a clock, not of life
    return fresh and (beat.kind == "round" or (beat.stopped_at is None and beat.dead_at is None))


def troubles(
    session: Session, settings: Settings, database: Database, now: datetime,
    free_bytes: Callable[[Path], int] = free_bytes,
) -> list[Trouble]:  # fmt: skip
    """All that is wrong now, the worst first."""
    sign = life(session, settings, now)
    names = parts_of(settings)
    rows = {row.name: row for row in meta.health(session) if _is_of_use(row.name, names)}
    everything = [
        *_lifeless(sign),
        *_given_up(session),
        *_clocks(session),
        *_disk(database, now, free_bytes),
        *_written_down(rows.values(), now),
        *ending(session, settings, now),
        *(_silent(settings, rows, sign, now) if sign.alive else ()),
        *_stuck(session, settings, now),
        *_lost(session),
        *_late(session, settings, now),
        *_strays(session, settings),
        *_unreachable(session, settings),
        *_half_forgotten(session),
    ]
    first: dict[str, Trouble] = {}
    for trouble in everything:
        first.setdefault(trouble.name, trouble)
    return list(first.values())


def _is_of_use(name: str, parts: Sequence[str]) -> bool:
    return not is_seen(name) and not is_past(name, parts)


def parts_of(settings: Settings) -> list[str]:
    """What the parts are called that the settings name: mailboxes, and the submission servers of brands."""
    servers = [f"{SMTP} {account}" for account in settings.accounts if account]
    return [*(f"mailbox {mailbox.name}" for mailbox in settings.watched), *servers]


def is_past(name: str, parts: Sequence[str]) -> bool:
    """Whether this names a mailbox or a brand's submission server that is none of the configured parts."""
    if name.startswith(f"{SMTP} "):
        return not any(name == part or hosts.is_of(name, part) for part in (SMTP, *parts))
    return name.startswith("mailbox ") and name not in parts


def _lifeless(sign: Life) -> Iterator[Trouble]:
    beat = sign.beat
    if beat is None or sign.alive or sign.rests:
        return
    where = f"process {beat.pid} on {beat.name}"
    if beat.kind == "round":
        text = f"nobody collects mail: the last `mailticket run --once` was on {beat.name}"
        remedy = "systemctl list-timers (does its timer run?); [alerts] round_minutes says how rare rounds may be"
        yield Trouble(LIFELESS, text, beat.beat_at, remedy)
    elif beat.stopped_at is not None:
        yield Trouble(LIFELESS, f"nobody collects mail: the daemon ({where}) was stopped", beat.stopped_at,
                      "systemctl start mailticket")  # fmt: skip
    else:
        yield Trouble(LIFELESS, f"nobody collects mail: the daemon ({where}) gives no sign of life", beat.beat_at,
                      "systemctl restart mailticket; why it ended: journalctl -u mailticket")  # fmt: skip


def _given_up(session: Session) -> Iterator[Trouble]:
    """Daemons that others gave up, on machines where none was started since."""
    rows = hosts.recent(session)
    for name in dict.fromkeys(host.name for host in rows):
        last = max((host for host in rows if host.name == name), key=lambda host: int(host.id or 0))
        if last.kind == "daemon" and last.dead_at is not None:
            yield Trouble(f"{_HOST}{name}", f"its daemon (process {last.pid}) gave no sign of life any more",
                          last.beat_at, f"on {name}: systemctl restart mailticket; why it ended: "
                          "journalctl -u mailticket")  # fmt: skip


def _clocks(session: Session) -> Iterator[Trouble]:
    for host in hosts.living(session):
        if abs(host.clock_ahead) > _CLOCK_SECONDS:
            way = "ahead of" if host.clock_ahead > 0 else "behind"
            yield Trouble(f"{_CLOCK}{host.name}", f"it is {abs(host.clock_ahead):.0f} s {way} the database's",
                          host.started_at, f"on {host.name}: timedatectl set-ntp true")  # fmt: skip


def _disk(database: Database, now: datetime, free_bytes: Callable[[Path], int]) -> Iterator[Trouble]:
    if text := short_of_room(database, free_bytes):
        yield Trouble("disk", text, now, _REMEDIES["disk"])


def short_of_room(database: Database, free_bytes: Callable[[Path], int] = free_bytes) -> str:
    """What is to be said of the disk beside a SQLite database; "" while it has room, and for PostgreSQL."""
    free = free_bytes(database.file.resolve().parent) if database.file is not None else LEAST_DISK
    return f"only {free // 1024**2} MB are free beside the database" if free < LEAST_DISK else ""


def _written_down(rows: Iterable[Health], now: datetime) -> Iterator[Trouble]:
    for row in rows:
        if row.error:
            remedy = _REMEDIES.get(row.name, CHECK if row.name.startswith("mailbox ") else "")
            if row.name.startswith(f"{SMTP} "):  # of one host
                remedy = CHECK
            if row.name.startswith(watch.CHORE):
                remedy = "journalctl -u mailticket; report the lines. The other chores are done all the same"
            yield Trouble(row.name, row.error.removeprefix(f"{row.name}: "), row.error_since or now, remedy)


def limit_of(mailbox: Mailbox) -> timedelta:
    """How old the last success of a mailbox may be: three looks, each with the time that a server may take, and at
    least ten minutes."""
    return max(_LEAST_LIMIT, _LOOKS * timedelta(seconds=mailbox.poll_seconds + mailbox.timeout_seconds))


def _silent(settings: Settings, rows: dict[str, Health], sign: Life, now: datetime) -> Iterator[Trouble]:
    """Mailboxes that tell of no trouble and of no success either, though something lives."""
    assert sign.beat is not None
    between = timedelta(minutes=settings.alerts.round_minutes) if sign.beat.kind == "round" else timedelta(0)
    for mailbox in settings.watched:
        row = rows.get(f"mailbox {mailbox.name}")
        keeper = rows.get(f"mailbox {keeper_of(mailbox.name)}")  # while that is in trouble, nobody looks at its Sent
        last = row.last_success_at if row else None
        since = last or sign.beat.started_at
        if (row and row.error) or (keeper and keeper.error) or now - since <= limit_of(mailbox) + between:
            continue
        text = "no look at it has succeeded" if last else "no look at it since the daemon began"
        yield Trouble(f"mailbox {mailbox.name}", text, since,
                      "systemctl reload mailticket; if it stays so: systemctl restart mailticket")  # fmt: skip


def _stuck(session: Session, settings: Settings, now: datetime) -> Iterator[Trouble]:
    """Mail that does not move, and mail that waits for a person."""
    number, since = watch.oldest_listed(session, [mailbox.name for mailbox in settings.watched])
    if since and since <= now - _STUCK:
        yield Trouble(
            "intake", f"{counted(number, 'mail waits', 'mails wait')} to be taken in", since, "journalctl -u mailticket"
        )
    due, since = outgoing.overdue(session, now - _STUCK)
    if since:
        yield Trouble(
            "outbox", f"{counted(due, 'mail is', 'mails are')} due and not sent", since, "journalctl -u mailticket"
        )
    people, since = watch.refused_by_all(session)
    if people >= _MANY and since and since <= now - _STUCK:
        text = f"the server puts off the mail to all of {people} people and accepts none"
        yield Trouble("outbox", text, since, "mailticket outbox list --state deferred")
    number, since = watch.quarantined(session)
    if number:
        yield Trouble("quarantine", f"{counted(number, 'mail lies', 'mails lie')} in quarantine", since or now,
                      "mailticket quarantine list; then retry, release or discard")  # fmt: skip
    if number := watch.capped(session, now - _HOUR):
        text = f"the cap for all is reached: {counted(number, 'answer was', 'answers were')} held back in the last hour"
        yield Trouble("answers", text, now, "mailticket outbox list --withheld (a flood? a loop?), and [caps]")


def _lost(session: Session) -> Iterator[Trouble]:
    for answer in watch.lost_answers(session):
        writer = f" of {answer.writer}" if answer.writer else ""
        text = f"the answer{writer} did not reach {answer.recipient}: {answer.error}"
        remedy = f"mailticket ticket show {answer.key}; then answer by another way, or close it"
        yield Trouble(f"{_ANSWER}{answer.key}", text, answer.at, remedy)


def _late(session: Session, settings: Settings, now: datetime) -> Iterator[Trouble]:
    queue = "mailticket ticket list --waiting us"
    past = watch.missed(session, now)
    if past.since:
        text = f"{counted(past.number, 'promised answer is', 'promised answers are')} late, the first {past.key}"
        yield Trouble("promises missed", text, past.since, queue)
    warning = timedelta(hours=settings.promise.warn_staff_hours)
    soon = watch.slipping(session, now, now + warning)
    if soon.since:
        due = f"{soon.since:%Y-%m-%d %H:%M} UTC"
        answers = counted(soon.number, "promised answer is", "promised answers are")
        text = f"{answers} about to be late, the next {soon.key}, due {due}"
        yield Trouble("promises slipping", text, soon.since - warning, queue)
    again = watch.waiting_again(session)
    limit = timedelta(hours=settings.desk.followup_hours)
    if again.since and now - again.since > limit:
        people = counted(again.number, "requester")
        text = f"of {people} who wrote again after an answer, {again.key} has waited too long"
        yield Trouble("follow-ups", text, again.since + limit, queue)


def _unreachable(session: Session, settings: Settings) -> Iterator[Trouble]:
    """Members whom desk mail does not reach; others get it meanwhile."""
    rows = desk_mail.members(session) if settings.staff else {}
    for member in settings.staff:
        row = rows.get(member.name)
        if row is not None and row.unreachable_since is not None:
            text = f"{member.addresses[0]} does not take it: {row.unreachable_why}"
            yield Trouble(f"{_UNREACHABLE}{member.name}", text, row.unreachable_since,
                          f"mend the address, then: mailticket staff test {member.name}")  # fmt: skip


def _half_forgotten(session: Session) -> Iterator[Trouble]:
    for row in tombstones.unfinished(session):
        text = "forgetting a person was begun and not finished"
        if not row.keys:
            text = "a person was forgotten, and their bytes may still lie between the rows of the database"
        yield Trouble(_FORGETTING, text, row.begun_at, "mailticket person forget --again")


def _strays(session: Session, settings: Settings) -> Iterator[Trouble]:
    for name, (number, since) in watch.strays(session, [mailbox.name for mailbox in settings.watched]).items():
        mails = counted(number, "mail was", "mails were")
        text = f"{mails} listed and not taken in, and this mailbox is not configured any more"
        yield Trouble(f"{_STRAY}{name}", text, since, f"configure it again, or: mailticket mail give-up {name}")
