"""Whose paper it is: by the file's name, by the paper's front matter, or by a table."""

from __future__ import annotations

import csv
import re
import unicodedata
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from markbook.errors import PaperError
from markbook.text.decode import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["StudentFrom", "StudentNames", "legal_student"]

StudentFrom = Literal["filename", "front-matter"] | Path

_PATH_COLUMNS = ("path", "file", "filename", "paper")
_STUDENT_COLUMNS = ("student", "student_id", "student id", "id", "name")
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"^(student(?:[ _-]id)?|name|id)[ \t]*:[ \t]*(.*?)[ \t]*$", re.I | re.M)
# nbgrader makes a folder of the id; file systems stop at 255 bytes.
_MOST_BYTES = 200


def legal_student(name: str) -> str:
    """Return a student id in NFC if a folder may be called so; ``PaperError`` if not."""
    student = unicodedata.normalize("NFC", name).strip()
    if not student:
        raise PaperError("The student id is empty.", hint="Name the file after its student.")
    if student.startswith("."):
        raise PaperError(
            f"The student id {student!r} begins with a dot.", hint="Choose another with a table."
        )
    odd = sorted(
        {c for c in student if c in '/\\:*?"<>|' or unicodedata.category(c).startswith("C")}
    )
    if odd:
        raise PaperError(
            f"The student id {student!r} holds {', '.join(map(repr, odd))},"
            " which a folder's name may not.",
            hint="Give the paper another student id with --student-from TABLE.csv.",
        )
    if "+" in student or len(student.encode()) > _MOST_BYTES:
        # nbgrader parts student, assignment and time in the exchange by '+'.
        why = "holds a '+'" if "+" in student else f"is longer than {_MOST_BYTES} bytes"
        raise PaperError(
            f"The student id {student[:40]!r} {why}, which nbgrader cannot handle.",
            hint="Give the paper another student id with --student-from TABLE.csv.",
        )
    return student


class StudentNames:
    """The rule that says whose paper a file is; a table is read once, when this is made."""

    def __init__(self, student_from: StudentFrom | str) -> None:
        self._rule = student_from
        self._table: Mapping[str, str] | None = None
        if student_from not in ("filename", "front-matter"):
            self._table = _read_table(Path(student_from))

    def of(self, path: Path, text: str, called: str = "") -> str:
        """Return the student of a paper; raises ``PaperError`` when the rule names none.

        ``called`` is what it is called instead of its file's name: a folder's name, say.
        """
        if self._table is not None:
            return legal_student(self._from_table(self._table, path, called))
        if self._rule == "front-matter":
            return legal_student(_from_front_matter(text))
        return legal_student(called or path.stem)

    def _from_table(self, table: Mapping[str, str], path: Path, called: str) -> str:
        keys = (str(path), path.as_posix(), str(path.absolute()), called, path.name, path.stem)
        for key in filter(None, keys):
            if (found := table.get(unicodedata.normalize("NFC", key))) is not None:
                return found
        raise PaperError(
            f"The table {self._rule} has no row for {path.name}.",
            hint="Add one: the file's name, and its student.",
        )


def _from_front_matter(text: str) -> str:
    front = _FRONT.match(text)
    found = _KEY.findall(front.group(1)) if front else []
    # "student" says it best, whatever the order of the keys.
    for wanted in ("student", "id", "name"):
        for key, value in found:
            if key.lower().startswith(wanted) and value.strip("\"'"):
                return str(value.strip("\"'"))
    raise PaperError(
        "The paper has no front matter that names its student.",
        hint="Let it begin with '---', 'student: NAME' and '---', or use --student-from filename.",
    )


def _read_table(path: Path) -> dict[str, str]:
    try:
        text = decode(path.read_bytes()).text
    except OSError as error:
        raise PaperError(f"The table cannot be read: {error.strerror}.", path=path) from error
    except PaperError as error:
        raise PaperError(error.what, path=path, hint=error.hint) from error
    head = text.split("\n", 1)[0]
    rows = csv.DictReader(StringIO(text), delimiter=max(",;\t", key=head.count))
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    file = next((names[name] for name in _PATH_COLUMNS if name in names), None)
    student = next((names[name] for name in _STUDENT_COLUMNS if name in names), None)
    if file is None or student is None:
        missing = "path" if file is None else "student"
        raise PaperError(
            f"The table has no column {missing!r}; it has {', '.join(filter(None, names))}.",
            path=path,
            line=1,
            hint="Its first line names the columns: path,student",
        )
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        key = unicodedata.normalize("NFC", (row[file] or "").strip())
        who = (row[student] or "").strip()
        if key and who and found.setdefault(key, who) != who:
            raise PaperError(
                f"{key!r} has two students: {found[key]!r} and {who!r}.",
                path=path,
                line=number,
                hint="Keep one of the two rows.",
            )
    return found
