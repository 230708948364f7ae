"""Every module can be imported alone, and none is too long to be read at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"
MODULES = sorted(
    path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.name != "__main__.py" and "migrations" not in path.parts
)
BATCH = 12  # modules for each interpreter, which forks for each of them

# Other people's packages are imported once, before the forks: they cost seconds, and are not meant.
ALONE = """
import os, sys
import alembic, click, jinja2, markdown_it, nbformat, nh3, pydantic, rapidfuzz, rich, ruamel.yaml
import sqlalchemy
failed = []
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            __import__(name)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed.append(name)
sys.exit(bool(failed))
"""


@pytest.mark.parametrize("start", range(0, len(MODULES), BATCH))
def test_each_module_imports_alone_without_a_warning(start: int) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *MODULES[start : start + BATCH]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long
