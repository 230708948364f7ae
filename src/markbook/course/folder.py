"""The course folder: every path in it is made here and nowhere else."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from markbook.course.config import read_config, setting
from markbook.course.nearest import CONFIG_NAME, nearest_course
from markbook.errors import CourseError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CONFIG_NAME", "Course", "Step"]

Step = Literal["submitted", "autograded", "feedback"]

_STEPS = ("source", "release", "submitted", "autograded", "feedback")


@dataclass(frozen=True, slots=True)
class Course:
    """A course folder and what its configuration says.

    ``db_url`` is an SQLAlchemy address (SQLite paths made absolute); ``exchange_root`` is None
    unless the course itself names one. ``config`` holds the configuration's sections.
    """

    root: Path
    course_id: str
    db_url: str
    exchange_root: str | None = None
    folders: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Open the nearest course folder at or above ``start`` (default: the working folder).

        A configuration is code: one that lies among a course's submissions is not run.
        """
        here = (start or Path.cwd()).resolve()
        found = nearest_course(here)
        if found is not None:
            return cls.open(found)
        raise CourseError(
            f"There is no course at or above {here}.",
            hint=f"A course folder holds an {CONFIG_NAME}; go there, or name it with --course.",
        )

    @classmethod
    def open(cls, root: Path) -> Course:
        """Open the course folder ``root``; raises ``CourseError`` when it is none."""
        root = root.resolve()
        path = root / CONFIG_NAME
        if not path.is_file():
            raise CourseError(
                f"{root} is not a course folder: it has no {CONFIG_NAME}.",
                hint="Name the folder that has one with --course.",
            )
        config = read_config(path)
        section = config.get("CourseDirectory", {})
        return cls(
            root=root,
            course_id=str(section.get("course_id", "")),
            db_url=_db_url(root, section),
            exchange_root=_text(config.get("Exchange", {}).get("root")),
            folders={step: _folder(root, section, step) for step in _STEPS},
            config=config,
        )

    def setting(self, option: str, *sections: str, default: Any = None) -> Any:
        """Return an option of nbgrader_config.py: of the first section that sets it.

        A class reads its own section, then its base classes'. ``default`` is what an option that
        was only appended to or updated starts from.
        """
        return setting(self.config, option, sections, default)

    def assignments(self) -> tuple[str, ...]:
        """Return the names of the authored assignments, sorted."""
        source = self.root / self._folder("source")
        if not source.is_dir():
            return ()
        return tuple(sorted(p.name for p in source.iterdir() if _is_assignment(p)))

    def require(self, assignment: str) -> str:
        """Return ``assignment`` if it exists; raise ``UnknownName`` with the known ones if not."""
        known = self.assignments()
        if assignment in known:
            return assignment
        raise UnknownName(
            f"There is no assignment {assignment!r} in {self.root / self._folder('source')}.",
            hint=_known("assignments", assignment, known),
        )

    def source(self, assignment: str) -> Path:
        return self.root / self._folder("source") / assignment

    def release(self, assignment: str) -> Path:
        return self.root / self._folder("release") / assignment

    def submitted(self, assignment: str, student: str) -> Path:
        return self.root / self._folder("submitted") / student / assignment

    def autograded(self, assignment: str, student: str) -> Path:
        return self.root / self._folder("autograded") / student / assignment

    def feedback(self, assignment: str, student: str) -> Path:
        return self.root / self._folder("feedback") / student / assignment

    def students(self, step: Step, assignment: str) -> tuple[str, ...]:
        """Return the students that have a folder for ``assignment`` in ``step``, sorted."""
        folder = self.root / self._folder(step)
        if not folder.is_dir():
            return ()
        return tuple(
            sorted(
                p.name
                for p in folder.iterdir()
                if not p.name.startswith(".") and (p / assignment).is_dir()
            )
        )

    def rubrics(self, assignment: str) -> Path:
        """Return the folder of an assignment's rubric files and own grader notebooks."""
        return self.root / "graders" / assignment

    def rubric(self, assignment: str, question: str) -> Path:
        return self.rubrics(assignment) / f"{question}.yaml"

    def grader(self, assignment: str, question: str) -> Path:
        """Return the question's own grader notebook, or the course's default one."""
        own = self.rubrics(assignment) / f"{question}.ipynb"
        return own if own.is_file() else self.root / "graders" / "default.ipynb"

    def reports(self, assignment: str) -> Path:
        return self.root / "reports" / assignment

    def grader_run(self, assignment: str, question: str) -> Path:
        """Return where the last run of a question's grader notebook is kept."""
        return self.reports(assignment) / "graders" / f"{question}.ipynb"

    def features(self, assignment: str, question: str) -> Path:
        """Return where that run kept the features of the answers, for other questions to learn."""
        return self.reports(assignment) / "graders" / f"{question}.features.npz"

    def taught(self, assignment: str, question: str) -> Path:
        """Return where it is kept what other questions' marks taught that run."""
        return self.reports(assignment) / "graders" / f"{question}.taught.npz"

    def relative(self, path: Path) -> str:
        """Return ``path`` as a person in the course folder would type it."""
        resolved = path if path.is_absolute() else Path.cwd() / path
        return str(resolved.relative_to(self.root)) if self.holds(resolved) else str(path)

    def holds(self, path: Path) -> bool:
        """Tell whether ``path`` lies in the course folder."""
        return path.is_relative_to(self.root)

    def _folder(self, step: str) -> str:
        return self.folders.get(step, step)


def _is_assignment(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and any(path.glob("*.ipynb"))


def _known(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if not names:
        return f"The course has no {what} yet."
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{guess}The course has these {what}: {', '.join(names)}."


def _db_url(root: Path, section: Mapping[str, Any]) -> str:
    url = _text(section.get("db_url"))
    if url is None:
        return f"sqlite:///{root / 'gradebook.db'}"
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/") and url != prefix:
        return prefix + str(root / url.removeprefix(prefix))
    return url


def _folder(root: Path, section: Mapping[str, Any], step: str) -> str:
    name = _text(section.get(f"{step}_directory")) or step
    inside = (root / name).resolve().is_relative_to(root)
    if not inside:
        raise CourseError(
            f"{root / CONFIG_NAME}: {step}_directory = {name!r} leaves the course folder.",
            hint="Name a folder inside the course.",
        )
    return name


def _text(value: object) -> str | None:
    return str(value) if value is not None and not _is_lazy(value) and str(value) else None


def _is_lazy(value: object) -> bool:
    # traitlets stands a LazyConfigValue in for options that were only appended to.
    return type(value).__name__ == "LazyConfigValue"
