"""The strict schema of a rubric file, in pydantic, and the JSON Schema made from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ID_PATTERN",
    "MOST_POINTS",
    "CriterionFile",
    "ExemplarFile",
    "RubricFile",
    "rubric_json_schema",
    "write_json_schema",
]

# Letters, digits, dots, dashes, underscores: safe as nbgrader's grade_id, in a path and a URL.
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$"
# Far above any real question; keeps sums exact to the millionth that scores are rounded to.
MOST_POINTS = 10_000.0


def _something(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise ValueError("is empty")
    return stripped


Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=100)]
Text = Annotated[str, AfterValidator(_something), Field(json_schema_extra={"pattern": r"\S"})]
MaybeText = Annotated[str, AfterValidator(str.strip)]
Points = Annotated[float, Field(allow_inf_nan=False, ge=-MOST_POINTS, le=MOST_POINTS)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CriterionFile(_Strict):
    """One line of the rubric."""

    id: Id = Field(description="Its name in marks, suggestions and grader notebooks.")
    points: Points = Field(description="What earning it adds; negative for a misconception.")
    says: Text = Field(description="What an answer shows that earns it, as a full sentence.")
    evidence: list[Text] = Field(
        default_factory=list, description="Ways of saying it, matched by meaning."
    )
    feedback: MaybeText = Field(
        default="", description="Advice for the student who missed it, or who holds it wrongly."
    )


class ExemplarFile(_Strict):
    """An example answer and what it earns."""

    text: Text = Field(description="The answer, as a student would write it.")
    earns: list[str] = Field(
        default_factory=list, description="Ids of the criteria it earns; [] for a wrong answer."
    )


class RubricFile(_Strict):
    """How one question is marked."""

    question: Id = Field(description="The question's id: the name of this file, without ending.")
    start: Literal["zero", "full"] = Field(
        default="zero", description="zero: criteria add up from 0; full: criteria take away."
    )
    asked_as: list[Text] = Field(
        default_factory=list, description="Wordings of the question that papers use."
    )
    model_answer: MaybeText = Field(
        default="", description="Shown to markers, never released to students."
    )
    criteria: list[CriterionFile] = Field(min_length=1, description="What earns or costs points.")
    pick_one: list[Annotated[list[str], Field(min_length=2)]] = Field(
        default_factory=list, description="Lists of criterion ids; of each list one counts."
    )
    floor: Points = Field(default=0.0, description="The least an answer can score.")
    extra_credit: Annotated[Points, Field(ge=0)] = Field(
        default=0.0, description="Most points of a bonus question, whose cell is worth 0."
    )
    public: bool = Field(
        default=False, description="May the criteria be shown to students with the release?"
    )
    policy: Literal["assist", "manual"] = Field(
        default="assist", description="manual: no suggestions (opinions, reflections)."
    )
    exemplars: list[ExemplarFile] = Field(
        default_factory=list, description="Example answers: good, partial, wrong."
    )


def rubric_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a rubric file, for editors."""
    schema = RubricFile.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Markbook rubric",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def write_json_schema(path: Path) -> bool:
    """Write the JSON Schema to ``path``; False when it was already up to date."""
    text = json.dumps(rubric_json_schema(), indent=2, ensure_ascii=False) + "\n"
    return write_atomic(path, text)
