"""A run that takes what an earlier one kept gives the same, to the last bit, and nothing stale."""

from __future__ import annotations

import dataclasses
import io
import itertools
import os
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.graders import AnswerText, Grader, MarkLine
from markbook.graders import earlier as earlier_module
from markbook.graders.earlier import Earlier, hashed
from markbook.graders.learning.semantic import open_token_model, semantic_hint
from markbook.graders.learning.taught import Kept
from markbook.graders.learning.vector_cache import VectorCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from markbook.graders.learning.vectors import TokenModel
    from markbook.model import Rubric

    Run = Callable[..., tuple[Grader, tuple[bytes, ...]]]

WORDS = "server client token user system page login header part thing".split()
TEXTS = (
    *(f"It proves that nobody changed the {word} on the way. So it is signed." for word in WORDS),
    *(f"It hides the {word} from all others, I believe" for word in WORDS),
    *(f"The {one} is what the {two} has: 12 of them" for one, two in itertools.pairwise(WORDS)),
    "It proves that nobody changed the token on the way: so it is signed",
    "",
    "\U0001f44d",
    "Das ist die Unterschrift, und sie wird von dem Server gepr\u00fcft.",
    "`x = 1`\u200b",
)
MARKS = tuple(
    MarkLine(text, ("detects-changes",) if place % 2 == 0 else (), 1.0 if place % 2 == 0 else 0.0)
    for place, text in enumerate(itertools.chain(*zip(TEXTS[:6], TEXTS[10:16], strict=True)))
)
PARTS = ["words", "read", "groups"]
ALL = [*PARTS, "senses"]


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> TokenModel:
    found = open_token_model(cache=VectorCache(tmp_path_factory.mktemp("vectors") / "c.sqlite"))
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to test the sentence model. {semantic_hint()}")
        pytest.skip(semantic_hint())
    return found


@pytest.fixture
def run(rubric: Rubric, tmp_path: Path) -> Run:
    """Grade in a folder that keeps its files; return the grader and all that it wrote and drew."""

    def grade(
        texts: Sequence[str] = TEXTS,
        marks: Sequence[MarkLine] = (),
        model: TokenModel | None = None,
        rubric: Rubric = rubric,
        prompt: str = "What does a signature do?",
    ) -> tuple[Grader, tuple[bytes, ...]]:
        made = Grader(
            [AnswerText(text, text) for text in texts],
            rubric,
            output=tmp_path / "suggestions.jsonl",
            prompt=prompt,
            marks=marks,
            model=model,
            earlier=Earlier(tmp_path / "features.npz"),
        )
        made.meaning()
        drawn = made.finish()
        names = ("suggestions.jsonl", "scores.jsonl", "methods.json")
        written = [(tmp_path / name).read_bytes() for name in names]
        return made, (*written, drawn.html.encode(), str(drawn).encode())

    return grade


def made(grader: Grader) -> list[str]:
    found = grader.question.earlier
    assert not set(found.made) & set(found.taken)
    return sorted(found.made)


@pytest.mark.parametrize("marks", [(), MARKS], ids=["no marks", "marks"])
def test_with_everything_kept_a_run_gives_the_same_bytes(
    run: Run, tmp_path: Path, marks: tuple[MarkLine, ...]
) -> None:
    first, before = run(marks=marks)
    assert made(first) == sorted(PARTS)
    state = (tmp_path / "features.npz").stat()
    second, after = run(marks=marks)
    assert after == before
    assert (made(second), sorted(second.question.earlier.taken)) == ([], sorted(PARTS))
    assert (tmp_path / "features.npz").stat() == state, "a file that says the same was written"


@pytest.mark.parametrize("marks", [(), MARKS], ids=["no marks", "marks"])
def test_with_a_sentence_model_too(
    run: Run, model: TokenModel, marks: tuple[MarkLine, ...]
) -> None:
    first, before = run(marks=marks, model=model)
    assert made(first) == sorted(ALL)
    second, after = run(marks=marks, model=model)
    assert after == before
    assert made(second) == []


def test_marks_given_since_change_what_is_suggested_but_not_what_was_read(
    run: Run, tmp_path: Path
) -> None:
    _, unmarked = run()
    taught, marked = run(marks=MARKS)
    assert made(taught) == []
    assert marked[:2] != unmarked[:2]
    (tmp_path / "features.npz").unlink()
    assert run(marks=MARKS)[1] == marked, "what was kept told the marks"


def test_another_text_is_another_cohort(run: Run, tmp_path: Path) -> None:
    run()
    texts = (*TEXTS[:-1], "It proves something else.")
    changed, after = run(texts)
    assert made(changed) == sorted(PARTS)
    (tmp_path / "features.npz").unlink()
    assert run(texts)[1] == after


def test_texts_in_another_order_are_read_again(run: Run) -> None:
    run()
    assert made(run(TEXTS[::-1])[0]) == sorted(PARTS)


def test_another_phrase_of_evidence_has_only_the_criteria_judged_again(
    run: Run, rubric: Rubric, model: TokenModel, tmp_path: Path
) -> None:
    run(model=model)
    one, other = rubric.criteria
    one = dataclasses.replace(one, evidence=(*one.evidence, "so it is signed"))
    changed = dataclasses.replace(rubric, criteria=(one, other))
    grader, after = run(rubric=changed, model=model)
    assert made(grader) == ["senses", "words"]
    (tmp_path / "features.npz").unlink()
    assert run(rubric=changed, model=model)[1] == after


