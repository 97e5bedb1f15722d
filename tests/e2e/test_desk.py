"""The desk's socket of a real daemon: it is there while the daemon runs, follows a reload, and survives its death."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailticket.desk import protocol
from mailticket.errors import WorldError
from tests.e2e import post
from tests.e2e.site import Site
from tests.servers.machine import PATIENCE

pytestmark = pytest.mark.dovecot
MIA = f'\n[[staff]]\nname = "mia"\naddresses = ["mia@example.com"]\nlogin = "{protocol.own_account()}"\n'


@pytest.fixture
def path() -> Iterator[Path]:
    """Where the socket may be: a short path, for Unix sockets allow about 100 characters."""
    folder = Path(tempfile.mkdtemp(prefix="mailticket-desk-", dir="/tmp"))
    yield folder / "desk.sock"
    shutil.rmtree(folder)


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(str(path))
    return client


def ask(path: Path, deed: str, **arguments: Any) -> list[dict[str, Any]]:
    with connected(path) as client:
        client.sendall(protocol.line({"deed": deed, "arguments": arguments}))
        with client.makefile("rb") as lines:
            return list(protocol.rows(lines))


def actors(site: Site, key: str) -> list[str]:
    return [event["by"] for event in site.show(key)["history"] if event["event"] == "note"]


def test_who_is_whose_is_read_anew_at_a_reload_and_an_answer_leaves_at_once(site: Site, path: Path, dovecot: Any,
                                                                            smtp_sink: Any) -> None:  # fmt: skip
    dovecot.append(post.request())
    site.start(MAILTICKET_DESK_SOCKET=str(path))
    site.wait_outgoing(sent=1)
    (key,) = [row["id"] for row in ask(path, "list")]
    ask(path, "note", name=key, text="One")
    site.configuration.write_text(site.configuration.read_text() + MIA)
    site.hang_up()
    ask(path, "note", name=key, text="Two")
    assert actors(site, key) == [protocol.own_account(), "mia"]
    ask(path, "reply", name=key, text="It is on its way.")
    smtp_sink.wait_for(2)
    assert site.stop() == 0


def test_a_stop_waits_for_no_silent_client_and_a_death_leaves_nothing_in_the_way(site: Site, path: Path) -> None:
    site.start(MAILTICKET_DESK_SOCKET=str(path))
    with connected(path) as silent:
        ask(path, "list")
        assert site.stop() == 0
        with silent.makefile("rb") as lines, pytest.raises(WorldError, match="the daemon stops"):
            list(protocol.rows(lines))
    assert not path.exists()
    site.start(MAILTICKET_DESK_SOCKET=str(path))
    site.stop(signal.SIGKILL)
    assert path.is_socket(), "it was left behind"
    site.start(MAILTICKET_DESK_SOCKET=str(path))
    assert ask(path, "list") == []
    assert site.stop() == 0
