"""What can be shown, by the names that people type, and the measure that counts it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recsysops.errors import ConfigError
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.tables.contract import TABLES
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.triage.evidence import literal
from recsysops.triage.watched import cells_of

if TYPE_CHECKING:
    from recsysops.config.declared import DeclaredSettings

Kind = Literal["volume", "rate", "share", "number", "distinct"]

NAMES: dict[str, str] = {
    "rows": "rows per day",
    "missing_rate": "rows in which the column is NULL or NaN",
    "null_rate": "rows in which the column is NULL",
    "nan_rate": "rows in which it is NaN",
    "infinite_rate": "rows in which it is infinite",
    "invalid_rate": "rows in which it is NULL, NaN or infinite",
    "default_rate": "rows in which it holds its default",
    "new_rate": "rows with a value never seen when categories were frozen",
    "category_rate": "rows with one value: COLUMN=VALUE",
    "exposure_share": "impressions of one item, or other key: COLUMN=VALUE",
    "distinct": "different values per day",
    "mean": "mean of the numbers",
    "sd": "their standard deviation",
    "least": "the smallest",
    "greatest": "the largest",
    "median": "the middle one, by bins",
    "pNN": "any percentile, by bins: p05, p95, …",
}
_RATES: dict[str, tuple[tuple[str, ...], str]] = {
    "missing_rate": (("null", "nan"), "{0} IS NULL OR isnan({0})"),
    "null_rate": (("null",), "{0} IS NULL"),
    "nan_rate": (("nan",), "isnan({0})"),
    "infinite_rate": (("neg_inf", "pos_inf"), "isinf({0})"),
    "invalid_rate": (("null", "nan", "neg_inf", "pos_inf"), "{0} IS NULL OR NOT isfinite({0})"),
    "default_rate": (("defaulted",), "{0} = {1}"),
    "new_rate": (("new",), "{0} IS NOT NULL"),
}
_NUMERIC_ONLY = frozenset({"nan_rate", "infinite_rate", "invalid_rate"})
_MOMENTS = {"mean": "avg({0})", "sd": "stddev_samp({0})", "least": "min({0})", "greatest": "max({0})"}


@dataclass(frozen=True)
class Shown:
    """One thing to be shown: how it is counted, what of the counts is wanted, and how SQL would say it."""

    name: str
    kind: Kind
    table: str
    measure: Measure
    sql: str
    """An aggregate over the table's rows."""
    column: str = ""
    cells: tuple[str, ...] = ()
    """Of a rate: names of the flagged cells."""
    value: str = ""
    """Of a share: the category or key."""
    level: float = 0.5
    """Of a quantile, in (0, 1)."""
    by: str = ""
    """Of a workspace's own rule: the dimension that it is about."""
    also: tuple[Measure, ...] = ()
    """What else has to be counted."""
    declared: DeclaredSettings | None = None
    """Of a concern or check: the rule itself."""
    said: str = ""
    """Of a workspace's own rule: what is shown and expected, in words."""

    @property
    def is_rate(self) -> bool:
        """Whether it lies in [0, 1]."""
        return self.kind in ("rate", "share")

    @property
    def title(self) -> str:
        """``missing_rate of candidates.age``; of a rule what it watches and expects."""
        if self.said:
            return self.said
        about = f"{self.table}.{self.column}" if self.column else self.table
        return f"{self.name} of {about}" + (f" = {self.value}" if self.value else "")


def shown(measure: str, column: str | None, table: str | None, schema: Schema) -> Shown:
    """What the words of ``recsysops show`` mean in a workspace.

    Args:
        measure: one of :data:`NAMES`.
        column: a column (or role) of the logs, ``COLUMN=VALUE`` for one category or key; None for rows.
        table: where the column is; the first table that has it when None.
        schema: of the workspace.

    Raises:
        ConfigError: for an unknown measure, table or column, with the nearest name, and for one that does not fit.
    """
    level = _quantile(measure)
    if level is None and measure not in NAMES:
        advice = did_you_mean(measure, NAMES, f"measures are {', '.join(NAMES)}")
        raise ConfigError("measure", found=repr(measure), expected="something that is counted", next_step=advice)
    name, _, value = (column or "").partition("=")
    found = _table(table, name, schema)
    if measure == "rows":
        if column:
            raise ConfigError("rows", found=f"column {column!r}", expected="no column; rows are of a table")
        return Shown("rows", "volume", found.table, Cells(found.table, by_hour=True), "count(*)")
    if not name:
        raise ConfigError(measure, found="no column", expected="one, e.g. `recsysops show missing_rate COLUMN`")
    about = _column(found, name)
    if level is not None or measure in _MOMENTS:
        return _number(measure, level, found, about)
    if measure in ("category_rate", "exposure_share"):
        return _one_value(measure, value, found, about)
    return _counted(measure, found, about)


