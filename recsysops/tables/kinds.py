"""How a column of an Arrow type is counted."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyarrow import types

from recsysops.tables.contract import Kind


def kind_of(type_: pa.DataType) -> Kind:
    """The kind of an Arrow type; lists, structs, binary, times of day, durations and the type of all-NULL are ``other``.

    Example:
        >>> kind_of(pa.decimal128(9, 2)), kind_of(pa.dictionary(pa.int32(), pa.string())), kind_of(pa.date32())
        ('numeric', 'categorical', 'timestamp')
    """
    if types.is_dictionary(type_):
        return kind_of(type_.value_type)
    if types.is_boolean(type_):
        return "boolean"
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "numeric"
    if is_text(type_):
        return "categorical"
    if types.is_timestamp(type_) or types.is_date(type_):
        return "timestamp"
    return "other"


def is_text(type_: pa.DataType) -> bool:
    """Whether values are strings, however they are stored; dictionaries are not looked into."""
    return bool(types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_))


def common_kind(seen: Iterable[pa.DataType]) -> Kind | None:
    """The kind that columns of all these types can be read as without loss, None when there is none.

    All-NULL fits everything; whole numbers fit text (identifiers that once were numbers).

    Example:
        >>> common_kind([pa.int64(), pa.null(), pa.string()]), common_kind([pa.float64(), pa.string()]) is None
        ('categorical', True)
    """
    known = {type_ for type_ in seen if not types.is_null(type_)}
    kinds = {kind_of(type_) for type_ in known}
    if len(kinds) <= 1:
        return next(iter(kinds), "other")
    if kinds == {"categorical", "numeric"} and all(types.is_integer(t) or kind_of(t) == "categorical" for t in known):
        return "categorical"
    return None


def null_type(kind: Kind) -> pa.DataType:
    """The type of the NULLs that stand for a column a partition does not have."""
    by_kind: dict[Kind, pa.DataType] = {
        "numeric": pa.float64(),
        "categorical": pa.string(),
        "timestamp": pa.timestamp("us", "UTC"),
        "boolean": pa.bool_(),
        "other": pa.null(),
    }
    return by_kind[kind]
