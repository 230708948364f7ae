"""The process in which nbgrader runs: forked, or fresh: ``python -m markbook.gradebook.worker``.

One request, a line of JSON, comes on stdin; replies, a line of JSON each, go to stdout; all that
nbgrader, its kernels and their libraries print goes to stderr. When stdin ends, the process that
asked is gone, and this one ends at once.
"""

from __future__ import annotations

import atexit
import contextlib
import glob
import importlib
import json
import logging
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from markbook.gradebook.exchange_copy import take_safely
from markbook.startup import skip_slow_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbgrader.api import Gradebook
    from nbgrader.converters.base import BaseConverter
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

Request = dict[str, Any]
Reply = dict[str, Any]

_REASONS = {
    "UnresponsiveKernelError": "its code made the kernel stop responding",
    "DeadKernelError": "its code ended the kernel",
    "use an newer version": "its cells were made by a newer nbgrader",
    "use an old version": "its cells were made by an older nbgrader",
}

_KEPT_WARNINGS = ("Attribute 'points'", "Attribute 'cell_type'", "No submitted file")


def main() -> None:
    """Read the request and reply to it."""
    skip_slow_imports()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # nothing that anybody prints may look like a reply
    request: Request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        for reply in _TASKS[request["task"]](request):
            _reply(out, reply)
    except Exception as error:
        logging.exception("%s failed", request["task"])
        _reply(out, {"error": str(error) or type(error).__name__})
    out.close()


def _reply(out: IO[str], reply: Reply) -> None:
    out.write(json.dumps(reply) + "\n")
    out.flush()


def _end_with_parent() -> None:
    # not sys.stdin: a thread that holds its lock breaks the interpreter's end
    while os.read(0, 1024):
        pass
    os._exit(70)  # a thread has no other way out; a half-done student is done again


def _create_database(request: Request) -> Iterator[Reply]:
    from nbgrader.api import Gradebook

    _find_the_head_here()
    with Gradebook(request["db_url"], request["course_id"] or "default_course") as gradebook:
        _stamp(gradebook)
    yield {}


