"""Detectors made of what stakeholders declare: a metric or an expression, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from recsysops.config.declared import Declared, DeclaredSettings
from recsysops.config.declared_files import place_of
from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError
from recsysops.profiles.history import Context, History
from recsysops.profiles.measures import Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.sql_expression import ExpressionError, columns_of
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.declared_values import Values, aggregate_sql, measure_of, values_of
from recsysops.triage.detector import Detector, DetectorMeta, Parameters, Verdict
from recsysops.triage.evidence import Stated, finding_of, where
from recsysops.triage.expectations import broken
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.metric_series import metric_measures

Section = Literal["concerns", "checks"]
CODES: dict[Section, tuple[str, str]] = {"concerns": ("CON001", "concern"), "checks": ("CHK001", "check")}


class DeclaredParams(Parameters):
    """What was declared; part of the digest of a judged day, like any detector's parameters."""

    declared: DeclaredSettings


class DeclaredCheck:
    """A number that somebody watches is not as they expect it."""

    meta: ClassVar[DetectorMeta]
    Params: ClassVar[type[Parameters]] = DeclaredParams

    def __init__(self, params: Parameters) -> None:
        assert isinstance(params, DeclaredParams)
        self.params = params
        self.declared = params.declared

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table(self.declared.table)
        if table is None:
            return
        yield from metric_measures(schema) if self.declared.metric else (measure_of(self.declared, table),)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        table = context.schema.table(self.declared.table)
        if context.mode == "cohorts" or table is None:
            yield Skipped(self.meta.name, "not_applicable", "judges days of a table that is there", self.declared.table)
            return
        values = values_of(self.declared, table, history)
        if isinstance(values, str):
            kind: Literal["failed", "too_little_data"] = "failed" if "evaluated" in values else "too_little_data"
            yield Skipped(self.meta.name, kind, values, self.declared.table)
            return
        judged = [index for index in range(len(values.slices)) if values.rows[-1, index] >= self.declared.min_rows]
        for index in judged:
            verdict = broken(self.declared, values, index, context)
            if isinstance(verdict, str):
                yield Skipped(self.meta.name, "too_little_data", verdict, self.declared.table)
            elif verdict is not None:
                yield self._finding(context, table, values, index, *verdict)
        if not judged:
            reason = f"fewer than {self.declared.min_rows} rows that count on the day"
            yield Skipped(self.meta.name, "too_little_data", reason, self.declared.table)
        n_whole = sum(values.slices[index] == EVERYTHING for index in judged)
        yield Looked(self.meta.name, len(judged), f"{said(self.declared)}", n_whole)

    def _finding(
        self, context: Context, table: TableSchema, values: Values, index: int, change: Stated, words: str
    ) -> Finding:
        item = table.role("item_id")
        slice_ = values.slices[index]
        is_item = self.declared.per == "item" and item is not None and slice_.dimension == item.name
        owner = f" (asked for by {self.declared.owner})" if self.declared.owner else ""
        name = self.meta.name.partition(".")[2]
        return finding_of(
            self.meta, context, change,
            table=self.declared.table, statistic=name,
            subject=Subject("item", slice_.value) if is_item else Subject("table", self.declared.table),
            threshold=_threshold(self.declared),
            headline=f"{name}: {said(self.declared)} is {change.value:,.4g}, {words}{owner}",
            query=_query(self.declared, context, table, change),
        )  # fmt: skip


def declared_detectors(settings: WorkspaceSettings, schema: Schema, root: Path) -> list[Detector]:
    """A detector for each declaration, ``concern.NAME`` or ``check.NAME``.

    Args:
        settings: with all concerns and checks.
        schema: of the workspace, views included.
        root: its folder, to say in which file and line something is wrong.

    Raises:
        ConfigError: if a table is missing, or an expression is none or names columns that are not there.
    """
    made: list[Detector] = []
    sections: tuple[tuple[Section, Declared], ...] = (("concerns", settings.concerns), ("checks", settings.checks))
    for section, declared in sections:
        code, prefix = CODES[section]
        for name, one in declared.items():
            problem = _problem(one, schema)
            if problem is not None:
                key, found, expected = problem
                raise ConfigError(place_of(root, (section, name, key)), found=found, expected=expected)
            meta = DetectorMeta(code, f"{prefix}.{name}", (one.table,), one.severity, "world")
            cls = type(
                f"Declared_{name}", (DeclaredCheck,), {"meta": meta, "__doc__": f"{said(one)} is not as expected."}
            )
            made.append(cls(DeclaredParams(declared=one)))
    return made


def _problem(declared: DeclaredSettings, schema: Schema) -> tuple[str, str, str] | None:
    """What the workspace's tables have against a declaration: key, found and expected."""
    table = schema.table(declared.table)
    if table is None:
        return (
            "table",
            f"table {declared.table}, which the workspace has not",
            f"one of {', '.join(sorted(schema.tables))}",
        )
    names = [column.name for column in table.columns]
    for key in ("share", "mean", "total", "numerator", "denominator", "where"):
        text = getattr(declared, key)
        try:
            columns_of(text, names) if text is not None else None
        except ExpressionError as error:
            return key, error.found, error.expected
    if declared.per == "item":
        return None if table.role("item_id") else ("per", "item", f"a table with items; {declared.table} has none")
    for name in declared.per:
        if name not in table.slices:
            return "per", name, f"slices of {declared.table}: {', '.join(table.slices) or 'it has none'}; or item"
    return None


def said(declared: DeclaredSettings) -> str:
    """The number in words."""
    if declared.metric:
        return declared.metric
    for form in ("share", "mean", "total"):
        if text := getattr(declared, form):
            return f"{form} of {' '.join(text.split())[:80]}"
    return f"{' '.join((declared.numerator or '').split())[:40]} over {' '.join((declared.denominator or '').split())[:40]}"


def _threshold(declared: DeclaredSettings) -> float:
    bounds = (declared.at_least, declared.at_most, declared.no_change_beyond)
    return next((one for one in bounds if one is not None), declared.between[0] if declared.between else 0.0)


def _query(declared: DeclaredSettings, context: Context, table: TableSchema, change: Stated) -> str:
    """The number by day again; empty for metrics, which have a query in their own detector."""
    if declared.metric:
        return ""
    measure = measure_of(declared, table)
    clock = table.role(CONTRACTS[table.table].clock)
    day = f"CAST({quote_identifier(clock.name)} AS DATE)" if clock else "NULL"
    rows = where(context, table.table, change.slice, (*context.reference_days, *context.current_days))
    kept = f" FILTER ({measure.where}\n)" if measure.where else ""
    return (
        f"SELECT {day} AS day, {aggregate_sql(measure)} AS value, count(*){kept} AS n_rows "
        f"FROM {quote_identifier(table.table)} {rows}"
        f"{(' AND ' if rows else ' WHERE ') + f'({measure.where}{chr(10)})' if measure.where else ''} "
        "GROUP BY day ORDER BY day"
    )
