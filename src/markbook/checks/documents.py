"""MB70x: what students read. Links, pictures and headings that work for everybody."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from markbook.checks.views import CellView

__all__ = ["CHECKS"]

_PREFIX = "attachment:"
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class _Link:
    """A link or picture of a cell; ``line`` is that of its paragraph, from 1."""

    url: str
    line: int
    image: bool
    label: str


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.validateLink = lambda _url: True  # type: ignore[assignment,method-assign]  # it drops file: links
    return parser


@cache
def _links(source: str) -> tuple[_Link, ...]:
    found: list[_Link] = []
    for token in _parser().parse(source):
        line = (token.map[0] if token.map else 0) + 1
        for child in token.children or ():
            if child.type == "image":
                found.append(_Link(str(child.attrs.get("src", "")), line, True, child.content))
            elif child.type == "link_open":
                found.append(_Link(str(child.attrs.get("href", "")), line, False, ""))
    return tuple(found)


class _CellCheck(Check):
    """A check of every Markdown cell that students only read."""

    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        for cell in target.notebook.cells:
            if cell.is_markdown and not cell.solution:
                yield from self.look(target, cell)

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        raise NotImplementedError


class BrokenLink(_CellCheck):
    """A link or picture to a file that is not beside the notebook, or not inside the assignment."""

    code = "MB701"
    name = "broken-link"

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        home = target.path.parent
        for link in _links(cell.source):
            parts = urlsplit(link.url)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            name = unquote(parts.path)
            path = (home / name).resolve()
            inside = path.is_relative_to(home.resolve()) and not name.startswith("/")
            if inside and path.exists():
                continue
            where = "lies outside the assignment" if not inside else "is not there"
            yield self.finding(
                target,
                f"{name!r} {where}.",
                hint="Put the file beside the notebook: what is released lies in that folder.",
                cell=cell,
                line=link.line,
            )


class LocalAddress(_CellCheck):
    """A link that works on the author's machine only: file:, localhost, or a drive's letter."""

    code = "MB702"
    name = "local-address"

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        for link in _links(cell.source):
            parts = urlsplit(link.url)
            # A scheme of one letter is a drive; a link to localhost in a text may be the topic.
            if parts.scheme == "file" or len(parts.scheme) == 1:
                yield self.finding(
                    target,
                    f"The address {link.url!r} is one of your own machine.",
                    hint="Link to a file beside the notebook, by its name.",
                    cell=cell,
                    line=link.line,
                )


class MissingAttachment(_CellCheck):
    """A picture that is said to be attached to the cell, and is not."""

    code = "MB703"
    name = "missing-attachment"

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        attached = cell.node.get("attachments") or {}
        for link in _links(cell.source):
            name = unquote(link.url.removeprefix(_PREFIX))
            if link.url.startswith(_PREFIX) and name not in attached:
                yield self.finding(
                    target,
                    f"The picture {name!r} is not attached to the cell.",
                    hint="Drag it into the cell again.",
                    cell=cell,
                    line=link.line,
                )


class PictureWithoutText(_CellCheck):
    """A picture without alternative text: who cannot see it cannot answer."""

    code = "MB704"
    name = "picture-without-text"

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        for link in _links(cell.source):
            if link.image and not link.label.strip():
                yield self.finding(
                    target,
                    f"The picture {link.url.removeprefix(_PREFIX)!r} has no alternative text.",
                    hint="Write what it shows between the brackets: ![a request and its answer](…)",
                    cell=cell,
                    line=link.line,
                )


class HeadingOrder(Check):
    """A heading that skips a level: readers who move by headings lose their way."""

    code = "MB705"
    name = "heading-order"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        last = 0
        for cell in target.notebook.cells:
            if not cell.is_markdown or cell.solution:
                continue
            for level, line in _headings(_parser().parse(cell.source)):
                if last and level > last + 1:
                    yield self.finding(
                        target,
                        f"A heading of level {level} follows one of level {last}.",
                        hint=f"Use {'#' * (last + 1)} here.",
                        cell=cell,
                        line=line,
                    )
                last = level


class EmptyHeading(_CellCheck):
    """A heading without words."""

    code = "MB706"
    name = "empty-heading"
    severity = Severity.WARNING

    def look(self, target: Target, cell: CellView) -> Iterator[Finding]:
        tokens = _parser().parse(cell.source)
        for token, inner in itertools.pairwise(tokens):
            if token.type == "heading_open" and not inner.content.strip():
                yield self.finding(
                    target,
                    "The heading has no words.",
                    hint="Write what follows, or remove the line.",
                    cell=cell,
                    line=(token.map[0] if token.map else 0) + 1,
                )


def _headings(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    for token in tokens:
        if token.type == "heading_open":
            yield min(int(token.tag[1:]), _DEEPEST), (token.map[0] if token.map else 0) + 1


CHECKS: tuple[type[Check], ...] = (
    BrokenLink,
    LocalAddress,
    MissingAttachment,
    PictureWithoutText,
    HeadingOrder,
    EmptyHeading,
)
