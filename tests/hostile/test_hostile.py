"""Every hostile input ends exactly as its data says, and no honest student feels any of them."""

from __future__ import annotations

import importlib.util
import os
import re
import site
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import markbook

_SPEC = importlib.util.spec_from_file_location(
    "markbook_hostile_catalogue", Path(__file__).with_name("catalogue.py")
)
catalogue_module = sys.modules.get(_SPEC.name)
if catalogue_module is None:
    catalogue_module = importlib.util.module_from_spec(_SPEC)
    sys.modules[_SPEC.name] = catalogue_module
    _SPEC.loader.exec_module(catalogue_module)

INPUTS = [each for each in catalogue_module.inputs() if each.heading != "faults"]
HONEST = sorted(catalogue_module.course_data()["honest"])
# Words that many use count for less: 200 hostile answers beside ten honest ones may shift a
# confidence so far, and none across the line from which rules accept.
CLOSE = 0.05
GRADED = {"graded", "needs-attention"}
CANARIES = ("canary-model-answer", "canary-model-code", "canary-environment", "canary-home")


def named(each):
    return f"{each.heading}-{each.name}"


@pytest.fixture(params=INPUTS, ids=named)
def each(request, world):
    if request.param not in world.asked:
        assert os.environ.get("CI") != "true" or "root" in request.param.needs
        pytest.skip(f"this machine cannot make it: it needs {', '.join(request.param.needs)}")
    return request.param


def test_there_are_at_least_150_inputs_over_every_heading():
    every = catalogue_module.inputs()
    assert len(every) >= 150
    counted = {name: len(catalogue_module.inputs(name)) for name in catalogue_module.HEADINGS}
    assert min(counted.values()) >= 5, counted
    assert len({each.student for each in every}) == len(every)
    assert len({each.name for each in every}) == len(every)


def test_each_fault_has_tests_that_exist(repository):
    for each in catalogue_module.inputs("faults"):
        for named in each.proved_by:
            file, _, test = named.partition("::")
            assert f"def {test}(" in (repository / file).read_text(), named
        assert each.proved_by


def test_it_ends_as_its_data_says(each, world):
    ran = world.together
    if each.statuses == ("refused",):
        assert each.paper in ran.refused
        for said in each.expect["says"]:
            assert said in ran.refused[each.paper]
        assert each.name not in ran.records
        return
    assert each.paper not in ran.refused, ran.refused[each.paper]
    record = ran.records[each.student]
    assert str(record.outcome) in each.statuses, record.findings
    for said in each.expect.get("says", ()):
        assert any(said in finding for finding in record.findings), record.findings
    if record.outcome == "failed":
        assert len(record.findings) == 1, "one reason"
        assert "please report this fault" not in record.findings[0], record.findings
    if record.outcome == "graded":
        assert record.findings == ()


def test_its_tests_earn_what_its_data_says(each, world):
    if each.statuses == ("refused",):
        assert each.name not in world.together.grades
        return
    got = world.together.grades.get(each.student, {})
    if world.together.records[each.student].outcome == "failed":
        assert all(grade.auto_score is None for grade in got.values())
        return
    wanted = catalogue_module.expected_scores(each)
    scores = {name: got[name].auto_score for name in wanted}
    assert scores == wanted
    for name in each.expect.get("forged", ()):
        assert got[name].needs_marking, "a person decides"
    for grade in got.values():
        assert grade.score <= grade.max_score
    for name, most in each.expect.get("most", {}).items():
        assert got[name].max_score == most, "its points are those of the course"


def test_its_answers_are_kept(each, world):
    found = world.together.answers.get(each.student, {})
    for question, status in each.expect.get("answers", {}).items():
        assert str(found[question].status) == status
    if str(world.together.records.get(each.student, Nothing).outcome) in GRADED:
        assert {"signature", "salt"} <= found.keys()


class Nothing:
    outcome = "refused"


def test_no_grader_is_fooled(each, world):
    ran = world.together
    for question, wanted in each.expect.get("suggest", {}).items():
        key = (question, ran.answers[each.student][question].hash)
        if "flag" in wanted:
            assert wanted["flag"] in ran.flags[key]
        if "confident" in wanted:
            sure = [s.criterion for s in ran.suggestions[key] if s.awarded and s.confidence >= 0.9]
            assert sure == wanted["confident"]


