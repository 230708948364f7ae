"""A student answers in a real JupyterLab, with nbgrader's own extension, and gets feedback."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import FrameLocator, Locator, Page

    from tests.browser.conftest import Classroom, Lab, Noise, Person

pytestmark = pytest.mark.browser

ASSIGNMENT = "web-apis-and-testing"
NOTEBOOK = "conceptual"
STUDENT = "ada"
SIGNATURE = (
    "With the signature the server can prove that nobody tampered with the token on its way. "
    "If one character of the payload is changed, the signature does not fit any more."
)
INTERCEPTED = (
    "Yes, anybody who has the token can read the contents.\n\n"
    "- it is only base64 encoded, not encrypted\n"
    "- so never put a password in it"
)
OPINION = "I liked Flask better because I could see where every request goes, but Express is fine."
READ_PAYLOAD = """import base64
import json


def read_payload(token):
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("not a token")
    middle = parts[1] + "=" * (-len(parts[1]) % 4)
    return json.loads(base64.urlsafe_b64decode(middle))
"""
EARNED = ["readable", "encoded-not-encrypted"]
DECIDED = (
    {"student": STUDENT, "question": "jwt-signature", "earned": ["detects-changes"]},
    {"student": STUDENT, "question": "jwt-intercepted-payload", "earned": EARNED},
)
# JupyterLab's HTML viewer adds a style of its own; the page's content security policy refuses it.
JUPYTERLABS_OWN_STYLE = "Applying inline style violates"
INSTRUCTORS_ONLY = ("BEGIN HIDDEN", "END HIDDEN", "BEGIN SOLUTION", "END SOLUTION", "token_of")


@dataclass(frozen=True)
class StudentsLab:
    """What a student does in JupyterLab, with the mouse and the keyboard."""

    page: Page
    home: Path
    artifacts: Path

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.artifacts / f"{name}.png", caret="initial")

    def opens(self, lab: Lab) -> None:
        self.page.goto(lab.url())
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def opens_assignment_list(self) -> None:
        self.page.get_by_role("menuitem", name="Nbgrader").click()
        self.page.get_by_role("menuitem", name="Assignment List").click()
        expect(self.page.locator("#course_list_default")).to_have_text("web-development")

    def goes_to_assignment_list(self) -> None:
        self.page.get_by_role("tab", name="Assignments").click()
        self.page.locator("#refresh_assignments_list").click()

    def listed(self, which: str) -> Locator:
        """Return the rows of the list ``which``: released, fetched or submitted."""
        return self.page.locator(f"#{which}_assignments_list .list_item", has_text=ASSIGNMENT)

    def fetches(self) -> Path:
        self.listed("released").get_by_role("button", name="Fetch").click()
        expect(self.listed("fetched").get_by_role("button", name="Submit")).to_be_visible()
        return self.home / ASSIGNMENT / f"{NOTEBOOK}.ipynb"

    def opens_notebook(self) -> None:
        row = self.listed("fetched")
        row.get_by_role("button", name=ASSIGNMENT).click()
        row.get_by_role("link", name=NOTEBOOK, exact=True).click()
        expect(self.page.get_by_role("button", name="| Idle")).to_be_visible()
        expect(self.page.locator(".jp-Notebook-cell").first).to_be_visible()

    def cell(self, grade_id: str) -> Locator:
        path = self.home / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        place = list(cells_by_id(path)).index(grade_id)
        found = self.page.locator(".jp-Notebook-cell").nth(place)
        found.scroll_into_view_if_needed()
        return found

    def answers(self, grade_id: str, text: str) -> None:
        """Open a Markdown cell by double click, replace what is in it, and render it."""
        cell = self.cell(grade_id)
        cell.locator(".jp-RenderedMarkdown").dblclick()
        self.replaces(cell, text)
        self.page.keyboard.press("Shift+Enter")
        expect(cell.locator(".jp-RenderedMarkdown")).to_contain_text(text.split("\n")[0])

    def replaces(self, cell: Locator, text: str) -> None:
        editor = cell.locator(".cm-content")
        editor.click()
        expect(editor).to_be_focused()
        self.page.keyboard.press("Control+a")
        # As one paste: typed newlines would be indented by the editor.
        self.page.keyboard.insert_text(text)

    def programs(self, grade_id: str, code: str) -> None:
        self.replaces(self.cell(grade_id), code)
        self.runs(grade_id)

    def runs(self, grade_id: str) -> Locator:
        """Run a code cell with Shift+Enter, wait until it is done, and return it."""
        cell = self.cell(grade_id)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))
        return cell

    def saves(self) -> None:
        unsaved = self.page.locator(".jp-mod-current.jp-mod-dirty")
        expect(unsaved).to_have_count(1)
        self.page.keyboard.press("Control+s")
        expect(unsaved).to_have_count(0)

    def submits(self) -> None:
        self.listed("fetched").get_by_role("button", name="Submit").click()
        expect(self.listed("submitted")).to_be_visible()

    def fetches_feedback(self) -> None:
        row = self.listed("submitted")
        row.get_by_role("button", name="Fetch Feedback").click()
        expect(row).to_contain_text("view feedback")

    def views_feedback(self) -> FrameLocator:
        """Follow the list's own link to the folder and open the page in JupyterLab's viewer."""
        self.listed("submitted").get_by_text("view feedback").click()
        self.page.locator(".jp-DirListing-item", has_text=f"{NOTEBOOK}.html").dblclick()
        return self.page.frame_locator(".jp-HTMLViewer iframe")


def cells_by_id(path: Path) -> dict[str, Any]:
    """Return a notebook's cells by grade id, in their order; cells without one by position."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {
        cell["metadata"].get("nbgrader", {}).get("grade_id", f"cell {place}"): cell
        for place, cell in enumerate(cells)
    }


