"""The JSON requests of the marking view: one handler, and a table of what each address does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from markbook.errors import StaleMark, StaleRubric
from markbook.server import actions, bodies
from markbook.server.actions import Asked
from markbook.server.base import Secured, failure_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROUTES", "Api", "Route"]

LARGEST = 256 * 1024
"""Bytes of a request's body."""

_PREFIX = r"/markbook/api/a/([^/]+)/q/([^/]+)/"
_ITEM = r"item/([^/]+)"
_GROUP = r"groups/([^/]+)"


@dataclass(frozen=True, slots=True)
class Route:
    """What an address does: ``read`` for GET, which changes nothing, ``write`` for POST.

    Both get what was asked and the ids in the address behind the question's; ``body`` is what a
    POST may send.
    """

    path: str
    read: Callable[..., dict[str, Any]] | None = None
    write: Callable[..., dict[str, Any]] | None = None
    body: type[bodies.Body] = bodies.EmptyBody

    @property
    def pattern(self) -> str:
        return _PREFIX + self.path


ROUTES = (
    Route("question", read=actions.question),
    Route("progress", read=actions.progress),
    Route("comments", read=actions.comments),
    Route("open", write=actions.open_next, body=bodies.OpenBody),
    Route(_ITEM, read=actions.item),
    Route(f"{_ITEM}/open", write=actions.open_item),
    Route(f"{_ITEM}/mark", write=actions.mark, body=bodies.MarkBody),
    Route(f"{_ITEM}/undo", write=actions.undo),
    Route(f"{_ITEM}/history", read=actions.history),
    Route(f"{_ITEM}/reveal", write=actions.reveal),
    Route(f"{_ITEM}/flag", write=actions.flag, body=bodies.FlagBody),
    Route(f"{_ITEM}/release", write=actions.release),
    Route("groups", read=actions.groups),
    Route("groups/undo", write=actions.undo_group, body=bodies.UndoGroupBody),
    Route(f"{_GROUP}/mark", write=actions.mark_group, body=bodies.GroupMarkBody),
    Route("rubric/preview", write=actions.preview, body=bodies.PreviewBody),
    Route("rubric/apply", write=actions.apply, body=bodies.ApplyBody),
)


@web.stream_request_body
class Api(Secured):
    """Answers one ``Route``; the work is done beside the event loop."""

    def initialize(self, route: Route) -> None:
        self._route = route
        self._chunks: list[bytes] = []
        self._size = 0

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        said = self.request.headers.get("Content-Length", "0")
        if said.isdigit() and int(said) > LARGEST:
            raise web.HTTPError(413)

    def data_received(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > LARGEST:
            self._chunks.clear()
        else:
            self._chunks.append(chunk)

    def get_login_url(self) -> str:
        """Refuse: a program is not sent to a page where it should log in."""
        raise web.HTTPError(403)

    @web.authenticated
    @authorized
    async def get(self, assignment: str, question: str, *ids: str) -> None:
        work = self._route.read
        if work is None:
            raise web.HTTPError(405)
        search = self.get_query_argument("search", "")[:200]
        await self._answer(work, bodies.EmptyBody(), (assignment, question), ids, search)

    @web.authenticated
    @authorized
    async def post(self, assignment: str, question: str, *ids: str) -> None:
        work = self._route.write
        if work is None:
            raise web.HTTPError(405)
        if self._size > LARGEST:
            raise web.HTTPError(413)
        body = bodies.parse(self._route.body, b"".join(self._chunks))
        await self._answer(work, body, (assignment, question), ids, "")

    async def _answer(
        self,
        work: Callable[..., dict[str, Any]],
        body: bodies.Body,
        place: tuple[str, str],
        ids: tuple[str, ...],
        search: str,
    ) -> None:
        wiring, marker = self.wiring, self.marker

        def run() -> tuple[int, bytes]:
            asked = Asked(wiring, wiring.desk(*place), marker, body, search)
            try:
                return 200, _encode(work(asked, *ids))
            except (StaleMark, StaleRubric) as error:
                failure = failure_of(409, {"exc_info": (None, error, None)}, signed_in=True)
                return 409, _encode(failure.body | actions.both(asked, error, *ids))

        status, answer = await self.in_pool(run)
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        await self.finish(answer)


def _encode(value: dict[str, Any]) -> bytes:
    # ASCII: half a surrogate pair in a student's text is escaped, not an error.
    return json.dumps(value, allow_nan=False).encode("ascii")
