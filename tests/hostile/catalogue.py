"""The hostile inputs as values: read from the data beside this file, made on disk when asked for.

Used by the tests, and by tools/hostile_page.py and tools/compare_hostile.py.
"""

from __future__ import annotations

import copy
import io
import json
import os
import shutil
import socket
import stat
import tarfile
import warnings
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HERE = Path(__file__).resolve().parent
ASSIGNMENT = "hw"
NOTEBOOK = "part.ipynb"
TIMESTAMP = "2026-01-02 03:04:05.000000 UTC"
# The headings of the list, in its order, and what each of them is about.
HEADINGS = ("files", "metadata", "folders", "papers", "archives", "code", "text", "faults")


@dataclass(frozen=True)
class Input:
    """One hostile input: what it tries, how it is made, and exactly what becomes of it.

    ``make`` are steps of ``Maker``; ``paper`` is the name of a paper to collect. ``comment`` is a
    marker's remark, where one is tried. ``needs`` are what the machine has to have: ``root`` to
    make it, ``isolation`` to run it without harm. ``nbgrader`` says why nbgrader does not get it.
    """

    heading: str
    name: str
    tries: str
    expect: dict[str, Any]
    make: tuple[dict[str, Any], ...] = ()
    student: str = ""
    paper: str = ""
    comment: str = ""
    needs: tuple[str, ...] = ()
    nbgrader: str = ""
    proved_by: tuple[str, ...] = ()

    @property
    def statuses(self) -> tuple[str, ...]:
        """Return how it may end: one way, or several where the machine decides."""
        said = self.expect.get("status", ())
        return (said,) if isinstance(said, str) else tuple(said)


@cache
def course_data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((HERE / "course.yaml").read_text(encoding="utf-8"))
    return data


@cache
def inputs(heading: str | None = None) -> tuple[Input, ...]:
    """Return all inputs, or those of one heading, in the order of the data."""
    if heading is None:
        return tuple(each for name in HEADINGS for each in inputs(name))
    path = HERE / "inputs" / f"{heading}.yaml"
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []
    return tuple(_input(heading, fields) for fields in found)


def _input(heading: str, fields: dict[str, Any]) -> Input:
    for name in ("make", "needs", "proved_by"):
        fields[name] = tuple(fields.get(name, ()))
    made = Input(heading=heading, **fields)
    return made if made.student else Input(heading=heading, **{**fields, "student": made.name})


# --- the course ---------------------------------------------------------------------------------


def write_course(root: Path) -> None:
    """Author the course, unreleased; its database is SQLite in the folder."""
    data = course_data()
    source = root / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(data["config"])
    cells = [_cell(**each) for each in data["cells"]]
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, source / NOTEBOOK)
    for name, text in data["helpers"].items():
        (source / name).write_text(text)
    graders = root / "graders" / ASSIGNMENT
    graders.mkdir(parents=True)
    shutil.copy(HERE.parents[1] / "graders" / "default.ipynb", graders.parent)
    for question, text in data["rubrics"].items():
        (graders / f"{question}.yaml").write_text(text)


def _cell(id: str, points: float | None = None, **text: str) -> Any:  # noqa: A002
    ((role, source),) = text.items()
    if role == "model":
        source = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
    make = new_markdown_cell if role in ("prompt", "model") else new_code_cell
    solution = role in ("model", "solution")
    nbgrader: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": id,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    if points is not None:
        nbgrader["points"] = points
    made = make(source.rstrip("\n"), metadata={"nbgrader": nbgrader})
    made["id"] = id
    return made


def hand_in(folder: Path, release: Path, answers: dict[str, str]) -> None:
    """Write an honest submission: the release with answers in it."""
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text(filled(release, answers))
    (folder / "timestamp.txt").write_text(TIMESTAMP)


def filled(release: Path, answers: dict[str, str]) -> str:
    """Return the text of the released notebook with answers in it."""
    notebook = json.loads((release / NOTEBOOK).read_bytes())
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell["source"] = answers[name]
    return json.dumps(notebook, indent=1)


