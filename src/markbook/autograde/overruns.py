"""Limits that code ran into without being ended: what its errors say of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from markbook.autograde.values import Settings
    from markbook.kernels.sandbox.room import Room

__all__ = ["overruns"]

_MB = 1024**2
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_BY_NUMBER = {11: "processes", 24: "open files", 27: "disk", 28: "disk"}
_NO_THREAD = "can't start new thread"


def overruns(notebook: NotebookNode, settings: Settings, place: Path | Room) -> list[str]:
    """Return a sentence for each limit that code ran into and went on, or failed, by itself."""
    said = {
        "memory": f"more memory than is allowed ({(settings.memory or 0) // _MB} MB)",
        "processes": f"more processes and threads than are allowed ({settings.processes})",
        "disk": (
            "more room for files than is allowed"
            f" ({settings.disk // _MB} MB, {settings.files} files)"
        ),
        "open files": "more open files than are allowed",
    }
    found = [
        f"cell {number} asked for {said[limit]}"
        for number, cell in enumerate(notebook.cells, start=1)
        for limit in _limits(cell)
    ]
    if not isinstance(place, Path) and place.out_of_memory():
        found.append(f"a process that it started was ended: it took {said['memory']}")
    return found


def _limits(cell: NotebookNode) -> list[str]:
    hit = (_limit(output) for output in cell.get("outputs", ()))
    return list(dict.fromkeys(limit for limit in hit if limit is not None))


def _limit(output: Mapping[str, object]) -> str | None:
    if output.get("output_type") != "error":
        return None
    name, value = str(output.get("ename")), str(output.get("evalue"))
    if name == "MemoryError":
        return "memory"
    if _NO_THREAD in value:
        return "processes"
    number = _ERRNO.match(value)
    return _BY_NUMBER.get(int(number.group(1))) if number else None
