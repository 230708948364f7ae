"""YAML text to plain values that remember their lines."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from markbook.rubrics.problems import Problem
from markbook.rubrics.quick import quick_compose

__all__ = ["Place", "Source", "compose", "number", "read_source"]

Place = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "map", "seq"}


@dataclass(frozen=True, slots=True)
class Source:
    """The values of a file (``data``) and where each stands (1-based lines)."""

    data: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, *place: str | int) -> int | None:
        """Return the line of a value or key, or of the nearest thing around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def compose(text: str) -> Node | None:
    """Return the node tree of the only YAML document in ``text``; None when it is empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReusedAnchorWarning)  # anchors are refused where they count
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


def read_source(data: bytes) -> tuple[Source | None, list[Problem]]:
    """Return the values of a file and what is wrong with its YAML.

    The values are None when nothing can be said of them; with only duplicate keys and the like
    they come with the problems, so that a file's other problems can be reported too.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"the file is not UTF-8 (byte 0x{data[error.start]:02x})."
        return None, [Problem(what, line, "Save it as UTF-8.")]
    quick = quick_compose(text)
    if quick is not None:
        reader = _Reader()
        values = reader.value(quick, ())
        if not reader.problems:
            return Source(values, reader.lines), []
    node = _top(text)  # whatever is wrong is told by one parser only
    if isinstance(node, Problem):
        return None, [node]
    reader = _Reader()
    values = reader.value(node, ())
    return Source(values or {}, reader.lines), reader.problems


def _top(text: str) -> MappingNode | Problem:
    """Return the mapping that a file is, or why it is none."""
    problem: Problem | None = None
    node: Node | None = None
    try:
        node = compose(text)
    except MarkedYAMLError as error:
        problem = _not_yaml(error, text)
    except YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        problem = Problem("the file has a character that YAML does not allow.", line)
    except RecursionError:
        problem = Problem("the YAML is nested too deeply.", 1)
    if problem is not None:
        return problem
    if node is None:
        hint = "Start with 'question: ID' and 'criteria:'."
        return Problem("the rubric file is empty.", 1, hint)
    if isinstance(node, MappingNode):
        return node
    found = "a list" if isinstance(node, SequenceNode) else "a single value"
    what = f"a rubric is a mapping of keys to values, and here {found} stands at the top."
    return Problem(what, _line(node), "Start with 'question: ID'.")


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _not_yaml(error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = int(mark.line) + 1 if mark is not None else 1
    lines = text.splitlines()
    broken = lines[line - 1] if line <= len(lines) else ""
    indent = broken[: len(broken) - len(broken.lstrip())]
    if "\t" in indent or "'\\t'" in str(error.problem):
        return Problem("there is a tab, and YAML indents with spaces.", line, "Replace the tab.")
    if "another document" in str(error.problem):
        return Problem("a second YAML document starts here.", line, "One file, one rubric.")
    hint = ""
    if "mapping values are not allowed" in str(error.problem):
        hint = "Text with ': ' in it needs quotes around it."
    context = f"{error.context}: " if error.context else ""
    return Problem(f"this is not valid YAML: {context}{error.problem}.", line, hint)


class _Reader:
    """Turns nodes into plain values and notes lines, duplicate keys, aliases and odd tags."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def value(self, node: Any, place: Place) -> Any:
        self.lines.setdefault(place, _line(node))
        if id(node) in self._seen:
            # Anchors may share a node many times over; one value for two places also means that
            # an edit of one would silently change the other.
            name = getattr(node, "anchor", "")
            what = f"anchors and aliases (&{name}, *{name}) are not part of a rubric."
            self.problems.append(Problem(what, _line(node), "Write the value out at both places."))
            return None
        self._seen.add(id(node))
        if str(node.tag).removeprefix(_TAG) not in _PLAIN_TAGS:
            what = f"the YAML tag {node.tag!r} is not part of a rubric."
            self.problems.append(Problem(what, _line(node)))
            return None
        if node.id == "mapping":
            return self._mapping(node, place)
        if node.id == "sequence":
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: Any, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                self.problems.append(Problem("a key must be a single word.", _line(key_node)))
                continue
            key = str(key_node.value)
            inner = (*place, key)
            if key in found:
                first = self.lines[inner]
                what = f"the key {key!r} stands here a second time (first on line {first})."
                self.problems.append(Problem(what, _line(key_node), "Keep one of the two."))
                continue
            self.lines[inner] = _line(key_node)
            found[key] = self.value(value_node, inner)
        return found


def _scalar(node: Node) -> Any:
    kind = str(node.tag).removeprefix(_TAG)
    text = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.casefold() in {"true", "yes", "on", "y"}
    if kind in {"int", "float"}:
        return number(text)
    return text


def number(text: str) -> float:
    """Return the number of a YAML scalar; ``ValueError`` when it is none."""
    plain = text.replace("_", "").casefold()
    if plain.endswith((".inf", ".nan")):
        return float(plain.replace(".", ""))
    try:
        return float(plain)
    except ValueError:
        return float(int(plain, 0))
