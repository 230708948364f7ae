"""Writing rubrics: nothing is lost, and only what changed is touched."""

from __future__ import annotations

import dataclasses
import difflib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.model import Criterion, Exemplar, Rubric
from markbook.rubrics import (
    InvalidRubric,
    dump_rubric,
    load_rubric,
    parse_rubric,
    rubric_document,
    rubric_from_document,
    rubric_version,
    save_rubric,
    with_version,
)

# YAML can hold any text but the control characters that its reader refuses and lone surrogates.
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff\ufeff")
ODD = st.sampled_from(["\n", "\n\n", "\n  ", ": ", " #", "- ", "'", '"', "\t", "\\", "| ", "\x85"])
TEXTS = (
    st.lists(st.one_of(LETTERS, ODD, st.sampled_from(["yes", "3", "null", "~", "{", "[", "&a"])))
    .map(lambda parts: "".join(parts).strip())
    .filter(bool)
)
MAYBE = st.one_of(st.just(""), TEXTS)
POINTS = st.one_of(
    st.integers(-9, 9).map(float), st.floats(-1000, 1000).map(lambda value: value + 0.0)
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,8}", fullmatch=True)


@st.composite
def rubrics(draw) -> Rubric:
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    criteria = tuple(
        Criterion(
            id=name,
            points=draw(POINTS),
            says=draw(TEXTS),
            evidence=tuple(draw(st.lists(TEXTS, max_size=3))),
            feedback=draw(MAYBE),
        )
        for name in ids
    )
    exemplars = tuple(
        Exemplar(draw(TEXTS), tuple(draw(st.lists(st.sampled_from(ids), unique=True))))
        for _ in range(draw(st.integers(0, 3)))
    )
    grouped = len(ids) > 1 and draw(st.booleans())
    return with_version(
        Rubric(
            question="keys",
            criteria=criteria,
            version="",
            start=draw(st.sampled_from(["zero", "full"])),
            model_answer=draw(MAYBE),
            pick_one=(tuple(ids[:2]),) if grouped else (),
            floor=draw(st.integers(-5, 0).map(float)),
            public=draw(st.booleans()),
            policy=draw(st.sampled_from(["assist", "manual"])),
            extra_credit=draw(st.integers(0, 5).map(float)),
            asked_as=tuple(draw(st.lists(TEXTS, max_size=2))),
            exemplars=exemplars,
        )
    )


@given(rubrics())
def test_a_rubric_that_was_written_is_read_as_itself(rubric) -> None:
    assert parse_rubric(dump_rubric(rubric)) == rubric


@given(rubrics())
def test_a_rubric_survives_as_json(rubric) -> None:
    assert rubric_from_document(json.loads(json.dumps(rubric_document(rubric)))) == rubric


@given(rubrics(), rubrics())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_rubric_can_be_written_over_any_other(tmp_path, before, after) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(dump_rubric(before))
    assert save_rubric(path, after) == after
    assert load_rubric(path) == after


@given(after=rubrics())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_written_over_a_file_its_free_comments_stay(
    rubric_file, rubric_text, after
) -> None:
    path = rubric_file()
    save_rubric(path, after)
    assert load_rubric(path) == after
    written = path.read_text()
    for comment in (
        "# What the course wants to hear about keys.",
        "# the cell's id",
        "# --- what earns points ---",
        "# the heart of it",
        "# --- misconceptions ---",
        "# never both",
        "# the end",
    ):
        assert comment in written


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def edit(rubric, name, **fields):
    criteria = tuple(
        dataclasses.replace(c, **fields) if c.id == name else c for c in rubric.criteria
    )
    return dataclasses.replace(rubric, criteria=criteria)


def test_saving_an_unchanged_rubric_does_not_touch_the_file(rubric_file, rubric_text) -> None:
    path = rubric_file()
    time = path.stat().st_mtime_ns
    save_rubric(path, load_rubric(path))
    assert path.read_text() == rubric_text
    assert path.stat().st_mtime_ns == time


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        (
            "secret",
            {"points": 3.0},
            ["-     points: 2   # worth most", "+     points: 3   # worth most"],
        ),
        (
            "secret",
            {"says": "It's new."},
            ["-     says: 'It says that the key is secret.'", "+     says: 'It''s new.'"],
        ),
        (
            "secret",
            {"evidence": ("a key is private", "nobody else: may have it")},
            [
                "-       - a key is secret     # as most say it",
                "+       - a key is private     # as most say it",
            ],
        ),
        (
            "secret",
            {"evidence": ("a key is secret", "nobody else: may have it", "3")},
            ['+       - "3"'],
        ),
        (
            "public",
            {"feedback": "No: it is not."},
            ['+     feedback: "No: it is not."'],
        ),
        (
            "secret",
            {"feedback": "Say who is hurt."},
            [
                "-       Say what happens when somebody else",
                "-       gets the key.",
                "+       Say who is hurt.",
            ],
        ),
        (
            "half",
            {"points": 0.5},
            [
                "-   - {id: half, points: 1, says: Half of it.}",
                "+   - {id: half, points: 0.5, says: Half of it.}",
            ],
        ),
    ],
)
def test_only_what_changed_is_touched(rubric_file, rubric_text, name, fields, expected) -> None:
    path = rubric_file()
    wanted = edit(load_rubric(path), name, **fields)
    assert save_rubric(path, wanted) == load_rubric(path)
    found = [line for line in changed_lines(rubric_text, path.read_text()) if line[0] != "?"]
    assert sorted(found) == sorted(expected)