class Page(HTMLParser):
    """What of a page could do something: tags, attributes, addresses; frames are pages, too."""

    KNOWN = frozenset(
        "html head meta title style body header main section article footer nav div p span h1 h2 h3"
        " h4 h5 h6 ol ul li dl dt dd table thead tbody tfoot tr td th caption a em strong b i s u"
        " small sub sup del mark code pre samp kbd var blockquote br hr details summary img figure"
        " figcaption svg path circle line rect g text title time abbr input iframe".split()
    )

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.bad = []
        self.styles = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in self.KNOWN:
            self.bad.append(tag)
        self.styles += tag == "style"
        if tag == "iframe":
            self.frame(dict(attrs))
            attrs = []
        for name, value in attrs:
            text = re.sub(r"[\s\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name in ("srcdoc", "action", "formaction", "background"):
                self.bad.append((tag, name, value))
            if name in ("href", "src", "xlink:href", "poster", "data") and not re.match(
                r"https?://|mailto:|#|data:image/(?:png|jpeg|gif|webp);", text
            ):
                self.bad.append((tag, name, value))
            if name == "src" and not text.startswith("data:"):
                self.bad.append((tag, name, value))
            if tag == "meta" and name == "http-equiv":
                if text != "content-security-policy":
                    self.bad.append((tag, name, value))

    def frame(self, attrs):
        """A frame is shut in altogether, and holds its own text."""
        if attrs.get("sandbox", "missing") or not set(attrs) <= {
            "class", "sandbox", "title", "srcdoc", "loading"
        }:  # fmt: skip
            self.bad.append(("iframe", attrs))
        self.bad += Page(attrs.get("srcdoc") or "").bad

    handle_startendtag = handle_starttag


def test_its_page_is_harmless(each, world):
    text = world.together.page(each.student)
    wanted = each.expect.get("page", {})
    if not text:
        assert not wanted
        assert "failed" in each.statuses or "refused" in each.statuses, "it has no page"
        return
    page = Page(text)
    assert page.bad == []
    assert page.styles == 1, "our own style only"
    assert "Content-Security-Policy" in text
    assert "default-src 'none'" in text.replace("&#39;", "'")
    for said in wanted.get("holds", ()):
        assert said in text
    for said in (*wanted.get("lacks", ()), *CANARIES, "canary-hidden-test"):
        assert said not in text
    assert len(text) <= wanted.get("most", 400_000)


def test_its_code_learned_no_secret(each, world):
    written = world.together.outputs(each.student)
    for said in (*each.expect.get("output", {}).get("lacks", ()), *CANARIES, "canary-fellow"):
        assert said not in written


def test_the_table_of_scores_holds_it_as_text(each, world):
    table = world.together.table
    for said in each.expect.get("export", ()):
        assert said.replace('"', '""') in table or said in table
    if each.student in world.together.lines:
        assert len(world.together.lines[each.student]) == 6


def test_no_cell_of_the_table_is_a_formula(world):
    import csv
    import io

    rows = list(csv.reader(io.StringIO(world.together.table, newline="")))
    assert len({len(row) for row in rows}) == 1, "each line has as many cells"
    for row in rows[1:]:
        for cell in row:
            number = re.fullmatch(r"-?\d+(?:\.\d+)?", cell)
            assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")), row


@pytest.mark.parametrize("student", HONEST)
def test_an_honest_student_has_exactly_what_the_honest_class_alone_gives(student, world):
    alone, together = world.alone, world.together
    assert together.records[student].outcome == alone.records[student].outcome
    assert together.records[student].findings == alone.records[student].findings
    assert together.grades[student] == alone.grades[student]
    assert together.answers[student] == alone.answers[student]
    for question, answer in alone.answers[student].items():
        key = (question, answer.hash)
        assert_suggested_alike(together.suggestions.get(key, []), alone.suggestions.get(key, []))
        assert together.flags.get(key) == alone.flags.get(key)
    for step in ("autograded", "feedback"):
        assert files_of(together, step, student) == files_of(alone, step, student), step
    assert without_times(together.lines[student]) == without_times(alone.lines[student])


def assert_suggested_alike(one, other):
    """The same criteria by the same words; only how rare a word is depends on the class."""
    for a, b in zip(one, other, strict=True):
        assert replace(a, confidence=b.confidence) == b
        assert a.confidence == pytest.approx(b.confidence, abs=CLOSE)
        assert (a.confidence >= 0.9) == (b.confidence >= 0.9)


def files_of(ran, step, student):
    """Return a student's files, without what tells when and in which process code was run."""
    folder = getattr(ran.course, step)("hw", student)
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            text = re.sub(r'"execution": \{[^{}]*\}', '"execution": {}', text)
            found[str(path.relative_to(folder))] = re.sub(r"ipykernel_\d+", "ipykernel", text)
    return found


def without_times(lines):
    return [{key: value for key, value in line.items() if key != "marked_at"} for line in lines]


def test_nothing_that_was_handed_in_or_authored_was_changed(world):
    assert {k: world.after.get(k) for k in world.before} == world.before


def test_nothing_was_written_outside(world):
    assert sorted(path.name for path in world.witness.iterdir()) == []
    assert sorted(path.name for path in world.home.iterdir() if path.name[0] != ".") == [
        "secret.txt"
    ]


def test_no_program_of_the_graders_was_changed(world):
    modules = [*Path(markbook.__file__).parent.rglob("*.py")]
    packages = [Path(folder) for folder in site.getsitepackages()]
    modules += [path for folder in packages for path in folder.glob("*.pth")]
    assert [p for p in modules if "changes-the-graders-program" in p.read_text("utf-8")] == []


def test_nobody_was_called(world):
    assert world.calls == []


def test_the_class_report_is_harmless_too(world):
    text = (world.together.course.reports("hw") / "report.html").read_text()
    page = Page(text)
    assert [bad for bad in page.bad if bad not in ("script",)] == []
    for said in CANARIES:
        assert said not in text
