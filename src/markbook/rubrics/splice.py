"""Changing values inside a YAML text and leaving every other character alone.

The nodes of the parsed text know where they stand. A changed value replaces its own characters;
an added, removed or moved list item is a few whole lines. Comments are never looked at, so they
cannot be lost; those above a removed item stay where they were.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from markbook.rubrics.scalars import block_scalar, flow_value, number_text, scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DEFAULTS", "entries", "splice"]

# Keys that a file may leave out, and what they mean then.
DEFAULTS: dict[str, Any] = {
    "start": "zero",
    "asked_as": [],
    "model_answer": "",
    "evidence": [],
    "feedback": "",
    "pick_one": [],
    "floor": 0.0,
    "extra_credit": 0.0,
    "public": False,
    "policy": "assist",
    "exemplars": [],
}
_ITEM_KEY = ("id", "text")
_IN_ONE_LINE = ("earns", "pick_one")
# With its key, a text of this length still fits a line of a hundred characters.
_LONG = 84


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A block list's item: its node and its whole lines ``[start, end)``, from its dash on."""

    node: Node
    start: int
    end: int


def splice(text: str, root: Node | None, wanted: dict[str, Any]) -> str:
    """Return ``text`` (line ends ``\\n``) changed so that it means the document ``wanted``."""
    if not isinstance(root, MappingNode):
        raise TypeError("only a mapping can be edited")
    if not text.endswith("\n"):
        text += "\n"
    return _apply(text, _Splicer(text).mapping(root, wanted), 0, len(text))


def _apply(text: str, edits: Iterable[_Edit], start: int, end: int) -> str:
    """Return ``text[start:end]`` with the edits made; offsets are those of the whole text."""
    parts: list[str] = []
    at = start
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:end]])


def _same(node: Node, wanted: Any) -> bool:
    """Whether a node already means ``wanted``."""
    if isinstance(node, MappingNode):
        if not isinstance(wanted, dict):
            return False
        have = {str(key.value): value for key, value in node.value}
        return all(
            _same(have[key], value) if key in have else value == DEFAULTS.get(key)
            for key, value in wanted.items()
        )
    if isinstance(node, SequenceNode):
        return (
            isinstance(wanted, list)
            and len(node.value) == len(wanted)
            and all(_same(item, value) for item, value in zip(node.value, wanted, strict=True))
        )
    value = str(node.value).strip()
    if isinstance(wanted, bool):
        return value.casefold() == str(wanted).lower()
    if isinstance(wanted, float):
        return number_text(value) == wanted
    return bool(value == wanted)


def _key(value: Any) -> str | None:
    """Return what identifies a list's item: a criterion's id, an exemplar's text, a text."""
    if isinstance(value, MappingNode):
        for key, item in value.value:
            if str(key.value) in _ITEM_KEY:
                return str(item.value).strip()
    if isinstance(value, ScalarNode):
        return str(value.value).strip()
    if isinstance(value, SequenceNode):
        return "\0".join(_key(item) or "" for item in value.value)
    if isinstance(value, dict):
        return str(next(value[key] for key in _ITEM_KEY if key in value))
    if isinstance(value, list):
        return "\0".join(value)
    return str(value)


