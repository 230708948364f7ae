"""People mark in a real browser: by keyboard, in twos, offline, and against hostile answers."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from markbook.gradebook import Gradebook
from markbook.marking.items import item_id
from markbook.model import Expectation, Suggestion
from markbook.rubrics import load_rubric
from markbook.suggest import suggest as run_graders

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip
PATIENCE = 20_000  # milliseconds; other tests share the two cores
SAME = "A key is secret."
TEXTS = [
    *[SAME] * 4,
    *(f"{opening} {rest}" for opening in ("A key is secret,", "I think it is all the same,")
      for rest in ("like the one of a house.", "which my aunt says about doors.",
                   "because nobody else may have it.", "so I keep it in a drawer.",
                   "and a lock belongs to it.", "as we said in class.", "for a bank has many.",
                   "but I may be wrong.", "though paint peels.", "when it rains.")),
]  # fmt: skip
HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    "<svg onload=window.pwned=3><animate onbegin=window.pwned=4 attributeName=x dur=1s></svg>",
    "[click](javascript:window.pwned=5) and [away](//evil.example/x)",
    "<iframe srcdoc='<script>parent.pwned=6</script>'></iframe>",
    "<style>@import url(//evil.example/a.css);</style><a href='data:text/html,x'>data</a>",
    "</textarea></script><script>window.pwned = 7</script><details open ontoggle=window.pwned=8>",
    r"$\href{javascript:window.pwned=9}{x^2}$ and $\includegraphics{//evil.example/y.png} = a_1$",
    "<math><mtext><mglyph><style><img src=x onerror=window.pwned=10></style></mglyph></math>",
    "<form action=//evil.example><input autofocus onfocus=window.pwned=11><button>Save</button>",
    "<b onmouseover=window.pwned=12>x</b><base href=//evil.example/><meta http-equiv=refresh>",
    "{{7*7}} ${7*7} <noscript><p title='</noscript><img src=x onerror=window.pwned=13>'>",
]


# --- the class ------------------------------------------------------------------------------------


def enrol(course, texts, question="doors"):
    """Put a student per text into the gradebook, beside the three who were really graded."""
    path = course.root / "gradebook.db"
    with sqlite3.connect(path) as db:
        db.row_factory = sqlite3.Row
        for number, text in enumerate(texts):
            _copy_ada(db, f"zoe-{number:02d}", question, text)
    db.close()


def _copy_ada(db, name, question, text):
    def rows(sql, *values):
        return [dict(row) for row in db.execute(sql, values)]

    def put(table, row):
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    (ada,) = rows("SELECT * FROM student WHERE id = 'ada'")
    put("student", ada | {"id": name})
    (handed_in,) = rows("SELECT * FROM submitted_assignment WHERE student_id = 'ada'")
    (notebook,) = rows("SELECT * FROM submitted_notebook WHERE assignment_id = ?", handed_in["id"])
    ids = uuid.uuid4().hex, uuid.uuid4().hex
    put("submitted_assignment", handed_in | {"id": ids[0], "student_id": name})
    put("submitted_notebook", notebook | {"id": ids[1], "assignment_id": ids[0]})
    for table in ("grade", "comment"):
        for row in rows(f"SELECT * FROM {table} WHERE notebook_id = ?", notebook["id"]):
            put(table, row | {"id": uuid.uuid4().hex, "notebook_id": ids[1]})
    for table in ("markbook_submission", "markbook_answer"):
        for row in rows(f"SELECT * FROM {table} WHERE student = 'ada'"):
            row = {key: value for key, value in row.items() if key != "id"} | {"student": name}
            if row.get("question") == question:
                digest = hashlib.sha256(text.encode()).hexdigest()
                row |= {"text": text, "hash": digest, "status": "answered"}
            put(table, row)


def suggest(course, question="doors"):
    """Suggest "right" for the answers about secrets, "muddle" for the others."""
    rubric = load_rubric(course.rubric("hw", question))
    with Gradebook.open(course) as gb:
        gb.save_rubric("hw", rubric)
        made = []
        for text, digest in {(a.text, a.hash) for a in gb.answers("hw", question)}:
            secret = "secret" in text
            for criterion in rubric.criteria:
                awarded = criterion.id == ("right" if secret else "muddle")
                end = min(len(text), 15)
                made.append(
                    Suggestion(
                        question=question, answer_hash=digest, criterion=criterion.id,
                        awarded=awarded, confidence=0.87, grader="test",
                        rubric_version=rubric.version, span=text[:end] if awarded else None,
                        start=0 if awarded else None, end=end if awarded else None,
                        note="not calibrated, 0.6 at most" if awarded else "",
                    )
                )  # fmt: skip
        gb.replace_suggestions("hw", question, made)


@pytest.fixture
def room(tiny, tmp_path):
    """A course with 24 more students, most of whom wrote about doors."""
    course = tiny.copy_of("autograded", tmp_path / "course")
    enrol(course, TEXTS)
    suggest(course)
    return course


def marks(course, question="doors"):
    with Gradebook.open(course) as gb:
        return gb.marks("hw", question)


# --- the browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    if program is None:
        message = "chromium is missing: run tools/install-debian.sh"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(FLAGS)
        )
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pictures():
    folder = Path(os.environ.get("MARKBOOK_ARTIFACTS", ROOT / "test-artifacts")) / "marking"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def noise():
    """What pages complained about, and which other hosts they asked for."""
    return []


@pytest.fixture
def visit(chromium, noise):
    """Open a browser of one's own at a server, signed in; it reaches that server only."""
    opened = []

    def come(client, path="/markbook/a/hw/q/doors", **options):
        context = chromium.new_context(
            viewport={"width": 1360, "height": 860}, locale="en-GB", **options
        )
        context.set_default_timeout(PATIENCE)
        opened.append(context)

        def offline(route):
            if urlsplit(route.request.url).hostname == "127.0.0.1":
                route.continue_()
            else:
                noise.append(f"asked for {route.request.url}")
                route.abort()

        def listen(message):
            expected = re.search(r"409|ERR_INTERNET_DISCONNECTED", message.text)
            if message.type == "error" and not expected:
                noise.append(message.text)

        context.route("**/*", offline)
        context.on("console", listen)
        context.on("weberror", lambda error: noise.append(str(error.error)))
        page = context.new_page()
        page.goto(client.address)
        home = "{0.scheme}://{0.netloc}".format(urlsplit(client.address))
        page.goto(f"{home}{path}")
        if "/q/" in path:
            shown(page)
        return page

    yield come
    for context in opened:
        context.close()


