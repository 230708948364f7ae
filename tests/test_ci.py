"""What runs the checks elsewhere: workflows, the action, hooks. Valid, and run as they stand.

The steps run in bash as GitHub runs them, in a course that `markbook init` made, with this
environment's programs before all others. Only the step that installs Markbook meets what is
installed already: pip may not go to an index (PIP_NO_INDEX), and for the action, which installs
from its own folder, may not install either (PIP_DRY_RUN); what it needs has to be there. Where the
script is what is tested, and not the command at its end, a stand-in writes down what reaches the
command, and the command is called in this process with just that.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from pre_commit.commands.validate_config import validate_config
from pre_commit.commands.validate_manifest import validate_manifest
from ruamel.yaml import YAML

from markbook.cli.main import main
from markbook.course import Course
from markbook.course.skeleton import make_course
from markbook.release import build

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "src" / "markbook" / "course" / "template"
ACTION = ROOT / "action.yml"
WORKFLOWS = (TEMPLATE / "workflow.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml")))


def load(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    return [error.message for error in validator(schema).iter_errors(value)]


@pytest.fixture(scope="module")
def new_course(tmp_path_factory) -> Path:
    """A released new course below the top of a repository."""
    top = tmp_path_factory.mktemp("repository")
    make_course(top / "course")
    build(Course.open(top / "course"), "first-steps")
    for command in (["init", "--quiet"], ["add", "."], [*AUTHOR, "commit", "--quiet", "-m", "x"]):
        subprocess.run(["git", *command], cwd=top, check=True)
    return top


AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@pytest.fixture
def top(new_course, tmp_path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(new_course, tmp_path / "repository"))


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a step: this Python and its programs, and no way to an index."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        **more,
    }


def run_step(
    step: Mapping[str, Any], cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step's script in the shell that GitHub runs it in."""
    strict = ["--noprofile", "--norc", "-eo", "pipefail"] if "shell" in step else ["-e"]
    return subprocess.run(
        ["bash", *strict, "-c", step["run"]],
        cwd=cwd,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.parent.name + "/" + path.name)
def test_a_workflow_is_valid_by_the_published_schema(path, published_schema) -> None:
    workflow, schema = load(path), published_schema("github-workflow")
    assert problems(schema, workflow) == []
    first = next(iter(workflow["jobs"].values()))
    assert problems(schema, workflow | {"jobs": {"x": first | {"runs_on": "ubuntu"}}})


def test_the_action_is_valid_by_the_published_schema(published_schema) -> None:
    action, schema = load(ACTION), published_schema("github-action")
    assert problems(schema, action) == []
    broken = [step | {"shell": None} for step in action["runs"]["steps"]]
    assert problems(schema, action | {"runs": action["runs"] | {"steps": broken}})


def test_hooks_and_their_configuration_are_what_pre_commit_takes(published_schema) -> None:
    configuration = load(TEMPLATE / "pre-commit-config.yaml")
    assert problems(published_schema("pre-commit-config"), configuration) == []
    assert validate_config([str(TEMPLATE / "pre-commit-config.yaml")]) == 0
    assert validate_manifest([str(ROOT / ".pre-commit-hooks.yaml")]) == 0
    assert validate_manifest([str(TEMPLATE / "pre-commit-config.yaml")]) == 1


def test_this_repository_runs_all_of_ci_and_that_checks_both_assignments() -> None:
    steps = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["all"]["steps"]
    assert "bash .ci/run" in [step.get("run") for step in steps]
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    checks = [line for line in lines if line.startswith(".venv/bin/markbook check")]
    assert checks == [".venv/bin/markbook check ${GITHUB_ACTIONS:+--format github}"]


def test_the_slow_test_files_that_begin_first_are_there_and_none_twice(request) -> None:
    conftest = request.config.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    names = conftest.SLOWEST_FIRST
    assert [name for name in names if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(names)) == len(names)
    # xdist sorts by the number of tests unless told not to
    assert "--dist loadfile --no-loadscope-reorder" in (ROOT / "Makefile").read_text()


