"""Learning edge sets and category sets once, from a bounded sample of the earliest partitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.engines.progress import Progress
from recsysops.profiles.categories import as_labels, learn_categories, pair_labels
from recsysops.profiles.edges import learn_edges
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.measures import Cells
from recsysops.tables.source import Partition
from recsysops.tables.table import Table

SAMPLE_ROWS = 400_000
MAX_PARTITIONS = 7
PAIR = "\x1f"


def set_name(measure: Cells) -> str:
    """Under which name a measure's set is frozen: equal for every measure that shares it."""
    return f"{measure.column}{PAIR}{measure.pair}" if measure.pair else measure.column


def slice_measures(table: Table) -> list[Cells]:
    """The category sets that slice dimensions need, as measures."""
    return [Cells(table.name, name, "frequencies") for name in table.schema.slices]


def learn_sets(table: Table, measures: Iterable[Cells], progress: Progress) -> dict[str, FrozenSet]:
    """Learn the sets of some histogram and frequency measures.

    The sample is the first rows of each of the first partitions in key order, so the same files give the same sets. A
    column without any value in the sample gets none yet: it is learnt when values arrive.

    Args:
        table: where to read.
        measures: those without a set so far.
        progress: told of each partition read.
    """
    wanted = {set_name(measure): measure for measure in measures}
    partitions = _with_rows_first(table, {measure.column for measure in wanted.values()})
    columns = sorted({name for measure in wanted.values() for name in (measure.column, measure.pair) if name})
    if not partitions or not columns:
        return {}
    progress.start(f"freezing bins of {table.name}", len(partitions))
    chunks: list[pa.RecordBatch] = []
    for partition in partitions:
        chunks.extend(_first_rows(table, partition, columns, -(-SAMPLE_ROWS // len(partitions))))
        progress.advance()
    progress.finish()
    sample = pa.Table.from_batches(chunks) if chunks else None
    if sample is None or not sample.num_rows:
        return {}
    learnt = {name: _learn(sample, measure, table) for name, measure in wanted.items()}
    return {name: one for name, one in learnt.items() if one is not None}


def _with_rows_first(table: Table, columns: set[str]) -> list[Partition]:
    """The earliest partitions that have all the columns, or as many of them as any has."""
    counted = [(len(columns - set(table.source.schema(one).names)), one) for one in table.partitions()]
    fewest = min((missing for missing, _ in counted), default=0)
    return [one for missing, one in counted if missing == fewest][:MAX_PARTITIONS]


def _first_rows(table: Table, partition: Partition, columns: list[str], n_rows: int) -> list[pa.RecordBatch]:
    taken: list[pa.RecordBatch] = []
    for batch in table.batches(partition, columns):
        taken.append(batch.slice(0, n_rows))
        n_rows -= taken[-1].num_rows
        if n_rows <= 0:
            break
    return taken


def _learn(sample: pa.Table, measure: Cells, table: Table) -> FrozenSet | None:
    values = sample[measure.column]
    column = table.schema.column(measure.column)
    if values.null_count == len(values):
        return None
    if measure.form == "histogram":
        numbers = values.drop_null().combine_chunks()
        default = column.default if column is not None and isinstance(column.default, float | int) else None
        return learn_edges(_as_numpy(numbers), default=default)
    if not measure.pair:
        return learn_categories(values)
    pairs = pair_labels(as_labels(values.combine_chunks()), as_labels(sample[measure.pair].combine_chunks()))
    return learn_categories(pairs) if pairs.null_count < len(pairs) else None


def _as_numpy(numbers: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_decimal(numbers.type):
        numbers = numbers.cast(pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False))
