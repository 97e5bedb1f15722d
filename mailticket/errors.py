"""Whose fault it is: the mail's, the world's, or ours. The class of an error decides what happens to the work."""

from __future__ import annotations


class MailticketError(Exception):
    """Base of everything that mailticket raises on purpose; its text is one sentence for a person."""


class ConfigurationError(MailticketError):
    """The configuration cannot be used (exit code 78). Carries every problem found, each with its key and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class WorldError(MailticketError):
    """Something outside is not as it should be just now: disk, database, server. Try again later (exit code 75)."""


class StoreUnavailable(WorldError):
    """The database cannot be read or written now: locked, full, read-only, gone."""


class StoreFull(StoreUnavailable):
    """The disk below the database is full, or so nearly that we leave the rest of it to what must be written."""


class StoreDamaged(StoreUnavailable):
    """The database file is not what we wrote: only a person with a backup can help (exit code 78)."""


class Fenced(StoreUnavailable):
    """Another host does now what we were about to do, for we were not heard from or gave it away: leave it alone."""


class MailboxUnavailable(WorldError):
    """The IMAP server cannot be used now; the connection is to be thrown away."""


class SignInRefused(MailboxUnavailable):
    """The IMAP server, or the provider of its tokens, refused us: trying fast would only lock the account.

    code, remedy: which refusal of `refusals` it is and what mends it; "" for a password that is refused.
    """

    def __init__(self, text: str, code: str = "", remedy: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.remedy = remedy


class CommandRefused(MailboxUnavailable):
    """The IMAP server said no to one command (a flag, a move, a folder); the connection itself is still good."""


class AlreadyRunning(WorldError):
    """Another process holds the lock of this database (exit code 75)."""


class NotAllowed(MailticketError):
    """The account that runs a command may not read what the command needs (exit code 77)."""


class NotFound(MailticketError):
    """A person named a ticket, mail or row that does not exist."""


class Refused(MailticketError):
    """A person asked for something that the state of a ticket or row does not allow."""
