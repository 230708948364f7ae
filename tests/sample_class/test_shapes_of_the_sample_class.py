"""The sample class keeps covering what it is there for, byte for byte."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLASS = HERE.parents[1] / "sample-class"
WEB, DJANGO = "web-apis-and-testing", "django-auth-and-servers"
QUESTIONS = {WEB: 14, DJANGO: 5}
STATUSES = {"answered", "blank", "not-asked"}


def papers(assignment: str) -> list[Path]:
    return sorted((CLASS / assignment).iterdir())


def all_bytes() -> list[bytes]:
    return [path.read_bytes() for assignment in QUESTIONS for path in papers(assignment)]


def truths() -> list[Path]:
    return sorted([*HERE.glob("truth/*/*.json"), *HERE.glob("tricky/*.json")])


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(("assignment", "at_least"), [(WEB, 12), (DJANGO, 6)])
def test_there_are_enough_papers(assignment: str, at_least: int) -> None:
    assert len(papers(assignment)) >= at_least


def test_everybody_of_the_second_assignment_is_in_the_first() -> None:
    assert {path.stem for path in papers(DJANGO)} <= {path.stem for path in papers(WEB)}


@pytest.mark.parametrize("assignment", [WEB, DJANGO])
def test_each_student_hands_in_one_paper_and_has_an_id_and_a_truth(assignment: str) -> None:
    names = [path.stem for path in papers(assignment)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+-[a-z]+", name) for name in names)
    assert {path.stem for path in (HERE / "truth" / assignment).iterdir()} == set(names)


def test_all_three_endings_are_used() -> None:
    endings = {path.suffix for assignment in QUESTIONS for path in papers(assignment)}
    assert endings == {".md", ".markdown", ".txt"}


def test_exactly_one_pair_of_papers_is_copied() -> None:
    pairs = [
        (one.stem, other.stem)
        for one, other in combinations(papers(WEB), 2)
        if one.read_bytes() == other.read_bytes()
    ]
    assert pairs == [("hana-novak", "ivo-petrov")]


def test_latin_1_bytes_survived_git() -> None:
    broken = [data for data in all_bytes() if not is_utf8(data)]
    assert len(broken) >= 2
    assert any(b"Bj\xf6rn" in data for data in broken)
    assert any(b"\xa0" in data for data in broken)
    assert any(b"\x92" in data for data in broken), "Windows-1252 quotes"


def test_the_byte_order_mark_survived_git() -> None:
    assert any(data.startswith(b"\xef\xbb\xbf") for data in all_bytes())


def test_crlf_survived_git() -> None:
    papers_in_crlf = [data for data in all_bytes() if b"\r\n" in data]
    assert papers_in_crlf
    assert all(data.count(b"\n") == data.count(b"\r\n") for data in papers_in_crlf)


def test_one_paper_is_encoded_twice() -> None:
    assert any("â€™" in data.decode("utf-8") for data in all_bytes() if is_utf8(data))


def test_one_paper_would_run_a_script_if_it_were_not_sanitised() -> None:
    assert any(b"<script>alert(1)</script>" in data and b"onerror=" in data for data in all_bytes())


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(r"^## What is", id="heading"),
        pytest.param(r"^# .*\n+## What is", id="title-and-heading"),
        pytest.param(r"^What is .*\n-{6,}$", id="underlined-heading"),
        pytest.param(r"^- What is .*\n\t-", id="bullet-with-tab-indented-answer"),
        pytest.param(r"^[-*] What is .*\n  [-*] \S", id="bullet-with-blank-indented-answer"),
        pytest.param(r"^- What is .*\n- What is", id="no-blank-line-after-a-blank-question"),
        pytest.param(r"^\d+\. What is", id="number-with-point"),
        pytest.param(r"^\d+\) What is", id="number-with-bracket"),
        pytest.param(r"^\*\*What is .*\*\*$", id="bold"),
        pytest.param(r"^What is [^\n]*\?\n\n", id="plain-line"),
        pytest.param(r"^ What is [^\n]*\?$", id="leading-blank"),
        pytest.param(r"^> What is", id="block-quote"),
        pytest.param(r"^Q: what is .*\nA: ", id="labels"),
        pytest.param(r"^How [^\n?]*\n[a-z]", id="wrapped-without-indentation"),
        pytest.param(r"^[-*] [^\n?]*\n {2}[^\n]*\?", id="wrapped-with-indentation"),
        pytest.param(r"^```\w+\n# [^\n]*\n(?:.*\n)*?```", id="comment-in-a-code-fence"),
        pytest.param(r"^- steps:|^steps:\n- uses", id="list-in-a-code-fence"),
        pytest.param("🎟", id="emoji"),
    ],
)
def test_some_paper_has_the_shape(shape: str) -> None:
    texts = [data.decode("utf-8", "replace").replace("\r\n", "\n") for data in all_bytes()]
    assert any(re.search(shape, text, re.MULTILINE) for text in texts)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_status_occurs_in_both_assignments(status: str) -> None:
    for assignment in QUESTIONS:
        told = [json.loads(p.read_text("utf-8")) for p in (HERE / "truth" / assignment).iterdir()]
        assert any(a["status"] == status for t in told for a in t["answers"].values()), assignment


def test_one_paper_answers_nothing_and_one_answers_everything() -> None:
    told = [json.loads(path.read_text("utf-8")) for path in (HERE / "truth" / WEB).iterdir()]
    answered = [sum(a["status"] == "answered" for a in t["answers"].values()) for t in told]
    assert min(answered) == 0
    assert max(answered) == QUESTIONS[WEB]


@pytest.mark.parametrize("path", truths(), ids=lambda path: f"{path.parent.name}:{path.stem}")
def test_a_truth_file_is_whole(path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    assignment = told.get("assignment", path.parent.name)
    assert told["shape"]
    assert len(told["answers"]) == QUESTIONS[assignment]
    for answer in told["answers"].values():
        assert answer["status"] in STATUSES
        assert bool(answer.get("asked")) == (answer["status"] != "not-asked")
        assert ("starts" in answer and "ends" in answer) == (answer["status"] == "answered")


def test_there_are_ten_tricky_papers() -> None:
    assert len(list((HERE / "tricky").glob("*.json"))) >= 10


def test_the_readme_lists_every_paper() -> None:
    readme = (CLASS / "README.md").read_text(encoding="utf-8")
    for assignment in QUESTIONS:
        for path in papers(assignment):
            assert f"| {assignment} | `{path.name}` |" in readme