def source_of(path: Path, grade_id: str) -> str:
    return "".join(cells_by_id(path)[grade_id]["source"])


def test_a_student_answers_in_jupyterlab_and_reads_there_what_was_marked(
    classroom: Classroom,
    start_lab: Callable[[Person, Path], Lab],
    browser_page: Page,
    noise: Noise,
    artifacts: Path,
) -> None:
    publishes(classroom)
    student = StudentsLab(browser_page, classroom.student.home, artifacts)
    student.opens(start_lab(classroom.student, classroom.student.home))

    fetched = fetches_what_students_may_see(student, classroom)
    answers(student)
    assert source_of(fetched, "jwt-signature") == SIGNATURE
    assert source_of(fetched, "jwt-intercepted-payload") == INTERCEPTED
    student.goes_to_assignment_list()
    student.submits()
    student.picture("07-submitted")

    marks(classroom)
    reads_feedback(student)
    assert [error for error in noise.errors if JUPYTERLABS_OWN_STYLE not in error] == []
    assert noise.refused == []

    (saved,) = fetched.parent.glob(f"feedback/*/{NOTEBOOK}.html")
    browser_page.goto(saved.as_uri())
    shows_the_marks(browser_page)
    browser_page.screenshot(path=artifacts / "12-feedback-page.png", full_page=True)

    formgrader = opens_formgrader(browser_page, start_lab(classroom.instructor, classroom.course))
    expect(formgrader.locator("#jwt-signature")).to_have_value("1")
    expect(formgrader.locator("#jwt-intercepted-payload")).to_have_value("2")
    expect(formgrader.locator("#flask-vs-express")).to_have_value("")
    formgrader.locator("#jwt-signature").scroll_into_view_if_needed()
    student.picture("13-the-same-marks-in-formgrader")


