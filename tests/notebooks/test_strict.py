"""The strict reader: every fault has a name and a place, and none takes memory without bound."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import NotebookError
from markbook.notebooks import notebook_bytes, parse_notebook, strict


def notebook(*cells: object, **changes: object) -> bytes:
    frame = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps({**frame, **changes}).encode()


def cell(**changes: object) -> dict[str, object]:
    return {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "x", **changes}


NESTED: list[object] = []
for _ in range(120):
    NESTED = [NESTED]
GOOD = notebook(cell())

FAULTS = [
    (b"", "the file is empty", None),
    (b" \n ", "the file is empty", None),
    (b"\0" * 50, "byte 0 is NUL", None),
    (GOOD.decode().encode("utf-16"), "UTF-16", None),
    (b'{"cells":\n["\xe9"]}', r"Not UTF-8 \(byte 12\)", 2),
    (GOOD[:-1], f"cut off after {len(GOOD) - 1} characters", 1),
    (b'{\n"cells": ["', "cut off after 13 characters", 2),
    (GOOD + b"}", r"Extra data \(column", 1),
    (b'{"cells": [\n{"source": "[{",\n"source": 1}]}', "key 'source' stands twice", 3),
    (b'{"nbformat": 4,\n\n"\\u006ebformat": 4}', "key 'nbformat' stands twice", 3),
    (b'{"a": "NaN",\n"b": NaN}', "NaN is not a number", 2),
    (b'{"a": [1.5,\n\n-Infinity]}', "-Infinity is not a number", 3),
    (b'{"a": 1e999}', "1e999 is not a number", 1),
    (b'{"a": 1e999ell", "b": "c', "1e999 is not a number", 1),
    (notebook(metadata={"a": NESTED}), "more than 100 deep", None),
    (b"[" * 100_000, "more than 100 deep", None),
    (b"[" * 300_000, "more than 200,000 lists", None),
    (b"[" + b"1," * 2_000_001 + b"1]", "2,000,000 values", None),
    (b'"' + b"x" * 50_000_000 + b'"', "50 MB are not read", None),
    (notebook(*[{}] * 10_001), "10,001 cells", None),
    (notebook(cell(source="x\n" * 500_001)), "more than 500,000 lines", None),
    (b"3", "it is no object", None),
    (notebook(cells={}), "its cells are no list", None),
    (notebook(nbformat=99), "format 99", None),
    (notebook(nbformat="4"), 'format "4"', None),
    (notebook(nbformat=True), "format true", None),
    (notebook(nbformat_minor=10**40), "format 4.1000", None),
    (notebook(nbformat_minor=-1), "format 4.-1", None),
    (notebook(nbformat_minor="5"), "nbformat_minor is text", None),
    (notebook([1]), "cell 1 is a list, not an object", None),
    (notebook(cell(), None), "cell 2 is null, not an object", None),
    (notebook({"cell_type": "raw"}), "cell 1 has no source", None),
    (notebook({}), "cell 1 has no type", None),
    (notebook(cell(cell_type=["raw"])), "cell 1 has the type", None),
    (notebook(cell(source=5)), "cell 1 has a number for its source", None),
    (notebook(cell(source=["a", None])), "cell 1 has null among the lines", None),
    (b'{"a": ' + b"9" * 5_000 + b"}", "more than 4,300 digits", None),
    (b'{"nbformat": 3, "worksheets": 3}', "Not a valid notebook of format 3", None),
]  # fmt: skip


@pytest.mark.parametrize(("data", "says", "line"), FAULTS, ids=[says for _, says, _ in FAULTS])
def test_every_fault_has_a_name_and_its_place(data: bytes, says: str, line: int | None) -> None:
    with pytest.raises(NotebookError, match=says) as raised:
        parse_notebook(data, clear_outputs=True)
    assert raised.value.line == line


@pytest.mark.parametrize(
    "source", ['[[{{"\\', "\ud800", "a\0b", '\\" [', "[" * 10_000, "\\" * 9 + '"[[']
)
def test_brackets_and_escapes_in_a_text_are_no_nesting(source: str) -> None:
    data = notebook(cell(source=source * 40))
    assert parse_notebook(data, clear_outputs=True).cells[0].source == source * 40


KEYS = st.text('"\\[{', max_size=3)
DEEP = st.recursive(
    st.text(alphabet='[]{}"\\a\ud800', max_size=8) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\[{', max_size=3), inner)
    ),
    max_leaves=30,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(DEEP, st.integers(0, 8))
def test_nesting_is_counted_as_json_has_it(value: object, most: int) -> None:
    assert strict._deeper_than(json.dumps(value).encode(), most) is (depth(value) > most)


@given(st.binary(max_size=200) | st.text('{}[]",:\\ 1eNa-', max_size=60).map(str.encode))
def test_any_bytes_are_a_notebook_or_a_named_error(data: bytes) -> None:
    with suppress(NotebookError):
        notebook_bytes(parse_notebook(data, clear_outputs=True))


@given(st.data())
def test_a_notebook_that_is_cut_off_anywhere_is_named(data: st.DataObject) -> None:
    whole = notebook(cell(source="Größe \u202e"), cell(id="b", source=["a\n", "b"]))
    end = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(NotebookError, match="cut off"):
        parse_notebook(whole[:end])


HUGE = """
import resource, sys
from markbook.errors import NotebookError
from markbook.notebooks import notebook_bytes, parse_notebook
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
head, tail = b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"x":[', b']}}'
for inside in (b"[]," * 16_000_000 + b"1", b'{"a":1},' * 199_000 + b"1", b"1," * 1_999_000 + b"1"):
    try:
        notebook_bytes(parse_notebook(head + inside + tail, clear_outputs=True))
    except NotebookError:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_the_worst_file_that_is_read_takes_a_bounded_memory() -> None:
    ran = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 700  # MB; without the bounds it is gigabytes
