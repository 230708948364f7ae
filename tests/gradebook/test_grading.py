"""After ``save_graded`` nbgrader's tables say what ``nbgrader autograde`` would have left there."""

from __future__ import annotations

import atexit
import dataclasses
import os
import shutil
import sys
import tempfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import nbformat
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.event import listen

from markbook.autograde import autograde
from markbook.course import Course
from markbook.errors import InternalError, MarkbookError, UnknownName
from markbook.gradebook import Gradebook, nbgrader
from markbook.model import (
    Answer,
    AnswerStatus,
    CellComment,
    CellGrade,
    GradedSubmission,
    Outcome,
    SubmissionRecord,
)

HW = "hw"
DUE = datetime(2026, 1, 2, 3, 0, 0)
IN_TIME = "2026-01-02 02:00:00 UTC"
LATE = "2026-01-02 05:00:00 UTC"
STUDENTS = ("ada", "ben", "cleo", "dora", "eli")
OURS = "markbook_"


def essay_notebook(tiny):
    task = tiny.cell("markdown", "draw", "Draw a door.", task=True, locked=True, points=4)
    notebook = nbformat.v4.new_notebook(cells=[*tiny.text_question("why", 5, "Because."), task])
    notebook.metadata.kernelspec = tiny.source_notebook().metadata.kernelspec
    return notebook


# The kernel is left out, and what a submission shows as its outputs counts as if it were run:
# how scores come about is tested in tests/autograde, here it is where they go.
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "tiny"
c.CourseDirectory.db_url = {url!r}
c.LateSubmissionPlugin.penalty_method = "{penalty}"

from nbgrader.converters import Autograde
traits = Autograde.class_traits()
c.Autograde.sanitize_preprocessors = traits["sanitize_preprocessors"].default_args[0][1:]
c.Autograde.autograde_preprocessors = traits["autograde_preprocessors"].default_args[0][1:]
"""


PLAIN = CONFIG.partition("\nfrom nbgrader")[0]


def configure(root, url, *, penalty="zero", config=CONFIG):
    (root / "nbgrader_config.py").write_text(config.format(penalty=penalty, url=url))
    return Course.open(root)


def hand_in(tiny, course, student, answers, *, when=IN_TIME, **essay):
    folder = tiny.submit(course, student, answers)
    if "add" in answers and answers["add"] != RIGHT:
        show_outputs(folder / "part.ipynb")
    if when is None:
        (folder / "timestamp.txt").unlink()
    else:
        (folder / "timestamp.txt").write_text(when)
    if essay.get("essay", True):
        notebook = nbformat.read(course.release(HW) / "essay.ipynb", as_version=4)
        if "why" in essay:
            cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
            cells["why"].source = essay["why"]
        nbformat.write(notebook, folder / "essay.ipynb")
    elif (folder / "essay.ipynb").exists():
        (folder / "essay.ipynb").unlink()


RIGHT = "def add(a, b):\n    return a + b"


def show_outputs(path):
    """Half of a test's points, and an error in the other."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.nbgrader.grade_id == "add-visible":
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "0.5"})]
        elif cell.metadata.nbgrader.grade_id == "add-hidden":
            cell.outputs = [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]
    nbformat.write(notebook, path)


def hand_in_all(tiny, course):
    hand_in(tiny, course, "ada", {"keys": "A key.", "add": RIGHT}, why="So.")
    hand_in(tiny, course, "ben", {"add": "def add(a, b):\n    return 3"}, when=LATE)
    hand_in(tiny, course, "cleo", {"keys": "  \n", "doors": "Shut."}, essay=False)
    hand_in(tiny, course, "dora", {"keys": None, "add-hidden": None, "add": RIGHT}, when=LATE)
    hand_in(tiny, course, "eli", {"add": RIGHT}, when=None, why="Thus.")