class _Splicer:
    def __init__(self, text: str) -> None:
        self.text = text

    # -- edits ---------------------------------------------------------------------------------

    def value(self, node: Node, wanted: Any, column: int, *, flow: bool) -> Iterator[_Edit]:
        """Yield the edits that make ``node``, the value of a key at ``column``, mean ``wanted``."""
        if _same(node, wanted):
            return
        if isinstance(node, MappingNode) and not node.flow_style:
            yield from self.mapping(node, wanted)
        elif isinstance(node, SequenceNode) and not node.flow_style:
            yield from self.block_list(node, wanted, column)
        elif isinstance(node, ScalarNode):
            yield self.scalar(node, wanted, column, flow=flow)
        else:
            yield self.flow(node, wanted, column)

    def mapping(self, node: MappingNode, wanted: dict[str, Any]) -> Iterator[_Edit]:
        have = {str(key.value): (key, value) for key, value in node.value}
        column = int(node.start_mark.column)
        after: Node = node.value[-1][1]
        for key, value in wanted.items():
            if key in have:
                after = have[key][1]
                yield from self.value(after, value, column, flow=False)
            elif value != DEFAULTS.get(key):
                at = self.line_end(self.end(after))
                yield _Edit(at, at, _entry(key, value, column))

    def block_list(self, node: SequenceNode, wanted: list[Any], column: int) -> Iterator[_Edit]:
        dash = int(node.start_mark.column)
        items = [self.item(child, dash) for child in node.value]
        if not wanted:
            start, end = items[0].start, items[-1].end
            yield _Edit(start, end, " " * (column + 2) + "[]\n")
            return
        pairs = _pair(items, wanted)
        if len(items) == len(wanted) and all(
            pair is item for pair, item in zip(pairs, items, strict=True)
        ):
            for item, value in zip(items, wanted, strict=True):
                yield from self.value(item.node, value, dash, flow=False)
            return
        yield _Edit(items[0].start, items[-1].end, self.rebuilt(items, pairs, wanted, dash))

    def rebuilt(
        self, items: list[_Item], pairs: list[_Item | None], wanted: list[Any], dash: int
    ) -> str:
        """Return the lines of a list whose items were added, removed or moved."""
        above = {
            id(item): self.text[before.end : item.start]
            for before, item in itertools.pairwise(items)
        }
        kept = {id(pair) for pair in pairs if pair is not None}
        orphans = _orphans(items, kept, above)
        parts: list[str] = []
        for pair, value in zip(pairs, wanted, strict=True):
            if pair is None:
                parts.append(_list_item(value, dash))
                continue
            parts += [orphans.pop(id(pair), ""), above.get(id(pair), "")]
            edits = self.value(pair.node, value, dash, flow=False)
            parts.append(_apply(self.text, edits, pair.start, pair.end))
        return "".join([*parts, *orphans.values()])

    def scalar(self, node: ScalarNode, wanted: Any, column: int, *, flow: bool) -> _Edit:
        start, end = int(node.start_mark.index), self.end(node)
        if node.style in ("|", ">") and isinstance(wanted, str):
            head = self.text[start : self.text.index("\n", start)]
            return _Edit(start, end, block_scalar(wanted, column + 2, head=head))
        if isinstance(wanted, str) and "\n" in wanted and not flow:
            return self.with_block(start, end, wanted, column)
        return _Edit(start, end, scalar_text(wanted, style=node.style, flow=flow))

    def with_block(self, start: int, end: int, wanted: str, column: int) -> _Edit:
        """Return the edit from a one-line text to a block, its comment kept behind the |."""
        stop = self.line_end(end)
        comment = self.text[end : stop - 1].rstrip()
        return _Edit(start, stop - 1, block_scalar(wanted, column + 2, head=f"|{comment}"))

    def flow(self, node: Node, wanted: Any, column: int) -> _Edit:
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
            stop = self.line_end(end)
            lines = "".join(_list_item(value, column + 2) for value in wanted)
            comment = self.text[end : stop - 1].rstrip()
            return _Edit(start, stop, f"{comment}\n{lines}")
        return _Edit(start, end, flow_value(_told(wanted)))

    # -- places --------------------------------------------------------------------------------

    def item(self, child: Node, dash: int) -> _Item:
        start = self.text.rfind("\n", 0, int(child.start_mark.index)) + 1
        while self.text[start + dash] != "-" or self.text[start : start + dash].strip(" -"):
            start = self.text.rfind("\n", 0, start - 1) + 1
        return _Item(child, start, self.line_end(self.end(child)))

    def line_end(self, index: int) -> int:
        """Return the index after the line break that ends the line of ``index``."""
        return self.text.index("\n", index) + 1

    def end(self, node: Node) -> int:
        """Return the index after the last character of a value, without what follows it."""
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return self.block_end(node)
        if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self.end(last[1] if isinstance(node, MappingNode) else last)
        return int(node.end_mark.index)

    def block_end(self, node: ScalarNode) -> int:
        """Return the end of a block text: its last line with content.

        The parser's own end mark lies behind the comments and empty lines that follow.
        """
        header = self.text.index("\n", int(node.start_mark.index))
        end = at = header
        indent: int | None = None
        while at + 1 < len(self.text):
            stop = self.text.index("\n", at + 1)
            line = self.text[at + 1 : stop]
            if line.strip(" "):
                depth = len(line) - len(line.lstrip(" "))
                indent = depth if indent is None else indent
                if depth < indent:
                    break
                end = stop
            at = stop
        return end


def _pair(items: list[_Item], wanted: list[Any]) -> list[_Item | None]:
    """Return, for each wanted value, the old item that it is (a new version of), or None."""
    free: dict[str | None, list[_Item]] = {}
    for item in items:
        free.setdefault(_key(item.node), []).append(item)
    pairs: list[_Item | None] = [
        queue.pop(0) if (queue := free.get(_key(value))) else None for value in wanted
    ]
    used = {id(pair) for pair in pairs}
    if len(items) == len(wanted):
        # Nothing was added or removed, so an unknown name in an unused place is a renaming.
        pairs = [
            item if pair is None and id(item) not in used else pair
            for pair, item in zip(pairs, items, strict=True)
        ]
    return pairs


def _orphans(items: list[_Item], kept: set[int], above: dict[int, str]) -> dict[int, str]:
    """Return the comments above removed items, by the kept item that follows (0: the end)."""
    found: dict[int, str] = {}
    waiting = ""
    for item in items:
        if id(item) in kept:
            if waiting:
                found[id(item)] = waiting
            waiting = ""
        elif "#" in above.get(id(item), ""):
            waiting += above[id(item)]
    if waiting:
        found[0] = waiting
    return found


def _told(value: Any) -> Any:
    """Return the value without the keys that hold their default."""
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if item != DEFAULTS.get(key)}


def entries(document: dict[str, Any], column: int = 0) -> str:
    """Return the lines of a block mapping at ``column``, without the keys that hold defaults."""
    return "".join(_entry(key, value, column) for key, value in _told(document).items())


def _entry(key: str, value: Any, column: int) -> str:
    """Return the lines of ``key: value`` in a block mapping at ``column``."""
    pad = " " * column
    if not isinstance(value, list):
        return f"{pad}{key}: {_text(value, column)}\n"
    if key in _IN_ONE_LINE or not value:
        return f"{pad}{key}: {flow_value(value)}\n"
    return f"{pad}{key}:\n" + "".join(_list_item(item, column + 2) for item in value)


def _list_item(value: Any, dash: int) -> str:
    """Return the lines of one item of a block list whose dashes stand at ``dash``."""
    pad = " " * dash
    if isinstance(value, dict):
        return f"{pad}- {entries(value, dash + 2)[dash + 2 :]}"
    if isinstance(value, list):
        return f"{pad}- {flow_value(value)}\n"
    return f"{pad}- {_text(value, dash)}\n"


def _text(value: Any, column: int) -> str:
    """Return a value behind a key or dash at ``column``: in one line, or as a block."""
    if isinstance(value, str) and ("\n" in value or len(value) + column > _LONG):
        return block_scalar(value, column + 2, head="|" if "\n" in value else ">-")
    return scalar_text(value)
