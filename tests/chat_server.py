"""A small server of chat completions on 127.0.0.1 that answers as a test tells it: well or badly.

Loaded by the conftest of the folders that use it (test modules may not import each other).
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Behaviour = Callable[["Exchange"], None]

__all__ = ["ChatServer", "Exchange", "completion", "serve"]


def completion(content: Any, *, tokens: int | None = 100, **choice: Any) -> dict[str, Any]:
    """The body of a chat completion; ``content`` that is no text is written as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    body: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                **choice,
            }
        ],
    }
    if tokens is not None:
        body["usage"] = {"total_tokens": tokens}
    return body


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, raw: bytes) -> None:
        self._handler = handler
        self.raw = raw
        self.path = handler.path
        self.headers = dict(handler.headers.items())
        self.body: dict[str, Any] = json.loads(raw)
        self.asked: dict[str, Any] = json.loads(self.body["messages"][-1]["content"])

    @property
    def criteria(self) -> list[str]:
        return [criterion["id"] for criterion in self.asked["criteria"]]

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.head(status, len(body), **headers)
        self.write(body)

    def head(self, status: int, length: int, **headers: str) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", "application/json")
        self._handler.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, body: bytes) -> None:
        self._handler.wfile.write(body)
        self._handler.wfile.flush()

    def say(self, content: Any, *, tokens: int | None = 100, **choice: Any) -> None:
        self.send(200, json.dumps(completion(content, tokens=tokens, **choice)).encode())

    def verdicts(self, **verdict: Any) -> None:
        """Give the same verdict on each criterion; without one, award it by the first word."""
        usual = {"quote": self.asked["answer"].split()[0], "awarded": True, "confidence": 0.9}
        self.say({"criteria": {name: {**usual, **verdict} for name in self.criteria}})

    def drop(self) -> None:
        """Close the connection in the middle of things."""
        self._handler.close_connection = True


def right(exchange: Exchange) -> None:
    exchange.verdicts()


class ChatServer:
    """Answers requests by ``script``, in turn, and by ``always`` when the script is at its end."""

    def __init__(self) -> None:
        self.always: Behaviour = right
        self.script: list[Behaviour] = []
        self.seen: list[Exchange] = []
        self.late = threading.Event()  # set at the end, so that nobody waits on
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                exchange = Exchange(self, raw)
                with server._lock:
                    server.seen.append(exchange)
                    behave = server.script.pop(0) if server.script else server.always
                try:
                    behave(exchange)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self.late.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve() -> Iterator[ChatServer]:
    server = ChatServer()
    try:
        yield server
    finally:
        server.close()
