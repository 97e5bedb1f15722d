"""The figures of `status` as Prometheus reads them, for a monitoring system's text file collector."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailticket.observe import Metrics

_MEANINGS = {
    "mailticket_well": "1 while something collects mail and nothing is wrong, else 0: what `status` and `check` say.",
    "mailticket_alive": "1 while a daemon gives signs of life, or the last round of `run --once` is fresh, else 0.",
    "mailticket_heartbeat_timestamp_seconds": "The last sign of life.",
    "mailticket_host_heartbeat_timestamp_seconds": "The last sign of life of each host that shares the database.",
    "mailticket_host_started_timestamp_seconds": "Since when each host runs, and which release.",
    "mailticket_host_clock_ahead_seconds": "By how much the clock of a host is ahead of the database's.",
    "mailticket_host_mailboxes": "How many mailboxes a host holds.",
    "mailticket_mailbox_held_timestamp_seconds": "Since when a mailbox is held by its host.",
    "mailticket_trouble_since_timestamp_seconds": "Since when each present trouble lasts, by its name.",
    "mailticket_waiting_again": "Tickets whose requester wrote again after an answer and waits.",
    "mailticket_oldest_waiting_again_timestamp_seconds": "Since when the oldest of them waits.",
    "mailticket_slipping": "Unanswered tickets whose promise is about to pass.",
    "mailticket_held": "Answers of staff that are held and not sent.",
    "mailticket_lost_answers": "Waiting tickets whose newest answer did not reach its reader.",
    "mailticket_strays": "Mails that were listed and not taken in, of a mailbox that is not configured any more.",
    "mailticket_part_failing": "1 while a mailbox or the SMTP server is in trouble, else 0.",
    "mailticket_part_last_success_timestamp_seconds": "When a part last worked.",
    "mailticket_part_backlog": "Mails of a mailbox that are listed and not yet taken in.",
    "mailticket_part_not_flagged": "Mails that the server refused to flag or move.",
    "mailticket_oauth2_refused": "1 while a provider refuses the token of a sign-in, by the code of why, else 0.",
    "mailticket_oauth2_consented_timestamp_seconds": "When somebody consented to a sign-in.",
    "mailticket_oauth2_renewed_timestamp_seconds": "When the refresh token of a sign-in was had: its age.",
    "mailticket_oauth2_used_timestamp_seconds": "When an access token was last had.",
    "mailticket_oauth2_consent_ends_timestamp_seconds": "When a consent ends, where that is known.",
    "mailticket_oauth2_secret_ends_timestamp_seconds": "When a client secret ends, as secret_expires says.",
    "mailticket_tickets": "Tickets by status.",
    "mailticket_brand_unfinished": "Tickets of each name that are not at their end; none where there is one name.",
    "mailticket_brand_unanswered": "Of those, tickets that wait for their first answer.",
    "mailticket_brand_overdue": "Of those, tickets whose promise has passed.",
    "mailticket_unanswered": "Tickets that wait for their first answer.",
    "mailticket_overdue": "Unanswered tickets whose promise has passed.",
    "mailticket_outgoing": "Outgoing mails by state.",
    "mailticket_quarantined": "Mails that could not be taken in.",
    "mailticket_filed_7_days": "Mails of the last 7 days that were filed without a ticket.",
    "mailticket_filed_named_us_7_days": "Of those, mails that named us in To or Cc and that nobody dismissed.",
    "mailticket_unclaimed_bounces": "Delivery reports that belong to no letter of ours and that nobody dismissed.",
    "mailticket_oldest_unanswered_timestamp_seconds": "When the oldest unanswered ticket was opened.",
    "mailticket_oldest_due_timestamp_seconds": "When the oldest mail that waits to leave was written.",
    "mailticket_oldest_pending_timestamp_seconds": "When the oldest mail that is not yet taken in was listed.",
}


def exposition(face: Mapping[str, Any]) -> str:
    """The text of what `status --json` says; a time that there is none of is left out."""
    metrics = Metrics()
    for name, meaning in _MEANINGS.items():
        metrics.declare(name, meaning)
    metrics.set("mailticket_well", face["well"])
    metrics.set("mailticket_alive", bool(face["daemon"] and face["daemon"]["alive"]))
    _set_time(metrics, "mailticket_heartbeat", (face["daemon"] or {}).get("beat_at"))
    for host in face["hosts"]:
        name = host["name"]
        _set_time(metrics, "mailticket_host_heartbeat", host["beat_at"], host=name)
        _set_time(metrics, "mailticket_host_started", host["started_at"], host=name, version=host["version"])
        metrics.set("mailticket_host_clock_ahead_seconds", host["clock_ahead_seconds"], host=name)
        metrics.set("mailticket_host_mailboxes", len(host["mailboxes"]), host=name)
        for held in host["mailboxes"]:
            _set_time(metrics, "mailticket_mailbox_held", held["since"], host=name, mailbox=held["name"])
    for trouble in face["troubles"]:
        _set_time(metrics, "mailticket_trouble_since", trouble["since"], trouble=trouble["name"])
    for name in ("waiting_again", "slipping", "held", "lost_answers"):
        metrics.set(f"mailticket_{name}", face[name])
    for mailbox, number in face["strays"].items():
        metrics.set("mailticket_strays", number, mailbox=mailbox)
    _set_time(metrics, "mailticket_oldest_waiting_again", (face["oldest_waiting_again"] or {}).get("waiting_since"))
    for part in face["parts"]:
        metrics.set("mailticket_part_failing", part["error"] is not None, part=part["name"])
        metrics.set("mailticket_part_backlog", part["backlog"], part=part["name"])
        metrics.set("mailticket_part_not_flagged", part["not_flagged"], part=part["name"])
        _set_time(metrics, "mailticket_part_last_success", part["last_success_at"], part=part["name"])
    for consent in face["oauth2"]:
        for name in consent["sign_ins"]:
            labels = {"code": consent["refusal"]} if consent["refusal"] else {}
            metrics.set("mailticket_oauth2_refused", consent["refusal"] is not None, sign_in=name, **labels)
            for moment in ("consented", "renewed", "used", "consent_ends", "secret_ends"):
                _set_time(metrics, f"mailticket_oauth2_{moment}", consent[f"{moment}_at"], sign_in=name)
    for status, number in face["tickets"].items():
        metrics.set("mailticket_tickets", number, status=status)
    for brand in face["brands"]:
        for name in ("unfinished", "unanswered", "overdue"):
            metrics.set(f"mailticket_brand_{name}", brand[name], brand=brand["name"])
    for state, number in face["outbox"].items():
        metrics.set("mailticket_outgoing", number, state=state)
    metrics.set("mailticket_unanswered", face["unanswered"])
    metrics.set("mailticket_overdue", face["overdue"])
    metrics.set("mailticket_quarantined", face["quarantine"])
    metrics.set("mailticket_filed_7_days", face["filed_7_days"]["without_ticket"])
    metrics.set("mailticket_filed_named_us_7_days", face["filed_7_days"]["named_us"])
    metrics.set("mailticket_unclaimed_bounces", face["unclaimed_bounces"])
    _set_time(metrics, "mailticket_oldest_unanswered", (face["oldest_unanswered"] or {}).get("created_at"))
    _set_time(metrics, "mailticket_oldest_due", face["oldest_due"])
    _set_time(metrics, "mailticket_oldest_pending", face["oldest_pending"])
    return metrics.text()


def _set_time(metrics: Metrics, name: str, at: str | None, **labels: str) -> None:
    if at is not None:
        metrics.set(f"{name}_timestamp_seconds", datetime.fromisoformat(at).timestamp(), **labels)
