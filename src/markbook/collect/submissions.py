"""From a matched paper to a submission folder, built from the release."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import nbformat

from markbook.errors import InputError, NotebookError, PaperError
from markbook.model import AnswerStatus
from markbook.notebooks import answer_cells, parse_notebook, read_notebook
from markbook.text.files import write_atomic
from markbook.text.plainfiles import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

    from markbook.collect.matching import PaperMatch
    from markbook.course import Course

__all__ = [
    "OWN",
    "SECRET",
    "SIDECAR",
    "TIMESTAMP",
    "UNMATCHED",
    "Paper",
    "filled",
    "match_document",
    "released_name",
    "store",
]

SIDECAR = "collected.json"
TIMESTAMP = "timestamp.txt"
SECRET = "submission_secret.txt"
UNMATCHED = "unmatched.md"
OWN = frozenset({SIDECAR, TIMESTAMP, SECRET, UNMATCHED})
# nbgrader's own, of the exchange as well as of the file.
_TIME = "%Y-%m-%d %H:%M:%S.%f UTC"
_FORMAT = 1
_MOST_TOLD = 50_000_000  # bytes; a paper has a tenth, and its sidecar the paper's text twice


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as read: its bytes, who wrote it, when, and what the reading mended."""

    path: Path
    student: str
    data: bytes
    modified: float
    notes: tuple[str, ...] = ()
    name: str = ""  # of the file in the submission; empty: as the paper's own
    beside: Mapping[str, bytes] = field(default_factory=dict)  # other files, by relative path

    @property
    def stored_as(self) -> str:
        name = self.name or self.path.name
        return (
            f"paper-{name}" if name in OWN or (not self.name and name.endswith(".ipynb")) else name
        )

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def filled(release: NotebookNode, match: PaperMatch) -> NotebookNode:
    """Return a copy of a release notebook with the answered cells filled in, all else as it is."""
    notebook: NotebookNode = nbformat.from_dict(json.loads(json.dumps(release)))  # type: ignore[no-untyped-call]
    for question, cell in answer_cells(notebook).items():
        found = match.answers.get(question)
        if found is not None and found.status is AnswerStatus.ANSWERED:
            cell["source"] = found.text
    return notebook


