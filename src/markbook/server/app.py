"""The extension: its settings, and what it adds to a Jupyter server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode

from markbook.course import Course
from markbook.errors import CourseError
from markbook.marking.decisions import marker_name
from markbook.server.api import ROUTES, Api
from markbook.server.base import WIRING
from markbook.server.pages import (
    STATIC,
    Assignment,
    Marking,
    Nowhere,
    Overview,
    StaticFiles,
)
from markbook.server.wiring import Wiring

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["MarkbookApp"]


class MarkbookApp(ExtensionApp):
    """The marking page of a course, at /markbook."""

    name = "markbook"
    description = "The marking page of a course."
    extension_url = "/markbook"
    load_other_extensions = False

    course = Unicode(
        "",
        help="The course folder. Default: the server's root folder, or the nearest one above it"
        " that has an nbgrader_config.py.",
    ).tag(config=True)
    marker = Unicode(
        "",
        help="Who marks, where the server does not know its users by name. Default: the user of"
        " this machine.",
    ).tag(config=True)
    learn = Bool(
        True,
        help="Learn expected scores from the marks while people mark, in a process of its own"
        " (about 200 MB).",
    ).tag(config=True)

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the package to which Jupyter's configuration refers."""
        return "markbook.server"

    def initialize_settings(self) -> None:
        """Wire once what all requests share; open the gradebook in the background."""
        self._wiring = self._wire()
        self.settings[WIRING] = self._wiring
        self._wiring.pool.submit(self._wiring.begin)

    def initialize_handlers(self) -> None:
        self.handlers.extend((route.pattern, Api, {"route": route}) for route in ROUTES)
        self.handlers.extend(
            [
                (r"/markbook", Overview),
                (r"/markbook/a/([^/]+)", Assignment),
                (r"/markbook/a/([^/]+)/q/([^/]+)", Marking),
                (r"/markbook/static/(.+)", StaticFiles, {"path": str(STATIC)}),
                (r"/markbook/.*", Nowhere),
            ]
        )

    async def stop_extension(self) -> None:
        self._wiring.close()

    def _wire(self) -> Wiring:
        marker = marker_name(self.marker or None)
        server = cast("ServerApp", self.serverapp)
        try:
            if self.course:
                course = Course.open(Path(self.course).expanduser())
            else:
                course = Course.find(Path(server.root_dir))
        except CourseError as error:
            if self.course:
                raise
            self.log.info("markbook: %s", error)
            return Wiring(None, marker=marker, problem=error)
        return Wiring(course, marker=marker, learn=self.learn)
