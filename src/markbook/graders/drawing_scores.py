"""The part of a grader's drawing that is about scores: learning, flags, groups, what to read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markbook.graders.charts import reliability_chart, scores_chart
from markbook.graders.guards import FLAGS
from markbook.text.controls import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.graders.answers import AnswerText
    from markbook.graders.grader import Grader
    from markbook.graders.lines import ScoreLine

__all__ = ["ANSWER", "answer_row", "draw_scores", "score_text"]

ANSWER = "<th style='text-align:left'>answer</th>"  # the head of the column of answers
_FIRST_SHOWN = 8
_FLAGGED_SHOWN = 8  # answers of each flag
_GROUPS_SHOWN = 10
_TEXT_SHOWN = 300  # characters of an answer
_TRIED = 10  # marks from which confidence is drawn against what was right
_NOBODY = 0.9  # confidence from which a suggested score is rarely looked at


def draw_scores(grader: Grader) -> str:
    """Return the sections on scores as HTML; student text is escaped."""
    lines = grader.scores.lines
    if not lines:
        return ""
    parts = [
        "<h4>Expected scores</h4>",
        _state(grader),
        "" if grader.question.rehearsal else _chart(lines),
        _reliability(grader),
        _first(grader),
        _flagged(grader),
        _groups(grader),
    ]
    return "\n".join(part for part in parts if part)


def score_text(grader: Grader) -> list[str]:
    """Return the same in a few lines of plain text."""
    lines = grader.scores.lines
    found = [f"refused: {grader.scores.refused}"] if grader.scores.refused else []
    if lines:
        mean = sum(line.mean for line in lines) / len(lines)
        sure = sum(line.confidence >= _NOBODY for line in lines)
        found.append(f"expected score: {mean:.2f} of the maximum on average, {sure} of them sure")
        found += [f"flag {name}: {count}" for name, count in _flags(lines).most_common()]
    return found


def _chart(lines: Sequence[ScoreLine]) -> str:
    """Draw the answers without a mark: what is known of the others is no expectation."""
    open_ = [line for line in lines if line.sd > 0]
    return scores_chart([x.mean for x in open_], [x.confidence for x in open_]) if open_ else ""


def _reliability(grader: Grader) -> str:
    """Draw confidence against what was right, over marked answers scored without their own mark."""
    sure, right = grader.held_out
    if len(sure) < _TRIED:
        return ""
    import numpy as np

    from markbook.graders.reliability import reliability

    found = reliability(np.asarray(sure), np.asarray(right, dtype=bool))
    told = (
        f"Of {len(sure)} marked answers, each scored without its own mark, {sum(right)} are within"
        f" a tenth of the maximum; {sum(sure):.1f} were promised. Calibration error"
        f" {found.ece:.2f}: the mean distance from the line, which so few answers have by chance,"
        " too. Bars count the answers of each fifth."
    )
    return f"<h4>How right it was</h4><p>{visible(told)}</p>{reliability_chart(sure, right)}"


def _state(grader: Grader) -> str:
    """Say whether scores are refused, what they are made of, and how well they were learned."""
    question, scores = grader.question, grader.scores
    parts: list[str] = []
    if scores.refused:
        parts.append(
            f"<p><b>Refused:</b> {visible(scores.refused)} "
            "Nothing here should be accepted unseen.</p>"
        )
    with_model = "with a sentence model" if question.model else "by words only"
    learning = question.learning
    told = f"No marks of this question so far; read {with_model}."
    if learning.marks:
        told = f"Learned from {learning.marks} marked answers; read {with_model}."
    if question.taught is not None:
        told += (
            f" Before any mark, {len(question.taught.scores)} marked answers of"
            f" {question.taught.questions} other questions of the course tell what is usual"
            f"{' and how sure to be' if question.taught.questions > 1 else ''}."
        )
    if learning.error is not None and learning.before is not None:
        told += (
            f" Each of them, predicted without its own mark, is {learning.error:.2f} of the maximum"
            f" off (root mean square); before any mark it was {learning.before:.2f}."
        )
    open_ = [line for line in scores.lines if line.sd > 0]
    sure = sum(line.confidence >= _NOBODY for line in open_)
    told += (
        f" Of {len(open_)} answers without a mark, {sure} have a suggested score with"
        f" {_NOBODY:.0%} confidence or more: that a person's mark is within a tenth of it."
    )
    parts.append(f"<p>{visible(told)}</p>")
    return "".join(parts)


def _first(grader: Grader) -> str:
    lines = sorted((x for x in grader.scores.lines if x.sd > 0), key=lambda line: line.rank)
    answers = {answer.key: answer for answer in grader.answers}
    if not lines or not grader.question.learns:
        return ""
    rows = "".join(
        answer_row(
            answers[line.key],
            f"{line.mean:.2f} \u00b1 {line.sd:.2f}",
            f"{line.suggested if line.suggested is not None else line.mean:.2f}"
            f" ({line.confidence:.0%})",
        )
        for line in lines[:_FIRST_SHOWN]
    )
    return (
        "<h4>Mark these first</h4><p>Their marks tell most about all the others.</p>"
        f"<table><thead><tr>{ANSWER}<th>students</th><th>expected</th><th>suggested</th>"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _flags(lines: Sequence[ScoreLine]) -> Counter[str]:
    return Counter(flag for line in lines for flag in line.flags)


def _flagged(grader: Grader) -> str:
    counts = _flags(grader.scores.lines)
    if not counts:
        return ""
    flags = {line.key: line.flags for line in grader.scores.lines}
    parts: list[str] = []
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        there = [a for a in grader.answers if name in flags[a.key]][:_FLAGGED_SHOWN]
        quoted = "".join(f"<li><q>{_shown(a)}</q></li>" for a in there)
        says = FLAGS.get(name, name)
        parts.append(f"<b>{visible(name)}</b> ({count}): {visible(says)}<ul>{quoted}</ul>")
    return "<h4>Flagged: never awarded with confidence</h4>" + "".join(parts)


def _groups(grader: Grader) -> str:
    answers = {answer.key: answer for answer in grader.answers}
    clusters = grader.question.reader.clusters
    students = sum(a.count for a in grader.answers)
    if not clusters:
        return "<h4>Groups</h4><p>No two answers say the same.</p>"
    decisions = len(answers) - sum(len(c.members) - 1 for c in clusters)
    rows = "".join(
        f"<tr><td style='text-align:left;white-space:pre-wrap'>{_shown(answers[c.leader])}</td>"
        f"<td>{len(c.members)}</td><td>{sum(answers[k].count for k in c.members)}</td></tr>"
        for c in clusters[:_GROUPS_SHOWN]
    )
    return (
        f"<h4>Groups</h4><p>{visible(f'{decisions} decisions do for {students} students.')}</p>"
        f"<table><thead><tr>{ANSWER}<th>wordings</th><th>students</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _shown(answer: AnswerText) -> str:
    more = "\u2026" if len(answer.text) > _TEXT_SHOWN else ""
    return visible(answer.text[:_TEXT_SHOWN]) + more


def answer_row(answer: AnswerText, *cells: str) -> str:
    """Return a row of a table: the answer, escaped, how many students wrote it, other cells."""
    rest = "".join(f"<td>{visible(cell)}</td>" for cell in cells)
    return (
        f"<tr><td style='text-align:left;white-space:pre-wrap'>{_shown(answer)}</td>"
        f"<td>{answer.count}</td>{rest}</tr>"
    )
