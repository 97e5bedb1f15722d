"""`key rotate`: what was signed before stays good, wherever the key is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.cli import main
from mailticket.config.read import read_settings
from mailticket.site import open_site
from mailticket.store.engine import Database

CONFIGURATION = """
[support]
address = "support@example.com"
{key_file}
[database]
url = "sqlite:///mailticket.db"
[smtp]
host = "127.0.0.1"
"""


def keys(file: Path) -> tuple[bytes, ...]:
    settings = read_settings(file, {})
    database = Database(settings.database.url)
    try:
        return open_site(settings, database).keys
    finally:
        database.close()


@pytest.mark.parametrize("in_file", [False, True])
def test_a_rotated_key_goes_on_verifying(tmp_path: Path, in_file: bool, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = tmp_path / "mailticket.toml"
    configuration.write_text(CONFIGURATION.format(key_file='key_file = "signing-key"' if in_file else ""))
    (tmp_path / "signing-key").write_bytes(b"the first key, of many bytes")
    rotate = ["key", "rotate", "--config", str(configuration)]
    with pytest.raises(SystemExit, match="0"):
        main(["status", "--config", str(configuration)])
    before = keys(configuration)
    with pytest.raises(SystemExit, match="0"):
        main(rotate)
    said = capsys.readouterr().out
    if in_file:
        assert str(tmp_path / "signing-key") in said
        (tmp_path / "signing-key").write_bytes(b"the second key, of as many bytes")
    after = keys(configuration)
    assert after[0] not in before, "a fresh key signs"
    assert set(before) < set(after)