def hand_in_again(tiny, course):
    """Everybody changes something, hands in a notebook more or less, or is late now."""
    hand_in(tiny, course, "ada", {"keys": "Another key.", "add": RIGHT}, when=LATE, why="So.")
    hand_in(tiny, course, "ben", {"add": RIGHT}, when=None, essay=False)
    hand_in(tiny, course, "cleo", {"keys": "Now one."}, when=LATE)
    hand_in(tiny, course, "dora", {"keys": "Found.", "add": RIGHT}, when=LATE, essay=False)
    hand_in(tiny, course, "eli", {"add": RIGHT}, when=IN_TIME)


def execute(course, *statements, **values):
    engine = create_engine(course.db_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def forget_submissions(course):
    """Leave the gradebook as it was after the release."""
    names = ("comment", "grade", "submitted_notebook", "submitted_assignment", "student")
    ours = ("submission", "answer", "mark", "event", "stamp", "rubric")
    execute(course, *(f"DELETE FROM {n}" for n in (*names, *(f"markbook_{n}" for n in ours))))


@cache
def _run(kind):
    """A course whose submissions the real nbgrader ran: its folder, and its database's address."""
    tiny = sys.modules["markbook_tiny_course"]
    folder = Path(tempfile.mkdtemp(prefix="markbook-graded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = folder / "course"
    tiny.write_course(root)
    nbformat.write(essay_notebook(tiny), root / "source" / HW / "essay.ipynb")
    rubric = tiny.RUBRIC.format(question="why", extra="")
    (root / "graders" / HW / "why.yaml").write_text(rubric)
    url = (
        f"sqlite:///{root}/gradebook.db"
        if kind == "sqlite"
        else sys.modules["markbook_postgres"].database()
    )
    course = configure(root, url)
    with Gradebook.open(course):
        pass
    tiny.build(course, HW)
    execute(course, "UPDATE assignment SET duedate = :due", due=DUE)
    hand_in_all(tiny, course)
    run(course)
    return root, url


def run(course, students=STUDENTS):
    """Let the real nbgrader autograde."""
    runs = {done.student: done.failure for done in nbgrader.autograde(course, HW, students)}
    assert runs == dict.fromkeys(students)


def twins(kind, tmp_path, **settings):
    """Two copies of that course, each with a database of its own."""
    root, url = _run(kind)
    for name in ("theirs", "ours"):
        copy = tmp_path / name
        shutil.copytree(root, copy)
        if kind == "sqlite":
            own = f"sqlite:///{copy}/gradebook.db"
        else:
            own = sys.modules["markbook_postgres"].database(url.rpartition("/")[2])
        yield configure(copy, own, **settings)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request, tiny, load):
    if request.param == "postgresql":
        postgres = load("postgres.py")
        if postgres.programs() is None:
            if os.environ.get("CI") == "true":
                pytest.fail(postgres.HOW)
            pytest.skip(postgres.HOW)
    return request.param


def values(course, student):
    """What nbgrader's own functions say of the notebooks that nbgrader autograded."""
    from nbgrader import utils

    folder = course.autograded(HW, student)
    with Gradebook.open(course) as gb:
        master = gb.master(HW)
    grades, comments, absent = [], [], []
    for notebook in master:
        path = folder / f"{notebook.name}.ipynb"
        if not path.exists():
            absent.append(notebook.name)
            grades += [
                CellGrade(notebook.name, c.id, 0.0, needs_marking=False)
                for c in notebook.cells
                if c.grade or c.task
            ]
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            if utils.is_grade(cell):
                score, _ = utils.determine_grade(cell)
                where = (notebook.name, cell.metadata.nbgrader.grade_id)
                grades.append(CellGrade(*where, score, needs_marking=score is None))
            if utils.is_solution(cell) or utils.is_task(cell):
                where = (notebook.name, cell.metadata.nbgrader.grade_id)
                same = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                blank = same and not utils.is_task(cell)
                comments.append(CellComment(*where, "No response." if blank else None))
    return tuple(grades), tuple(comments), tuple(absent)


def timestamp(course, student):
    from nbgrader.utils import parse_utc

    path = course.submitted(HW, student) / "timestamp.txt"
    return parse_utc(path.read_text()).isoformat() if path.exists() else None


def graded(course, student, answers=(), **fields):
    """The submission as ``save_graded`` takes it; ``course`` is the one nbgrader autograded."""
    grades, comments, absent = values(course, student)
    return GradedSubmission(
        SubmissionRecord(HW, student, "content", "master", Outcome.GRADED, **fields),
        tuple(answers),
        grades,
        comments,
        timestamp(course, student),
        absent,
    )


def of_nbgrader(tiny, course):
    """nbgrader's tables by value."""
    names = [name for name in tiny.dump(course) if name.startswith(OURS)]
    return tiny.by_value(tiny.dump(course, without=names))


def test_new_submissions_leave_what_nbgrader_leaves(tiny, kind, tmp_path):
    theirs, ours = twins(kind, tmp_path)
    forget_submissions(ours)
    with Gradebook.open(ours) as gb:
        assert gb.save_graded(HW, [graded(theirs, s) for s in STUDENTS], late_penalty="zero") == 0
    found = of_nbgrader(tiny, theirs)
    assert of_nbgrader(tiny, ours) == found
    assert len(found["grade"]) == len(STUDENTS) * 7
    assert sum("'late_submission_penalty': None" not in r for r in found["submitted_notebook"]) > 2


@pytest.mark.parametrize(
    ("kind", "penalty"),
    [("sqlite", "none"), ("sqlite", "zero"), ("postgresql", "zero")],
    indirect=["kind"],
)
def test_submissions_run_again_leave_what_nbgrader_leaves(tiny, kind, tmp_path, penalty):
    theirs, ours = twins(kind, tmp_path, penalty=penalty)
    for course in (theirs, ours):
        mark_by_hand(course)
        hand_in_again(tiny, course)
    run(theirs)
    with Gradebook.open(ours) as gb:
        batch = [graded(theirs, s) for s in STUDENTS]
        assert gb.save_graded(HW, batch, late_penalty=penalty) == 0
        assert of_nbgrader(tiny, ours) == of_nbgrader(tiny, theirs)
        before = tiny.dump(ours)
        gb.save_graded(HW, batch, late_penalty=penalty)
        assert tiny.dump(ours) == before


def test_markbooks_engine_leaves_what_nbgrader_leaves(tiny, tmp_path):
    """Late, with an extension, a notebook not handed in, scored by hand: with real kernels."""
    theirs, ours = twins("sqlite", tmp_path, config=PLAIN)
    students = ("ben", "cleo", "dora")
    for course in (theirs, ours):
        mark_by_hand(course)
        hand_in_again(tiny, course)
    run(theirs, students)
    with Gradebook.open(ours) as gb:
        assert autograde(ours, gb, HW, students).failed == ()
    found = of_nbgrader(tiny, theirs)
    assert of_nbgrader(tiny, ours) == found
    late = [row for row in found["submitted_notebook"] if "'late_submission_penalty': 4.5" in row]
    assert ["dora" in row for row in late] == [True]  # 3 for the tests, 1.5 by hand


def mark_by_hand(course):
    """Do what people do in formgrader and with ``nbgrader db``."""
    from nbgrader.api import Gradebook as Theirs

    with Theirs(course.db_url, "tiny") as theirs:
        for student in STUDENTS:
            for name, book in (("keys", "part"), ("why", "essay"), ("draw", "essay")):
                grade = theirs.find_grade(name, book, HW, student)
                grade.manual_score, grade.needs_manual_grade = 1.5, False
                theirs.find_comment(name, book, HW, student).manual_comment = f"For {student}."
        theirs.find_grade("add-visible", "part", HW, "ben").extra_credit = 0.25
        theirs.grant_extension(HW, "dora", hours=1)
        theirs.grant_extension(HW, "cleo", days=9)
        theirs.find_submission_notebook("part", HW, "ada").flagged = True
        theirs.db.commit()


def test_a_penalty_is_never_below_zero_and_takes_all_of_the_score(tiny, tmp_path):
    theirs, ours = twins("sqlite", tmp_path)
    for course in (theirs, ours):
        execute(course, "UPDATE grade SET extra_credit = -50, manual_score = 1")
    run(theirs, ("ben", "dora"))
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, [graded(theirs, s) for s in ("ben", "dora")], late_penalty="zero")
    assert of_nbgrader(tiny, ours) == of_nbgrader(tiny, theirs)


def test_without_a_due_date_nobody_is_late(tiny, tmp_path):
    theirs, ours = twins("sqlite", tmp_path)
    for course in (theirs, ours):
        execute(course, "UPDATE assignment SET duedate = NULL")
    run(theirs, ("ben",))
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, [graded(theirs, "ben")], late_penalty="zero")
    assert of_nbgrader(tiny, ours) == of_nbgrader(tiny, theirs)