def _counted(measure: str, table: TableSchema, about: Column) -> Shown:
    if measure == "distinct":
        sql = f"count(DISTINCT {quote_identifier(about.name)})"
        return Shown(measure, "distinct", table.table, Keyed(table.table, about.name), sql, about.name)
    cells, condition = _RATES[measure]
    is_numeric = about.kind == "numeric"
    if (measure in _NUMERIC_ONLY and not is_numeric) or (measure == "new_rate" and is_numeric):
        wanted = "a numeric column" if measure in _NUMERIC_ONLY else "a categorical column"
        raise ConfigError(f"{measure} of {table.table}.{about.name}", found=f"a {about.kind} column", expected=wanted)
    if measure == "default_rate" and about.default is None and about.mask is None:
        raise ConfigError(
            f"default_rate of {table.table}.{about.name}",
            found="no default and no mask",
            expected="one of them in recsysops.yaml",
            next_step=f"state columns.{about.name}.default",
        )
    if measure == "missing_rate" and not is_numeric:
        cells, condition = _RATES["null_rate"]
    quoted = quote_identifier(about.name)
    said = quote_identifier(about.mask) if measure == "default_rate" and about.mask else condition
    sql = f"avg(CAST({said.format(quoted, literal(about.default or 0.0))} AS INTEGER))"
    return Shown(measure, "rate", table.table, cells_of(table, about), sql, about.name, cells)


def _number(measure: str, level: float | None, table: TableSchema, about: Column) -> Shown:
    if about.kind != "numeric":
        where = f"{measure} of {table.table}.{about.name}"
        raise ConfigError(where, found=f"a {about.kind} column", expected="a numeric one")
    quoted = quote_identifier(about.name)
    if level is None:
        moments = Cells(table.table, about.name, "moments")
        return Shown(measure, "number", table.table, moments, _MOMENTS[measure].format(quoted), about.name)
    histogram = Cells(table.table, about.name, "histogram")
    sql = f"quantile_cont({quoted}, {level:g})"
    return Shown(measure, "number", table.table, histogram, sql, about.name, level=level)


def _one_value(measure: str, value: str, table: TableSchema, about: Column) -> Shown:
    if not value:
        where = f"{measure} of {table.table}.{about.name}"
        raise ConfigError(where, found="no value", expected=f"{about.name}=VALUE, one category or key")
    condition = f"CAST({quote_identifier(about.name)} AS VARCHAR) = {literal(value)}"
    if measure == "exposure_share":
        seen = table.role("shown")
        only = f" FILTER (CAST({quote_identifier(seen.name)} AS BOOLEAN))" if seen else ""
        sql = f"avg(CAST({condition} AS INTEGER)){only}"
        keyed = Keyed(table.table, about.name, ("impressions",))
        return Shown(measure, "share", table.table, keyed, sql, about.name, value=value)
    if about.kind == "numeric":
        where = f"category_rate of {table.table}.{about.name}"
        raise ConfigError(where, found="a numeric column", expected="a categorical one", next_step="use median or pNN")
    sql = f"avg(CAST({condition} AS INTEGER))"
    return Shown(measure, "rate", table.table, cells_of(table, about), sql, about.name, (value,), value)


def _quantile(measure: str) -> float | None:
    found = re.fullmatch(r"p([0-9]{1,2})", measure)
    if measure == "median":
        return 0.5
    return int(found[1]) / 100 if found and 0 < int(found[1]) < 100 else None


def _table(name: str | None, column: str, schema: Schema) -> TableSchema:
    known = {own: one for own, one in schema.tables.items() if own in TABLES and one.role(TABLES[own].clock)}
    if name is not None:
        if name not in known:
            advice = did_you_mean(name, known, f"tables with a time are {', '.join(known)}")
            raise ConfigError("--table", found=repr(name), expected="a table of the workspace", next_step=advice)
        return known[name]
    holding = [one for one in known.values() if not column or one.column(column) or one.role(column)]
    if holding:
        return holding[0]
    names = [own.name for one in known.values() for own in one.columns]
    advice = did_you_mean(column, names, "`recsysops check` lists the columns")
    raise ConfigError("column", found=repr(column), expected="a column of a table with a time", next_step=advice)


def _column(table: TableSchema, name: str) -> Column:
    found = table.column(name) or table.role(name)
    if found is None or found.kind in ("other", "timestamp"):
        names = [own.name for own in table.columns if own.kind not in ("other", "timestamp")]
        what = "no such column" if found is None else f"a {found.kind} column, which is not counted"
        advice = did_you_mean(name, names, "`recsysops check` lists the columns")
        raise ConfigError(f"{table.table}.{name}", found=what, expected="a column that is counted", next_step=advice)
    return found
