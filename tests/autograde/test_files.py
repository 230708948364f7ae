"""Reading a submission once and without links; laying files down as nbgrader does."""

from __future__ import annotations

import os
import shutil
import socket
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markbook.autograde import files as module
from markbook.autograde.files import hash_files, laid_down, read_submission
from markbook.autograde.nursery import Nursery, lay_down
from markbook.autograde.prescan import hash_folder
from markbook.autograde.settings import FileRules
from markbook.autograde.values import Submission


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "eve" / "submitted"
    (made / "data" / "deep").mkdir(parents=True)
    (made / "part.ipynb").write_text("{}")
    (made / "data" / "a.csv").write_text("1,2")
    (made / "data" / "deep" / "b.txt").write_bytes(b"\xff\x00")
    return made


def test_every_file_is_read_by_its_path(folder):
    handed = read_submission(folder, "ada")
    assert handed.failure is None
    assert handed.submission == Submission(
        "ada", {"part.ipynb": b"{}", "data/a.csv": b"1,2", "data/deep/b.txt": b"\xff\x00"}
    )
    assert handed.size == 7
    assert handed.content_hash == hash_folder(folder)


def test_jupyters_checkpoints_are_neither_hashed_nor_sent(folder):
    before = read_submission(folder, "ada")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "part-checkpoint.ipynb").write_text("old")
    after = read_submission(folder, "ada")
    assert (after.content_hash, after.submission) == (before.content_hash, before.submission)


def links_a_file(folder, secret):
    (folder / "data" / "key").symlink_to(secret)


def links_a_folder(folder, secret):
    (folder / "more").symlink_to(secret.parent)


def links_nothing(folder, secret):
    (folder / "gone").symlink_to("nowhere")


def is_a_link(folder, secret):
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


def is_anothers(folder, secret):
    folder.parent.rename(folder.parent.with_name("ada"))
    folder.parent.symlink_to("ada")


def has_a_hard_link_out(folder, secret):
    os.link(secret, folder / "data" / "mine.csv")


def has_a_pipe(folder, secret):
    os.mkfifo(folder / "part-two.ipynb")


def has_a_socket(folder, secret):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (links_a_file, "data/key is a link, not a file"),
        (links_a_folder, "more is a link, not a file"),
        (links_nothing, "gone is a link, not a file"),
        (is_a_link, "submitted is a link, not a file"),
        (is_anothers, "eve is a link, not a file"),
        (
            has_a_hard_link_out,
            "data/mine.csv has another name outside the submission (a hard link)",
        ),
        (has_a_pipe, "part-two.ipynb is a pipe or device, not a file"),
        (has_a_socket, "s is a pipe or device, not a file"),
    ],
)
def test_what_is_no_file_is_named_and_nothing_is_sent(folder, tmp_path, damage, reason):
    secret = tmp_path / "others" / "secret"
    secret.parent.mkdir()
    secret.write_text("the model answers")
    before = read_submission(folder, "ada").content_hash
    damage(folder, secret)
    handed = read_submission(folder, "ada")
    assert handed.failure == reason
    assert handed.submission.files == {}
    assert handed.content_hash != before


def test_a_folder_that_becomes_a_link_while_it_is_read_is_not_followed(
    folder, tmp_path, monkeypatch
):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "deep").mkdir()
    (tmp_path / "secrets" / "a.csv").write_text("the model answers")
    real, swapped = os.stat, []

    def stat_and_swap(path, *arguments, **options):
        found = real(path, *arguments, **options)
        if path == "data" and not swapped:
            swapped.append(path)
            shutil.move(folder / "data", tmp_path / "data")
            (folder / "data").symlink_to(tmp_path / "secrets")
        return found

    monkeypatch.setattr(os, "stat", stat_and_swap)
    try:
        handed = read_submission(folder, "ada")
        read = handed.submission.files
    except OSError:
        read = {}
    assert swapped
    assert b"the model answers" not in read.values()


