"""The source interface: anything that lists partitions and yields Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Partition:
    """A part of a source that changes as a whole: a file, a database table.

    ``fingerprint`` differs whenever the content may differ; ``values`` are hive-style pairs taken from the path.
    """

    key: str
    fingerprint: str
    n_bytes: int = 0
    modified_at: float = 0.0
    """Seconds since the epoch, UTC."""
    values: tuple[tuple[str, str], ...] = ()


@runtime_checkable
class Source(Protocol):
    """Where rows come from. Outsiders add their own by entry point ``recsysops.sources``.

    Raises:
        SourceError: from any method, when what is there cannot be read.
    """

    def partitions(self) -> tuple[Partition, ...]:
        """What is there now, in a stable order."""
        ...

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns of a partition, hive columns included (as strings)."""
        ...

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of a partition: exactly these columns in this order, in batches of bounded size."""
        ...

    def parquet_path(self, partition: Partition) -> Path | None:
        """The file, when the partition is one plain local Parquet file, so that fast readers may be used."""
        ...
