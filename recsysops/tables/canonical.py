"""Values of a column as every count expects them, whatever a partition stored them as."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from recsysops.tables.clocks import UTC_TYPE, to_utc
from recsysops.tables.contract import Kind
from recsysops.tables.kinds import is_text, kind_of, null_type

_EXACT_DOUBLES = 2.0**53


@dataclass(frozen=True)
class Canonical:
    """How a column is to be read: timestamps as ``timestamp[us, UTC]``, numbers as integers or floats of at least 32 bits,
    categories as strings or dictionaries of strings, flags as booleans; identifiers never as floats."""

    kind: Kind
    is_id: bool
    timezone: str

    def convert(self, values: pa.Array) -> pa.Array:
        """The values in canonical form; the result's type depends on the type of ``values`` alone.

        Raises:
            pa.ArrowInvalid: if a value does not fit; the message shows it.
        """
        if types.is_null(values.type):
            return values.cast(null_type(self.kind))
        if self.kind == "timestamp":
            return to_utc(values, self.timezone)
        if self.kind == "numeric":
            return _to_ids(values) if self.is_id and types.is_floating(values.type) else _to_numbers(values)
        if self.kind == "categorical":
            return _to_categories(values)
        if self.kind == "boolean":
            return _decoded(values).cast(pa.bool_())
        return values

    def is_native(self, type_: pa.DataType) -> bool:
        """Whether fast readers that know nothing of conversions may read the column as it is stored."""
        if self.kind == "timestamp":
            return bool(types.is_timestamp(type_)) and (type_.tz is not None or self.timezone == "UTC")
        if self.kind == "numeric":
            is_plain = types.is_integer(type_) or types.is_float32(type_) or types.is_float64(type_)
            return bool(is_plain) and not (self.is_id and types.is_floating(type_))
        return self.kind == kind_of(type_)


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if types.is_dictionary(values.type) else values


def _to_numbers(values: pa.Array) -> pa.Array:
    values = _decoded(values)
    if types.is_float16(values.type):
        return values.cast(pa.float32())
    if types.is_boolean(values.type):
        return values.cast(pa.int8())
    if types.is_integer(values.type) or types.is_floating(values.type):
        return values
    return (pc.utf8_trim_whitespace(values) if is_text(values.type) else values).cast(pa.float64())


def _to_ids(values: pa.Array) -> pa.Array:
    """Whole numbers that became floats because some were missing; NaN was such a missing one."""
    values = values.cast(pa.float64())
    values = pc.if_else(pc.is_nan(values), None, values)
    largest = pc.max(pc.abs(values)).as_py()
    if largest is not None and largest > _EXACT_DOUBLES:
        raise pa.ArrowInvalid(f"{largest:.0f}, an identifier that lost digits as a float")
    return values.cast(pa.int64())


def _to_categories(values: pa.Array) -> pa.Array:
    if types.is_dictionary(values.type):
        return values if is_text(values.type.value_type) else _to_categories(values.dictionary_decode())
    if types.is_floating(values.type):
        return _floats_to_categories(values.cast(pa.float64()))
    return values.cast(UTC_TYPE).cast(pa.string()) if types.is_timestamp(values.type) else values.cast(pa.string())


def _floats_to_categories(values: pa.Array) -> pa.Array:
    """Whole numbers as they would be written without a fraction; NaN, which is no category, as NULL."""
    is_whole = pc.and_(pc.equal(pc.floor(values), values), pc.less_equal(pc.abs(values), _EXACT_DOUBLES))
    whole = pc.if_else(is_whole, values, None).cast(pa.int64()).cast(pa.string())
    other = pc.if_else(pc.is_nan(values), None, values).cast(pa.string())
    return pc.coalesce(whole, other)
