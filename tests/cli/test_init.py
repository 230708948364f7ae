"""``markbook init`` as people call it: where, what it says, what it refuses."""

from __future__ import annotations

import json

import pytest

from markbook.cli.exits import ExitCode
from markbook.cli.main import main


@pytest.fixture
def init(capsys, tmp_path, monkeypatch):
    """A function that runs ``markbook init`` in tmp_path; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as raised:
            main(["init", *map(str, arguments)])
        said = capsys.readouterr()
        return raised.value.code, said.out, said.err

    return run


def test_it_says_what_was_written_what_was_kept_and_what_to_do_next(init, tmp_path):
    (tmp_path / "my course").mkdir()
    (tmp_path / "my course" / "README.md").write_text("mine\n")
    code, out, _ = init("my course")
    assert code == ExitCode.DONE
    assert "written  nbgrader_config.py\n" in out
    assert "kept     README.md\n" in out
    assert "is the course 'my-course'" in out
    assert f"Next: cd '{tmp_path}/my course' && markbook release --all && markbook check" in out
    code, out, err = init("my course")
    assert code == ExitCode.DONE
    assert "written  " not in out
    assert "has all that a course folder needs" in out
    assert err == ""


def test_without_a_folder_it_is_the_working_folder_and_course_names_it_too(init, tmp_path):
    assert "Next: markbook release" in init("--no-example")[1]
    assert (tmp_path / "nbgrader_config.py").is_file()
    assert not (tmp_path / "source").exists()
    assert init("--course", tmp_path)[0] == ExitCode.DONE
    assert (tmp_path / "source" / "first-steps").is_dir()
    code, _, err = init("one", "--course", "two")
    assert code == ExitCode.USAGE
    assert "Two folders are named" in err


def test_a_dry_run_says_what_would_be_and_json_has_all_of_it(init, tmp_path):
    code, out, _ = init("new", "--dry-run")
    assert code == ExitCode.DONE
    assert "would write  nbgrader_config.py" in out
    assert not (tmp_path / "new").exists()
    would = json.loads(init("new", "--dry-run", "--json")[1])
    assert would["dry_run"] is True
    done = json.loads(init("new", "--json")[1])
    assert done | {"dry_run": True} == would
    assert done["course_id"] == "new"
    assert sorted(done["written"]) == sorted(
        path.relative_to(tmp_path / "new").as_posix()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    )


def test_a_kept_gitignore_that_forgets_students_work_is_warned_of(init, tmp_path):
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    assert "does not name /submitted/" in init()[2]


def test_what_cannot_be_is_refused_and_nothing_is_written(init, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = init("file")
    assert code == ExitCode.USAGE
    assert "is not a folder" in err
    assert out == ""
    assert init("outer")[0] == ExitCode.DONE
    code, _, err = init("outer/source/inner")
    assert code == ExitCode.USAGE
    assert "lies in the course" in err
    assert not (tmp_path / "outer" / "source" / "inner").exists()