def shown(page):
    """Wait until an answer is shown; return its id."""
    expect(page.locator("#answer-box")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".criterion").first).to_be_visible()
    return current(page)


def current(page):
    return page.evaluate("decodeURIComponent(location.hash.slice(1))")


def press_on(page, *keys):
    """Press keys, the last of which leads to another answer; return that one's id."""
    before = current(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function(
        "before => decodeURIComponent(location.hash.slice(1)) !== before", arg=before
    )
    return current(page)


def stored(page):
    """Wait until nothing is on its way to the server any more."""
    page.wait_for_function(
        "() => !Object.keys(localStorage).some(key => key.endsWith(':outbox'))", timeout=PATIENCE
    )


# --- marking --------------------------------------------------------------------------------------


def test_twenty_answers_are_marked_by_keyboard_alone(room, serve, visit, noise, pictures):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.screenshot(path=pictures / "marking.png")
        expect(page.locator("#criteria .ghost").first).to_contain_text("not calibrated")
        seen = [current(page)]
        page.keyboard.press("Enter")  # nothing is decided: nothing is stored, nothing moves
        expect(page.locator("#toast")).to_contain_text("Not marked yet")
        expect(page.locator("#score-state")).to_have_text("not marked yet")
        for number in range(20):
            keys = [["a"], ["1", "2"], ["0"], ["3"]][number % 4]
            if number == 5:
                page.keyboard.press("c")
                page.keyboard.type("Say whose key it is.")
                page.keyboard.press("Escape")
            seen.append(press_on(page, *keys, "Enter"))
        stored(page)
        expect(page.locator("#meter-text")).to_contain_text("20 of")
    assert len(set(seen)) == 21, "an answer came twice"
    made = marks(room)
    assert len(made) == 20
    assert {mark.marker for mark in made} == {"grace"}
    assert sum(mark.earned == () for mark in made) == 5, "nothing earned is a mark too"
    assert sum(mark.earned == ("right", "example") for mark in made) == 5
    assert [mark.comment for mark in made if mark.comment] == ["Say whose key it is."]
    assert noise == []


def test_the_next_answer_is_shown_while_the_save_is_still_on_its_way(room, serve, visit):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.wait_for_timeout(500)  # a person reads; meanwhile the next answer is fetched
        held = []
        page.route("**/mark", lambda route: held.append(route))
        first = page.locator("#answer-title").inner_text()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("#answer-title")).not_to_have_text(first)
        expect(page.locator("#answer")).not_to_be_empty()
        assert len(held) == 1
        held[0].continue_()
        stored(page)


