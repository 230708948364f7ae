"""No attack of ``attacks.py`` gets anywhere, by root's kernels and by an ordinary user's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))
from attacks import ATTACKS, Attack

NOBODY = 65534
MB = 1024**2


@pytest.fixture(scope="module", params=["root", "user"])
def found(request: pytest.FixtureRequest, bubblewrap: str) -> dict[str, Any]:
    """What came of all attacks, by root and by an ordinary user."""
    with _folder() as folder:
        return _tried(request.param, folder, bubblewrap)


@cache
def _by_name() -> dict[str, Attack]:
    return {attack.name: attack for attack in ATTACKS}


def _folder() -> Any:
    # Where anybody may go: pytest's own folders are their user's only.
    folder = tempfile.TemporaryDirectory(prefix="mbe-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o1777)
    return folder


def _tried(who: str, folder: str, bubblewrap: str) -> dict[str, Any]:
    runner = [sys.executable, str(Path(__file__).with_name("runner.py")), folder]
    root = os.getuid() == 0
    if who == "user" and root:
        runner = [*_as_nobody(bubblewrap), *runner]
    elif who == "root" and not root:
        runner = ["sudo", "-n", *runner]
        if shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"]).returncode:
            if os.environ.get("CI") == "true":
                pytest.fail("in CI attacks are tried as root, too, and sudo does not let us")
            pytest.skip("run this as root, or where sudo asks for no password")
    environment = {**os.environ, "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        runner, capture_output=True, text=True, timeout=900, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    result: dict[str, Any] = json.loads(ran.stdout)
    assert result["who"] == who
    return result


def _as_nobody(bubblewrap: str) -> list[str]:
    """Return words that run something as an ordinary user who can see this interpreter."""
    words = [bubblewrap, "--dev-bind", "/", "/"]
    needed = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[3]}
    closed = sorted({folder for path in needed for folder in _closed_to_others(path)})
    for folder in closed:
        words += ["--tmpfs", str(folder)]
    for path in sorted(needed):
        above = [p for p in reversed(path.parents) if any(p.is_relative_to(c) for c in closed)]
        words += [word for p in above for word in ("--dir", str(p))]
        words += ["--ro-bind", str(path), str(path)]
    return [*words, "setpriv", f"--reuid={NOBODY}",
            f"--regid={NOBODY}", "--clear-groups"]  # fmt: skip


def _closed_to_others(path: Path) -> Iterator[Path]:
    """Yield the topmost folder above a path that others may not go through."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            yield folder
            return


def _outcome(found: dict[str, Any], name: str) -> dict[str, Any]:
    outcome: dict[str, Any] = found["attacks"][name]
    return outcome


@pytest.mark.parametrize("name", [a.name for a in ATTACKS if a.works])
def test_an_attack_works_when_nothing_is_locked_up(found: dict[str, Any], name: str) -> None:
    if found["who"] not in _by_name()[name].works:
        assert "open" not in _outcome(found, name)
        return
    assert "ESCAPED" in _outcome(found, name)["open"]["said"]


@pytest.mark.parametrize("name", [a.name for a in ATTACKS])
def test_an_attack_gets_nowhere_when_locked_up(found: dict[str, Any], name: str) -> None:
    attack, locked = _by_name()[name], _outcome(found, name)["locked"]
    assert "ESCAPED" not in locked["said"]
    assert attack.says in locked["said"]
    # It ran: it said something, or was ended for a reason with a name.
    assert locked["said"] or locked["stopped"]
    if attack.stopped is not None:
        assert locked["stopped"] == attack.stopped
    else:
        assert locked["stopped"] in (None, "MEMORY")
    assert locked["victim"], "the process to kill is dead"


def test_nothing_that_a_kernel_started_outlives_it(found: dict[str, Any]) -> None:
    left = {name: tried["survivors"] for name, tried in found["attacks"].items()}
    assert not any(left.values()), left


def test_the_grader_takes_no_more_memory_for_a_flood(found: dict[str, Any]) -> None:
    floods = [n for n in found["attacks"] if "flood" in n or "huge" in n]
    assert len(floods) == 3
    assert max(found["attacks"][name]["grown"] for name in floods) < 40 * MB


def test_attacks_are_tried_by_somebody_who_is_root_and_by_somebody_who_is_not(
    found: dict[str, Any],
) -> None:
    assert (found["uid"] == 0) == (found["who"] == "root")
