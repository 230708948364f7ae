"""What is in an archive: a class's papers, or one student's submission."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from markbook.collect.archives import Budget, unpacker_for
from markbook.collect.members import Unpacked, unpack
from markbook.collect.readers import is_paper
from markbook.collect.submissions import OWN
from markbook.errors import NotebookError, PaperError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Opened", "Parcel", "open_archive"]

_NOTEBOOK = ".ipynb"
# Moodle's folders; Ada Lovelace_1234567_assignsubmission_file_
_MOODLE = re.compile(r"_\d+_assignsubmission_\w+$")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One student's main file from an archive, and the others that came with it.

    ``path`` names it for people, ``called`` is what says whose it is, if not the file's name.
    """

    path: Path
    data: bytes
    called: str = ""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Opened:
    """The parcels of an archive, and what could not be taken from it."""

    parcels: list[Parcel] = field(default_factory=list)
    errors: list[tuple[Path, PaperError]] = field(default_factory=list)


def open_archive(
    path: Path, data: bytes, released: Callable[[Path, bytes], str], *, one_student: bool
) -> Opened:
    """Open an archive; ``released`` says which released notebook a notebook is a copy of.

    An archive is one student's if ``one_student`` says so or a notebook of the assignment stands
    at its top. In a class's archive each file at the top is a paper, each folder and each archive
    one student's. Raises ``PaperError`` for an archive that cannot be read.
    """
    budget = Budget.of(len(data))
    found = _unpacked(path, data, budget)
    top = {name: content for name, content in found.files.items() if "/" not in name}
    if one_student or _has_notebook(path, top, released):
        parcel = _of_student(path, found, _stem(path), released)
        return Opened([parcel])
    opened = Opened()
    for shown, why in found.refused.items():
        opened.errors.append((path / shown, _refused(why)))
    for called, inside in sorted(_by_student(found.files).items()):
        place = path / called
        try:
            opened.parcels.append(_parcel(place, called, inside, budget, released))
        except PaperError as error:
            opened.errors.append((place, error))
    return opened


def _unpacked(path: Path, data: bytes, budget: Budget) -> Unpacked:
    unpacker = unpacker_for(path)
    if unpacker is None:
        raise PaperError("It is not an archive.", path=path)
    found = unpack(unpacker(data, budget))
    found.files = _without_common_top(found.files)
    return found


def _without_common_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """Take away folders that hold all the rest: who packs a folder packs its name, too."""
    while files:
        tops = {name.partition("/")[0] for name in files}
        if len(tops) > 1 or not all("/" in name for name in files):
            break
        top = f"{tops.pop()}/"
        if _MOODLE.search(top.rstrip("/")):
            break  # the one student of a small class
        files = {name.removeprefix(top): content for name, content in files.items()}
    return files


def _by_student(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Sort a class's files by what stands at the top: a file, or a folder with what is in it."""
    found: dict[str, dict[str, bytes]] = {}
    for name, content in files.items():
        top, _, rest = name.partition("/")
        if rest or not _skipped(top):
            found.setdefault(top, {})[rest] = content
    return found


_SKIPPED = ("readme", "license", "changelog")


def _parcel(
    path: Path,
    called: str,
    inside: dict[str, bytes],
    budget: Budget,
    released: Callable[[Path, bytes], str],
) -> Parcel:
    if "" not in inside:
        unpacked = Unpacked(_without_common_top(inside))
        return _of_student(path, unpacked, _MOODLE.sub("", called), released)
    data = inside[""]
    if unpacker_for(path) is not None:
        return _of_student(path, _unpacked(path, data, budget), _stem(path), released)
    if is_paper(path) or path.suffix.lower() == _NOTEBOOK:
        return Parcel(path, data, _stem(path))
    raise PaperError("It is neither a paper nor a notebook.", hint="Ask for Markdown or text.")


def _of_student(
    path: Path, found: Unpacked, called: str, released: Callable[[Path, bytes], str]
) -> Parcel:
    """Find what is marked in one student's files: the assignment's notebooks, or one paper."""
    for shown, why in found.refused.items():
        raise _refused(f"{shown}: {why}")
    files = found.files
    notebooks = {name: data for name, data in files.items() if name.endswith(_NOTEBOOK)}
    if notebooks:
        return _with_notebooks(path, found, called, released)
    papers = [name for name in files if is_paper(Path(name)) and not _skipped(name)]
    if len(papers) != 1:
        what = "no paper and no notebook" if not papers else f"{len(papers)} papers"
        raise PaperError(f"It holds {what}.", hint="One is needed: leave the others out.")
    beside = {name: data for name, data in files.items() if name != papers[0]}
    return _made(path / papers[0], files[papers[0]], called, beside, found.notes)


def _with_notebooks(
    path: Path, found: Unpacked, called: str, released: Callable[[Path, bytes], str]
) -> Parcel:
    """Put each notebook of the assignment at the top under its released name."""
    beside = dict(found.files)
    placed: dict[str, tuple[str, bytes]] = {}
    fault: NotebookError | None = None
    for name in sorted(n for n in found.files if n.endswith(_NOTEBOOK)):
        try:
            wanted = released(path / name, found.files[name])
        except NotebookError as error:  # none of ours, or broken: it lies beside
            fault = fault or error
            continue
        if wanted in placed:
            raise PaperError(
                f"It holds {wanted} twice: {placed[wanted][0]} and {name}.",
                hint="Leave one of them out.",
            )
        placed[wanted] = (name, found.files[name])
        del beside[name]
    if not placed and fault is not None:
        raise PaperError(fault.placed, hint=fault.hint) from fault
    main = min(placed)
    beside |= {name: data for name, (_, data) in placed.items() if name != main}
    return _made(path / main, placed[main][1], called, beside, found.notes)


def _made(
    path: Path, data: bytes, called: str, beside: Mapping[str, bytes], notes: Iterable[str]
) -> Parcel:
    """Leave out what would lie where Markbook keeps its own files."""
    own = sorted(name for name in beside if name.partition("/")[0] in OWN)
    kept = {name: content for name, content in beside.items() if name not in own}
    left_out = [f"{name} is left out: Markbook keeps its own under that name." for name in own]
    return Parcel(path, data, called, kept, (*notes, *left_out))


def _has_notebook(
    path: Path, top: Mapping[str, bytes], released: Callable[[Path, bytes], str]
) -> bool:
    for name, data in top.items():
        if name.endswith(_NOTEBOOK):
            try:
                if released(path / name, data) == name:
                    return True
            except NotebookError:  # what is wrong with it is said later
                continue
    return False


def _skipped(name: str) -> bool:
    return PurePosixPath(name).stem.lower() in _SKIPPED


def _stem(path: Path) -> str:
    stem = path.stem
    return stem[:-4] if stem.lower().endswith(".tar") else stem


def _refused(why: str) -> PaperError:
    return PaperError(
        f"The archive holds what is not taken: {why}.",
        hint="Unpack it yourself, look at it, and collect the folder.",
    )
