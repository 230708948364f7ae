"""A browser, JupyterLab servers that stop by themselves, and a classroom around an exchange."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LAB_LIFE = 300  # seconds after which a server is killed whatever happens; the test takes 50 to 90
LAB_READY = 45  # seconds; a cold start on two shared cores took 2 to 6
PAGE_PATIENCE = 20_000  # milliseconds; nbgrader's own answers took up to 3 s on a busy machine
COMMAND_LIFE = 120  # seconds for one nbgrader or markbook command
STUDENT = "ada"


# --- the browser ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The folder for screenshots; it outlives the test."""
    default = ROOT / "test-artifacts"
    folder = Path(os.environ.get("MARKBOOK_ARTIFACTS", default)) / "jupyterlab"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium without a window; skips where there is none, but never in CI.

    For one file only: Playwright's event loop runs in this thread for as long as it is open, and
    tests of kernels that come after it in the same process have loops of their own.
    """
    program = shutil.which("chromium")
    if program is None:
        message = "chromium is missing: run tools/install-debian.sh"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PAGE_PATIENCE)

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(CHROMIUM_FLAGS)
        )
        yield opened
        opened.close()


@dataclass(frozen=True)
class Noise:
    """What a page said and asked for that a person would not see."""

    errors: list[str]
    refused: list[str]


@pytest.fixture
def noise() -> Noise:
    """Console errors, uncaught exceptions and refused addresses of ``browser_page``."""
    return Noise([], [])


@pytest.fixture
def browser_page(browser: Browser, noise: Noise) -> Iterator[Page]:
    """A fresh page that reaches local files and 127.0.0.1 and nothing else."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    context.set_default_timeout(PAGE_PATIENCE)

    def offline(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in {"data", "blob", "file"} or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            noise.refused.append(route.request.url)
            route.abort()

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            noise.errors.append(f"{message.text} ({message.location.get('url', '')})")

    context.route("**/*", offline)
    context.on("console", listen)
    context.on("weberror", lambda error: noise.errors.append(str(error.error)))
    yield context.new_page()
    context.close()


# --- people, each with a home and a configuration of their own ----------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody at a computer: a home folder and the environment of their programs."""

    home: Path
    environment: dict[str, str]

    def runs(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``python -m COMMAND`` as this person; the caller judges the exit code."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=cwd or self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIFE,
            check=False,
        )


def make_person(home: Path, nbgrader_config: dict[str, object]) -> Person:
    """Make a home whose Jupyter configuration is only what is passed in here."""
    config = home / ".jupyter"
    config.mkdir(parents=True)
    lines = [f"c.{name} = {value!r}" for name, value in nbgrader_config.items()]
    (config / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines, ""]))
    # The one question that a first start asks ("get news from Jupyter?") is answered.
    news = config / "lab/user-settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}'
    )
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return Person(
        home,
        kept
        | {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTER_DATA_DIR": str(home / ".local/share/jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home / ".local/share/jupyter/runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(config / "lab/user-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(config / "lab/workspaces"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYTHONUNBUFFERED": "1",
        },
    )


# --- JupyterLab ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab on 127.0.0.1."""

    address: str
    token: str
    log: Path

    def url(self, path: str = "lab") -> str:
        return f"{self.address}{path}?token={self.token}"


@pytest.fixture
def start_lab() -> Iterator[Callable[[Person, Path], Lab]]:
    """Start JupyterLab for a person in a folder; every server is gone when the test ends."""
    running: list[subprocess.Popen[bytes]] = []

    def start(person: Person, folder: Path) -> Lab:
        token = secrets.token_hex(16)
        log = person.home.parent / f"{person.home.name}-jupyterlab.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    "timeout", "--kill-after=5", str(LAB_LIFE),
                    sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                    "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={free_port()}",
                    "--ServerApp.port_retries=20", f"--ServerApp.root_dir={folder}",
                    f"--IdentityProvider.token={token}", "--LabApp.news_url=",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                ],
                cwd=folder, env=person.environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        running.append(server)
        return Lab(wait_until_ready(server, person, token, log), token, log)

    yield start
    for server in running:
        stop(server)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(server: subprocess.Popen[bytes], person: Person, token: str, log: Path) -> str:
    """Return the server's address once it answers; fail with its log otherwise."""
    runtime = Path(person.environment["JUPYTER_RUNTIME_DIR"])
    deadline = time.monotonic() + LAB_READY
    while time.monotonic() < deadline and server.poll() is None:
        for said in runtime.glob("jpserver-*.json"):
            address = answering(said, token)
            if address:
                return address
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


def answering(said: Path, token: str) -> str | None:
    """Return the address in a server's own file if that server answers to ``token``."""
    try:
        address = str(json.loads(said.read_text())["url"]).replace("localhost", "127.0.0.1")
        with urllib.request.urlopen(f"{address}api/status?token={token}", timeout=5):
            return address
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end its kernels and itself, then kill what is left of its group."""
    server.terminate()  # `timeout` hands the signal on; kernels have sessions of their own
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    server.wait(timeout=5)


# --- the classroom --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Classroom:
    """An instructor with a course, a student with a home, and the exchange between them."""

    course: Path
    exchange: Path
    instructor: Person
    student: Person

    def markbook(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``markbook`` in the course folder, as the instructor types it."""
        return self.instructor.runs("markbook", *arguments, cwd=self.course)

    def nbgrader(self, *arguments: str) -> str:
        """Run ``nbgrader`` in the course folder; it has to succeed. Returns what it said."""
        done = self.instructor.runs("nbgrader", *arguments, cwd=self.course)
        assert done.returncode == 0, f"nbgrader {arguments}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """This repository's course as authored, and a student who shares only an exchange with it."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)  # nbgrader refuses an exchange that not everybody may write to
    course = tmp_path / "instructor" / "course"
    instructor = make_person(tmp_path / "instructor", {})
    for name in ("source", "graders"):
        shutil.copytree(ROOT / name, course / name)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    student = make_person(
        tmp_path / STUDENT,
        {
            "Exchange.root": str(exchange),
            "CourseDirectory.course_id": "web-development",
            # Else nbgrader takes the account that owns the process, here the instructor's.
            "CourseDirectory.student_id": STUDENT,
        },
    )
    return Classroom(course, exchange, instructor, student)
