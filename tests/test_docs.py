"""The documentation is under test: what it should hold is found in it, what it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click import Option

from markbook.cli.exits import ExitCode
from markbook.cli.main import VERBS, cli

if TYPE_CHECKING:
    from pathlib import Path

SHARED_OPTIONS = {"--course", "--json", "--debug", "--dry-run", "--help"}


@pytest.fixture(scope="module")
def reference(repository: Path) -> str:
    return (repository / "docs" / "reference" / "command.md").read_text()


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_option_of_a_verb_stands_in_its_section(verb: str, reference: str) -> None:
    section = re.search(rf"^## {verb}\n(.*?)(?=^## |\Z)", reference, re.MULTILINE | re.DOTALL)
    assert section, f"docs/reference/command.md has no section on {verb}"
    command = cli.get_command(None, verb)  # type: ignore[arg-type]
    assert command is not None
    options = {name for p in command.params if isinstance(p, Option) for name in p.opts}
    assert not {o for o in options - SHARED_OPTIONS if o not in section.group(1)}


def test_every_shared_option_is_explained(reference: str) -> None:
    head = reference.partition("## check")[0]
    assert all(option in head for option in SHARED_OPTIONS)


def test_every_exit_code_is_explained(reference: str) -> None:
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \| {code.name.lower()} \|", reference, re.MULTILINE)


def test_links_between_documents_lead_somewhere(repository: Path) -> None:
    broken = []
    for page in [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append((str(page.relative_to(repository)), target))
    assert not broken


def test_every_decision_is_listed(repository: Path) -> None:
    folder = repository / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    assert [p.name for p in sorted(folder.glob("0*.md")) if p.name not in index] == []


def test_the_entry_points_that_others_may_add_to_are_documented(repository: Path) -> None:
    project = (repository / "pyproject.toml").read_text()
    groups = re.findall(r'^\[project\.entry-points\."(markbook\.[a-z]+)"\]', project, re.MULTILINE)
    assert groups
    pages = "".join(p.read_text() for p in (repository / "docs").rglob("*.md"))
    assert [group for group in groups if group not in pages] == []


def test_the_page_of_the_checks_is_as_the_checks_write_it(repository: Path) -> None:
    written = subprocess.run(
        [sys.executable, str(repository / "tools" / "checks_page.py"), "--print"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (repository / "docs" / "reference" / "checks.md").read_text() == written


def test_the_tables_of_honest_tests_are_as_their_catalogue_has_them(repository: Path) -> None:
    written = subprocess.run(
        [sys.executable, str(repository / "tools" / "honest_page.py"), "--print"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (repository / "docs" / "explanation" / "honest-tests.md").read_text() == written
