"""The encoder against the same thing written plainly, number by number, in 64 bits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from markbook.graders.learning.encoder import encode_groups
from markbook.graders.learning.weights import HEADS, WIDTH, Layer, Weights

RANDOM = np.random.default_rng(5)


def _floats(*shape: int, size: float = 0.1) -> np.ndarray:
    return (RANDOM.standard_normal(shape) * size).astype(np.float32)


def _layer() -> Layer:
    def pair(inside: int, outside: int) -> tuple[np.ndarray, np.ndarray]:
        return _floats(inside, outside), _floats(outside)

    def norm() -> tuple[np.ndarray, np.ndarray]:
        return 1 + _floats(WIDTH), _floats(WIDTH)

    return Layer(pair(WIDTH, 3 * WIDTH), pair(WIDTH, WIDTH), norm(), pair(WIDTH, 1536),
                 pair(1536, WIDTH), norm())  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Weights:
    """One layer over a vocabulary of forty, 8-bit as in the published file."""
    words = RANDOM.integers(-127, 128, (40, WIDTH)).astype(np.int8)
    scale = np.full((40, 1), 0.01, np.float32)
    return Weights(
        words, scale, _floats(16, WIDTH), (1 + _floats(WIDTH), _floats(WIDTH)), (_layer(),)
    )


def _norm(x: np.ndarray, norm: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    return (x - x.mean(axis=-1, keepdims=True)) / spread * norm[0] + norm[1]


def _plain(weights: Weights, ids: list[int]) -> np.ndarray:
    x = weights.words[ids].astype(float) * weights.scale[ids] + weights.positions[: len(ids)]
    x = _norm(x, weights.norm)
    gelu = np.vectorize(lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))))
    for layer in weights.layers:
        q, k, v = np.split(x @ layer.attention[0] + layer.attention[1], 3, axis=1)
        heads = []
        for part in np.split(np.arange(WIDTH), HEADS):
            table = np.exp(q[:, part] @ k[:, part].T)
            heads.append(table / table.sum(axis=1, keepdims=True) @ v[:, part])
        joined = np.concatenate(heads, axis=1) @ layer.joined[0] + layer.joined[1]
        x = _norm(joined + x, layer.joined_norm)
        wide = gelu(x @ layer.up[0] + layer.up[1])
        x = _norm(wide @ layer.down[0] + layer.down[1] + x, layer.down_norm)
    return x


def test_groups_of_several_lengths_give_what_each_text_gives_alone(small: Weights) -> None:
    groups = [RANDOM.integers(0, 40, shape) for shape in ((3, 5), (1, 16), (2, 1))]
    for group, found in zip(groups, encode_groups(small, groups), strict=True):
        assert found.shape == (*group.shape, WIDTH)
        for ids, vectors in zip(group.tolist(), found, strict=True):
            np.testing.assert_allclose(vectors, _plain(small, ids), atol=2e-4)


def test_the_wide_layer_may_be_cut_anywhere(
    small: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = RANDOM.integers(0, 40, (7, 9))
    whole = encode_groups(small, [group])[0]
    monkeypatch.setattr("markbook.graders.learning.encoder._ROWS", 10)
    np.testing.assert_allclose(encode_groups(small, [group])[0], whole, atol=1e-4)


def test_no_text_gives_no_vectors(small: Weights) -> None:
    assert encode_groups(small, []) == []