def test_a_release_with_points_changed_leaves_the_rows_as_nbgrader_does(tiny, tmp_path):
    theirs, ours = twins("sqlite", tmp_path)
    for course in (theirs, ours):
        path = course.source(HW) / "part.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.nbgrader.grade_id == "add-visible":
                cell.metadata.nbgrader.points = 7
        nbformat.write(notebook, path)
        tiny.build(course, HW)
    run(theirs)
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, [graded(theirs, s) for s in STUDENTS], late_penalty="zero")
    assert of_nbgrader(tiny, ours) == of_nbgrader(tiny, theirs)


def test_cells_that_were_released_since_get_their_rows_and_removed_ones_keep_theirs(
    tiny, kind, tmp_path
):
    """nbgrader refuses to release other cells once there are submissions; its API does not."""
    from nbgrader.api import Gradebook as Theirs

    _theirs, ours = twins(kind, tmp_path)
    batch = [graded(ours, s) for s in STUDENTS]
    before = of_nbgrader(tiny, ours)
    with Theirs(ours.db_url, "tiny") as theirs:
        theirs.add_grade_cell("new", "part", HW, max_score=2, cell_type="code")
        theirs.add_solution_cell("new", "part", HW)
        theirs.add_notebook("more", HW)
        theirs.add_task_cell("more-task", "more", HW, max_score=2, cell_type="markdown")
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, batch, late_penalty="zero")
    added = of_nbgrader(tiny, ours)
    for table, new in (("grade", 2), ("comment", 2), ("submitted_notebook", 1)):
        assert set(before[table]) <= set(added[table])
        assert len(added[table]) - len(before[table]) == new * len(STUDENTS), table
    with Theirs(ours.db_url, "tiny") as theirs:
        grade = theirs.find_grade("new", "part", HW, "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)
        theirs.remove_notebook("more", HW)
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, batch, late_penalty="zero")
        assert len(of_nbgrader(tiny, ours)["submitted_notebook"]) == 2 * len(STUDENTS)