def test_the_steps_of_a_new_courses_workflow_run_as_they_stand(top) -> None:
    course = top / "course"
    workflow = load(course / ".github" / "workflows" / "markbook.yml")
    steps = [step for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    assert len(steps) == 3
    assert not [step["run"] for step in steps if "${{" in step["run"]]
    said = []
    for step in steps:
        done = run_step(step, course, environment())
        assert done.returncode == 0, (step["name"], done.stdout, done.stderr)
        said.append(done.stdout)
    assert "already satisfied: markbook==" in said[0]
    # no finding of any kind: the solution, the stub and the grader ran
    assert said[1] == ""


def test_the_step_that_checks_stops_what_students_must_not_get(top, markbook) -> None:
    course = top / "course"
    steps = load(course / ".github" / "workflows" / "markbook.yml")["jobs"]["check"]["steps"]
    (step,) = (step for step in steps if "markbook check" in step.get("run", ""))
    break_rubric(course)
    (*arguments,) = markbook.reached_by(step, course, {})
    done = markbook.run(*arguments, "--quick", "--ignore", "MB302")
    assert done.code == 1
    assert "::error file=course/graders/first-steps/copy-of-a-list.yaml," in done.out
    assert "MB505" in done.out


def break_rubric(course: Path) -> None:
    """Make a rubric's points fit its question no more."""
    rubric = course / "graders" / "first-steps" / "copy-of-a-list.yaml"
    rubric.write_text(rubric.read_text().replace("points: 2", "points: 1"))


class Markbook:
    """A stand-in for the command in scripts, and the command itself in this process."""

    def __init__(self, folder: Path, monkeypatch: Any, capsys: Any) -> None:
        self.folder, self.patch, self.capsys = folder, monkeypatch, capsys
        folder.mkdir()
        stand_in = folder / "markbook"
        stand_in.write_text('#!/bin/sh\npwd > "$REACHED.pwd"\nprintf "%s\\0" "$@" > "$REACHED"\n')
        stand_in.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        """What makes a process take the stand-in for the command; forgets what reached it."""
        reached = self.folder / "reached"
        reached.unlink(missing_ok=True)
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "REACHED": str(reached)}

    @property
    def words(self) -> tuple[str, ...]:
        """What reached the stand-in."""
        return tuple((self.folder / "reached").read_text().split("\0")[:-1])

    def reached_by(
        self, step: Mapping[str, Any], cwd: Path, environ: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Run a step's script; return the words that reach the command, run where it stands."""
        reached = self.folder / "reached"
        done = run_step(step, cwd, environment(**environ) | self.environ)
        assert done.returncode == 0, done.stdout + done.stderr
        self.patch.chdir(reached.with_suffix(".pwd").read_text().rstrip("\n"))
        return self.words

    def run(self, *arguments: str) -> SimpleNamespace:
        """Run the command; returns its exit code and what it said."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = self.capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=said.out, err=said.err)


@pytest.fixture
def markbook(tmp_path, monkeypatch, capsys) -> Markbook:
    return Markbook(tmp_path / "stand-in", monkeypatch, capsys)


def action_steps(**given: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Return the action's own steps with what their expressions say for these inputs."""
    action = load(ACTION)
    known = {name: str(value["default"]) for name, value in action["inputs"].items()}
    assert set(given) <= set(known)
    values = {f"inputs.{name}": value for name, value in (known | given).items()}
    values["github.action_path"] = str(ROOT)

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{\s*(\S+)\s*\}\}", lambda found: values[found.group(1)], text)

    steps = [step for step in action["runs"]["steps"] if "run" in step]
    return [(s, {key: filled(text) for key, text in s["env"].items()}) for s in steps]


def run_check(markbook: Markbook, top: Path, **given: str) -> SimpleNamespace:
    """Run the action's last step, the command in this process."""
    step, environ = action_steps(**given)[-1]
    return markbook.run(*markbook.reached_by(step, top, environ))


def test_the_action_puts_no_input_into_a_script() -> None:
    assert not [step["run"] for step, _ in action_steps() if "${{" in step["run"]]


def test_the_action_installs_itself_from_its_folder_with_the_tested_versions(top) -> None:
    step, environ = action_steps()[0]
    # hatchling is in this environment: nothing is to be fetched for building either
    dry = {"PIP_DRY_RUN": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "0"}
    step = step | {"run": step["run"].replace("--quiet ", "")}
    done = run_step(step, top, environment(**environ, **dry))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Would install markbook-" in done.stdout
    assert done.stdout.count("Would install") == 1


