"""Who gets in, what a request may say, and what every response says about itself."""

from __future__ import annotations

import re
import socket
from urllib.parse import quote, urlsplit

import pytest

from markbook.gradebook import Gradebook
from markbook.server.api import LARGEST, ROUTES
from markbook.server.base import HEADERS

PAGES = ["/markbook", "/markbook/a/hw", "/markbook/a/hw/q/keys"]
FILE = "/markbook/static/icon.svg"
IDS = {"item": "keys:0123456789abcdef", "groups": "some-group"}
DECISION = {"earned": ["right"], "adjustment": 0, "reason": "", "comment": "", "row_version": 0}


def addresses(kind):
    """The API's addresses with an id in each place, for reading or for writing."""
    return [
        "/markbook/api/a/hw/q/keys/"
        + re.sub(r"(item|groups)/\(\[\^/\]\+\)", lambda m: f"{m[1]}/{IDS[m[1]]}", route.path)
        for route in ROUTES
        if getattr(route, kind) is not None
    ]


READS, WRITES = addresses("read"), addresses("write")


def error_of(reply):
    """The error of a reply; every error has the same shape."""
    error = reply.json["error"]
    assert set(error) == {"code", "what", "hint"}
    assert error["code"]
    assert error["what"]
    return error


def test_every_address_of_the_api_is_tried_here():
    assert len(READS) + len(WRITES) == sum(bool(r.read) + bool(r.write) for r in ROUTES)
    assert not [address for address in READS + WRITES if "(" in address]


# Without a token


@pytest.mark.parametrize("address", READS)
def test_nothing_is_read_without_a_token(stranger, address):
    reply = stranger.get(address)
    assert (reply.status, error_of(reply)["code"]) == (403, "signed-out")


@pytest.mark.parametrize("address", WRITES)
def test_nothing_is_written_without_a_token(stranger, shared_course, tiny, address):
    before = tiny.dump(shared_course)
    reply = stranger.post(address, DECISION)
    assert (reply.status, error_of(reply)["code"]) == (403, "signed-out")
    forged = {"Cookie": "_xsrf=2|a|b|1", "X-XSRFToken": "2|a|b|1", "Authorization": "token wrong"}
    assert stranger.post(address, DECISION, headers=forged).status == 403
    assert tiny.dump(shared_course) == before


@pytest.mark.parametrize("address", [*PAGES, FILE, "/markbook/nowhere"])
def test_whoever_has_no_token_is_sent_to_the_login(stranger, address):
    reply = stranger.get(address)
    assert reply.status == 302
    assert reply.headers["Location"].startswith("/login")
    assert b"hw" not in reply.body


def test_a_wrong_token_is_no_token(stranger):
    assert stranger.get("/markbook?token=wrong").status == 302
    assert stranger.get("/markbook/api/a/hw/q/keys/question?token=wrong").status == 403


def test_a_server_under_another_name_is_not_served(grace):
    assert grace.get("/markbook", headers={"Host": "evil.example"}).status == 403


def test_the_token_leaves_the_address(stranger):
    reply = stranger.get(f"/markbook/a/hw?by=useful&token={stranger.token}")
    assert (reply.status, reply.headers["Location"]) == (302, "/markbook/a/hw?by=useful")


def test_the_server_of_the_page_runs_no_code_and_gives_no_files(grace):
    for address in ("/api/kernels", "/api/contents", "/files/nbgrader_config.py", "/api/sessions"):
        assert grace.get(address).status == 404
    assert grace.post("/api/kernels", {}).status in (403, 404)


# Forged requests


@pytest.mark.parametrize("address", WRITES)
def test_a_write_without_its_xsrf_token_is_refused(grace, shared_course, tiny, address):
    before = tiny.dump(shared_course)
    reply = grace.post(address, DECISION, xsrf=False)
    assert (reply.status, error_of(reply)["code"]) == (403, "xsrf")
    by_token = {"Authorization": f"token {grace.token}"}
    reply = grace.post(address, DECISION, xsrf=False, headers=by_token)
    assert (reply.status, error_of(reply)["code"]) == (403, "xsrf")
    reply = grace.post(f"{address}?token={grace.token}", DECISION, xsrf=False)
    assert (reply.status, error_of(reply)["code"]) == (403, "xsrf")
    assert tiny.dump(shared_course) == before