def test_undo_takes_the_last_decision_back_and_the_history_tells(room, serve, visit, noise):
    with serve(room) as client:
        page = visit(client.sign_in())
        first = current(page)
        press_on(page, "1", "Enter")
        stored(page)
        assert len(marks(room)) == 1
        page.keyboard.press("u")
        page.wait_for_function("id => decodeURIComponent(location.hash.slice(1)) === id", arg=first)
        expect(page.locator("#state")).to_contain_text("Not marked yet")
        expect(page.locator("#score-number")).to_have_text("\N{EN DASH}")
        assert marks(room) == ()
        page.keyboard.press("h")
        expect(page.locator("#history li")).to_have_count(2)
        expect(page.locator("#history")).to_contain_text("took back")
    assert noise == []


def test_flag_reveal_and_leaving_out_work_by_keyboard(room, serve, visit, noise):
    with serve(room) as client:
        page = visit(client.sign_in())
        first = current(page)
        assert "zoe" not in page.content()
        page.keyboard.press("f")
        expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("r")
        expect(page.locator("dialog")).to_contain_text("written to the history")
        page.keyboard.press("Enter")
        expect(page.locator("#reveal")).to_contain_text(re.compile("zoe-|ada|cleo"))
        second = press_on(page, "j")
        assert second != first
        assert press_on(page, "k") == first
        expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")
        assert press_on(page, "ArrowRight") == second
    assert marks(room) == ()
    assert noise == []


def test_a_key_can_be_given_to_another_action_and_is_inert_in_a_field(room, serve, visit):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.keyboard.press("?")
        page.get_by_role("button", name=re.compile("^Take over what is suggested")).click()
        page.keyboard.press("y")
        page.keyboard.press("Escape")
        page.reload()
        shown(page)
        page.keyboard.press("a")
        expect(page.locator(".criterion[aria-pressed=true]")).to_have_count(0)
        page.keyboard.press("y")
        expect(page.locator(".criterion[aria-pressed=true]")).to_have_count(1)
        page.keyboard.press("c")
        page.keyboard.type("1 f u 0 ?")
        expect(page.locator("#comment")).to_have_value("1 f u 0 ?")
        expect(page.locator(".criterion[aria-pressed=true]")).to_have_count(1)


def test_a_comment_used_before_is_found_and_put_in(room, serve, visit):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.keyboard.press("c")
        page.keyboard.type("Say whose key it is.")
        page.keyboard.press("Escape")
        press_on(page, "1", "Enter")
        stored(page)
        page.keyboard.press("/")
        page.keyboard.type("whose")
        expect(page.locator("#bank-list [data-text]")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("#comment")).to_have_value("Say whose key it is.")


