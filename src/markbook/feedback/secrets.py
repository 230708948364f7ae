"""What a page must not tell through the outputs of a student's code.

The code runs in the notebook that holds the hidden tests, and may print what it finds there. A
line of a hidden test or a model answer that turns up in an output is known by its letters and
digits alone, so quotes, line breaks and colours in between do not hide it. Code that sets out to
disguise what it prints can: only running the tests elsewhere would prevent that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.notebooks import NBGRADERS, Delimiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Secrets", "find_secrets"]

_NOISE = re.compile(r"[\W_]+")
# Shorter ones stand in every program: "x = 1", "return x".
_SHORT_TEST = 8
_SHORT_MODEL = 16
_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Secrets:
    """The lines of hidden tests and of model answers, letters and digits only."""

    tests: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    def keeper(self, own: Sequence[str], *, models_too: bool) -> Callable[[str], bool]:
        """Return what tells whether a text gives a secret away.

        ``own`` are texts that the student wrote or was given: what stands there is none.
        """
        secrets = self.tests | self.models if models_too else self.tests

        def hides(text: str) -> bool:
            bare = _bare(text)
            found = [secret for secret in secrets if secret in bare]
            if not found:
                return False
            known = [_bare(source) for source in own]
            return any(not any(secret in source for source in known) for secret in found)

        return hides


def find_secrets(sources: Iterable[str], delimiters: Delimiters = NBGRADERS) -> Secrets:
    """Find the secrets in an authored notebook's cells; what also stands in the open is none."""
    tests: set[str] = set()
    models: set[str] = set()
    public: list[str] = []
    for source in sources:
        inside = ""
        for line in source.splitlines():
            mark = delimiters.mark(line)
            inside = mark.kind if mark is not None and mark.begins else inside
            bare = _bare(line)
            if not inside:
                public.append(bare)
            elif _telling(bare, _SHORT_MODEL if inside == "SOLUTION" else _SHORT_TEST):
                (models if inside == "SOLUTION" else tests).add(bare)
            if inside and delimiters.pairs[inside][1] in line:
                inside = ""
    given = "\n".join(public)
    return Secrets(
        frozenset(secret for secret in tests if secret not in given),
        frozenset(secret for secret in models if secret not in given),
    )


def _telling(bare: str, length: int) -> bool:
    return len(bare) >= length and sum(character.isalpha() for character in bare) >= _LETTERS


def _bare(text: str) -> str:
    return _NOISE.sub("", text)
