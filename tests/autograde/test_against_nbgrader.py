"""Grading as nbgrader does: one class of generated submissions, graded by both, score by score.

nbgrader needs about a second for each, so the class is small by default. MARKBOOK_DIFFERENTIAL=400
makes it as large as that.
"""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass, field

import nbformat
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from sqlalchemy import create_engine, text

from markbook.autograde.grade import grade
from markbook.autograde.master import read_master
from markbook.autograde.values import Submission
from markbook.course import Course
from markbook.gradebook import Gradebook, nbgrader
from markbook.model import Outcome

SIZE = int(os.environ.get("MARKBOOK_DIFFERENTIAL", "10"))

STUB = "YOUR ANSWER HERE"
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def cell(kind, name, source, **flags):
    make = new_code_cell if kind == "code" else new_markdown_cell
    values = {"grade": False, "solution": False, "locked": False, "task": False}
    made = make(source, metadata={"nbgrader": values | flags | {"grade_id": name}})
    made.metadata.nbgrader["schema_version"] = 3
    made["id"] = name
    return made


def prompt(name):
    return cell("markdown", f"{name}-prompt", f"What about *{name}*?  \nSay it.", locked=True)


def written(name, points):
    return cell("markdown", name, "", grade=True, solution=True, points=points)


def answered(source):
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


def test_cell(name, source, points):
    return cell("code", name, source, grade=True, locked=True, points=points)


test_cell.__test__ = False


def notebook(*cells):
    return new_notebook(cells=list(cells), metadata={"kernelspec": KERNEL})


def rich():
    """Every kind of cell that nbgrader knows, and some that it does not care for."""
    return notebook(
        new_markdown_cell("# The rich one", id="title"),
        cell("code", "setup", "import math\nUNIT = 2", locked=True),
        prompt("why"),
        written("why", 3),
        prompt("bonus"),
        written("bonus", 0),
        cell("code", "add", answered("def add(a, b):\n    return a + b"), solution=True),
        test_cell("add-visible", "assert add(1, 2) == 3", 1),
        test_cell(
            "add-hidden",
            "assert callable(add)\n### BEGIN HIDDEN TESTS\nassert add(20, UNIT) == 22\n"
            "### END HIDDEN TESTS",
            2.5,
        ),
        new_code_cell("print('between')", id="between"),
        cell("code", "share", answered("def share():\n    return 1.5"), solution=True),
        test_cell("share-test", "share()", 3),
        test_cell("share-shown", "print(share()); math.floor(1.5)", 2),
        cell("code", "essay", answered("x = 1"), grade=True, solution=True, points=4),
        cell("markdown", "project", "Do something.", task=True, locked=True, points=5),
        new_raw_cell("raw", id="raw"),
    )


def wordy(letter):
    """Text only, with code that carries nothing."""
    names = [f"{letter}{n}" for n in range(5)]
    questions = [part for n in names for part in (prompt(n), written(n, int(n[1:]) % 3))]
    code = new_code_cell("print('never run')", id="idle")
    return notebook(new_markdown_cell("# Words", id="title"), *questions, code)


@dataclass
class Handed:
    """One student's submission, and in words what was done to the release."""

    student: str
    files: dict
    done: list = field(default_factory=list)


