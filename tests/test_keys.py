"""The keys of our signatures: made at first start, or in a file; the older ones go on verifying."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.errors import ConfigurationError
from tests.helpdesk import HelpDesk, OpenDesk, mail, message_id


def test_a_key_is_made_once_and_kept(helpdesk: HelpDesk) -> None:
    keys = helpdesk.site.keys
    helpdesk.reopen()
    assert helpdesk.site.keys == keys
    assert [len(key) for key in keys] == [32]


def test_a_key_file_signs_and_the_kept_key_still_verifies(helpdesk: HelpDesk, tmp_path: Path) -> None:
    ticket = helpdesk.receive(mail()).ticket
    before = helpdesk.deliver()[-1]
    file = tmp_path / "key"
    file.write_bytes(b"k" * 32 + b"\n")
    helpdesk.reopen(support={"key_file": file})
    assert helpdesk.receive(mail("x@y.example", answers=before, text="old")).ticket == ticket
    helpdesk.receive(mail(subject="API key refused", text="The API answers 401 to my trading bot."))
    after = helpdesk.deliver()[-1]
    assert helpdesk.receive(mail("x@y.example", answers=after, text="new")).state == "appended"
    helpdesk.reopen()
    assert helpdesk.receive(mail("x@z.example", answers=after, text="the file is gone")).state == "opened"
    assert message_id(before) != message_id(after)


@pytest.mark.parametrize("content", [b"", b"\n", b"short"])
def test_an_empty_or_short_key_is_refused(open_desk: OpenDesk, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"key_file.*random"):
        open_desk(support={"key_file": file})


def test_a_missing_key_file_is_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"key_file.*cannot be read"):
        open_desk(support={"key_file": tmp_path / "nowhere"})
