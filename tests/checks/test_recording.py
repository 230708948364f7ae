"""Marked answers become exemplars: which, without names, and with the file's comments kept."""

from __future__ import annotations

import json

import pytest

from markbook.checks.recording import record
from markbook.gradebook import Gradebook
from markbook.model import Answer, AnswerStatus, Mark, Outcome, SubmissionRecord, score
from markbook.rubrics import load_rubric

TEXTS = {
    "ada": "Hi Prof. Smith,\nfor example my bank card, which only I have.\nCheers,\nAda",
    "ben": "It stays secret, for example in a safe.",
    "cleo": "I have no idea what to write here.",
}


@pytest.fixture
def course(marked, tmp_path):
    """The course of three students with other answers to 'keys', each marked by a person."""
    course = marked(tmp_path / "marked")
    path = course.rubric("hw", "keys")
    path.write_text(
        "# how we mark keys\n" + path.read_text().replace("exemplars:", "exemplars: # own")
    )
    return course


def _mark(course, gb, student, earned, text=None, rule=""):
    question = "keys"
    rubric = load_rubric(course.rubric("hw", question))
    gb.save_rubric("hw", rubric)
    text = TEXTS[student] if text is None else text
    found = gb.record("hw", student)
    kept = [a for a in gb.answers("hw") if a.student == student and a.question != question]
    answer = Answer("hw", "part", question, student, text, AnswerStatus.ANSWERED)
    again = SubmissionRecord("hw", student, found.content_hash, found.master_hash, Outcome.GRADED)
    gb.save_submission(again, [*kept, answer])
    mark = Mark("hw", "part", question, student, answer.hash, earned, "tutor", rubric.version,
                score(rubric, earned, points=3.0))  # fmt: skip
    gb.save_marks([mark], who="tutor", what="mark", rule=rule)


def _record(course, gb, most=3, **options):
    (keys,) = record(course, gb, {"hw": []}, most=most, **options).questions
    return keys


def test_answers_become_exemplars_without_names_and_comments_stay(course):
    path = course.rubric("hw", "keys")
    before = path.read_text()
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ada", ("example",))
        _mark(course, gb, "cleo", ())
        planned = _record(course, gb, dry_run=True)
        assert path.read_text() == before
        done = _record(course, gb)
        assert done == planned
        assert [(e.text, e.earns) for e in done.added] == [
            ("I have no idea what to write here.", ()),
            ("for example my bank card, which only I have.", ("example",)),
        ]
        after = path.read_text()
        assert after.startswith(before.rstrip("\n"))
        assert load_rubric(path).exemplars[-2:] == done.added
        again = _record(course, gb)
        assert (again.added, again.skipped) == ((), (("like an exemplar", 2),))
        assert path.read_text() == after


def test_what_has_few_exemplars_comes_first_and_n_is_the_most(course):
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ada", ("example",))
        _mark(course, gb, "ben", ("right", "example"))
        _mark(course, gb, "cleo", ())
        (first,) = _record(course, gb, most=1).added
        assert first.earns == (), "no exemplar of the rubric earns nothing"
        (second,) = _record(course, gb, most=1).added
        assert second.earns == ("example",) or second.earns == ("right", "example")


def test_only_what_a_person_decided_about_the_present_text_counts(course):
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ada", ("example",), rule="confidence >= 0.9")
        _mark(course, gb, "ben", ("right",))
        _mark(course, gb, "cleo", (), "no")
        record_ = gb.record("hw", "ben")
        kept = [a for a in gb.answers("hw") if a.student == "ben" and a.question != "keys"]
        changed = Answer("hw", "part", "keys", "ben", "Something else now.", AnswerStatus.ANSWERED)
        gb.save_submission(record_, [*kept, changed])
        assert _record(course, gb).skipped == (
            ("changed since it was marked", 1),
            ("marked by a rule", 1),
            ("too short, too long, or of no text", 1),
        )


def test_marks_under_other_points_are_no_examples_of_these(course):
    path = course.rubric("hw", "keys")
    with Gradebook.open(course) as gb:
        _mark(course, gb, "cleo", ())
        path.write_text(path.read_text().replace("points: 2", "points: 1.5"))
        found = _record(course, gb)
    assert (found.added, found.skipped) == ((), (("marked under other criteria", 1),))


def test_a_text_that_was_marked_in_two_ways_is_no_example(course):
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ben", ("right",), "It is like the key of a house, Ben.")
        _mark(course, gb, "cleo", (), "It is like the key of a house, Cleo.")
        found = _record(course, gb)
    assert (found.added, found.skipped) == ((), (("marked in two ways", 1),))


def test_names_of_the_class_list_go_as_well(course):
    from sqlalchemy import create_engine, text

    engine = create_engine(course.db_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE student SET first_name='Augusta' WHERE id='ada'"))
    engine.dispose()
    with Gradebook.open(course) as gb:
        assert gb.people()["ada"] == ("Augusta",)
        _mark(course, gb, "ben", ("right",), "Augusta told me that the key is for the door.")
        (added,) = _record(course, gb).added
    assert added.text == "[name] told me that the key is for the door."


def test_a_text_that_yaml_cannot_hold_and_a_broken_rubric_are_said(course):
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ben", ("right",), "It is \ud800 not a text that is kept.")
        assert _record(course, gb).added == ()
        course.rubric("hw", "keys").write_text("question: keys\ncriteria: 5\n")
        found = _record(course, gb)
    assert "broken" in found.problem
    assert course.rubric("hw", "keys").read_text() == "question: keys\ncriteria: 5\n"


def test_the_command_says_what_it_added(course, clean, run):
    assert run("check", "--record", course=course).code == 4, "nothing is marked"
    with Gradebook.open(course) as gb:
        _mark(course, gb, "ada", ("example",))
        _mark(course, gb, "ben", ("right", "example"))
    planned = run("check", "--record=1", "--dry-run", course=course)
    assert planned.code == 0
    assert "recorded  1 would be added" in planned.out
    done = run("check", course.rubric("hw", "keys"), "--json", "--record", course=course)
    (keys,) = json.loads(done.out)["questions"]
    assert len(keys["added"]) == 2
    assert len(load_rubric(course.rubric("hw", "keys")).exemplars) == 5
    assert run("check", "--record", "--since", "HEAD", course=course).code == 2
    assert run("check", "--record=0", course=course).code == 2
    assert run("check", "--record", course=clean).code == 4
