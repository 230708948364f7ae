"""Anything at all, as a notebook and as a paper: a result or a named error, and in bounds.

``make fuzz`` goes on for ten minutes (``MARKBOOK_FUZZ`` seconds); otherwise it is a short run. No
code is run in here: that is another matter, and has a sandbox.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import signal
import sys
import time
from contextlib import contextmanager, suppress
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from markbook.autograde.grade import grade
from markbook.autograde.values import Result, Submission
from markbook.collect.matching import match_paper
from markbook.collect.readers import read_text
from markbook.collect.submissions import filled
from markbook.errors import MarkbookError
from markbook.feedback.build import Class, build_page
from markbook.feedback.executed import parse_executed
from markbook.feedback.plan import Item, Notebook
from markbook.feedback.write import render_page
from markbook.model import Criterion, Mark, Outcome, Rubric, Suggestion
from markbook.notebooks import notebook_bytes, parse_notebook
from markbook.text.outputs import Allowance, render_outputs
from markbook.text.render import highlight

SECONDS = float(os.environ.get("MARKBOOK_FUZZ", "0"))
_EXAMPLES = 60 if not SECONDS else 300
_HANGS = 60.0  # seconds of this processor's time for one example, of which most take 20 ms
_MEMORY = 1_500  # MB that this process may come to have more than before

# --- what is tried ------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))",
        "![](http://x.invalid/p.png)", "</textarea></pre></body>", "&#x6A;", "{{ 7*7 }}",
        "{% raw %}",
        "\u202e", "\u200b", "\x00", "\x1b[2J", "\ud800", "\ufeff", "\U000e0041", "e\u0301" * 50,
        "=1+1", "@SUM(A1)", "### BEGIN SOLUTION", "### END HIDDEN TESTS", "What about keys?",
        "# What about doors?", "- ", "> ", "1. ", "\t", "    ", "```", "~~~", "$$", "|-|\n|-|",
        "---\n",
        "<!--", "-->", "<![CDATA[", "\r", "\r\n", "\n\n", "***", "__", "[", "](", "`" * 30,
        "<" * 200,
        "*" * 300, "[" * 300, ">" * 300, "(" * 300, "A key is secret.", "caf\u00e9", "\u2028",
    ]
)  # fmt: skip
TEXT = st.lists(PIECES | st.text(max_size=12), max_size=12).map("".join)
LONG = st.builds(lambda piece, times: piece * times, PIECES, st.sampled_from([1, 40, 4_000]))
KEYS = st.sampled_from(
    ["cells", "metadata", "nbgrader", "grade_id", "source", "outputs", "id", "cell_type", "points",
     "grade", "solution", "locked", "task", "schema_version", "checksum", "nbformat", "tags",
     "nbformat_minor", "kernelspec", "language_info", "attachments", "execution_count", "name"]
)  # fmt: skip
NAMES = st.sampled_from(["keys", "doors", "story", "keys-prompt", "markdown", "code", "raw", ""])
ODD = st.sampled_from(
    [None, True, False, -1, 3, 99, 0.5, 1e300, 10**30, [], {}, [[]], [None], {"": 0}]
)
VALUES = st.recursive(
    ODD | NAMES | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner),
    max_leaves=12,
)
MIME = st.sampled_from(
    ["text/html", "text/markdown", "text/plain", "text/latex", "image/png", "image/svg+xml",
     "application/javascript", "application/vnd.jupyter.widget-view+json", "application/json"]
)  # fmt: skip
OUTPUT = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "error", "display_data", "execute_result"]) | ODD},
    optional={
        "name": NAMES, "text": TEXT | st.lists(TEXT) | VALUES, "data": st.dictionaries(MIME,
        LONG | VALUES),
        "metadata": VALUES, "ename": TEXT, "evalue": TEXT | LONG,
        "traceback": st.lists(TEXT) | VALUES,
    },
)  # fmt: skip
OUTPUTS = st.lists(OUTPUT, max_size=2)
RAW = st.sampled_from(
    [b"NaN", b"1e999", b"-Infinity", b"[" * 200, b"{" * 2_000, b'"a":1,"a":2,', b"\x00", b"\xff",
    b"\\ud800",
     b'"', b"\\", b"9" * 5_000, b",", b"}", b"]", b"\xef\xbb\xbf", b"\n", b"null"]
)  # fmt: skip


def containers(value):
    """Return all lists and objects inside ``value`` that hold anything."""
    found, waiting = [], [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict | list) and each:
            found.append(each)
            waiting += each.values() if isinstance(each, dict) else each
    return found


@st.composite
def notebooks(draw, released):
    """Draw the bytes of a notebook: of the release, filled in and damaged."""
    book = json.loads(released)
    for cell in book["cells"]:
        if draw(st.booleans()):
            cell["source"] = draw(TEXT | LONG)
    for _ in range(draw(st.integers(0, 3))):
        cell = {"cell_type": draw(st.sampled_from(["markdown", "code", "raw"])), "metadata": {}}
        cell |= {"source": draw(TEXT), "outputs": copy.deepcopy(draw(OUTPUTS))}
        book["cells"].insert(draw(st.integers(0, len(book["cells"]))), cell)
    for _ in range(draw(st.integers(0, 4))):
        damage(draw, book)
    try:
        data = json.dumps(book, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    except RecursionError:
        data = b"[]"
    if draw(st.integers(0, 3)) == 0:
        data = cut(draw, data)
    return data


def damage(draw, book):
    """Put something else, nothing, or the same twice, somewhere into the notebook."""
    place = draw(st.sampled_from(containers(book) or [book]))
    how = draw(st.sampled_from(["put", "put", "take", "twice", "swap"]))
    names = list(place) if isinstance(place, dict) else list(range(len(place)))
    if not names:
        return
    at, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    if how == "put":
        place[at] = copy.deepcopy(draw(VALUES))  # what is drawn must not be damaged later
    elif how == "take":
        del place[at]
    elif how == "twice" and isinstance(place, list):
        place.insert(other, json.loads(json.dumps(place[at])))
    elif how == "swap":
        place[at], place[other] = place[other], place[at]


def cut(draw, data):
    """Cut bytes off or out, or put some in."""
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.sampled_from([0, 1, 5, 10**9])))
    return data[:start] + draw(RAW | st.just(b"")) + data[end:]


@st.composite
def papers(draw):
    """Draw the bytes of a paper: some of the questions, anything around them, in any encoding."""
    lines = draw(
        st.lists(TEXT | LONG | st.sampled_from(["What about keys?", "## What about doors?"]))
    )
    text = draw(st.sampled_from(["\n", "\n\n", "\r\n", ""])).join(lines)
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-32-be"]))
    data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    return cut(draw, data) if draw(st.booleans()) else data


# --- what has to hold ---------------------------------------------------------------------------

TAGS = frozenset(
    "a article aside b blockquote body br caption circle code dd del details dfn div dl dt em"
    " figure footer h1 h2 h3 h4 h5 head header hr html i iframe img kbd li line main mark meta nav"
    " ol p path pre rect s samp section small span strong style sub summary sup svg table tbody td"
    " tfoot th thead title tr u ul var".split()
)


class Harmless(HTMLParser):
    """Refuses what acts or loads."""

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style", value
            if name == "srcdoc":
                assert ("sandbox", None) in attrs
                head, _, inside = value.partition("</style>")
                assert "default-src 'none'" in head
                check_html(inside)
            if name in {"href", "src"}:
                lead = (value or "").partition(":")[0]
                assert lead in {"http", "https", "mailto"} or value.startswith(("#", "data:image/"))


def check_html(page):
    page.encode()
    parser = Harmless()
    parser.feed(page)
    parser.close()


def check_feedback(words, result, data):
    """Make the student's page, with marks and evidence anywhere in the answers."""
    items = tuple(
        Item(n, q.id, q.id, q.prompt, (q,)) for n, q in enumerate(words.questions, start=1)
    )
    rubric = Rubric("keys", (Criterion("right", 2, "It is right."),), version="v")
    answers = {("ada", answer.question): answer for answer in result.answers}
    marks, suggestions = {}, {}
    for answer in result.answers:
        start, end = len(answer.text) // 3, len(answer.text) // 2 + 1
        key = (answer.question, answer.hash)
        span = answer.text[start:end]
        suggestions[key] = [
            Suggestion("hw", *key, "right", True, 0.9, start, end, span, "g", "v")
        ] if span else []  # fmt: skip
        marks["ada", answer.question] = Mark(
            "hw", "part", answer.question, "ada", answer.hash, ("right",), "t", "v", 2.0,
            comment=answer.text[:200],
        )  # fmt: skip
    room = Class("tiny", "hw", answers, marks, {}, suggestions, {"v": rubric}, {})
    run = None
    with suppress(MarkbookError):
        run = parse_executed(data, "part.ipynb")
    for student in ("ada", "bob"):
        check_html(render_page(build_page(room, Notebook("part", "T", items), student, run)))


