"""The shipped letters, compiled once for all tests of this folder."""

from __future__ import annotations

import pytest

from mailticket.config.files import read_templates, shipped_folder
from mailticket.letters import Letters, TemplateSource


@pytest.fixture(scope="session")
def source() -> TemplateSource:
    return TemplateSource("templates", read_templates(shipped_folder("templates")))


@pytest.fixture(scope="session")
def letters(source: TemplateSource) -> Letters:
    return Letters(source)