def test_a_page_of_another_origin_writes_nothing_and_reads_nothing(grace):
    elsewhere = {"Origin": "https://evil.example"}
    reply = grace.post(f"{grace.api()}/open", headers=elsewhere)
    assert reply.status == 404
    by_token = elsewhere | {"Authorization": f"token {grace.token}"}
    reply = grace.get(f"{grace.api()}/question", headers=by_token)
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


# Headers


def assert_headers(reply):
    expected = {name: value for name, value in HEADERS.items() if name != "Cache-Control"}
    assert {name: reply.headers.get(name) for name in expected} == expected
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", [*PAGES, *READS, FILE, "/markbook/nowhere", "/markbook/a/x"])
def test_every_response_carries_the_headers_signed_in_or_not(stranger, address):
    assert_headers(stranger.get(address))
    reply = stranger.sign_in().get(address)
    assert_headers(reply)
    if "/static/" not in address:
        assert reply.headers["Cache-Control"] == "no-store"


def test_refused_requests_carry_the_headers_too(grace):
    for reply in (
        grace.post(f"{grace.api()}/open", xsrf=False),
        grace.post(f"{grace.api()}/open", b"{"),
        grace.post("/markbook"),
        grace.ask("PUT", f"{grace.api()}/open", {}),
        grace.ask("OPTIONS", f"{grace.api()}/open"),
        grace.get(f"{grace.api()}/open"),
    ):
        assert reply.status in (400, 403, 405)
        assert_headers(reply)


# What is not there


@pytest.mark.parametrize(
    "address",
    [
        "/markbook/api/a/other/q/keys/question",
        "/markbook/api/a/hw/q/other/question",
        "/markbook/api/a/hw/q/add-visible/question",
        "/markbook/api/a/..%2F..%2Fetc/q/keys/question",
        "/markbook/api/a/hw/q/..%2F..%2Fnbgrader_config.py/question",
        "/markbook/api/a/hw/q/%00/question",
        "/markbook/api/a/hw/q/keys/item/nobody",
        "/markbook/api/a/hw/q/keys/item/..%2F..%2Fgradebook.db",
        "/markbook/api/a/hw/q/keys/item/nobody/history",
        "/markbook/api/a/hw/q/keys/nothing",
        "/markbook/a/other",
        "/markbook/a/hw/q/other",
        "/markbook/a/..%2Fsource",
        "/markbook/nowhere",
    ],
)
def test_what_the_course_does_not_have_is_not_found(grace, address):
    reply = grace.get(address)
    assert reply.status == 404
    if "/api/" in address and not address.endswith("/nothing"):
        assert error_of(reply)["code"] == "unknown"


def test_an_answer_of_another_question_is_not_found(grace):
    item = grace.open("doors")
    place = f"{grace.api('keys')}/item/{quote(item['id'], safe='')}"
    for reply in (
        grace.get(place),
        grace.get(f"{place}/history"),
        grace.post(f"{place}/mark", DECISION),
        grace.post(f"{place}/reveal"),
        grace.post(f"{place}/undo"),
        grace.post(f"{place}/flag", {"flagged": True}),
        grace.post(f"{place}/release"),
    ):
        assert (reply.status, error_of(reply)["code"]) == (404, "unknown")


def raw_get(client, path):
    """A GET whose path is sent as it is, which clients otherwise tidy up."""
    parts = urlsplit(client.address)
    cookies = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(f"{request}Connection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize(
    "path",
    [
        "../api.py",
        "..%2fapi.py",
        "%2e%2e/api.py",
        "%2e%2e%2fapi.py",
        "..%5capi.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "js/../../api.py",
        "icon.svg%00.js",
        "js",
        "",
    ],
)
def test_no_file_outside_the_static_folder_is_given(grace, path):
    status, answer = raw_get(grace, f"/markbook/static/{path}")
    assert status in (302, 400, 403, 404)
    assert b"ROUTES" not in answer
    assert b"root:" not in answer


