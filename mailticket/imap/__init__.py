"""IMAP, and nothing else: one mailbox, read by UID, flagged or tidied by UID, waited for by IDLE.

Rules of the room: only UID commands are ever sent; every response is bounded in size and time; whatever goes wrong
comes out as MailboxUnavailable (the connection is already dropped: connect again, later), as its kind SignInRefused
(later by far), or as its kind CommandRefused (the connection is good, the server said no).
"""

from mailticket.imap.idle import LONGEST_IDLE, Waker
from mailticket.imap.responses import Fetched, Folder, Listed, Missing
from mailticket.imap.session import Inbox

__all__ = ["LONGEST_IDLE", "Fetched", "Folder", "Inbox", "Listed", "Missing", "Waker"]
