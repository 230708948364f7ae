"""Vectors as bytes and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.learning.packing import pack, unpack
from markbook.graders.learning.weights import WIDTH
from markbook.graders.learning.wordpiece import cut


def _packed(text: str, seed: int = 0) -> tuple[bytes, np.ndarray]:
    pieces = cut(text, 50)
    drawn = np.random.default_rng(seed).standard_normal((len(pieces.ids) + 1, WIDTH))
    drawn = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return pack(pieces, drawn[:-1], drawn[-1]), drawn


@given(st.text(max_size=40), st.integers(0, 99))
def test_what_is_packed_comes_back_within_a_ten_thousandth_of_the_cosine(
    text: str, seed: int
) -> None:
    data, drawn = _packed(text, seed)
    back = unpack(data)
    assert back is not None
    assert back.spans.tolist() == cut(text, 50).spans.tolist()
    assert len(back.tokens) == len(back.vectors) == len(drawn) - 1
    assert np.all(np.einsum("ij,ij->i", back.vectors, drawn[:-1]) > 0.9999)
    np.testing.assert_allclose(np.linalg.norm(back.vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(back.pooled, drawn[-1])


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(_packed("Nobody tampered with it.")[0])
    data[place % len(data)] ^= change
    assert unpack(bytes(data)) is None


@given(st.binary(max_size=100))
def test_other_bytes_are_no_vectors(data: bytes) -> None:
    assert unpack(data) is None
