"""Looking at a submission before nbgrader does, to name what would fail it."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.autograde.files import HandedIn, hash_files, read_submission, shown
from markbook.errors import NotebookError
from markbook.notebooks import nbgrader_metadata, parse_notebook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["Prescan", "hash_folder", "prescan"]

_SUFFIX = ".ipynb"
_SCHEMA = 3  # nbgrader's cell metadata; other versions end its whole run


@dataclass(frozen=True, slots=True)
class Prescan:
    """``failure`` is a sentence if the submission cannot be run; ``findings`` if it can."""

    failure: str | None = None
    findings: tuple[str, ...] = field(default=())


def hash_folder(folder: Path, *, skip: str = "") -> str:
    """Return a hash of all files below ``folder``, names and bytes; ``skip`` leaves out a suffix.

    A link counts by where it points, not by what is there.
    """
    files = {
        path.relative_to(folder).as_posix(): (
            b"link:" + os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        )
        for path in folder.rglob("*")
        if (path.is_symlink() or path.is_file()) and not (skip and path.suffix == skip)
    }
    return hash_files(files)


def prescan(folder: Path, notebooks: Collection[str]) -> Prescan:
    """Look at one submission; ``notebooks`` are the names the assignment has, without ending."""
    try:
        handed = read_submission(folder, folder.parent.name)
    except OSError as error:
        handed = HandedIn.unreadable(folder.parent.name, error)
    if handed.failure is not None:
        return Prescan(handed.failure)
    files = handed.submission.files
    found = {
        name.removesuffix(_SUFFIX): files[name]
        for name in sorted(files)
        if name.endswith(_SUFFIX) and "/" not in name
    }
    known = [name for name in notebooks if name in found]
    if not known:
        handed_in = ", ".join(shown(f"{name}{_SUFFIX}") for name in found) or "none"
        return Prescan(
            f"it has none of the assignment's notebooks ({', '.join(sorted(notebooks))});"
            f" handed in: {handed_in}"
        )
    findings: list[str] = []
    for name in known:
        try:
            findings.extend(_look_at(parse_notebook(found[name]), name))
        except NotebookError as error:
            return Prescan(f"{name}{_SUFFIX} cannot be read: {error.placed}")
        except _FatalError as error:
            return Prescan(str(error))
    findings += [f"{shown(n)}{_SUFFIX} is not of this assignment" for n in found if n not in known]
    findings += [f"{n}.ipynb was not handed in" for n in sorted(notebooks) if n not in found]
    return Prescan(findings=tuple(findings))


class _FatalError(Exception):
    """The submission cannot be run; the message is the sentence that says why."""


def _look_at(notebook: NotebookNode, name: str) -> Iterator[str]:
    if not notebook.cells:
        raise _FatalError(f"{name}.ipynb is empty")
    places: dict[str, list[int]] = defaultdict(list)
    for number, cell in enumerate(notebook.cells, start=1):
        metadata = nbgrader_metadata(cell)
        if not metadata:
            continue
        version = metadata.get("schema_version")
        if version != _SCHEMA:
            raise _FatalError(
                f"cell {number} of {name}.ipynb has nbgrader metadata of version {version!r}"
            )
        if isinstance(metadata.get("grade_id"), str):
            places[metadata["grade_id"]].append(number)
    for grade_id, numbers in places.items():
        if len(numbers) > 1:
            cells = " and ".join(str(number) for number in numbers)
            raise _FatalError(f"the cell {grade_id!r} is in {name}.ipynb twice (cells {cells})")
    yield from ()
