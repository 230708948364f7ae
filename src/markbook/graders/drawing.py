"""What a grader found, drawn for its notebook: an audit that a person can read.

Student text is escaped, never rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markbook.graders.charts import KINDS, criteria_chart
from markbook.graders.drawing_scores import ANSWER, answer_row, draw_scores, score_text
from markbook.text.controls import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.graders.grader import Grader
    from markbook.graders.lines import SuggestionLine
    from markbook.model import Criterion

__all__ = ["Drawing"]

_CONFIDENT = 0.9
_DOUBTFUL_SHOWN = 12  # answers: more belong on the marking page, not in an audit
_EVIDENCE_SHOWN = 3
_TEXT_SHOWN = 300  # characters of an answer


@dataclass(frozen=True)
class Drawing:
    """Shown by Jupyter as HTML with a chart; elsewhere as the text of its table."""

    html: str
    text: str

    @classmethod
    def of(cls, grader: Grader) -> Drawing:
        counts = {c.id: _counts(grader, c.id) for c in grader.rubric.criteria}
        students = sum(a.count for a in grader.answers)
        head = (
            f"{len(grader.answers)} different answers of {students} students; "
            f"rubric version {grader.rubric.version}. These are suggestions, not marks."
        )
        parts = [
            f"<h3>{visible(grader.rubric.question)}</h3><p>{visible(head)}</p>",
            _table(grader, counts),
            "" if grader.question.rehearsal else criteria_chart(counts),  # its table says it all
            _evidence(grader),
            draw_scores(grader),
            _doubtful(grader),
            _findings(grader),
        ]
        lines = [head] + [
            f"{name}: " + ", ".join(f"{n} {k}" for k, n in zip(KINDS, row, strict=True))
            for name, row in counts.items()
        ]
        return cls("\n".join(parts), "\n".join(lines + score_text(grader)))

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def _kind(line: SuggestionLine) -> int:
    if line.awarded is None:
        return 2
    sure = line.confidence >= _CONFIDENT
    if line.awarded:
        return 0 if sure else 1
    return 4 if sure else 3


def _counts(grader: Grader, criterion: str) -> list[int]:
    row = [0] * len(KINDS)
    for line in grader.suggestions:
        if line.criterion == criterion:
            row[_kind(line)] += 1
    return row


def _table(grader: Grader, counts: dict[str, list[int]]) -> str:
    head = "".join(f"<th>{visible(k)}</th>" for k in ("criterion", "points", "decided by", *KINDS))
    rows = "".join(
        f"<tr><td title='{escape(c.says, quote=True)}'>{visible(c.id)}</td><td>{c.points:g}</td>"
        f"<td>{visible(grader.methods.get(c.id, 'nothing'))}</td>"
        + "".join(f"<td>{n}</td>" for n in counts[c.id])
        + "</tr>"
        for c in grader.rubric.criteria
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _evidence(grader: Grader) -> str:
    parts = []
    for criterion in grader.rubric.criteria:
        quotes = _quotes(grader.suggestions, criterion)
        if quotes:
            items = "".join(f"<li><q>{visible(q)}</q> ({c:.2f})</li>" for q, c in quotes)
            parts.append(f"<b>{visible(criterion.id)}</b><ul>{items}</ul>")
    return "<h4>Evidence, the surest first</h4>" + "".join(parts) if parts else ""


def _quotes(lines: Sequence[SuggestionLine], criterion: Criterion) -> list[tuple[str, float]]:
    found = [
        (line.span[:_TEXT_SHOWN], line.confidence)
        for line in lines
        if line.criterion == criterion.id and line.awarded and line.span
    ]
    return sorted(found, key=lambda q: (-q[1], q[0]))[:_EVIDENCE_SHOWN]


def _doubtful(grader: Grader) -> str:
    """List the answers with most undecided criteria: a person reads these first."""
    open_: dict[str, list[str]] = {}
    for line in grader.suggestions:
        if line.awarded is None:
            open_.setdefault(line.key, []).append(line.criterion)
    answers = [a for a in grader.answers if a.key in open_]
    answers.sort(key=lambda a: (-len(open_[a.key]) * a.count, a.key))
    if not answers:
        return "<p>No answer is in doubt.</p>"
    rows = "".join(answer_row(a, ", ".join(open_[a.key])) for a in answers[:_DOUBTFUL_SHOWN])
    more = len(answers) - _DOUBTFUL_SHOWN
    rest = f"<p>and {more} more.</p>" if more > 0 else ""
    return (
        f"<h4>Doubtful answers ({len(answers)})</h4><table><thead><tr>{ANSWER}"
        f"<th>students</th><th>undecided</th></tr></thead><tbody>{rows}</tbody></table>{rest}"
    )


def _findings(grader: Grader) -> str:
    """List what was odd: rules that raised, text that cannot be read."""
    notes: dict[str, int] = {}
    for line in grader.suggestions:
        if line.note and not line.note.startswith("Undecided"):
            notes[line.note] = notes.get(line.note, 0) + 1
    if not notes:
        return ""
    ordered = sorted(notes.items(), key=lambda n: (-n[1], n[0]))[:20]
    items = "".join(f"<li>{visible(note)} ({count})</li>" for note, count in ordered)
    return f"<h4>Findings</h4><ul>{items}</ul>"