def notebook_holds(words, data):
    with suppress(MarkbookError):
        notebook_bytes(parse_notebook(data))
    result = grade(words, Submission("ada", {"part.ipynb": data}))
    assert isinstance(result, Result)
    if result.outcome is Outcome.FAILED:
        assert result.findings
        assert all(result.findings)
        return
    assert {answer.question for answer in result.answers} == {q.id for q in words.questions}
    again = grade(words, Submission("ada", {"part.ipynb": data}))
    assert again.notebooks == result.notebooks, "grading the same twice said something else"
    check_feedback(words, result, next(iter(result.notebooks.values())))


def paper_holds(words, data):
    try:
        text = read_text(data).text
    except MarkbookError:
        return
    match = match_paper(text, {q.id: (q.prompt,) for q in words.questions})
    assert set(match.answers) <= {question.id for question in words.questions}
    for found in match.answers.values():
        lines = found.text.split("\n")
        assert all(line in text for line in lines), "an answer is not what the paper says"
        check_html(highlight(found.text, [(0, 9, "right")]))
    book = notebook_bytes(filled(parse_notebook(words.released["part"]), match))
    assert grade(words, Submission("ada", {"part.ipynb": book})).outcome is not Outcome.FAILED


def outputs_hold(_words, outputs):
    check_html(render_outputs(outputs, Allowance()))


