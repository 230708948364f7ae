"""The weights of MiniLM-L6-v2 as arrays, read from the two files in which they are published.

``read_onnx`` reads the export with 8-bit weights: its initialisers are all there is to read, the
graph is the encoder that ``encoder.py`` computes. ``read_safetensors`` reads the official 32-bit
file. Both are data formats: nothing in them is run. Callers check the hash of a file before.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["HEADS", "LAYERS", "WIDTH", "Layer", "Weights", "read_onnx", "read_safetensors"]

LAYERS = 6
HEADS = 12
WIDTH = 384  # numbers in a vector

if TYPE_CHECKING:
    Floats = NDArray[np.float32]
    Pair = tuple[Floats, Floats]


@dataclass(frozen=True)
class Layer:
    """One layer of the encoder; matrices are (in, out), pairs are (matrix or gain, bias)."""

    attention: Pair  # queries (scaled already), keys and values beside each other: (384, 1152)
    joined: Pair
    joined_norm: Pair
    up: Pair  # (384, 1536)
    down: Pair  # (1536, 384)
    down_norm: Pair


@dataclass(frozen=True)
class Weights:
    """All weights. ``words`` (30522, 384) may be 8-bit; ``scale`` (30522, 1) makes floats of it."""

    words: NDArray[np.float32] | NDArray[np.int8]
    scale: Floats
    positions: Floats  # (512, 384), the constant vector of "first text" added
    norm: Pair
    layers: tuple[Layer, ...]

    def embed(self, ids: NDArray[np.integer]) -> Floats:
        """Return the first vectors of pieces, (..., t) to (..., t, 384), positions added."""
        found: Floats = self.words[ids].astype(np.float32)
        found *= self.scale[ids]
        found += self.positions[: ids.shape[-1]]
        return found


def _layer(matrix: Callable[[str], Floats], vector: Callable[[str], Floats]) -> Layer:
    """Build one layer from functions that give its matrices (in, out) and vectors by name."""
    inside = "attention.self."
    # Dividing the queries by sqrt(32) here saves a pass over every table of attention.
    shrink = np.float32((WIDTH // HEADS) ** -0.5)
    names = [inside + name for name in ("query", "key", "value")]
    matrices = [matrix(f"{name}.weight") for name in names]
    biases = [vector(f"{name}.bias") for name in names]
    matrices[0] = matrices[0] * shrink
    biases[0] = biases[0] * shrink

    def pair(name: str) -> Pair:
        return np.ascontiguousarray(matrix(f"{name}.weight")), vector(f"{name}.bias")

    def norm(name: str) -> Pair:
        return vector(f"{name}.LayerNorm.weight"), vector(f"{name}.LayerNorm.bias")

    return Layer(
        attention=(np.concatenate(matrices, axis=1), np.concatenate(biases)),
        joined=pair("attention.output.dense"),
        joined_norm=norm("attention.output"),
        up=pair("intermediate.dense"),
        down=pair("output.dense"),
        down_norm=norm("output"),
    )


# --- safetensors: a length, a table in JSON, and the bytes -------------------------------------


def read_safetensors(data: bytes) -> Weights:
    """Read the official file (float32).

    Raises:
        InputError: it is no safetensors file, or a tensor of MiniLM-L6-v2 is not in it.
    """
    try:
        (size,) = struct.unpack_from("<Q", data)
        table = json.loads(data[8 : 8 + size])
    except (struct.error, ValueError) as error:
        raise _unreadable("no safetensors file") from error

    def tensor(name: str) -> Floats:
        try:
            entry = table[name]
            start, end = entry["data_offsets"]
            found = np.frombuffer(data, "<f4", (end - start) // 4, 8 + size + start)
            return found.reshape(entry["shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(f"the tensor '{name}' is missing or broken") from error

    layers = []
    for number in range(LAYERS):
        base = f"encoder.layer.{number}."
        layers.append(
            _layer(lambda name, b=base: tensor(b + name).T, lambda name, b=base: tensor(b + name))  # type: ignore[misc]
        )
    words = tensor("embeddings.word_embeddings.weight")
    return Weights(
        words=words,
        scale=np.ones((len(words), 1), np.float32),
        positions=tensor("embeddings.position_embeddings.weight")
        + tensor("embeddings.token_type_embeddings.weight")[0],
        norm=(tensor("embeddings.LayerNorm.weight"), tensor("embeddings.LayerNorm.bias")),
        layers=tuple(layers),
    )


# --- ONNX: protocol buffers, of which four messages are needed ---------------------------------

_GRAPH, _INITIALISER = 7, 5  # field numbers: ModelProto.graph, GraphProto.initializer
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9  # of TensorProto
_TYPES = {1: "<f4", 3: "|i1", 7: "<i8"}  # TensorProto.DataType
_MATRICES = (
    "attention.self.query.weight",
    "attention.self.key.weight",
    "attention.self.value.weight",
    "attention.output.dense.weight",
    "intermediate.dense.weight",
    "output.dense.weight",
)


def read_onnx(data: bytes) -> Weights:
    """Read the export whose matrices are 8-bit with one scale a column.

    The matrices have no names of their own there; they follow each other as they are used.

    Raises:
        InputError: it is no such file, or a tensor of MiniLM-L6-v2 is not in it.
    """
    try:
        tensors = dict(_tensors(memoryview(data)))
    except (IndexError, ValueError, KeyError, struct.error) as error:
        raise _unreadable("no ONNX file") from error
    order = sorted(
        (name for name in tensors if name.startswith("val_") and name.endswith("_q")),
        key=lambda name: int(name.split("_")[1]),
    )
    if len(order) != LAYERS * len(_MATRICES):
        raise _unreadable(f"{len(order)} 8-bit matrices instead of {LAYERS * len(_MATRICES)}")

    def tensor(name: str) -> NDArray[np.generic]:
        try:
            return tensors[name]
        except KeyError as error:
            raise _unreadable(f"the tensor '{name}' is missing") from error

    def floats(name: str) -> Floats:
        return np.asarray(tensor(f"inner.{name}"), np.float32)

    def full(name: str) -> Floats:
        quantised, scale = tensor(f"{name}_q"), tensor(f"{name}_scale")
        return np.asarray(quantised, np.float32) * np.asarray(scale, np.float32)

    layers = []
    for number in range(LAYERS):
        own = order[number * len(_MATRICES) : (number + 1) * len(_MATRICES)]
        names = {name: at.removesuffix("_q") for name, at in zip(_MATRICES, own, strict=True)}
        base = f"encoder.layer.{number}."
        layers.append(
            _layer(lambda name, n=names: full(n[name]), lambda name, b=base: floats(b + name))  # type: ignore[misc]
        )
    words = "inner.embeddings.word_embeddings.weight"
    return Weights(
        words=np.asarray(tensor(f"{words}_q"), np.int8),
        scale=np.asarray(tensor(f"{words}_scale"), np.float32),
        positions=full("inner.embeddings.position_embeddings.weight")
        + floats("embeddings.token_type_embeddings.weight")[0],
        norm=(floats("embeddings.LayerNorm.weight"), floats("embeddings.LayerNorm.bias")),
        layers=tuple(layers),
    )


def _tensors(model: memoryview) -> Iterator[tuple[str, NDArray[np.generic]]]:
    for field, graph in _fields(model):
        if field != _GRAPH or isinstance(graph, int):
            continue
        for inner, message in _fields(graph):
            if inner == _INITIALISER and not isinstance(message, int):
                yield from _tensor(message)


def _tensor(message: memoryview) -> Iterator[tuple[str, NDArray[np.generic]]]:
    shape: list[int] = []
    name, kind, raw = "", 0, memoryview(b"")
    for field, value in _fields(message):
        if field == _DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif field == _TYPE and isinstance(value, int):
            kind = value
        elif field == _NAME and not isinstance(value, int):
            name = bytes(value).decode("utf-8")
        elif field == _RAW and not isinstance(value, int):
            raw = value
    if kind in _TYPES:  # others are constants of the graph's own bookkeeping
        yield name, np.frombuffer(raw, _TYPES[kind]).reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Iterate over a message: field numbers with a number or the bytes of a value."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("a field goes beyond its message")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")


def _packed(value: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _unreadable(why: str) -> InputError:
    return InputError(
        f"the weights of the sentence model cannot be read: {why}.",
        hint="Install the package that holds them again.",
    )
