"""The name under which a server took a mail, by which a later report about it is recognised."""

from __future__ import annotations

import pytest

from mailticket.smtp import queue_id


@pytest.mark.parametrize(
    ("response", "name"),
    [
        ("Ok: queued as 4XbQ2z1kNTzy7", "4XbQ2z1kNTzy7"),
        ("Ok 0102019a-7777-8888-000000", "0102019a-7777-8888-000000"),
        ("OK id=1tFabc-00000001-AbC", "1tFabc-00000001-AbC"),
        ("4AQ8x0Yz012345 Message accepted for delivery", "4AQ8x0Yz012345"),
        ("ok:  Message 12345678 accepted", ""),
        ("Ok: delivered", ""),
        ("Thank you", ""),
        ("", ""),
    ],
)
def test_the_name_stands_where_servers_put_it(response: str, name: str) -> None:
    assert queue_id(response) == name
