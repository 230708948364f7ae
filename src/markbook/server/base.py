"""What every answer of this extension has in common: who may ask, the headers, the one error."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from http.client import responses
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from markbook.errors import (
    CourseError,
    InternalError,
    MarkbookError,
    NothingMatched,
    StaleMark,
    StaleRubric,
    UnknownName,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from markbook.server.wiring import Wiring

__all__ = ["HEADERS", "WIRING", "Failure", "Secured", "failure_of"]

T = TypeVar("T")

WIRING = "markbook_wiring"
"""The key of the ``Wiring`` in the web application's settings."""

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""On every response of every route; static files have a ``Cache-Control`` of their own."""

_ANONYMOUS = re.compile(r"[0-9a-f]{32}")


class Secured(JupyterHandler):
    """A handler of Markbook.

    Methods of subclasses carry ``@web.authenticated`` and ``@authorized`` themselves, as Jupyter
    asks of extensions; the resource that an authorizer is asked about is "markbook".
    """

    auth_resource = "markbook"

    @property
    def wiring(self) -> Wiring:
        return cast("Wiring", self.settings[WIRING])

    @property
    def signed_in(self) -> bool:
        """Whether it is known who asks; False before that was found out."""
        return getattr(self, "_jupyter_current_user", None) is not None

    @property
    def home(self) -> str:
        """The address of Markbook's root, without a slash at the end."""
        return self.base_url.rstrip("/") + "/markbook"

    @property
    def marker(self) -> str:
        """The name of the person who asks.

        Jupyter's own identity providers make up a random name for whoever holds the token; for
        those it is the one that the server was started with.
        """
        user = self.current_user
        provider = type(self.identity_provider)
        nameless = provider is IdentityProvider or issubclass(provider, PasswordIdentityProvider)
        if nameless and _ANONYMOUS.fullmatch(user.username):
            return self.wiring.marker
        return str(user.username)

    @property
    def content_security_policy(self) -> str:
        return HEADERS["Content-Security-Policy"]

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def set_cors_headers(self) -> None:
        """Send none: no page of another origin has business here, with a token or without."""

    def check_xsrf_cookie(self) -> None:
        """Ask every write for its XSRF token.

        Jupyter lets requests with a token in their address pass; a forged form can carry one.
        """
        if not hasattr(self, "_jupyter_current_user"):
            return
        super().check_xsrf_cookie()
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            web.RequestHandler.check_xsrf_cookie(self)

    async def in_pool(self, work: Callable[[], T]) -> T:
        """Run ``work``, which may read files and the database, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.wiring.pool, work)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        failure = failure_of(status_code, kwargs, signed_in=self.signed_in)
        kwargs["failure"] = failure
        super().send_error(failure.status, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(kwargs["failure"].body))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # What a person can mend is told to that person; the log keeps what is our fault.
        if not isinstance(value, MarkbookError) or isinstance(value, InternalError):
            super().log_exception(typ, value, tb)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed: an HTTP status, a code for programs and two sentences for people."""

    status: int
    code: str
    what: str
    hint: str = ""

    @property
    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "what": self.what, "hint": self.hint}}


_STATUS: tuple[tuple[type[MarkbookError], int, str], ...] = (
    (UnknownName, 404, "unknown"),
    (NothingMatched, 404, "nothing"),
    (StaleMark, 409, "stale-mark"),
    (StaleRubric, 409, "stale-rubric"),
    (CourseError, 409, "course"),
    (InternalError, 500, "fault"),
    (MarkbookError, 400, "refused"),
)
_WORDS = {
    400: ("bad-request", "The request could not be understood."),
    404: ("unknown", "There is nothing at this address."),
    405: ("method", "This address does not take such requests."),
    413: ("too-large", "The request is larger than 256 kB."),
}


def failure_of(status: int, kwargs: dict[str, Any], *, signed_in: bool) -> Failure:
    """Return what went wrong, from the arguments that tornado gives to ``send_error``."""
    error = kwargs.get("exc_info", (None, None, None))[1]
    if isinstance(error, MarkbookError):
        found, code = next((s, c) for kind, s, c in _STATUS if isinstance(error, kind))
        return Failure(found, code, error.what, error.hint)
    if status == 403:
        return _forbidden(str(getattr(error, "log_message", "") or ""), signed_in=signed_in)
    if status in _WORDS:
        return Failure(status, *_WORDS[status])
    if status < 500:
        return Failure(status, "bad-request", responses.get(status, "Refused") + ".")
    what = "A fault of Markbook: the request was not carried out."
    return Failure(status, "fault", what, "The server's log says more; please report it.")


def _forbidden(said: str, *, signed_in: bool) -> Failure:
    if not signed_in:
        what = "You are not signed in, or not any more. Nothing was stored."
        return Failure(403, "signed-out", what, "Open the address with its token again.")
    if "xsrf" in said.lower():
        what = "The request did not come from this page. Nothing was stored."
        return Failure(403, "xsrf", what, "Reload the page, and do it again.")
    return Failure(403, "forbidden", "You may not do this. Nothing was stored.")
