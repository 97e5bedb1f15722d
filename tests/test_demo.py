"""The demo is the main job on real servers: what it shows must be what happened."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mailticket.demo import run_demo

OWN_MAIL = (
    b"From: eve@example.org\r\nSubject: my own mail\r\nMessage-ID: <own@example.org>\r\n\r\nMy login is blocked.\r\n"
)


@pytest.mark.timeout(120)
def test_the_demo_shows_every_sample_and_a_mail_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.eml"
    own.write_bytes(OWN_MAIL)
    out = io.StringIO()
    assert run_demo(out, keep=False, files=[own]) == 0
    shown = out.getvalue()
    assert shown.count("acknowledgement after") == 5
    assert shown.count("duplicate-notice after") == 1
    assert shown.count("● opened") == 6
    assert shown.count("↳ appended") == 1
    assert shown.count("· filed") == 3
    assert "提现一直没有到账" in shown
    assert "“my own mail”" in shown
    assert "median" in shown
