"""What `check` says of the desk: members and what can prove them, teams and leads, ready answers."""

from __future__ import annotations

import pwd
from collections.abc import Iterator

from mailticket.config.canned import canned_flaws, canned_names
from mailticket.settings import Settings
from mailticket.text.clean import counted
from mailticket.topics.exchange import categories_of


def desk_mistakes(settings: Settings) -> Iterator[str]:
    """What keeps the daemon from starting: each with what to do."""
    known = [category.name for category in categories_of(settings.category)]
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
    yield from _unproved(settings)
    yield from _leaderless(settings)
    yield from _sent_notes(settings)


def _unproved(settings: Settings) -> Iterator[tuple[str, str]]:
    """Members who could never prove that a mail is theirs: `proof = "verified"` asks for what nothing here can give."""
    desk = settings.desk
    if desk.proof != "verified" or settings.trust.authserv_id or desk.internal_header:
        return
    names = ", ".join(member.name for member in settings.staff)
    if names:
        yield (
            f'[desk] proof = "verified", and nothing can verify a mail of {names}: each of their answers is asked back',
            'set [trust] authserv_id or [desk] internal_header, or write proof = "mark"',
        )


def _leaderless(settings: Settings) -> Iterator[tuple[str, str]]:
    """Teams whose last warnings go to nobody."""
    for team in settings.team:
        if not team.lead:
            yield (
                f"[[team]] {team.name!r} has no lead, who would hear of promises about to break, and of what a "
                "member whom mail does not reach should have got",
                "name one of staff as its lead",
            )


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
    return "; ".join([*parts, *([counted(len(ready), "ready answer")] if ready else [])])


def _is_account(login: str) -> bool:
    try:
        pwd.getpwnam(login)
    except KeyError:
        return False
    return True