# --- how long -----------------------------------------------------------------------------------


class Hangs(BaseException):
    """One example took longer than any may."""


@contextmanager
def bounded():
    """Raise ``Hangs`` in what takes too much of the processor's time, however busy it is."""

    def stop(_number, _frame):
        raise Hangs

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


KINDS = {
    "notebooks": (lambda words: notebooks(words.released["part"]), notebook_holds),
    "bytes": (lambda _words: st.binary(max_size=300), notebook_holds),
    "papers": (lambda _words: papers(), paper_holds),
    "outputs": (lambda _words: st.lists(OUTPUT | VALUES, max_size=5), outputs_hold),
}
SHARES = {"notebooks": 0.5, "bytes": 0.05, "papers": 0.3, "outputs": 0.15}


@pytest.mark.parametrize("kind", KINDS)
def test_anything_at_all_gives_a_result_or_a_named_error(words, kind):
    strategy, holds = KINDS[kind]
    before, until = memory(), time.monotonic() + SECONDS * SHARES[kind]
    tried, rounds = 0, 0
    phases = [phase for phase in Phase if phase is not Phase.explain]

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )
    @given(strategy(words))
    def one(data):
        nonlocal tried
        tried += 1
        with bounded():
            holds(words, data)

    while True:
        (seed(time.time_ns())(one) if SECONDS else one)()
        rounds += 1
        if time.monotonic() >= until:
            break
    assert memory() - before < _MEMORY
    sys.stdout.write(f"{kind}: {tried:,} tried, {memory() - before} MB more\n")
