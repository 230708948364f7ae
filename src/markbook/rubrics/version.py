"""A rubric as a plain document, and its version: the hash of what it means.

What counts: question, start, model_answer, criteria (id, points, says, evidence, feedback),
pick_one, floor, extra_credit, policy, exemplars. What does not: asked_as (only the collector reads
it), public (only the release reads it), comments, quoting, line breaks and other white space,
the order of keys, and whether a default is written out. The order of lists counts: of criteria
with equal points in a pick_one list, the first is the one that counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

from markbook.model import Criterion, Exemplar, Rubric

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rubric_document", "rubric_from_document", "rubric_version", "with_version"]

_NOT_MEANING = ("asked_as", "public")


def rubric_document(rubric: Rubric) -> dict[str, Any]:
    """Return the rubric as JSON-able values, every key written out, in the order of a file.

    The version is not part of it: it follows from the rest.
    """
    return {
        "question": rubric.question,
        "start": rubric.start,
        "asked_as": list(rubric.asked_as),
        "model_answer": rubric.model_answer,
        "criteria": [
            {
                "id": criterion.id,
                "points": float(criterion.points),
                "says": criterion.says,
                "evidence": list(criterion.evidence),
                "feedback": criterion.feedback,
            }
            for criterion in rubric.criteria
        ],
        "pick_one": [list(group) for group in rubric.pick_one],
        "floor": float(rubric.floor),
        "extra_credit": float(rubric.extra_credit),
        "public": rubric.public,
        "policy": rubric.policy,
        "exemplars": [
            {"text": exemplar.text, "earns": list(exemplar.earns)} for exemplar in rubric.exemplars
        ],
    }


def rubric_from_document(document: Mapping[str, Any]) -> Rubric:
    """Return the rubric of a *valid* document, with its version; missing keys take defaults."""
    criteria = tuple(
        Criterion(
            id=item["id"],
            points=float(item["points"]),
            says=item["says"],
            evidence=tuple(item.get("evidence", ())),
            feedback=item.get("feedback", ""),
        )
        for item in document["criteria"]
    )
    exemplars = tuple(
        Exemplar(text=item["text"], earns=tuple(item.get("earns", ())))
        for item in document.get("exemplars", ())
    )
    return with_version(
        Rubric(
            question=document["question"],
            criteria=criteria,
            version="",
            start=document.get("start", "zero"),
            model_answer=document.get("model_answer", ""),
            pick_one=tuple(tuple(group) for group in document.get("pick_one", ())),
            floor=float(document.get("floor", 0)),
            public=document.get("public", False),
            policy=document.get("policy", "assist"),
            extra_credit=float(document.get("extra_credit", 0)),
            asked_as=tuple(document.get("asked_as", ())),
            exemplars=exemplars,
        )
    )


def with_version(rubric: Rubric) -> Rubric:
    """Return the rubric with the version that its meaning has; use it after any edit."""
    return dataclasses.replace(rubric, version=rubric_version(rubric))


def rubric_version(rubric: Rubric) -> str:
    """Return the first 12 hex digits of the SHA-256 of the rubric's meaning."""
    meaning = rubric_document(rubric)
    for key in _NOT_MEANING:
        del meaning[key]
    canonical = json.dumps(_canonical(meaning), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:12]


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return value
    return float(value) + 0.0
