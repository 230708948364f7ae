"""How a grader notebook decided each criterion: one JSON object beside its suggestions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markbook.errors import GraderError
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BY_MEANING", "METHODS_NAME", "read_methods", "write_methods"]

METHODS_NAME = "methods.json"
BY_MEANING = "meaning"  # no function of the notebook decides the criterion


def write_methods(path: Path, methods: Mapping[str, str]) -> None:
    """Write the methods, by criterion, atomically."""
    write_atomic(path, json.dumps(dict(methods), sort_keys=True) + "\n")


def read_methods(path: Path) -> dict[str, str]:
    """Read the methods by criterion; none where there is no file (a grader without ``finish``).

    Raises ``GraderError`` for a file that is no JSON object of texts.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise GraderError(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise GraderError(
            f"{path.name} is not an object of texts.", hint="Let grader.finish() write it."
        )
    return found
