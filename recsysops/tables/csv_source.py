"""CSV files, streamed; a column's type is the narrowest that fits all of its values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.csv as pc

from recsysops.errors import ConfigError, SourceError
from recsysops.tables.csv_types import Types, fit_all, fit_head
from recsysops.tables.file_source import FileSource
from recsysops.tables.formats import ENDINGS

BLOCK_BYTES = 4 << 20
NULL_VALUES = ("", "NULL", "null", "\\N")
_BROKEN_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}


class CsvSource(FileSource):
    """CSV and TSV files with a header, gzipped or not.

    Empty unquoted fields, ``NULL``, ``null`` and ``\\N`` are NULL; ``nan`` in a column of numbers is NaN. Options:
    ``delimiter``, ``quote_char``, ``encoding``, ``null_values`` (comma-separated, replaces the default) and
    ``type.COLUMN`` (string, int64, float64, bool), e.g. to keep leading zeros.
    """

    format: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = ENDINGS["csv"]
    options: ClassVar[tuple[str, ...]] = ("delimiter", "quote_char", "encoding", "null_values", "type.")

    def read_schema(self, path: Path) -> pa.Schema:
        """Columns as the first 4 MiB show them; a value further down may still widen one."""
        with _naming_lines(path):
            schema = fit_head(lambda types, columns: self._open(path, types, columns), self._fixed_types())
        for field in schema:
            if pa.types.is_binary(field.type):
                raise SourceError(
                    f"{path} column {field.name!r}",
                    found="bytes that are not UTF-8 text",
                    expected="UTF-8",
                    next_step="set the source option encoding",
                )
        return schema

    def read_batches(self, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of one stable set of types, checked in a first pass when the file is longer than one block."""
        schema = self.read_schema(path)
        types: Types = dict(zip(schema.names, schema.types, strict=True))
        with _naming_lines(path):
            if path.stat().st_size > BLOCK_BYTES or path.suffix == ".gz":
                types = fit_all(lambda types, names: self._open(path, types, names), self._fixed_types(), columns)
            yield from self._open(path, types, columns)

    def _open(self, path: Path, types: Types, columns: Sequence[str] | None) -> pc.CSVStreamingReader:
        options = self.settings.options
        nulls = str(options["null_values"]).split(",") if "null_values" in options else list(NULL_VALUES)
        return pc.open_csv(
            path,
            # one thread: only then do errors name the line
            pc.ReadOptions(block_size=BLOCK_BYTES, use_threads=False, encoding=str(options.get("encoding", "utf8"))),
            pc.ParseOptions(
                delimiter=str(options.get("delimiter", "\t" if ".tsv" in path.suffixes else ",")),
                quote_char=str(options.get("quote_char", '"')),
                newlines_in_values=True,
            ),
            pc.ConvertOptions(
                column_types=dict(types),
                null_values=nulls,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                include_columns=None if columns is None else list(columns),
            ),
        )

    def _fixed_types(self) -> dict[str, pa.DataType]:
        fixed = {key.removeprefix("type."): value for key, value in self.settings.options.items() if "type." in key}
        for name, value in fixed.items():
            if value not in _TYPES:
                raise ConfigError(
                    f"source option type.{name}", found=repr(value), expected=f"one of {', '.join(_TYPES)}"
                )
        return {name: _TYPES[str(value)] for name, value in fixed.items()}


@contextmanager
def _naming_lines(path: Path) -> Iterator[None]:
    """A row of the wrong length becomes a SourceError that names the line."""
    try:
        yield
    except pa.ArrowInvalid as error:
        broken = _BROKEN_ROW.search(str(error))
        if broken is None:
            raise
        raise SourceError(
            f"{path} line {broken[1]}",
            found=f"{broken[3]} columns ({broken[4][:80]!r})",
            expected=f"{broken[2]} columns",
            next_step="repair the row, or quote fields that hold the delimiter",
        ) from error
