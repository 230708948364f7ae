"""A prior as a file of plain numbers, and back; nothing in it is ever run."""

from __future__ import annotations

import io
import zipfile
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InputError
from markbook.graders.learning.calibration import Trust
from markbook.graders.learning.members import Forest, Linear, Member, Support
from markbook.graders.learning.process import Kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.graders.learning.prior import Opinions, Prior

__all__ = ["from_bytes", "shipped", "to_bytes"]

_MEMBERS: dict[str, type[Member]] = {"linear": Linear, "support": Support, "forest": Forest}
_HALF = ("support.vectors", "forest.limit", "forest.value", "trust.chance")
_TRUST = ("chance", "usual", "voices", "rise")
FORMAT = 3


def to_bytes(prior: Prior) -> bytes:
    """Return a prior without an earlier one as a compressed npz; a few numbers are rounded."""
    arrays: dict[str, np.ndarray] = {
        "format": np.array(FORMAT),
        "names": np.array(prior.names),
        "centre": prior.opinions.centre,
        "spread": prior.opinions.spread,
        "variance": prior.variance,
        "kernel": np.array(list(prior.kernel.parts)),
        "kernel.size": np.array(list(prior.kernel.parts.values())),
        "noise": np.array(prior.kernel.noise),
        "trust.chance": prior.trust.chance,
        "trust.usual": prior.trust.usual,
        "trust.voices": prior.trust.voices,
        "trust.rise": prior.trust.rise,
        "seen": np.array(sorted(prior.seen), dtype=np.uint64),
    }
    for name in _MEMBERS:
        for part, array in getattr(prior.opinions, name).arrays().items():
            arrays[f"{name}.{part}"] = array
    for name in _HALF:
        arrays[name] = arrays[name].astype(np.float16)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def from_bytes(content: bytes) -> Prior:
    """Read a prior back.

    Raises:
        InputError: the content is no prior of this version.
    """
    from markbook.graders.learning.prior import Opinions, Prior

    name, size = "kernel", "kernel.size"
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        _check(int(arrays["format"]))
        for half in _HALF:
            arrays[half] = arrays[half].astype(np.float32)
        parts = dict(zip(arrays[name].tolist(), arrays[size].tolist(), strict=True))
        return Prior(
            tuple(arrays["names"].tolist()),
            _opinions(Opinions, arrays),
            arrays["variance"],
            Kernel(parts, float(arrays["noise"])),
            Trust(*(arrays[f"trust.{part}"].astype(float) for part in _TRUST)),
            seen=frozenset(arrays["seen"].tolist()),
        )
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"This is no prior that this version of Markbook can read: {error}.",
            hint="Fit it again, or reinstall Markbook.",
        ) from error


def _check(version: int) -> None:
    if version != FORMAT:
        raise ValueError(f"its format is {version}, not {FORMAT}")


def _opinions(kind: type[Opinions], arrays: Mapping[str, np.ndarray]) -> Opinions:
    parts = {
        name: member.of_arrays(
            {key.partition(".")[2]: a for key, a in arrays.items() if key.startswith(f"{name}.")}
        )
        for name, member in _MEMBERS.items()
    }
    return kind(arrays["centre"], arrays["spread"], **parts)  # type: ignore[arg-type]


def shipped(name: str) -> Prior:
    """Return a prior that comes with Markbook."""
    file = resources.files("markbook.graders.learning") / "data" / f"{name}.npz"
    return from_bytes(file.read_bytes())
