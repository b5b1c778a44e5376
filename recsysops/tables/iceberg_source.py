"""Iceberg tables: each data file of the current snapshot, with the deletes that apply to it, is a partition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import SourceSettings
from recsysops.errors import ConfigError, SourceError
from recsysops.tables.extras import needed
from recsysops.tables.file_source import MAX_BATCH_ROWS, refuse_unknown
from recsysops.tables.parquet_stream import parquet_rows
from recsysops.tables.source import Partition

READER = "pyiceberg.io.pyarrow.PyArrowFileIO"
_FIELD_ID = b"PARQUET:field_id"


@dataclass(frozen=True)
class _Snapshot:
    """What the table is made of at one moment; ``files`` are scan tasks of pyiceberg."""

    table: Any
    schema: pa.Schema
    partitions: Mapping[str, Partition]
    files: Mapping[str, Any]


class IcebergSource:
    """A table of an Iceberg catalog.

    Data files never change; the path and size of one and the delete files that apply to it are its fingerprint, so an
    append costs the new files alone. A file that is plain is streamed; one with deletes, or whose columns were renamed
    since, is decoded whole.

    Args:
        settings: ``path`` is the catalog (``sqlite:///catalog.db``, ``postgresql://…``, ``https://…`` for REST), ``table``
            is ``namespace.name``, ``options`` are the catalog's name (``catalog``, else "default") and its properties,
            such as ``warehouse`` or ``token``.
        root: the workspace folder, to which the path of a SQLite file is relative.

    Raises:
        ConfigError: if no table is named, or an option would have a library of its naming loaded.
        PluginError: if the extra ``iceberg`` is not installed.
    """

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        self._where = f"iceberg table {settings.table}"
        if settings.table is None or "." not in settings.table:
            raise ConfigError(
                "source.table", found=repr(settings.table), expected="namespace.name", next_step="name the table"
            )
        for name in settings.options:
            if name.startswith("py-") or name.endswith(".impl"):
                raise ConfigError(
                    "source.options", found=repr(name), expected="no option that names code", next_step="remove it"
                )
        needed("pyiceberg", "iceberg", self._where)
        self._identifier = settings.table
        given = {name: str(value) for name, value in settings.options.items()}
        self._catalog_name = given.pop("catalog", "default")
        kind = "rest" if settings.path.startswith(("http://", "https://")) else "sql"
        fixed = {"uri": _read_only(settings.path, root), "py-io-impl": READER, "init_catalog_tables": "false"}
        self._properties = {"type": kind, **given, **fixed}
        self._snapshot: _Snapshot | None = None

    def partitions(self) -> tuple[Partition, ...]:
        """The data files of the current snapshot, by key; raises SourceError if the table cannot be read."""
        with self._reading():
            self._snapshot = self._load()
        return tuple(self._snapshot.partitions[key] for key in sorted(self._snapshot.partitions))

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns of the table as it is now, under their present names."""
        return self._holding(partition).schema

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of a data file that are not deleted; columns that were added to the table later are NULL."""
        snapshot = self._holding(partition)
        refuse_unknown(columns, snapshot.schema, partition.key)
        with self._reading():
            if not self._is_plain(snapshot, partition):
                yield from _scanned(snapshot, partition, columns)
                return
            with snapshot.table.io.new_input(snapshot.files[partition.key].file.file_path).open() as stream:
                yield from parquet_rows(pa.PythonFile(stream, mode="r"), columns, snapshot.schema, {})

    def parquet_path(self, partition: Partition) -> Path | None:
        """The file, if it is local, nothing of it is deleted and it has all columns just as the table declares them."""
        snapshot = self._holding(partition)
        url = urlsplit(snapshot.files[partition.key].file.file_path)
        path = Path(unquote(url.path) if "%" in url.path and not Path(url.path).exists() else url.path)
        if url.scheme not in ("", "file") or not path.is_file():
            return None
        with self._reading():
            return path if self._is_plain(snapshot, partition, exactly=True) else None

    def _holding(self, partition: Partition) -> _Snapshot:
        """The loaded snapshot, or else the newest one, that has the file."""
        if self._snapshot is None or partition.key not in self._snapshot.partitions:
            self.partitions()
        assert self._snapshot is not None
        if partition.key not in self._snapshot.partitions:
            raise SourceError(
                partition.key, found="a file that the table no longer has", next_step="run again: it has a new snapshot"
            )
        return self._snapshot

    def _load(self) -> _Snapshot:
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        partitions, files = {}, {}
        with closing(self._catalog()) as catalog:
            table = catalog.load_table(self._identifier)
            written = _written(table)
            for task in table.scan().plan_files():
                one = self._partition(task, table.location(), written)
                partitions[one.key], files[one.key] = one, task
        schema = _narrow(schema_to_pyarrow(table.schema(), include_field_ids=False))
        return _Snapshot(table, schema, partitions, files)

    def _catalog(self) -> Any:
        """The catalog, which reads files by pyarrow only: a table's own properties must not name code to load."""
        from pyiceberg.catalog import load_catalog
        from pyiceberg.io import load_file_io

        catalog = load_catalog(self._catalog_name, **self._properties)

        def only_pyarrow(properties: Mapping[str, str] | None = None, location: str | None = None) -> Any:
            return load_file_io({**catalog.properties, **(properties or {}), "py-io-impl": READER}, location)

        catalog._load_file_io = only_pyarrow  # type: ignore[method-assign]
        return catalog

    def _partition(self, task: Any, location: str, written: Mapping[str, float]) -> Partition:
        path = task.file.file_path
        deletes = sorted(one.file_path for one in task.delete_files)
        digest = hashlib.sha256("\0".join([path, str(task.file.file_size_in_bytes), *deletes]).encode()).hexdigest()
        key = f"{self._identifier}/{path.removeprefix(location).lstrip('/')}"
        return Partition(key, digest, task.file.file_size_in_bytes, written.get(path, 0.0))

    @staticmethod
    def _is_plain(snapshot: _Snapshot, partition: Partition, *, exactly: bool = False) -> bool:
        """Whether the file is Parquet without deletes that has the table's columns under their present names.

        ``exactly``: and in the types of the table.
        """
        task = snapshot.files[partition.key]
        if task.delete_files or task.file.file_format.value != "PARQUET":
            return False
        with snapshot.table.io.new_input(task.file.file_path).open() as stream:
            stored = pq.read_schema(pa.PythonFile(stream, mode="r"))
        ids = {one.name: int((one.metadata or {}).get(_FIELD_ID, -1)) for one in stored}
        wanted = {one.name: one.field_id for one in snapshot.table.schema().fields}
        if ids != wanted:  # also where the table has more: their values may stand in the metadata
            return False
        return not exactly or all(stored.field(one.name).type.equals(one.type) for one in snapshot.schema)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Whatever the library raises on a catalog or table that is damaged or away, as a SourceError."""
        from pyiceberg import exceptions
        from sqlalchemy.exc import SQLAlchemyError

        known = tuple(one for one in vars(exceptions).values() if isinstance(one, type) and issubclass(one, Exception))
        try:
            yield
        except (*known, SQLAlchemyError, OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise SourceError(
                self._where,
                found=(str(error).strip().splitlines() or [type(error).__name__])[0][:300],
                expected="an Iceberg table",
                next_step="check source.path, source.table and the catalog",
            ) from error


def _scanned(snapshot: _Snapshot, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """By pyiceberg itself, which knows deletes, renamed columns and other formats."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    table = snapshot.table
    wanted = table.schema().select(*dict.fromkeys(columns or snapshot.schema.names[:1]))
    scan = ArrowScan(table.metadata, table.io, wanted, AlwaysTrue())
    for batch in scan.to_record_batches([snapshot.files[partition.key]]):
        arrays = [batch.column(name).cast(snapshot.schema.field(name).type) for name in columns]
        whole = pa.RecordBatch.from_arrays(arrays, names=list(columns))
        yield from (whole.slice(start, MAX_BATCH_ROWS) for start in range(0, whole.num_rows, MAX_BATCH_ROWS))


def _written(table: Any) -> dict[str, float]:
    """When each data file was added, seconds since the epoch; of expired snapshots, when the oldest known was made."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return {}
    moments = {one.snapshot_id: one.timestamp_ms / 1000 for one in table.metadata.snapshots}
    oldest = min(moments.values(), default=datetime.now(UTC).timestamp())
    return {
        entry.data_file.file_path: moments.get(entry.snapshot_id, oldest)
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io)
    }


def _narrow(schema: pa.Schema) -> pa.Schema:
    """Texts as the files hold them: pyiceberg says ``large_string`` of every text."""
    return pa.schema([one.with_type(pa.string()) if one.type == pa.large_string() else one for one in schema])


def _read_only(path: str, root: Path) -> str:
    """The catalog's URL; a SQLite file is opened for reading, and is in the workspace unless its path is absolute."""
    scheme, sep, name = path.partition(":///")
    if scheme == "sqlite" and sep and name:
        return f"sqlite:///file:{quote(str((root / name).resolve()))}?mode=ro&uri=true"
    return path
