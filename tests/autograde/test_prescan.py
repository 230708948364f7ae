from __future__ import annotations

import json

import pytest

from markbook.autograde.prescan import hash_folder, prescan


@pytest.fixture
def folder(tiny, released):
    return tiny.submit(released, "dan", {"keys": "Secret."})


def rewrite(folder, change):
    path = folder / "part.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def not_json(folder):
    (folder / "part.ipynb").write_text("{")


def renamed(folder):
    (folder / "part.ipynb").rename(folder / "final (2).ipynb")


def duplicated(folder):
    rewrite(folder, lambda n: n["cells"].append(dict(n["cells"][1], id="copy")))


def newer_schema(folder):
    def change(notebook):
        notebook["cells"][1]["metadata"]["nbgrader"]["schema_version"] = 99

    rewrite(folder, change)


def format_3(folder):
    rewrite(folder, lambda n: n.update(nbformat=3))


def no_cells(folder):
    rewrite(folder, lambda n: n.update(cells=[]))


def linked(folder):
    (folder / "passwords.txt").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (not_json, r"part\.ipynb cannot be read: Not JSON"),
        (renamed, r"none of the assignment's notebooks \(part\); handed in: final \(2\)\.ipynb"),
        (duplicated, r"the cell 'keys' is in part\.ipynb twice \(cells 2 and 10\)"),
        (newer_schema, "nbgrader metadata of version 99"),
        (format_3, "format 3"),
        (no_cells, r"part\.ipynb is empty"),
        (linked, r"passwords\.txt is a link"),
    ],
)
def test_what_cannot_be_run_is_named(folder, damage, reason):
    import re

    damage(folder)
    failure = prescan(folder, {"part"}).failure
    assert failure is not None
    assert re.search(reason, failure), failure


def test_what_can_be_run_but_wants_a_look_is_a_finding(folder):
    (folder / "scratch.ipynb").write_text("not looked at")
    scan = prescan(folder, {"part", "bonus"})
    assert scan.failure is None
    assert scan.findings == (
        "scratch.ipynb is not of this assignment",
        "bonus.ipynb was not handed in",
    )


def test_the_hash_sees_names_bytes_and_links_but_not_jupyters_checkpoints(folder):
    seen = {hash_folder(folder)}

    def changed():
        known = hash_folder(folder) in seen
        seen.add(hash_folder(folder))
        return not known

    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("x")
    assert not changed()
    (folder / "a").write_text("bc")
    assert changed()
    (folder / "a").rename(folder / "ab")
    (folder / "ab").write_text("c")
    assert changed()
    (folder / "link").symlink_to("ab")
    assert changed()
    before = hash_folder(folder, skip=".ipynb")
    (folder / "part.ipynb").write_text("{}")
    assert hash_folder(folder, skip=".ipynb") == before


def test_a_file_name_that_is_no_text_is_shown_all_the_same(folder):
    import os

    os.close(os.open(os.fsencode(folder) + b"/caf\xe9.ipynb", os.O_CREAT | os.O_WRONLY))
    (finding,) = prescan(folder, {"part"}).findings
    assert finding == "caf?.ipynb is not of this assignment"
    assert hash_folder(folder)
