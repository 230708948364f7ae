"""The file of methods: written by ``finish``, read by the step, nothing else taken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from markbook.errors import GraderError
from markbook.graders.methods import METHODS_NAME, read_methods, write_methods

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from markbook.graders import Grader


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_methods(tmp_path / "m.json", {"a": "meaning", "b": "rule found"})

    assert read_methods(tmp_path / "m.json") == {"a": "meaning", "b": "rule found"}


def test_a_grader_says_beside_its_suggestions_what_no_function_decides(
    make_grader: Callable[..., Grader], tmp_path: Path
) -> None:
    grader = make_grader("It makes sure that nobody changed the token.")
    grader.criterion("thinks-it-encrypts")(lambda answer: None)
    grader.meaning()
    grader.finish()

    methods = read_methods(tmp_path / METHODS_NAME)

    assert methods["detects-changes"] == "meaning"
    assert methods["thinks-it-encrypts"].startswith("rule")


def test_a_grader_that_wrote_its_file_itself_has_no_methods(tmp_path: Path) -> None:
    assert read_methods(tmp_path / METHODS_NAME) == {}


@pytest.mark.parametrize("content", [b"[]", b'{"a": 1}', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_of_texts_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / METHODS_NAME).write_bytes(content)

    with pytest.raises(GraderError, match=METHODS_NAME):
        read_methods(tmp_path / METHODS_NAME)
