"""Ways to a database: ADBC, where rows are Arrow from the start, else SQLAlchemy with any DB-API driver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from recsysops.config.settings import SourceSettings
from recsysops.errors import PluginError, SourceError
from recsysops.tables.database_sql import SQLITE, DatabaseTable
from recsysops.tables.extras import missing, needed
from recsysops.tables.sqlite_source import SqliteSource

if TYPE_CHECKING:
    from sqlalchemy import URL, Select
    from sqlalchemy.engine.interfaces import Dialect
    from sqlalchemy.types import TypeEngine

BATCH_ROWS = 65_536
POSTGRESQL = "postgresql"


class Driver(Protocol):
    """A database that is asked; each call has a connection of its own, in UTC and without writing.

    Errors are those of the driver's library: ``errors`` names them.
    """

    dialect: str
    errors: tuple[type[Exception], ...]

    def columns(self, table: str) -> Mapping[str, TypeEngine[Any]]:
        """Columns of a table or view in their order; none when there is no such table."""
        ...

    def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        ...

    def batches(self, statement: Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a large one, cast to the schema."""
        ...


def open_driver(text: str, root: Path) -> Driver:
    """The best way to a database that is installed.

    Args:
        text: its URL; a SQLite file without a leading slash is relative to ``root``.
        root: the workspace folder.

    Raises:
        SourceError: if the text is no URL of a database, or names a file that is not there.
        PluginError: if no driver for it is installed.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SourceError(
            "source.path", found="no URL of a database", expected="such as postgresql://host/name", next_step="mend it"
        ) from error
    if url.get_backend_name() == SQLITE:
        path = root / (url.database or "")
        if not path.is_file():
            raise SourceError(str(path), found="no such file", expected="a SQLite database", next_step="mend the path")
        url = url.set(database=str(path.resolve()))
    module = {SQLITE: "adbc_driver_sqlite", POSTGRESQL: "adbc_driver_postgresql"}.get(url.drivername)
    if module is not None and find_spec(module) is not None:
        return AdbcDriver(url, module)
    return DbApiDriver(url)


class AdbcDriver:
    """PostgreSQL or SQLite by ADBC."""

    def __init__(self, url: URL, module: str) -> None:
        from sqlalchemy.dialects import postgresql, sqlite

        self.dialect = url.get_backend_name()
        self._url = url
        self._driver = needed(f"{module}.dbapi", "database", "source.path")
        dialect: Any = sqlite.dialect if self.dialect == SQLITE else postgresql.dialect
        self._sql: Dialect = dialect(paramstyle="qmark" if self.dialect == SQLITE else "numeric_dollar")
        # what a stream meets after its first batch comes as OSError
        self.errors: tuple[type[Exception], ...] = (self._driver.Error, OSError, pa.ArrowException)

    def columns(self, table: str) -> Mapping[str, TypeEngine[Any]]:
        """From SQLite's declarations and values, or PostgreSQL's information schema."""
        if self.dialect == SQLITE:
            return _sqlite_columns(self._url, table)
        from sqlalchemy import column, func, select
        from sqlalchemy import table as table_

        schema, _, name = table.rpartition(".")
        wanted = ("column_name", "data_type", "table_name", "table_schema", "ordinal_position")
        catalogue = table_("columns", *(column(one) for one in wanted), schema="information_schema")
        statement = select(catalogue.c.column_name, catalogue.c.data_type).where(catalogue.c.table_name == name)
        statement = statement.where(catalogue.c.table_schema == (schema or func.current_schema()))
        found = self.rows(statement.order_by(catalogue.c.ordinal_position))
        return {name: _postgresql_type(type_) for name, type_ in found}

    def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self._executed(statement) as cursor:
            return list(cursor.fetchall())

    def batches(self, statement: Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Arrow batches as the driver makes them, at most as large as it makes them."""
        n_skipped = 0
        if self.dialect == SQLITE:  # the driver takes each column's type from its first value, and NULL for an integer
            statement, n_skipped = _after_typed_row(statement, schema), 1
        with self._executed(statement) as cursor:
            for batch in cursor.fetch_record_batch():
                rows, n_skipped = batch.slice(n_skipped), max(0, n_skipped - batch.num_rows)
                arrays = [
                    _cast(array, field.type) for array, field in zip(rows.columns, schema, strict=True)
                ]  # by position: a name may stand twice
                yield pa.RecordBatch.from_arrays(arrays, names=schema.names)

    @contextmanager
    def _executed(self, statement: Any) -> Iterator[Any]:
        compiled = statement.compile(dialect=self._sql)
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        with self._connected() as connection, connection.cursor() as cursor:
            if self.dialect == SQLITE:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
            cursor.execute(compiled.string, values or None)
            yield cursor

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        if self.dialect == SQLITE:
            text = f"{Path(self._url.database or '').as_uri()}?mode=ro"
        else:
            text = self._url.render_as_string(hide_password=False)
        with self._driver.connect(text) as connection:
            if self.dialect == POSTGRESQL:
                with connection.cursor() as cursor:
                    cursor.execute("SET TIME ZONE 'UTC'")
            yield connection


