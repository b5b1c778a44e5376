"""What is asked of a database, as SQLAlchemy expressions: its dialect quotes every name, every value is bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from recsysops.tables.identifiers import quote_identifier

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.sql import TableClause
    from sqlalchemy.types import TypeEngine

SQLITE = "sqlite"


@dataclass(frozen=True)
class DatabaseTable:
    """A table or view as its catalogue declares it. ``name`` is ``schema.table`` or ``table``."""

    name: str
    dialect: str
    columns: tuple[tuple[str, TypeEngine[Any]], ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns as they are read."""
        return pa.schema([(name, self._arrow(type_)) for name, type_ in self.columns])

    def select_rows(self, columns: Sequence[str], where: ColumnElement[bool] | None) -> Select[Any]:
        """These columns of the rows, each as its Arrow type wants it."""
        from sqlalchemy import select

        chosen = [self.value(name).label(f"c{number}") for number, name in enumerate(columns)]
        statement = select(*chosen).select_from(self._table)
        return statement if where is None else statement.where(where)

    def value(self, name: str) -> ColumnElement[Any]:
        """A column, cast where drivers hand over types of their own (numeric, uuid, json …)."""
        from sqlalchemy import Double, Text, cast

        column = self._table.c[name]
        type_, arrow = column.type, self.schema.field(name).type
        if arrow == pa.float64() and self.dialect != SQLITE:
            return cast(column, Double)
        return cast(column, Text) if arrow == pa.string() and not self._is_text(type_) else column

    def day(self, name: str) -> ColumnElement[Any]:
        """The UTC day of a time; the connection's time zone is UTC."""
        from sqlalchemy import Date, cast, func

        column = self._table.c[name]
        return func.date(column) if self.dialect == SQLITE else cast(column, Date)

    def on_day(self, name: str, day: date) -> ColumnElement[bool]:
        """Rows of a day, as a range that an index can serve. SQLite compares times as text."""
        from sqlalchemy import Date, and_, cast

        column, after = self._table.c[name], day + timedelta(days=1)
        if self.dialect == SQLITE:
            return and_(column >= day.isoformat(), column < after.isoformat())
        return and_(column >= cast(day, Date), column < cast(after, Date))

    def select_groups(self, by: ColumnElement[Any] | None, changed: str | None) -> Select[Any]:
        """(value, rows, newest change) for every value of an expression; one row when there is none."""
        from sqlalchemy import func, null, select

        value = null() if by is None else by
        newest = null() if changed is None else func.max(self.value(changed))
        statement = select(value.label("value"), func.count().label("n_rows"), newest.label("newest"))
        statement = statement.select_from(self._table)
        return statement if by is None else statement.group_by(by)

    @cached_property
    def _table(self) -> TableClause:
        from sqlalchemy import column, table
        from sqlalchemy.sql import quoted_name

        names = [quoted_name(name, quote=True) for name, _ in self.columns]
        schema, _, name = self.name.rpartition(".")
        for one in (name, *names):
            quote_identifier(one)  # refuses what no database can carry
        columns = [column(own, type_) for own, (_, type_) in zip(names, self.columns, strict=True)]
        return table(
            quoted_name(name, quote=True), *columns, schema=quoted_name(schema, quote=True) if schema else None
        )

    def _arrow(self, type_: TypeEngine[Any]) -> pa.DataType:
        from sqlalchemy import types

        if isinstance(type_, types.DateTime):
            return pa.timestamp("us", "UTC" if type_.timezone else None)
        kinds: tuple[tuple[type, pa.DataType], ...] = (
            (types.Boolean, pa.bool_()),
            (types.Integer, pa.int64()),
            (types.Numeric, pa.float64()),
            (types.Float, pa.float64()),
            (types.Date, pa.date32()),
            (types.LargeBinary, pa.binary()),
        )
        return next((arrow for kind, arrow in kinds if isinstance(type_, kind)), pa.string())

    def _is_text(self, type_: TypeEngine[Any]) -> bool:
        from sqlalchemy import types

        return isinstance(type_, types.String) and not isinstance(type_, types.Enum)
