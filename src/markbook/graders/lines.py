"""The JSON-lines files between a step and a grader notebook, checked line by line.

Answers in: ``{"key", "text", "count"}``, one line for each different text, no students.
Marks in, where people gave some: ``{"key", "earned", "score"}``, one line a text.
Suggestions out: ``{"key", "criterion", "awarded", "confidence", "span", "start", "end", "note"}``.
Scores out: a head line ``{"refused"}``, then ``{"key", "mean", "sd", "confidence", "rank",
"flags"}``, one line a text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from markbook.errors import GraderError
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AnswerLine",
    "MarkLine",
    "ScoreLine",
    "Scores",
    "SuggestionLine",
    "evidence_problem",
    "read_answers",
    "read_marks",
    "read_scores",
    "read_suggestions",
    "write_answers",
    "write_marks",
    "write_scores",
    "write_suggestions",
]

_NOTE_LIMIT = 1_000  # characters: a note is a sentence or two, not a dump
_FLAG = re.compile(r"[a-z]+(?:-[a-z]+){0,5}")
_FLAG_LIMIT = 40  # characters


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One different text; ``key`` is its hash, ``count`` how many students wrote it."""

    key: str
    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class SuggestionLine:
    """One criterion on one text. ``awarded`` None is an abstention, its confidence is 0."""

    key: str
    criterion: str
    awarded: bool | None
    confidence: float
    span: str | None = None
    start: int | None = None
    end: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkLine:
    """What people gave a text: the criteria it earned, and a share of the maximum, 0 to 1.

    Where several students wrote it, ``score`` is their mean, and ``least`` and ``most`` are the
    lowest and the highest; both are None where there is one mark.
    """

    key: str
    earned: tuple[str, ...]
    score: float
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """What is expected of a text, in shares of the maximum.

    ``mean`` with its spread ``sd``; ``confidence`` is the calibrated chance that a person's mark
    is within a tenth of ``suggested``, the score most likely to be (near a ceiling it is not the
    mean; None where a grader named none: the mean). ``rank`` 1 is the text to mark first, texts
    with a mark come last. ``flags`` name what is odd (``markbook.graders.guards.FLAGS``).
    """

    key: str
    mean: float
    sd: float
    confidence: float
    rank: int
    flags: tuple[str, ...] = ()
    suggested: float | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """A question's scores; ``refused`` is why none of them should be relied on, or None."""

    refused: str | None = None
    lines: tuple[ScoreLine, ...] = ()


def write_answers(path: Path, lines: Iterable[AnswerLine]) -> None:
    """Write an answers file atomically."""
    _write(path, map(_record, lines))


def write_suggestions(path: Path, lines: Iterable[SuggestionLine]) -> None:
    """Write a suggestions file atomically."""
    _write(path, map(_record, lines))


def write_marks(path: Path, lines: Iterable[MarkLine]) -> None:
    """Write a marks file atomically."""
    _write(path, map(_record, lines))


def write_scores(path: Path, scores: Scores) -> None:
    """Write a scores file atomically: its head line, then one line a text."""
    records: list[dict[str, Any]] = [{"refused": scores.refused}]
    _write(path, [*records, *map(_record, scores.lines)])


def read_answers(path: Path) -> tuple[AnswerLine, ...]:
    """Read an answers file; raises ``GraderError`` naming the line that is wrong."""
    found: dict[str, AnswerLine] = {}
    for number, record in _records(path):
        _keys(path, number, record, required={"key", "text"}, allowed={"key", "text", "count"})
        key, text, count = record["key"], record["text"], record.get("count", 1)
        if not isinstance(key, str) or not isinstance(text, str):
            raise _wrong(path, number, "'key' and 'text' must be texts")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise _wrong(path, number, f"'count' is {count!r}, not a number of students")
        if key in found:
            raise _wrong(path, number, f"the key {key!r} stands twice")
        found[key] = AnswerLine(key, text, count)
    return tuple(found.values())


def read_suggestions(
    path: Path, texts: Mapping[str, str], criteria: Sequence[str]
) -> tuple[SuggestionLine, ...]:
    """Read what a grader wrote about ``texts`` (by key); a missing pair is an abstention.

    Returns one line for each text and criterion, in the order of both. Raises ``GraderError``
    naming the line: not JSON, keys unknown or missing, an answer or criterion that was not
    asked for, a pair twice, a confidence outside [0, 1], evidence that is not verbatim.
    """
    found: dict[tuple[str, str], SuggestionLine] = {}
    allowed = set(SuggestionLine.__dataclass_fields__)
    for number, record in _records(path):
        _keys(path, number, record, required=allowed, allowed=allowed)
        problem = _problem(record, texts, criteria)
        if problem:
            raise _wrong(path, number, problem)
        line = SuggestionLine(**record)
        if (line.key, line.criterion) in found:
            raise _wrong(path, number, f"criterion {line.criterion!r} twice for one answer")
        found[line.key, line.criterion] = line
    return tuple(
        found.get((key, criterion))
        or SuggestionLine(key, criterion, None, 0.0, note="The grader said nothing.")
        for key in texts
        for criterion in criteria
    )


def read_marks(
    path: Path, keys: Collection[str], criteria: Collection[str]
) -> tuple[MarkLine, ...]:
    """Read the marks given so far to the texts ``keys``.

    Raises ``GraderError`` naming the line: not JSON, keys unknown or missing, a text that is not
    among the answers or stands twice, a criterion that the rubric lacks, a score outside [0, 1].
    """
    found: dict[str, MarkLine] = {}
    names = set(MarkLine.__dataclass_fields__)
    for number, record in _records(path):
        _keys(path, number, record, required=names - {"least", "most"}, allowed=names)
        key, earned, score = record["key"], record["earned"], record["score"]
        _text_once(path, number, key, keys, found)
        if not _are_names(earned, criteria):
            known = ", ".join(criteria)
            raise _wrong(path, number, f"'earned' is {earned!r}, not a list of some of {known}")
        if not _is_share(score):
            raise _wrong(path, number, f"the score {score!r} is not between 0 and 1")
        least, most = record.get("least"), record.get("most")
        if (least, most) != (None, None) and not (_is_share(least) and _is_share(most)):
            raise _wrong(path, number, f"the marks from {least!r} to {most!r} are no shares")
        found[key] = MarkLine(key, tuple(earned), float(score), least, most)
    return tuple(found.values())


def read_scores(path: Path, keys: Collection[str]) -> Scores:
    """Read what a grader expects of the texts ``keys``; a text may be missing.

    Raises ``GraderError`` naming the line: not JSON, no head line, keys unknown or missing, a
    text that was not asked for or stands twice, a number outside its range, a rank twice.
    """
    found: dict[str, ScoreLine] = {}
    ranks: set[int] = set()
    refused: str | None = None
    names = set(ScoreLine.__dataclass_fields__)
    records = list(_records(path))
    if not records:
        raise _wrong(path, 1, "the head line with 'refused' is missing")
    for place, (number, record) in enumerate(records):
        if place == 0:
            refused = _refused(path, number, record)
            continue
        _keys(path, number, record, required=names - {"suggested"}, allowed=names)
        _text_once(path, number, record["key"], keys, found)
        for name in ("mean", "sd", "confidence", "suggested"):
            if not _is_share(record.get(name)) and (name, record.get(name)) != ("suggested", None):
                raise _wrong(path, number, f"'{name}' is {record[name]!r}, not between 0 and 1")
        rank, flags = record["rank"], record["flags"]
        if not _is_place(rank) or rank < 1 or rank in ranks:
            raise _wrong(path, number, f"the rank {rank!r} is no number from 1, or stands twice")
        if not isinstance(flags, list) or not all(map(_is_flag, flags)):
            raise _wrong(path, number, f"'flags' is {flags!r}, not a list of names")
        ranks.add(rank)
        found[record["key"]] = ScoreLine(**(record | {"flags": tuple(flags)}))
    return Scores(refused, tuple(found.values()))


def _refused(path: Path, number: int, record: Mapping[str, Any]) -> str | None:
    _keys(path, number, record, required={"refused"}, allowed={"refused"})
    refused = record["refused"]
    if refused is None or (isinstance(refused, str) and 0 < len(refused) <= _NOTE_LIMIT):
        return refused
    raise _wrong(path, number, f"'refused' must be null or at most {_NOTE_LIMIT} characters")


def _text_once(
    path: Path, number: int, key: object, keys: Collection[str], found: Mapping[str, object]
) -> None:
    if not isinstance(key, str) or key not in keys:
        raise _wrong(path, number, f"the answer {key!r} was not asked for")
    if key in found:
        raise _wrong(path, number, f"the key {key!r} stands twice")


def _are_names(value: object, known: Collection[str]) -> bool:
    """Tell whether a value is a list of different names, all known."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return False
    return len(set(value)) == len(value) and all(name in known for name in value)


def _is_flag(value: object) -> bool:
    return (
        isinstance(value, str) and len(value) <= _FLAG_LIMIT and _FLAG.fullmatch(value) is not None
    )


def _problem(record: Mapping[str, Any], texts: Mapping[str, str], criteria: Sequence[str]) -> str:
    """Return what is wrong with a line, or nothing."""
    key, criterion, note = record["key"], record["criterion"], record["note"]
    if not isinstance(key, str) or key not in texts:
        return f"the answer {key!r} was not asked for"
    if not isinstance(criterion, str) or criterion not in criteria:
        return f"the criterion {criterion!r} is none of {', '.join(criteria)}"
    if record["awarded"] is not None and not isinstance(record["awarded"], bool):
        return f"'awarded' is {record['awarded']!r}, not true, false or null"
    if not _is_share(record["confidence"]):
        return f"the confidence {record['confidence']!r} is not between 0 and 1"
    if not isinstance(note, str) or len(note) > _NOTE_LIMIT:
        return f"'note' must be a text of at most {_NOTE_LIMIT} characters"
    return evidence_problem(record["span"], record["start"], record["end"], texts[key])


def evidence_problem(span: object, start: object, end: object, text: str) -> str:
    """Return why a span is not a verbatim piece of ``text``, or nothing."""
    if span is None and start is None and end is None:
        return ""
    if not (isinstance(span, str) and _is_place(start) and _is_place(end)):
        return "'span', 'start' and 'end' must all be there or all be null"
    if not 0 <= start < end <= len(text) or text[start:end] != span:
        return f"the evidence {span[:60]!r} is not what stands at {start}:{end} of the answer"
    return ""


def _is_place(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_share(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and 0 <= value <= 1


def _record(line: Any) -> dict[str, Any]:
    # Not asdict: it copies each value, which took as long as all else that is written.
    return {name: getattr(line, name) for name in line.__dataclass_fields__}


def _write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    # ASCII: lone surrogates and odd line separators in an answer then cannot break a line. Not
    # durable: what is lost with the machine's power is made again by the next run.
    lines = [json.dumps(record, ensure_ascii=True, allow_nan=False) for record in records]
    write_atomic(path, "".join(f"{line}\n" for line in lines), durable=False)


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        content = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise GraderError(
            f"There is no {path.name}.", hint="A grader notebook ends with grader.finish()."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise GraderError(f"{path.name} cannot be read: {error}.") from error
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            raise _wrong(path, number, f"not JSON ({error})") from error
        if not isinstance(record, dict):
            raise _wrong(path, number, "not a JSON object")
        yield number, record


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)  # made once: it took longer than a line


def _keys(
    path: Path, number: int, record: Mapping[str, Any], *, required: set[str], allowed: set[str]
) -> None:
    if record.keys() == allowed:
        return
    unknown = sorted(set(record) - allowed)
    missing = sorted(required - set(record))
    if unknown:
        raise _wrong(path, number, f"unknown key {unknown[0]!r}; known: {sorted(allowed)}")
    if missing:
        raise _wrong(path, number, f"the key {missing[0]!r} is missing")


def _wrong(path: Path, number: int, problem: str) -> GraderError:
    return GraderError(
        f"{path.name}, line {number}: {problem}.",
        hint="Let grader.finish() write the file, or write it as markbook.graders.lines says.",
    )
