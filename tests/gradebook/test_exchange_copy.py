"""Submissions in the exchange that were laid down by hand, to reach what is not theirs."""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
from pathlib import Path

import pytest

from markbook.gradebook import nbgrader

WHEN = "2026-01-02 03:04:05.000000 UTC"


@pytest.fixture
def course(released):
    root = released.root.parent / "exchange"
    for name in ("inbound", "outbound", "feedback"):
        (root / "tiny" / name).mkdir(parents=True)
    root.chmod(0o777)
    path = released.root / "nbgrader_config.py"
    path.write_text(f"{path.read_text()}c.Exchange.root = {str(root)!r}\n")
    return dataclasses.replace(released, exchange_root=str(root))


@pytest.fixture
def hand_in(course, tiny):
    def hand_in(student, damage=None, name=None):
        made = tiny.submit(course, "maker", {"keys": f"{student} says so."})
        inbound = Path(course.exchange_root) / "tiny" / "inbound"
        folder = inbound / (name or f"{student}+hw+{WHEN}+0123456789")
        made.rename(folder)
        made.parent.rmdir()
        if damage is not None:
            damage(folder, course.root / "gradebook.db")
        return folder

    return hand_in


def links_a_file(folder, secret):
    (folder / "data.csv").symlink_to(secret)


def links_a_folder(folder, secret):
    (folder / "data").symlink_to(secret.parent)


def is_a_link(folder, secret):
    shutil.rmtree(folder)
    folder.symlink_to(secret.parent / "source" / "hw")


def links_hard(folder, secret):
    os.link(secret, folder / "data.csv")


def waits(folder, secret):
    os.mkfifo(folder / "data.csv")


def is_endless(folder, secret):
    with (folder / "data.csv").open("wb") as stream:
        stream.truncate(10**12)


def test_what_reaches_out_of_the_exchange_is_refused_by_name_and_the_others_are_taken(
    course, hand_in
):
    hand_in("ada")
    reasons = {
        links_a_file: "data.csv is a link, not a file",
        links_a_folder: "data is a link, not a file",
        is_a_link: f"eve2+hw+{WHEN}+0123456789 is a link, not a file",
        links_hard: "data.csv has another name outside the submission (a hard link)",
        waits: "data.csv is a pipe or device, not a file",
        is_endless: "its files are larger than 100 MB together",
    }
    for number, damage in enumerate(reasons):
        hand_in(f"eve{number}", damage)
    hand_in("eve7", name="eve7+hw+no time at all+0123456789")
    hand_in("eve8", name=f"eve\u202e8+hw+{WHEN}+0123456789")
    hand_in("eve9", name=f"..+hw+{WHEN}+0123456789")
    found = nbgrader.collect(course, "hw")
    assert found.students == ("ada",)
    expected = {f"eve{number}": why for number, why in enumerate(reasons.values())}
    expected["eve7+hw+no time at all+0123456789"] = "its name holds no time"
    expected[f"eve[U+202E]8+hw+{WHEN}+0123456789"] = (
        "its name holds no student that a folder could be called"
    )
    assert dict(found.refused) == expected
    assert course.students("submitted", "hw") == ("ada",)
    taken = course.submitted("hw", "ada")
    assert stat.S_IMODE(taken.stat().st_mode) == 0o700
    assert (taken / "part.ipynb").is_file()
    assert not (course.root / "hw").exists(), "'..' was taken for a student"


def test_a_refused_submission_leaves_the_one_before_it_alone(course, hand_in):
    hand_in("ada")
    nbgrader.collect(course, "hw")
    before = (course.submitted("hw", "ada") / "part.ipynb").read_bytes()
    hand_in("ada", links_a_file, f"ada+hw+{WHEN.replace('03:', '04:')}+0123456789")
    found = nbgrader.collect(course, "hw")
    assert dict(found.refused) == {"ada": "data.csv is a link, not a file"}
    assert (course.submitted("hw", "ada") / "part.ipynb").read_bytes() == before


def test_what_the_course_ignores_is_not_copied(course, hand_in):
    folder = hand_in("ada")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "deep" / "a.csv").write_text("1,2")
    (folder / "data" / "b.pyc").write_text("")
    nbgrader.collect(course, "hw")
    taken = course.submitted("hw", "ada")
    names = {str(p.relative_to(taken)) for p in taken.rglob("*") if p.is_file()}
    assert {"part.ipynb", "data/deep/a.csv"} <= names
    assert not any("checkpoint" in name or name.endswith(".pyc") for name in names)
