"""Which files of a staff mail leave with its answer: its own, not the logos of a signature nor what was sent back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailticket.mail.values import Attachment


@dataclass(frozen=True, slots=True)
class StaffFiles:
    """The files of a staff mail, parted. leave: to the requester. logos: inline pictures seen before, and what programs
    add to each mail. returned: the requester's own, that the program of the member sent back with the quote."""

    leave: tuple[Attachment, ...] = ()
    logos: tuple[Attachment, ...] = ()
    returned: tuple[Attachment, ...] = ()


def staff_files(attachments: Sequence[Attachment], seen: Collection[str], ours: Collection[str] = ()) -> StaffFiles:
    """Part the files of a staff mail. seen: SHA-256 of the inline pictures in the member's earlier mails. ours: SHA-256
    of the files that the desk mail had, or that its ticket has.

    A file that was attached as one always leaves, unless the desk mail brought it; a picture in the text, seen for the
    first time, leaves too.
    """
    returned = tuple(file for file in attachments if file.sha256 in ours)
    new = [file for file in attachments if file.sha256 not in ours]
    logos = tuple(file for file in new if is_closing(file) or (_is_picture_in_text(file) and file.sha256 in seen))
    return StaffFiles(tuple(file for file in new if file not in logos), logos, returned)


_CLOSING = frozenset((
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
    "application/pgp-keys", "text/vcard", "text/x-vcard", "text/directory",
))  # fmt: skip


def is_closing(file: Attachment) -> bool:
    """Whether a program adds such a file to each mail: a signature, a key, a card. All of them name their writer."""
    return file.type in _CLOSING


def inline_pictures(attachments: Sequence[Attachment]) -> frozenset[str]:
    """SHA-256 of the pictures in a mail's text, to be remembered as seen."""
    return frozenset(file.sha256 for file in attachments if _is_picture_in_text(file))


def _is_picture_in_text(file: Attachment) -> bool:
    return file.inline and file.type.startswith("image/")
