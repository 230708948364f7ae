"""What is wrong in a rubric file, all of it at once."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import RubricError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["InvalidRubric", "Problem", "did_you_mean"]

# A file in another format altogether breaks every line; more than these help nobody.
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: ``what`` is a sentence, ``line`` is 1-based, ``hint`` says what to do."""

    what: str
    line: int | None = None
    hint: str = ""
    path: Path | None = None

    def __str__(self) -> str:
        text = f"{self.what} {self.hint}".strip()
        if self.path is None:
            return text if self.line is None else f"line {self.line}: {text}"
        return (
            f"{self.path}:{self.line}: {text}" if self.line is not None else f"{self.path}: {text}"
        )


class InvalidRubric(RubricError):  # noqa: N818
    """One or more rubric files are wrong; ``problems`` has everything, in file and line order.

    ``what``, ``hint``, ``path`` and ``line`` are those of the first problem; as text the error
    lists the others below it.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.what, path=first.path, line=first.line, hint=first.hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_LISTED]]
        if len(self.problems) > _LISTED:
            lines.append(f"... and {len(self.problems) - _LISTED} more problems.")
        return "\n".join(lines)


def did_you_mean(wrong: str, legal: Iterable[str]) -> str:
    """Return a hint naming the nearest legal name, if one is near, and all legal names."""
    names = list(legal)
    by_folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wrong.casefold(), by_folded, n=1, cutoff=0.6)
    listed = f"Legal here: {', '.join(names)}." if names else ""
    return f"Did you mean {by_folded[near[0]]!r}? {listed}".strip() if near else listed