# --- what students write

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(
        [
            "",
            " ",
            "\n\n",
            STUB,
            f"{STUB}\n",
            f" {STUB}",
            f"{STUB}\n\nIt is signed.",
            f"It is signed.\n{STUB}",
            STUB.lower(),
            "$x^2$ \u2013 „déjà vu“ 🙂 \u202e\u0301 \x0b\x0c\x85\u2028 tab\there",
            "a\r\nb",
            "<script>alert(1)</script> ![x](attachment:x.png)",
            "\x00 and \x1b[31m",
            "x" * 5000,
        ]
    ),
)
ADDS = st.sampled_from(
    [
        CODE_STUB,
        "",
        "def add(a, b):\n    return a + b",
        "def add(a, b):\n    return 3",
        "def add(a, b)\n    return a + b",
        "add = sum",
        "def add(a, b):\n    print(a, b)\n    return a + b",
        "def add(a, b):\n    import sys\n    print('hm', file=sys.stderr)\n    return a + b",
        "def add(a, b):\n    import warnings\n    warnings.warn('old')\n    return a + b",
        "def add(a, b):\n    import logging\n    logging.warning('careful')\n    return a + b",
        "def add(a, b):\n    raise ValueError('<b>no</b>')",
        "def add(a, b):\n    raise KeyboardInterrupt",
        "def add(a, b):\n    raise SystemExit(1)",
        "def add(a, b):\n    return add(a, b)",
        "import sys\nsys.exit()",
        "def add(a, b):\n    return input('?')",
        "def add(a, b):\n    print('line\\n' * 1200)\n    return a + b",
        "import sys\ndef add(a, b):\n    print('line\\n' * 1200, 'late', file=sys.stderr)",
        "from IPython.display import HTML\ndef add(a, b):\n    return display(HTML('x'))",
        "%precision 3\ndef add(a, b):\n    return a + b",
        "def add(a, b):\n    return a + b\nadd(1, 2)",
        "import nothing_of_the_kind",
        "async def f():\n    return 1\nawait f()\ndef add(a, b): return a + b",
        "def add(a, b):\n    global UNIT\n    UNIT = 0\n    return a + b",
        "__builtins__.float = None\ndef add(a, b):\n    return a + b",
        "import os\nassert os.environ['NBGRADER_EXECUTION'] == 'autograde'\nadd = int.__add__",
        "open('mine.txt', 'w').write('x')\ndef add(a, b): return a + b",
        "%%bash\necho hi",
        "def deep(n):\n    return 1 / 0 if n == 0 else deep(n - 1)\ndef add(a, b): deep(200)",
    ]
)
RESULTS = st.one_of(
    st.floats(0, 3).map(repr),
    st.floats(max_value=0).map(repr),
    st.sampled_from(
        [
            "0", "1", "2", "3", "3.0", "1e0", "-0.0", "-1", "True", "None", "'2'", "'1_0'",
            "[1]", "[1, 2]", "(1,)", "{}", "1j", "float('nan')", "range(3)", "Ellipsis",
            "__import__('decimal').Decimal('1.5')", "__import__('fractions').Fraction(1, 2)",
            "__import__('numpy').float64(1.5)", "__import__('numpy').array([1.0])",
            "type('R', (), {'__repr__': lambda s: ' 1.25 '})()",
            "type('R', (), {'__repr__': lambda s: 'many\\nlines'})()",
            "type('R', (), {'_repr_html_': lambda s: '<b>2</b>', '__repr__': lambda s: '2'})()",
            "1 / 0", "7", "print('x')", "print('x') or 2", "display(2)", "display(2) or 1",
            "__import__('sys').stderr.write('e') and 2", "__import__('sys').exit()",
        ]
    ),
)  # fmt: skip
SHARES = st.one_of(
    st.just(CODE_STUB), RESULTS.map(lambda value: f"def share():\n    return {value}")
)
ESSAYS = st.sampled_from([CODE_STUB, "", "x = 2\nx", "print('mine')", "1/0", "# only words"])
ANSWERS = {"add": ADDS, "share": SHARES, "essay": ESSAYS}

TIMES = st.one_of(
    st.none(),
    st.datetimes(min_value=__import__("datetime").datetime(1990, 1, 1)).map(str),
    st.sampled_from(
        [
            "", "\n", "2026-01-02 03:04:05.123456 UTC", "2026-01-02 03:04:05 Europe/Berlin",
            "2026-01-02 03:04:05 7200", "2026-01-02 03:04:05 Nowhere/Land",
            "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00", "2026-07-02 03:04:05 CET\n",
            "2026-01-02", "Fri Jan 2 03:04:05 2026",
        ]
    ),
)  # fmt: skip


# --- what else they do to a notebook; each returns what it did, in words


def edit_locked(draw, book):
    marked = [c for c in book.cells if c.metadata.get("nbgrader", {}).get("locked")]
    # what is typed into a task is a student's work: it is kept in a cell of its own
    locked = [c for c in marked if not c.metadata.nbgrader.get("task")]
    chosen = draw(st.sampled_from(locked))
    chosen.source = draw(st.sampled_from(["", "pass", "2", "assert True", chosen.source + "\n# x"]))
    return f"locked {chosen.id} is {chosen.source!r}"


