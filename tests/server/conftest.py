"""A real server on this machine, stopped after the test, and a client that keeps cookies."""

from __future__ import annotations

import atexit
import dataclasses
import http.client
import json
import os
import select
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from markbook.gradebook import Gradebook
from markbook.model import Suggestion
from markbook.rubrics import load_rubric


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks to a server as a browser does: keeps cookies, sends the XSRF token back."""

    address: str  # of the page, with its token
    cookies: dict = field(default_factory=dict)

    @property
    def token(self):
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(self, method, path, body=None, *, xsrf=True, headers=None):
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if xsrf and "_xsrf" in self.cookies:
            sent["X-XSRFToken"] = self.cookies["_xsrf"]
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
            for line in answer.headers.get_all("Set-Cookie") or ():
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.coded_value
        finally:
            connection.close()
        return reply

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, {} if body is None else body, **more)

    def sign_in(self):
        """Open the page by its address, and follow to where it leads."""
        self.get(f"/markbook?token={self.token}")
        assert self.get("/markbook").status == 200
        return self

    def api(self, question="keys", assignment="hw"):
        return f"/markbook/api/a/{assignment}/q/{quote(question, safe='')}"

    def open(self, question="keys", **how):
        reply = self.post(f"{self.api(question)}/open", how)
        assert reply.status == 200, reply.body
        return reply.json["item"]

    def item(self, item_id, action="", body=None):
        """POST to an item's address, or GET the item."""
        place = f"{self.api(item_id.partition(':')[0])}/item/{quote(item_id, safe='')}"
        return self.post(f"{place}/{action}", body) if action else self.get(place)


# Most of a server's start is imports. One process makes them once, and every server of these tests
# is forked from it, as it would be after ``python -m markbook.server`` (which test_app.py starts).
NURSERY = """
import contextlib, importlib, json, os, pkgutil, socket, sys

import markbook.gradebook, markbook.server
from markbook.server.standalone import main
for package in (markbook.gradebook, markbook.server):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import alembic.config, nbgrader.api, sqlalchemy.dialects.sqlite

def serve(request, pipes):
    for place, pipe in enumerate(pipes[:2]):
        os.dup2(pipe, place)
    for pipe in pipes:
        os.close(pipe)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["markbook.server", *request["arguments"]]
    main()

calls = socket.socket(fileno=int(sys.argv[1]))
while True:
    message, pipes, _, _ = socket.recv_fds(calls, 1 << 20, 3)
    if not message:
        break
    if not os.fork():
        calls.close()
        server = os.fork()
        if not server:
            serve(json.loads(message), pipes)
            break
        for pipe in pipes[:2]:
            os.close(pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])
        os.write(pipes[2], str(code).encode())
        os._exit(0)
    for pipe in pipes:
        os.close(pipe)
    with contextlib.suppress(ChildProcessError):  # those that have ended
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
"""


class Nursery:
    """The process that servers are forked from."""

    def __init__(self):
        self._calls, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a fork takes no threads along
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def start(self, arguments, folder, environment):
        """Start a server; return its standard input and output, and where its exit code comes."""
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
        }
        stdin, stdout, code = os.pipe(), os.pipe(), os.pipe()
        theirs = [stdin[0], stdout[1], code[1]]
        socket.send_fds(self._calls, [json.dumps(request).encode()], theirs)
        for pipe in theirs:
            os.close(pipe)
        return os.fdopen(stdin[1], "wb"), os.fdopen(stdout[0], "rb"), os.fdopen(code[0], "rb")

    def close(self):
        self._calls.close()
        self._process.wait(20)


@cache
def _nursery():
    nursery = Nursery()
    atexit.register(nursery.close)
    return nursery


@contextmanager
def served(course, *, marker="grace"):
    """Start a server for a course; give a client that is not signed in."""
    stdin, stdout, code = _nursery().start(
        [
            f"--MarkbookApp.course={course.root}",
            f"--MarkbookApp.marker={marker}",
            "--MarkbookApp.open_browser=False",
            "--MarkingApp.attached=True",
            "--Application.log_level=ERROR",
        ],
        course.root,
        os.environ | {"JUPYTER_TOKEN": "the-token-of-this-test"},
    )
    with code, stdout:
        try:
            line = stdout.readline()
            assert line, "the server did not start"
            yield Client(json.loads(line)["url"])
        finally:
            stdin.close()
            assert select.select([code], [], [], 20)[0], "the server did not end"
            assert code.read() == b"0"


@pytest.fixture
def course(tiny, tmp_path):
    """A course of three students, autograded, with suggestions for one question."""
    return prepared(tiny, tmp_path / "course")


@pytest.fixture
def make_client():
    """Make a client of a server by its address, not signed in."""
    return Client


@pytest.fixture
def serve():
    """Start a server of one's own: ``with serve(course, marker="ben") as client``."""
    return served


@pytest.fixture
def client(course):
    """Somebody signed in as grace, at a server of this test's own."""
    with served(course) as client:
        yield client.sign_in()


@pytest.fixture(scope="module")
def shared_course(tiny, tmp_path_factory):
    """The course of the server that a module's tests share, and leave as it is."""
    return prepared(tiny, tmp_path_factory.mktemp("shared") / "course")


@pytest.fixture(scope="module")
def shared_address(shared_course):
    with served(shared_course) as client:
        client.sign_in()  # the gradebook is open from here on
        yield client.address


@pytest.fixture
def stranger(shared_address):
    """Somebody who has no token yet, at the shared server."""
    return Client(shared_address)


@pytest.fixture
def grace(shared_address):
    """Somebody signed in at the shared server."""
    return Client(shared_address).sign_in()


def prepared(tiny, target):
    course = tiny.copy_of("autograded", target)
    rubric = load_rubric(course.rubric("hw", "doors"))
    with Gradebook.open(course) as gb:
        gb.save_rubric("hw", rubric)
        gb.replace_suggestions("hw", "doors", list(_suggestions(gb, rubric)))
    return course


def _suggestions(gb, rubric):
    for answer in gb.answers("hw", "doors"):
        if answer.text not in ("They open.", "They shut."):
            continue
        made = Suggestion(
            question="doors",
            answer_hash=answer.hash,
            criterion="",
            awarded=False,
            confidence=0.8,
            grader="test",
            rubric_version=rubric.version,
        )
        for criterion in rubric.criteria:
            awarded = criterion.id == "right"
            evidence = {"span": answer.text[:4], "start": 0, "end": 4} if awarded else {}
            yield dataclasses.replace(made, criterion=criterion.id, awarded=awarded, **evidence)
