"""JSON lines, read in chunks of whole lines; a column's type is the narrowest that fits its values."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from recsysops.errors import SourceError
from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS
from recsysops.tables.jsonl_types import infer, parse, widen

CHUNK_BYTES = 4 << 20


class JsonLinesSource(FileSource):
    """One JSON object a line, gzipped or not.

    Times stay text, because only text says whether a zone was written; the table they belong to converts them. ``null`` and a missing key
    are NULL; JSON has no NaN.
    """

    format: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (*ENDINGS["jsonl"], ".json")

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns as the first 4 MiB show them; a later line may still widen one, but not add one."""
        for chunk, first_line in _chunks(path):
            return infer(chunk, first_line, path)
        raise SourceError(
            str(path), found="an empty file", expected="one JSON object a line", next_step="export the file again"
        )

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """One batch per 4 MiB, all of one schema, found in a first pass when the file is longer than one chunk."""
        schema: pa.Schema | None = None
        for chunk, first_line in _chunks(path):
            schema = widen(schema, infer(chunk, first_line, path))
        assert schema is not None, "read_schema has refused an empty file"
        wanted = pa.schema([schema.field(name) for name in columns])
        for chunk, first_line in _chunks(path):
            yield parse(chunk, first_line, wanted, path)


def _chunks(path: Path) -> Iterator[tuple[bytes, int]]:
    """(whole lines of about 4 MiB, number of the first of them)."""
    first_line = 1
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            chunk += stream.readline()
            yield chunk, first_line
            first_line += chunk.count(b"\n")
