"""The colours of a letterhead: from the two that a brand names, all that its letters show, readable on every ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LEAST_CONTRAST = 4.5  # of text on its ground: WCAG 2.2, success criterion 1.4.3
_WHITE, _BLACK = "#ffffff", "#000000"
_GROUNDS = (_WHITE, "#f2f4f6", "#fff4e0")  # of layout/html.j2: the card, the page, a warning
_DARK_GROUNDS = ("#1a222b", "#10161c", "#3a2a12")
_PANEL, _DARK_PANEL = 0.09, 0.15  # how much of the colour is in a panel
_STEP = 0.05  # by which a colour is made darker or lighter until it is readable


@dataclass(frozen=True, slots=True)
class Look:
    """Colours as #rrggbb. band, on_band: behind the name at the head, and the name. tint: of links and edges. panel:
    the ground of what stands out. dark_tint, dark_panel: the same on dark ground."""

    band: str
    on_band: str
    tint: str
    panel: str
    dark_tint: str
    dark_panel: str


@lru_cache(64)
def look(colour: str, dark_colour: str = "") -> Look:
    """All colours that come of a brand's own. dark_colour: for dark ground, "" makes it of the other."""
    panel, dark_panel = _mixed(_WHITE, colour, _PANEL), _mixed(_DARK_GROUNDS[0], dark_colour or colour, _DARK_PANEL)
    return Look(
        band=colour,
        on_band=max((_WHITE, _BLACK), key=lambda ink: contrast(ink, colour)),
        tint=_readable(colour, (*_GROUNDS, panel), _BLACK),
        panel=panel,
        dark_tint=_readable(dark_colour or colour, (*_DARK_GROUNDS, dark_panel), _WHITE),
        dark_panel=dark_panel,
    )


def contrast(one: str, other: str) -> float:
    """How much two colours differ, from 1 to 21: WCAG 2.2, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [channel / 255 for channel in _channels(colour)]
    red, green, blue = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(colour: str, grounds: Sequence[str], towards: str) -> str:
    """The colour, as much nearer to black or white as its text needs on all of these grounds."""
    shares = (step * _STEP for step in range(round(1 / _STEP) + 1))
    mixed = (_mixed(colour, towards, share) for share in shares)
    return next(one for one in mixed if all(contrast(one, ground) >= LEAST_CONTRAST for ground in grounds))


def _mixed(one: str, other: str, share: float) -> str:
    """The first colour with a share of the other in it."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
