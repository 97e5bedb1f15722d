"""SMTP, and nothing else."""

from mailticket.courier.pool import Courier
from mailticket.delivery import Outcome, retry_at
from mailticket.envelope import Notify

__all__ = ["Courier", "Notify", "Outcome", "retry_at"]
