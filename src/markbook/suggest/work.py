"""The part of ``suggest`` that may run anywhere: from a job to suggestions, no gradebook."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import InputError, MarkbookError
from markbook.graders import (
    AnswerLine,
    MarkLine,
    Scores,
    SuggestionLine,
    read_scores,
    read_suggestions,
    write_answers,
    write_marks,
)
from markbook.graders.grader import FEATURES_NAME, REHEARSAL_NAME, TAUGHT_NAME
from markbook.graders.methods import BY_MEANING, METHODS_NAME, read_methods
from markbook.graders.progress import PROGRESS_NAME, Stage, write_stage
from markbook.kernels import GraderRunError, run_grader
from markbook.model import answer_hash
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markbook.model import Exemplar

__all__ = ["Job", "JobResult", "Misjudged", "misjudged", "run_job"]

_SUGGESTIONS = "suggestions.jsonl"
_SCORES = "scores.jsonl"
_MOST_FEATURES = 200_000_000  # bytes: of 10,000 answers they are 70 MB
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Job:
    """All that one grader run needs, as values that cross processes. ``timeout`` in seconds.

    ``exemplars`` are judged first, in a run of their own; the answers only when all come out right.
    ``marks`` are what people gave to some of the answers; they teach the run on the answers only.
    ``rehearsal``: the answers themselves are texts that the grader is tried on, and no class.
    ``taught`` are marked answers of other questions, as a file of features and scores;
    ``earlier`` is where the last run's file of features lies, if there was one.
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
    marks: tuple[MarkLine, ...] = ()
    rehearsal: bool = False
    taught: bytes = b""
    earlier: Path | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a run gave: ``lines`` for every text and criterion, or ``reason`` why there are none.

    ``notebook`` is the notebook as run, empty when it never started. ``misjudged`` are the numbers
    (from 1) of the exemplars that came out wrong: then the notebook is the run that judged them.
    ``by_meaning`` are the criteria that no function of the grader decides. ``scores`` are None
    from a grader that expects none. ``features`` are the answers' as a file, empty without any.
    """

    question: str
    lines: tuple[SuggestionLine, ...] = ()
    notebook: bytes = b""
    reason: str = ""
    log: str = ""
    misjudged: tuple[int, ...] = ()
    by_meaning: frozenset[str] = frozenset()
    scores: Scores | None = None
    features: bytes = b""


@dataclass(frozen=True, slots=True)
class Misjudged:
    """An exemplar, by its number from 1, that a grader judged wrongly.

    ``missed`` are criteria that it earns and is not awarded, ``extra`` the other way round.
    """

    number: int
    missed: tuple[str, ...]
    extra: tuple[str, ...]


def run_job(job: Job, begin: Callable[[str, Path], None] | None = None) -> JobResult:
    """Run one grader notebook on its exemplars, then on the answers, and check what it wrote.

    A grader that does not award an exemplar just what it earns gets no answers. Each run has a
    folder of its own.

    The notebook gets names relative to that folder, so that what is kept names no machine.
    Nothing it does wrong is raised: a reason comes back. ``begin`` is called with the question
    and the folder before each run; a grader tells there how far it is.
    """
    begin = begin or (lambda _question, _folder: None)
    if job.exemplars:
        texts = _lines(job.exemplars)
        first = replace(job, answers=texts, marks=(), rehearsal=True, taught=b"", earlier=None)
        judged = _run(first, begin)
        wrong = tuple(m.number for m in misjudged(job.exemplars, job.criteria, judged.lines))
        if judged.reason or wrong:
            return replace(judged, lines=(), misjudged=() if judged.reason else wrong)
    return _run(job, begin)


def _lines(exemplars: Iterable[Exemplar]) -> tuple[AnswerLine, ...]:
    texts = {answer_hash(exemplar.text): exemplar.text for exemplar in exemplars}
    return tuple(AnswerLine(key, texts[key]) for key in sorted(texts))


def misjudged(
    exemplars: Sequence[Exemplar], criteria: Sequence[str], lines: Iterable[SuggestionLine]
) -> tuple[Misjudged, ...]:
    """Return the exemplars that did not come out right: awarded has to be just what is earned."""
    awarded = {(line.key, line.criterion) for line in lines if line.awarded is True}
    found: list[Misjudged] = []
    for number, exemplar in enumerate(exemplars, start=1):
        seen = {name for name in criteria if (answer_hash(exemplar.text), name) in awarded}
        missed = tuple(name for name in exemplar.earns if name not in seen)
        extra = tuple(name for name in criteria if name in seen and name not in exemplar.earns)
        if missed or extra:
            found.append(Misjudged(number, missed, extra))
    return tuple(found)


def _run(job: Job, begin: Callable[[str, Path], None]) -> JobResult:
    with tempfile.TemporaryDirectory(prefix="markbook-grader-") as temporary:
        folder = Path(temporary)
        parameters = _lay_out(job, folder)
        begin(job.question, folder)
        ran = folder / "run.ipynb"
        try:
            run = run_grader(job.grader, ran, parameters, timeout=job.timeout, cwd=folder)
            lines, scores = _read(job, folder), _read_scores(job, folder)
            methods = read_methods(folder / METHODS_NAME)
        except GraderRunError as error:
            return JobResult(job.question, (), _kept(ran, folder), error.what, error.log)
        except MarkbookError as error:
            reason = f"The grader notebook {job.grader.name} wrote nonsense: {error}"
            reason = reason if ran.is_file() else str(error)
            return JobResult(job.question, (), _kept(ran, folder), reason)
        free = frozenset(name for name, method in methods.items() if method == BY_MEANING)
        kept = _kept(ran, folder)
        return JobResult(
            job.question,
            lines,
            kept,
            "",
            run.log,
            by_meaning=free,
            scores=scores,
            features=_features(folder),
        )


def _lay_out(job: Job, folder: Path) -> dict[str, str | int]:
    """Write what a grader reads into ``folder``, and return the parameters that name it."""
    rubric = f"{job.question}.yaml"
    write_answers(folder / "answers.jsonl", job.answers)
    if job.marks:
        write_marks(folder / "marks.jsonl", job.marks)
    if job.taught:
        write_atomic(folder / TAUGHT_NAME, job.taught)
    if job.earlier is not None:
        with suppress(OSError):  # not there, or not ours to read: all is read anew
            shutil.copyfile(job.earlier, folder / FEATURES_NAME)
    if job.rehearsal:
        write_atomic(folder / REHEARSAL_NAME, "These are exemplars, not a class.\n")
    doing = "trying its exemplars" if job.rehearsal else "starting"
    write_stage(folder / PROGRESS_NAME, Stage(doing))
    write_atomic(folder / rubric, job.rubric)
    write_atomic(folder / "prompt.md", job.prompt)
    return {
        "answers": "answers.jsonl",
        "rubric": rubric,
        "suggestions": _SUGGESTIONS,
        "seed": job.seed,
    }


def _read(job: Job, folder: Path) -> tuple[SuggestionLine, ...]:
    texts = {answer.key: answer.text for answer in job.answers}
    return read_suggestions(folder / _SUGGESTIONS, texts, job.criteria)


def _read_scores(job: Job, folder: Path) -> Scores | None:
    path = folder / _SCORES
    if not path.is_file():
        return None
    return read_scores(path, {answer.key for answer in job.answers})


def _features(folder: Path) -> bytes:
    """Return the features that a grader wrote; what is none of ours is left where it is."""
    path = folder / FEATURES_NAME
    if not path.is_file() or path.stat().st_size > _MOST_FEATURES:
        return b""
    from markbook.graders.learning.taught import Kept

    content = path.read_bytes()
    try:
        Kept.from_bytes(content)
    except InputError:
        return b""
    return content


def _kept(ran: Path, folder: Path) -> bytes:
    """Return a notebook as run, with the places of this machine taken out of its tracebacks."""
    if not ran.is_file():
        return b""
    text = ran.read_text(encoding="utf-8")
    places = {str(folder): ".", str(_PACKAGE.parent): "<markbook>", sys.prefix: "<python>"}
    for place, name in places.items():
        text = text.replace(json.dumps(place)[1:-1], name)
    return text.encode("utf-8", "surrogatepass")
