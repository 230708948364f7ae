"""The hostile class: run once together with ten honest students, and the ten once by themselves."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from markbook.autograde import autograde
from markbook.collect import collect_papers
from markbook.course import Course
from markbook.errors import IsolationError
from markbook.executors import open_executor
from markbook.export import export_scores
from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook
from markbook.kernels.sandbox.probe import require_isolation
from markbook.model import Mark, score
from markbook.release import build
from markbook.rubrics import load_rubrics
from markbook.statistics import write_report
from markbook.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from markbook.model import Answer, Grade, SubmissionRecord


def _load() -> ModuleType:
    name = "markbook_hostile_catalogue"
    if name not in sys.modules:
        path = Path(__file__).with_name("catalogue.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def catalogue() -> ModuleType:
    """The module catalogue.py, which reads the data."""
    return _load()


def able(each: Any) -> bool:
    """Tell whether this machine can make and run an input."""
    return "root" not in each.needs or os.geteuid() == 0


@dataclass
class Ran:
    """A class after the whole course run: what stands in the hubs and in the files."""

    course: Course
    records: dict[str, SubmissionRecord]
    grades: dict[str, dict[str, Grade]]
    answers: dict[str, dict[str, Answer]]
    suggestions: dict[tuple[str, str], list[Any]]
    flags: dict[tuple[str, str], tuple[str, ...]]
    refused: dict[str, str]
    table: str
    lines: dict[str, list[Any]] = field(default_factory=dict)

    def page(self, student: str) -> str:
        path = self.course.feedback("hw", student) / "part.html"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def outputs(self, student: str) -> str:
        """Return all that a submission's code wrote, as the autograded notebook holds it."""
        path = self.course.autograded("hw", student) / "part.ipynb"
        if not path.is_file():
            return ""
        cells = json.loads(path.read_bytes())["cells"]
        return json.dumps([cell.get("outputs", []) for cell in cells])