def test_the_action_checks_a_course_below_the_top_and_writes_the_log(top, markbook) -> None:
    given = {"course": "course", "ignore": "MB302\nMB4 MB6", "sarif": "log.sarif"}
    step, environ = action_steps(**given)[-1]
    real = run_step(step, top, environment(**environ))
    assert (real.returncode, real.stdout) == (0, ""), real.stderr
    assert json.loads((top / "log.sarif").read_text())["runs"][0]["results"] == []
    break_rubric(top / "course")
    done = run_check(markbook, top, **given)
    assert done.code == 1
    where = "course/graders/first-steps/copy-of-a-list.yaml"
    assert f"::error file={where}," in done.out
    (result,) = json.loads((top / "log.sarif").read_text())["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == where
    # only what is selected, and only below the paths
    assert run_check(markbook, top, course="course", select="MB1 no-rubric").code == 0
    paths = "course/source/first-steps\n"
    assert run_check(markbook, top, **given, paths=paths).code == 0
    text = run_check(markbook, top, course="course", quick="true", format="text", ignore="MB302")
    assert "checked  first-steps: 1 error, " in text.out


@pytest.mark.parametrize("name", ["select", "paths", "course", "format", "sarif"])
@pytest.mark.parametrize("typed", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "--fix"])
def test_what_is_typed_into_the_action_is_never_run(top, markbook, name, typed) -> None:
    before = {p: p.read_bytes() for p in top.rglob("*") if p.is_file()}
    given = {"course": "course", "select": "MB101", name: typed}
    step, environ = action_steps(**given)[-1]
    words = markbook.reached_by(step, top, environ)
    # as one word, or as one for each code
    assert set(typed.split() if name == "select" else [typed]) <= set(words)
    done = markbook.run(*words)
    assert not list(top.rglob("pwned"))
    assert "Traceback" not in done.err
    assert {p: p.read_bytes() for p in before} == before
    if name != "sarif":  # any text names a file
        assert done.code in {2, 4}


def run_hooks(top: Path, tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the hooks of .pre-commit-config.yaml in ``top`` on what is staged."""
    subprocess.run(["git", "add", "."], cwd=top, check=True)
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--color=never"],
        cwd=top,
        env=environment(
            PRE_COMMIT_HOME=str(tmp_path / "pre-commit"), PRE_COMMIT_ALLOW_NO_CONFIG="1"
        )
        | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def leave_outputs(path: Path) -> None:
    document = json.loads(path.read_text())
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42\n"}]
    path.write_text(json.dumps(document))


def test_the_hook_of_a_new_course_stops_a_commit_that_students_must_not_get(
    top, markbook, tmp_path
) -> None:
    course = tmp_path / "alone"
    shutil.copytree(top / "course", course)
    subprocess.run(["git", "init", "--quiet"], cwd=course, check=True)
    done = run_hooks(course, tmp_path, **markbook.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert markbook.words == ("check", "--quick")
    subprocess.run(["git", *AUTHOR, "commit", "--quiet", "-m", "x"], cwd=course, check=True)
    (course / "README.md").write_text("# Other words\n")
    assert "Skipped" in run_hooks(course, tmp_path).stdout  # nothing of the assignments
    notebook = course / "source" / "first-steps" / "first-steps.ipynb"
    leave_outputs(notebook)
    left = notebook.read_bytes()
    done = run_hooks(course, tmp_path)
    assert done.returncode == 1
    assert "error MB104" in done.stdout
    assert notebook.read_bytes() == left


def test_the_hooks_that_others_name_check_and_mend(top, markbook, tmp_path) -> None:
    # As they stand but for the language: a new environment would be fetched from an index.
    hooks = [hook | {"language": "system"} for hook in load(ROOT / ".pre-commit-hooks.yaml")]
    assert [hook["id"] for hook in hooks] == ["markbook-check", "markbook-check-fix"]
    args = ["--course", "course", "--ignore", "MB302"]
    mending = [hooks[1] | {"args": args}]
    with (top / ".pre-commit-config.yaml").open("w") as stream:
        YAML().dump({"repos": [{"repo": "local", "hooks": mending}]}, stream)
    notebook = top / "course" / "source" / "first-steps" / "first-steps.ipynb"
    clean = json.loads(notebook.read_text())
    leave_outputs(notebook)
    done = run_hooks(top, tmp_path)
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert json.loads(notebook.read_text()) == clean
    with (top / ".pre-commit-config.yaml").open("w") as stream:
        YAML().dump({"repos": [{"repo": "local", "hooks": [hooks[0] | {"args": args}]}]}, stream)
    leave_outputs(notebook)
    done = run_hooks(top, tmp_path, **markbook.environ)
    assert done.returncode == 0, done.stdout
    assert markbook.words == ("check", "--quick", *args)  # as in a new course, which stops