def test_what_was_saved_is_what_nbgrader_exports_and_formgrader_shows(tiny, tmp_path):
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    theirs, ours = twins("sqlite", tmp_path)
    forget_submissions(ours)
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, [graded(theirs, s) for s in STUDENTS], late_penalty="zero")
    seen = []
    for course in (theirs, ours):
        config = Config()
        config.CourseDirectory.root = str(course.root)
        config.CourseDirectory.db_url = course.db_url
        config.CourseDirectory.course_id = "tiny"
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        rows = [api.get_submission(HW, student) for student in STUDENTS]
        papers = api.get_notebook_submissions(HW, "part")
        for row in (*rows, *papers):
            row.pop("id")
            row.pop("index", None)
        seen.append((rows, sorted(papers, key=lambda row: row["student"])))
    assert seen[0] == seen[1]
    assert [row["score"] for row in seen[1][0]][:2] == [3.0, 0.5]


def answers_of(student, keys="A key.", status=AnswerStatus.ANSWERED):
    where = {"assignment": HW, "student": student}
    return (
        Answer(**where, notebook="part", question="keys", text=keys, status=status),
        Answer(
            **where,
            notebook="essay",
            question="why",
            text="",
            status=AnswerStatus.BLANK,
        ),
    )


@pytest.fixture
def marked(tiny, kind, tmp_path):
    """A course with a mark on ada's answer to "keys", and a gradebook."""
    _, ours = twins(kind, tmp_path)
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, [graded(ours, s, answers_of(s)) for s in STUDENTS])
        gb.save_marks([tiny.mark(gb, "ada", comment="Yes.")], who="t", what="mark")
        yield ours, gb


