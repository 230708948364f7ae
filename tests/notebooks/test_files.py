"""Notebook files: what is read, and what is named when it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

from markbook.errors import NotebookError
from markbook.notebooks import read_notebook, write_notebook

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def test_a_byte_order_mark_does_not_make_a_notebook_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert read_notebook(path).nbformat == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Not JSON"),
        (b'{"cells": [', "may be cut off"),
        (b"[]", "not a notebook"),
        (b'{"cells": 3, "nbformat": 4}', "not a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3"),
        (GOOD.replace("4, ", "99, ").encode(), "format 99"),
        (b'{"cells": [], "cells": [], "nbformat": 4}', "twice"),
        (b'"\xe9"', "Not UTF-8"),
        ((b'{"cells": [{"cell_type": "poem"}], "metadata": {}, "nbformat": 4,'
         b' "nbformat_minor": 5}'), "Not a valid notebook"),
        (b"[" * 100_000, "Nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_notebook_is_named(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=reason) as raised:
        read_notebook(path)
    assert str(path) in str(raised.value)


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="No such file"):
        read_notebook(tmp_path / "none.ipynb")


def test_writing_the_same_notebook_again_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    assert write_notebook(notebook, path)
    before = path.stat().st_mtime_ns
    assert not write_notebook(notebook, path)
    assert path.stat().st_mtime_ns == before
