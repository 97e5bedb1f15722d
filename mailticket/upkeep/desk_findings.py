"""What `check` says of the desk: members, teams, ready answers, and keys that have no effect yet."""

from __future__ import annotations

import pwd
from collections.abc import Iterator

from mailticket.config.canned import canned_flaws, canned_names
from mailticket.settings import Section, Settings
from mailticket.topics.exchange import trade_of

_OF_DESK_MAIL = ("proof", "internal_header", "new", "digests", "hold_seconds", "mark_days", "per_person_hour",
                 "per_person_answers_hour")  # fmt: skip


def desk_mistakes(settings: Settings) -> Iterator[str]:
    """What keeps the daemon from starting: each with what to do."""
    known = [category.name for category in trade_of(settings.category).categories]
    for team in settings.team:
        for name in team.categories:
            if name not in known:
                yield f"[[team]] {team.name!r} names the category {name!r}; there are: {', '.join(known)}"
    yield from canned_flaws(settings.desk.canned)


def desk_notes(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is weaker than it looks, and what to do about it."""
    for member in settings.staff:
        if member.login and not _is_account(member.login):
            yield (
                f"[[staff]] {member.name!r} has login = {member.login!r}, and this machine has no such account",
                "correct it, or make the account: adduser " + member.login,
            )
    yield from _sent_notes(settings)
    changed = [key for key in _OF_DESK_MAIL if _is_changed(settings.desk, key)]
    if changed:
        yield f"[desk] {', '.join(changed)}: without effect, for this release sends no mail to staff", ""


def _is_changed(table: Section, key: str) -> bool:
    return bool(getattr(table, key) != type(table).model_fields[key].get_default())


def _sent_notes(settings: Settings) -> Iterator[tuple[str, str]]:
    """What does not go together where people work in the mailbox itself."""
    for mailbox in settings.mailbox:
        if mailbox.sent_folder and mailbox.afterwards == "seen":
            yield (
                f'mailbox {mailbox.name} is answered from a mail program, and afterwards = "seen" marks its mail as '
                "read before people have read it",
                'write afterwards = "keep"',
            )
        if mailbox.save_sent and not mailbox.sent_folder:
            yield (
                f"mailbox {mailbox.name} has save_sent = true and no sent_folder: no answer is saved",
                'write sent_folder = "auto", or the name of the folder',
            )


def desk_summary(settings: Settings) -> str:
    """Who works the desk, in a few words; "" for nobody in particular."""
    if not settings.staff:
        return ""
    ready = canned_names(settings.desk.canned)
    parts = [f"{len(settings.staff)} of staff", f"teams: {', '.join(team.name for team in settings.team) or 'none'}"]
    return "; ".join([*parts, *([f"{len(ready)} ready answers"] if ready else [])])


def _is_account(login: str) -> bool:
    try:
        pwd.getpwnam(login)
    except KeyError:
        return False
    return True
