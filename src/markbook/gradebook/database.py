"""One engine per gradebook, its transactions, and the migrations of Markbook's tables."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from markbook.course import CONFIG_NAME
from markbook.errors import CourseError
from markbook.gradebook import tables
from markbook.gradebook.faults import explain, place
from markbook.gradebook.journal import address, choose_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

    from markbook.course import Course

__all__ = ["BUSY_SECONDS", "make_engine", "prepare", "reading", "writing"]

BUSY_SECONDS = 30.0
"""How long to wait for another writer: a marker's click may wait behind a batch being saved."""

# 64 MB: a batch of a large class changes over a thousand pages, most of them the next one's too.
_PAGES_IN_THE_LOG = 16_000

# Any two constants: the keys of PostgreSQL's advisory locks for migrations and for writing.
_NEVER_AT_ONCE = 7_262_375
_ONE_WRITER = 7_262_376


def make_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine for ``url``, which waits ``busy_seconds`` for another writer.

    SQLite has a write-ahead log where the file lies on a disk of this computer. Writers begin
    IMMEDIATE, so that what they read is still so when they write.
    """
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        path = _file(parsed) if sqlite else None
        if path is not None:
            parsed = _with_path(parsed, path)
        waits = {"timeout": busy_seconds} if sqlite else {}
        # a server that was restarted is asked again, instead of an answer that the client is old
        engine = create_engine(parsed, connect_args=waits, pool_pre_ping=not sqlite)
    except Exception as error:
        raise CourseError(
            f"The gradebook's address cannot be used: {error}",
            hint=f"See CourseDirectory.db_url in the course's {CONFIG_NAME}.",
        ) from error
    engine = engine.execution_options(markbook_busy_seconds=busy_seconds)
    if sqlite:
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin)
    return engine


def _file(url: URL) -> Path | None:
    """Return where SQLite's database is, None where it is no file, or a URI chosen by a person."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return None
    return Path(url.database).absolute()


def _with_path(url: URL, path: Path) -> URL:
    if path.parent.is_dir():
        choose_journal(path)
    found = address(path)
    if not found.startswith("file:"):
        return url
    return url.set(database=found).update_query_dict({"uri": "true"})


def _prepare_connection(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 then leaves BEGIN to us
    # FULL: what a marker saw stored is on the disk also after the power went
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_PAGES_IN_THE_LOG}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("markbook_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """Say in our words what is wrong with the database, its disk or its server."""
    try:
        yield
    except DBAPIError as error:
        found = explain(error, engine, _busy_seconds(engine))
        if found is None:
            raise
        raise found from error


def _busy_seconds(engine: Engine) -> float:
    seconds: float = engine.get_execution_options().get("markbook_busy_seconds", BUSY_SECONDS)
    return seconds


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the database and changes nothing.

    Raises ``MarkbookError`` when the database is out of reach.
    """
    with _explained(engine), engine.connect() as connection:
        yield connection
        connection.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in one transaction: all of it is stored, or on any error nothing.

    Writers take turns, so that the numbers of the events come in the order they are committed in.
    Raises ``MarkbookError`` when another writer takes too long, the disk is full or the database
    is out of reach.
    """
    with (
        _explained(engine),
        engine.connect().execution_options(markbook_writes=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            wait = int(_busy_seconds(engine) * 1000)
            connection.execute(text(f"SET LOCAL lock_timeout = {wait}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_WRITER})"))
        yield connection


def prepare(engine: Engine, course: Course) -> None:
    """Make sure that nbgrader's tables and Markbook's are there and of this version.

    Costs one query when they are. Two processes that open a new course at once take turns.
    """
    if _version(engine) == tables.HEAD:
        return
    with _turns(course):
        if not _made_by_nbgrader(engine):
            # nbgrader must be first: it stamps its own version only into an empty database.
            from markbook.gradebook.nbgrader import create_database

            create_database(course)
        _migrate(engine)


def _made_by_nbgrader(engine: Engine) -> bool:
    """Tell whether nbgrader's tables are there, and its version: a kill may come in between."""
    found = inspect(engine)
    if not (found.has_table("grade") and found.has_table("alembic_version")):
        return False
    with reading(engine) as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM alembic_version")))


def _version(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            query = text(f"SELECT version_num FROM {tables.VERSION_TABLE}")
            version: str | None = connection.scalar(query)
            return version
    except DBAPIError as error:
        if _cannot_open(error):
            raise CourseError(
                f"The gradebook {place(engine)} cannot be opened: {error.orig}.",
                hint="Does its folder exist, and may you write there?",
            ) from error
        found = explain(error, engine, _busy_seconds(engine))
        if found is not None:
            raise found from error
        return None


def _cannot_open(error: DBAPIError) -> bool:
    said = str(error.orig).lower()
    return any(sign in said for sign in ("unable to open", "connection", "not a database"))


@contextmanager
def _turns(course: Course) -> Iterator[None]:
    # The lock sits on a file that every course has, so no lock file is left behind.
    with (course.root / CONFIG_NAME).open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _migrate(engine: Engine) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "markbook.gradebook:migrations")
    script = ScriptDirectory.from_config(config)

    def upgrade(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs(tables.HEAD, revision)  # what alembic.command.upgrade does

    with writing(engine) as connection, EnvironmentContext(config, script, fn=upgrade) as context:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_NEVER_AT_ONCE})"))
        context.configure(
            connection=connection,
            target_metadata=tables.metadata,
            version_table=tables.VERSION_TABLE,
            transactional_ddl=True,
            transaction_per_migration=False,
        )
        try:
            context.run_migrations()
        except CommandError as error:
            raise CourseError(
                f"The gradebook was written by a newer Markbook: {error}",
                hint="Update Markbook, or open the course with the version that wrote it.",
            ) from error
