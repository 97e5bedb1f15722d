"""What goes wrong with servers and networks, in words for a person."""

from __future__ import annotations

import ssl

from imapclient.exceptions import IMAPClientError

from mailticket.errors import MailticketError
from mailticket.text.clean import one_line

TROUBLE = (
    *(IMAPClientError, OSError),
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, AssertionError),
)
"""What imaplib and IMAPClient raise when servers or networks misbehave.

The second line is what their parsers, which trust the server, raise on nonsense; a fuzz test found some of it.
"""

_LONGEST = 300


def why(error: BaseException) -> str:
    """The reason of an error as one harmless line of at most 300 characters: servers choose this text."""
    return one_line(_reason(error), _LONGEST)


def _reason(error: BaseException) -> str:
    if isinstance(error, MailticketError):
        return str(error)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return str(error) or type(error).__name__
