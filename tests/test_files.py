"""Mails in mbox files: where one ends and the next begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.intake.files import mails_in

FROM = b"From ida@people.example  Tue Mar  3 08:00:00 2026\n"
PLAIN = FROM + b"From: ida@people.example\nSubject: One\n\nHello\n\n"
BOUNCE = FROM + b"From: MAILER-DAEMON@far.example\nSubject: Failed\n\nNot delivered.\n\nThe returned message:\n\n"
OPEN = FROM + b'From: ida@people.example\nContent-Type: multipart/mixed;\n boundary="----=_b"\n\n------=_b\n\nLook:\n\n'


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (PLAIN, 1),
        (PLAIN + PLAIN, 2),
        (PLAIN + FROM + b"no header at all\n", 1),
        (PLAIN + FROM + b"Subject: pasted\nTo: bob@far.example\n\nHello\n", 1),
        (BOUNCE + PLAIN, 1),
        (OPEN + PLAIN + b"------=_b--\n", 1),
        (OPEN + b"------=_b--\n\n" + PLAIN, 2),
        (PLAIN + BOUNCE + PLAIN, 2),
        (PLAIN.replace(b"Hello", b"This is my original message.") + PLAIN, 2),
        (b"Subject: none\n\n" + PLAIN, 1),
        (PLAIN.replace(b"\n", b"\r\n") * 2, 2),
    ],
)
def test_a_from_line_separates_only_whole_mails(tmp_path: Path, content: bytes, number: int) -> None:
    (tmp_path / "box").write_bytes(content)
    assert len(list(mails_in(tmp_path / "box"))) == number
