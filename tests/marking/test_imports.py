"""Marks that a person made elsewhere."""

from __future__ import annotations

import json

import pytest

from markbook.errors import InputError, UsageError
from markbook.marking import MarkingQueue, accept, import_marks


@pytest.fixture
def decisions(tmp_path):
    """Write a file of decisions: dictionaries, or lines as they are."""

    def write(*lines):
        path = tmp_path / "marks.jsonl"
        path.write_text(
            "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        )
        return path

    return write


def decision(student="ada", question="keys", earned=("right",), **more):
    return {"student": student, "question": question, "earned": list(earned), **more}


def test_a_decision_becomes_a_mark_with_the_rubrics_score_and_an_audit_line(course, gb, decisions):
    path = decisions(decision(earned=["right", "muddle"], comment="Nearly."))
    report = import_marks(course, gb, "hw", path, marker="grace")
    assert not report.problems
    (mark,) = gb.marks("hw")
    assert (mark.score, mark.marker, mark.comment) == (1.0, "grace", "Nearly.")
    assert [event.what for event in gb.events("hw")][-1] == "imported"


def test_importing_twice_changes_nothing(course, gb, decisions):
    path = decisions(decision(), decision("ben"))
    import_marks(course, gb, "hw", path, marker="grace")
    before = (gb.marks("hw"), list(gb.events("hw")))
    report = import_marks(course, gb, "hw", path, marker="somebody else")
    assert (len(report.saved), report.unchanged) == (0, 2)
    assert (gb.marks("hw"), list(gb.events("hw"))) == before


def test_what_a_person_marked_stays_and_is_named(course, gb, decisions):
    queue = MarkingQueue(course, gb, "hw", marker="linus", questions=["keys"])
    for item in queue.items:
        queue.decide(item.id, earned=["example"])
    report = import_marks(course, gb, "hw", decisions(decision()), marker="grace")
    assert "line 1: 'ada' was marked otherwise for 'keys' by linus" in report.problems[0]
    assert all(mark.marker == "linus" for mark in gb.marks("hw"))


def test_replacing_what_a_person_marked_has_to_be_asked_for(course, gb, decisions):
    import_marks(course, gb, "hw", decisions(decision()), marker="linus")
    path = decisions(decision(earned=["example"]))
    import_marks(course, gb, "hw", path, marker="grace", replace_others=True)
    assert [(m.marker, m.earned) for m in gb.marks("hw")] == [("grace", ("example",))]


def test_a_person_may_correct_what_a_rule_accepted(course, gb, decisions, suggest):
    suggest("keys", {"ada": {"example"}})
    assert accept(course, gb, "hw", "confidence >= 0.9", marker="linus").accepted
    import_marks(course, gb, "hw", decisions(decision()), marker="grace")
    assert [(m.marker, m.earned) for m in gb.marks("hw")] == [("grace", ("right",))]


def test_a_flag_does_not_make_what_a_rule_accepted_a_persons_decision(
    course, gb, decisions, suggest
):
    suggest("keys", {"ada": {"example"}})
    accept(course, gb, "hw", "confidence >= 0.9", marker="linus")
    (ada,) = [a for a in gb.answers("hw", "keys") if a.student == "ada"]
    gb.flag(ada, marker="linus", flagged=True)
    gb.note(ada, who="linus", what="revealed")
    import_marks(course, gb, "hw", decisions(decision()), marker="grace")
    assert [(m.marker, m.earned) for m in gb.marks("hw")] == [("grace", ("right",))]


def test_a_bad_line_is_named_and_the_others_go_on(course, gb, decisions):
    path = decisions(
        "{not json",
        decision(student="zoe"),
        decision(question="kings"),
        decision(earned=["rihgt"]),
        decision("ben", adjustment=0.5),
        decision("ben", score=3),
        {"student": "ben"},
        "[]",
        decision("cleo", question="story", earned=["right"]),
        decision("cleo", question="story", earned=[]),
    )
    report = import_marks(course, gb, "hw", path, marker="grace")
    assert [mark.student for mark in report.saved] == ["cleo"]
    text = "\n".join(report.problems)
    assert "line 1: " in text
    assert "line 2: there is no answer of 'zoe' to 'keys'" in text
    assert "line 3: there is no answer of 'ada' to 'kings'" in text
    assert "no criterion 'rihgt'" in text
    assert "line 5: An adjustment of +0.5 points needs a reason" in text
    assert "there is no key 'score'" in text
    assert "'question' is missing" in text
    assert "line 8: a decision is an object" in text
    assert "has a decision for 'story' in line 9 already" in text


def test_a_dry_run_stores_nothing(course, gb, decisions):
    report = import_marks(course, gb, "hw", decisions(decision()), marker="grace", dry_run=True)
    assert len(report.saved) == 1
    assert gb.marks("hw") == ()


def test_a_file_that_is_not_there_and_a_program_as_marker_are_refused(course, gb, tmp_path):
    with pytest.raises(InputError, match="Cannot be read"):
        import_marks(course, gb, "hw", tmp_path / "none.jsonl", marker="grace")
    with pytest.raises(UsageError, match="cannot be a marker"):
        import_marks(course, gb, "hw", tmp_path / "none.jsonl", marker="markbook")
