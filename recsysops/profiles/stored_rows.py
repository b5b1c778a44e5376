"""Reading profiles back: collapsed rows by measure, and of the buckets only the row groups of one measure.

A file's name says what it holds, so what has been read of it stays true; many days judged in one run read it once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsysops.errors import StateError
from recsysops.profiles.profile import BUCKETS, ROWS

_REPEATED = ["measure", "dimension", "value"]
"""Columns of few different words: read as dictionaries, their text is never copied row by row."""


def rows_of(paths: Sequence[Path], measure: str, days: Collection[int]) -> pa.Table:
    """Collapsed rows of one measure on these days (since the epoch), file after file.

    Raises:
        StateError: if a file is damaged.
    """
    tables = [found for file in _files(tuple(paths)) if (found := file.get(measure)) is not None]
    return _of_days(pa.concat_tables(tables), days) if tables else _without_rows(ROWS)


def every_row_of(path: Path, measure: str) -> pa.Table:
    """Collapsed rows of one measure in one file, on all its days, without naming it and without the others.

    Raises:
        StateError: if the file is damaged.
    """
    return _read_measure(path, measure, ROWS)


def buckets_of(paths: Sequence[Path], measure: str) -> pa.Table:
    """Bucketed rows of one measure, file after file, without naming it.

    Raises:
        StateError: if a file is damaged.
    """
    tables = [_read_measure(path, measure, BUCKETS) for path in paths]
    return pa.concat_tables(tables) if tables else _without_rows(BUCKETS)


def forget_what_was_read() -> None:
    """Read every file anew: for those who change files behind the store's back."""
    _files.cache_clear()
    _by_measure.cache_clear()
    _footer.cache_clear()


def _without_rows(schema: pa.Schema) -> pa.Table:
    for name in set(_REPEATED) & set(schema.names):
        index = schema.get_field_index(name)
        schema = schema.set(index, schema.field(index).with_type(pa.dictionary(pa.int32(), pa.string())))
    return schema.empty_table()


def _of_days(rows: pa.Table, days: Collection[int]) -> pa.Table:
    present = pc.unique(rows["day"])
    wanted = pa.array(sorted(days), pa.int32())
    return rows if set(present.to_pylist()).issubset(days) else rows.filter(pc.is_in(rows["day"], value_set=wanted))


@lru_cache(maxsize=16)
def _files(paths: tuple[Path, ...]) -> tuple[Mapping[str, pa.Table], ...]:
    with ThreadPoolExecutor(max_workers=2) as readers:  # decoding leaves the interpreter to the other
        return tuple(readers.map(_by_measure, paths))


@lru_cache(maxsize=256)  # four weeks of each of eight tables: every detector comes back to them
def _by_measure(path: Path) -> Mapping[str, pa.Table]:
    """All rows of a file by measure id; the order within a measure stays."""
    with _reading(path):
        metadata = _metadata(path, ROWS)
        file = pq.ParquetFile(path, metadata=metadata, read_dictionary=_REPEATED)
        rows = file.read(use_threads=False).replace_schema_metadata(None)
    ids = rows["measure"].combine_chunks()
    codes = ids.indices.to_numpy()
    if np.any(codes[1:] < codes[:-1]):  # measures are written one after another; others' files need not be
        order = np.argsort(codes, kind="stable")
        rows, codes = rows.take(pa.array(order)), codes[order]
    starts = np.searchsorted(codes, np.arange(len(ids.dictionary) + 1))
    return {
        name.as_py(): rows.slice(starts[index], starts[index + 1] - starts[index])
        for index, name in enumerate(ids.dictionary)
    }


@dataclass(frozen=True)
class _Footer:
    """A file's metadata, and the least and greatest measure of each row group where stated."""

    metadata: pq.FileMetaData
    measures: tuple[tuple[str, str] | None, ...]

    def holding(self, measure: str) -> list[int]:
        """The row groups that may have rows of a measure."""
        return [index for index, known in enumerate(self.measures) if known is None or known[0] <= measure <= known[1]]


@lru_cache(maxsize=1024)
def _footer(path: Path, expected: pa.Schema) -> _Footer:
    metadata = _metadata(path, expected)
    columns = (metadata.row_group(index).column(0) for index in range(metadata.num_row_groups))
    stated = (column.statistics if column.is_stats_set else None for column in columns)
    bounds = tuple((one.min, one.max) if one is not None and one.has_min_max else None for one in stated)
    return _Footer(metadata, bounds)


def _read_measure(path: Path, measure: str, expected: pa.Schema) -> pa.Table:
    with _reading(path):
        footer = _footer(path, expected)
        groups = footer.holding(measure)
        with pa.OSFile(str(path)) as source:
            file = pq.ParquetFile(source, metadata=footer.metadata, read_dictionary=_REPEATED)
            alone = all(footer.measures[index] == (measure, measure) for index in groups)
            columns = expected.names[1:] if alone else expected.names
            rows = file.read_row_groups(groups, columns, use_threads=False).replace_schema_metadata(None)
        return rows if alone else rows.filter(pc.equal(rows["measure"], measure)).drop_columns(["measure"])


def _metadata(path: Path, expected: pa.Schema) -> pq.FileMetaData:
    metadata = pq.read_metadata(path)
    found = metadata.schema.to_arrow_schema()
    if [(one.name, one.type.id) for one in found] != [(one.name, one.type.id) for one in expected]:
        raise pa.ArrowInvalid(f"columns {', '.join(found.names)[:80]}")
    return metadata


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StateError(
            str(path),
            found=f"a damaged profile ({str(error).splitlines()[0]})",
            expected="a file written whole",
            next_step="delete it; the next run counts its partition again",
        ) from error
