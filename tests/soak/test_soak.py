"""A few seconds of the soak in every run, so that it is there when somebody wants an hour of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.machine import require
from tests.soak.__main__ import soak

pytestmark = pytest.mark.dovecot


def test_a_few_seconds_of_everything_lose_and_double_nothing(tmp_path: Path) -> None:
    require(Dovecot.available(), "Dovecot (Debian's dovecot-imapd) or openssl")
    assert soak(5, 1, tmp_path) == []