def store(
    course: Course, assignment: str, paper: Paper, match: PaperMatch | None, *, replace: bool
) -> bool:
    """Put a paper into ``submitted/``; return whether anything changed there.

    ``match`` is None for a notebook, which is stored as it is. Files are replaced one by one,
    each atomically, the sidecar last: whoever finds an old sidecar runs the step again. A
    submission that came another way is kept, unless ``replace``: then ``PaperError``.
    """
    folder = course.submitted(assignment, paper.student)
    _require_ours(folder, paper, replace=replace)
    files = _files(course, assignment, paper, match)
    before = _sidecar(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    changed = [write_atomic(folder / name, content) for name, content in files.items()]
    same = before.get("sha256") == paper.sha256 and (folder / TIMESTAMP).is_file()
    if not same:
        at = datetime.fromtimestamp(paper.modified, UTC).strftime(_TIME)
        changed.append(write_atomic(folder / TIMESTAMP, at + "\n"))
    if not (folder / SECRET).is_file():
        changed.append(write_atomic(folder / SECRET, secrets.token_hex(32), mode=0o600))
    changed.append(_remove_old(folder, before, files))
    changed.append(write_atomic(folder / SIDECAR, _document(paper, match, files)))
    return any(changed)


def _require_ours(folder: Path, paper: Paper, *, replace: bool) -> None:
    for part in (folder, folder.parent):
        if part.is_symlink() or (part.exists() and not part.is_dir()):
            raise PaperError(
                f"{part} is not a plain folder, so the submission cannot be put there.",
                path=paper.path,
                hint="Remove it, then collect again.",
            )
    if replace or not folder.is_dir() or (folder / SIDECAR).is_file():
        return
    # A first run that was killed leaves this paper's own bytes and no sidecar: go on with it.
    held = {p.name for p in folder.iterdir() if not p.name.startswith(".")}
    if not held or _holds(folder / paper.stored_as, paper.data):
        return
    raise PaperError(
        f"{paper.student} has a submission that did not come from a paper; it is kept.",
        path=paper.path,
        hint="If the paper shall take its place, collect it with --replace.",
    )


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_plain(path, len(data)) == data
    except OSError:
        return False


def _files(
    course: Course, assignment: str, paper: Paper, match: PaperMatch | None
) -> dict[str, bytes | str]:
    """Return the paper first, so that a killed run is recognised, then what is made of it."""
    own = paper.stored_as
    beside = {name: data for name, data in paper.beside.items() if name != own}
    files: dict[str, bytes | str] = {own: paper.data, **beside}
    if match is None:
        return files
    notebooks = sorted(course.release(assignment).glob("*.ipynb"))
    if not notebooks:
        raise InputError(
            f"{assignment} has no release version to build submissions from.",
            path=course.release(assignment),
            hint=f"Run 'markbook release {assignment}' first.",
        )
    for path in notebooks:
        text: str = nbformat.writes(filled(read_notebook(path), match), version=4)  # type: ignore[no-untyped-call]
        files[path.name] = text.rstrip("\n") + "\n"
    if match.unmatched:
        files[UNMATCHED] = "\n\n".join(match.unmatched) + "\n"
    return files


def _document(paper: Paper, match: PaperMatch | None, files: Mapping[str, object]) -> str:
    document: dict[str, Any] = {
        "format": _FORMAT,
        "paper": paper.path.name,
        "sha256": paper.sha256,
        "files": sorted(files),
        "notes": list(paper.notes),
    }
    if match is not None:
        document |= match_document(match)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def match_document(match: PaperMatch) -> dict[str, Any]:
    """Return a match as JSON values."""
    return {
        "answers": {
            question: {
                "status": str(found.status),
                "text": found.text,
                "matched_as": found.matched_as,
                "confidence": found.confidence,
            }
            for question, found in match.answers.items()
        },
        "unmatched": list(match.unmatched),
        "preamble": list(match.preamble),
        "doubtful": [
            {
                "question": doubt.question or None,
                "matched_as": doubt.matched_as,
                "confidence": doubt.confidence,
                "runner_up": doubt.runner_up or None,
                "why": doubt.why,
            }
            for doubt in match.doubtful
        ],
    }


def _sidecar(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_plain(folder / SIDECAR, _MOST_TOLD))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _remove_old(folder: Path, before: Mapping[str, Any], files: Mapping[str, object]) -> bool:
    """Remove what an earlier paper of the student left and this one did not replace."""
    removed = False
    names = before.get("files")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name not in files and _is_inside(folder, name):
            (folder / name).unlink()
            removed = True
    return removed


def _is_inside(folder: Path, name: str) -> bool:
    """Tell whether ``name`` is a file below ``folder``, on the way to which there is no link."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        return False
    place = folder
    for part in parts:
        place /= part
        if place.is_symlink():
            return False
    return place.is_file()


def released_name(course: Course, assignment: str, path: Path, data: bytes) -> str:
    """Return which released notebook a student's notebook is a copy of, by its answer cells.

    ``data`` are its bytes. Raises ``NotebookError`` for a file that is no notebook or holds none
    of the answer cells.
    """
    held = set(answer_cells(parse_notebook(data, path=path, clear_outputs=True)))
    shared = {
        found.name: len(held & set(answer_cells(read_notebook(found))))
        for found in sorted(course.release(assignment).glob("*.ipynb"))
    }
    if not any(shared.values()):
        raise NotebookError(
            f"The notebook holds none of the answer cells of {assignment}.",
            path=path,
            hint="Is it of another assignment, or a new notebook?",
        )
    return path.name if shared.get(path.name) else max(shared, key=lambda name: shared[name])
