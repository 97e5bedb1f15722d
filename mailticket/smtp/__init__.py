"""SMTP, and nothing else."""

from mailticket.smtp.envelope import Notify
from mailticket.smtp.outcome import Outcome, queue_id, retry_at
from mailticket.smtp.pool import Courier

__all__ = ["Courier", "Notify", "Outcome", "queue_id", "retry_at"]