def fetches_what_students_may_see(student: StudentsLab, classroom: Classroom) -> Path:
    student.opens_assignment_list()
    student.picture("01-assignment-list")
    fetched = student.fetches()
    student.picture("02-fetched")
    authored = (classroom.course / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text()
    assert all(secret in authored for secret in INSTRUCTORS_ONLY)
    document = fetched.read_text(encoding="utf-8")
    assert [secret for secret in INSTRUCTORS_ONLY if secret in document] == []
    return fetched


def answers(student: StudentsLab) -> None:
    """Answer three questions in words and one in code; its tests fail before, and pass after."""
    student.opens_notebook()
    student.picture("03-notebook")
    unanswered = student.runs("jwt-read-payload-tests")
    expect(unanswered.locator(".jp-OutputArea-output")).to_contain_text("NameError")
    student.answers("jwt-signature", SIGNATURE)
    student.picture("04-first-answer")
    student.answers("jwt-intercepted-payload", INTERCEPTED)
    student.picture("05-second-answer")
    student.answers("flask-vs-express", OPINION)
    student.programs("jwt-read-payload", READ_PAYLOAD)
    passed = student.runs("jwt-read-payload-tests")
    expect(passed.locator(".jp-OutputArea-output")).to_have_count(0)
    student.picture("06-visible-tests-pass")
    student.saves()


def reads_feedback(student: StudentsLab) -> None:
    student.goes_to_assignment_list()
    expect(student.listed("submitted")).to_contain_text("feedback available to fetch")
    student.picture("08-feedback-available")
    student.fetches_feedback()
    student.picture("09-feedback-fetched")
    page = student.views_feedback()
    shows_the_marks(page)
    student.picture("10-feedback-in-jupyterlab")
    page.get_by_role("link", name="look into a token").click()
    expect(page.get_by_role("heading", name="look into a token")).to_be_in_viewport()
    student.picture("11-feedback-of-the-exercise")


def publishes(classroom: Classroom) -> None:
    done = classroom.markbook("release", ASSIGNMENT, "--publish")
    assert done.returncode == 0, done.stdout + done.stderr


def marks(classroom: Classroom) -> None:
    """Collect to feedback as an instructor types it; then nbgrader hands the pages out."""
    collected = classroom.markbook("collect", ASSIGNMENT)
    assert collected.returncode == 0, collected.stdout + collected.stderr
    run = classroom.markbook("run", ASSIGNMENT, "--accept", "confidence >= 0", "--marker", "grace")
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    # What is missing in a class of one is suggested by nothing: a person decides these two.
    decided = classroom.instructor.home / "grace.jsonl"
    decided.write_text("".join(f"{json.dumps(line)}\n" for line in DECIDED), encoding="utf-8")
    for step in (("mark", ASSIGNMENT, "--from", str(decided), "--marker", "grace"),
                 ("feedback", ASSIGNMENT)):  # fmt: skip
        done = classroom.markbook(*step)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
    classroom.nbgrader("release_feedback", ASSIGNMENT)
    # Everybody here has one account, so only the modes tell whether a student could read these.
    shared = [*classroom.exchange.glob("*/feedback/*"), *classroom.exchange.glob("*/outbound/*/*")]
    assert len(shared) == 2
    assert all(path.stat().st_mode & stat.S_IROTH for path in shared)


def shows_the_marks(page: Page | FrameLocator) -> None:
    """Check what a student sees: own words, what they earned, the tests, what is to come."""
    expect(page.get_by_text(f"Feedback for {STUDENT}")).to_be_visible()
    signature = section(page, "The signature of a JWT")
    expect(signature.locator("mark").first).to_contain_text("nobody tampered")
    expect(signature).to_contain_text("1 of 2")
    intercepted = section(page, "When somebody else gets the token")
    expect(intercepted.locator("mark").nth(1)).to_contain_text("base64 encoded, not encrypted")
    expect(intercepted).to_contain_text("2 of 2")
    exercise = section(page, "Exercise: look into a token")
    expect(exercise).to_contain_text("Tests in your notebook: passed")
    expect(exercise).to_contain_text("Hidden tests: passed")
    expect(section(page, "Flask or Express?")).to_contain_text("waits for a person")
    expect(section(page, "Mocks")).to_contain_text("No answer was given")


def opens_formgrader(page: Page, lab: Lab) -> FrameLocator:
    """Open the one submission in nbgrader's own grading page, as an instructor."""
    page.goto(lab.url())
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    formgrader = page.frame_locator("#formgrader-iframe iframe")
    for link in ("Manual Grading", ASSIGNMENT, NOTEBOOK, "Submission #1"):
        formgrader.get_by_role("link", name=link, exact=True).click()
    return formgrader


def section(page: Page | FrameLocator, title: str) -> Locator:
    return page.get_by_role("region", name=title)