def test_a_new_criterion_is_a_few_new_lines(rubric_file, rubric_text) -> None:
    path = rubric_file()
    rubric = load_rubric(path)
    new = Criterion("who", 1, "Says who has it.", ("the owner",))
    save_rubric(path, dataclasses.replace(rubric, criteria=(*rubric.criteria, new)))
    assert changed_lines(rubric_text, path.read_text()) == [
        "+   - id: who",
        "+     points: 1",
        "+     says: Says who has it.",
        "+     evidence:",
        "+       - the owner",
    ]


def test_a_removed_criterion_leaves_the_headings_of_the_others(rubric_file) -> None:
    path = rubric_file()
    rubric = load_rubric(path)
    without = dataclasses.replace(rubric, criteria=(rubric.criteria[0], rubric.criteria[2]))
    save_rubric(path, without)
    assert "# --- misconceptions ---" in path.read_text()
    assert "public" not in path.read_text()


def test_windows_line_ends_and_a_byte_order_mark_stay(tmp_path, rubric_text) -> None:
    path = tmp_path / "keys.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + rubric_text.replace("\n", "\r\n").encode())
    save_rubric(path, edit(load_rubric(path), "secret", points=3.0))
    written = path.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf#")
    assert written.count(b"\n") == written.count(b"\r\n") == rubric_text.count("\n")


def test_a_rubric_that_would_be_invalid_is_not_written(rubric_file, rubric_text) -> None:
    path = rubric_file()
    rubric = dataclasses.replace(load_rubric(path), pick_one=(("secret", "nothing"),))
    with pytest.raises(InvalidRubric, match="nothing"):
        save_rubric(path, rubric)
    assert path.read_text() == rubric_text


def test_a_broken_file_is_not_written_over(rubric_file, rubric_text) -> None:
    rubric = parse_rubric(rubric_text)
    path = rubric_file("question: keys\nfloor: [\n")
    with pytest.raises(InvalidRubric):
        save_rubric(path, rubric)
    assert path.read_text() == "question: keys\nfloor: [\n"


def test_a_new_file_is_made_with_its_folder(tmp_path, rubric_text) -> None:
    path = tmp_path / "new" / "keys.yaml"
    rubric = parse_rubric(rubric_text)
    assert save_rubric(path, rubric) == load_rubric(path) == rubric


# -- versions ----------------------------------------------------------------------------------


@given(rubrics(), st.sampled_from([None, 1, 4]), st.booleans())
def test_a_version_does_not_depend_on_how_the_file_is_laid_out(rubric, indent, backwards) -> None:
    # JSON is YAML with everything in quotes; what YAML takes for a line break is escaped.
    document = rubric_document(rubric)
    if backwards:
        document = dict(reversed(document.items()))
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    for odd in "\x85\u2028\u2029":
        text = text.replace(odd, f"\\u{ord(odd):04x}")
    assert parse_rubric(text).version == rubric.version


def test_comments_wrapping_wordings_and_publicity_do_not_make_a_version(rubric_text) -> None:
    version = parse_rubric(rubric_text).version
    other = rubric_text.replace("   # worth most", "").replace(
        "Takes the key for\n      something", "Takes the key for something"
    )
    assert parse_rubric(other).version == version
    assert (
        parse_rubric(rubric_text + "asked_as: [What is a key?]\npublic: true\n").version == version
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points: 2 ", "points: 3 "),
        ("-1.50", "-1.51"),
        ("floor: 0", "floor: -1"),
        ("- a key is secret ", "- a key is private "),
        ("It says that", "It tells that"),
        ('start: "zero"', 'start: "full"'),
        ("gets the key.", "gets it."),
        ("earns: [secret]", "earns: [half]"),
        ("pick_one: [[secret, half]]", "pick_one: [[secret, public]]"),
        ("floor: 0", "floor: 0\npolicy: manual"),
        ("floor: 0", "floor: 0\nextra_credit: 2"),
        ("floor: 0", "floor: 0\nmodel_answer: Keep it."),
    ],
)
def test_another_meaning_is_another_version(rubric_text, old, new) -> None:
    assert old in rubric_text
    changed = rubric_text.replace(old, new)
    assert parse_rubric(changed).version != parse_rubric(rubric_text).version


@given(rubrics(), POINTS)
def test_other_points_are_another_version(rubric, points) -> None:
    first = rubric.criteria[0]
    other = edit(rubric, first.id, points=points)
    assert (rubric_version(other) == rubric.version) == (points == first.points)


def test_a_version_stays_the_same_in_later_releases_of_markbook() -> None:
    # Stored marks name versions: a change of the hash would make every one of them look old.
    text = "question: q\ncriteria:\n  - id: a\n    points: 1\n    says: It says a.\n"
    assert parse_rubric(text).version == "b0e080c43980"
