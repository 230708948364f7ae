"""What bubblewrap is told to show: the system, this Python, this package, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import markbook
from markbook.kernels.sandbox import places
from markbook.kernels.sandbox.bwrap import command, seen_in_tmp

if TYPE_CHECKING:
    import pytest


def _inside(wrap: tuple[str, ...], code: str) -> str:
    ran = subprocess.run(
        [*wrap, sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/",
        env={"PATH": "/usr/bin"},
    )  # fmt: skip
    return ran.stdout.strip()


def test_the_server_sees_this_interpreter_and_this_package(bubblewrap: str) -> None:
    code = "import markbook, sys; print(markbook.__file__, sys.prefix)"
    assert _inside(command(), code) == f"{markbook.__file__} {sys.prefix}"


def test_the_server_sees_neither_the_repository_nor_home(bubblewrap: str) -> None:
    root = Path(markbook.__file__).parents[2]
    hidden = [str(root / "tests"), str(root / ".git"), str(root / "gradebook.db"), str(Path.home())]
    seen = _inside(command(), f"import os; print([os.path.isdir(p) for p in {hidden[:2]}])")
    assert seen == "[False, False]"
    listed = _inside(
        command(), f"import os; p = {hidden[3]!r}\nprint(os.listdir(p) if os.path.isdir(p) else [])"
    )
    ways = [Path(p) for p in (sys.prefix, sys.base_prefix, markbook.__file__)]
    home = Path(hidden[3])
    leading = {way.relative_to(home).parts[0] for way in ways if way.is_relative_to(home)}
    assert set(eval(listed)) <= leading, "of home, the ways to this Python and this package only"


def test_nothing_is_writable_for_the_server_but_its_own_folders(bubblewrap: str) -> None:
    code = (
        "import os\nfound = []\nfor d, ds, _ in os.walk('/'):\n"
        "    ds[:] = [x for x in ds if os.path.join(d, x) != '/proc']\n"
        "    if d.count('/') < 4 and os.access(d, os.W_OK): found.append(d)\nprint(sorted(found))"
    )
    found = _inside(command(), code)
    assert set(eval(found)) <= {
        places.ROOMS, places.SERVER, f"{places.SERVER}/matplotlib", "/dev/shm", "/dev/pts",
    }  # fmt: skip


def test_what_is_shown_in_tmp_is_known_by_folders_and_links() -> None:
    words = (
        "--ro-bind", "/usr", "/usr", "--ro-bind", "/tmp/venv", "/tmp/venv",
        "--symlink", "3.11.7", "/tmp/pythons/3.11", "--dir", "/tmp", "--dir", "/tmp/pythons",
    )  # fmt: skip
    assert seen_in_tmp(words) == (("/tmp/venv", ""), ("/tmp/pythons/3.11", "3.11.7"))


def test_a_list_of_fonts_is_handed_on(
    bubblewrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fontlist-v1.json").write_text("{}")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    code = f"import os; print(open('{places.SERVER}/matplotlib/fontlist-v1.json').read())"
    assert _inside(command(), code) == "{}"


def test_an_interpreter_that_is_reached_by_links_is_found_and_their_folders_are_not_shown(
    bubblewrap: str, tmp_path: Path
) -> None:
    version, home = tmp_path / "versions" / "current", tmp_path / "home"
    version.parent.mkdir()
    version.symlink_to(sys.base_prefix)
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "secret").write_text("mine")
    (home / "bin" / "python").symlink_to(version / "bin" / f"python3.{sys.version_info.minor}")
    environment = tmp_path / "environment"
    make = [str(version / "bin" / "python3"), "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(make, check=True)
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to(home / "bin" / "python")
    program = f"""
import os, subprocess, sys
sys.path[:0] = {[str(Path(markbook.__file__).parents[1]), *sys.path]!r}
from markbook.kernels.sandbox.bwrap import command, seen_in_tmp
code = "import mmap, os, sys; print(sys.prefix, os.path.exists({str(home / "bin" / "secret")!r}))"
subprocess.run([*command(), sys.executable, "-c", code], check=True, cwd="/")
"""
    ran = subprocess.run(
        [str(environment / "bin" / "python"), "-c", program],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout == f"{environment} False\n", ran.stderr
