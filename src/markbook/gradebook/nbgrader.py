"""nbgrader's own steps, each in a process of its own.

nbgrader changes the working folder and the environment, prints, and takes a second to import;
a process keeps all of that out of ours, and is forked from one that took that second once. It is
killed when ours ends, whatever way it ends.

nbgrader's preprocessors open its gradebook without the course's id, so that a second row,
``default_course``, appears in its ``course`` table. Nothing refers to it, and it is left there.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from markbook.errors import CourseError, InternalError, MarkbookError, NothingMatched
from markbook.gradebook.worker_process import start_worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.course import Course
    from markbook.gradebook.worker_process import Worker

__all__ = [
    "Exchanged",
    "Objection",
    "Run",
    "autograde",
    "collect",
    "create_database",
    "generate_assignment",
    "generate_unsaved",
    "publish_assignment",
    "publish_feedback",
    "validate",
]

_TAIL = 2000  # characters of nbgrader's log in an error


@dataclass(frozen=True, slots=True)
class Run:
    """How nbgrader's autograder ended for one student.

    ``failure`` is None, or a sentence; ``warnings`` are what nbgrader restored.
    """

    student: str
    failure: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """What nbgrader's validator has against a notebook, in its own words.

    ``kind`` is its name for it (type_changed, changed, failed), or "refused" where it gave up;
    ``source`` is the cell's, stripped, and empty where it speaks of the whole notebook.
    """

    kind: str
    says: str
    source: str = ""


def create_database(course: Course) -> None:
    """Make nbgrader's tables, stamped with nbgrader's version."""
    _call(course, "create-database")


def generate_assignment(course: Course, assignment: str, folder: Path) -> Path:
    """Write the student version of an assignment below ``folder``, and return where.

    Saves the assignment's cells in nbgrader's gradebook. Raises ``MarkbookError`` with nbgrader's
    own words when it refuses.
    """
    arguments = {"assignment": assignment, "folder": str(folder)}
    return Path(_call(course, "generate-assignment", **arguments)["folder"])


def generate_unsaved(
    course: Course, assignments: Sequence[str], folder: Path
) -> Iterator[tuple[str, Path | MarkbookError]]:
    """Write student versions below ``folder``, all in one process, and no gradebook.

    Yields every assignment in turn with where its version is, or with why nbgrader refused it.
    ``InternalError`` when nbgrader's process ends before it is done.
    """
    left = list(assignments)
    arguments = {"assignments": left, "folder": str(folder)}
    with _worker(course, "generate-unsaved", arguments) as (worker, log):
        for line in worker.stdout:
            reply = json.loads(line)
            _raise_error(reply, log)
            name, *left = left
            if reply["failure"] is not None:
                yield name, _refusal(reply["failure"], log)
            else:
                yield name, Path(reply["folder"])
        _finish(worker, log, missing=left)


def autograde(course: Course, assignment: str, students: Sequence[str]) -> Iterator[Run]:
    """Autograde the students' submissions, each again from the start, and yield how each ended.

    Replaces ``autograded/<student>/<assignment>``; of a failed one nothing is left there. A
    submission that ends nbgrader's whole process is failed, and the rest go on in a new one;
    ``InternalError`` when it happens to two processes that did nothing at all.
    """
    left = list(students)
    idle = 0
    while left:
        before = len(left)
        code, tail = 0, ""
        with _worker(course, "autograde", {"assignment": assignment, "students": left}) as (
            worker,
            log,
        ):
            for line in worker.stdout:
                reply = json.loads(line)
                _raise_error(reply, log)
                left = left[1:]
                yield Run(reply["student"], reply["failure"], tuple(reply["warnings"]))
            code, tail = worker.wait(), _tail(log)
        if not left:
            return
        idle = idle + 1 if len(left) == before else 0
        if idle > 1:
            raise InternalError(f"nbgrader's process ended with code {code}. {tail}")
        yield Run(left[0], f"nbgrader's process ended with code {code} while it was run")
        left = left[1:]


def validate(course: Course, notebook: Path) -> tuple[Objection, ...]:
    """Ask nbgrader's validator about a notebook file that has been run already.

    It judges the outputs that are in the file, and runs nothing. The course's own settings of the
    validator hold. Raises ``MarkbookError`` when its process fails.
    """
    found = _call(course, "validate", notebook=str(notebook))["objections"]
    return tuple(Objection(**each) for each in found)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What the exchange held: the students with a submission, and what was not taken, and why.

    Of ``refused`` each is (student, or the folder's name where that names none; reason).
    """

    students: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def needs_attention(self) -> bool:
        return bool(self.refused)