def edit_points(draw, book):
    graded = [c for c in book.cells if "points" in c.metadata.get("nbgrader", {})]
    chosen = draw(st.sampled_from(graded))
    chosen.metadata.nbgrader["points"] = draw(st.sampled_from([0, 1, 100, 0.5]))
    return f"points of {chosen.id} are {chosen.metadata.nbgrader['points']}"


def edit_locked_flag(draw, book):
    chosen = draw(st.sampled_from([c for c in book.cells if c.metadata.get("nbgrader")]))
    chosen.metadata.nbgrader["locked"] = not chosen.metadata.nbgrader["locked"]
    return f"locked of {chosen.id} is {chosen.metadata.nbgrader['locked']}"


def edit_type(draw, book):
    chosen = draw(st.sampled_from([c for c in book.cells if c.metadata.get("nbgrader")]))
    chosen.cell_type = draw(st.sampled_from(["code", "markdown", "raw"]))
    for key in ("outputs", "execution_count"):
        chosen.pop(key, None)
    if chosen.cell_type == "code":
        chosen.update(outputs=[], execution_count=None)
        chosen.pop("attachments", None)  # as JupyterLab does; a code cell cannot have any
    return f"type of {chosen.id} is {chosen.cell_type}"


def edit_kernel(draw, book):
    book.metadata.kernelspec = draw(
        st.sampled_from([{"name": "ir", "display_name": "R"}, KERNEL | {"name": "mine"}])
    )
    return f"kernel is {book.metadata.kernelspec['name']}"


def add_code(draw, book):
    at = draw(st.integers(0, len(book.cells)))
    source = draw(st.sampled_from(["y = 1", "add = None", "1/0", "", "UNIT = 2\nUNIT", "%pwd"]))
    book.cells.insert(at, new_code_cell(source, id="extra"))
    return f"{source!r} added at {at}"


def fill_outputs(draw, book):
    for number, one in enumerate(book.cells, start=1):
        if one.cell_type == "code":
            one.execution_count = number
            value = draw(st.sampled_from(["100", "0", "x"]))
            one.outputs = [
                new_output("execute_result", {"text/plain": value}, execution_count=number),
                new_output("stream", name="stderr", text="old"),
            ]
            one.metadata["collapsed"] = True
    return "outputs filled"


def add_metadata(draw, book):
    chosen = draw(st.sampled_from(book.cells))
    chosen.metadata[draw(st.sampled_from(["editable", "mine", "tags"]))] = ["seen"]
    book.metadata["widgets"] = {}
    return f"metadata at {chosen.id}"


def add_attachment(draw, book):
    chosen = draw(st.sampled_from([c for c in book.cells if c.cell_type == "markdown"]))
    chosen["attachments"] = {"x.png": {"image/png": PIXEL}}
    return f"attachment at {chosen.id}"


def make_older(draw, book):
    book.nbformat_minor = 4
    for one in book.cells:
        del one["id"]
    return "nbformat 4.4"


def swap(draw, book):
    at = draw(st.integers(0, len(book.cells) - 2))
    book.cells[at], book.cells[at + 1] = book.cells[at + 1], book.cells[at]
    return f"cells {at + 1} and {at + 2} swapped"


EDITS = (edit_locked, edit_points, edit_locked_flag, edit_type, edit_kernel, add_code, fill_outputs,
         add_metadata, add_attachment, swap)  # fmt: skip


@st.composite
def submissions(draw, released):
    """A submission of the release: answers, and as a rule few edits beside them."""
    files, done = {}, []
    for name, source in sorted(released.items()):
        if len(released) > 1 and draw(st.integers(0, 5)) == 0:
            done.append(f"without {name}")
            continue
        book = nbformat.reads(source.decode(), as_version=4)
        for one in book.cells:
            mark = one.metadata.get("nbgrader", {})
            if mark.get("solution") and draw(st.integers(0, 9)):
                one.source = draw(ANSWERS.get(mark["grade_id"], TEXTS))
                done.append(f"{mark['grade_id']}: {one.source[:300]!r}")
        for edit in draw(st.lists(st.sampled_from(EDITS), max_size=2, unique=True)):
            done.append(edit(draw, book))
        if draw(st.integers(0, 9)) == 0:
            done.append(make_older(draw, book))
        files[f"{name}.ipynb"] = json.dumps(book).encode()
    handed_in = draw(TIMES)
    if handed_in is not None:
        files["timestamp.txt"] = handed_in.encode()
        done.append(f"at {handed_in!r}")
    return Handed("", files, done)


