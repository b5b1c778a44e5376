"""What the sources of files share: partitions are files, hive columns are appended, batches are bounded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from recsysops.config.settings import SourceSettings
from recsysops.errors import ConfigError, SchemaError, SourceError
from recsysops.tables.files import LocalFile, hive_values, list_files, unreadable
from recsysops.tables.fingerprints import fingerprint
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.source import Partition

MAX_BATCH_ROWS = 131_072


class FileSource(ABC):
    """A source whose partitions are local files; each format says how one file is read.

    Args:
        settings: the table's ``source`` section; ``path`` is relative to ``root``.
        root: the workspace folder.

    Raises:
        ConfigError: if ``settings.options`` names an option that the format does not have.
    """

    format: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        self.settings = settings
        self.root = root
        self._schemas: dict[tuple[str, str], pa.Schema] = {}
        for name in settings.options:
            if not any(name == known or (known.endswith(".") and name.startswith(known)) for known in self.options):
                raise ConfigError(
                    f"source {settings.path}",
                    found=f"option {name!r}",
                    expected=f"one of {', '.join(self.options)}" if self.options else f"no options for {self.format}",
                    next_step="remove or rename it",
                )

    @abstractmethod
    def read_schema(self, path: Path) -> pa.Schema:
        """Columns of one file."""

    @abstractmethod
    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of one file with at least these columns, all of which it has."""

    def companions(self, path: Path) -> tuple[Path, ...]:
        """Further files that hold a part of the content, such as a write-ahead log."""
        return ()

    def partitions(self) -> tuple[Partition, ...]:
        """One partition per file, by key (its path relative to the workspace)."""
        return tuple(self._partition(file) for file in list_files(self.settings.path, self.root, self.suffixes))

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns of the file, then hive columns as strings unless the file has a column of that name."""
        key = (partition.key, partition.fingerprint)
        if key not in self._schemas:
            with reading(self.path(partition), self.format):
                self._schemas[key] = self._with_hive_columns(partition)
        return self._schemas[key]

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows with exactly these columns in this order, at most 131,072 at a time."""
        path = self.path(partition)
        schema = self.schema(partition)
        refuse_unknown(columns, schema, str(path))
        hive = dict(partition.values)
        stored = [name for name in columns if not is_hive(schema, name)]
        # a file is read even when only hive columns are wanted: it alone knows how many rows there are
        wanted = stored or [name for name in schema.names if not is_hive(schema, name)][:1]
        with reading(path, self.format):
            for batch in self.read_batches(path, wanted):
                for start in range(0, batch.num_rows, MAX_BATCH_ROWS):
                    yield _select(batch.slice(start, MAX_BATCH_ROWS), columns, set(stored), hive)

    def parquet_path(self, partition: Partition) -> Path | None:
        """None: only Parquet can be read by fast readers."""
        return None

    def path(self, partition: Partition) -> Path:
        """Where the partition's file is."""
        return self.root / partition.key

    def _partition(self, file: LocalFile) -> Partition:
        digest, n_bytes, modified_at = fingerprint(file, self.companions(file.path))
        return Partition(file.key, digest, n_bytes, modified_at, hive_values(file.key))

    def _with_hive_columns(self, partition: Partition) -> pa.Schema:
        schema = self.read_schema(self.path(partition)).remove_metadata()
        doubles = (
            sorted({name for name in schema.names if schema.names.count(name) > 1}) if _has_doubles(schema) else []
        )
        if doubles:
            raise SchemaError(partition.key, found=f"column {doubles[0]!r} twice", next_step="rename one in the export")
        fields = [from_path(name, pa.string()) for name, _ in partition.values if name not in schema.names]
        return pa.schema([*schema, *fields])


@contextmanager
def reading(path: Path, format_name: str) -> Iterator[None]:
    """Turn whatever a reader raises on a damaged file into a SourceError that names the file."""
    try:
        yield
    except OSError as error:
        if error.strerror:
            raise unreadable(path, error) from error
        raise unreadable_content(path, format_name, error) from error
    except (pa.ArrowException, UnicodeError, EOFError) as error:
        raise unreadable_content(path, format_name, error) from error


def unreadable_content(path: Path, format_name: str, error: Exception) -> SourceError:
    """The error for a file whose bytes are not what its format promises."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return SourceError(
        str(path),
        found=f"{'an empty file' if path.stat().st_size == 0 else lines[0][:300]}",
        expected=f"a complete {format_name} file",
        next_step="export the file again, or set source.format",
    )


_HIVE = {b"recsysops.hive": b"1"}


def from_path(name: str, type_: pa.DataType) -> pa.Field:
    """The field of a column that is the same in all rows of a partition and not in its file."""
    return pa.field(name, type_, metadata=_HIVE)


def is_hive(schema: pa.Schema, name: str) -> bool:
    """Whether a column comes from the path and not from the file."""
    return bool(schema.field(name).metadata == _HIVE)


def _has_doubles(schema: pa.Schema) -> bool:
    return len(set(schema.names)) < len(schema.names)


def _select(batch: pa.RecordBatch, columns: Sequence[str], stored: set[str], hive: dict[str, str]) -> pa.RecordBatch:
    arrays = [
        batch.column(name) if name in stored else pa.repeat(pa.scalar(hive[name] or None, pa.string()), batch.num_rows)
        for name in columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def refuse_unknown(columns: Sequence[str], schema: pa.Schema, where: str) -> None:
    """Raise SchemaError if a column is not in the schema; the message names the nearest."""
    known = set(schema.names)
    for name in columns:
        if name not in known:
            hint = did_you_mean(name, schema.names, "look at the file's columns")
            raise SchemaError(where, found=f"no column {name!r}", expected="the column", next_step=hint)