def collect(course: Course, assignment: str) -> Exchanged:
    """Collect the newest submissions from the exchange.

    One that is not made of plain files is refused, and the student's earlier one stays.
    Raises ``CourseError`` without an exchange or course id, ``NothingMatched`` when nobody has
    submitted.
    """
    _require_exchange(course)
    reply = _call(course, "collect", assignment=assignment)
    refused = tuple((r["student"] or r["folder"], r["reason"]) for r in reply["refused"])
    found = Exchanged(tuple(reply["students"]), refused)
    if not found.students and not refused:
        raise NothingMatched(
            f"Nobody has submitted {assignment!r} to the exchange {course.exchange_root}.",
            hint="Papers that came another way: 'markbook collect ASSIGNMENT --from PATH'.",
        )
    return found


def publish_assignment(course: Course, assignment: str) -> None:
    """Put the release version into the exchange, where students fetch it."""
    _require_exchange(course)
    _call(course, "release-assignment", assignment=assignment)


def publish_feedback(course: Course, assignment: str) -> tuple[str, ...]:
    """Put the feedback into the exchange; return the students it was there for.

    Raises ``NothingMatched`` when there is none.
    """
    _require_exchange(course)
    students = tuple(
        student
        for student in course.students("feedback", assignment)
        if any(course.feedback(assignment, student).glob("*.html"))
    )
    if not students:
        raise NothingMatched(
            f"There is no feedback for {assignment!r} yet.",
            hint=f"Run 'markbook feedback {assignment}' first.",
        )
    _call(course, "release-feedback", assignment=assignment, students=list(students))
    return students


def _require_exchange(course: Course) -> None:
    if not course.course_id:
        raise CourseError(
            f"The course {course.root} has no id, so it has no place in an exchange.",
            hint="Set CourseDirectory.course_id in nbgrader_config.py.",
        )
    if course.exchange_root is None:
        raise CourseError(
            f"The course {course.root} names no exchange.",
            hint="Set Exchange.root in nbgrader_config.py to a folder that students can reach.",
        )
    if not Path(course.exchange_root).is_dir():
        raise CourseError(
            f"The exchange {course.exchange_root} does not exist.",
            hint="Make the folder, writable for everyone who hands in, or correct Exchange.root.",
        )


def _call(course: Course, task: str, **arguments: Any) -> dict[str, Any]:
    """Run one task and return its one reply."""
    with _worker(course, task, arguments) as (worker, log):
        line = worker.stdout.readline()
        if line:
            reply: dict[str, Any] = json.loads(line)
            _raise_error(reply, log)
        _finish(worker, log, missing=[] if line else [task])
        return reply


@contextmanager
def _worker(
    course: Course, task: str, arguments: dict[str, Any]
) -> Iterator[tuple[Worker, IO[bytes]]]:
    request = {
        "task": task,
        "root": str(course.root),
        "course_id": course.course_id,
        "db_url": course.db_url,
        **arguments,
    }
    with tempfile.TemporaryFile(prefix="markbook-nbgrader-") as log:
        worker = start_worker(course.root, task, log)
        try:
            # stdin stays open: its end tells the worker that we are gone
            with suppress(BrokenPipeError):  # it died at once: its code will be looked at
                worker.stdin.write(json.dumps(request) + "\n")
                worker.stdin.flush()
            yield worker, log
        finally:
            worker.end()


def _finish(worker: Worker, log: IO[bytes], *, missing: list[str]) -> None:
    code = worker.wait()
    if code or missing:
        raise InternalError(
            f"nbgrader's process ended with code {code} before it was done with"
            f" {', '.join(missing) or 'its work'}. {_tail(log)}",
            hint="What was done is kept; run the command again to do the rest.",
        )


def _raise_error(reply: dict[str, Any], log: IO[bytes]) -> None:
    if "error" in reply:
        raise _refusal(reply["error"], log)


def _refusal(reason: str, log: IO[bytes]) -> MarkbookError:
    return MarkbookError(f"nbgrader refused: {reason}", hint=_tail(log))


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _TAIL))
    text = log.read().decode("utf-8", "replace").strip()
    return f"The end of its log:\n{text}" if text else "It logged nothing."