def expected_scores(each: Input) -> dict[str, float | None]:
    """Return the scores of the tests, as the data says; {} where nothing is graded."""
    if not {"graded", "needs-attention"}.intersection(each.statuses):
        return {}
    full: dict[str, float | None] = dict(course_data()["full"])
    said = each.expect.get("scores", {})
    scores = dict.fromkeys(full, 0) if said == "none" else {**full, **said}
    return scores | dict.fromkeys(each.expect.get("forged", ()))


# --- making an input ----------------------------------------------------------------------------


@dataclass
class Maker:
    """Makes one submission on disk. Each method is a step that the data may name.

    ``places`` are what texts may name as @WORD@: @ROOT@ the course, @PORT@ a listener and so on.
    """

    folder: Path
    release: Path
    places: dict[str, str] = field(default_factory=dict)

    def run(self, each: Input) -> None:
        base = dict(course_data()["base"])
        if not each.paper:
            hand_in(self.folder, self.release, base)
        for step in each.make:
            ((name, value),) = step.items()
            getattr(self, name.replace("-", "_"))(value)

    # the notebook as JSON

    def answer(self, texts: dict[str, Any]) -> None:
        """Set the text of cells by id."""

        def change(cells: list[Any]) -> None:
            for name, text in texts.items():
                _find(cells, name)["source"] = self._text(text)

        self._cells(change)

    def tag(self, value: dict[str, Any]) -> None:
        """Change nbgrader's metadata of cells by id; null takes a key away."""

        def change(cells: list[Any]) -> None:
            for name, changes in value.items():
                found = _find(cells, name)["metadata"]["nbgrader"]
                found.update(changes)
                for key in [key for key, new in changes.items() if new is None]:
                    del found[key]

        self._cells(change)

    def tag_null(self, value: dict[str, str]) -> None:
        """Set one key of nbgrader's metadata to null, by cell id."""
        self._cells(
            lambda cells: [
                _find(cells, name)["metadata"]["nbgrader"].__setitem__(key, None)
                for name, key in value.items()
            ]
        )

    def cell(self, value: dict[str, Any]) -> None:
        """Change keys of whole cells by id; null takes a key away."""

        def change(cells: list[Any]) -> None:
            for name, changes in value.items():
                found = _find(cells, name)
                found.update(changes)
                for key in [key for key, new in changes.items() if new is None]:
                    del found[key]

        self._cells(change)

    def meta(self, value: dict[str, Any]) -> None:
        """Change the metadata of cells by id, beside nbgrader's."""
        self._cells(
            lambda cells: [
                _find(cells, name)["metadata"].update(new) for name, new in value.items()
            ]
        )

    def top(self, value: dict[str, Any]) -> None:
        """Change keys of the notebook itself."""
        document = self._read()
        document.update(value)
        self._write(document)

    def delete(self, names: list[str]) -> None:
        self._cells(lambda cells: [cells.remove(_find(cells, name)) for name in names])

    def keep_cells(self, count: int) -> None:
        self._cells(lambda cells: cells.__delitem__(slice(count, None)))

    def duplicate(self, value: dict[str, Any]) -> None:
        """Copy cells by id, each with another text, below themselves."""

        def change(cells: list[Any]) -> None:
            for name, text in value.items():
                found = _find(cells, name)
                twin = copy.deepcopy(found)
                twin["source"] = self._text(text) if text is not None else twin["source"]
                twin["id"] = f"{name}-copy"
                cells.insert(cells.index(found) + 1, twin)

        self._cells(change)

    def move(self, value: dict[str, int]) -> None:
        def change(cells: list[Any]) -> None:
            for name, place in value.items():
                found = _find(cells, name)
                cells.remove(found)
                cells.insert(place, found)

        self._cells(change)

    def insert(self, value: dict[str, Any]) -> None:
        """Put a cell of one's own at a place; ``times`` as many."""
        value = dict(value)
        at, times = value.pop("at"), value.pop("times", 1)

        def change(cells: list[Any]) -> None:
            for number in range(times):
                made = {"cell_type": "markdown", "metadata": {}, "id": f"own-{number}"} | value
                made["source"] = self._text(made.get("source", ""))
                if made["cell_type"] == "code":
                    made = {"outputs": [], "execution_count": None} | made
                cells.insert(at, made)

        self._cells(change)

    def no_metadata(self, _: Any) -> None:
        """Take the metadata and ids of all cells away."""

        def change(cells: list[Any]) -> None:
            for number, cell in enumerate(cells):
                cell["metadata"] = {}
                cell["id"] = f"other-{number}"

        self._cells(change)

    def format_3(self, _: Any) -> None:
        """Save the notebook in the format of 2014."""
        notebook = nbformat.read(self.folder / NOTEBOOK, as_version=4)
        (self.folder / NOTEBOOK).write_text(nbformat.writes(nbformat.convert(notebook, 3), 3))

    # the file's bytes

    def cut(self, keep: int) -> None:
        self._bytes(lambda data: data[:keep])

    def prefix(self, hexed: str) -> None:
        self._bytes(lambda data: bytes.fromhex(hexed) + data)

    def suffix(self, text: str) -> None:
        self._bytes(lambda data: data + text.encode())

    def encode(self, encoding: str) -> None:
        self._bytes(lambda data: json.dumps(json.loads(data), ensure_ascii=False).encode(encoding))

    def swap(self, pairs: list[list[str]]) -> None:
        """Replace the first of each pair by the second in the file's text; it has to be there."""
        for old, new in pairs:
            text = (self.folder / NOTEBOOK).read_text()
            assert old in text, old
            (self.folder / NOTEBOOK).write_text(text.replace(old, self._text(new), 1))

    def content(self, value: Any) -> None:
        """Write another file in place of the notebook."""
        (self.folder / NOTEBOOK).write_text(self._text(value))

    def content_hex(self, value: str) -> None:
        (self.folder / NOTEBOOK).write_bytes(bytes.fromhex(value))

    def nest(self, value: dict[str, Any]) -> None:
        """Nest lists or objects so deep in the notebook's metadata or a cell's."""
        opening, closing = ("[", "]") if value.get("of", "lists") == "lists" else ('{"a":', "}")
        inner = "1" if opening != "[" else ""
        nested = opening * value["deep"] + inner + closing * value["deep"]
        if value.get("whole"):
            (self.folder / NOTEBOOK).write_text(nested)
        else:
            self.top({"metadata": {"deep": "@HERE@"}})
            self.swap([['"@HERE@"', nested]])

    # the folder

    def file(self, value: dict[str, Any]) -> None:
        """Write files by name: a text, or {size: N} of zeros that take no room, or {hex: ...}."""
        for name, content in value.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, dict) and "size" in content:
                with path.open("wb") as stream:
                    stream.truncate(content["size"])
            elif isinstance(content, dict) and "hex" in content:
                path.write_bytes(bytes.fromhex(content["hex"]))
            else:
                path.write_text(self._text(content))

    def many_files(self, value: dict[str, Any]) -> None:
        for number in range(value["count"]):
            (self.folder / value["name"].format(number)).write_text(value.get("text", ""))

    def long_name(self, length: int) -> None:
        (self.folder / ("a" * length)).write_text("x")

    def deep_folders(self, count: int) -> None:
        here = os.open(self.folder, os.O_RDONLY)
        for _ in range(count):
            os.mkdir("d" * 250, dir_fd=here)
            below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
        os.close(here)

    def link(self, value: dict[str, str]) -> None:
        for name, target in value.items():
            path = self.folder / name
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self._text(target))

    def link_folder(self, target: str) -> None:
        """Make the submission's folder itself a link."""
        shutil.rmtree(self.folder)
        self.folder.symlink_to(self._text(target))

    def hard_link(self, value: dict[str, str]) -> None:
        for name, target in value.items():
            (self.folder / name).unlink(missing_ok=True)
            os.link(self._text(target), self.folder / name)

    def pipe(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
        os.mkfifo(self.folder / name)

    def device(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
        os.mknod(self.folder / name, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero

    def socket(self, name: str) -> None:
        short = Path("/proc/self/fd") / str(handle := os.open(self.folder, os.O_RDONLY)) / name
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(short))
        os.close(handle)

    def mode(self, value: dict[str, int]) -> None:
        for name, mode in value.items():
            (self.folder / name).chmod(mode)

    def rename(self, value: dict[str, str]) -> None:
        for old, new in value.items():
            (self.folder / old).rename(self.folder / self._text(new))

    def rename_bytes(self, hexed: str) -> None:
        """Give the notebook a name that is no text."""
        name = os.fsdecode(bytes.fromhex(hexed))
        (self.folder / NOTEBOOK).rename(self.folder / name)

    def twin(self, name: str) -> None:
        shutil.copy(self.folder / NOTEBOOK, self.folder / name)

    def remove(self, names: list[str]) -> None:
        for name in names:
            (self.folder / name).unlink()

    # archives

    def archive(self, value: dict[str, Any]) -> None:
        """Write an archive of members in order; ``keep`` cuts it off after so many bytes."""
        members = [
            {**member, "name": self._text(member["name"]).replace("{}", str(number))}
            for member in value["members"]
            for number in range(member.get("times", 1))
        ]
        path = self.folder / value["name"]
        (self._zip if path.suffix == ".zip" else self._tar)(path, members)
        if "keep" in value:
            path.write_bytes(path.read_bytes()[: value["keep"]])
        for name in {member["file"] for member in members if "file" in member}:
            (self.folder / name).unlink()

    def _zip(self, path: Path, members: list[dict[str, Any]]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name twice is what is wanted
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for member in members:
                    entry = zipfile.ZipInfo("x")
                    entry.filename = member["name"]  # past what ZipInfo would mend
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    kind = stat.S_IFLNK if "link" in member else stat.S_IFREG
                    entry.external_attr = (kind | 0o644) << 16
                    archive.writestr(entry, self._member(member))

    def _tar(self, path: Path, members: list[dict[str, Any]]) -> None:
        kinds = {"pipe": tarfile.FIFOTYPE, "device": tarfile.CHRTYPE}
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for member in members:
                entry = tarfile.TarInfo(member["name"])
                if "link" in member or "hard" in member:
                    entry.type = tarfile.SYMTYPE if "link" in member else tarfile.LNKTYPE
                    entry.linkname = self._text(member.get("link") or member.get("hard"))
                elif "kind" in member:
                    entry.type = kinds[member["kind"]]
                data = b"" if entry.type != tarfile.REGTYPE else self._member(member)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))

    def _member(self, member: dict[str, Any]) -> bytes:
        if "file" in member:
            return (self.folder / member["file"]).read_bytes()
        if member.get("text") == "NOTEBOOK":
            return filled(self.release, course_data()["base"]).encode()
        return self._text(member.get("text", member.get("link", ""))).encode()

    # helpers

    def _text(self, value: Any) -> str:
        """Return a text; {repeat: ..., times: N, before: ..., after: ...} is a long one."""
        if isinstance(value, dict):
            value = (
                value.get("before", "") + value["repeat"] * value["times"] + value.get("after", "")
            )
        for name, place in self.places.items():
            value = value.replace(f"@{name}@", place)
        return str(value)

    def _read(self) -> Any:
        return json.loads((self.folder / NOTEBOOK).read_bytes())

    def _write(self, document: Any) -> None:
        (self.folder / NOTEBOOK).write_text(json.dumps(document, indent=1))

    def _cells(self, change: Any) -> None:
        document = self._read()
        change(document["cells"])
        self._write(document)

    def _bytes(self, change: Any) -> None:
        path = self.folder / NOTEBOOK
        path.write_bytes(change(path.read_bytes()))


def _find(cells: list[Any], name: str) -> Any:
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
            return cell
    raise KeyError(name)
