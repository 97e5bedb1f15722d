"""Each name's letters are its own: no word of one stands in any letter of the other, whatever its kind and language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailticket.letters import KINDS, Letterhead, Letters, samples
from mailticket.settings import Settings
from mailticket.site import letterhead

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
BRANDS: list[dict[str, Any]] = [
    {"name": "bakery", "title": "Corner Bakery", "address": "sales@bakery.example", "prefix": "BK",
     "signature": "Open from six", "colour": "#123456", "dark_colour": "#654321"},
    {"name": "sea", "title": "Fish and Sons", "address": "fish@sea.example", "prefix": "FI", "language": "zh-Hans",
     "signature": "Fresh every day", "colour": "#abcdef", "dark_colour": "#fedcba"},
]  # fmt: skip
SETTINGS = Settings.model_validate({
    "support": {"name": "Plain Desk", "address": "plain@desk.example"}, "smtp": {"host": "localhost"}, "brand": BRANDS,
})  # fmt: skip
WORDS = {"": ("Plain Desk", "plain@", "desk.example", "MT-")} | {
    one["name"]: (one["title"], one["address"].partition("@")[0] + "@", one["address"].partition("@")[2],
                  f"{one['prefix']}-", one["signature"], one["colour"], one["dark_colour"])
    for one in BRANDS
}  # fmt: skip
KEYS = {"": "MT-7F3K-92QX", "bakery": "BK-7F3K-92QX", "sea": "FI-7F3K-92QX"}


def head_of(name: str) -> Letterhead:
    brand = next((one for one in SETTINGS.brand if one.name == name), None)
    return letterhead(SETTINGS.of_brand(name), "mark-1", brand)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", "bakery", "sea"])
def test_no_letter_of_a_name_holds_a_word_of_another(letters: Letters, name: str, kind: Any, language: str) -> None:
    head = head_of(name)
    strangers = [word for other, its in WORDS.items() if other != name for word in its]
    domain = head.address.partition("@")[2]
    for form in samples.variants(kind, language, head.wording):
        # Samples name tickets of [support]'s prefix, and a link leads to a ticket of the same name.
        keys = {
            field: KEYS[name]
            for field in ("ticket_id", "first_ticket_id", "former_ticket_id")
            if getattr(form, field, "")
        }
        own = replace(form, **keys, message_id=f"<x.1@{domain}>")
        composed = letters.compose(own, head)
        assert composed.warnings == ()
        pages = (composed.subject, composed.text, composed.html, composed.message.partition(b"\r\n\r\n")[0].decode())
        for page in pages:
            assert [word for word in strangers if word in page] == []
        whole = "\n".join(pages)
        assert [word for word in (head.name, head.address, KEYS[name]) if word not in whole] == []
        if head.signature:
            assert head.signature in composed.text
            assert head.signature in composed.html


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_a_name_shows_tickets_of_that_name(letters: Letters, kind: Any) -> None:
    head = head_of("bakery")
    composed = letters.compose(letters.sample(kind, "en", head, "BK"), head)
    assert "BK-7F3K-92QX" in composed.text and "MT-" not in f"{composed.subject}{composed.text}{composed.html}"