# --- groups and rubrics ---------------------------------------------------------------------------


def test_a_group_is_marked_at_once_and_taken_back_at_once(room, serve, visit, noise, pictures):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.keyboard.press("g")
        dialog = page.locator("dialog")
        expect(dialog.locator("#group-picker")).to_be_visible()
        same = page.evaluate(
            "[...document.querySelectorAll('#group-picker option')]"
            ".findIndex(o => o.textContent.includes('the same words'))"
        )
        dialog.locator("#group-picker").select_option(index=same)
        expect(dialog.locator(".members li")).to_have_count(4)
        expect(dialog.locator(".members .prose").first).to_contain_text(SAME)
        dialog.locator(".members input").last.uncheck()
        dialog.get_by_label("It is right.").check()
        page.screenshot(path=pictures / "group.png")
        dialog.get_by_role("button", name="Mark the group").click()
        expect(dialog.locator(".group-done")).to_contain_text("3 answers marked")
        assert [mark.earned for mark in marks(room)] == [("right",)] * 3
        dialog.get_by_role("button", name="Undo for the whole group").click()
        expect(page.locator("#toast")).to_contain_text("3 answers are as before")
    assert marks(room) == ()
    assert noise == []


def test_a_rubric_edit_shows_its_impact_before_it_is_made(room, serve, visit, noise, pictures):
    with serve(room) as client:
        page = visit(client.sign_in())
        for _ in range(3):
            press_on(page, "1", "Enter")
        stored(page)
        before = room.rubric("hw", "doors").read_text()
        page.keyboard.press("e")
        dialog = page.locator("dialog")
        dialog.get_by_label("Points").first.fill("1")
        dialog.get_by_role("button", name="Add a criterion").click()
        dialog.get_by_label("Says").last.fill("It names somebody who must not have the key.")
        dialog.get_by_role("button", name="See what changes").click()
        expect(dialog.locator(".impact")).to_contain_text("scores change, ")
        expect(dialog.locator(".impact tbody tr")).to_have_count(3)
        page.screenshot(path=pictures / "rubric.png")
        page.keyboard.press("Escape")  # shut by mistake: what was typed is still there
        page.keyboard.press("e")
        expect(dialog.get_by_label("Says").last).to_have_value(re.compile("must not have the key"))
        dialog.get_by_role("button", name="See what changes").click()
        expect(dialog.locator(".impact tbody tr")).to_have_count(3)
        assert room.rubric("hw", "doors").read_text() == before, "a preview wrote the file"
        dialog.get_by_role("button", name="Save this version").click()
        expect(dialog.locator(".group-done")).to_contain_text("3 scores changed")
        dialog.get_by_role("button", name="Go on marking").click()
        expect(page.locator(".criterion[data-id]")).to_have_count(4)
    assert "must not have the key" in room.rubric("hw", "doors").read_text()
    assert {mark.score for mark in marks(room)} == {1.0}
    assert noise == []


# --- two markers, no connection -------------------------------------------------------------------


def test_two_markers_get_different_answers_and_a_stale_save_shows_both(
    room, serve, visit, noise, pictures
):
    with serve(room, marker="grace") as one, serve(room, marker="henry") as two:
        grace, henry = visit(one.sign_in()), visit(two.sign_in())
        mine, his = current(grace), current(henry)
        assert mine != his
        # Henry follows a link to the answer that Grace has open, and both decide.
        henry.evaluate("id => { location.hash = encodeURIComponent(id) }", mine)
        henry.reload()
        assert shown(henry) == mine
        press_on(henry, "3", "Enter")
        stored(henry)
        grace.keyboard.press("c")
        grace.keyboard.type("Mine.")
        grace.keyboard.press("Escape")
        grace.keyboard.press("1")
        grace.keyboard.press("Enter")
        dialog = grace.locator("dialog")
        expect(dialog.locator(".decision").first).to_contain_text("Mine.")
        expect(dialog.locator(".decision").last).to_contain_text("henry")
        expect(dialog.locator(".decision").last).to_contain_text("It muddles things.")
        grace.screenshot(path=pictures / "both-versions.png")
        assert [mark.marker for mark in marks(room)] == ["henry"]
        dialog.get_by_role("button", name="Save mine instead").click()
        stored(grace)
        expect(grace.locator("#saved")).to_contain_text("Saved")
    (mark,) = marks(room)
    assert (mark.marker, mark.earned, mark.comment) == ("grace", ("right",), "Mine.")
    assert noise == []


