"""Daily counts of one measure over many profiles in one file, so that a long past is not read profile by profile.

    series/<table>/<measure id>.parquet     rows (profile, day, dimension, value, counts)

What a profile's name covers never changes, so rows that are kept stay true. The file is a convenience: one that is missing, damaged
or cannot be written costs the time to read the profiles again, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsysops.tables.atomic import write_atomically

SERIES = pa.schema(
    [
        ("profile", pa.dictionary(pa.int32(), pa.string())),
        ("day", pa.int32()),
        ("dimension", pa.dictionary(pa.int32(), pa.string())),
        ("value", pa.dictionary(pa.int32(), pa.string())),
        ("counts", pa.list_(pa.float64())),
    ]
)


def series_rows(paths: Sequence[Path], measure: str, read: Callable[[Path], pa.Table]) -> pa.Table:
    """The rows (schema SERIES) of these profiles of one table, profile after profile in the order given.

    Args:
        paths: profiles, all in ``profiles/<table>``.
        measure: id of the measure.
        read: the rows of one profile; called only for those that the file does not have yet.
    """
    if not paths:
        return SERIES.empty_table()
    target = paths[0].parents[2] / "series" / paths[0].parent.name / f"{measure}.parquet"
    kept = _kept(target)
    known = set(pc.unique(kept["profile"]).to_pylist())
    missing = [path for path in paths if path.stem not in known]
    if missing:
        kept = pa.concat_tables([_living(kept, paths[0].parent), *(_marked(path, read(path)) for path in missing)])
        kept = kept.unify_dictionaries().combine_chunks()
        _keep(target, kept)
    place = {path.stem: index for index, path in enumerate(paths)}
    profile = kept["profile"].combine_chunks()
    at = pa.array([place.get(name, -1) for name in profile.dictionary.to_pylist()], pa.int32()).take(profile.indices)
    is_asked = pc.and_(pc.greater_equal(at, 0), pc.is_valid(kept["counts"]))
    asked = kept.append_column("at", at).filter(is_asked)
    return asked.take(pc.sort_indices(asked, [("at", "ascending")])).drop_columns(["at"])


def _kept(target: Path) -> pa.Table:
    try:
        with pq.ParquetFile(target) as file:
            found = file.read(use_threads=False).replace_schema_metadata(None)
    except (OSError, pa.ArrowException):
        return SERIES.empty_table()
    return found if found.schema.equals(SERIES) else SERIES.empty_table()


def _living(kept: pa.Table, folder: Path) -> pa.Table:
    """Without profiles that have been replaced or forgotten."""
    profile = kept["profile"].combine_chunks()
    living = [name for name in profile.dictionary.to_pylist() if (folder / f"{name}.parquet").exists()]
    return kept.filter(pc.is_in(kept["profile"].cast(pa.string()), value_set=pa.array(living, pa.string())))


def _marked(path: Path, rows: pa.Table) -> pa.Table:
    """A profile without rows is marked by one that counts nothing, or it would be read on every run."""
    if not rows.num_rows:
        nothing = {"profile": [path.stem], "day": [0], "dimension": [""], "value": [""], "counts": [None]}
        return pa.table(nothing, SERIES)
    return rows


def _keep(target: Path, rows: pa.Table) -> None:
    try:
        write_atomically(target, lambda temporary: pq.write_table(rows, temporary, compression="zstd"))
    except OSError:  # a state folder that may only be read: the next reader reads the profiles too
        return
