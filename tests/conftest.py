"""Fixtures that every test folder may use."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from markbook.startup import skip_slow_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from distributed import LocalCluster

skip_slow_imports()  # as in Markbook's own processes: a second and more for each of xdist's workers

# CI draws the same examples at every run: whether a change lands must not be a matter of luck.
# On a developer's machine they are drawn anew each time, and what is found becomes a test.
# How long an example takes says nothing on a machine that others use, too: no deadlines.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("own", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", deadline=None, suppress_health_check=_SLOW, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "own")

# No test reads or fills the cache of the person who runs it.
os.environ["MARKBOOK_CACHE"] = tempfile.mkdtemp(prefix="markbook-test-cache-")
atexit.register(shutil.rmtree, os.environ["MARKBOOK_CACHE"], ignore_errors=True)

# Courses in there are tests' data, not assignments of ours to be checked as tests themselves.
collect_ignore_glob = ["broken_courses/*"]

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Slowest first, by what each took alone on a busy machine; the others took less than ten seconds.
# `make test` gives a free worker the next whole file (--dist loadfile), and a file of a minute that
# begins last lets the other workers wait for that minute. xdist's own order, most tests first
# (hence --no-loadscope-reorder), does just that: slow files have few tests. Which of these is first
# matters little to two workers: shuffled, they end within a second of each other.
SLOWEST_FIRST = (
    "test_workflow.py",
    "kernels/sandbox/test_escapes.py",
    "server/test_page.py",
    "autograde/test_faults.py",
    "browser/test_jupyterlab.py",
    "benchmarks/test_bench.py",
    "checks/test_broken_courses.py",
    "gradebook/test_grading.py",
    "hostile/test_hostile.py",
    "test_ci.py",
    "server/test_marking.py",
    "gradebook/test_nbgrader.py",
    "course_content/test_assignments.py",
    "suggest/test_step.py",
    "kernels/test_execute.py",
    "test_modules.py",
    "autograde/test_against_nbgrader.py",
    "gradebook/test_worker_process.py",
    "autograde/test_with_nbgrader.py",
    "kernels/test_forkserver.py",
    "autograde/test_run.py",
    "server/test_app.py",
    "honest/test_honest.py",
    "marking/test_rubric_edits.py",
    "cli/test_serve.py",
    "test_pytest_plugin.py",
    "kernels/test_run.py",
    "kernels/examiner/test_examination.py",
    "gradebook/test_marks.py",
    "autograde/test_isolation.py",
    "gradebook/test_database.py",
    "kernels/test_provisioner.py",
    "feedback/test_browser.py",
    "kernels/sandbox/test_room.py",
    "kernels/test_engine.py",
    "cli/test_autograde.py",
    "gradebook/test_exchange_copy.py",
    "server/test_nbgrader.py",
    "checks/test_since.py",
    "fuzz/test_fuzz.py",
    "executors/test_cluster.py",
    "gradebook/test_faults.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In xdist's workers, put the slow files' tests before all others."""
    if hasattr(config, "workerinput"):
        places = {ROOT / "tests" / name: place for place, name in enumerate(SLOWEST_FIRST)}
        items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def tiny() -> Any:
    """The module tests/tiny_course.py: one for all folders, so that nbgrader runs once."""
    if "markbook_tiny_course" not in sys.modules:
        path = Path(__file__).parent / "tiny_course.py"
        spec = importlib.util.spec_from_file_location("markbook_tiny_course", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["markbook_tiny_course"] = module
        spec.loader.exec_module(module)
    return sys.modules["markbook_tiny_course"]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root: a working course."""
    return ROOT


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """The two real student papers; tests that want them skip where they are not."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("the real papers in shared/samples are not on this machine")
    return folder


@pytest.fixture(scope="session")
def published_schema() -> Callable[[str], dict[str, Any]]:
    """The function of tests/schemas.py that returns a published JSON schema by its name."""
    path = Path(__file__).with_name("schemas.py")
    spec = importlib.util.spec_from_file_location("markbook_schemas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    published: Callable[[str], dict[str, Any]] = module.published
    return published


@pytest.fixture
def course_copy(tmp_path: Path) -> Path:
    """A fresh copy of this repository's course: source, release, graders, configuration."""
    return copy_course(tmp_path / "course")


@pytest.fixture(scope="session")
def make_course() -> Callable[[Path], Path]:
    """The function that copies this repository's course to a folder."""
    return copy_course


def copy_course(target: Path) -> Path:
    target.mkdir(parents=True)
    for name in ("source", "release", "graders"):
        shutil.copytree(ROOT / name, target / name)
    shutil.copy(ROOT / "nbgrader_config.py", target)
    return target


@pytest.fixture(autouse=True, scope="session")
def _quiet_machine() -> None:
    """Keep a developer's own Jupyter configuration out of the tests."""
    os.environ["JUPYTER_NO_CONFIG"] = "1"
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """Bubblewrap's program; skips where there is none, but never in CI."""
    from markbook.kernels.sandbox.bwrap import find_bwrap

    program = find_bwrap()
    if program is None:
        hint = "bubblewrap is missing; on Debian: sudo apt-get install bubblewrap"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{hint} (in CI student code has to be locked up)")
        pytest.skip(hint)
    return program


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Skip what runs student code where it cannot be locked up, with the reason; never in CI."""
    from markbook.errors import IsolationError

    try:
        yield
    except IsolationError as error:
        if os.environ.get("CI") == "true" or "isolation" in item.nodeid:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def dask_cluster() -> Iterator[LocalCluster]:
    """A Dask scheduler with two worker processes on this machine."""
    import dask
    from distributed import LocalCluster

    # a task is given up when it ended its worker twice, not four times: starting them takes long
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster
