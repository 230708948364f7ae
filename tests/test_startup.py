"""Starting fast, without losing a check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest


def test_the_command_does_not_compile_a_grammar_that_nothing_asks_for() -> None:
    code = (
        "import sys; from markbook.startup import skip_slow_imports; skip_slow_imports()\n"
        "import nbformat, jsonschema\n"
        "print('lark' in sys.modules, 'rfc3987_syntax.syntax_helpers' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("path", sorted(Path(nbformat.__file__).parent.glob("v4/*.schema.json")))
def test_no_notebook_schema_uses_the_formats_that_are_not_checked(path: Path) -> None:
    def formats(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["format"]} if isinstance(value.get("format"), str) else set()
            return own.union(*(formats(v) for v in value.values()))
        return set().union(*(formats(v) for v in value)) if isinstance(value, list) else set()

    assert not formats(json.loads(path.read_text())) & {"iri", "iri-reference"}