def test_a_folder_that_cannot_be_read_is_an_error_and_no_empty_submission(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        read_submission(folder, "ada")


def test_files_above_the_bound_are_not_read(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST", 5)
    handed = read_submission(folder, "ada")
    assert handed.failure == "its files are larger than 5 bytes together"
    assert handed.submission.files == {}
    assert read_submission(folder, "ada").content_hash == handed.content_hash


NAMES = (
    st.lists(
        st.sampled_from(["a", "b", ".", "*", "[", "c", "fe", ".pyc", ".ipynb"]),
        min_size=1,
        max_size=4,
    )
    .map("".join)
    .filter(lambda name: name not in (".", ".."))
)


@settings(deadline=None)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=8))
def test_other_files_are_left_behind_where_nbgrader_leaves_them(tmp_path_factory, paths):
    from nbgrader.utils import find_all_files

    root = tmp_path_factory.mktemp("files")
    for parts in paths:
        path = root.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        except OSError:
            continue  # a file stands where a folder has to be
    rules = FileRules(ignore=("*.pyc", "fe*", ".b*", "[ab]c", "feedback"))
    theirs = {
        os.path.relpath(path, root)
        for path in find_all_files(str(root), [*rules.ignore, "*.ipynb"])
    }
    submission = read_submission(root, "ada").submission
    assert set(laid_down(submission, {}, {}, rules)) == theirs


def test_helpers_lie_over_the_students_files_and_notebooks_over_both():
    submission = Submission(
        "ada",
        {
            "part.ipynb": b"hers",
            "other.ipynb": b"hers",
            "data/x.ipynb": b"hers",
            "helper.py": b"hers",
            "own.py": b"hers",
            "lib/a/b.py": b"hers",
            "tests": b"hers",
        },
    )
    helpers = {"helper.py": b"ours", "lib/a": b"ours", "tests/t.py": b"ours"}
    assert laid_down(submission, {"part": b"run"}, helpers, FileRules()) == {
        "part.ipynb": b"run",
        "helper.py": b"ours",
        "own.py": b"hers",
        "lib/a": b"ours",
        "tests/t.py": b"ours",
    }


@given(
    st.dictionaries(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1,
                            max_size=9), st.binary(max_size=9), max_size=5)
)  # fmt: skip
def test_a_hash_tells_names_and_bytes_apart(files):
    moved = {f"{name}x": content for name, content in files.items()}
    assert (hash_files(files) == hash_files(moved)) == (not files)
    longer = {name: content + b"x" for name, content in files.items()}
    assert (hash_files(files) == hash_files(longer)) == (not files)


def test_files_are_laid_down_with_nbgraders_permissions(tmp_path):
    lay_down(tmp_path / "a", {"x.txt": b"1", "d/y.txt": b"2"}, FileRules())
    assert stat.S_IMODE((tmp_path / "a" / "x.txt").stat().st_mode) == 0o444
    shared = FileRules(mode=0o664, shared=True)
    lay_down(tmp_path / "b", {"x.txt": b"1", "d/y.txt": b"2"}, shared)
    assert stat.S_IMODE((tmp_path / "b" / "d" / "y.txt").stat().st_mode) == 0o664
    for folder in (tmp_path / "b", tmp_path / "b" / "d"):
        assert folder.stat().st_mode & 0o2770 == 0o2770


def test_a_new_folder_takes_the_old_ones_place_in_one_step(tmp_path):
    folder = tmp_path / "ada" / "hw"
    with Nursery(tmp_path, "hw", FileRules()) as nursery:
        nursery.grow("ada", {"x": b"1"})
        assert not folder.exists()
        nursery.take_away("ada", folder)
        nursery.hand_over("ada", folder)
        assert (folder / "x").read_bytes() == b"1"
        nursery.grow("ada", {"x": b"2"})
        nursery.take_away("ada", folder)
        assert not folder.exists()
        nursery.put_back("ada", folder)
        assert (folder / "x").read_bytes() == b"1"
        nursery.take_away("ada", folder)
        nursery.hand_over("ada", folder)
        assert (folder / "x").read_bytes() == b"2"
    assert [path.name for path in tmp_path.iterdir()] == ["ada"]


def test_a_student_without_a_new_folder_has_none(tmp_path):
    folder = tmp_path / "ada" / "hw"
    with Nursery(tmp_path, "hw", FileRules()) as nursery:
        nursery.grow("ada", {"x": b"1"})
        nursery.hand_over("ada", folder)
        nursery.take_away("ada", folder)
        nursery.hand_over("ada", folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    left = Nursery(tmp_path, "hw", FileRules())
    left.grow("ada", {"x": b"1"})
    assert (left.folder / "new" / "ada" / "x").is_file()
    with Nursery(tmp_path, "hw", FileRules()):
        assert not (left.folder / "new").exists()
    assert not left.folder.exists()
