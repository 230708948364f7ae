"""The three pages. What each template may count on:

Every template
    ``base_url``    address of Markbook's root, without a slash at the end: "/markbook"
    ``static(p)``   address of the file ``p`` below ``static/``, with a version: "...?v=1f2e"
    ``course``      {id, name}: nbgrader's course id (may be empty), and what to call it
    ``marker``      the name under which this person marks
    ``xsrf_token``  sent back as the header X-XSRFToken with every POST
    ``version``     Markbook's version

``overview.html.j2``
    ``assignments`` rows {name, url, questions (a number), progress, error ("" or a sentence)}

``assignment.html.j2``
    ``assignment``  its name
    ``questions``   rows {id, url, prompt_html, points, cap, bonus, policy, progress, histogram,
                    markers, has_rubric}
    ``progress``    the sum over the questions
    ``markers``     rows {name, marked}, most first, over all questions

``mark.html.j2``
    ``assignment``  its name
    ``question``    one row as above, without histogram and markers
    ``questions``   rows {id, url, current (bool)}, in notebook order, for going to another one
    ``api``         address of the question's API: "/markbook/api/a/hw/q/keys"
    ``progress``    of this question

``error.html.j2``
    ``status`` (404), ``what`` and ``hint``: sentences

``progress`` is {marked, suggested, waiting, stale, blank, not_asked, missing, open, total}: each
answer is in exactly one of the first seven; ``open`` = suggested + waiting + stale.
``histogram`` is {bins: [{from, to, marks}], most, mean (or None), cap}: eleven bins at most, in
points, upper end of the last one included; ``most`` is the highest bin's number of marks.

The content security policy lets in nothing inline: no style attribute, no <style>, no on...=.
Data for a script goes into data- attributes or ``<script type="application/json">``.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.httputil import url_concat

from markbook import __version__
from markbook.errors import CourseError, MarkbookError
from markbook.marking.cases import text_questions
from markbook.server.base import Secured
from markbook.server.overview import question_rows, sum_rows
from markbook.server.views import progress_json
from markbook.text.render import render_markdown

if TYPE_CHECKING:
    from markbook.server.wiring import Wiring

__all__ = ["STATIC", "Assignment", "Marking", "Nowhere", "Overview", "StaticFiles"]

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"


class Page(Secured):
    """A page for people; its errors are pages too."""

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        # A token belongs neither into the history nor into a bookmark; the cookie is set by now.
        if self.signed_in and "token" in self.request.query_arguments:
            rest = [(k, v) for k, vs in self.request.query_arguments.items() for v in vs]
            clean = [(k, v.decode("utf-8", "replace")) for k, v in rest if k != "token"]
            self.redirect(url_concat(self.request.path, clean))

    async def show(self, template: str, work: Any) -> None:
        """Render ``template`` with what ``work`` returns, both beside the event loop."""
        common = self._common()
        html = await self.in_pool(lambda: _render(template, common | work(self.wiring)))
        await self.finish(html)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        failure = kwargs["failure"]
        words = {"status": status_code, "what": failure.what, "hint": failure.hint}
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(_render("error.html.j2", self._common() | words))

    def _common(self) -> dict[str, Any]:
        known = self.signed_in
        return {
            "base_url": self.home,
            "static": functools.partial(_static, self.home),
            "course": _course(self.wiring) if known else {"id": "", "name": ""},
            "marker": self.marker if known else "",
            "xsrf_token": self.xsrf_token.decode() if known else "",
            "version": __version__,
        }


class Overview(Page):
    """All assignments."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.show("overview.html.j2", functools.partial(_overview, self.home))


class Assignment(Page):
    """The questions of one assignment."""

    @web.authenticated
    @authorized
    async def get(self, assignment: str) -> None:
        work = functools.partial(_assignment, self.home, assignment)
        await self.show("assignment.html.j2", work)


