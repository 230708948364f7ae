"""What a sentence model gives for a text: the seam between features and any such model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TokenModel", "TokenVectors"]


@dataclass(frozen=True)
class TokenVectors:
    """One text as vectors.

    ``tokens`` (t) without the model's own marks of beginning and end; ``spans`` (t, 2): offsets
    of characters in the text, end exclusive; ``vectors`` float32 (t, d): one for each token in
    its context, of length 1; ``pooled`` float32 (d,): the text as a whole, of length 1, or zeros
    when there is no token.
    """

    tokens: tuple[str, ...]
    spans: NDArray[np.int64]
    vectors: NDArray[np.float32]
    pooled: NDArray[np.float32]


class TokenModel(Protocol):
    """A sentence model; ``name`` holds the hash of its weights, so caches can tell them apart."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of each text, in order; the same text gives the same vectors."""
        ...