def test_the_files_of_the_static_folder_are_given(grace):
    assert grace.get(FILE).status == 200
    assert grace.get(FILE).headers["Cache-Control"] == "no-cache"
    assert "immutable" in grace.get(f"{FILE}?v=1").headers["Cache-Control"]


# What a body may say


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"earned": ["right"], "row_version": 0, "adjustment": NaN}',
        b'{"earned": ["right"], "row_version": 0, "adjustment": Infinity}',
        b'{"earned": ["right"], "row_version": 0, "adjustment": 1e999}',
        b'{"earned": ["right"], "row_version": 0, "comment": "\\ud800"}',
        b'{"earned": ["right"], "earned": [], "row_version": 0}',
        b'{"earned": ["right"], "row_version": 1' + b"0" * 5000 + b"}",
        {"earned": ["right"]},
        {"earned": "right", "row_version": 0},
        {"earned": [1], "row_version": 0},
        {"earned": ["right"], "row_version": "0"},
        {"earned": ["right"], "row_version": True},
        {"earned": ["right"], "row_version": -1},
        {"earned": ["right"], "row_version": 0, "score": 99},
        {"earned": ["right"], "row_version": 0, "marker": "somebody"},
        {"earned": ["right"], "row_version": 0, "adjustment": "1"},
        {"earned": ["right"], "row_version": 0, "adjustment": 1},  # without a reason
        {"earned": ["no-such-criterion"], "row_version": 0},
        {"earned": ["right"], "row_version": 0, "comment": "x" * 20_001},
    ],
)
def test_a_decision_that_is_none_is_refused_and_nothing_is_stored(grace, shared_course, tiny, body):
    item = grace.open()
    before = tiny.dump(shared_course, without=("markbook_lease",))
    reply = grace.item(item["id"], "mark", body)
    assert reply.status == 400, reply.body
    assert error_of(reply)["code"] in ("refused", "bad-request")
    assert tiny.dump(shared_course, without=("markbook_lease",)) == before


def test_a_body_over_the_limit_is_refused(grace, shared_course, tiny):
    item = grace.open()
    before = tiny.dump(shared_course, without=("markbook_lease",))
    reply = grace.item(item["id"], "mark", b" " * (LARGEST + 1))
    assert (reply.status, error_of(reply)["code"]) == (413, "too-large")
    assert grace.item(item["id"], "mark", b" " * LARGEST).status == 400
    assert tiny.dump(shared_course, without=("markbook_lease",)) == before


def test_a_body_that_does_not_say_how_long_it_is_is_held_to_the_limit(grace):
    item = grace.open()
    place = f"{grace.api()}/item/{quote(item['id'], safe='')}/mark"
    parts = urlsplit(grace.address)
    cookies = "; ".join(f"{k}={v}" for k, v in grace.cookies.items())
    head = (
        f"POST {place} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\n"
        f"X-XSRFToken: {grace.cookies['_xsrf']}\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n"
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(head.encode() + chunk * 5 + b"0\r\n\r\n")
        assert connection.recv(65536).split(b" ", 2)[1] == b"413"


# Looking changes nothing


def test_no_look_changes_a_table_or_a_file(grace, shared_course, tiny):
    item = grace.open()
    tables, files = tiny.dump(shared_course), tiny.file_times(shared_course)
    for address in [*PAGES, *READS, FILE, f"{grace.api()}/comments?search=x"]:
        grace.get(address)
    assert grace.item(item["id"]).status == 200
    assert tiny.dump(shared_course) == tables
    assert tiny.file_times(shared_course) == files


def test_nobody_is_named_before_one_asks(grace, shared_course):
    item = grace.open()
    told = b"".join(grace.get(address).body for address in [*PAGES, *READS])
    told += grace.item(item["id"]).body
    with Gradebook.open(shared_course) as gb:
        assert not [name for name in gb.students("hw") if name.encode() in told]
