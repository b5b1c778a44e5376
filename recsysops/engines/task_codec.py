"""Scan tasks as JSON: what all of them share once, and what each is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from recsysops.config.settings import TableSettings
from recsysops.engines.counted import Counted
from recsysops.engines.open_views import TRANSFORMS
from recsysops.engines.planning import ScanUnit
from recsysops.engines.scan_task import ScanTask
from recsysops.profiles.described import facts_from_dict, facts_to_dict
from recsysops.profiles.frozen_sets import FrozenSet, sets_from_dict, sets_to_dict
from recsysops.profiles.measures import Measure
from recsysops.tables.open_source import open_source
from recsysops.tables.schema import Column, TableSchema
from recsysops.tables.source import Partition, Source
from recsysops.tables.table import Table
from recsysops.tables.views.registered import VIEWS
from recsysops.tables.views.view import Folders
from recsysops.tables.views.view_source import ViewSource, open_view

if TYPE_CHECKING:
    import duckdb

MEASURES: Mapping[str, type[Any]] = {kind.kind: kind for kind in get_args(Measure)}
Days = dict[str, dict[str, tuple[tuple[date, int], ...]]]


@dataclass(frozen=True)
class Listed:
    """A source of which only some partitions are there: those that a task needs."""

    source: Source
    listed: tuple[Partition, ...]

    def partitions(self) -> tuple[Partition, ...]:
        """Those."""
        return self.listed

    def schema(self, partition: Partition) -> pa.Schema:
        """As the source says."""
        return self.source.schema(partition)

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """As the source reads them."""
        return self.source.batches(partition, columns)

    def parquet_path(self, partition: Partition) -> Path | None:
        """As the source says."""
        return self.source.parquet_path(partition)


def encode_unit(tasks: Sequence[ScanTask], root: Path) -> str:
    """What the tasks of one unit have in common: tables, measures, frozen sets.

    Args:
        tasks: at least one, all of the same unit.
        root: the workspace folder, under the same path wherever the tasks are done.
    """
    unit, sets = tasks[0].unit, tasks[0].sets
    measures = {one.id: one for task in tasks for one in task.unit.measures}
    return json.dumps(
        {
            "root": str(root.resolve()),
            "trusted": _trusted(unit),
            "unit": unit.name,
            "table": unit.table.name,
            "lookup": unit.lookup.name if unit.lookup is not None else None,
            "tables": {table.name: _table_to_dict(table) for table in _tables(unit)},
            "measures": [{**asdict(one), "kind": one.measure.kind} for one in measures.values()],
            "sets": sets_to_dict(sets),
        }
    )


def encode_task(task: ScanTask) -> str:
    """What one task is about: its partition and those it looks up, with what is known of their days."""
    source = task.unit.table.source
    reads = source.reads(task.partition) if isinstance(source, ViewSource) else {}
    days = {name: source.days_of(name) for name in reads} if isinstance(source, ViewSource) else {}
    return json.dumps(
        {
            "partition": asdict(task.partition),
            "measures": [one.id for one in task.unit.measures],
            "outcomes": facts_to_dict(task.outcomes) if task.outcomes is not None else None,
            "lookups": [asdict(one) for one in task.lookups],
            "reads": {name: [asdict(one) for one in found.values()] for name, found in reads.items()},
            "days": {
                name: {
                    key: [[day.isoformat(), n_rows] for day, n_rows in days[name][key]]
                    for key in found
                    if key in days[name]
                }
                for name, found in reads.items()
            },
        }
    )


@dataclass(frozen=True)
class SharedUnit:
    """The common part, decoded once by each process that does tasks; ``text`` is what `encode_unit` made."""

    text: str

    def task(self, text: str, connect: Callable[[], duckdb.DuckDBPyConnection]) -> ScanTask:
        """One task; ``connect`` opens the DuckDB in which a view's rows are joined."""
        told = json.loads(text)
        name = self._told["table"]
        table = self._view(name, told, connect) if name in VIEWS else self.tables[name]
        lookup = self._told["lookup"]
        measures = tuple(self.measures[one] for one in told["measures"])
        unit = ScanUnit(self._told["unit"], table, measures, self.tables[lookup] if lookup else None)
        outcomes = facts_from_dict(told["outcomes"]) if told["outcomes"] is not None else None
        lookups = tuple(_partition(one) for one in told["lookups"])
        return ScanTask(unit, _partition(told["partition"]), self.sets, outcomes, lookups)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The workspace's own tables that the unit reads, opened without looking at their partitions."""
        root = Path(self._told["root"])
        return {name: _table_from_dict(name, one, root) for name, one in self._told["tables"].items()}

    @cached_property
    def measures(self) -> dict[str, Counted]:
        """By id."""
        return {one["id"]: _counted_from_dict(one) for one in self._told["measures"]}

    @cached_property
    def sets(self) -> dict[str, FrozenSet]:
        """Frozen sets of the unit's table."""
        return sets_from_dict(self._told["sets"])

    @cached_property
    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.text)
        return told

    def _view(self, name: str, told: Mapping[str, Any], connect: Callable[[], duckdb.DuckDBPyConnection]) -> Table:
        reads = {table: tuple(_partition(one) for one in found) for table, found in told["reads"].items()}
        tables = {
            table: replace(one, source=Listed(one.source, reads.get(table, ()))) for table, one in self.tables.items()
        }
        days: Days = {
            table: {key: tuple((date.fromisoformat(day), n) for day, n in own) for key, own in known.items()}
            for table, known in told["days"].items()
        }
        folders = Folders(Path(self._told["root"]), tuple(map(Path, self._told["trusted"])))
        view = open_view(
            VIEWS[name],
            tables,
            lambda table: days.get(table, {}),
            connect,
            transform=TRANSFORMS.get(name),
            folders=folders,
        )
        assert view is not None, "the view was open where the task was made"
        return view


def _trusted(unit: ScanUnit) -> list[str]:
    """Folders beside the workspace that files of the unit may lie in."""
    source = unit.table.source
    folders = source.folders if isinstance(source, ViewSource) else None
    return [str(folder) for folder in folders.trusted] if folders is not None else []


def _tables(unit: ScanUnit) -> list[Table]:
    """The workspace's own tables that the unit reads."""
    if isinstance(unit.table.source, ViewSource):
        return list(unit.table.source.tables.values())
    return [unit.table, *([unit.lookup] if unit.lookup is not None else [])]


def _table_to_dict(table: Table) -> dict[str, Any]:
    return {
        "settings": table.settings.model_dump(mode="json"),
        "schema": asdict(table.schema),
        "timezone": table.timezone,
        "where": table.where,
    }


def _table_from_dict(name: str, told: Mapping[str, Any], root: Path) -> Table:
    settings = TableSettings.model_validate(told["settings"])
    given = told["schema"]
    columns = tuple(Column(**one) for one in given["columns"])
    schema = TableSchema(given["table"], columns, tuple(given["slices"]), given["label_window_days"])
    where = tuple((column, value) for column, value in told["where"])
    return Table(name, settings, open_source(settings.source, root), schema, told["timezone"], where)


def _counted_from_dict(told: Mapping[str, Any]) -> Counted:
    fields = {name: tuple(one) if isinstance(one, list) else one for name, one in told["measure"].items()}
    edges = tuple(told["edges"]) if told["edges"] is not None else None
    return Counted(MEASURES[told["kind"]](**fields), told["id"], tuple(told["cells"]), edges, told["shift"])


def _partition(told: Mapping[str, Any]) -> Partition:
    return Partition(**{**told, "values": tuple((name, value) for name, value in told["values"])})
