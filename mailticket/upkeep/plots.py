"""The plots of a report as PNG, with the extra `report`; mail programs show neither scripts nor inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from mailticket.letters.report import Plot

_INCHES = (4.4, 2.2)
_MOST_LABELS = 10
_FEWEST_PLACES = 6  # of weeks along a plot: one week alone is no wall
_DOTS = 240  # an inch: sharp on a telephone
_INK, _KEPT, _MISSED, _REST = "#1b2530", "#0b6b64", "#c2410c", "#c9d1d9"


def plots(weeks: Mapping[str, Mapping[str, Any]]) -> tuple[Plot, ...]:
    """Requests and how long first answers took, by week. Errors: ImportError without matplotlib."""
    from matplotlib.figure import Figure

    names = [week.partition("-")[2] for week in weeks]
    return (
        Plot("requests.png", "Requests by week of arrival, and how their promises were kept",
             _requests(Figure, names, weeks)),
        Plot("answers.png", "Hours to the first answer by week of arrival: median and 90 %",
             _answers(Figure, names, weeks)),
    )  # fmt: skip


def _requests(figure_class: Any, names: list[str], weeks: Mapping[str, Mapping[str, Any]]) -> bytes:
    figure, axes = _axes(figure_class, "requests")
    bottom = [0] * len(names)
    parts = (("kept", _KEPT, "kept"), ("missed", _MISSED, "missed"), ("", _REST, "open or without a promise"))
    for key, colour, label in parts:
        heights = [week[key] if key else week["requests"] - week["kept"] - week["missed"] for week in weeks.values()]
        axes.bar(range(len(names)), heights, 0.7, bottom=bottom, color=colour, label=label)
        bottom = [one + other for one, other in zip(bottom, heights, strict=True)]
    return _png(figure, axes, names)


def _answers(figure_class: Any, names: list[str], weeks: Mapping[str, Mapping[str, Any]]) -> bytes:
    figure, axes = _axes(figure_class, "hours")
    for key, colour, label, style in (("p90_hours", _MISSED, "90 %", "--"), ("median_hours", _KEPT, "median", "-")):
        hours = [float("nan") if week[key] is None else week[key] for week in weeks.values()]
        axes.plot(range(len(names)), hours, style, color=colour, marker="o", markersize=4, label=label)
    return _png(figure, axes, names)


def _axes(figure_class: Any, unit: str) -> tuple[Any, Any]:
    figure = figure_class(figsize=_INCHES, dpi=_DOTS, layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_ylabel(unit, color=_INK, fontsize=9)
    axes.tick_params(labelsize=9, colors=_INK, length=0)
    axes.grid(axis="y", color="#e1e5ea", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_REST)
    return figure, axes


def _png(figure: Any, axes: Any, names: list[str]) -> bytes:
    axes.set_ylim(bottom=0)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    step = math.ceil(len(names) / _MOST_LABELS)
    middle, half = (len(names) - 1) / 2, max(len(names), _FEWEST_PLACES) / 2
    axes.set_xlim(middle - half, middle + half)
    axes.set_xticks(range(0, len(names), step), names[::step])
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=9, frameon=False)
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