def test_another_model_answer_or_question_has_answers_compared_with_it(
    run: Run, rubric: Rubric, tmp_path: Path
) -> None:
    run()
    changed = dataclasses.replace(rubric, model_answer="Nobody on the way can change the page.")
    grader, after = run(rubric=changed)
    assert made(grader) == ["read", "words"], "groups are made of the texts alone"
    (tmp_path / "features.npz").unlink()
    assert run(rubric=changed)[1] == after
    assert made(run(rubric=changed, prompt="What is it?")[0]) == ["read", "words"]


def test_another_sentence_model_or_none_takes_nothing_of_the_first(
    run: Run, model: TokenModel
) -> None:
    run(model=model)

    class Renamed:
        name = "another"
        encode = staticmethod(model.encode)

    assert made(run(model=Renamed())[0]) == ["read", "senses"]
    assert made(run()[0]) == ["read"]
    assert made(run(model=model)[0]) == ["read", "senses"]


def test_another_version_of_the_code_takes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr(earlier_module, "code", lambda: "newer")
    assert made(run()[0]) == sorted(PARTS)


def test_the_code_is_told_by_every_file_that_reads_a_text() -> None:
    names = {file.name for folder in ("graders", "text") for file in earlier_module._files(
        earlier_module.resources.files("markbook") / folder)}  # fmt: skip
    wanted = {"meaning.py", "guards.py", "alignment.py", "words.json", "criteria.json", "groups.py"}
    assert wanted <= names


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "turned bit", "text"])
def test_a_damaged_file_is_as_none(run: Run, tmp_path: Path, damage: str) -> None:
    _, before = run()
    path = tmp_path / "features.npz"
    content = path.read_bytes()
    middle = content.index(b"read/values.npy") + 300
    turned = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    kinds = {
        "cut": content[:-700],
        "empty": b"",
        "noise": os.urandom(9000),
        "text": b"no zip",
        "turned bit": turned,
    }
    path.write_bytes(kinds[damage])
    again, after = run()
    assert after == before
    assert "read" in made(again)
    assert Kept.from_bytes(path.read_bytes()).keys.tolist() == list(TEXTS), "it was mended"


def _with(content: bytes, name: str, array: np.ndarray) -> bytes:
    """Return an npz in which one array is another; its key and checksums are right."""
    with np.load(io.BytesIO(content)) as file:
        arrays = {each: file[each] for each in file.files} | {name: array}
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("read/values", np.zeros((3, 2))),
        ("read/values", np.full((len(TEXTS), 1), np.nan)),
        ("read/words.indices", np.full(9, 10**6, np.int32)),
        ("read/letters.indptr", np.array([0, 1, 10**6], np.int32)),
        ("read/topics", np.zeros((1, 1))),
        ("read/names", np.array(["a"])),
        ("words/json", np.frombuffer(b"{}", np.uint8)),
        ("words/json", np.frombuffer(b'{"guards": 1', np.uint8)),
        ("words/json", np.zeros(5)),
        ("groups/json", np.frombuffer(b"[[1]]", np.uint8)),
        ("groups/json", np.frombuffer(b'[["g", 999, []]]', np.uint8)),
    ],
)
def test_arrays_of_something_else_are_not_taken(
    run: Run, tmp_path: Path, name: str, array: np.ndarray
) -> None:
    _, before = run()
    path = tmp_path / "features.npz"
    path.write_bytes(_with(path.read_bytes(), name, array))
    again, after = run()
    assert after == before
    assert made(again) == [name.partition("/")[0]]


def test_a_pickle_is_never_opened(run: Run, tmp_path: Path) -> None:
    run()
    path = tmp_path / "features.npz"
    path.write_bytes(_with(path.read_bytes(), "read/values", np.array([print], dtype=object)))
    assert made(run()[0]) == ["read"]


def test_what_is_kept_shows_no_word_of_an_answer(
    run: Run, model: TokenModel, tmp_path: Path
) -> None:
    run(["Zebrafinch " + text for text in TEXTS], model=model)
    path = tmp_path / "features.npz"
    with zipfile.ZipFile(path) as file:
        for name in set(file.namelist()) - {"keys.npy"}:  # texts' hashes; in this test the texts
            content = file.read(name).lower()
            assert b"zebrafinch" not in content
            assert "zebrafinch".encode("utf-32-le") not in content


def test_a_rehearsal_keeps_nothing(rubric: Rubric, tmp_path: Path) -> None:
    answers = [AnswerText(text, text) for text in TEXTS]
    output = tmp_path / "suggestions.jsonl"
    grader = Grader(answers, rubric, output=output, rehearsal=True)
    grader.meaning()
    grader.finish()
    assert not (tmp_path / "features.npz").exists()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "features.npz"
    made = Earlier()
    _value(made)
    path.write_bytes(made.to_bytes({"names": np.array(["a"])}))
    return path


def _value(earlier: Earlier) -> list[float]:
    return earlier.part(
        "numbers",
        hashed(["a"]),
        lambda: [1.5, 2.5],
        lambda made: {"all": np.array(made)},
        lambda arrays: [float(number) for number in arrays["all"]],
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2000), st.integers(1, 255), st.integers(0, 40))
def test_bytes_changed_anywhere_change_nothing(
    small: Path, place: int, flip: int, more: int
) -> None:
    content = bytearray(small.read_bytes())
    for step in range(0, 1 + more, 10):
        content[(place + step) % len(content)] ^= flip
    changed = small.with_name("changed.npz")
    changed.write_bytes(content)
    assert _value(Earlier(changed)) == [1.5, 2.5]
    assert _value(Earlier(small)) == [1.5, 2.5]


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_other_texts_have_another_hash(one: list[str], other: list[str]) -> None:
    assert (hashed(one) == hashed(other)) == (one == other)
