"""The rubric's file while its edit is stored: one editor at a time, and no edit half done.

An edit is first written whole into ``graders/<assignment>/.edit-<id>/<question>.yaml``. Then the
gradebook stores it in one transaction, whose audit line names the id. Last, the file takes the
rubric's place. Killed before the transaction, the edit never happened, and its folder is thrown
away; killed after it, the next edit, or ``finish``, puts the file in its place.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import CourseError
from markbook.rubrics import load_rubric, save_rubric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Event, Rubric

__all__ = ["Present", "Staged", "finish", "left_over", "present_rubric", "taking_turns"]

_PREFIX = ".edit-"
_EDITED = "rubric edited"  # a test compares it with what the gradebook writes


@dataclass(frozen=True, slots=True)
class Present:
    """A question's rubric as it stands, an edit that was broken off included.

    ``pending`` tells that the gradebook has it and the file not yet; ``notes`` are sentences.
    """

    rubric: Rubric
    pending: bool = False
    notes: tuple[str, ...] = ()


@contextmanager
def taking_turns(course: Course, assignment: str) -> Iterator[None]:
    """Let one process and thread at a time edit the assignment's rubrics."""
    folder = course.rubrics(assignment)
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise CourseError(
            f"The folder {folder} cannot be opened: {error.strerror}.",
            hint="It holds the assignment's rubrics.",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def left_over(course: Course, assignment: str) -> tuple[str, ...]:
    """Return the questions whose edit is being made or was broken off."""
    folder = course.rubrics(assignment)
    return tuple(sorted({path.stem for path in folder.glob(f"{_PREFIX}*/[!.]*.yaml")}))


def present_rubric(course: Course, gb: Gradebook, assignment: str, question: str) -> Present:
    """Return the rubric as it stands; changes nothing. Raises ``RubricError``."""
    rubric = load_rubric(course.rubric(assignment, question))
    for folder in _folders(course, assignment, question):
        event = _event(gb, assignment, folder)
        if event is None:
            continue
        before, after = _versions(event)
        if rubric.version == before:
            return Present(_edited(folder, question, rubric), pending=True)
        if rubric.version != after:
            note = (
                f"An edit by {event.who!r} was broken off, and its file has been changed by hand"
                " since. The file counts; marks under that edit come along with the next one."
            )
            return Present(rubric, notes=(note,))
    return Present(rubric)


def finish(course: Course, gb: Gradebook, assignment: str, question: str) -> Present:
    """Finish or throw away what a killed edit left; return the rubric as its file now has it.

    Costs a look into the folder when nothing was left. Only while ``taking_turns``.
    """
    found = present_rubric(course, gb, assignment, question)
    if found.pending:
        save_rubric(course.rubric(assignment, question), found.rubric)
    for folder in course.rubrics(assignment).glob(f"{_PREFIX}*"):
        left = {path.name for path in folder.iterdir()}
        if not left or f"{question}.yaml" in left:
            shutil.rmtree(folder)
    return found


class Staged:
    """The rubric's file as it will be, in a folder beside it."""

    def __init__(self, course: Course, assignment: str, rubric: Rubric) -> None:
        """Write the file. Raises ``InternalError`` when its comments could not be kept."""
        self.id = secrets.token_hex(8)
        self._path = course.rubric(assignment, rubric.question)
        self._folder = self._path.parent / f"{_PREFIX}{self.id}"
        self._copy = self._folder / self._path.name
        try:
            self._folder.mkdir()
            shutil.copyfile(self._path, self._copy)
            save_rubric(self._copy, rubric)
        except OSError as error:
            self.discard()
            raise CourseError(
                f"The rubric cannot be written beside {self._path}: {error.strerror}.",
                hint="May you write in this folder? Nothing was stored.",
            ) from error
        except BaseException:
            self.discard()
            raise

    def publish(self) -> None:
        """Put the file in the rubric's place."""
        shutil.copymode(self._path, self._copy)
        self._copy.replace(self._path)
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self.discard()

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _folders(course: Course, assignment: str, question: str) -> list[Path]:
    name = course.rubric(assignment, question).name
    return sorted(
        folder
        for folder in course.rubrics(assignment).glob(f"{_PREFIX}*")
        if (folder / name).is_file()
    )


def _event(gb: Gradebook, assignment: str, folder: Path) -> Event | None:
    """Return the audit line of the edit that a folder is left of; None if it was never stored."""
    name = folder.name.removeprefix(_PREFIX)
    for event in gb.events(assignment):
        if event.what == _EDITED and event.subject.get("edit") == name:
            return event
    return None


def _versions(event: Event) -> tuple[str, str]:
    before, after = event.before or {}, event.after or {}
    return str(before.get("rubric_version")), str(after.get("rubric_version"))


def _edited(folder: Path, question: str, current: Rubric) -> Rubric:
    """Return the edit's rubric, with what an edit never changes as the file has it now."""
    made = load_rubric(folder / f"{question}.yaml")
    return dataclasses.replace(made, asked_as=current.asked_as, public=current.public)
