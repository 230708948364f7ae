"""Charts of a grader notebook, as SVG with the same bytes on every run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from matplotlib.figure import Figure

__all__ = ["KINDS", "criteria_chart", "reliability_chart", "scores_chart"]

KINDS = (
    "earned, confident",
    "earned, less so",
    "abstained",
    "not earned, less so",
    "not earned, confident",
)
_COLOURS = ("#1b7837", "#a6dba0", "#d9d9d9", "#c2a5cf", "#762a83")  # readable without colour sight
_BINS = 20
_LETTER = 0.075  # inches that a letter of a criterion's name takes
_LONGEST = 40  # letters; of a longer name the beginning is cut off
_BELOW, _BESIDE = 0.46, 0.15  # inches: below for the axis' label, on the right for half a number
_FIFTHS = 5  # bins of confidence: a question has tens of marks, not hundreds


def criteria_chart(counts: Mapping[str, Sequence[int]]) -> str:
    """Draw one stacked bar for each criterion: ``counts`` of ``KINDS`` by its id."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        names = list(counts)
        figure = Figure(figsize=(7.5, 0.8 + 0.34 * len(names)))
        longest = max(map(len, names), default=0)
        _margins(figure, left=0.2 + _LETTER * min(longest, _LONGEST), top=0.3)
        axes = figure.add_subplot()
        left = [0] * len(names)
        for kind, (label, colour) in enumerate(zip(KINDS, _COLOURS, strict=True)):
            values = [counts[name][kind] for name in names]
            axes.barh(names, values, left=left, color=colour, label=label)
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("answers")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="upper center", ncols=len(KINDS), frameon=False, fontsize=7)
        return _svg(figure)


def scores_chart(means: Sequence[float], confidences: Sequence[float]) -> str:
    """Draw how the expected scores and their confidence are spread, one chart beside the other."""
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        figure = Figure(figsize=(7.5, 1.9))
        _margins(figure, left=0.6, top=0.1)
        figure.subplots_adjust(wspace=0.1)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, values, label in (
            (left, means, "expected share of the maximum"),
            (right, confidences, "confidence (within a tenth of the maximum)"),
        ):
            heights, edges = np.histogram(values, _BINS, (0, 1))
            axes.stairs(heights, edges, fill=True, color="#4d7fa8", edgecolor="white")
            axes.vlines(edges, 0, heights.max(initial=0), color="white", linewidth=1)
            axes.set_xlabel(label)
            axes.set_xlim(0, 1)
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
            axes.spines[["top", "right"]].set_visible(False)
        left.set_ylabel("answers")
        return _svg(figure)


def reliability_chart(confidences: Sequence[float], right: Sequence[bool]) -> str:
    """Draw how often scores were right, by how sure they were: on the line is as promised."""
    import numpy as np
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(3.6, 2.6))
        _margins(figure, left=0.6, top=0.1)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#777777", linestyle=":", linewidth=1)
        sure, hits = np.asarray(confidences), np.asarray(right, dtype=float)
        places = np.minimum((sure * _FIFTHS).astype(int), _FIFTHS - 1)
        for place in np.unique(places):
            mine = places == place
            share = hits[mine].mean()
            axes.bar(
                (place + 0.5) / _FIFTHS, share, 0.9 / _FIFTHS, color="#a6c3dc", edgecolor="#4d7fa8"
            )
            axes.plot(sure[mine].mean(), share, "o", color="#4d7fa8")
            axes.annotate(str(mine.sum()), ((place + 0.5) / _FIFTHS, 0.02), ha="center", fontsize=7)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share within a tenth")
        axes.spines[["top", "right"]].set_visible(False)
        return _svg(figure)


def _margins(figure: Figure, *, left: float, top: float) -> None:
    """Leave room for labels, in inches: to measure each text took as long as to draw them all."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left / width, _BELOW / height, 1 - _BESIDE / width, 1 - top / height)


def _style() -> AbstractContextManager[None]:
    from matplotlib import rc_context

    return rc_context({"svg.hashsalt": "markbook", "svg.fonttype": "none", "font.size": 9})


def _svg(figure: Figure) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    return svg[svg.index("<svg") :]
