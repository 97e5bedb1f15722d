"""Raw bytes in, a true, bounded, complete reading out; never raises, never waits, touches nothing."""

from mailticket.mail.reading import attachment_bytes, read

__all__ = ["attachment_bytes", "read"]
