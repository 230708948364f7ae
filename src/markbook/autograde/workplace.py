"""The place in which a submission's code runs: the student's files below the course's."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markbook.autograde.values import Settings
    from markbook.kernels.sandbox.room import Room

__all__ = ["place_for", "workplace"]


@contextmanager
def place_for(settings: Settings, *layers: Mapping[str, bytes]) -> Iterator[Path | Room]:
    """Make the place where a submission's code runs: locked up, or, if told so, a folder.

    Raises ``IsolationError`` where it cannot be locked up.
    """
    if settings.isolation == "none":
        with workplace(*layers) as folder:
            yield folder
        return
    from markbook.kernels.sandbox.bounds import Bounds
    from markbook.kernels.sandbox.probe import require_isolation
    from markbook.kernels.sandbox.room import Room

    require_isolation()
    bounds = Bounds(
        memory=settings.memory,
        processes=settings.processes,
        disk=settings.disk,
        files=settings.files,
        cpu_seconds=settings.cpu_seconds,
    )
    with Room(*layers, bounds=bounds, readable=settings.readable) as room:
        yield room


@contextmanager
def workplace(*layers: Mapping[str, bytes]) -> Iterator[Path]:
    """Make a folder of files by relative path, the first layer above the others; it goes after.

    A file that stands where an upper one needs a folder, or that would lie outside, is left out.
    """
    with tempfile.TemporaryDirectory(prefix="markbook-run-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        laid: set[str] = set()
        for layer in layers:
            for path, content in sorted(layer.items()):
                if path not in laid and _is_inside(path) and _write(root / path, content):
                    laid.add(path)
        yield root


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts


def _write(path: Path, content: bytes) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return False
    return True
