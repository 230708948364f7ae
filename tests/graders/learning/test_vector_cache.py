"""The cache survives two writers, a killed one and a damaged file, and stays small."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from markbook.graders.learning.vector_cache import VectorCache

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from markbook.graders.learning.vector_cache import VectorCache
cache = VectorCache(Path(sys.argv[1]))
name = sys.argv[2]
for number in range(int(sys.argv[3])):
    cache.write({f"{name}{number}-{i}".encode(): bytes([number % 251]) * 5000 for i in range(4)})
    print(number, flush=True)
"""


def _writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_written_is_read_and_only_that(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "a" / "b.sqlite")
    cache.write({b"one": b"1", b"two": b"22"})
    assert cache.read([b"two", b"three", b"one"]) == {b"one": b"1", b"two": b"22"}


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert VectorCache(tmp_path / "none.sqlite").read([b"k"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_more_keys_are_read_than_one_query_takes(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "c.sqlite")
    items = {str(n).encode(): b"x" for n in range(1201)}
    cache.write(items)
    assert cache.read(items) == items


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "folder" / "c.sqlite")
    cache.write({b"k": b"v"})
    assert cache.path.stat().st_mode & 0o077 == 0
    assert cache.path.parent.stat().st_mode & 0o077 == 0


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    both = [_writer(path, name, 20) for name in "ab"]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    keys = [f"{name}{n}-{i}".encode() for name in "ab" for n in range(20) for i in range(4)]
    assert len(VectorCache(path).read(keys)) == len(keys)


def test_a_killed_writer_leaves_what_it_had_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    process = _writer(path, "a", 100_000)
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cache = VectorCache(path)
    found = cache.read(f"a{n}-{i}".encode() for n in range(9) for i in range(4))
    assert len(found) == 36
    assert all(data == bytes([int(key[1:2])]) * 5000 for key, data in found.items())
    cache.write({b"after": b"fine"})
    assert cache.read([b"after"]) == {b"after": b"fine"}


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 400])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    cache = VectorCache(tmp_path / "c.sqlite")
    cache.path.write_bytes(damage)
    assert cache.read([b"k"]) == {}
    cache.write({b"k": b"v"})
    assert cache.read([b"k"]) == {b"k": b"v"}


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = VectorCache(tmp_path / "file" / "c.sqlite")
    cache.write({b"k": b"v"})
    assert cache.read([b"k"]) == {}


def test_beyond_the_limit_the_longest_unused_goes_first(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "c.sqlite", limit=300_000)
    cache.write({f"old{n}".encode(): b"x" * 5000 for n in range(40)})
    connection = sqlite3.connect(cache.path)
    with connection:
        connection.execute("UPDATE vectors SET used = 1")
    connection.close()
    cache.read([b"old0"])  # wanted today
    cache.write({f"new{n}".encode(): b"x" * 5000 for n in range(30)})
    new = cache.read(f"new{n}".encode() for n in range(30))
    assert len(new) == 30
    assert cache.read([b"old0", b"old1"]).keys() == {b"old0"}
    assert cache.path.stat().st_size < 600_000
