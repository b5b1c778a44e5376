"""Types and values of chunks of JSON lines: Arrow's parser where it agrees, line by line where types are mixed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from recsysops.errors import SourceError

_INT64 = 2**63


def infer(chunk: bytes, first_line: int, path: Path) -> pa.Schema:
    """The narrowest types that fit a chunk; times are text; numbers mixed with text are text.

    Raises:
        SourceError: naming the line that is not a JSON object.
    """
    try:
        table = _read(chunk, None)
    except pa.ArrowInvalid:
        return _infer_by_line(chunk, first_line, path)
    if any(_is_beyond_int64(column) for column in table.columns):
        return _infer_by_line(chunk, first_line, path)
    return pa.schema([(field.name, _without_times(field.type)) for field in table.schema])


def parse(chunk: bytes, first_line: int, schema: pa.Schema, path: Path) -> pa.RecordBatch:
    """The rows of a chunk as one batch of the given schema, into which all values fit.

    Raises:
        SourceError: naming the line that is not a JSON object.
    """
    try:
        return pa.RecordBatch.from_struct_array(
            _read(chunk, schema).select(schema.names).to_struct_array().combine_chunks()
        )
    except pa.ArrowInvalid:
        rows = list(_lines(chunk, first_line, path))
        arrays = [pa.array([_fit(row.get(field.name), field.type) for row in rows], field.type) for field in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def widen(known: pa.Schema | None, other: pa.Schema) -> pa.Schema:
    """The schema that both fit into, columns in order of appearance."""
    types = {field.name: field.type for field in known or ()}
    for field in other:
        types[field.name] = widen_type(types.get(field.name, pa.null()), field.type)
    return pa.schema(list(types.items()))


def widen_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The narrowest type that holds the values of both; text when they have nothing in common.

    Example:
        >>> widen_type(pa.int64(), pa.float64()), widen_type(pa.list_(pa.null()), pa.list_(pa.string()))
        (DataType(double), ListType(list<item: string>))
    """
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(widen_type(one.value_type, other.value_type))
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return pa.struct(list(widen(pa.schema(list(one)), pa.schema(list(other)))))
    return pa.string()


def _read(chunk: bytes, schema: pa.Schema | None) -> pa.Table:
    behaviour = "infer" if schema is None else "ignore"
    return pj.read_json(
        io.BytesIO(chunk),
        pj.ReadOptions(use_threads=False, block_size=len(chunk) + 1),
        pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=behaviour),
    )


def _infer_by_line(chunk: bytes, first_line: int, path: Path) -> pa.Schema:
    types: dict[str, pa.DataType] = {}
    for row in _lines(chunk, first_line, path):
        for name, value in row.items():
            types[name] = widen_type(types.get(name, pa.null()), _type_of(value))
    return pa.schema(list(types.items()))


def _lines(chunk: bytes, first_line: int, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(chunk.splitlines(), first_line):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _not_an_object(path, number, f"{type(error).__name__} {error}", line) from error
        if not isinstance(row, dict):
            raise _not_an_object(path, number, f"a JSON {type(row).__name__}", line)
        yield row


def _not_an_object(path: Path, number: int, found: str, line: bytes) -> SourceError:
    shown = line[:80].decode("utf-8", "backslashreplace")
    return SourceError(
        f"{path} line {number}",
        found=f"{found} in {shown!r}",
        expected="one JSON object a line",
        next_step="repair or remove the line",
    )


def _type_of(value: Any) -> pa.DataType:
    if isinstance(value, list):
        inner = pa.null()
        for item in value:
            inner = widen_type(inner, _type_of(item))
        return pa.list_(inner)
    if isinstance(value, dict):
        return pa.struct([(name, _type_of(item)) for name, item in value.items()])
    if isinstance(value, int) and not isinstance(value, bool):
        return pa.int64() if -_INT64 <= value < _INT64 else pa.string()
    simple: dict[type, pa.DataType] = {bool: pa.bool_(), float: pa.float64(), type(None): pa.null()}
    return simple.get(type(value), pa.string())


def _fit(value: Any, type_: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_string(type_):
        return value if isinstance(value, str) else json.dumps(value)
    if pa.types.is_list(type_):
        return [_fit(item, type_.value_type) for item in value]
    if pa.types.is_struct(type_):
        return {field.name: _fit(value.get(field.name), field.type) for field in type_}
    return float(value) if pa.types.is_floating(type_) else value


def _without_times(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(type_):
        return pa.string()
    if pa.types.is_list(type_):
        return pa.list_(_without_times(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, _without_times(field.type)) for field in type_])
    return type_


def _is_beyond_int64(column: pa.ChunkedArray) -> bool:
    """Whether a column of doubles holds whole numbers that were too long for an integer: identifiers, kept as text."""
    if not pa.types.is_floating(column.type):
        return False
    is_beyond = pc.and_(pc.greater_equal(pc.abs(column), float(_INT64)), pc.is_finite(column))
    return bool(pc.any(is_beyond).as_py())
