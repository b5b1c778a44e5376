"""Everything that ``check`` looks at in one table: files, columns, roles, rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from recsysops.config.settings import TableSettings
from recsysops.errors import RecSysOpsError
from recsysops.inspection.clock_check import named_day, stopped_problems, zone_problems, zones_of
from recsysops.inspection.report import Problem, TableReport
from recsysops.inspection.role_check import missing_roles, role_problems
from recsysops.inspection.row_check import row_problems
from recsysops.inspection.row_facts import count_rows, inspecting
from recsysops.inspection.schema_check import Columns, column_problems, drift_problems
from recsysops.inspection.straddling_check import straddling_problems
from recsysops.tables.contract import TABLES
from recsysops.tables.files import without_password
from recsysops.tables.kinds import kind_of
from recsysops.tables.open_source import open_source
from recsysops.tables.open_tables import open_table
from recsysops.tables.slates import is_list
from recsysops.tables.source import Partition, Source
from recsysops.tables.table import Table

MAX_SCHEMAS = 60
"""Newest partitions whose columns are compared."""


@dataclass(frozen=True)
class Moment:
    """When, and by which clock, a workspace is checked."""

    now: datetime
    clock: str
    timezone: str


def check_table(
    name: str, settings: TableSettings, root: Path, moment: Moment, max_partitions: int
) -> tuple[TableReport, list[Problem]]:
    """The report of one table and its problems; rows are read only when columns and roles allow it."""
    report = TableReport(
        name,
        without_password(settings.source.path),
        roles=dict(settings.roles),
        missing_roles=missing_roles(name, settings),
    )
    problems = role_problems(name, settings)
    try:
        source = open_source(settings.source, root)
        partitions = source.partitions()
        history = [(each.key, _columns(source, each, settings)) for each in partitions[-MAX_SCHEMAS:]]
    except RecSysOpsError as error:
        return report, [*problems, problem_of(error)]
    if not partitions:
        empty = Problem("error", name, "no rows at all", "a partition or more", "wait for the first export")
        return report, [*problems, empty]
    report = _with_extent(report, partitions, history[-1][1])
    problems += column_problems(name, settings, history[-1][1])
    problems += drift_problems(name, history)
    if any(problem.severity == "error" for problem in problems):
        return report, problems
    zone = settings.timezone or moment.timezone
    try:
        table = open_table(name, settings, zone, root)
        checked, more = _rows(table, partitions[-max_partitions:], moment, report)
    except RecSysOpsError as error:
        return report, [*problems, problem_of(error)]
    return checked, [*problems, *more]


def problem_of(error: RecSysOpsError) -> Problem:
    """A known error as a problem of the report."""
    return Problem("error", error.where, error.found, error.expected, error.next_step)


def _with_extent(report: TableReport, partitions: tuple[Partition, ...], columns: Columns) -> TableReport:
    return replace(
        report,
        n_partitions=len(partitions),
        n_bytes=sum(partition.n_bytes for partition in partitions),
        first_partition=partitions[0].key,
        last_partition=partitions[-1].key,
        n_columns=len(columns),
    )


def _columns(source: Source, partition: Partition, settings: TableSettings) -> Columns:
    columns = {}
    for column in source.schema(partition):
        is_unnested = column.name in settings.unnest and is_list(column.type)
        type_ = column.type.value_type if is_unnested else column.type
        columns[column.name] = (str(type_), kind_of(type_))
    return columns


def _rows(
    table: Table, partitions: tuple[Partition, ...], moment: Moment, report: TableReport
) -> tuple[TableReport, list[Problem]]:
    problems = _zones(table, partitions)
    facts = []
    with inspecting() as connection:
        for partition in partitions:
            day = named_day(partition, table.timezone)
            try:
                facts.append(count_rows(connection, table, partition, now=moment.now, day=day))
            except RecSysOpsError as error:
                problems.append(problem_of(error))
        problems += straddling_problems(connection, table, partitions)
    for each in facts:
        problems += row_problems(each)
    last = max((each.last_ts for each in facts if each.last_ts), default=None)
    first = min((each.first_ts for each in facts if each.first_ts), default=None)
    problems += stopped_problems(table.name, last, moment.now, moment.clock)
    n_rows = sum(each.n_rows for each in facts)
    return replace(report, n_rows_checked=n_rows, first_ts=first, last_ts=last), problems


def _zones(table: Table, partitions: tuple[Partition, ...]) -> list[Problem]:
    """Looks at the clock as it is stored, in the first batch of each partition."""
    column = table.settings.roles.get(TABLES[table.name].clock, "")
    zones: set[str] = set()
    for partition in partitions:
        if column in table.source.schema(partition).names:
            first: pa.RecordBatch | None = next(table.source.batches(partition, [column]), None)
            zones |= zones_of(first.column(0)) if first is not None else frozenset()
    return zone_problems(table.name, zones, table.timezone, is_stated=table.settings.timezone is not None)
