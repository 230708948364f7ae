"""Reading rubric files: what they mean, and every way in which they are wrong."""

from __future__ import annotations

import pickle

import pytest

from markbook.errors import RubricError
from markbook.rubrics import InvalidRubric, load_rubric, load_rubrics, parse_rubric

MINIMAL = "question: keys\ncriteria:\n  - id: a\n    points: 1\n    says: It says a.\n"


def problems(path):
    with pytest.raises(InvalidRubric) as caught:
        load_rubric(path)
    assert {problem.path for problem in caught.value.problems} == {path}
    return [(problem.line, f"{problem.what} {problem.hint}") for problem in caught.value.problems]


def the_problem(path):
    found = problems(path)
    assert len(found) == 1, found
    return found[0]


def test_a_rubric_means_what_it_says(rubric_file) -> None:
    rubric = load_rubric(rubric_file())
    assert [(c.id, c.points) for c in rubric.criteria] == [
        ("secret", 2.0),
        ("public", -1.5),
        ("half", 1.0),
    ]
    assert rubric.criterion("secret").evidence == ("a key is secret", "nobody else: may have it")
    assert rubric.criterion("secret").feedback == (
        "Say what happens when somebody else gets the key."
    )
    assert rubric.criterion("public").says == "Takes the key for something public."
    assert rubric.pick_one == (("secret", "half"),)
    assert rubric.exemplars[0].text == "A key is secret.\n\nKeep it so."
    assert len(rubric.version) == 12


def test_what_is_left_out_has_its_default(rubric_file) -> None:
    rubric = load_rubric(rubric_file(MINIMAL))
    assert (rubric.start, rubric.policy, rubric.public, rubric.floor) == (
        "zero",
        "assist",
        False,
        0.0,
    )
    assert rubric.extra_credit == 0
    assert not rubric.bonus


def test_every_rubric_of_the_course_is_valid(repository) -> None:
    for assignment in ("web-apis-and-testing", "django-auth-and-servers"):
        rubrics = load_rubrics(repository / "graders" / assignment)
        assert rubrics
        assert all(name == rubric.question for name, rubric in rubrics.items())


def test_an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant(rubric_file) -> None:
    line, said = the_problem(rubric_file(MINIMAL + "    evidense: [b]\n"))
    assert line == 6
    assert "criterion 'a': there is no key 'evidense'." in said
    assert "Did you mean 'evidence'?" in said
    assert "id, points, says, evidence, feedback" in said


