"""Self-contained HTML pages: no script, no outside resource, one style sheet known by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from markbook.text.controls import visible, visible_plain
from markbook.text.frames import FRAME_STYLE_SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PageTemplate", "format_points"]

_BASE = "markbook.text"


class PageTemplate:
    """A compiled template of ``package``, which extends ``base.html.j2``.

    ``styles`` are files in the package's templates; they follow the common ``page.css``. Values
    are escaped unless they are ``Markup``; a name the template lacks is an error.
    """

    def __init__(self, package: str, template: str, styles: Sequence[str] = ()) -> None:
        loader = ChoiceLoader([PackageLoader(package), PackageLoader(_BASE)])
        environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["points"] = format_points
        # For what a student could have written: the latter where no tag may stand.
        environment.filters["visible"] = lambda value: Markup(visible(str(value)))
        environment.filters["visible_plain"] = lambda value: visible_plain(str(value))
        self._template = environment.get_template(template)
        sheets = [_read(_BASE, "page.css"), *(_read(package, name) for name in styles)]
        self._style = "\n".join(sheets)

    @cached_property
    def policy(self) -> str:
        """The page's content security policy: nothing but this style sheet, and that of frames."""
        digest = hashlib.sha256(self._style.encode()).digest()
        style = f"'sha256-{base64.b64encode(digest).decode()}'"
        return (
            f"default-src 'none'; style-src {style} {FRAME_STYLE_SOURCE}; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        )

    def render(self, **values: Any) -> str:
        # A lone surrogate in a student's name cannot be written as UTF-8.
        page = self._template.render(style=Markup(self._style), policy=self.policy, **values)
        return page.encode("utf-8", "replace").decode()


@lru_cache(maxsize=1024)
def format_points(value: float, *, signed: bool = False) -> str:
    """Return points as people write them: 1.5, 2, with a true minus sign; signed: +1."""
    rounded = round(value, 2) + 0.0
    sign = "\u2212" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):.2f}".rstrip("0").rstrip(".")


def _read(package: str, name: str) -> str:
    path = resources.files(package) / "templates" / name
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")
