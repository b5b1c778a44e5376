"""Parquet files in an object store, by URL: s3://, gs://, abfs://, hdfs:// and whatever else pyarrow can open."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import translate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsysops.config.settings import SourceSettings
from recsysops.errors import ConfigError, SourceError
from recsysops.tables.file_source import from_path, is_hive, refuse_unknown
from recsysops.tables.files import hive_values
from recsysops.tables.formats import ENDINGS
from recsysops.tables.parquet_stream import parquet_rows
from recsysops.tables.source import Partition

_MAGIC = re.compile(r"[*?\[]")


class ObjectStoreSource:
    """Parquet files below a URL (a file, a folder, or a glob); each is a partition, read by the ranges that are wanted.

    Size and time of the last change are a file's fingerprint. Credentials are those of the environment; a region or an
    endpoint may stand in the URL (``s3://bucket/logs?region=eu-north-1``).

    Args:
        settings: ``path`` is the URL; there are no options.
        root: unused, a URL is never relative.

    Raises:
        ConfigError: if there are options.
        SourceError: if nothing can be opened under such a URL.
    """

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        from pyarrow import fs

        if settings.options:
            name = next(iter(settings.options))
            raise ConfigError(
                "source.options", found=repr(name), expected="none for an object store", next_step="put it into the URL"
            )
        address, _, query = settings.path.partition("?")
        if query and _MAGIC.search(address) is None and "=" not in query:  # a glob's question mark
            address, query = settings.path, ""
        self._scheme, _, path = address.partition("://")
        parts = path.split("/")
        n_fixed = next((number for number, part in enumerate(parts) if _MAGIC.search(part)), len(parts))
        self._pattern = "/".join(parts[n_fixed:])
        base = f"{self._scheme}://{'/'.join(parts[:n_fixed])}" + (f"?{query}" if query else "")
        self._where = address
        with self._reading():
            self._store, self._base = fs.FileSystem.from_uri(base)
        self._schemas: dict[tuple[str, str], pa.Schema] = {}

    def partitions(self) -> tuple[Partition, ...]:
        """One partition per file, by key (its URL). Names that begin with ``.`` or ``_`` are left out.

        Raises:
            SourceError: if the store does not answer, or nothing matches.
        """
        with self._reading():
            found = sorted((self._partition(one) for one in self._files()), key=lambda one: one.key)
        if not found:
            raise SourceError(
                self._where, found="no Parquet file", expected="at least one", next_step="correct source.path"
            )
        return tuple(found)

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns from the footer, then hive columns as strings unless the file has a column of that name."""
        address = (partition.key, partition.fingerprint)
        if address not in self._schemas:
            with self._reading(partition.key), self._store.open_input_file(self._path(partition)) as stream:
                stored = pq.read_schema(stream).remove_metadata()
            hive = [from_path(name, pa.string()) for name, _ in partition.values if name not in stored.names]
            self._schemas[address] = pa.schema([*stored, *hive])
        return self._schemas[address]

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of a file, in batches of up to 65,536."""
        schema = self.schema(partition)
        refuse_unknown(columns, schema, partition.key)
        constants = {
            name: pa.scalar(value or None, pa.string())
            for name, value in partition.values
            if name in schema.names and is_hive(schema, name)
        }
        with self._reading(partition.key), self._store.open_input_file(self._path(partition)) as stream:
            yield from parquet_rows(stream, columns, schema, constants)

    def parquet_path(self, partition: Partition) -> Path | None:
        """None: the file is not here."""
        return None

    def _files(self) -> Iterator[Any]:
        from pyarrow import fs

        info = self._store.get_file_info(self._base)
        if info.type == fs.FileType.File:
            yield info
            return
        is_wanted = re.compile(_regex(self._pattern)) if self._pattern else None
        selector = fs.FileSelector(self._base, recursive=True, allow_not_found=True)
        for one in self._store.get_file_info(selector):
            below = one.path.removeprefix(self._base).lstrip("/")
            is_hidden = any(part.startswith((".", "_")) for part in below.split("/"))
            if one.type != fs.FileType.File or is_hidden:
                continue
            if is_wanted.match(below) if is_wanted else below.lower().endswith(ENDINGS["parquet"]):
                yield one

    def _partition(self, one: Any) -> Partition:
        modified_ns = one.mtime_ns or 0
        digest = hashlib.sha256(f"{one.path}\0{one.size}\0{modified_ns}".encode()).hexdigest()
        return Partition(f"{self._scheme}://{one.path}", digest, one.size, modified_ns / 1e9, hive_values(one.path))

    def _path(self, partition: Partition) -> str:
        return partition.key.removeprefix(f"{self._scheme}://")

    @contextmanager
    def _reading(self, where: str | None = None) -> Iterator[None]:
        """Whatever the store or a damaged file raises, as a SourceError that names it."""
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SourceError(
                where or self._where,
                found=(str(error).strip().splitlines() or [type(error).__name__])[0][:300],
                expected="Parquet files that can be read",
                next_step="check source.path and the credentials in the environment",
            ) from error


def _regex(pattern: str) -> str:
    """A glob over paths as a regular expression; ``*`` stays within a folder, ``**`` does not."""
    parts = []
    for part in pattern.split("/"):
        own = translate(part).removeprefix("(?s:").removesuffix(r")\Z").replace(".*", "[^/]*")
        parts.append("(?:.*/)?" if part == "**" else f"{own}/")
    return "".join(parts).removesuffix("/") + ("" if pattern.endswith("**") else r"\Z")
