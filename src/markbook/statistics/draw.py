"""The report's pictures, as inline SVG that follows the page's colours, light or dark.

Each picture carries its figures as its text alternative. Colours and fonts come from the style
sheet by class; sizes are in SVG units.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from markbook.text.pages import format_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["score_dots", "share_bar", "share_histogram", "status_bar"]

_BINS = 10


def share_histogram(shares: Sequence[float]) -> Markup:
    """Draw how many students earned which part of their points, in ten bins of 10 %."""
    counts = Counter(min(_BINS - 1, int(share * _BINS + 1e-9)) for share in shares)
    width, height, foot, step = 660, 210, 26, 66
    top = max(counts.values(), default=1)
    scale = (height - foot - 22) / top
    parts = [f'<line class="axis" x1="0" y1="{height - foot}" x2="{width}" y2="{height - foot}"/>']
    for number in range(_BINS):
        tall = counts[number] * scale
        x, y = number * step, height - foot - tall
        if counts[number]:
            parts.append(
                f'<rect class="fill" x="{x + 3}" y="{y:.1f}" width="{step - 6}"'
                f' height="{tall:.1f}" rx="2"/>'
            )
            parts.append(
                f'<text class="value" x="{x + step / 2}" y="{y - 6:.1f}">{counts[number]}</text>'
            )
    parts += [
        f'<text class="{"first" if n == 0 else "last" if n == _BINS else "tick"}"'
        f' x="{n * step}" y="{height - 7}">{n * 10} %</text>'
        for n in range(0, _BINS + 1, 2)
    ]
    said = [f"{n * 10} to {n * 10 + 10} %: {counts[n]}" for n in range(_BINS) if counts[n]]
    return _svg(
        "histogram", width, height, f"Students by share of points. {'; '.join(said)}", parts
    )


def score_dots(scores: Sequence[float], possible: float) -> Markup:
    """Draw one column of dots per score, from 0 to ``possible``; many scores become bars."""
    width, height, left = 150, 34, 6
    reach = max(possible, max(scores, default=0.0), 0.5)
    counts = Counter(scores)
    parts = [
        f'<line class="axis" x1="{left}" y1="{height - 4}" x2="{width - left}" y2="{height - 4}"/>'
    ]
    top = max(counts.values(), default=1)
    # Dots of 5 units touch; where a column would not fit, they move together.
    pitch = min(5.6, (height - 10) / top)
    for value, count in sorted(counts.items()):
        x = left + (width - 2 * left) * value / reach
        if pitch >= 2.4:
            parts += [
                f'<circle class="fill" cx="{x:.1f}" cy="{height - 7.5 - pitch * n:.1f}" r="2.5"/>'
                for n in range(count)
            ]
        else:
            tall = (height - 8) * count / top
            parts.append(
                f'<rect class="fill" x="{x - 2.5:.1f}" y="{height - 4 - tall:.1f}" width="5"'
                f' height="{tall:.1f}"/>'
            )
    said = "; ".join(f"{format_points(v)} points: {n}" for v, n in sorted(counts.items()))
    return _svg("dots", width, height, f"Scores. {said}" if said else "No scores yet", parts)


def share_bar(share: float, *, harm: bool = False) -> Markup:
    """Draw a part of a whole; the words beside it say the figure, so it is decoration."""
    kind = "harm" if harm else "fill"
    parts = [
        '<rect class="rest" width="200" height="8" rx="2"/>',
        f'<rect class="{kind}" width="{200 * min(max(share, 0), 1):.1f}" height="8" rx="2"/>',
    ]
    return _svg("share", 200, 8, "", parts, stretch=True)


def status_bar(counts: Iterable[tuple[str, str, int]]) -> Markup:
    """Draw ``(class, name, count)`` side by side, as parts of their sum."""
    known = [(kind, name, count) for kind, name, count in counts if count]
    total = sum(count for _, _, count in known) or 1
    parts: list[str] = []
    x = 0.0
    for kind, _, count in known:
        wide = 200 * count / total
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" width="{max(wide - 1, 1):.1f}" height="8"/>'
        )
        x += wide
    said = ", ".join(f"{count} {name}" for _, name, count in known)
    return _svg("status", 200, 8, said, parts, stretch=True)


def _svg(
    kind: str, width: int, height: int, says: str, parts: Sequence[str], *, stretch: bool = False
) -> Markup:
    label = f'role="img" aria-label="{escape(says)}"' if says else 'aria-hidden="true"'
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}"{ratio} {label}>{"".join(parts)}</svg>'
    )
