"""Rubric files: how each question is marked, as YAML that people write and git keeps.

:func:`load_rubric` and :func:`load_rubrics` read them strictly, :func:`save_rubric` writes
changes back and keeps comments, :func:`rubric_json_schema` is what editors check against.
"""

from markbook.rubrics.problems import InvalidRubric, Problem
from markbook.rubrics.reading import load_rubric, load_rubrics, parse_rubric
from markbook.rubrics.schema import rubric_json_schema
from markbook.rubrics.version import (
    rubric_document,
    rubric_from_document,
    rubric_version,
    with_version,
)
from markbook.rubrics.writing import dump_rubric, save_rubric

__all__ = [
    "InvalidRubric",
    "Problem",
    "dump_rubric",
    "load_rubric",
    "load_rubrics",
    "parse_rubric",
    "rubric_document",
    "rubric_from_document",
    "rubric_json_schema",
    "rubric_version",
    "save_rubric",
    "with_version",
]
