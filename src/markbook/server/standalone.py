"""A server that marks one course, and does nothing else: ``python -m markbook.server``.

``markbook mark`` starts it. It has no kernels, files or terminals, reads no Jupyter configuration,
listens on this machine only, and always wants a token.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from tornado.httputil import url_concat
from traitlets import Bool, default

from markbook.server.app import MarkbookApp

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MarkingApp", "MarkingServer", "main"]


class NoFiles(LargeFileManager):
    """The files of a server that gives none."""

    def get_extra_handlers(self) -> list[Any]:
        return []


class MarkingServer(ServerApp):
    """A Jupyter server without what marking does not need."""

    default_services = ("api", "auth", "security")  # type: ignore[assignment]  # fewer than all

    allow_root = Bool(True).tag(config=True)  # it runs nobody's code
    answer_yes = Bool(True).tag(config=True)

    @default("contents_manager_class")
    def _default_contents_manager_class(self) -> type[LargeFileManager]:
        return NoFiles

    @default("ip")
    def _default_ip(self) -> str:
        return "127.0.0.1"

    @default("port")
    def port_default(self) -> int:
        return 0

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Read none: a password, an address or an empty token set there is for other servers."""


class MarkingApp(MarkbookApp):
    """The extension as the whole server."""

    attached = Bool(
        False,
        help="Tell the page's address on the standard output, as a line of JSON, and end when the"
        " standard input ends.",
    ).tag(config=True)
    serverapp_class = MarkingServer

    @classmethod
    def get_extension_package(cls) -> str:
        """Return this module, which names this class as the extension."""
        return __name__

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Read none."""

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.attached:
            # Jupyter's own address hides a token that came by the environment.
            page = serverapp.local_url.partition("?")[0]
            address = url_concat(page, {"token": serverapp.identity_provider.token})
            sys.stdout.write(json.dumps({"url": address}) + "\n")
            sys.stdout.flush()
            threading.Thread(target=self._end_with_input, args=[serverapp], daemon=True).start()

    def _end_with_input(self, serverapp: ServerApp) -> None:
        while sys.stdin.read(1024):
            pass
        serverapp.io_loop.add_callback(serverapp.stop)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    MarkingApp.launch_instance(given)  # type: ignore[no-untyped-call]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__, "app": MarkingApp}]
