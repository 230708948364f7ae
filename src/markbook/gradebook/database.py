"""One engine per gradebook, its transactions, and the migrations of Markbook's tables."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from markbook.course import CONFIG_NAME
from markbook.errors import CourseError
from markbook.gradebook import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from markbook.course import Course

__all__ = ["make_engine", "prepare", "reading", "writing"]

# nbgrader itself waits 5 s; a marker's click may wait behind a whole batch being saved.
_BUSY_SECONDS = 30

# Any two constants: the keys of PostgreSQL's advisory locks for migrations and for writing.
_NEVER_AT_ONCE = 7_262_375
_ONE_WRITER = 7_262_376


def make_engine(url: str) -> Engine:
    """Return an engine for ``url``.

    SQLite keeps its rollback journal: the gradebook stays one file that may be copied and lie on
    a network drive, and Markbook's transactions are short. Writers begin IMMEDIATE, so that what
    they read is still so when they write.
    """
    try:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS} if sqlite else {})
    except Exception as error:
        raise CourseError(
            f"The gradebook's address cannot be used: {error}",
            hint=f"See CourseDirectory.db_url in the course's {CONFIG_NAME}.",
        ) from error
    if sqlite:
        event.listen(engine, "connect", _manual_transactions)
        event.listen(engine, "begin", _begin)
    return engine


def _manual_transactions(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 then leaves BEGIN to us


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("markbook_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the database and changes nothing."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in one transaction: all of it is stored, or on any error nothing.

    Writers take turns, so that the numbers of the events come in the order they are committed in.
    """
    with engine.connect().execution_options(markbook_writes=True) as connection:
        with connection.begin():
            if engine.dialect.name == "postgresql":
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
        with reading(engine) as connection:
            query = text(f"SELECT version_num FROM {tables.VERSION_TABLE}")
            version: str | None = connection.scalar(query)
            return version
    except (OperationalError, ProgrammingError) as error:
        if _cannot_open(error):
            raise CourseError(
                f"The gradebook {engine.url.render_as_string()} cannot be opened: {error.orig}.",
                hint="Does its folder exist, and may you write there?",
            ) from error
        return None


def _cannot_open(error: OperationalError | ProgrammingError) -> bool:
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
