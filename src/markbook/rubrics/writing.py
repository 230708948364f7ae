"""Writing rubric files: a new one from a rubric, or a change into one that people wrote."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from markbook.errors import InternalError
from markbook.rubrics.reading import load_rubric, parse_rubric
from markbook.rubrics.source import compose
from markbook.rubrics.splice import DEFAULTS, splice
from markbook.rubrics.version import rubric_document, with_version
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.model import Rubric

__all__ = ["dump_rubric", "save_rubric"]


def dump_rubric(rubric: Rubric) -> str:
    """Return the rubric as a new YAML file's text, without the keys that hold their default."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(_node(rubric_document(rubric), ()), stream)
    return stream.getvalue()


def save_rubric(path: Path, rubric: Rubric) -> Rubric:
    """Write the rubric to ``path`` and return it with its new version.

    In a file that is there already only what changed is touched: comments, key order, quoting,
    indentation and line ends stay. Raises ``InvalidRubric`` when that file is broken (it is left
    as it is) or when ``rubric`` itself is not valid.
    """
    wanted = with_version(rubric)
    parse_rubric(dump_rubric(wanted), path=path)
    if not path.exists():
        write_atomic(path, dump_rubric(wanted))
        return wanted
    load_rubric(path)
    data = path.read_bytes()
    bom = "\ufeff" if data.startswith(b"\xef\xbb\xbf") else ""
    text = data.decode("utf-8-sig")
    crlf = "\r\n" in text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    root = compose(text)
    edited = splice(text, root, rubric_document(wanted))
    if rubric_document(parse_rubric(edited, path=path)) != rubric_document(wanted):
        what = f"the change could not be written into {path} without touching the rest of it."
        raise InternalError(what, hint="The file was left as it was.")
    write_atomic(path, bom + (edited.replace("\n", "\r\n") if crlf else edited))
    return wanted


def _node(value: Any, place: tuple[str, ...]) -> Any:
    """Return ``value`` as ruamel's nodes: defaults left out, ids in flow style, long text as |."""
    if isinstance(value, dict):
        return CommentedMap(
            (key, _node(item, (*place, key)))
            for key, item in value.items()
            if item != DEFAULTS.get(key)
        )
    if isinstance(value, list):
        sequence = CommentedSeq(_node(item, place) for item in value)
        if place[-1] == "earns" or (place[-1] == "pick_one" and not isinstance(value[0], list)):
            sequence.fa.set_flow_style()
        return sequence
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value + "\n")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
