"""The page that a student gets, on a course that the real nbgrader graded."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re

import pytest

from markbook.errors import RubricError, UnknownName
from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook
from markbook.gradebook.nbgrader import publish_feedback
from markbook.model import Criterion, Rubric, Suggestion

HW = "hw"


@pytest.fixture
def gb(course):
    with Gradebook.open(course) as opened:
        yield opened


@pytest.fixture
def page(course, gb, read_page):
    """Write the feedback and read one student's page."""

    def read(student="ada", **options):
        write_feedback(course, gb, HW, **options)
        path = course.feedback(HW, student) / "part.html"
        return read_page(path.read_text(encoding="utf-8"))

    return read


def save(gb, mark):
    (stored,) = gb.save_marks([mark], who="tutor", what="mark")
    return stored


def suggest(gb, question, student, criterion, start, end):
    (answer,) = [a for a in gb.answers(HW, question) if a.student == student]
    found = Suggestion(
        question, answer.hash, criterion, True, 0.9, "default", "v1", answer.text[start:end],
        start, end,
    )  # fmt: skip
    gb.replace_suggestions(HW, question, [*gb.suggestions(HW, question), found])
    return answer


def rewrite(gb, student, question, **fields):
    """Store the student's submission with another answer."""
    answers = [
        dataclasses.replace(a, **fields) if a.question == question else a
        for a in gb.answers(HW)
        if a.student == student
    ]
    gb.save_submission(gb.record(HW, student), answers)


def test_every_student_gets_a_page_and_what_nbgrader_needs_beside_it(course, gb, tiny):
    report = write_feedback(course, gb, HW)
    assert report.students == tiny.STUDENTS
    assert report.problems == ()
    for student in tiny.STUDENTS:
        names = sorted(path.name for path in course.feedback(HW, student).iterdir())
        assert names == ["part.html", "submission_secret.txt", "timestamp.txt"]


def test_nbgraders_release_feedback_takes_the_pages(course, gb, tmp_path):
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    config = course.root / "nbgrader_config.py"
    config.write_text(f'{config.read_text()}c.Exchange.root = "{exchange}"\n')
    write_feedback(course, gb, HW)
    publish_feedback(type(course).open(course.root), HW)
    released = {path.read_bytes() for path in (exchange / "tiny" / "feedback").glob("*.html")}
    written = {path.read_bytes() for path in (course.root / "feedback").rglob("*.html")}
    assert len(written) == 3
    assert released == written


def test_writing_twice_touches_no_file(course, gb, tiny):
    save(gb, tiny.mark(gb, "ada"))
    assert len(write_feedback(course, gb, HW).changed) == 9
    before = tiny.file_times(course)
    assert write_feedback(course, gb, HW).changed == ()
    assert tiny.file_times(course) == before


def test_a_dry_run_names_what_it_would_write_and_writes_nothing(course, gb):
    report = write_feedback(course, gb, HW, dry_run=True)
    assert len(report.changed) == 9
    assert not course.feedback(HW, "ada").exists()


def test_one_student_alone_can_be_written(course, gb):
    assert write_feedback(course, gb, HW, students=["ben"]).students == ("ben",)
    assert not course.feedback(HW, "ada").exists()


def test_a_student_without_a_submission_is_an_error_that_lists_the_others(course, gb):
    with pytest.raises(UnknownName, match=r"'zoe'.*ada, ben, cleo"):
        write_feedback(course, gb, HW, students=["zoe"])


def test_the_events_tell_how_far_it_is(course, gb):
    events = []
    write_feedback(course, gb, HW, on_event=events.append)
    assert [(e.name, e.done, e.student) for e in events] == [
        ("start", 0, ""),
        ("student", 1, "ada"),
        ("student", 2, "ben"),
        ("student", 3, "cleo"),
        ("done", 3, ""),
    ]


def test_what_nobody_has_marked_waits_instead_of_scoring_zero(page):
    read = page("ada")
    assert "Not marked yet" in read.section("keys")
    assert "0 of 3" not in read.section("keys")
    assert "2 answers wait for a person" in read.text