@pytest.mark.parametrize(
    ("added", "line", "said"),
    [
        ("floor: 0\nfloor: 1\n", 7, "'floor' stands here a second time (first on line 6)"),
        ("floor: low\n", 6, "floor must be a number, and is the text 'low'"),
        ("floor: '1'\n", 6, "Write a number, without quotes."),
        ("floor: true\n", 6, "floor must be a number, and is true"),
        ("floor: .nan\n", 6, "floor must be a finite number"),
        ("floor: 1e999\n", 6, "floor must be a finite number"),
        ("floor: 99999\n", 6, "floor must be at most 10000"),
        ("extra_credit: -1\n", 6, "extra_credit must be at least 0, and is -1"),
        ("extra_credit: 1\nfloor: 2\n", 7, "the floor (2) is above the cap (extra_credit: 1)"),
        ("start: half\n", 6, "start cannot be 'half'. Legal here: zero, full."),
        ("policy: asist\n", 6, "Did you mean 'assist'?"),
        ("public: yes please\n", 6, "public must be true or false"),
        ("model_answer: 404\n", 6, "must be text, and is the number 404. Write it in quotes."),
        ("model_answer:\n", 6, "model_answer must be text, and is left empty."),
        ("asked_as: What is it?\n", 6, "asked_as must be a list, and is the text"),
        ("asked_as:\n  - What\n  - Why: because\n", 8, "Text with ': ' in it needs quotes"),
        ("asked_as: ['  ']\n", 6, "asked_as 1 is empty"),
        ("pick_one: [[a]]\n", 6, "pick_one 1 needs at least two"),
        ("pick_one: [[a, b]]\n", 6, "pick_one names the criterion 'b', and there is none"),
        ("pick_one: [[a, a]]\n", 6, "'a' stands twice in one list of pick_one"),
        ("exemplars:\n  - text: x\n    earns: [A]\n", 8, "Did you mean 'a'?"),
        ("exemplars:\n  - text: x\n    earns: [a, a]\n", 8, "exemplar 1 earns 'a' twice"),
        ("exemplars:\n  - earns: [a]\n", 7, "exemplar 1 lacks the key 'text'"),
        ("exemplars: [x]\n", 6, "exemplar 1 must be a mapping with keys"),
        ("version: 3\n", 6, "there is no key 'version'"),
        ("? [x]\n: 1\n", 6, "a key must be a single word"),
        ("model_answer: !!python/name:os.system x\n", 6, "is not part of a rubric"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(rubric_file, added, line, said) -> None:
    found, text = the_problem(rubric_file(MINIMAL + added))
    assert (found, said in text) == (line, True), text


def test_a_criterion_in_two_pick_one_lists_is_refused(rubric_file) -> None:
    more = "  - {id: b, points: 1, says: b}\n  - {id: c, points: 1, says: c}\n"
    line, said = the_problem(rubric_file(MINIMAL + more + "pick_one:\n  - [a, b]\n  - [b, c]\n"))
    assert line == 10
    assert "'b' stands in two lists of pick_one" in said


def test_two_criteria_cannot_share_an_id(rubric_file) -> None:
    line, said = the_problem(rubric_file(MINIMAL + "  - {id: a, points: 1, says: b}\n"))
    assert line == 6
    assert "the criterion id 'a' is taken (line 3)" in said


def test_an_id_with_a_blank_is_refused(rubric_file) -> None:
    _, said = the_problem(rubric_file(MINIMAL.replace("id: a", "id: a b")))
    assert "'a b' is not a legal id" in said


def test_a_rubric_without_criteria_is_refused(rubric_file) -> None:
    assert the_problem(rubric_file("question: keys\ncriteria: []\n"))[0] == 2
    assert "lacks the key 'criteria'" in the_problem(rubric_file("question: keys\n"))[1]


def test_an_anchor_given_twice_is_a_problem_like_any_and_no_warning():
    with pytest.raises(InvalidRubric):
        parse_rubric("- &a{&a")
    with pytest.raises(InvalidRubric):
        parse_rubric("question: &a q\nmodel_answer: &a text\n")


def test_an_anchor_is_refused_because_an_edit_would_change_two_places(rubric_file) -> None:
    text = MINIMAL + "model_answer: &m Text.\nasked_as: [*m]\n"
    found = problems(rubric_file(text))
    assert "anchors and aliases" in found[0][1]


def test_the_file_must_be_named_after_its_question(rubric_file) -> None:
    path = rubric_file(MINIMAL, "locks.yaml")
    line, said = the_problem(path)
    assert line == 1
    assert "named 'locks' and its question is 'keys'" in said


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"", 1, "the rubric file is empty"),
        (b"# nothing yet\n", 1, "the rubric file is empty"),
        (b"- a\n- b\n", 1, "here a list stands at the top"),
        (b"hello\n", 1, "here a single value stands at the top"),
        (b"question: keys\ncriteria:\n\t- id: a\n", 3, "there is a tab"),
        (b"question: k\xe9ys\n", 1, "the file is not UTF-8 (byte 0xe9)"),
        (b"question: keys\nasked_as: \x07\n", 2, "a character that YAML does not allow"),
        (b"question: keys\n---\nquestion: b\n", 2, "a second YAML document starts here"),
        (b"question: keys\nasked_as: [a\nfloor: 0\n", 3, "this is not valid YAML"),
        (b"question: a: b\n", 1, "Text with ': ' in it needs quotes around it."),
        (b"[" * 5000, 1, "nested too deeply"),
    ],
)
def test_what_is_no_rubric_at_all_is_said_plainly(tmp_path, data, line, said) -> None:
    path = tmp_path / "keys.yaml"
    path.write_bytes(data)
    found, text = the_problem(path)
    assert (found, said in text) == (line, True), text


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(RubricError, match="no such rubric file") as caught:
        load_rubric(tmp_path / "keys.yaml")
    assert caught.value.path == tmp_path / "keys.yaml"


def test_all_problems_of_a_file_are_told_at_once_and_in_order(rubric_file) -> None:
    text = MINIMAL.replace("points: 1", "points: one") + "flor: 0\nflor: 1\npick_one: [[a, z]]\n"
    path = rubric_file(text)
    found = problems(path)
    assert [line for line, _ in found] == [4, 6, 7, 8]
    with pytest.raises(InvalidRubric) as caught:
        load_rubric(path)
    assert str(caught.value).count(f"{path}:") == 4
    assert caught.value.line == 4


def test_the_problems_of_all_files_of_a_folder_are_told_at_once(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "b.yaml").write_text("question: b\n")
    (tmp_path / "keys.yaml").write_text(MINIMAL)
    (tmp_path / "note.txt").write_text("not a rubric")
    with pytest.raises(InvalidRubric) as caught:
        load_rubrics(tmp_path)
    assert [problem.path.name for problem in caught.value.problems] == ["a.yaml", "b.yaml"]


def test_one_question_with_two_files_is_refused(tmp_path) -> None:
    (tmp_path / "keys.yaml").write_text(MINIMAL)
    (tmp_path / "keys.yml").write_text(MINIMAL)
    with pytest.raises(InvalidRubric, match="two rubric files"):
        load_rubrics(tmp_path)


def test_a_folder_that_is_not_there_has_no_rubrics(tmp_path) -> None:
    assert load_rubrics(tmp_path / "none") == {}


def test_an_error_survives_the_way_between_processes(rubric_file) -> None:
    with pytest.raises(InvalidRubric) as caught:
        load_rubric(rubric_file("question: keys\n"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.problems == caught.value.problems


def test_a_byte_order_mark_and_windows_line_ends_are_read_through() -> None:
    plain = parse_rubric(MINIMAL)
    windows = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()
    assert parse_rubric(windows) == plain