class Marking(Page):
    """The frame in which one question is marked; the answers come from the API."""

    @web.authenticated
    @authorized
    async def get(self, assignment: str, question: str) -> None:
        work = functools.partial(_marking, self.home, assignment, question)
        await self.show("mark.html.j2", work)


class Nowhere(Page):
    """Every other address below Markbook's root."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        raise web.HTTPError(404)


class StaticFiles(Secured, web.StaticFileHandler):
    """The files of the package's own folder ``static``, and no others."""

    @web.authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        await web.StaticFileHandler.get(self, path, include_body)

    @web.authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override]
        await web.StaticFileHandler.get(self, path, include_body=False)

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:
            raise web.HTTPError(404)
        return super().parse_url_path(url_path)

    def set_extra_headers(self, path: str) -> None:
        # With a version in its address a file never changes; others are asked for anew.
        kept = "private, max-age=31536000, immutable"
        self.set_header("Cache-Control", kept if "v" in self.request.arguments else "no-cache")


def _overview(root: str, wiring: Wiring) -> dict[str, Any]:
    course = wiring.course
    gradebook = wiring.gradebook()
    rows = []
    for name in course.assignments():
        row: dict[str, Any] = {"name": name, "url": _address(root, name), "error": ""}
        try:
            questions = question_rows(course, gradebook, name)
        except MarkbookError as error:  # one broken rubric does not hide the other assignments
            questions, row["error"] = [], str(error)
        row["questions"] = len(questions)
        row["progress"] = sum_rows(question["progress"] for question in questions)
        rows.append(row)
    return {"assignments": rows}


def _assignment(root: str, assignment: str, wiring: Wiring) -> dict[str, Any]:
    course = wiring.course
    name = course.require(assignment)
    rows = question_rows(course, wiring.gradebook(), name)
    everyone: Counter[str] = Counter()
    for row in rows:
        row["url"] = _address(root, name, row["id"])
        everyone.update({marker["name"]: marker["marked"] for marker in row["markers"]})
    return {
        "assignment": name,
        "questions": rows,
        "progress": sum_rows(row["progress"] for row in rows),
        "markers": [{"name": who, "marked": number} for who, number in everyone.most_common()],
    }


def _marking(root: str, assignment: str, question: str, wiring: Wiring) -> dict[str, Any]:
    desk = wiring.desk(assignment, question)
    known = text_questions(wiring.course, assignment)
    progress = progress_json(desk.progress())
    rubric = desk.rubric
    return {
        "assignment": assignment,
        "question": {
            "id": desk.question.id,
            "url": _address(root, assignment, question),
            "prompt_html": render_markdown(desk.question.prompt),
            "points": desk.question.points,
            "cap": desk.cap,
            "bonus": rubric.bonus,
            "policy": rubric.policy,
            "has_rubric": True,
            "progress": progress,
        },
        "questions": [
            {
                "id": other.id,
                "url": _address(root, assignment, other.id),
                "current": other.id == question,
            }
            for other in known
        ],
        "api": f"{root}/api/a/{_quoted(assignment)}/q/{_quoted(question)}",
        "progress": progress,
    }


def _address(root: str, assignment: str, question: str | None = None) -> str:
    page = f"{root}/a/{_quoted(assignment)}"
    return page if question is None else f"{page}/q/{_quoted(question)}"


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _course(wiring: Wiring) -> dict[str, str]:
    try:
        course = wiring.course
    except CourseError:
        return {"id": "", "name": ""}
    return {"id": course.course_id, "name": course.course_id or course.root.name}


def _static(root: str, path: str) -> str:
    file = STATIC / path
    version = f"?v={_version(file, file.stat().st_mtime_ns)}" if file.is_file() else ""
    return f"{root}/static/{quote(path)}{version}"


@functools.lru_cache(maxsize=256)
def _version(file: Path, _changed: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, words: dict[str, Any]) -> str:
    return _environment().get_template(template).render(words)
