"""Writing rubric files: a new one from a rubric, or a change into one that people wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.errors import InternalError
from markbook.rubrics.reading import load_rubric, parse_rubric
from markbook.rubrics.source import compose
from markbook.rubrics.splice import entries, splice
from markbook.rubrics.version import rubric_document, with_version
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.model import Rubric

__all__ = ["dump_rubric", "save_rubric"]


def dump_rubric(rubric: Rubric) -> str:
    """Return the rubric as a new YAML file's text, without the keys that hold their default."""
    return entries(rubric_document(rubric))


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