def test_a_blank_answer_and_a_question_not_asked_say_so_and_wait_for_nobody(page):
    assert "No answer was given: 0 of 3." in page("cleo").section("keys")
    assert "Your paper does not contain this question" in page("ben").section("story")


def test_a_mark_shows_criteria_passages_comment_and_score(gb, tiny, page):
    suggest(gb, "keys", "ada", "right", 0, 15)
    suggest(gb, "keys", "ada", "muddle", 17, 28)
    save(gb, tiny.mark(gb, "ada", earned=("right",), comment="Say **who** signs."))
    read = page("ada")
    shown = read.section("keys")
    assert "Score: 2 of 3" in shown
    assert "Earned: It is right. See passage 1 +2" in shown
    assert "Missed: It has an example. 0 of 1" in shown
    assert "Say who signs." in shown
    assert '<mark data-criterion="right">A key is secret</mark>' in read.source
    assert 'data-criterion="muddle"' not in read.source


def test_a_misconception_shows_only_when_the_answer_has_it(gb, tiny, page):
    save(gb, tiny.mark(gb, "ada", earned=("right",)))
    assert "muddles" not in page("ada").section("keys")
    save(gb, tiny.mark(gb, "ben", earned=("right", "muddle")))
    assert "Points lost: It muddles things. \u22121" in page("ben").section("keys")


def test_an_adjustment_shows_its_reason(gb, tiny, page):
    save(gb, tiny.mark(gb, "ada", adjustment=0.5, reason="a lovely <b>drawing</b>"))
    assert "Adjusted by the marker: a lovely <b>drawing</b> +0.5" in page("ada").section("keys")


def test_a_score_that_floor_or_cap_held_is_explained(gb, tiny, page):
    save(gb, tiny.mark(gb, "ben", earned=("muddle",)))
    assert "the sum is kept within what this question can earn" in page("ben").section("keys")


def test_an_answer_changed_after_marking_will_be_marked_again(gb, tiny, page):
    save(gb, tiny.mark(gb, "ada", earned=("right",)))
    rewrite(gb, "ada", "keys", text="Something else.")
    shown = page("ada").section("keys")
    assert "changed after marking; it will be marked again" in shown
    assert "Something else." in shown
    assert "Earned" not in shown


def test_the_page_explains_the_mark_by_the_rubric_that_it_was_made_under(course, gb, tiny, page):
    old = Rubric("keys", (Criterion("gone", 3, "An idea of last week."),), version="old")
    gb.save_rubric(HW, old)
    mark = tiny.mark(gb, "ada", earned=())
    save(gb, dataclasses.replace(mark, rubric_version="old", earned=("gone",), score=3.0))
    shown = page("ada").section("keys")
    assert "An idea of last week. +3" in shown
    assert "It has an example" not in shown


def test_extra_credit_is_counted_apart(gb, tiny, page):
    save(gb, tiny.mark(gb, "cleo", "story", earned=("right",)))
    read = page("cleo")
    assert "+2 extra" in read.section("story")
    assert "Extra credit +2" in read.text


def test_passed_and_failed_tests_show_and_hidden_tests_stay_hidden(page, tiny):
    ada, ben, cleo = page("ada"), page("ben"), page("cleo")
    assert "Tests in your notebook: passed Hidden tests: passed 2 of 2" in ada.section("add")
    assert "Hidden tests: failed 0 of 2" in ben.section("add")
    assert "No answer was given: 0 of 3." in cleo.section("add")
    assert "NotImplementedError" not in cleo.section("add")
    for read in (ada, ben, cleo):
        assert "hidden test'" not in read.source
        assert "add(20, 22)" not in read.source
    assert "def add(a, b): return a + b" in ada.section("add")