class DbApiDriver:
    """Any database that SQLAlchemy knows, by its DB-API driver. Rows pass through Python, some thousand at a time."""

    def __init__(self, url: URL) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
        from sqlalchemy.pool import NullPool

        self.dialect = url.get_backend_name()
        # values that are not of their column's type are TypeErrors of the library's
        self.errors: tuple[type[Exception], ...] = (SQLAlchemyError, pa.ArrowException, TypeError)
        try:
            self._engine = create_engine(url, poolclass=NullPool)
        except (ImportError, NoSuchModuleError) as error:
            if self.dialect in (POSTGRESQL, SQLITE):
                raise missing("a driver", "database", f"source {url.drivername}") from error
            raise PluginError(
                f"source {url.drivername}",
                found="no driver for it",
                expected="one that SQLAlchemy knows",
                next_step="install the driver's package",
            ) from error

    def columns(self, table: str) -> Mapping[str, TypeEngine[Any]]:
        """As the database's catalogue declares them."""
        from sqlalchemy import inspect
        from sqlalchemy.exc import NoSuchTableError

        if self.dialect == SQLITE:
            return _sqlite_columns(self._engine.url, table)
        schema, _, name = table.rpartition(".")
        try:
            return {str(one["name"]): one["type"] for one in inspect(self._engine).get_columns(name, schema or None)}
        except NoSuchTableError:
            return {}

    def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self._connected() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def batches(self, statement: Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Batches of up to 65,536 rows."""
        with self._connected() as connection:
            streamed = connection.execution_options(stream_results=True, yield_per=BATCH_ROWS)
            for rows in streamed.execute(statement).partitions():
                columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True))
                arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names=schema.names)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self._engine.connect() as connection:
            if self.dialect == POSTGRESQL:
                connection.exec_driver_sql("SET TIME ZONE 'UTC'")
            yield connection


def _after_typed_row(statement: Select[Any], schema: pa.Schema) -> Any:
    """The statement below one row that has the types of the schema."""
    from sqlalchemy import literal_column, select, union_all

    first = {pa.float64(): "0.5", pa.string(): "''", pa.binary(): "x''"}
    typed: list[Any] = [literal_column(first.get(field.type, "0")).label(f"c{n}") for n, field in enumerate(schema)]
    return union_all(select(*typed), statement)


def _cast(array: pa.Array, type_: pa.DataType) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array if array.type == type_ else array.cast(type_)


def _sqlite_columns(url: URL, table: str) -> Mapping[str, TypeEngine[Any]]:
    """As for SQLite files: by affinity, and by the values where the declaration says nothing, as for dates."""
    from sqlalchemy import types

    path = Path(url.database or "")
    schema = SqliteSource(SourceSettings(path=str(path), table=table), path.parent).read_schema(path)
    kinds: dict[pa.DataType, TypeEngine[Any]] = {
        pa.int64(): types.BigInteger(),
        pa.float64(): types.Double(),
        pa.bool_(): types.Boolean(),
        pa.binary(): types.LargeBinary(),
    }
    return {field.name: kinds.get(field.type, types.Text()) for field in schema}


def _postgresql_type(name: str) -> TypeEngine[Any]:
    from sqlalchemy import types

    if name in ("smallint", "integer", "bigint"):
        return types.BigInteger()
    if name in ("real", "double precision", "numeric"):
        return types.Double()
    if name.startswith("timestamp"):
        return types.DateTime(timezone=name.endswith("with time zone"))
    known: dict[str, TypeEngine[Any]] = {
        "boolean": types.Boolean(),
        "date": types.Date(),
        "bytea": types.LargeBinary(),
        "text": types.Text(),
        "character varying": types.Text(),
    }
    return known.get(name, types.NullType())


def table_of(driver: Driver, name: str, where: str) -> DatabaseTable:
    """The table as its catalogue declares it; raises SourceError if there is none."""
    columns = driver.columns(name)
    if not columns:
        raise SourceError(where, found="no such table or view", expected="one", next_step="correct source.table")
    return DatabaseTable(name, driver.dialect, tuple(columns.items()))
