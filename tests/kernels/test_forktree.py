"""Who descends from whom, with and without the kernel's own lists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from markbook.kernels import forktree

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are files on Linux"
)


@pytest.mark.parametrize("listed", [True, False])
def test_children_are_found_also_where_linux_was_built_without_lists_of_them(
    listed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_text = Path.read_text

    def unlisted(path: Path, *arguments: Any) -> str:
        if path.name == "children":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return read_text(path, *arguments)

    if not listed:
        monkeypatch.setattr(Path, "read_text", unlisted)
    program = tmp_path / "x) S 1 ("  # a name that looks like the end of a name, and what follows
    program.write_bytes(Path(shutil.which("sleep") or "").read_bytes())
    program.chmod(0o700)
    with subprocess.Popen([program, "600"]) as child:
        try:
            assert child.pid in forktree.children(os.getpid())
            assert forktree.children(child.pid) == []
        finally:
            child.kill()
    assert child.pid not in forktree.children(os.getpid())


def test_what_bears_a_mark_is_ended_and_nothing_else() -> None:
    marked = {**os.environ, "MARKBOOK_TEST": "abc"}
    with (
        subprocess.Popen(["sleep", "600"], env=marked) as ours,
        subprocess.Popen(["sleep", "600"], env={**marked, "MARKBOOK_TEST": "abcd"}) as other,
    ):
        try:
            forktree.end_marked("MARKBOOK_TEST=abc")
            assert ours.wait(10) == -9
            assert other.poll() is None
        finally:
            ours.kill()
            other.kill()
