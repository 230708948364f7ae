"""Every module can be imported alone, and none is too long to be read at once."""

from __future__ import annotations

import ast
import json
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

# Other people's packages are imported once, before the forks: they cost seconds, and are not meant.
# The garbage collector would go through all of them in each fork. Python imports the packages above
# a module before the module: so it does here, once for all that is in a package.
ALONE = """
import gc, importlib, json, os, sys
others, names = json.load(sys.stdin)
for name in others:
    try:
        importlib.import_module(name)
    except ImportError:  # an extra, or a platform's own
        pass
gc.freeze()
gc.disable()

def alone(name):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(f"{name}: {type(error).__name__}: {error}", flush=True)
        os._exit(1)
    print(name, flush=True)
    good = [alone(each) for each in names if each.rpartition(".")[0] == name]
    os._exit(not all(good))

sys.exit(not alone("markbook"))
"""


@pytest.fixture(scope="module")
def others() -> list[str]:
    """The modules of other packages that ours import, at the top or later."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    known = sys.stdlib_module_names | {"markbook", "distributed"}  # Dask starts threads
    return sorted(name for name in found if name.partition(".")[0] not in known)


def test_each_module_imports_alone_without_a_warning(others: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE],
        input=json.dumps([others, MODULES]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(result.stdout.split()) == MODULES


def test_no_module_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long
