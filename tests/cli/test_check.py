"""``markbook check`` as people, scripts and CI call it: formats, exit codes, fixes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from markbook.cli.exits import ExitCode
from markbook.cli.main import main
from markbook.course.skeleton import make_course

# Without MB302, which has nbgrader build a release: seconds for each call.
QUICK = ("--quick", "--ignore", "MB302")
BROKEN = Path(__file__).resolve().parent.parent / "broken_courses"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The clean course, as the working folder."""
    root = tmp_path / "course"
    shutil.copytree(BROKEN / "_clean", root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def check(capsys):
    """A function that runs ``markbook check`` and returns exit code, stdout and stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as raised:
            main(["check", *map(str, arguments)])
        said = capsys.readouterr()
        return raised.value.code, said.out, said.err

    return run


def broken(root, name):
    """Lay the files of a broken course over the clean one in ``root``."""
    for path in (BROKEN / name).rglob("*"):
        if path.is_file() and path.name not in {"REMOVED", "expected.txt"}:
            shutil.copy(path, root / path.relative_to(BROKEN / name))


def test_a_clean_course_is_told_in_one_line_and_exit_code_0(course, check):
    code, out, err = check(*QUICK)
    assert code == ExitCode.DONE
    assert out.startswith("checked  hw: 0 errors, 0 warnings, 0 notes  (")
    assert out.count("\n") == 1
    assert err == ""


def test_an_error_is_exit_code_1_and_a_warning_is_not(course, check):
    broken(course, "MB105-count-left")
    code, out, _ = check(*QUICK)
    assert code == ExitCode.DONE
    assert "warning MB105" in out
    assert "1 warning," in out
    broken(course, "MB104-outputs-left")
    code, out, _ = check(*QUICK)
    assert code == ExitCode.ATTENTION
    assert "error MB104" in out


def test_quick_runs_nothing_that_a_student_could_have_written(course, check):
    broken(course, "MB401-wrong-solution")
    code, out, _ = check(*QUICK)
    assert code == ExitCode.DONE
    assert "MB401" not in out
    code, out, _ = check("--select", "MB401")
    assert code == ExitCode.ATTENTION
    assert "error MB401" in out


def test_github_shows_each_finding_at_its_file_as_seen_from_the_repository(course, check):
    (course.parent / ".git").mkdir()
    broken(course, "MB501-unknown-key")
    broken(course, "MB104-outputs-left")
    code, out, err = check(*QUICK, "--format", "github")
    assert code == ExitCode.ATTENTION
    lines = out.splitlines()
    assert all(
        line.startswith(("::error file=course/", "::warning file=course/")) for line in lines
    )
    assert any("title=MB501 invalid-rubric::" in line for line in lines)
    (outputs,) = (line for line in lines if "MB104" in line)
    assert outputs.startswith("::error file=course/source/hw/part.ipynb,line=1,title=MB104 ")
    assert "::Cell " in outputs
    assert err == ""


def test_nothing_that_a_notebook_says_can_end_a_workflow_command(course, check):
    path = course / "source" / "hw" / "part.ipynb"
    document = json.loads(path.read_text())
    document["cells"][2]["metadata"]["nbgrader"]["grade_id"] = "a,b::c%0A\n::error::x"
    path.write_text(json.dumps(document))
    code, out, _ = check(*QUICK, "--format", "github")
    assert code == ExitCode.ATTENTION
    assert len(out.splitlines()) == sum(
        line.startswith(("::error file=", "::warning file=")) for line in out.splitlines()
    )
    assert "%250A" in out


def test_sarif_is_what_the_standards_schema_says(course, check, published_schema):
    broken(course, "MB501-unknown-key")
    broken(course, "MB104-outputs-left")
    code, out, _ = check(*QUICK, "--format", "sarif")
    assert code == ExitCode.ATTENTION
    log = json.loads(out)
    schema = published_schema("sarif-2.1.0")
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
    assert {"MB104", "MB501"} <= {result["ruleId"] for result in run["results"]}
    del run["results"][0]["message"]
    assert list(validator.iter_errors(log))  # the schema does refuse what is wrong


def test_a_sarif_log_is_written_beside_any_format_and_found_clean_too(course, check, tmp_path):
    log = tmp_path / "deep" / "er" / "log.sarif"
    code, out, _ = check(*QUICK, "--sarif", log)
    assert code == ExitCode.DONE
    assert out.startswith("checked  hw")
    assert json.loads(log.read_text())["runs"][0]["results"] == []
    code, _, err = check(*QUICK, "--sarif", course / "nbgrader_config.py" / "log")
    assert code == ExitCode.USAGE
    assert "cannot be written" in err


def test_json_has_every_part_of_a_finding(course, check):
    broken(course, "MB104-outputs-left")
    code, out, _ = check(*QUICK, "--json")
    assert code == ExitCode.ATTENTION
    value = json.loads(out)
    assert value["assignments"] == ["hw"]
    (found,) = (f for f in value["findings"] if f["code"] == "MB104")
    assert found["path"] == "source/hw/part.ipynb"
    assert found["severity"] == "error"
    assert found["fix"]
    assert set(found) == {
        *("code", "check", "severity", "message", "hint", "path", "cell", "line"),
        *("excerpt", "question", "fix"),
    }


def test_fix_mends_the_files_tells_which_and_ends_with_0(course, check):
    clean = json.loads((course / "source" / "hw" / "part.ipynb").read_text())
    broken(course, "MB104-outputs-left")
    before = (course / "source" / "hw" / "part.ipynb").read_bytes()
    code, out, err = check(*QUICK, "--fix", "--dry-run")
    assert code == ExitCode.ATTENTION
    assert err == ""
    assert (course / "source" / "hw" / "part.ipynb").read_bytes() == before
    code, out, err = check(*QUICK, "--fix")
    assert code == ExitCode.DONE
    assert err == "mended  source/hw/part.ipynb\n"
    assert "0 errors" in out
    assert json.loads((course / "source" / "hw" / "part.ipynb").read_text()) == clean
    assert check(*QUICK, "--fix")[2] == ""


def test_what_cannot_be_fixed_is_still_told_after_the_fixes(course, check):
    broken(course, "MB104-outputs-left")
    broken(course, "MB501-unknown-key")
    code, out, err = check(*QUICK, "--fix")
    assert code == ExitCode.ATTENTION
    assert "mended" in err
    assert "MB501" in out
    assert "MB104" not in out


def test_the_list_names_every_check_and_needs_no_course(tmp_path, monkeypatch, check):
    from markbook.checks import all_checks

    monkeypatch.chdir(tmp_path)
    code, out, _ = check("--list")
    assert code == ExitCode.DONE
    assert [line[:5] for line in out.splitlines()] == [c.code for c in all_checks()]
    code, out, _ = check("--list", "--json", "--select", "MB104")
    assert [row["name"] for row in json.loads(out)] == ["outputs-in-source"]
    assert json.loads(out)[0]["fixable"] is True


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_code_that_no_check_has_is_refused_with_a_guess(course, check, option):
    code, out, err = check(option, "outputs-in-sorce")
    assert code == ExitCode.USAGE
    assert out == ""
    assert "Did you mean 'outputs-in-source'?" in err


@pytest.mark.parametrize("style", ["text", "github"])
def test_a_course_with_nothing_authored_yet_passes_with_a_plain_sentence(
    tmp_path, monkeypatch, check, style
):
    make_course(tmp_path / "new", example=False)
    monkeypatch.chdir(tmp_path / "new")
    sentence = "There is no assignment to check yet: author one in source/ASSIGNMENT/.\n"
    assert check("--format", style) == (ExitCode.DONE, sentence, "")
    assert check("source")[0] == ExitCode.NOTHING


def test_paths_choose_and_one_of_no_assignment_is_exit_code_4(course, check):
    broken(course, "MB104-outputs-left")
    assert check(*QUICK, "graders/hw")[0] == ExitCode.DONE
    assert check(*QUICK, "source/hw/part.ipynb")[0] == ExitCode.ATTENTION
    code, out, err = check(*QUICK, "elsewhere")
    assert code == ExitCode.NOTHING
    assert "no assignment to check in elsewhere" in err
    assert out == ""