def grade_of(gb, student, question="keys"):
    (found,) = [g for g in gb.grades(HW, question) if g.student == student]
    return found.score, found.needs_marking


def test_a_mark_on_an_answer_that_did_not_change_needs_no_person_again(tiny, marked):
    course, gb = marked
    before = tiny.dump(course)
    # and two answers that nbgrader sees as changed, and that are blank
    assert gb.save_graded(HW, [graded(course, s, answers_of(s)) for s in STUDENTS]) == 1 + 2
    assert tiny.dump(course) == before


def test_a_mark_on_an_answer_that_changed_waits_for_a_person(marked):
    course, gb = marked
    changed = graded(course, "ada", answers_of("ada", "Something else."))
    versions = gb.versions(HW, "keys")
    assert gb.save_graded(HW, [changed]) == 1  # the blank one
    assert grade_of(gb, "ada") == (2.0, True)
    assert gb.versions(HW, "keys") == versions | {"ada": versions["ada"] + 1}


def test_marks_come_back_where_nbgrader_threw_the_submission_away(tiny, marked):
    from nbgrader.api import Gradebook as Theirs

    course, gb = marked
    before = of_nbgrader(tiny, course)
    with Theirs(course.db_url, "tiny") as theirs:
        theirs.remove_submission(HW, "ada")
    assert gb.save_graded(HW, [graded(course, "ada", answers_of("ada"))]) == 1 + 1
    assert of_nbgrader(tiny, course) == before


def test_saving_a_batch_is_saving_and_resyncing_one_after_another(tiny, tmp_path):
    one, two = twins("sqlite", tmp_path)
    texts = dict(zip(STUDENTS, ["A key.", "", "Asked?", "A key.", "No."], strict=True))
    marked_ = ("ada", "cleo")
    for course in (one, two):
        with Gradebook.open(course) as gb:
            for student in STUDENTS:
                record = graded(course, student).record
                gb.save_submission(record, answers_of(student))
            gb.save_marks([tiny.mark(gb, s) for s in marked_], who="t", what="mark")
    batch = []
    for student in STUDENTS:
        status = AnswerStatus.NOT_ASKED if student == "ben" else AnswerStatus.ANSWERED
        batch.append(graded(one, student, answers_of(student, texts[student], status)))
    run(one)
    with Gradebook.open(one) as gb:
        for item in batch:
            gb.save_submission(item.record, item.answers)
        first = gb.resync(HW)
        assert gb.resync(HW) == 0
    with Gradebook.open(two) as gb:
        assert gb.save_graded(HW, batch, late_penalty="zero") == first > 1
        assert gb.resync(HW) == 0
    # the stamp counts transactions, and an event holds the time
    without = ("markbook_stamp", "markbook_event")
    found = tiny.by_value(tiny.dump(two, without=without))
    assert found == tiny.by_value(tiny.dump(one, without=without))


def test_a_failed_submission_changes_its_record_only(tiny, marked):
    course, gb = marked
    tables = ("markbook_submission",)
    before = tiny.dump(course, without=tables)
    record = dataclasses.replace(
        gb.record(HW, "ada"), outcome=Outcome.FAILED, findings=("it is broken",)
    )
    stranger = dataclasses.replace(record, student="zoe")
    assert gb.save_graded(HW, [GradedSubmission(record), GradedSubmission(stranger)]) == 0
    assert tiny.dump(course, without=tables) == before
    assert gb.record(HW, "ada") == record
    assert gb.record(HW, "zoe") == stranger


