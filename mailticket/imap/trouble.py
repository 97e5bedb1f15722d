"""What goes wrong with servers and networks, in words for a person."""

from __future__ import annotations

import ssl

from imapclient.exceptions import IMAPClientError

TROUBLE = (
    *(IMAPClientError, OSError),
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, AssertionError),
)
"""What imaplib and IMAPClient raise when servers or networks misbehave.

The second line is what their parsers, which trust the server, raise on nonsense; a fuzz test found some of it.
"""

_LONGEST = 300


def why(error: BaseException) -> str:
    """The reason of an error as one printable line of at most 300 characters."""
    return _printable(_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message}); ca_file names a private authority"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return str(error) or type(error).__name__


def _printable(text: str) -> str:
    """Safe on a terminal and in a log: servers choose this text, and may choose control or bidirectional characters."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 2 * _LONGEST])
    return " ".join(printable.split())[:_LONGEST]
