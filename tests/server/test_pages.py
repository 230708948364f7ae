"""The pages: what they show, and what they show when something is wrong."""

from __future__ import annotations

import re

import pytest

from markbook.server.pages import STATIC

TEMPLATES = STATIC.parent / "templates"


def test_the_overview_leads_to_the_assignment_and_that_to_its_questions(grace):
    page = grace.get("/markbook").body.decode()
    assert 'href="/markbook/a/hw"' in page
    page = grace.get("/markbook/a/hw").body.decode()
    for question in ("keys", "doors", "story"):
        assert f'href="/markbook/a/hw/q/{question}"' in page
    assert "add-visible" not in page


def test_the_marking_view_tells_its_script_where_to_ask(grace):
    page = grace.get("/markbook/a/hw/q/keys").body.decode()
    assert 'data-api="/markbook/api/a/hw/q/keys"' in page
    assert "What about keys?" in page
    assert "grace" in page


def test_no_page_has_anything_inline_that_the_policy_would_stop(grace):
    for address in ("/markbook", "/markbook/a/hw", "/markbook/a/hw/q/keys", "/markbook/x"):
        page = grace.get(address).body.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_every_file_that_a_page_asks_for_is_in_the_package():
    named = {
        path
        for template in TEMPLATES.glob("*.j2")
        for path in re.findall(r"static\('([^']+)'\)", template.read_text())
    }
    assert named
    assert [path for path in sorted(named) if not (STATIC / path).is_file()] == []


def test_nothing_that_the_package_serves_asks_another_machine():
    own = [p for p in STATIC.rglob("*") if p.suffix in (".js", ".css") and "katex" not in p.parts]
    found = [
        (path.name, address)
        for path in [*own, *TEMPLATES.glob("*.j2")]
        for address in re.findall(
            r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"')]*", path.read_text()
        )
        if "www.w3.org" not in address
    ]
    assert found == []


@pytest.mark.parametrize("address", ["/markbook/a/other", "/markbook/a/hw/q/other", "/markbook/x"])
def test_an_error_is_a_page_that_says_what_and_what_next(grace, address):
    reply = grace.get(address)
    assert reply.status == 404
    assert "text/html" in reply.headers["Content-Type"]
    assert b'href="/markbook"' in reply.body


def test_one_broken_rubric_does_not_hide_the_other_assignments(course, serve):
    course.rubric("hw", "keys").write_text("question: keys\ncriteria: oops\n")
    with serve(course) as client:
        client.sign_in()
        page = client.get("/markbook")
        assert page.status == 200
        assert b"keys.yaml" in page.body