def test_a_batch_in_which_one_cannot_be_saved_saves_nothing(tiny, marked):
    course, gb = marked
    before = tiny.dump(course)
    good = graded(course, "ben", answers_of("ben", "New."))
    odd = graded(course, "cleo", answers_of("cleo", "New."))
    odd = dataclasses.replace(
        odd, grades=(*odd.grades, CellGrade("part", "gone", 1.0, needs_marking=False))
    )
    with pytest.raises(MarkbookError, match=r"'gone'.*released anew.*Run it again"):
        gb.save_graded(HW, [good, odd])
    with pytest.raises(InternalError, match="two submissions of one student"):
        gb.save_graded(HW, [good, good])
    assert tiny.dump(course) == before


def test_an_assignment_that_nbgrader_does_not_know_is_named(marked):
    _, gb = marked
    record = SubmissionRecord("hw9", "ada", "c", "m", Outcome.GRADED)
    with pytest.raises(UnknownName, match=r"'hw9'.*markbook release hw9"):
        gb.save_graded("hw9", [GradedSubmission(record)])
    with pytest.raises(UnknownName, match="hw9"):
        gb.master("hw9")


def test_more_students_than_fit_one_query_are_saved_together(tiny, kind, tmp_path):
    _, ours = twins(kind, tmp_path)
    one = graded(ours, "ada", answers_of("ada"))
    batch = [
        dataclasses.replace(
            one,
            record=dataclasses.replace(one.record, student=f"s{n:04}"),
            answers=answers_of(f"s{n:04}", f"Key {n}."),
            timestamp=(DUE + timedelta(minutes=n - 600)).isoformat(),
        )
        for n in range(1201)
    ]
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, batch)
        assert len(gb.grades(HW, "keys")) == 1201 + len(STUDENTS)
        before = tiny.dump(ours)
        gb.save_graded(HW, batch)
    assert tiny.dump(ours) == before


def test_no_batch_reads_everybodys_rows(tiny, tmp_path):
    """Each table with rows for every student is looked up by an index, whatever its size."""
    _, ours = twins("sqlite", tmp_path)
    asked = []
    batch = [graded(ours, s, answers_of(s)) for s in STUDENTS]
    with Gradebook.open(ours) as gb:
        gb.save_graded(HW, batch)
        mark = tiny.mark(gb, "ada")
        listen(gb._engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
        gb.save_marks([mark], who="t", what="mark")
        gb.save_graded(HW, batch[:2])
        gb.save_submission(batch[2].record, batch[2].answers)
        gb.resync(HW)
        plans = []
        with gb._engine.connect() as connection:
            for statement, values in list(asked):
                if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                    one = values[0] if isinstance(values, list) else values
                    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)
                    plans += [(row[3], statement) for row in rows]
    whole = [plan for plan in plans if plan[0].startswith("SCAN") and of_students(plan[0])]
    assert whole == []
    assert len(plans) > 20


def of_students(step):
    few = ("assignment", "notebook", "base_cell", "solution", "grade_cells", "task_cells")
    return step.split()[1] not in few


def test_the_master_says_what_nbgrader_restores(tiny, kind, tmp_path):
    from nbgrader.api import Gradebook as Theirs

    _, ours = twins(kind, tmp_path)
    with Gradebook.open(ours) as gb:
        master = gb.master(HW)
    assert [notebook.name for notebook in master] == ["essay", "part"]
    with Theirs(ours.db_url, "tiny") as theirs:
        for notebook in master:
            real = theirs.find_notebook(notebook.name, HW)
            assert notebook.kernelspec == real.kernelspec
            points = {c.name: c.max_score for c in (*real.grade_cells, *real.task_cells)}
            kinds = [
                {cell.name for cell in cells}
                for cells in (real.grade_cells, real.solution_cells, real.task_cells)
            ]
            sources = {cell.name: cell for cell in real.source_cells}
            assert [cell.id for cell in notebook.cells] == sorted(sources)
            for cell in notebook.cells:
                source = sources[cell.id]
                assert (cell.cell_type, cell.source, cell.checksum, cell.locked) == (
                    source.cell_type,
                    source.source,
                    source.checksum,
                    source.locked,
                )
                assert [cell.grade, cell.solution, cell.task] == [cell.id in ids for ids in kinds]
                assert cell.points == points.get(cell.id)
