"""Delta tables: each live data file is a partition."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import SourceSettings
from recsysops.errors import SourceError
from recsysops.tables.extras import needed
from recsysops.tables.file_source import from_path, refuse_unknown
from recsysops.tables.parquet_stream import parquet_rows
from recsysops.tables.source import Partition

KNOWN_FEATURES = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening"})
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class _Version:
    """What one version of the table is made of. ``values`` are, by file, those of the partition columns."""

    table: Any
    schema: pa.Schema
    partitions: Mapping[str, Partition]
    files: Mapping[str, str]
    values: Mapping[str, Mapping[str, pa.Scalar]]


class DeltaSource:
    """A Delta table, local or in an object store.

    Data files never change, so the path, size and time of one are its fingerprint: an append costs the new files alone.
    Files that were removed from the table have vanished, files that were compacted have been replaced.

    Args:
        settings: ``path`` is the table's folder (relative to ``root``) or URL; ``options`` go to the store, such as
            ``aws_region`` or ``secret_access_key``.
        root: the workspace folder.

    Raises:
        PluginError: if the extra ``delta`` is not installed.
    """

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        self._library = needed("deltalake", "delta", f"source {settings.path}")
        self._path = settings.path.rstrip("/")
        self._local = None if _SCHEME.match(self._path) else root / self._path
        self._options = {name: str(value) for name, value in settings.options.items()}
        self._version: _Version | None = None

    def partitions(self) -> tuple[Partition, ...]:
        """The files of the newest version, by key; raises SourceError if there is no table that can be read."""
        with self._reading():
            self._version = self._load()
        return tuple(self._version.partitions[key] for key in sorted(self._version.partitions))

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns of the table; those of its partitioning are last and not in the files."""
        return self._holding(partition).schema

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of a file; columns that were added to the table later are NULL."""
        version = self._holding(partition)
        refuse_unknown(columns, version.schema, partition.key)
        constants = version.values[partition.key]
        with self._reading(), self._opened(version, partition) as stream:
            yield from parquet_rows(stream, columns, version.schema, constants)

    def parquet_path(self, partition: Partition) -> Path | None:
        """The file, if it is local and has all columns of the table just as the table declares them."""
        if self._local is None:
            return None
        version = self._holding(partition)
        path = self._local / version.files[partition.key]
        with self._reading():
            stored = pq.read_schema(path)
        wanted = [field for field in version.schema if field.name not in version.values[partition.key]]
        names = set(stored.names)
        return (
            path if all(one.name in names and stored.field(one.name).type.equals(one.type) for one in wanted) else None
        )

    def _holding(self, partition: Partition) -> _Version:
        """The loaded version, or else the newest one, that has the file."""
        if self._version is None or partition.key not in self._version.partitions:
            self.partitions()
        assert self._version is not None
        if partition.key not in self._version.partitions:
            raise SourceError(
                partition.key, found="a file that the table no longer has", next_step="run again: it has a new version"
            )
        return self._version

    def _load(self) -> _Version:
        where = str(self._local or self._path)
        table = self._library.DeltaTable(where, storage_options=self._options or None)
        self._refuse_features(table)
        declared = pa.schema(table.schema().to_arrow())
        by = list(table.metadata().partition_columns)
        fields = [field for field in declared if field.name not in by]
        schema = pa.schema([*fields, *(from_path(name, declared.field(name).type) for name in by)]).remove_metadata()
        partitions, files, values = {}, {}, {}
        for added in pa.table(table.get_add_actions(flatten=False)).to_pylist():
            file = unquote(added["path"])
            one = self._partition(file, added)
            partitions[one.key], files[one.key] = one, file
            given = added.get("partition") or {}
            values[one.key] = {name: pa.scalar(given.get(name), schema.field(name).type) for name in by}
        return _Version(table, schema, partitions, files, values)

    def _partition(self, file: str, added: Mapping[str, Any]) -> Partition:
        digest = hashlib.sha256(f"{file}\0{added['size_bytes']}\0{added['modification_time']}".encode()).hexdigest()
        given = tuple((name, "" if one is None else str(one)) for name, one in (added.get("partition") or {}).items())
        return Partition(f"{self._path}/{file}", digest, added["size_bytes"], added["modification_time"] / 1000, given)

    def _refuse_features(self, table: Any) -> None:
        protocol = table.protocol()
        unknown = sorted(set(protocol.reader_features or ()) - KNOWN_FEATURES)
        if protocol.min_reader_version == 2 and table.metadata().configuration.get("delta.columnMapping.mode"):
            unknown = ["columnMapping"]
        if unknown:
            raise SourceError(
                self._path,
                found=f"a Delta table with {', '.join(unknown)}",
                expected="a table without them",
                next_step="turn them off for this table, or export it",
            )

    @contextmanager
    def _opened(self, version: _Version, partition: Partition) -> Iterator[pa.NativeFile]:
        file = version.files[partition.key]
        if self._local is not None:
            with pa.OSFile(str(self._local / file)) as stream:
                yield stream
            return
        from pyarrow import fs

        handler = needed("deltalake.fs", "delta", self._path).DeltaStorageHandler
        store = fs.PyFileSystem(handler.from_table(version.table._table, self._options or None, {}))
        with store.open_input_file(file) as stream:
            yield stream

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Whatever the library raises on a table that is damaged or away, as a SourceError."""
        try:
            yield
        except (self._library.exceptions.DeltaError, OSError, pa.ArrowException, ValueError) as error:
            raise SourceError(
                self._path,
                found=(str(error).strip().splitlines() or [type(error).__name__])[0][:300],
                expected="a Delta table",
                next_step="check source.path, its options and the table's log",
            ) from error
