"""What marks of other questions of a course teach, and a prior that is moved by them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Self

import numpy as np

from markbook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from markbook.graders.learning.prior import Prior

__all__ = ["Kept", "Taught", "teach"]

_AGAIN = "Remove the file; the next 'markbook suggest --force' writes it again."
_MOST = 150  # marked answers of one question: a big class must not drown the others


@dataclass(frozen=True)
class _Arrays:
    """Arrays that are a file: nothing in it is ever run."""

    def to_bytes(self) -> bytes:
        """Return the arrays as a compressed npz."""
        file = io.BytesIO()
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read them back.

        Raises:
            InputError: the content is no such file.
        """
        return cls._of(io.BytesIO(content))

    @classmethod
    def _of(cls, stream: IO[bytes]) -> Self:
        try:
            with np.load(stream, allow_pickle=False) as file:
                found = cls(**{field.name: file[field.name] for field in fields(cls)})
            found._check()
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"These are no features that this version of Markbook kept: {error}.",
                hint=_AGAIN,
            ) from error
        return found

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a file, None where there is none. What else a grader's run keeps in it is left.

        Raises:
            InputError: it cannot be read, or is no such file; its path is told.
        """
        try:
            with path.open("rb") as stream:
                return cls._of(stream)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise InputError(f"{path} cannot be read: {why}.", hint=_AGAIN) from error
        except InputError as error:
            raise InputError(f"{path}: {error.what}", hint=error.hint) from error

    def _check(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Kept(_Arrays):
    """Features of a question's answers: ``names`` (d,), ``keys`` (n,) of the texts, ``values``.

    No text can be read back from ``values`` (n, d).
    """

    names: NDArray[np.str_]
    keys: NDArray[np.str_]
    values: NDArray[np.float32]

    def _check(self) -> None:
        if self.values.shape != (len(self.keys), len(self.names)):
            raise ValueError("its parts do not fit together")
        if not np.isfinite(self.values).all():
            raise ValueError("a feature is no number")


@dataclass(frozen=True)
class Taught(_Arrays):
    """Marked answers of several questions: ``values`` (m, d), ``scores`` (m,) in [0, 1].

    ``groups`` (m,) tells the questions apart.
    """

    names: NDArray[np.str_]
    values: NDArray[np.float32]
    scores: NDArray[np.float64]
    groups: NDArray[np.intp]

    def _check(self) -> None:
        m = len(self.scores)
        if self.values.shape != (m, len(self.names)) or self.groups.shape != (m,):
            raise ValueError("its parts do not fit together")
        if not (np.isfinite(self.values).all() and ((self.scores >= 0) & (self.scores <= 1)).all()):
            raise ValueError("a feature is no number, or a score no share")

    @classmethod
    def of(cls, questions: Sequence[tuple[Kept, Mapping[str, float]]]) -> Taught | None:
        """Join the marked answers of questions read alike; None where there are none.

        Each question comes with the scores of its texts. Of features by different names, as
        where some were read with a sentence model and others not, the commonest are taken.
        """
        names: dict[tuple[str, ...], int] = {}
        for kept, scores in questions:
            named = tuple(kept.names.tolist())
            names[named] = names.get(named, 0) + len(scores)
        found = []
        for group, (kept, scores) in enumerate(questions):
            if tuple(kept.names.tolist()) != max(names, key=lambda named: names[named]):
                continue
            rows = [row for row, key in enumerate(kept.keys.tolist()) if key in scores]
            drawn = np.random.default_rng(0).permutation(len(rows))[:_MOST]
            for row in (rows[place] for place in np.sort(drawn)):
                found.append((kept.values[row], scores[str(kept.keys[row])], group))
        if not found:
            return None
        values, marks, groups = zip(*found, strict=True)
        return cls(
            np.array(max(names, key=lambda named: names[named])),
            np.array(values, np.float32),
            np.array(marks, float),
            np.array(groups, np.intp),
        )

    @property
    def questions(self) -> int:
        """How many questions the answers are of."""
        return len(np.unique(self.groups))


def teach(start: Prior, taught: Taught) -> Prior:
    """Return a prior moved by marks of other questions, none of which is to be predicted by it.

    Also how far to trust it is learned from them. A second or less for a course. Where features
    have other names, ``start`` stays.
    """
    # Here, for it takes scikit-learn: who only keeps or joins arrays does not wait a second for it.
    from markbook.graders.learning.moving import move

    if tuple(taught.names.tolist()) != start.names:
        return start
    return move(start, taught.values.astype(float), taught.scores, taught.groups)
