"""The shipped letters, compiled once for all tests of this folder."""

from __future__ import annotations

import pytest

from mailticket import shipped
from mailticket.letters import Letters, TemplateSource


@pytest.fixture(scope="session")
def source() -> TemplateSource:
    return TemplateSource("templates", shipped.read_templates(shipped.folder("templates")))


@pytest.fixture(scope="session")
def letters(source: TemplateSource) -> Letters:
    return Letters(source)
