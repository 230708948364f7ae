"""The tiny course as fixtures, and a page taken apart."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

VOID = {"area", "br", "circle", "hr", "line", "meta", "path", "rect"}


@pytest.fixture
def course(tiny, tmp_path):
    """A course of three students, autograded."""
    return tiny.copy_of("autograded", tmp_path / "course")


class Page(HTMLParser):
    """A page's tags, ids, links, headings, and the text of each section by its id."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            name = dict(attrs).get("id") if tag in ("section", "nav", "header") else None
            self._open.append((tag, name or (self._open[-1][1] if self._open else "")))

    def handle_endtag(self, tag):
        if tag not in VOID:
            opened, _ = self._open.pop()
            assert opened == tag, f"<{opened}> is closed by </{tag}> at {self.getpos()}"

    def handle_data(self, data):
        name = self._open[-1][1] if self._open else ""
        self.sections[name] = self.sections.get(name, "") + " " + " ".join(data.split())

    def section(self, name: str) -> str:
        return " ".join(self.sections[name].split())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.sections.values()).split())

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if attrs.get("id")]

    @property
    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.tags if tag in ("h1", "h2", "h3", "h4")]


@pytest.fixture(scope="session")
def read_page():
    return Page
