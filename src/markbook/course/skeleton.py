"""A new course folder: what belongs into it, and writing what is not there yet."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from markbook import __version__
from markbook.course.folder import CONFIG_NAME, Course
from markbook.errors import CourseError, UsageError
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Skeleton", "course_id_of", "make_course", "requirement"]

EXAMPLE = "first-steps"

_TEMPLATES = Path(__file__).parent / "template"

# Where each file goes, and the template that it is made from. They are not named as they will be:
# git, linters and pytest would take them for files of this package. The configuration comes after
# the rest: with it the folder is a course.
_FILES = {
    "README.md": "README.md",
    ".gitignore": "gitignore.txt",
    "requirements.txt": "requirements.txt",
    "pyproject.toml": "pyproject.toml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".github/workflows/markbook.yml": "workflow.yml",
    "tests/test_course.py": "test_course.txt",
    "graders/default.ipynb": "default.ipynb",
    CONFIG_NAME: "nbgrader_config.txt",
}
# The notebook comes last: with it the example is an assignment, and is not offered again.
_EXAMPLE = {
    f"graders/{EXAMPLE}/copy-of-a-list.yaml": f"{EXAMPLE}/copy-of-a-list.yaml",
    f"{{source}}/{EXAMPLE}/{EXAMPLE}.ipynb": f"{EXAMPLE}/{EXAMPLE}.ipynb",
}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What was made: paths relative to ``root``, in the order of writing.

    ``kept`` were there before and are as they were. ``example`` tells whether the example
    assignment is part of ``written`` or ``kept``; a course that has assignments gets none.
    ``requirement`` is the line of requirements.txt, and ``indexed`` tells that it names a package
    index, though this Markbook was not installed from one. ``unignored`` are lines that a kept
    .gitignore does not have: students' work could be committed.
    """

    root: Path
    course_id: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    example: bool
    requirement: str
    indexed: bool
    unignored: tuple[str, ...] = ()


def make_course(root: Path, *, example: bool = True, dry_run: bool = False) -> Skeleton:
    """Make ``root`` a course folder, or add what a course folder lacks; overwrite nothing.

    Raises ``UsageError`` before anything is written when a file is where a folder has to be, when
    ``root`` lies inside another course, or when it cannot be written to.
    """
    root = root.resolve()
    _refuse_inside_another(root)
    course = Course.open(root) if (root / CONFIG_NAME).is_file() else None
    course_id = (course.course_id if course is not None else "") or course_id_of(root)
    example = example and not (course is not None and course.assignments())
    line, indexed = requirement()
    texts = _texts(course, example=example, values={"COURSE": course_id, "MARKBOOK": line})
    for path in texts:
        _refuse_blocked(root / path)
    missing = [path for path in texts if not os.path.lexists(root / path)]
    if not dry_run:
        _write(root, {path: texts[path] for path in missing})
    return Skeleton(
        root=root,
        course_id=course_id,
        written=tuple(missing),
        kept=tuple(path for path in texts if path not in missing),
        example=example,
        requirement=line,
        indexed=indexed and "requirements.txt" in missing,
        unignored=() if ".gitignore" in missing else _unignored(root, texts[".gitignore"]),
    )


def course_id_of(root: Path) -> str:
    """Return the course id that a folder's name gives: a name for folders, links and databases."""
    name = unicodedata.normalize("NFKD", root.name)
    name = "".join(letter for letter in name if not unicodedata.combining(letter))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "course"


def requirement() -> tuple[str, bool]:
    """Return the line that installs this Markbook elsewhere, and whether it is only a guess.

    It names where this one was installed from: a repository and its commit, an address, or a
    package index. A folder of this machine is of no use elsewhere, and then the guess is the index.
    """
    try:
        found = metadata.distribution("markbook").read_text("direct_url.json")
        source = json.loads(found) if found else {}
    except (metadata.PackageNotFoundError, ValueError):
        source = {}
    url, vcs = str(source.get("url", "")), source.get("vcs_info")
    if isinstance(vcs, dict) and "://" in url and not url.startswith("file:"):
        return f"markbook @ {vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', 'main')}", False
    if url.startswith(("https://", "http://")):
        return f"markbook @ {url}", False
    return f"markbook=={__version__}", bool(url)


def _texts(course: Course | None, *, example: bool, values: Mapping[str, str]) -> dict[str, str]:
    """Return the content of every file of the skeleton, by its path in the course folder."""
    source = "source"
    if course is not None:
        source = course.source("x").parent.relative_to(course.root).as_posix()
    files = _FILES | ({p.format(source=source): t for p, t in _EXAMPLE.items()} if example else {})
    return {path: _filled(template, values) for path, template in files.items()}


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _write(root: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        try:
            write_atomic(root / path, text)
        except OSError as error:
            raise UsageError(
                f"{root / path} cannot be written: {error.strerror or error}.",
                hint="Mend that and run 'markbook init' again: it writes what is missing.",
            ) from error


def _refuse_blocked(path: Path) -> None:
    """Refuse a file in the place of a folder, and a folder that cannot be written to."""
    if os.path.lexists(path):
        return
    home = next(each for each in path.parents if os.path.lexists(each))
    if not home.is_dir():
        raise UsageError(
            f"{home} is not a folder, and the course needs one there.",
            hint="Move it away, or name another folder for the course.",
        )
    if not os.access(home, os.W_OK | os.X_OK):
        raise UsageError(f"{home} may not be written to.", hint="Name a folder of yours.")


def _unignored(root: Path, template: str) -> tuple[str, ...]:
    """Return the lines of our .gitignore that the one in the folder does not have."""
    try:
        theirs = (root / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    known = {line.strip().strip("/") for line in theirs.splitlines()}
    lines = (line for line in template.splitlines() if line and not line.startswith("#"))
    return tuple(line for line in lines if line.strip("/") not in known)


def _refuse_inside_another(root: Path) -> None:
    if (root / CONFIG_NAME).is_file():
        return
    try:
        outer = Course.find(root.parent)
    except CourseError:
        return  # none above, or one whose configuration is broken: not ours to judge here
    raise UsageError(
        f"{root} lies in the course {outer.root}.",
        hint="Courses do not lie in courses: name a folder elsewhere.",
    )