def test_model_answers_are_shown_only_when_asked_for(page, tiny):
    assert tiny.MODEL_ANSWER not in page("ada").text
    assert "return a + b # the model" not in page("ada").text
    read = page("ada", show_model_answers=True)
    assert tiny.MODEL_ANSWER in read.text
    assert "return a + b # the model" in read.text


def test_a_broken_notebook_is_a_problem_with_a_name_and_the_others_go_on(course, gb):
    (course.autograded(HW, "ada") / "part.ipynb").write_text("{")
    report = write_feedback(course, gb, HW)
    (problem,) = report.problems
    assert problem.startswith("ada: ")
    assert len(report.pages) == 3
    assert all(path.is_file() for path in report.pages)


def test_a_folder_that_cannot_be_written_is_a_problem_and_the_others_go_on(course, gb):
    (course.root / "feedback").mkdir()
    (course.root / "feedback" / "ada").write_text("in the way")
    report = write_feedback(course, gb, HW)
    (problem,) = report.problems
    assert problem.startswith("ada: ")
    assert (course.feedback(HW, "ben") / "part.html").is_file()
    assert (course.feedback(HW, "cleo") / "part.html").is_file()


def test_a_rubric_is_read_only_where_the_points_depend_on_it(course, gb):
    (course.rubrics(HW) / "keys.yaml").write_text("broken: [")
    assert write_feedback(course, gb, HW).problems == ()
    (course.rubrics(HW) / "story.yaml").write_text("broken: [")  # a bonus, worth what it says
    with pytest.raises(RubricError, match=r"story\.yaml"):
        write_feedback(course, gb, HW)


def test_a_link_in_a_submission_is_not_followed(course, gb, tmp_path):
    secret = tmp_path / "elsewhere.txt"
    secret.write_text("not for the student")
    link = course.submitted(HW, "ada") / "timestamp.txt"
    link.unlink()
    link.symlink_to(secret)
    write_feedback(course, gb, HW)
    assert not (course.feedback(HW, "ada") / "timestamp.txt").exists()


def test_a_script_in_an_answer_or_a_comment_stays_text(gb, tiny, page):
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    rewrite(gb, "ada", "keys", text=f"{attack} [x](javascript:alert(1))")
    save(gb, tiny.mark(gb, "ada", comment=attack, reason=attack, adjustment=0.5))
    read = page("ada")
    assert attack in read.section("keys")
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "img", "iframe", "form", "link"})
    for tag, attrs in read.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), tag
        assert re.match(r"#|https?://|$", attrs.get("href") or ""), tag


def test_the_page_needs_nothing_from_outside_and_its_policy_allows_its_style_only(page):
    read = page("ada")
    (style,) = re.findall(r"<style>(.*?)</style>", read.source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [a["content"] for t, a in read.tags if a.get("http-equiv")]
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in policy
    assert "url(" not in style
    assert "@import" not in style


def test_headings_are_in_order_ids_are_unique_and_every_jump_arrives(gb, tiny, page):
    save(gb, tiny.mark(gb, "ada", comment="# A heading\n\n### another"))
    read = page("ada")
    assert read.headings[0] == 1
    assert read.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(read.headings, read.headings[1:], strict=False))
    assert len(read.ids) == len(set(read.ids))
    jumps = [a["href"][1:] for t, a in read.tags if t == "a" and a["href"].startswith("#")]
    assert {"keys", "doors", "story", "add"} <= set(jumps) <= set(read.ids)
    named = [a["aria-labelledby"] for _, a in read.tags if a.get("aria-labelledby")]
    assert set(named) <= set(read.ids)


def test_a_mark_whose_rubric_is_lost_still_shows_its_score(course, gb, tiny, read_page):
    save(gb, tiny.mark(gb, "ada"))

    class Forgetful:
        def __getattr__(self, name):
            return getattr(gb, name)

        def rubric(self, version):
            return None

    write_feedback(course, Forgetful(), HW)
    read = read_page((course.feedback(HW, "ada") / "part.html").read_text())
    assert "Score: 2 of 3" in read.section("keys")
