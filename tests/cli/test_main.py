"""The command as a user meets it: verbs, messages, exit codes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from markbook.cli.exits import ExitCode, exit_code_of
from markbook.cli.main import VERBS, cli, main
from markbook.errors import (
    InternalError,
    MarkbookError,
    NothingMatched,
    RubricError,
    StaleMark,
    UnknownName,
)

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "markbook", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=60,
    )


def test_help_lists_every_verb_in_a_teachers_order() -> None:
    result = run("--help")
    assert result.returncode == ExitCode.DONE
    places = [result.stdout.index(f"  {verb} ") for verb in VERBS]
    assert places == sorted(places)


def test_help_imports_no_step_and_no_heavy_library() -> None:
    code = (
        "import sys; from markbook.cli.main import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "heavy = {'nbgrader', 'sqlalchemy', 'papermill', 'nbformat', 'matplotlib', 'rich',"
        " 'pydantic', 'markbook.gradebook', 'markbook.collect'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_help_json_and_a_course_option(verb: str) -> None:
    command = cli.get_command(None, verb)  # type: ignore[arg-type]
    assert command is not None
    assert command.help
    options = {name for parameter in command.params for name in parameter.opts}
    assert {"--course", "--json", "--debug"} <= options


def test_an_unknown_verb_is_refused_with_a_guess() -> None:
    result = run("relase")
    assert result.returncode == ExitCode.USAGE
    assert "Did you mean 'release'?" in result.stderr


def test_outside_a_course_the_message_says_what_to_do(tmp_path: Path) -> None:
    result = run("stats", "hw1", cwd=tmp_path)
    assert result.returncode == ExitCode.USAGE
    assert "no course" in result.stderr
    assert "--course" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_assignment_is_a_usage_error_that_lists_the_known_ones(
    course_copy: Path,
) -> None:
    result = run("stats", "web-api-and-testing", cwd=course_copy)
    assert result.returncode == ExitCode.USAGE
    assert "Did you mean 'web-apis-and-testing'?" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownName("x"), ExitCode.USAGE),
        (RubricError("x"), ExitCode.ATTENTION),
        (StaleMark("x"), ExitCode.ATTENTION),
        (NothingMatched("x"), ExitCode.NOTHING),
        (InternalError("x"), ExitCode.FAULT),
        (MarkbookError("x"), ExitCode.ATTENTION),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: MarkbookError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def test_main_exits_with_the_code_of_the_command() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == ExitCode.DONE
