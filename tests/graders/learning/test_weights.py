"""Weights files: refused with a sentence when they are not what they should be."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import InputError
from markbook.graders.learning.weights import LAYERS, WIDTH, read_onnx, read_safetensors

RANDOM = np.random.default_rng(3)


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (5, WIDTH),
        "embeddings.position_embeddings.weight": (8, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    dense = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (4, WIDTH),
        "output.dense": (WIDTH, 4),
    }
    for number in range(LAYERS):
        base = f"encoder.layer.{number}."
        for name, shape in dense.items():
            shapes[f"{base}{name}.weight"] = shape
            shapes[f"{base}{name}.bias"] = shape[:1]
        for name in ("attention.output", "output"):
            shapes[f"{base}{name}.LayerNorm.weight"] = (WIDTH,)
            shapes[f"{base}{name}.LayerNorm.bias"] = (WIDTH,)
    return shapes


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return {k: RANDOM.standard_normal(v).astype(np.float32) for k, v in _shapes().items()}


def _safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        end = len(body) + tensor.nbytes
        table[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(body), end]}
        body += tensor.tobytes()
    head = json.dumps(table).encode()
    return struct.pack("<Q", len(head)) + head + body


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    return _number(number << 3 | 2) + _number(len(value)) + value


def _number(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _onnx(tensors: dict[str, np.ndarray]) -> bytes:
    """The same weights as the 8-bit export lays them out, its own scale for each column."""
    graph = b""

    def put(name: str, array: np.ndarray) -> None:
        nonlocal graph
        kind = {"float32": 1, "int8": 3, "int64": 7}[array.dtype.name]
        dims = b"".join(_field(1, size) for size in array.shape)
        body = dims + _field(2, kind) + _field(8, name.encode()) + _field(9, array.tobytes())
        graph += _field(5, body)

    def quantised(name: str, array: np.ndarray, axis: int) -> None:
        scale = np.abs(array).max(axis=axis, keepdims=True) / np.float32(127)
        put(f"{name}_q", np.rint(array / scale).astype(np.int8))
        put(f"{name}_scale", scale)

    place = 49
    for name, array in tensors.items():
        if name.startswith("embeddings.") and ("word" in name or "position" in name):
            quantised(f"inner.{name}", array, 1)
        elif array.ndim == 2 and name.startswith("encoder"):
            quantised(f"val_{place}", np.ascontiguousarray(array.T), 0)
            place += 8
        else:
            put(f"inner.{name}", array)
    put("val_8", np.array([1]))
    return _field(1, 10) + _field(7, graph)


def test_both_files_give_the_same_weights_within_eight_bits(
    tensors: dict[str, np.ndarray],
) -> None:
    exact, coarse = read_safetensors(_safetensors(tensors)), read_onnx(_onnx(tensors))
    ids = np.array([[4, 0, 2]])
    np.testing.assert_allclose(coarse.embed(ids), exact.embed(ids), atol=0.06)
    for one, other in zip(exact.layers, coarse.layers, strict=True):
        for name in ("attention", "joined", "joined_norm", "up", "down", "down_norm"):
            for left, right in zip(getattr(one, name), getattr(other, name), strict=True):
                assert left.shape == right.shape
                np.testing.assert_allclose(left, right, atol=0.03)


def test_the_words_of_the_small_file_stay_8_bit_in_memory(tensors: dict[str, np.ndarray]) -> None:
    assert read_onnx(_onnx(tensors)).words.dtype == np.int8


def test_a_missing_tensor_is_named(tensors: dict[str, np.ndarray]) -> None:
    less = {k: v for k, v in tensors.items() if k != "embeddings.LayerNorm.bias"}
    with pytest.raises(InputError, match=r"embeddings\.LayerNorm\.bias"):
        read_safetensors(_safetensors(less))
    with pytest.raises(InputError, match=r"embeddings\.LayerNorm\.bias"):
        read_onnx(_onnx(less))


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_and_never_crash(data: bytes) -> None:
    for read in (read_onnx, read_safetensors):
        with pytest.raises(InputError, match="cannot be read"):
            read(data)


def test_a_file_cut_short_is_refused(tensors: dict[str, np.ndarray]) -> None:
    for read, data in ((read_onnx, _onnx(tensors)), (read_safetensors, _safetensors(tensors))):
        with pytest.raises(InputError):
            read(data[: len(data) // 2])
