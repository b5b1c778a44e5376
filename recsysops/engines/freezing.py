"""Learning edge sets and category sets once, from a bounded sample of the earliest partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.engines.progress import Progress
from recsysops.engines.row_clusters import CLUSTER, ROLES, cluster_name, learn_clusters
from recsysops.errors import RecSysOpsError
from recsysops.profiles.categories import CategorySet, as_labels, categories_from_counts, learn_categories, pair_labels
from recsysops.profiles.edges import learn_edges
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.group_codes import DAY_US, MAX_SLICE_VALUES, microseconds
from recsysops.profiles.measures import Cells
from recsysops.tables.schema import TableSchema
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

SAMPLE_ROWS = 400_000
MAX_PARTITIONS = 7
EARLY_ROWS = 20_000
"""Rows that settle 32 quantile bins and the 0.1 % tails; the earliest days that have them are enough."""
PAIR = "\x1f"
SLICE = "slice:"


def set_name(measure: Cells) -> str:
    """Under which name a measure's set is frozen: equal for every measure that shares it."""
    if measure.form != "frequencies":
        return f"numbers:{measure.column}"
    return f"labels:{measure.column}{PAIR}{measure.pair}" if measure.pair else f"labels:{measure.column}"


def slice_set_name(dimension: str) -> str:
    """Under which name the values of a slice dimension are frozen."""
    return f"{SLICE}{dimension}"


def limited_values(sets: Mapping[str, FrozenSet], dimension: str) -> CategorySet | None:
    """A dimension keeps whatever values appear, unless the reference had more than a scan can keep."""
    values = sets.get(slice_set_name(dimension))
    if not isinstance(values, CategorySet):
        return None
    return values if not values.is_complete or len(values.known_hashes) > MAX_SLICE_VALUES else None


def stated_values(schema: TableSchema, measure: Cells) -> CategorySet | None:
    """The categories of a view's column that says which it can have."""
    column = schema.column(measure.column)
    if measure.form != "frequencies" or measure.pair or column is None or not column.values:
        return None
    return categories_from_counts(dict.fromkeys(column.values, 0), top_k=len(column.values))


def wanted_sets(table: Table, measures: Iterable[Cells]) -> dict[str, Cells]:
    """By name, the sets that measures and slice dimensions need, as measures."""
    own = (one for one in measures if one.form != "rows" and stated_values(table.schema, one) is None)
    wanted = {set_name(measure): measure for measure in own}
    wanted |= {slice_set_name(name): Cells(table.name, name, "frequencies") for name in table.schema.slices}
    return wanted | (_wanted_clusters(wanted.values()) if table.name == "candidates" else {})


def _wanted_clusters(measures: Iterable[Cells]) -> dict[str, Cells]:
    """Columns that may belong to members or items; pairs and identifiers are left to requests."""
    return {cluster_name(one.column): one for one in measures if one.column and not one.pair}


