"""The part of ``suggest`` that may run anywhere: from a job to suggestions, no gradebook."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError
from markbook.graders import AnswerLine, SuggestionLine, read_suggestions, write_answers
from markbook.kernels import GraderRunError, run_grader
from markbook.model import answer_hash
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markbook.model import Exemplar

__all__ = ["Job", "JobResult", "run_job"]

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Job:
    """All that one grader run needs, as values that cross processes. ``timeout`` in seconds.

    ``exemplars`` are judged first, in a run of their own; the answers only when all come out right.
    """

    question: str
    grader: Path
    rubric: bytes
    prompt: str
    answers: tuple[AnswerLine, ...]
    criteria: tuple[str, ...]
    seed: int
    timeout: float
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a run gave: ``lines`` for every text and criterion, or ``reason`` why there are none.

    ``notebook`` is the notebook as run, empty when it never started. ``misjudged`` are the numbers
    (from 1) of the exemplars that came out wrong: then the notebook is the run that judged them.
    """

    question: str
    lines: tuple[SuggestionLine, ...] = ()
    notebook: bytes = b""
    reason: str = ""
    log: str = ""
    misjudged: tuple[int, ...] = ()


def run_job(job: Job) -> JobResult:
    """Run one grader notebook on its exemplars, then on the answers, and check what it wrote.

    A grader that does not award an exemplar just what it earns gets no answers. Each run has a
    folder of its own.

    The notebook gets names relative to that folder, so that what is kept names no machine.
    Nothing it does wrong is raised: a reason comes back.
    """
    if job.exemplars:
        judged = _run(replace(job, answers=_lines(job.exemplars)))
        wrong = _misjudged(job, judged.lines)
        if judged.reason or wrong:
            return replace(judged, lines=(), misjudged=() if judged.reason else wrong)
    return _run(job)


def _lines(exemplars: Iterable[Exemplar]) -> tuple[AnswerLine, ...]:
    texts = {answer_hash(exemplar.text): exemplar.text for exemplar in exemplars}
    return tuple(AnswerLine(key, texts[key]) for key in sorted(texts))


def _misjudged(job: Job, lines: Iterable[SuggestionLine]) -> tuple[int, ...]:
    """Return the exemplars that MB602 or MB603 would name: awarded has to be what is earned."""
    awarded = {(line.key, line.criterion) for line in lines if line.awarded is True}
    return tuple(
        number
        for number, exemplar in enumerate(job.exemplars, start=1)
        if {name for name in job.criteria if (answer_hash(exemplar.text), name) in awarded}
        != set(exemplar.earns)
    )


def _run(job: Job) -> JobResult:
    with tempfile.TemporaryDirectory(prefix="markbook-grader-") as temporary:
        folder = Path(temporary)
        rubric = f"{job.question}.yaml"
        write_answers(folder / "answers.jsonl", job.answers)
        write_atomic(folder / rubric, job.rubric)
        write_atomic(folder / "prompt.md", job.prompt)
        ran = folder / "run.ipynb"
        parameters = {
            "answers": "answers.jsonl",
            "rubric": rubric,
            "suggestions": "suggestions.jsonl",
            "seed": job.seed,
        }
        try:
            run = run_grader(job.grader, ran, parameters, timeout=job.timeout, cwd=folder)
            lines = read_suggestions(
                folder / "suggestions.jsonl",
                {answer.key: answer.text for answer in job.answers},
                job.criteria,
            )
        except GraderRunError as error:
            return JobResult(job.question, (), _kept(ran, folder), error.what, error.log)
        except MarkbookError as error:
            reason = f"The grader notebook {job.grader.name} wrote nonsense: {error}"
            reason = reason if ran.is_file() else str(error)
            return JobResult(job.question, (), _kept(ran, folder), reason)
        return JobResult(job.question, lines, _kept(ran, folder), "", run.log)


def _kept(ran: Path, folder: Path) -> bytes:
    """Return a notebook as run, with the places of this machine taken out of its tracebacks."""
    if not ran.is_file():
        return b""
    text = ran.read_text(encoding="utf-8")
    places = {str(folder): ".", str(_PACKAGE.parent): "<markbook>", sys.prefix: "<python>"}
    for place, name in places.items():
        text = text.replace(json.dumps(place)[1:-1], name)
    return text.encode("utf-8", "surrogatepass")
