"""Any endpoint that speaks OpenAI's chat completions: one request, read with distrust."""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markbook.errors import CourseError
from markbook.graders.outside.base import Attempt, Problem, Reason
from markbook.graders.outside.deadline import Deadlines
from markbook.graders.outside.registry import bad_option
from markbook.graders.outside.reply import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from markbook.graders.outside.base import Message

__all__ = ["NAME", "REPLY_LIMIT", "OpenAICompatible"]

NAME = "openai-compatible"
REPLY_LIMIT = 1_000_000  # bytes of a reply: a hundred times the longest that is asked for

_OPTIONS = ("url", "model", "key_variable", "timeout", "extra")
_OURS = frozenset({"messages", "model", "response_format", "stream", "n", "tools", "functions"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STATUSES = {
    401: (Reason.NOT_ALLOWED, "refuses the key"),
    403: (Reason.NOT_ALLOWED, "refuses the key"),
    404: (Reason.NOT_FOUND, "does not know the address or the model"),
    405: (Reason.NOT_FOUND, "does not know the address or the model"),
    408: (Reason.BUSY, "gave up waiting"),
    429: (Reason.BUSY, "is busy"),
}
_LONGEST_WAIT = 3_600.0  # seconds
_CONNECT = 10.0  # seconds to reach a server: it is there, or it is not
_MOST_TOKENS = 10_000_000  # what an endpoint says beyond that of one request is not believed


@dataclass(frozen=True, slots=True)
class _Options:
    """What the course says. ``timeout`` is in seconds, for all of one request."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    extra: Mapping[str, Any] = field(default_factory=dict)


class OpenAICompatible:
    """A suggester by HTTP: a server of one's own, or a service.

    Options: ``url`` (up to ``/v1``) and ``model``; ``key_variable``, the name of the environment
    variable with the key; ``timeout`` in seconds; ``extra``, more fields of the request. Raises
    ``CourseError`` naming an option that makes no sense.
    """

    name = NAME

    def __init__(self, options: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        try:
            import httpx
        except ImportError as error:
            raise CourseError(
                f"The suggester {NAME!r} needs httpx.", hint="Install 'markbook[outside]'."
            ) from error

        self._options = _read(options, environment)
        self._address = self._options.url.rstrip("/").removesuffix("/chat/completions")
        self._address += "/chat/completions"
        host = urlsplit(self._options.url).hostname or ""
        self.model = self._options.model
        self.place = self._options.url
        self.local = _is_local(host)
        self.secrets: tuple[str, ...] = (self._options.key,) if self._options.key else ()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._options.key:
            headers["Authorization"] = f"Bearer {self._options.key}"
        self._deadlines = Deadlines(self._options.timeout)
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(
                self._options.timeout, connect=min(_CONNECT, self._options.timeout)
            ),
            follow_redirects=False,
            verify=_trust(self._options.url),
            limits=httpx.Limits(max_keepalive_connections=0),  # a deadline cuts its own line only
            trust_env=not self.local,  # a proxy on the way out, never on the way to ourselves
        )

    def settings(self) -> Mapping[str, Any]:
        """Return the further fields of the request."""
        return {"extra": dict(self._options.extra)}

    def close(self) -> None:
        """End what is under way and close connections."""
        self._deadlines.cut()
        self._client.close()

    def attempt(
        self, messages: Sequence[Message], schema: Mapping[str, Any], *, tokens: int
    ) -> Attempt:
        """Make one request; whatever the endpoint does comes back as an ``Attempt``."""
        import httpx

        body = {"temperature": 0, "max_tokens": tokens, **self._options.extra}
        body |= {
            "model": self.model,
            "messages": list(messages),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "verdicts", "strict": True, "schema": dict(schema)},
            },
        }
        body = {name: value for name, value in body.items() if value is not None}
        content = json.dumps(body).encode()
        deadline = self._deadlines.start()
        extensions = {"trace": deadline.trace}
        try:
            with (
                deadline,
                self._client.stream(
                    "POST", self._address, content=content, extensions=extensions
                ) as response,
            ):
                problem = _refused(response)
                received = _receive(response)
                wait = _seconds(response.headers.get("retry-after"))
                status = response.status_code
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: the client was closed
            if deadline.over or isinstance(error, httpx.TimeoutException):
                return Attempt(problem=_late(self._options.timeout))
            detail = f"The connection failed ({type(error).__name__})."
            return Attempt(problem=Problem(Reason.UNREACHABLE, detail))
        if isinstance(received, Problem):
            return Attempt(problem=problem or received, status=status, wait=wait)
        said = received.decode("utf-8", "replace")
        if problem is not None:
            return Attempt(problem=problem, status=status, received=said, wait=wait)
        written, used = _content(received)
        if isinstance(written, Problem):
            return Attempt(problem=written, status=status, received=said, tokens=used)
        return Attempt(written, status=status, received=said, tokens=used)


def _receive(response: httpx.Response) -> bytes | Problem:
    """Return the body as it came, up to the limit."""
    found = bytearray()
    for piece in response.iter_raw():
        found += piece
        if len(found) > REPLY_LIMIT:
            return Problem(Reason.TOO_LARGE, f"The reply has more than {REPLY_LIMIT} bytes.")
    return bytes(found)


def _late(seconds: float) -> Problem:
    return Problem(Reason.TOO_LATE, f"There was no reply within {seconds:g} seconds.")


def _refused(response: httpx.Response) -> Problem | None:
    """Return what the status says against reading on, None for 200."""
    status = response.status_code
    if status == 200:
        return None
    reason, says = _STATUSES.get(status, (Reason.BAD_REQUEST, "refused the request"))
    if 300 <= status < 400:
        reason, says = Reason.REDIRECTED, "sends elsewhere, which is not followed"
    if status >= 500:
        reason, says = Reason.BROKEN, "failed"
    return Problem(reason, f"The endpoint {says} (HTTP {status}).")


def _content(body: bytes) -> tuple[str | Problem, int | None]:
    """Return what the model wrote, or why that cannot be told, and the tokens that it took."""
    try:
        reply = read_object(body)
    except (ValueError, RecursionError):
        return Problem(Reason.NOT_JSON, "The body is not one JSON object."), None
    usage = reply.get("usage")
    used = usage.get("total_tokens") if isinstance(usage, dict) else None
    known = isinstance(used, int) and not isinstance(used, bool) and 0 <= used <= _MOST_TOKENS
    return _written(reply), used if known else None


def _written(reply: Mapping[str, Any]) -> str | Problem:
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Problem(Reason.NOT_AS_ASKED, "The body is not a chat completion.")
    if choice.get("finish_reason") == "length":
        return Problem(Reason.CUT_OFF, "The reply was cut off at its longest.")
    if choice.get("finish_reason") == "content_filter" or message.get("refusal"):
        return Problem(Reason.DECLINED, "The model declined to reply.")
    content = message.get("content")
    if not isinstance(content, str):
        return Problem(Reason.NOT_AS_ASKED, "The chat completion has no text.")
    return content


def _seconds(value: str | None) -> float | None:
    """Return a pause in seconds; a date, a negative or a nonsensical one is none."""
    if value is None or not re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,3})?", value.strip()):
        return None
    return float(value)


def _trust(url: str) -> ssl.SSLContext | bool:
    """Return what certificates are checked by; http has none, and reading them takes 0.1 s."""
    return True if url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _read(options: Mapping[str, Any], environment: Mapping[str, str]) -> _Options:
    secret = sorted(k for k in options if k not in _OPTIONS and re.search("key|token|secret", k))
    if secret:
        raise bad_option(
            f"{secret[0]!r} is not an option; a key does not belong into a file.",
            hint="Put it into an environment variable and its NAME into 'key_variable'.",
        )
    unknown = sorted(options.keys() - set(_OPTIONS))
    if unknown:
        known = ", ".join(_OPTIONS)
        raise bad_option(f"{unknown[0]!r} is not an option of {NAME!r}.", hint=f"Known: {known}.")
    model = options.get("model")
    if not isinstance(model, str) or not model.strip():
        raise bad_option("'model' is missing: the model's name as the endpoint knows it.")
    timeout = options.get("timeout", 60.0)
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not number or not 0 < timeout <= _LONGEST_WAIT:
        raise bad_option(f"'timeout' is {timeout!r}, not seconds up to {_LONGEST_WAIT:g}.")
    extra = options.get("extra", {})
    return _Options(
        _url(options.get("url")), model, _key(options, environment), timeout, _extra(extra)
    )


def _url(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise bad_option("'url' is missing, such as 'http://127.0.0.1:11434/v1'.")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise bad_option("'url' is not an address.") from error
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise bad_option(
            "'url' holds more than an address.",
            hint="Take user, password, query and fragment out; a key goes by 'key_variable'.",
        )
    if (
        not value.startswith(("http://", "https://"))
        or not host
        or re.search(r"[\s\x00-\x1f\\]", value)
    ):
        raise bad_option("'url' has to begin with http:// or https:// and a host.")
    return value


def _key(options: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    name = options.get("key_variable")
    if name is None:
        return ""
    if not isinstance(name, str) or not _VARIABLE.match(name):
        # What stands there may be the key itself: it is not repeated.
        raise bad_option(
            "'key_variable' is not the name of an environment variable.",
            hint="Write the NAME, such as 'OPENAI_API_KEY'; the key itself stays out of the file.",
        )
    key = environment.get(name, "").strip()
    if not key:
        raise bad_option(
            f"the environment variable {name} is not set.", hint=f"Set {name} to the key."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise bad_option(f"the environment variable {name} holds characters that no key has.")
    return key


def _extra(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise bad_option("'extra' has to be a dict of further fields of the request.")
    taken = sorted(_OURS & value.keys())
    if taken:
        raise bad_option(f"'extra' may not set {taken[0]!r}: Markbook does.")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_option("'extra' has a value that is no JSON.") from error
    return dict(value)