def test_without_a_connection_nothing_typed_is_lost(room, serve, visit, noise, pictures):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.wait_for_timeout(500)  # the next answer is fetched meanwhile
        page.context.set_offline(True)
        second = press_on(page, "1", "Enter")
        expect(page.locator("#banner")).to_contain_text("connection is lost")
        page.keyboard.press("2")
        page.keyboard.press("c")
        page.keyboard.type("Typed while offline.")
        page.keyboard.press("Escape")
        page.screenshot(path=pictures / "offline.png")
        assert marks(room) == ()
        page.context.set_offline(False)
        stored(page)
        expect(page.locator("#banner")).to_be_hidden()
        assert [mark.earned for mark in marks(room)] == [("right",)]
        page.reload()
        assert shown(page) == second
        expect(page.locator("#comment")).to_have_value("Typed while offline.")
        expect(page.locator(".criterion[data-id=example]")).to_have_attribute(
            "aria-pressed", "true"
        )
    assert noise == []


# --- hostile answers ------------------------------------------------------------------------------


def test_hostile_answers_are_shown_as_text_and_do_nothing(tiny, tmp_path, serve, visit, noise):
    course = tiny.copy_of("autograded", tmp_path / "course")
    enrol(course, HOSTILE)
    suggest(course)
    seen = set()
    with serve(course) as client:
        page = visit(client.sign_in())
        for _ in range(len(HOSTILE) + 1):
            answer = page.locator("#answer")
            seen.add(answer.inner_text())
            assert (
                answer.locator("script, img, svg:not(.katex *), iframe, style, form").count() == 0
            )
            assert answer.locator("a:not([href^='https://']):not([href^='http://'])").count() == 0
            answer.hover()
            page.locator("#typed").click()
            page.locator("#typed").click()
            press_on(page, "j")
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None
        page.keyboard.press("1")
        press_on(page, "Enter")
        stored(page)
        page.keyboard.press("g")
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None
    assert any("<script>" in text for text in seen), "the payloads were not shown at all"
    assert len(seen) > 10
    assert noise == []


# --- everybody can use it -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(room, serve, visit, noise, pictures, scheme):
    pages = {
        "overview": "/markbook",
        "assignment": "/markbook/a/hw",
        "marking": f"/markbook/a/hw/q/{quote('doors')}",
    }
    with serve(room) as client:
        page = visit(client.sign_in(), color_scheme=scheme)
        press_on(page, "1", "Enter")
        stored(page)
        for name, path in pages.items():
            page.goto("{0.scheme}://{0.netloc}".format(urlsplit(client.address)) + path)
            if name == "marking":
                shown(page)
                page.keyboard.press("2")
                page.keyboard.press("m")
            page.screenshot(path=pictures / f"{name}-{scheme}.png")
            assert found_by_axe(page) == [], name
        for key, name in (("?", "help"), ("e", "rubric"), ("g", "group"), ("r", "reveal")):
            page.keyboard.press(key)
            expect(page.locator("dialog")).to_be_visible()
            page.wait_for_timeout(200)
            page.screenshot(path=pictures / f"{name}-{scheme}.png")
            assert found_by_axe(page) == [], name
            page.keyboard.press("Escape")
    assert noise == []


