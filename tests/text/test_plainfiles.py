"""What other people laid down is read as plain files, or refused with a phrase."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from markbook.text import plainfiles
from markbook.text.plainfiles import Bounds, read_folder, read_plain, shown_name

SMALL = Bounds(size=1_000, files=10, depth=3, path=60)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "eve" / "hw"
    (made / "data").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "data" / "b.txt").write_text("b")
    return made


def test_every_file_is_found_by_its_path(folder):
    found = read_folder(folder, SMALL)
    assert (found.files, found.refusal) == ({"a.txt": b"a", "data/b.txt": b"b"}, None)


def leads_out(folder, outside):
    os.link(outside, folder / "data" / "mine.csv")


def is_full(folder, outside):
    for number in range(20):
        (folder / f"{number}.txt").touch()


def is_deep(folder, outside):

    (folder / "1/2/3/4").mkdir(parents=True)


def is_long(folder, outside):
    (folder / ("n" * 70)).touch()


def is_large(folder, outside):
    with (folder / "sparse").open("wb") as stream:
        stream.truncate(10**12)


def is_a_link(folder, outside):
    folder.rename(folder.with_name("other"))
    folder.symlink_to("other")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (leads_out, "data/mine.csv has another name outside the submission (a hard link)"),
        (is_full, "it has more than 10 files and folders"),
        (is_deep, "its folders are nested deeper than 3"),
        (is_long, "it has a file whose path is longer than 60 bytes"),
        (is_large, "its files are larger than 1,000 bytes together"),
        (is_a_link, "hw is a link, not a file"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused_by_name(folder, tmp_path, damage, why):
    outside = tmp_path / "model-answers.txt"
    outside.write_text("secret")
    damage(folder, outside)
    assert read_folder(folder, SMALL).refusal == why


def test_two_names_of_one_file_in_the_submission_are_no_hard_link_out(folder):
    os.link(folder / "a.txt", folder / "data" / "a.txt")
    found = read_folder(folder, SMALL)
    assert found.refusal is None
    assert found.files["data/a.txt"] == b"a"


def test_a_tree_of_a_thousand_folders_is_refused_and_no_recursion_error(folder):
    inner = folder
    for _ in range(900):
        inner /= "d"
    inner.mkdir(parents=True)
    assert read_folder(folder, Bounds()).refusal == "its folders are nested deeper than 32"


def test_a_file_that_grows_while_it_is_read_is_not_taken(folder, monkeypatch):
    def grows(handle, *arguments, **options):
        with (folder / "a.txt").open("a") as stream:
            stream.write("more")
        return real(handle, *arguments, **options)

    real = os.fdopen
    monkeypatch.setattr(plainfiles.os, "fdopen", grows)
    with pytest.raises(OSError, match="changed while it was read"):
        read_folder(folder, SMALL)


def as_pipe(path, outside):
    os.mkfifo(path)


def as_link(path, outside):
    path.symlink_to(outside)


def as_hard_link(path, outside):
    os.link(outside, path)


def as_folder(path, outside):
    path.mkdir()


def as_giant(path, outside):
    path.write_bytes(b"x" * 101)


def as_socket(path, outside):
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (as_pipe, "is a pipe or device"),
        (as_link, "is a link, and links are not followed"),
        (as_hard_link, "has another name"),
        (as_folder, "is a folder, not a file"),
        (as_giant, "is larger than 100 bytes"),
        (as_socket, "is a pipe or device"),
    ],
)
def test_one_file_is_read_only_if_it_is_one(tmp_path, make, why):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    make(tmp_path / "f", outside)
    with pytest.raises(OSError, match=why):
        read_plain(tmp_path / "f", 100)


def test_a_device_is_not_read():
    with pytest.raises(OSError, match="is a pipe or device"):
        read_plain(Path("/dev/zero"), 100)


def test_a_name_with_a_direction_mark_and_a_control_is_shown_with_marks():
    assert shown_name("a\u202efdp.\x1bexe") == "a[U+202E]fdp.[U+001B]exe"
    assert shown_name("b\udcff.txt") == "b?.txt"
