"""Reading rubric files strictly: every problem of a file, with its line, in one error."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from markbook.rubrics.crosschecks import cross_checks
from markbook.rubrics.explain import explain
from markbook.rubrics.problems import InvalidRubric, Problem, did_you_mean
from markbook.rubrics.schema import RubricFile
from markbook.rubrics.source import Source, read_source
from markbook.rubrics.version import rubric_from_document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from markbook.model import Rubric

__all__ = ["load_rubric", "load_rubrics", "parse_rubric"]

_ENDINGS = (".yaml", ".yml")


def load_rubric(path: Path) -> Rubric:
    """Return the rubric in ``path``; its ``question`` must be the file's name without ending.

    Raises ``InvalidRubric`` (a ``RubricError``) with all that is wrong in the file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InvalidRubric([Problem("there is no such rubric file.", path=path)]) from None
    except OSError as error:
        what = f"the rubric file cannot be read ({error.strerror})."
        raise InvalidRubric([Problem(what, path=path)]) from error
    rubric, problems = _examine(data, stem=path.stem)
    if rubric is None or problems:
        raise InvalidRubric(_placed(problems, path))
    return rubric


def parse_rubric(text: str | bytes, *, path: Path | None = None) -> Rubric:
    """Return the rubric written in ``text``; ``path`` only names the place in errors."""
    rubric, problems = _examine(text.encode() if isinstance(text, str) else text, stem=None)
    if rubric is None or problems:
        raise InvalidRubric(_placed(problems, path))
    return rubric


def load_rubrics(folder: Path) -> dict[str, Rubric]:
    """Return every rubric in ``folder`` by question id; {} for a folder that is not there.

    Raises ``InvalidRubric`` with the problems of all files.
    """
    found: dict[str, Rubric] = {}
    problems: list[Problem] = []
    for path in _rubric_files(folder):
        try:
            rubric = load_rubric(path)
        except InvalidRubric as error:
            problems.extend(error.problems)
            continue
        if rubric.question in found:
            what = f"question {rubric.question!r} has two rubric files, .yaml and .yml."
            problems.append(Problem(what, hint="Keep one of them.", path=path))
        found[rubric.question] = rubric
    if problems:
        raise InvalidRubric(problems)
    return found


def _rubric_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in _ENDINGS and not path.name.startswith(".") and path.is_file()
    )


def _placed(problems: Iterable[Problem], path: Path | None) -> list[Problem]:
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    return [dataclasses.replace(problem, path=path) for problem in ordered]


@lru_cache(maxsize=512)  # the rubrics of a term; a server and a check read each again and again
def _examine(data: bytes, *, stem: str | None) -> tuple[Rubric | None, tuple[Problem, ...]]:
    """Return the rubric that a file's bytes are, or what is wrong with them."""
    source, problems = read_source(data)
    if source is None:
        return None, tuple(problems)
    document: RubricFile | None = None
    try:
        document = RubricFile.model_validate(source.data)
    except ValidationError as error:
        found = [explain(detail, source) for detail in error.errors(include_url=False)]
        # A line that is no good YAML for a rubric is reported once, not again for its value.
        known = {problem.line for problem in problems}
        problems += [problem for problem in found if problem.line not in known]
    problems += cross_checks(source)
    problems += _misnamed(source, stem)
    if document is None or problems:
        return None, tuple(problems)
    return rubric_from_document(document.model_dump()), ()


def _misnamed(source: Source, stem: str | None) -> list[Problem]:
    question: Any = source.data.get("question")
    if stem is None or not isinstance(question, str) or question == stem:
        return []
    what = f"the file is named {stem!r} and its question is {question!r}; the two must be equal."
    return [Problem(what, source.line("question"), did_you_mean(question, [stem]))]
