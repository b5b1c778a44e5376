"""The views that measures name, opened over counted tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Cohort, Measure
from recsysops.tables.table import Table
from recsysops.tables.views.registered import VIEWS
from recsysops.tables.views.view_source import open_view

if TYPE_CHECKING:
    import duckdb


def open_views(
    measures: Iterable[Measure],
    tables: Mapping[str, Table],
    facts: Mapping[str, tuple[PartitionFacts, ...]],
    connect: Callable[[], duckdb.DuckDBPyConnection],
) -> dict[str, Table]:
    """The views among the measures' tables that the workspace's tables allow, by name.

    Args:
        measures: what is to be counted.
        tables: the workspace's own, which have been counted.
        facts: of their partitions, by table.
        connect: opens a DuckDB to join in.
    """
    days: dict[str, Mapping[str, tuple[tuple[date, int], ...]]] = {
        name: {one.key: one.days for one in found} for name, found in facts.items()
    }
    names = {measure.table for measure in measures if not isinstance(measure, Cohort)}
    opened = {
        name: open_view(view, tables, lambda table: days.get(table, {}), connect)
        for name, view in VIEWS.items()
        if name in names and view.base in tables
    }
    return {name: table for name, table in opened.items() if table is not None}
