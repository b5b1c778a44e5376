"""Small files from a service's large ones: fewer requests, the same values, in fewer and tighter Parquet files.

Of the requests that were logged at a rate below 1 a share is kept, chosen by the portable hash of the request, and the
logged rate says so. Those logged at rate 1 (randomised, answered by a fallback, with the item looked at) are all kept.
Candidates and outcomes keep a file a day, as they are judged by the day. Tables that hardly change from one day to the next
(catalogue, feature snapshots, models, changes) become one file each, sorted so that what repeats lies together. The only
value that changes its form is ``score``: a float32 of the float64 that the service ranked by; ``raw_score`` stays as it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.serving.hashing import bucket
from recsysops.tables.atomic import write_atomically

DAILY = ("candidates", "outcomes")
SORTED: Mapping[str, Sequence[str]] = {
    "items": ("item_id", "as_of"),
    "item_features": ("key", "as_of"),
    "member_features": ("key", "as_of"),
    "availability": ("item_id", "market"),
    "models": ("model_id",),
    "changes": ("ts", "scope"),
}
SINGLE = ("score",)
"""Columns of candidates that are written as float32."""
MANY_VALUES = 0.5
"""A float column with more distinct values than this share of its rows is written without a dictionary."""
LEVEL = 19
SHARE, SALT = 0.25, "sample"


def pack(service: Path, out: Path, share: float = SHARE) -> None:
    """Write the logs, the models and the workspace file of a simulated service below ``out``.

    Args:
        service: folder that ``drills.world.service`` wrote.
        out: a new or empty folder.
        share: of the sampled requests that are kept, in whole hundredths.
    """
    logs, target = service / "logs", out / "logs"
    for table in DAILY:
        for part in sorted((logs / table).glob("*/part-0.parquet")):
            rows = pq.ParquetFile(part).read()
            rows = thinned(_single(rows), share) if table == "candidates" else _with_plain_texts(rows)
            write(rows, target / table / part.parent.name / part.name)
    for table, order in SORTED.items():
        write(_merged(sorted((logs / table).glob("*/part-0.parquet")), order), target / table / "part-0.parquet")
    shutil.copytree(service / "models", out / "models")
    shutil.copyfile(service / "recsysops.yaml", out / "recsysops.yaml")


def thinned(candidates: pa.Table, share: float) -> pa.Table:
    """Whole requests: all that were logged at rate 1, and a share of the others with their rate times the share."""
    rate = candidates["sampling_rate"].to_numpy()
    names, which = np.unique(candidates["request_id"].cast(pa.string()).to_numpy(), return_inverse=True)
    is_lucky = np.array([bucket(name, 100, SALT) < round(100 * share) for name in names], bool)
    is_kept = (rate == 1) | is_lucky[which]
    place = candidates.column_names.index("sampling_rate")
    thin = candidates.set_column(place, "sampling_rate", pa.array(np.where(rate == 1, 1.0, rate * share)))
    return thin.filter(pa.array(is_kept))


def write(table: pa.Table, path: Path) -> None:
    """Write a table whole; the same pyarrow writes the same bytes."""
    plain = [name for name in table.column_names if _has_many_values(table[name])]
    coded = [name for name in table.column_names if name not in plain]
    write_atomically(
        path,
        lambda target: pq.write_table(
            table,
            target,
            compression="zstd",
            compression_level=LEVEL,
            use_dictionary=coded,
            use_byte_stream_split=plain,
        ),
    )


def _merged(parts: Sequence[Path], order: Sequence[str]) -> pa.Table:
    """All parts of a table as one, sorted, its texts as dictionaries."""
    tables = [pq.ParquetFile(part).read() for part in parts]
    merged = pa.concat_tables([_with_plain_texts(table) for table in tables]).sort_by(
        [(name, "ascending") for name in order]
    )
    return merged.cast(pa.schema([_coded(field) for field in merged.schema]))


def _with_plain_texts(table: pa.Table) -> pa.Table:
    """The service decides by file which texts are dictionaries; here a column has one type on all days."""
    texts = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in table.schema]
    return table.cast(pa.schema(texts))


def _coded(field: pa.Field) -> pa.Field:
    return field.with_type(pa.dictionary(pa.int32(), pa.string())) if pa.types.is_string(field.type) else field


def _single(table: pa.Table) -> pa.Table:
    for name in SINGLE:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.float32()))
    return table


def _has_many_values(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_floating(column.type) and len(column.unique()) > MANY_VALUES * len(column))
