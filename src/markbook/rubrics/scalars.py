"""Single values as YAML text."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode, SequenceNode

from markbook.rubrics.source import compose, number

__all__ = ["block_scalar", "flow_value", "number_text", "scalar_text"]

_WIDTH = 96
# What YAML does not count as printable, or reads as a line break inside a text.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def number_text(text: str) -> float | None:
    """Return the number that a YAML scalar stands for, or None."""
    try:
        return number(text)
    except ValueError:
        return None


def scalar_text(value: Any, *, style: str | None = None, flow: bool = False) -> str:
    """Return a number, bool or text in one line, in the quoting ``style`` if that can hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    text = str(value)
    plain = "\n" not in text and not _ODD.search(text)
    if plain and style == "'":
        return "'" + text.replace("'", "''") + "'"
    if plain and style != '"' and _reads_back(text, flow=flow):
        return text
    return _quoted(text)


def flow_value(value: Any) -> str:
    """Return a value in flow style: ``[a, b]``, ``{id: a, points: 1}``."""
    if isinstance(value, list):
        return "[" + ", ".join(flow_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow_value(item)}" for key, item in value.items()) + "}"
    return scalar_text(value, flow=True)


def block_scalar(text: str, indent: int, *, head: str = "|") -> str:
    """Return a text as a block at ``indent``, without the last line break.

    ``head`` is the first line, ``|`` or ``>`` with what follows it; a text that the block cannot
    hold is quoted instead.
    """
    if _ODD.search(text) or re.search(r"[1-9]", head.split("#")[0]):
        return _quoted(text)
    lines = text.split("\n")
    if head.startswith(">"):
        if re.search(r"\n|\s\s|\t", text):
            head = "|" + head[1:]
        else:
            width = max(_WIDTH - indent, 20)
            lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    pad = " " * indent
    return "\n".join([head.rstrip(), *(pad + line if line else "" for line in lines)])


def _reads_back(text: str, *, flow: bool) -> bool:
    """Whether YAML reads the bare text as that text, in a list and behind a key."""
    forms = [f"[{text}]"] if flow else [f"- {text}\n", f"- k: {text}\n"]
    for form in forms:
        try:
            node = compose(form)
        except (YAMLError, RecursionError):
            return False
        if not isinstance(node, SequenceNode) or len(node.value) != 1:
            return False
        found = node.value[0]
        if not flow and form.startswith("- k: ") and found.value and found.id == "mapping":
            found = found.value[0][1]
        if not isinstance(found, ScalarNode) or found.style or found.value != text:
            return False
        if not str(found.tag).endswith(":str"):
            return False
    return True


def _quoted(text: str) -> str:
    plain = json.dumps(text, ensure_ascii=False)
    return _ODD.sub(lambda found: f"\\u{ord(found.group()):04x}", plain)