def _stamp(gradebook: Gradebook) -> None:
    """Write nbgrader's version where a kill came between its tables and its version.

    nbgrader itself would never do so any more, and "nbgrader db upgrade" would then fail.
    """
    from nbgrader.api import Base, get_alembic_version
    from sqlalchemy import inspect, text

    found = inspect(gradebook.engine)
    with gradebook.engine.begin() as connection:
        if found.has_table("alembic_version"):
            if connection.scalar(text("SELECT count(*) FROM alembic_version")):
                return
        else:
            for table in Base.metadata.tables.values():
                present = {column["name"] for column in found.get_columns(table.name)}
                if not present.issuperset(table.columns.keys()):
                    raise RuntimeError(
                        "the gradebook was made by an old nbgrader. Back it up and run"
                        " 'nbgrader db upgrade'."
                    )
            connection.execute(
                text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
        connection.execute(
            text("INSERT INTO alembic_version (version_num) VALUES (:version)"),
            {"version": get_alembic_version()},
        )


def _generate_assignment(request: Request) -> Iterator[Reply]:
    _find_the_head_here()
    reply = _generate(_config(request), request["assignment"], request["folder"])
    if reply["failure"] is not None:
        raise RuntimeError(reply["failure"])
    yield reply


def _generate_unsaved(request: Request) -> Iterator[Reply]:
    """Do what "nbgrader generate_assignment --no-db" does, for several assignments."""
    for assignment in request["assignments"]:
        config = _config(request)
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
        yield _generate(config, assignment, request["folder"])


def _generate(config: Config, assignment: str, folder: str) -> Reply:
    from nbgrader.converters import GenerateAssignment

    config.CourseDirectory.release_directory = folder
    coursedir = _coursedir(config, assignment_id=assignment)
    converter = GenerateAssignment(coursedir=coursedir, config=config)
    _take_names_literally(converter, assignment, ".")
    with _capture(converter.log) as records:
        failure = _run(converter.start, records)
    return {"folder": coursedir.format_path(folder, ".", assignment), "failure": failure}


def _find_the_head_here() -> None:
    """Let nbgrader ask alembic for its newest migration in this process, not in a third one.

    It asks for every new gradebook; the process would take a second.
    """
    from alembic.script import ScriptDirectory
    from nbgrader import api, dbutil

    api.get_alembic_version = lambda: ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()


def _autograde(request: Request) -> Iterator[Reply]:
    from nbgrader.converters import Autograde

    config = _config(request)
    # ipykernel 7 warns at each unencrypted TCP kernel
    config.KernelManager.setdefault("transport_encryption", "auto")
    for student in request["students"]:
        coursedir = _coursedir(config, assignment_id=request["assignment"], student_id=student)
        converter = Autograde(coursedir=coursedir, config=config)
        converter.force = True
        _take_names_literally(converter, request["assignment"], student)
        with _capture(converter.log) as records:
            failure = _bad_timestamp(coursedir, request["assignment"], student)
            if failure is None:
                failure = _run(converter.start, records)
        folder = coursedir.format_path(
            coursedir.autograded_directory, student, request["assignment"]
        )
        if failure is not None:
            _remove(Path(folder))
        yield {"student": student, "failure": failure, "warnings": _warnings(records)}


def _take_names_literally(converter: BaseConverter, assignment: str, student: str) -> None:
    """Keep nbgrader from taking a bracket in a folder's name for a pattern."""

    def init_notebooks() -> None:
        folder = converter._format_source(assignment, student)
        names = sorted(path.name for path in Path(folder).glob("*.ipynb"))
        converter.assignments = {folder: [f"{folder}{os.sep}{name}" for name in names]}
        converter.notebooks = []

    converter.init_notebooks = init_notebooks


def _run(start: Callable[[], None], records: list[logging.LogRecord]) -> str | None:
    try:
        start()
    except Exception as error:
        logging.exception("nbgrader failed")
        return _reason(error, records)
    return None


def _reason(error: Exception, records: list[logging.LogRecord]) -> str:
    """Name what went wrong; nbgrader logs the cause as a traceback and raises something else."""
    said = "\n".join([*(record.getMessage() for record in records), repr(error)])
    for name, reason in _REASONS.items():
        if name in said:
            return reason
    causes = [r.getMessage() for r in records if "Traceback" in r.getMessage()]
    last = causes[0].strip().splitlines()[-1] if causes else f"{type(error).__name__}: {error}"
    return f"nbgrader: {last[:300]}"


def _bad_timestamp(coursedir: CourseDirectory, assignment: str, student: str) -> str | None:
    from nbgrader.utils import parse_utc

    folder = coursedir.format_path(coursedir.submitted_directory, student, assignment)
    path = Path(folder) / "timestamp.txt"
    if not path.is_file():
        return None
    text = path.read_bytes().decode("utf-8", "replace").strip()
    try:
        parse_utc(text or None)
    except Exception:  # noqa: BLE001  (dateutil raises many kinds)
        return f"its timestamp.txt holds no time: {text[:60]!r}"
    return None


def _warnings(records: list[logging.LogRecord]) -> list[str]:
    messages = (r.getMessage() for r in records if r.levelno == logging.WARNING)
    return [message for message in messages if message.startswith(_KEPT_WARNINGS)]


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # only if this was the student's last assignment


def _validate(request: Request) -> Iterator[Reply]:
    """Let nbgrader's validator judge a notebook by the outputs that are in it."""
    from nbgrader.preprocessors import CheckCellMetadata
    from nbgrader.validator import Validator

    validator = Validator(config=_config(request))
    validator.preprocessors = [CheckCellMetadata]  # without the steps that clear and run it
    with _capture(validator.log) as records:
        try:
            found = validator.validate(request["notebook"])
        except Exception as error:  # noqa: BLE001  (it raises many kinds)
            says = _reason(error, records).removeprefix("nbgrader: ")
            yield {"objections": [{"kind": "refused", "says": says}]}
            return
    warnings = {
        "type_changed": validator.type_changed_warning,
        "changed": validator.changed_warning,
        "failed": validator.failed_warning,
    }
    counts = {"num_changed": 1, "num_failed": 1}  # each is told by itself
    yield {
        "objections": [
            {
                "kind": kind,
                "source": each["source"],
                "says": f"{warning.format(**counts).strip().partition('!')[0]}!"
                f" {each.get('raw_error', '').strip().rpartition(chr(10))[2]}".strip(),
            }
            for kind, warning in warnings.items()
            for each in found.get(kind, ())
        ]
    }


def _collect(request: Request) -> Iterator[Reply]:
    config = _config(request)
    coursedir = _coursedir(config, assignment_id=request["assignment"])
    exchange = _exchange(config).Collect(coursedir=coursedir, parent=None, config=config)
    exchange.update = True
    exchange.check_owner = config.ExchangeCollect.get("check_owner", exchange.check_owner)
    refused = take_safely(exchange)
    exchange.start()
    students = sorted(record["username"] for record in exchange.src_records)
    yield {"students": students, "refused": refused}


def _release_assignment(request: Request) -> Iterator[Reply]:
    config = _config(request)
    coursedir = _coursedir(config, assignment_id=request["assignment"])
    exchange = _exchange(config).ReleaseAssignment(coursedir=coursedir, parent=None, config=config)
    exchange.force = True
    exchange.start()
    yield {}


def _release_feedback(request: Request) -> Iterator[Reply]:
    config = _config(request)
    for student in request["students"]:
        coursedir = _coursedir(
            config, assignment_id=request["assignment"], student_id=glob.escape(student)
        )
        _exchange(config).ReleaseFeedback(coursedir=coursedir, parent=None, config=config).start()
    yield {}


def _config(request: Request) -> Config:
    """Load the course's own configuration, and no user's or system's."""
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=request["root"]).load_config()
    config.CourseDirectory.root = request["root"]
    config.CourseDirectory.db_url = request["db_url"]
    return config


