"""Hints for missing packages name the way in which the program was installed, and never our own name to pip."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from mailticket import extras
from mailticket.errors import ConfigurationError
from mailticket.extras import how_to_install
from mailticket.promise.calendar import from_settings
from mailticket.settings import Promise
from mailticket.store.engine import Database

ROOT = Path(__file__).parent.parent


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where neither psycopg nor holidays is installed."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] in ("psycopg", "holidays"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("psycopg", "holidays")]:
        monkeypatch.delitem(sys.modules, name)


def test_in_a_virtual_environment_it_is_that_one_s_pip_with_the_packages_real_names() -> None:
    command = how_to_install("postgres")
    assert command.startswith(f"{sys.prefix}/bin/pip install 'psycopg[binary]")
    assert "mailticket[" not in command


def test_from_the_debian_package_it_is_that_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tmp_path / "mailticket.list"
    files.write_text(f"/opt\n{sys.prefix}\n{sys.prefix}/bin\n")
    monkeypatch.setattr(extras, "_DEBIAN", files)
    assert how_to_install("holidays") == "apt-get install --reinstall mailticket"


def test_a_missing_package_is_a_mistake_of_the_configuration_with_the_command_that_mends_it(no_package: None) -> None:
    with pytest.raises(ConfigurationError, match=r"PostgreSQL needs the package psycopg: .*pip install .psycopg\[bin"):
        Database("postgresql://ann@localhost/tickets")
    with pytest.raises(ConfigurationError, match=r"needs the package holidays: .*pip install .holidays"):
        from_settings(Promise(holiday_country="DE"), "UTC")


def test_nothing_advises_to_install_our_name_from_an_index() -> None:
    folders = ("mailticket", "docs", "config", "systemd", "packaging", "templates")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix not in (".pyc", ".png")]
    texts = {path: path.read_text("utf-8", "replace") for path in [*files, ROOT / "README.md"] if path.is_file()}
    advice = re.compile(r"(?:pip3?|pipx|uv pip) install(?: -\S+)* ['\"]?mailticket\b")
    assert [str(path) for path, text in texts.items() if advice.search(text)] == []
