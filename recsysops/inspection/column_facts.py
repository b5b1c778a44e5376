"""What a sample says of each column: kind, range, distinct values, and whether numbers or text are really moments."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsysops.inspection.values import ColumnFacts
from recsysops.tables.kinds import kind_of
from recsysops.tables.slates import is_list

_TIME_TEXT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?)?")
_ZONE_TEXT = re.compile(r".*\d(Z| ?UTC|[+-]\d\d:?\d\d)$")
_EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_YEAR_2000, _YEAR_2100 = 946_684_800, 4_102_444_800
_N_TEXTS = 200


def column_facts(name: str, column: pa.ChunkedArray) -> ColumnFacts:
    """Facts of one column of a sample."""
    lengths = ""
    is_array = is_list(column.type)
    if is_array:
        lengths = _digest(pc.list_value_length(column))
        column = pc.list_flatten(column)
    column = _decoded(column)
    kind = kind_of(column.type)
    shared: dict[str, Any] = {
        "name": name,
        "arrow_type": str(column.type),
        "kind": kind,
        "n_rows": len(column),
        "n_missing": column.null_count,
        "is_list": is_array,
        "lengths": lengths,
    }
    if kind == "timestamp":
        shared["has_zone"] = pa.types.is_timestamp(column.type) and column.type.tz is not None
    if kind != "other":
        shared["n_distinct"] = pc.count_distinct(column).as_py()
    if column.null_count == len(column):
        return ColumnFacts(**shared)
    if kind == "numeric":
        return ColumnFacts(**shared, **_number_facts(column))
    if kind == "timestamp":
        return ColumnFacts(**shared, **_time_facts(column, shared["has_zone"]))
    return ColumnFacts(**shared, **(_text_facts(column) if kind == "categorical" else {}))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _digest(lengths: pa.ChunkedArray) -> str:
    return hashlib.sha256(repr(lengths.to_pylist()).encode()).hexdigest()[:16]


def _number_facts(column: pa.ChunkedArray) -> dict[str, Any]:
    numbers = column.cast(pa.float64(), safe=False)
    finite = numbers.filter(pc.fill_null(pc.is_finite(numbers), False))
    if not len(finite):
        return {}
    extremes = pc.min_max(finite).as_py()
    low, high = extremes["min"], extremes["max"]
    is_whole = bool(pc.all(pc.equal(finite, pc.floor(finite))).as_py())
    unit = _epoch_unit(low, high) if is_whole or high > _YEAR_2000 else ""
    scale = _EPOCHS.get(unit, 0)
    times = {"first": _moment(low / scale), "last": _moment(high / scale), "has_zone": True} if scale else {}
    return {"low": low, "high": high, "is_whole": is_whole, "epoch_unit": unit, **times}


def _epoch_unit(low: float, high: float) -> str:
    """The unit in which all numbers fall between the years 2000 and 2100; later units cannot be confused with earlier."""
    return next(
        (unit for unit, scale in _EPOCHS.items() if low >= _YEAR_2000 * scale and high <= _YEAR_2100 * scale), ""
    )


def _time_facts(column: pa.ChunkedArray, has_zone: bool) -> dict[str, Any]:
    extremes = pc.min_max(column.cast(pa.timestamp("us", tz="UTC" if has_zone else None), safe=False).cast(pa.int64()))
    first, last = (_moment(extremes[side].as_py() / 1e6) for side in ("min", "max"))
    return {"first": first, "last": last}


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _text_facts(column: pa.ChunkedArray) -> dict[str, Any]:
    """Whether texts are moments, judged on the first few; extremes of ISO texts are those of their moments, nearly."""
    texts = [text for text in column.drop_null().slice(0, _N_TEXTS).to_pylist() if text]
    if not texts or not all(_TIME_TEXT.fullmatch(text) for text in texts):
        return {}
    extremes = pc.min_max(column).as_py()
    has_zone = all(_ZONE_TEXT.match(text) for text in texts)
    return {
        "is_time_text": True,
        "has_zone": has_zone,
        "first": _parsed(extremes["min"]),
        "last": _parsed(extremes["max"]),
    }


def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