def _coursedir(config: Config, **names: str) -> CourseDirectory:
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=config, **names)


def _exchange(config: Config) -> Any:
    from nbgrader.exchange import ExchangeFactory

    return ExchangeFactory(config=config)


class _Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def _capture(log: logging.Logger) -> Iterator[list[logging.LogRecord]]:
    handler = _Records(logging.WARNING)
    log.addHandler(handler)
    try:
        yield handler.records
    finally:
        log.removeHandler(handler)


def prepare(task: str) -> None:
    """Import what a task will need, and make what it would make first, before a fork for it.

    Opens nothing, and starts no thread. Doing it again costs nothing.
    """
    for name in ("nbgrader.api", "sqlalchemy.dialects.sqlite", "sqlite3", *_NEEDS.get(task, ())):
        importlib.import_module(name)
    from sqlalchemy.orm import configure_mappers

    configure_mappers()
    formats: Any = importlib.import_module("nbformat.validator")
    for relaxed in (False, True):
        formats.get_validator(4, 5, relaxed)  # compiles the notebook format's schema, and keeps it


def leave(code: int) -> NoReturn:
    """End this process, which was forked, as Python would; its modules need no taking down."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


_NEEDS = {
    "create-database": ("alembic.script",),
    "generate-assignment": ("alembic.script",),
    "autograde": ("ipykernel.kernelspec", "IPython.paths"),
}

_TASKS: dict[str, Callable[[Request], Iterator[Reply]]] = {
    "create-database": _create_database,
    "generate-assignment": _generate_assignment,
    "generate-unsaved": _generate_unsaved,
    "autograde": _autograde,
    "validate": _validate,
    "collect": _collect,
    "release-assignment": _release_assignment,
    "release-feedback": _release_feedback,
}

if __name__ == "__main__":
    main()
