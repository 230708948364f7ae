"""The pages on hostile submissions are as the data has them, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys


def test_the_table_of_hostile_inputs_is_as_its_data_has_it(repository):
    written = subprocess.run(
        [sys.executable, str(repository / "tools" / "hostile_page.py"), "--print"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    page = repository / "docs" / "explanation" / "hostile-submissions.md"
    assert page.read_text(encoding="utf-8") == written, "run python tools/hostile_page.py"


def test_every_test_that_the_threat_model_names_exists(repository):
    page = (repository / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 40
    missing = [
        (file, test)
        for file, test in named
        if f"def {test}(" not in (repository / file).read_text()
    ]
    assert missing == []


def test_every_row_of_the_threat_model_has_a_proof(repository):
    page = (repository / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    who = page.partition("## Who, and what stops them")[2].partition("## What is left")[0]
    rows = [line for line in who.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| wants")]
    assert len(rows) >= 25
    assert [row for row in rows if "::test_" not in row] == []


def test_the_comparison_knows_every_input_that_nbgrader_can_be_given(repository, catalogue):
    page = (repository / "docs" / "explanation" / "hostile-compared.md").read_text("utf-8")
    told = set(re.findall(r"^\| ([\w-]+) \|", page, re.MULTILINE))
    inputs = [
        e
        for name in ("files", "metadata", "folders", "code", "text")
        for e in catalogue.inputs(name)
    ]
    assert {each.name for each in inputs} - told == set()