def generate(released, count):
    """Return ``count`` submissions that hypothesis thought of."""
    pile = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(submissions(released))
    def draw(handed):
        if any(name.endswith(".ipynb") for name in handed.files):
            pile.append(handed)

    draw()
    for number, handed in enumerate(pile):
        handed.student = f"s{number:04}"
    return pile


# --- the two sides


def author(root, notebooks, config=""):
    """A course with one assignment, released by nbgrader."""
    source = root / "source" / "hw"
    source.mkdir(parents=True)
    for name, book in notebooks.items():
        nbformat.write(book, source / f"{name}.ipynb")
    (source / "helper.py").write_text("HELP = 1\n")
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}")
    course = Course.open(root)
    nbgrader.generate_assignment(course, "hw", root / "release")
    return course


def hand_in(course, pile):
    for handed in pile:
        folder = course.submitted("hw", handed.student)
        folder.mkdir(parents=True)
        for name, data in handed.files.items():
            (folder / name).write_bytes(data)


@dataclass
class Theirs:
    """What nbgrader made of a submission."""

    failure: str | None
    grades: dict
    comments: dict
    timestamp: str | None


QUERY = """
select sa.student_id as student, n.name as notebook, b.name as cell, {columns}
from {table} t join base_cell b on b.id = t.cell_id
join submitted_notebook sn on sn.id = t.notebook_id join notebook n on n.id = sn.notebook_id
join submitted_assignment sa on sa.id = sn.assignment_id
"""


def by_nbgrader(course, pile):
    """Let nbgrader autograde the pile; return what its database then says of each student."""
    failures = {
        run.student: run.failure
        for run in nbgrader.autograde(course, "hw", [handed.student for handed in pile])
    }
    found = {student: Theirs(failure, {}, {}, None) for student, failure in failures.items()}
    engine = create_engine(course.db_url)
    with engine.connect() as connection:
        query = QUERY.format(table="grade", columns="auto_score, needs_manual_grade as needs")
        for row in connection.execute(text(query)):
            found[row.student].grades[row.notebook, row.cell] = (row.auto_score, bool(row.needs))
        query = QUERY.format(table="comment", columns="auto_comment")
        for row in connection.execute(text(query)):
            found[row.student].comments[row.notebook, row.cell] = row.auto_comment
        query = "select student_id, timestamp from submitted_assignment"
        for student, timestamp in connection.execute(text(query)):
            found[student].timestamp = timestamp
    engine.dispose()
    return found


def by_markbook(course, pile):
    with Gradebook.open(course) as gb:
        master = read_master(course, gb, "hw")
    return {handed.student: grade(master, Submission("x", handed.files)) for handed in pile}


CHANCE = re.compile(r"0x[0-9a-f]+|ipykernel_\d+/\d+|<ipython-input-\d+-[0-9a-f]+>")


