"""All of the program that a daemon may come to need, loaded as one: no files of an upgrade are mixed in later."""

from __future__ import annotations

import zstandard  # noqa: F401

import mailticket.config.articles
import mailticket.desk.deeds
import mailticket.intake.take_in
import mailticket.letters.alert
import mailticket.letters.check
import mailticket.mail.delivery_status
import mailticket.outbox.desk_mail
import mailticket.secrets.redaction
import mailticket.topics.articles
import mailticket.upkeep.desk_rounds
import mailticket.upkeep.late_notices
import mailticket.upkeep.report
import mailticket.upkeep.state  # noqa: F401
