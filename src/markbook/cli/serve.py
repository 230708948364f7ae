"""Starting the marking page: a server in a process of its own, which ends with this one."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from markbook.cli import show
from markbook.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.course import Course

__all__ = ["serve_page"]

# Seconds that a server gets to let running requests end.
_PATIENCE = 10.0


def serve_page(
    course: Course, assignment: str, *, question: str | None, marker: str, browser: bool
) -> None:
    """Serve the marking page until Ctrl-C; print its address, and open it with ``browser``."""
    page = f"/markbook/a/{quote(assignment, safe='')}"
    if question is not None:
        page += f"/q/{quote(question, safe='')}"
    arguments = {
        "MarkbookApp.course": str(course.root),
        "MarkbookApp.marker": marker,
        "MarkbookApp.default_url": page,
        "MarkbookApp.open_browser": str(browser),
        "MarkingApp.attached": "True",
        "Application.log_level": "ERROR",
    }
    with _server([f"--{name}={value}" for name, value in arguments.items()]) as server:
        address = _address(server)
        show.line(f"marking     {assignment}, marker {marker}")
        show.line(f"            {address}")
        show.line("            Ctrl-C ends it. What you mark is stored at once.")
        try:
            server.wait()
        except KeyboardInterrupt:
            show.line()


@contextmanager
def _server(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    # The token goes by the environment: a command line can be read by everyone on the machine.
    environment = os.environ | {"JUPYTER_TOKEN": secrets.token_hex(24)}
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "markbook.server", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process, which then ends the server
    )
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield server
    finally:
        _end(server)
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _end(server: subprocess.Popen[str]) -> None:
    """End the server in order: it ends by itself when its input does, also if we are killed."""
    for stream in (server.stdin, server.stdout):
        if stream is not None:
            stream.close()
    try:
        server.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _address(server: subprocess.Popen[str]) -> str:
    line = server.stdout.readline() if server.stdout is not None else ""
    if not line:
        raise InternalError(
            "The marking page's server did not start.",
            hint="What it said stands above; 'markbook mark ASSIGNMENT --terminal' needs none.",
        )
    return str(json.loads(line)["url"])