def learn_sets(table: Table, wanted: Mapping[str, Cells], progress: Progress) -> dict[str, FrozenSet]:
    """Learn some sets.

    The sample is the first rows of each of the first readable partitions in key order, so the same files give the same
    sets. Bins are cut from its earliest days alone: on a first run the newest day is judged as well, and its faults must
    not widen the range that counts as seen. Categories are learnt from all of it, so that rare ones are known. A column
    without any value gets no set yet: it is learnt when values arrive.

    Args:
        table: where to read.
        wanted: measures by the name of their set, those without one so far.
        progress: told of each partition read.
    """
    clock = table.schema.role(table.contract.clock)
    named = {name for measure in wanted.values() for name in (measure.column, measure.pair) if name}
    belonging = {name: measure for name, measure in wanted.items() if name.startswith(CLUSTER)}
    if belonging:
        named |= {column.name for role in (*ROLES, "request_id") if (column := table.schema.role(role)) is not None}
    columns = sorted(named | ({clock.name} if clock else set()))
    partitions = _with_most_columns(table, columns)
    if not partitions or not named:
        return {}
    n_partitions = min(len(partitions), MAX_PARTITIONS)
    progress.start(f"freezing bins of {table.name}", n_partitions)
    chunks: list[pa.RecordBatch] = []
    n_read = 0
    for partition in partitions:
        if n_read == n_partitions:
            break
        # a partition that cannot be read is named when it is counted
        with suppress(RecSysOpsError):
            chunks.extend(_first_rows(table, partition, columns, -(-SAMPLE_ROWS // n_partitions)))
            n_read += 1
            progress.advance()
    progress.finish()
    sample = _as_one_table(chunks)
    if not sample.num_rows:
        return {}
    early = sample.filter(pa.array(_early(sample[clock.name], clock.name))) if clock else sample
    learnt = {
        name: _learn(sample if measure.form == "frequencies" else early, name, measure, table)
        for name, measure in wanted.items()
        if name not in belonging
    }
    if belonging and clock is not None:
        learnt |= learn_clusters(sample, table.schema, clock.name, [one.column for one in belonging.values()])
    return {name: one for name, one in learnt.items() if one is not None}


def _with_most_columns(table: Table, columns: Iterable[str]) -> list[Partition]:
    """The readable partitions that have all the columns, or as many of them as any has; in key order."""
    counted: list[tuple[int, Partition]] = []
    for partition in table.partitions():
        with suppress(RecSysOpsError):
            counted.append((len(set(columns).difference(table.source.schema(partition).names)), partition))
    fewest = min((missing for missing, _ in counted), default=0)
    return [one for missing, one in counted if missing == fewest]


def _first_rows(table: Table, partition: Partition, columns: list[str], n_rows: int) -> list[pa.RecordBatch]:
    taken: list[pa.RecordBatch] = []
    for batch in table.batches(partition, columns):
        taken.append(batch.slice(0, n_rows))
        n_rows -= taken[-1].num_rows
        if n_rows <= 0:
            break
    return taken


def _early(clock: pa.ChunkedArray, name: str) -> npt.NDArray[np.bool_]:
    """Rows of the earliest days that together hold ``EARLY_ROWS``; of all days but the last when they never do."""
    times, placeable = microseconds(clock.combine_chunks(), name)
    days = np.where(placeable, times // DAY_US, np.iinfo(np.int64).max)
    distinct, counts = np.unique(days[placeable], return_counts=True)
    if len(distinct) < 2:
        return np.ones(len(days), np.bool_)
    n_days = min(int(np.searchsorted(np.cumsum(counts), EARLY_ROWS)) + 1, len(distinct) - 1)
    return np.asarray(days <= distinct[n_days - 1])


def _as_one_table(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """Partitions may store a column as different types."""
    if len({batch.schema for batch in batches}) <= 1:
        return pa.Table.from_batches(batches) if batches else pa.table({})
    tables = [
        pa.table({name: _plain(batch.column(name)) for name in batch.schema.names})
        for batch in batches
        if batch.num_rows
    ]
    return pa.concat_tables(tables, promote_options="permissive")


def _plain(values: pa.Array) -> pa.Array:
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    return values.cast(pa.float64()) if pa.types.is_unsigned_integer(values.type) else values


def _learn(sample: pa.Table, name: str, measure: Cells, table: Table) -> FrozenSet | None:
    values = sample[measure.column]
    column = table.schema.column(measure.column)
    if values.null_count == len(values):
        return None
    if measure.form != "frequencies":
        numbers = values.drop_null().combine_chunks()
        default = column.default if column is not None and isinstance(column.default, float | int) else None
        return learn_edges(_as_numpy(numbers), default=default)
    if not measure.pair:
        return learn_categories(values, MAX_SLICE_VALUES) if name.startswith(SLICE) else learn_categories(values)
    pairs = pair_labels(as_labels(values.combine_chunks()), as_labels(sample[measure.pair].combine_chunks()))
    return learn_categories(pairs) if pairs.null_count < len(pairs) else None


def _as_numpy(numbers: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_decimal(numbers.type):
        numbers = numbers.cast(pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False))
