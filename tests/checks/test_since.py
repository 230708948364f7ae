"""What a change of rubric or grader does to marks and suggestions, against a real repository."""

from __future__ import annotations

import json

import pytest

from markbook.checks.revisions import Revision
from markbook.checks.since import compare
from markbook.errors import UnknownName, UsageError
from markbook.gradebook import Gradebook
from markbook.model import Mark, score
from markbook.rubrics import load_rubric


@pytest.fixture
def course(marked, commit, tmp_path):
    """The course in a folder of a repository, ada's and ben's answers marked."""
    course = marked(tmp_path / "repository" / "course")
    commit(course.root, tmp_path / "repository")
    with Gradebook.open(course) as gb:
        for student, question, earned in (
            ("ada", "keys", ("right", "example")),
            ("ada", "doors", ("right",)),
            ("cleo", "doors", ()),
        ):
            _mark(course, gb, student, question, earned)
    return course


def _mark(course, gb, student, question, earned):
    rubric = load_rubric(course.rubric("hw", question))
    gb.save_rubric("hw", rubric)
    (answer,) = [a for a in gb.answers("hw", question) if a.student == student]
    points = {"keys": 3.0, "doors": 2.0}[question]
    mark = Mark("hw", "part", question, student, answer.hash, earned, "tutor", rubric.version,
                score(rubric, earned, points=points))  # fmt: skip
    gb.save_marks([mark], who="tutor", what="mark")


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _compare(course, wanted=()):
    with Gradebook.open(course) as gb:
        return compare(course, gb, Revision.of(course.root, "HEAD"), {"hw": list(wanted)})


def test_a_course_as_it_was_has_no_changes_and_a_comment_is_none(course):
    path = course.rubric("hw", "keys")
    path.write_text("# says the same\n" + path.read_text())
    grader = course.root / "graders" / "default.ipynb"
    document = json.loads(grader.read_text())
    document["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "ran"}]
    grader.write_text(json.dumps(document))
    report = _compare(course)
    assert report.questions == ()
    assert not report.needs_attention
    assert "no rubric and no grader of hw changed" in report.as_text()


def test_other_points_give_other_scores_to_those_who_earned_them(course):
    _edit(course.rubric("hw", "doors"), "points: 2", "points: 1")
    (doors,) = _compare(course).questions
    assert (doors.question, doors.rubric, doors.grader) == ("doors", True, False)
    assert [(s.before, s.after, s.students) for s in doors.scores] == [(2, 1, 1)]
    assert (doors.marked, doors.rescored, doors.left) == (2, 1, 0)
    assert doors.suggestions == (), "points are not what a grader judges by"


def test_a_renamed_criterion_is_lost_to_whoever_earned_it_and_suggested_under_its_new_name(course):
    path = course.rubric("hw", "keys")
    path.write_text(path.read_text().replace("id: right", "id: correct").replace(
        "earns: [right]", "earns: [correct]"))  # fmt: skip
    (keys,) = _compare(course).questions
    assert keys.lost == (("right", 1),)
    assert [(s.before, s.after) for s in keys.scores] == [(3, 1)]
    assert {s.criterion for s in keys.suggestions} == {"right", "correct"}
    assert {s.after for s in keys.suggestions if s.criterion == "right"} == {""}
    assert keys.changed_students == keys.students


def test_another_grader_changes_suggestions_and_no_mark(course):
    own = course.rubrics("hw") / "doors.ipynb"
    document = json.loads((course.root / "graders" / "default.ipynb").read_text())
    rule = "@grader.criterion('right')\ndef right(answer):\n    return answer.find('open')"
    at = next(i for i, c in enumerate(document["cells"]) if "meaning()" in "".join(c["source"]))
    document["cells"].insert(at, dict(document["cells"][at], id="own-rule", source=rule))
    own.write_text(json.dumps(document))
    report = _compare(course)
    (doors,) = report.questions
    assert (doors.rubric, doors.grader) == (False, True)
    assert ("right", "surely awarded", 1) in {
        (s.criterion, s.after, s.students) for s in doors.suggestions
    }
    assert doors.rescored == 0
    assert not report.needs_attention
    assert "doors: its grader changed" in report.as_text()
    own.write_text(json.dumps(document).replace("grader.finish()", "1 / 0"))
    assert "Now it fails" in _compare(course).questions[0].problems[0]


def test_a_rubric_that_is_new_broken_or_gone_is_said_and_the_others_are_compared(course, commit):
    text = course.rubric("hw", "keys").read_text()
    course.rubric("hw", "keys").write_text("question: keys\ncriteria: 5\n")
    course.rubric("hw", "doors").unlink()
    course.rubric("hw", "story").write_text(
        course.rubric("hw", "story").read_text().replace("It is right", "It is so")
    )
    report = _compare(course)
    by_name = {q.question: q for q in report.questions}
    assert set(by_name) == {"keys", "doors", "story"}
    assert "Now its rubric is broken" in by_name["keys"].problems[0]
    assert by_name["doors"].problems == ("Now it has no rubric.",)
    assert (by_name["doors"].left, by_name["story"].problems) == (2, ())
    assert report.needs_attention
    only = _compare(course, [course.rubric("hw", "story")])
    assert [q.question for q in only.questions] == ["story"]
    commit(course.root, course.root.parent)
    course.rubric("hw", "keys").write_text(text)
    (keys,) = _compare(course).questions
    assert "At HEAD its rubric is broken" in keys.problems[0]
    assert keys.rescored == 0


def test_the_command_writes_nothing_and_ends_with_1_when_marks_change(course, tiny, run):
    before = tiny.dump(course)
    assert run("check", "--since", "HEAD", course=course).code == 0
    _edit(course.rubric("hw", "doors"), "points: 2", "points: 1.5")
    text = run("check", "--since", "HEAD", course=course)
    assert text.code == 1
    assert "2 -> 1.5: 1 student" in text.out
    (question,) = json.loads(run("check", "--since", "HEAD", "--json", course=course).out)[
        "questions"
    ]
    assert (question["question"], question["rescored"]) == ("doors", 1)
    assert tiny.dump(course) == before


def test_no_gradebook_no_revision_and_no_repository_are_clear_errors(
    course, clean, commit, tmp_path, monkeypatch, run
):
    with pytest.raises(UnknownName, match=r"no revision 'nope'.*unshallow"):
        Revision.of(course.root, "nope")
    with pytest.raises(UnknownName, match="--output"):
        Revision.of(course.root, "--output=x")
    with pytest.raises(UsageError, match="not in a git repository"):
        Revision.of(tmp_path, "HEAD")
    commit(clean.root)
    done = run("check", "--since", "HEAD", course=clean)
    assert done.code == 4
    assert "no gradebook yet" in done.err
    assert not (clean.root / "gradebook.db").exists()
    assert run("check", "--since", "HEAD", "--fix", course=clean).code == 2
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        Revision.of(course.root, "HEAD")
