"""Every way in which logs write a time, to microseconds of UTC."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

UTC_TYPE = pa.timestamp("us", "UTC")

_SECONDS_BELOW, _MILLIS_BELOW, _MICROS_BELOW = 10**11, 10**14, 10**17
_ZONED = r":\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$"
_CALENDAR = (19_000_101, 21_001_231)


def to_utc(values: pa.Array, timezone: str) -> pa.Array:
    """Times as ``timestamp[us, UTC]``; NULL stays NULL.

    - Timestamps with a zone keep their instant. Timestamps and ISO 8601 texts without one are local times of
      ``timezone``: a time that occurs twice when clocks go back is the first of the two, a time that is skipped when they go
      forward is the moment after the skip. Dates are local midnights.
    - Numbers are time since 1970 UTC, the unit told by magnitude value by value: below 1e11 seconds, below 1e14
      milliseconds, below 1e17 microseconds, else nanoseconds. NaN is NULL.
    - Digits beyond microseconds are cut off.

    Raises:
        pa.ArrowInvalid: if a value is not a time; the message shows it.
    """
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if types.is_null(values.type):
        return values.cast(UTC_TYPE)
    if types.is_timestamp(values.type):
        return _from_timestamps(values, timezone)
    if types.is_date(values.type):
        return _localised(values.cast(pa.timestamp("s")), timezone)
    if types.is_integer(values.type) or types.is_floating(values.type):
        return _from_epoch(values)
    if types.is_string(values.type) or types.is_large_string(values.type) or types.is_string_view(values.type):
        return _from_text(values.cast(pa.string()), timezone)
    raise pa.ArrowInvalid(f"{values.type} values are not times")


def _from_timestamps(values: pa.Array, timezone: str) -> pa.Array:
    if values.type.tz is None:
        return _localised(values, timezone)
    return values.cast(UTC_TYPE, safe=False)


def _localised(values: pa.Array, timezone: str) -> pa.Array:
    local = pc.assume_timezone(
        values.cast(pa.timestamp("us"), safe=False), timezone, ambiguous="earliest", nonexistent="latest"
    )
    return local.cast(UTC_TYPE)


def _from_epoch(values: pa.Array) -> pa.Array:
    if types.is_floating(values.type):
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_finite(values), values, None)
        size = pc.abs(values)
        micros = pc.multiply(values, _scale(size, pa.array([1e6, 1e3, 1.0, 1e-3])))
        return pc.round(micros).cast(pa.int64()).cast(UTC_TYPE)
    values = values.cast(pa.int64())
    _refuse_calendar_numbers(values)
    size = pc.abs(values)
    shrunk = pc.divide(values, pc.if_else(pc.greater_equal(size, _MICROS_BELOW), 1000, 1))
    return pc.multiply(shrunk, _scale(size, pa.array([10**6, 10**3, 1, 1]))).cast(UTC_TYPE)


def _scale(size: pa.Array, factors: pa.Array) -> pa.Array:
    """Per value, the factor of the first limit that it is below."""
    as_number = float if types.is_floating(size.type) else int
    limits = [as_number(limit) for limit in (_SECONDS_BELOW, _MILLIS_BELOW, _MICROS_BELOW)]
    scale: pa.Array | pa.Scalar = factors[3]
    for limit, factor in zip(reversed(limits), reversed(factors[:3]), strict=True):
        scale = pc.if_else(pc.less(size, limit), factor, scale)
    return scale


def _refuse_calendar_numbers(values: pa.Array) -> None:
    """20260131 is a date to its writer; read as seconds it would be a day in August 1970."""
    span = pc.min_max(values).as_py()
    if span["min"] is not None and _CALENDAR[0] <= span["min"] and span["max"] <= _CALENDAR[1]:
        raise pa.ArrowInvalid(f"{span['min']}, which looks like a calendar date written as a number")


def _from_text(values: pa.Array, timezone: str) -> pa.Array:
    text = pc.replace_substring_regex(pc.utf8_trim_whitespace(values), r"\s*(UTC|GMT)$", "Z")
    text = pc.replace_substring_regex(text, r"\s+([+-]\d\d:?\d\d)$", r"\1")
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    text = pc.if_else(pc.equal(text, ""), None, text)
    is_zoned = pc.match_substring_regex(text, _ZONED)
    zoned = pc.if_else(is_zoned, text, None).cast(UTC_TYPE)
    local = pc.if_else(is_zoned, None, text).cast(pa.timestamp("us"))
    return pc.coalesce(zoned, _localised(local, timezone))
