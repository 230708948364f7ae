"""The extension inside an ordinary Jupyter server, with that server's own users and rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import markbook.server
from markbook.server.app import MarkbookApp

CONFIG = """
from jupyter_server.auth import Authorizer, IdentityProvider, User

class Names(IdentityProvider):
    async def get_user(self, handler):
        name = handler.request.headers.get("X-Name")
        return User(name) if name else None

class Rules(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return not (resource == "markbook" and user.username == "guest" and action == "write")

c = get_config()
c.ServerApp.identity_provider_class = Names
c.ServerApp.authorizer_class = Rules
"""


@contextmanager
def jupyter(folder, make_client, *options):
    """An ordinary Jupyter server with the extension, started in ``folder``."""
    runtime = folder.parent / "runtime"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter_server",
            "--ServerApp.jpserver_extensions={'markbook.server': True}",
            "--ServerApp.open_browser=False",
            "--ServerApp.allow_unauthenticated_access=False",
            "--allow-root",
            "--port=0",
            "--log-level=ERROR",
            *options,
        ],
        cwd=folder,
        env=os.environ | {"JUPYTER_TOKEN": "a-token", "JUPYTER_RUNTIME_DIR": str(runtime)},
    )
    try:
        until = time.monotonic() + 60
        while not (found := list(runtime.glob("jpserver-*.json"))):
            assert server.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(0.2)  # the file is there a moment before it is written
        about = json.loads(found[0].read_text())
        client = make_client(f"http://127.0.0.1:{about['port']}/?token=a-token")
        yield client
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def named(course, make_client, tmp_path):
    """A server that knows its users by name; guests may only look."""
    config = tmp_path / "named_config.py"
    config.write_text(CONFIG)
    with jupyter(course.root, make_client, f"--config={config}") as client:
        yield client


def test_it_is_at_its_place_in_any_server_that_runs_in_a_course(course, make_client):
    with jupyter(course.root, make_client) as client:
        client.sign_in()
        assert b"hw" in client.get("/markbook").body
        assert client.open()["mark"] is None


def test_outside_a_course_it_says_so_and_harms_nothing(tmp_path, make_client):
    empty = tmp_path / "empty"
    empty.mkdir()
    with jupyter(empty, make_client) as client:
        client.get(f"/markbook?token={client.token}")
        reply = client.get("/markbook")
        assert reply.status == 409
        assert b"nbgrader_config.py" in reply.body
        assert client.get("/api/status").status == 200
    assert list(empty.iterdir()) == []


def test_a_course_without_a_gradebook_gets_none_by_being_looked_at(course, make_client):
    (course.root / "gradebook.db").unlink()
    with jupyter(course.root, make_client) as client:
        client.get(f"/markbook?token={client.token}")
        reply = client.get("/markbook")
        assert reply.status == 409
        assert b"autograde" in reply.body
    assert not (course.root / "gradebook.db").exists()


def test_marks_carry_the_name_under_which_the_server_knows_a_person(named):
    named.get("/markbook", headers={"X-Name": "ada.lovelace"})
    place = f"{named.api()}/open"
    item = named.post(place, headers={"X-Name": "ada.lovelace"}).json["item"]
    body = {"earned": [], "row_version": item["row_version"]}
    address = f"{named.api()}/item/{item['id']}/mark"
    saved = named.post(address, body, headers={"X-Name": "ada.lovelace"}).json["saved"]
    assert saved["mark"]["marker"] == "ada.lovelace"
    assert named.post(address, body).status == 403


def test_two_people_on_one_server_get_different_answers(named):
    given = []
    for name in ("ada", "ben"):
        named.get("/markbook", headers={"X-Name": name})
        reply = named.post(f"{named.api('doors')}/open", headers={"X-Name": name})
        given.append(reply.json["item"]["id"])
    assert given[0] != given[1]


def test_an_authorizer_decides_who_may_write(named):
    named.get("/markbook", headers={"X-Name": "guest"})
    assert named.get(f"{named.api()}/question", headers={"X-Name": "guest"}).status == 200
    reply = named.post(f"{named.api()}/open", headers={"X-Name": "guest"})
    assert (reply.status, reply.json["error"]["code"]) == (403, "forbidden")


def test_installing_the_package_enables_the_extension(repository):
    shipped = repository / "src" / "markbook" / "server" / "jupyter-config" / "markbook.json"
    enabled = json.loads(shipped.read_text())["ServerApp"]["jpserver_extensions"]
    assert enabled == {MarkbookApp.get_extension_package(): True}
    (point,) = markbook.server._jupyter_server_extension_points()
    assert point["app"] is MarkbookApp
    installed = Path(sys.prefix) / "etc" / "jupyter" / "jupyter_server_config.d" / "markbook.json"
    assert json.loads(installed.read_text()) == json.loads(shipped.read_text())