def found_by_axe(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (violation["id"], node["html"][:120], node["failureSummary"][:300])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(
    ("name", "size"), [("tablet", (768, 1024)), ("zoom-200", (680, 430)), ("narrow", (320, 640))]
)
def test_no_width_makes_the_page_scroll_sideways(room, serve, visit, pictures, name, size):
    with serve(room) as client:
        page = visit(client.sign_in())
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.screenshot(path=pictures / f"{name}.png")
        for path in ("/markbook/a/hw/q/doors", "/markbook/a/hw", "/markbook"):
            page.goto("{0.scheme}://{0.netloc}".format(urlsplit(client.address)) + path)
            page.wait_for_timeout(200)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path


def expect_scores(course, question="doors"):
    """Expect a score of each text, as a run of the graders would have."""
    with Gradebook.open(course) as gb:
        texts = sorted({a.hash for a in gb.answers("hw", question) if a.text.strip()})
        made = [
            Expectation(
                question,
                key,
                0.6,
                0.2,
                0.7,
                rank,
                ("listed-words",) if rank == 1 else (),
                None,
                0.5,
            )
            for rank, key in enumerate(texts, start=1)
        ]
        gb.replace_suggestions("hw", question, gb.suggestions("hw", question), made)
    return {key: rank for rank, key in enumerate(texts)}


def test_the_most_useful_come_first_with_what_is_expected_of_them_learned_from_each_mark(
    room, serve, visit, noise, pictures
):
    ranks = expect_scores(room)
    with serve(room) as client:
        page = visit(client.sign_in())
        page.locator("#order").select_option("useful")
        expect(page.locator("#notice")).to_contain_text("calls this answer odd: listed words")
        expect(page.locator("#place")).to_have_text(f"1 of {len(TEXTS) + 2}")
        with Gradebook.open(room) as gb:
            answers = gb.answers("hw", "doors")
        first = {item_id("hw", "doors", a.student) for a in answers if ranks.get(a.hash) == 0}
        assert current(page) in first
        expect(page.locator("#expected")).to_contain_text("Expected")
        page.screenshot(path=pictures / "expected.png")
        expect(page.locator("#score-state")).to_have_text("not marked yet")
        for number in range(3):
            press_on(page, "12"[number % 2], "Enter")
        stored(page)
        assert len(marks(room)) == 3, "what is expected became a mark"
        # The process may still be reading: whoever looks again later sees what it learned.
        for _ in range(300):
            page.wait_for_timeout(500)
            page.keyboard.press("j")
            page.wait_for_timeout(200)
            if "learned from 3 marks" in page.locator("#expected").inner_text():
                break
        expect(page.locator("#expected")).to_contain_text("learned from 3 marks of this question")
        page.screenshot(path=pictures / "learned.png")
    assert noise == []


def test_a_question_that_graders_refuse_says_why_and_whom_to_trust(
    tiny, tmp_path, serve, visit, noise, pictures
):
    course = tiny.copy_of("autograded", tmp_path / "course")
    shutil.copy(ROOT / "graders" / "default.ipynb", course.root / "graders")
    enrol(course, [f"i = {n}, x = {n * n}, then i = {n + 1}, x = {n + 7}" for n in range(20)])
    with Gradebook.open(course) as gb:
        (result,) = run_graders(course, gb, "hw", questions=["doors"]).questions
    assert result.refused == (
        "Most of what is written are numbers or single letters: meaning is blind to them."
    )
    assert result.confident == 0
    with serve(course) as client:
        page = visit(client.sign_in())
        page.locator("#order").select_option("useful")
        said = page.locator("#expected")
        expect(said).to_have_text(f"No score to rely on: {result.refused}")
        expect(page.locator("#score-state")).to_have_text("not marked yet")
        expect(said).to_be_visible()
        # Taking the suggestion over is no invitation any more.
        expect(page.locator("#accept")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
        page.screenshot(path=pictures / "refused.png")
        # Marking goes on as ever, and the reason stays.
        press_on(page, "1", "Enter")
        stored(page)
        expect(said).to_have_text(f"No score to rely on: {result.refused}")
    assert len(marks(course)) == 1
    assert noise == []
