"""Shipped files are found, and a folder of templates is read with every problem named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.config import files
from mailticket.errors import ConfigurationError


def test_the_templates_of_this_checkout_are_found() -> None:
    assert "en/acknowledgement.j2" in files.read_templates(files.shipped_folder("templates"))


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "site" / "mailticket" / "share" / "templates"
    inside.mkdir(parents=True)
    monkeypatch.setattr(files, "__file__", str(tmp_path / "site" / "mailticket" / "config" / "files.py"))
    assert files.shipped_folder("templates") == inside
    with pytest.raises(FileNotFoundError, match="install it again"):
        files.shipped_folder("systemd")


def test_only_templates_are_read_and_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "common.j2").write_bytes("\ufeffhello".encode())
    (tmp_path / "en" / "notes.txt").write_text("not a template")
    assert files.read_templates(tmp_path) == {"en/common.j2": "hello"}


def test_every_unusable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_bytes("您好".encode("gbk"))
    (tmp_path / "b.j2").write_bytes(b"x" * 300_000)
    with pytest.raises(ConfigurationError) as caught:
        files.read_templates(tmp_path)
    assert [str(tmp_path / "a.j2") in caught.value.problems[0], str(tmp_path / "b.j2") in caught.value.problems[1]] == [
        True,
        True,
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        files.read_templates(tmp_path / "gone")
