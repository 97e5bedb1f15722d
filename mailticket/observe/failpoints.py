"""Named places at which tests stop the program, to show that a kill at any of them is as safe as a stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter

FAILPOINTS = (
    "collect.listed",  # rows of new UIDs are committed, no body was fetched
    "collect.fetched",  # bodies are in memory, nothing of them is stored
    "intake.attempted",  # the attempt is committed, the mail not yet read
    "intake.in_transaction",  # a mail's rows are written, not committed
    "intake.committed",  # the transaction is durable, the server's copy untouched
    "collect.flagged",  # the server's copy is flagged or moved, our record of that is not written
    "collect.answered",  # the server's copy is flagged as answered, our record of that is not written
    "collect.saved",  # an answer lies in the folder of sent mail, our record of that is not written
    "outbox.claimed",  # a row is claimed, no connection was made
    "outbox.begun",  # "data begun" is committed, no byte of the message was sent
    "outbox.accepted",  # the SMTP server said 250, the outcome is not written
    "outbox.recorded",  # the outcome is durable
)
OF_TOKENS = (
    "oauth2.asking",  # the lease on a refresh token is committed, the provider not yet asked
    "oauth2.received",  # the provider has given a new refresh token, nothing of it is stored
    "oauth2.stored",  # the new refresh token is durable, the access token that came with it not yet used
)
OF_RIGHTS = (
    "forget.begun",  # who is to be forgotten is on record, nothing of theirs is gone
    "forget.ticket",  # they are out of one ticket
    "forget.filed",  # and out of all tickets and of what was filed
    "forget.swept",  # and out of every text of every table, but on record
    "forget.finished",  # and out of every row; their bytes may still lie between the rows
)
VARIABLE = "MAILTICKET_FAIL"  # name[:count[:kill|raise|hang|stop|pause]], e.g. intake.committed:3:kill

HURRY = "MAILTICKET_HURRY"  # so many times sooner a silent host counts as dead, so that tests take seconds

_seen: Counter[str] = Counter()


class InjectedFault(Exception):
    """What the action `raise` raises: a defect in our own code, as far as its surroundings can tell."""


def failpoint(name: str) -> None:
    """Do what the environment asks for at this place; without MAILTICKET_FAIL, nothing."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    place, _, rest = wanted.partition(":")
    count, _, action = rest.partition(":")
    if place != name:
        return
    _seen[name] += 1
    if _seen[name] != int(count or "1"):
        return
    if action == "raise":
        raise InjectedFault(name)
    if action == "hang":
        sys.stderr.write(f"hanging at {name}\n")  # a busy machine may take long to come here
        sys.stderr.flush()
        threading.Event().wait()
    if action == "stop":
        os.kill(os.getpid(), signal.SIGTERM)
        return
    if action == "pause":
        # Until SIGCONT. To this thread, or another may take the signal, and this one goes on for a moment.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return
    os.kill(os.getpid(), signal.SIGKILL)


def hurried(seconds: float) -> float:
    """A time that hosts which share a database give each other; without MAILTICKET_HURRY it stays as it is."""
    return seconds / float(os.environ.get(HURRY, "1"))
