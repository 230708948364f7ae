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
_FIFTHS = 5  # bins of confidence: a question has tens of marks, not hundreds


def criteria_chart(counts: Mapping[str, Sequence[int]]) -> str:
    """Draw one stacked bar for each criterion: ``counts`` of ``KINDS`` by its id."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        figure = Figure(figsize=(7.5, 0.7 + 0.34 * len(counts)), layout="constrained")
        axes = figure.add_subplot()
        names = list(counts)
        left = [0] * len(names)
        for kind, (label, colour) in enumerate(zip(KINDS, _COLOURS, strict=True)):
            values = [counts[name][kind] for name in names]
            axes.barh(names, values, left=left, color=colour, label=label)
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("answers")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=len(KINDS), frameon=False, fontsize=7)
        return _svg(figure)


def scores_chart(means: Sequence[float], confidences: Sequence[float]) -> str:
    """Draw how the expected scores and their confidence are spread, one chart beside the other."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        figure = Figure(figsize=(7.5, 1.9), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, values, label in (
            (left, means, "expected share of the maximum"),
            (right, confidences, "confidence (within a tenth of the maximum)"),
        ):
            axes.hist(values, bins=_BINS, range=(0, 1), color="#4d7fa8", edgecolor="white")
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
        figure = Figure(figsize=(3.6, 2.6), layout="constrained")
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