@dataclass
class World:
    """Both runs, and what was seen of them from outside."""

    alone: Ran
    together: Ran
    asked: tuple[Any, ...]
    calls: list[bytes]
    witness: Path
    home: Path
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="session")
def world(catalogue: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the class of ten honest students alone, then with every hostile input.

    Nothing of it is run where code cannot be locked up.
    """
    try:
        require_isolation()
    except IsolationError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    top = tmp_path_factory.mktemp("hostile")
    catalogue.write_course(top / "plain")
    build(Course.open(top / "plain"), "hw")
    asked = tuple(each for each in catalogue.inputs() if able(each) and each.heading != "faults")
    alone = run(catalogue, top / "plain", top / "alone", top / "papers-of-none", ())
    places = {
        "ROOT": str(top / "together"),
        "WITNESS": str(top / "witness"),
        "HOME": str(top / "home"),
    }
    for name in ("witness", "home"):
        (top / name).mkdir(mode=0o777)
    (top / "home" / "secret.txt").write_text("canary-home")
    with listeners(places) as calls, environment(HOME=str(top / "home")):
        together = run(catalogue, top / "plain", top / "together", top / "papers", asked, places)
    before = json.loads((top / "together" / "before.json").read_text())
    yield World(
        alone=alone,
        together=together,
        asked=asked,
        calls=calls,
        witness=top / "witness",
        home=top / "home",
        before=before,
        after=fingerprints(top / "together"),
    )
    shutil.rmtree(top, ignore_errors=True)


def run(
    catalogue: ModuleType,
    plain: Path,
    root: Path,
    papers: Path,
    asked: Sequence[Any],
    places: dict[str, str] | None = None,
) -> Ran:
    """Make the class, and take it from what was handed in to the table of scores."""
    shutil.copytree(plain, root)
    course = Course.open(root)
    release = course.release("hw")
    for student, answers in catalogue.course_data()["honest"].items():
        catalogue.hand_in(course.submitted("hw", student), release, answers)
    papers.mkdir()
    for each in asked:
        folder = papers if each.paper else course.submitted("hw", each.student)
        catalogue.Maker(folder, release, places or {}).run(each)
    (root / "before.json").write_text(json.dumps(fingerprints(root)))
    refused = {}
    if any(papers.iterdir()):
        collected = collect_papers(course, "hw", [papers])
        refused = {
            problem.path.relative_to(papers).parts[0]: problem.error for problem in collected.errors
        }
    with Gradebook.open(course) as gb, open_executor("processes", workers=3) as executor:
        autograde(course, gb, "hw", executor=executor)
        assert suggest(course, gb, "hw").failed == ()
        mark(course, gb, asked)
        write_feedback(course, gb, "hw")
        write_report(course, gb, "hw")
        export_scores(course, gb, "hw", "csv", root / "scores.csv")
        export_scores(course, gb, "hw", "json", root / "scores.json")
        return gather(course, gb, refused)


def mark(course: Course, gb: Gradebook, asked: Sequence[Any]) -> None:
    """Mark two honest answers, and those on which a marker would quote something odd."""
    remarks = {"ada": "Well said.", "fay": "And who signed it?"}
    remarks |= {each.student: each.comment for each in asked if each.comment}
    rubric = load_rubrics(course.rubrics("hw"))["signature"]
    gb.save_rubric("hw", rubric)
    found = {answer.student: answer for answer in gb.answers("hw", "signature")}
    marks = [
        Mark(
            assignment="hw",
            notebook="part",
            question="signature",
            student=student,
            answer_hash=found[student].hash,
            earned=("unchanged",),
            marker="tutor",
            rubric_version=rubric.version,
            score=score(rubric, ("unchanged",), points=4, adjustment=0.0),
            comment=remark,
        )
        for student, remark in remarks.items()
    ]
    gb.save_marks(marks, who="tutor", what="marked")


def gather(course: Course, gb: Gradebook, refused: dict[str, str]) -> Ran:
    answers: dict[str, dict[str, Any]] = {}
    for answer in gb.answers("hw"):
        answers.setdefault(answer.student, {})[answer.question] = answer
    grades: dict[str, dict[str, Any]] = {}
    for grade in gb.grades("hw"):
        grades.setdefault(grade.student, {})[grade.question] = grade
    suggestions: dict[tuple[str, str], list[Any]] = {}
    for each in gb.suggestions("hw"):
        suggestions.setdefault((each.question, each.answer_hash), []).append(each)
    flags = {(e.question, e.answer_hash): e.flags for e in gb.expectations("hw")}
    lines: dict[str, list[Any]] = {}
    for line in json.loads((course.root / "scores.json").read_text())["scores"]:
        lines.setdefault(line["student"], []).append(line)
    return Ran(
        course=course,
        records={record.student: record for record in gb.records("hw")},
        grades=grades,
        answers=answers,
        suggestions=suggestions,
        flags=flags,
        refused=refused,
        table=(course.root / "scores.csv").read_bytes().decode("utf-8"),
        lines=lines,
    )


def fingerprints(root: Path) -> dict[str, str]:
    """Return what every file is like that nothing of a run may change."""
    found = {}
    for step in ("source", "release", "graders", "submitted"):
        for here, _, names in os.walk(root / step):
            for name in names:
                path = Path(here) / name
                if path.is_file() and not path.is_symlink() and path.stat().st_size < 10_000_000:
                    text = hashlib.sha256(path.read_bytes()).hexdigest()
                    found[os.fsencode(path.relative_to(root)).hex()] = text
    return found


@contextmanager
def listeners(places: dict[str, str]) -> Iterator[list[bytes]]:
    """Listen where code might call: by TCP, and by both kinds of local sockets."""
    heard: list[bytes] = []
    folder = tempfile.mkdtemp(prefix="markbook-h-")
    places["SOCKET"] = f"{folder}/s"
    places["ABSTRACT"] = f"markbook-hostile-{os.getpid()}"
    lines = [socket.socket(), *(socket.socket(socket.AF_UNIX) for _ in range(2))]
    lines[0].bind(("127.0.0.1", 0))
    lines[1].bind(places["SOCKET"])
    lines[2].bind(f"\0{places['ABSTRACT']}")
    places["PORT"] = str(lines[0].getsockname()[1])

    def hear(line: socket.socket) -> None:
        while True:
            try:
                caller, _ = line.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(2)
                try:
                    heard.append(caller.recv(1000))
                except OSError:
                    heard.append(b"")

    threads = [threading.Thread(target=hear, args=(line,), daemon=True) for line in lines]
    for line, thread in zip(lines, threads, strict=True):
        line.listen()
        thread.start()
    try:
        yield heard
    finally:
        for line in lines:
            line.shutdown(socket.SHUT_RDWR)
            line.close()
        for thread in threads:
            thread.join(5)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set secrets in this process's environment for a while."""
    patch = pytest.MonkeyPatch()
    patch.setenv("MARKBOOK_TEST_SECRET", "canary-environment")
    for name, value in variables.items():
        patch.setenv(name, value)
    try:
        yield
    finally:
        patch.undo()
