"""From measures to work: which table counts what, with which frozen sets, under which ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recsysops.engines.counted import Counted
from recsysops.engines.freezing import limited_values, set_name, stated_values
from recsysops.engines.per_request import CELLS as PER_REQUEST_CELLS
from recsysops.engines.row_clusters import cluster_of
from recsysops.profiles.categories import CategorySet
from recsysops.profiles.edges import EdgeSet
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.measures import (
    Cells,
    Clusters,
    Cohort,
    Expression,
    Facts,
    Keyed,
    KeyedSample,
    Measure,
    PerRequest,
    measure_id,
)
from recsysops.profiles.scan_plan import ColumnPlan
from recsysops.tables.schema import TableSchema
from recsysops.tables.table import Table
from recsysops.tables.views.contracts import CONTRACTS

COUNTING_VERSION = 2
"""Raised whenever the same rows would be counted differently; older profiles are then counted again."""


@dataclass(frozen=True)
class ScanUnit:
    """Measures counted together over the partitions of one table.

    ``name`` is the folder of its profiles. Cohorts form a unit of their own, since what they count also depends on the
    partitions of the table they look up; ``lookup`` is that table.
    """

    name: str
    table: Table
    measures: tuple[Counted, ...]
    lookup: Table | None = None


def unit_name(measure: Measure) -> str:
    """The scan unit a measure belongs to."""
    return f"{measure.table}+{measure.lookup}" if isinstance(measure, Cohort) else measure.table


def can_be_counted(measure: Measure, tables: Mapping[str, Table]) -> bool:
    """Whether the tables have what the measure reads. Facts need nothing; all else needs a clock."""
    table = tables.get(measure.table)
    if table is None:
        return False
    if isinstance(measure, Facts):
        return True
    if table.schema.role(CONTRACTS[measure.table].clock) is None:
        return False
    if isinstance(measure, Cohort):
        other = tables.get(measure.lookup)
        return other is not None and table.schema.role("request_id") is not None
    if isinstance(measure, KeyedSample | PerRequest) and not measure.columns:
        return False
    columns = [table.schema.column(name) for name in _columns_named(measure)]
    kinds = ("numeric", "boolean") if _needs_numbers(measure) else ("numeric", "boolean", "categorical", "timestamp")
    return all(column is not None and column.kind in kinds for column in columns)


def _needs_numbers(measure: Measure) -> bool:
    return isinstance(measure, Cells) and measure.form in ("histogram", "moments")


def plan_units(
    measures: Iterable[Measure], tables: Mapping[str, Table], sets: Mapping[str, Mapping[str, FrozenSet]]
) -> list[ScanUnit]:
    """Group measures into scan units, tables in the order of the contract, cohorts last."""
    grouped: dict[str, list[Counted]] = {}
    for measure in measures:
        grouped.setdefault(unit_name(measure), []).append(_counted(measure, tables, sets.get(measure.table, {})))
    order = [name for name in CONTRACTS if name in grouped] + sorted(name for name in grouped if name not in CONTRACTS)
    units = []
    for name in order:
        first = grouped[name][0].measure
        lookup = tables[first.lookup] if isinstance(first, Cohort) else None
        units.append(ScanUnit(name, tables[first.table], tuple(grouped[name]), lookup))
    return units


def column_plan(measure: Cells, schema: TableSchema, sets: Mapping[str, FrozenSet]) -> ColumnPlan:
    """How the kernel is to count a measure. A column without any value so far has no bins and no categories yet."""
    column = schema.column(measure.column)
    frozen = stated_values(schema, measure) or sets.get(set_name(measure))
    default = column.default if column is not None and not measure.pair else None
    mask = column.mask if column is not None else None
    cluster = "" if measure.pair else cluster_of(sets, measure.column)
    if measure.form == "rows":
        return ColumnPlan(measure)
    if measure.form == "frequencies":
        categories = frozen if isinstance(frozen, CategorySet) else CategorySet((), is_complete=False)
        label = None if default is None else _label(default)
        return ColumnPlan(measure, categories=categories, default=label, mask=mask, cluster=cluster)
    edges = frozen if isinstance(frozen, EdgeSet) else EdgeSet(())
    number = float(default) if isinstance(default, int | float) else None
    shift = edges.edges[len(edges.edges) // 2] if edges.edges and measure.form == "moments" else 0.0
    return ColumnPlan(measure, edges=edges, default=number, mask=mask, shift=shift, cluster=cluster)


def _label(default: float | str) -> str:
    """A declared default as the category it would be counted as."""
    return str(int(default)) if isinstance(default, float) and default.is_integer() else str(default)


def _counted(measure: Measure, tables: Mapping[str, Table], sets: Mapping[str, FrozenSet]) -> Counted:
    table = tables[measure.table]
    binding = {"version": COUNTING_VERSION, "table": table.binding, "slices": list(table.schema.slices)}
    cells: Sequence[str] = ()
    edges, shift = None, 0.0
    if not isinstance(measure, Facts | Cohort | Clusters):
        limited = {name: values.id for name in table.schema.slices if (values := limited_values(sets, name))}
        binding |= {"limited": limited}
    if isinstance(measure, Cells):
        plan = column_plan(measure, table.schema, sets)
        used = plan.edges if measure.form in ("histogram", "moments") else plan.categories
        binding |= {"set": used.id if used is not None else "", "shift": plan.shift.hex(), "cluster": plan.cluster}
        cells, shift = plan.cells, plan.shift
        edges = plan.edges.edges if measure.form == "histogram" and plan.edges is not None else None
    elif isinstance(measure, PerRequest):
        cells = PER_REQUEST_CELLS
    elif isinstance(measure, Cohort):
        binding |= {"lookup": tables[measure.lookup].binding, "window": table.schema.label_window_days}
    return Counted(measure, measure_id(measure, json.dumps(binding, sort_keys=True)), tuple(cells), edges, shift)


def _columns_named(measure: Measure) -> tuple[str, ...]:
    if isinstance(measure, Cells):
        return tuple(name for name in (measure.column, measure.pair) if name)
    if isinstance(measure, Keyed):
        return (measure.key, *measure.sums)
    if isinstance(measure, PerRequest | KeyedSample):
        return measure.columns
    if isinstance(measure, Clusters):
        return (measure.cluster, measure.column)
    if isinstance(measure, Expression):
        return (*measure.columns, *((measure.per,) if measure.per else ()))
    return ()
