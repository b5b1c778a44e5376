"""The views that measures name, opened over counted tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.measures import Cohort, Measure
from recsysops.replay.replayed_rows import replayed_rows
from recsysops.replay.traced_rows import traced_rows
from recsysops.tables.table import Table
from recsysops.tables.views.registered import VIEWS
from recsysops.tables.views.view import Folders, Transform
from recsysops.tables.views.view_source import open_view

if TYPE_CHECKING:
    import duckdb

TRANSFORMS: Mapping[str, Transform] = {"replayed": replayed_rows, "traced": traced_rows}
"""By view, what makes its rows where SQL alone cannot."""


def open_views(
    measures: Iterable[Measure],
    tables: Mapping[str, Table],
    facts: Mapping[str, tuple[PartitionFacts, ...]],
    connect: Callable[[], duckdb.DuckDBPyConnection],
    folders: Folders | None = None,
) -> dict[str, Table]:
    """The views among the measures' tables that the workspace's tables allow, by name.

    Args:
        measures: what is to be counted.
        tables: the workspace's own, which have been counted.
        facts: of their partitions, by table.
        connect: opens a DuckDB to join in.
        folders: where model files may lie; views that read any are left out without.
    """
    days: dict[str, Mapping[str, tuple[tuple[date, int], ...]]] = {
        name: {one.key: one.days for one in found} for name, found in facts.items()
    }
    names = {measure.table for measure in measures if not isinstance(measure, Cohort)}
    opened = {
        name: open_view(
            view, tables, lambda table: days.get(table, {}), connect, transform=TRANSFORMS.get(name), folders=folders
        )
        for name, view in VIEWS.items()
        if name in names and view.base in tables and (folders is not None or name not in TRANSFORMS)
    }
    return {name: table for name, table in opened.items() if table is not None}