def plain(value):
    """A value without addresses, process ids and the like."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return CHANCE.sub("…", value) if isinstance(value, str) else value


def contents(data):
    """What an autograded notebook holds that nbgrader and people look at."""
    book = nbformat.reads(data.decode("utf-8"), as_version=4)
    nbformat.validate(book)
    cells = []
    for one in book.cells:
        one.metadata.pop("execution", None)  # when it was run
        one.pop("id", None)
        mark = one.metadata.get("nbgrader", {})
        if mark.get("solution") or mark.get("grade"):
            del mark["locked"]  # an answer never is, a test always, whatever stands there
        if mark.get("task"):
            del mark["points"]  # nbgrader leaves a student's, and counts its own
        cells.append(plain(dict(one)))
    return book.metadata.get("kernelspec"), cells


def compare(course, pile, *, outputs=True):
    """Return the differences between the two sides, and apart from them what they do not decide
    alike on purpose: what nbgrader fails, and what Markbook repairs and tells."""
    theirs, ours = by_nbgrader(course, pile), by_markbook(course, pile)
    differences, apart = [], []
    for handed in pile:
        their, our = theirs[handed.student], ours[handed.student]
        if their.failure is not None:
            apart.append((handed, their.failure, our))
            continue
        record = list(differ_in_record(their, our))
        folder = course.autograded("hw", handed.student)
        found = [*record, *differ_in_notebooks(our, folder, outputs=outputs)]
        if found and is_told(our, ANSWER_FOUND if record else CELL_ADDED):
            apart.append((handed, found, our))
        elif found:
            differences.append((handed.done, found, our.findings))
    return differences, apart


# Markbook goes further than nbgrader where cells or texts are out of place: an answer elsewhere is
# an answer, with its score, and what was typed into a read-only cell is kept in one of its own.
ANSWER_FOUND = ("order of the release", "taken from there", "counts as the answer",
                "stands beside it")  # fmt: skip
CELL_ADDED = (*ANSWER_FOUND, "is in no answer")


def is_told(our, phrases):
    return any(phrase in sentence for sentence in our.findings for phrase in phrases)


def differ_in_notebooks(our, folder, *, outputs):
    names = sorted(path.stem for path in folder.glob("*.ipynb"))
    if names == sorted(our.notebooks):
        for name in names:
            left = contents((folder / f"{name}.ipynb").read_bytes())
            yield from differ_in_cells(name, left, contents(our.notebooks[name]), outputs=outputs)
    else:
        yield f"notebooks: nbgrader {names}, Markbook {sorted(our.notebooks)} {our.findings}"


def differ_in_record(their, our):
    grades = {(g.notebook, g.cell): (g.auto_score, g.needs_marking) for g in our.grades}
    for key, value in their.grades.items():
        if grades.get(key, (None, True)) != value:
            yield f"grade {key}: nbgrader {value}, Markbook {grades.get(key)}"
    comments = {(c.notebook, c.cell): c.auto_comment for c in our.comments}
    for key, value in their.comments.items():
        if comments.get(key) != value:
            yield f"comment {key}: nbgrader {value!r}, Markbook {comments.get(key)!r}"
    if (our.timestamp or "") != (their.timestamp or "").replace(" ", "T").removesuffix(".000000"):
        yield f"time: nbgrader {their.timestamp}, Markbook {our.timestamp}"


def differ_in_cells(name, left, right, *, outputs):
    if left[0] != right[0] or len(left[1]) != len(right[1]):
        yield f"{name}: {left[0]} {len(left[1])} cells, {right[0]} {len(right[1])} cells"
    for one, other in zip(left[1], right[1], strict=False):
        for key in sorted(one.keys() | other.keys()):
            skip = not outputs and key in ("outputs", "execution_count")
            if not skip and one.get(key) != other.get(key):
                yield f"{name} {key}: nbgrader {one.get(key)!r}, Markbook {other.get(key)!r}"


def told(differences):
    return "\n\n".join(
        "\n".join([*map(str, done), *found, f"findings: {findings}"])
        for done, found, findings in differences
    )


@pytest.fixture(scope="module")
def class_of_words(tmp_path_factory):
    """Text-only submissions; nbgrader, too, is kept from starting kernels for them."""
    root = tmp_path_factory.mktemp("words") / "course"
    course = author(root, {"one": wordy("p"), "two": wordy("q")}, "c.Execute.enabled = False\n")
    released = {p.stem: p.read_bytes() for p in course.release("hw").glob("*.ipynb")}
    pile = generate(released, 3 * SIZE)
    hand_in(course, pile)
    return course, pile


@pytest.fixture(scope="module")
def class_of_code(tmp_path_factory):
    root = tmp_path_factory.mktemp("code") / "course"
    course = author(root, {"rich": rich()}, "c.Execute.timeout = 20\n")
    released = {p.stem: p.read_bytes() for p in course.release("hw").glob("*.ipynb")}
    pile = generate(released, SIZE)
    hand_in(course, pile)
    return course, pile


def check(course, pile, **how):
    differences, apart = compare(course, pile, **how)
    assert not differences, told(differences)
    assert len(apart) < len(pile) / 2, apart  # near copies come in a row
    # what ends a submission in nbgrader does not end it here
    assert [our.findings for _, _, our in apart if our.outcome is Outcome.FAILED] == []


def test_text_is_scored_as_by_nbgrader(class_of_words):
    check(*class_of_words, outputs=False)


def test_code_is_run_and_scored_as_by_nbgrader(class_of_code):
    check(*class_of_code)
