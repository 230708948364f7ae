"""Notebook files: what is read, and what is named when it cannot be."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)

from markbook.errors import NotebookError
from markbook.notebooks import notebook_bytes, parse_notebook, read_notebook, write_notebook

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
        (b'{"cells": [', "cut off"),
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


SUBMITTED = {
    "cells": [
        {
            "cell_type": "code",
            "metadata": {},
            "source": ["x"],
            "outputs": [{"output_type": "poem"}],
            "id": "a",
        },
        {"cell_type": "markdown", "source": "y", "id": "a", "metadata": {}, "collab": {}},
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 2,
    "made_by": "another program",
}


@pytest.mark.parametrize("garbage", [None, [], "text", 7])
def test_a_submissions_cell_with_metadata_that_is_no_object_is_read_without(
    garbage: object,
) -> None:
    cell = {"cell_type": "markdown", "source": "y", "id": "a", "metadata": garbage}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook = parse_notebook(json.dumps(document).encode(), clear_outputs=True)
    assert (notebook.cells[0].source, notebook.cells[0].metadata) == ("y", {})


def test_what_other_programs_leave_in_a_submission_is_taken_out() -> None:
    notebook = parse_notebook(json.dumps(SUBMITTED).encode(), clear_outputs=True)
    nbformat.validate(notebook)
    assert notebook.nbformat_minor == 5
    assert [cell.source for cell in notebook.cells] == ["x", "y"]
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].id != notebook.cells[1].id


def test_the_same_is_refused_where_we_wrote_it_ourselves() -> None:
    with pytest.raises(NotebookError, match="Not a valid notebook"):
        parse_notebook(json.dumps(SUBMITTED).encode())


def test_cells_that_share_an_id_get_their_own() -> None:
    shared = {
        "cells": [
            {"cell_type": "markdown", "source": name, "id": name, "metadata": {}}
            for name in ("cell-2", "b", "b", "b")
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    found = [cell.id for cell in parse_notebook(json.dumps(shared).encode()).cells]
    assert found[:2] == ["cell-2", "b"]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    "content", [b'{"nbformat": 4, "cells": [], "x": ' + b"9" * 5000 + b"}", b'{"nbformat": 4}']
)
def test_odd_json_is_an_error_with_a_sentence(content: bytes) -> None:
    with pytest.raises(NotebookError):
        parse_notebook(content, clear_outputs=True)


def test_the_place_of_what_the_schema_refuses_is_named_by_cell() -> None:
    cell = {"cell_type": "markdown", "source": "y", "id": "a", "metadata": {"tags": 5}}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    with pytest.raises(NotebookError, match="in metadata/tags of cell 1"):
        parse_notebook(json.dumps(document).encode(), clear_outputs=True)


@pytest.mark.parametrize("name", [["a"], {}, "", "a" * 100, "\u202e", None, 3])
def test_an_id_that_is_none_is_made_anew_in_a_submission(name: object) -> None:
    cell = {"cell_type": "markdown", "source": "y", "id": name, "metadata": {}}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook = parse_notebook(json.dumps(document).encode(), clear_outputs=True)
    assert notebook.cells[0].id == "cell-0"


def test_format_3_is_read_as_format_4_and_twice_the_same() -> None:
    cells: list[dict[str, object]] = [
        {
            "cell_type": "markdown",
            "source": ["an ", "answer"],
            "metadata": {"nbgrader": {"grade_id": "q", "solution": True}},
        },
        {
            "cell_type": "code",
            "input": ["1 + 1"],
            "language": "python",
            "outputs": [{"output_type": "pyout", "text": "2"}],
            "metadata": {},
        },
    ]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    data = json.dumps(old).encode()
    notebook = parse_notebook(data, clear_outputs=True)
    assert [cell.source for cell in notebook.cells] == ["an answer", "1 + 1"]
    assert notebook.cells[0].metadata.nbgrader.grade_id == "q"
    assert notebook.cells[1].outputs == []
    assert notebook_bytes(notebook) == notebook_bytes(parse_notebook(data, clear_outputs=True))


TEXT = st.text() | st.sampled_from(
    ["a\nb\n", "a\r\nb", "\x85\u2028\x0c", '"\\/\t\x00\x7f', "\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BUNDLE = st.dictionaries(st.sampled_from(["text/plain", "image/png", "image/svg+xml"]), TEXT)
OUTPUT = st.one_of(
    st.builds(lambda t: new_output("stream", name="stdout", text=t), TEXT),
    st.builds(lambda d: new_output("display_data", d), BUNDLE),
    st.builds(lambda t: new_output("error", ename=t, evalue=t, traceback=[t]), TEXT),
)


@st.composite
def notebooks(draw: st.DrawFn) -> nbformat.NotebookNode:
    cells = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from([new_code_cell, new_markdown_cell, new_raw_cell]))
        cell = kind(draw(TEXT), id=f"c{number}", metadata={"mine": draw(JSON)})
        if kind is new_code_cell:
            cell.outputs = draw(st.lists(OUTPUT, max_size=2))
        elif draw(st.booleans()):
            cell["attachments"] = {"x.png": draw(BUNDLE)}
        cells.append(cell)
    metadata = {"theirs": draw(JSON), "signature": "dropped"}
    return nbformat.from_dict(new_notebook(cells=cells, metadata=metadata))


@given(notebooks())
def test_a_notebooks_bytes_are_what_nbformat_writes(notebook: nbformat.NotebookNode) -> None:
    before = copy.deepcopy(notebook)
    found = notebook_bytes(notebook)
    assert repr(notebook) == repr(before)
    theirs = nbformat.writes(notebook)
    if "\\ud" in repr(theirs):
        assert json.dumps(json.loads(found)) == json.dumps(json.loads(theirs))
    else:
        assert found == theirs.encode() + b"\n"
