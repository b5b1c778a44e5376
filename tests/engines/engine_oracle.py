"""What the engine must count, row by row in plain Python; and what it did count, in the same form."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from engine_logs import Row

from recsysops.profiles.fast_hash import hash_rows, hash_values
from recsysops.profiles.history import CellContrast, History, Window
from recsysops.profiles.measures import Cells, Cohort, Keyed, KeyedSample, PerRequest

Found = dict[tuple[Any, ...], Any]
WINDOWS: tuple[Window, Window] = ("reference", "current")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def label(value: Any) -> str:
    """A slice value as text."""
    return "(null)" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def slices_of(row: Row, dimensions: Sequence[str]) -> list[str]:
    """Every slice the row belongs to."""
    return ["all rows", *(f"{name}={label(row[name])}" for name in dimensions)]


def placed(rows: Iterable[Row], days: Iterable[date]) -> list[Row]:
    """The rows that have a time on one of the days."""
    wanted = set(days)
    return [row for row in rows if row["ts"] is not None and row["ts"].date() in wanted]


def expect_cells(
    rows: Sequence[Row], dimensions: Sequence[str], cell: Callable[[Row], str], by_hour: bool = False
) -> Counter[tuple[Any, ...]]:
    """(day[, hour], slice, cell) → rows."""
    return Counter(
        (row["ts"].date(), *([row["ts"].hour] if by_hour else []), slice_, cell(row))
        for row in rows
        for slice_ in slices_of(row, dimensions)
    )


def found_cells(contrast: CellContrast) -> Counter[tuple[Any, ...]]:
    """The same from a contrast; both windows together."""
    found: Counter[tuple[Any, ...]] = Counter()
    for window in WINDOWS:
        counts, days = getattr(contrast, window), getattr(contrast, f"{window}_days")
        for d, s, c in np.argwhere(counts).tolist():
            found[days[d], str(contrast.slices[s]), contrast.cells[c]] += int(counts[d, s, c])
    return found


def found_hours(contrast: CellContrast) -> Counter[tuple[Any, ...]]:
    """By hour."""
    found: Counter[tuple[Any, ...]] = Counter()
    assert contrast.hourly is not None
    for window in WINDOWS:
        counts, days = contrast.hourly(window), getattr(contrast, f"{window}_days")
        for d, h, s, c in np.argwhere(counts).tolist():
            found[days[d], h, str(contrast.slices[s]), contrast.cells[c]] += int(counts[d, h, s, c])
    return found


def found_buckets(contrast: CellContrast, window: Window) -> Counter[tuple[Any, ...]]:
    """(unit and bucket, slice, cell) → count."""
    found: Counter[tuple[Any, ...]] = Counter()
    for s, slice_ in enumerate(contrast.slices):
        counts = contrast.load_buckets(window, s)
        for b, c in np.argwhere(counts).tolist():
            found[b, str(slice_), contrast.cells[c]] = int(counts[b, c])
    return found


def expect_moments(rows: Sequence[Row], dimensions: Sequence[str], number: Callable[[Row], float | None]) -> Found:
    """(day, slice) → count, mean, sd, least, greatest of the finite numbers."""
    groups: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in rows:
        value = number(row)
        for slice_ in slices_of(row, dimensions) if value is not None and math.isfinite(value) else ():
            groups[row["ts"].date(), slice_].append(float(value or 0.0))
    return {
        key: (len(x), np.mean(x), np.std(x, ddof=1) if len(x) > 1 else math.nan, min(x), max(x))
        for key, x in groups.items()
    }


def found_moments(history: History, measure: Cells) -> Found:
    """The same from a history."""
    contrast = history.moments(measure)
    assert contrast is not None
    found: Found = {}
    for window in WINDOWS:
        one, days = getattr(contrast, window), getattr(contrast, f"{window}_days")
        for d, s in np.argwhere(one.count).tolist():
            values = (one.count, one.mean, one.sd, one.least, one.greatest)
            found[days[d], str(contrast.slices[s])] = tuple(float(value[d, s]) for value in values)
    return found


def digest(text: str) -> int:
    """The hash of a request."""
    return int(hash_values(pa.array([text]))[0])


def row_digest(*values: str | int | None) -> int:
    """The hash of a row's key."""
    return int(hash_rows([pa.array([value], pa.int64() if isinstance(value, int) else None) for value in values], 1)[0])


def requests_of(rows: Iterable[Row], column: str = "request id") -> Iterator[list[Row]]:
    """The rows of every request."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column] is not None and row["ts"] is not None:
            grouped[row[column]].append(row)
    yield from grouped.values()


def expect_requests(
    rows: Iterable[Row], dimensions: Sequence[str], flagged: Callable[[list[Row]], int]
) -> Counter[tuple[Any, ...]]:
    """(day, slice, cell) → count; a request belongs to its first day and, in each dimension, to its least value."""
    found: Counter[tuple[Any, ...]] = Counter()
    for request in requests_of(rows):
        n = flagged(request)
        day = min(row["ts"] for row in request).date()
        names = ["all rows", *(f"{name}={min(label(row[name]) for row in request)}" for name in dimensions)]
        for slice_ in names:
            values = {"requests": 1, "flagged_requests": int(n > 0), "rows": len(request), "flagged_rows": n}
            found.update({(day, slice_, cell): value for cell, value in values.items()})
    return +found


def expect_keys(rows: Sequence[Row], key: str, top_k: int) -> Found:
    """(day, key, counter) → value of every row's slice; "" is the tail."""
    found: dict[tuple[Any, ...], float] = defaultdict(float)
    by_day: dict[date, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row[key] is not None:
            by_day[row["ts"].date()][row[key]].append(row)
    for day, keys in by_day.items():
        ranked = sorted(keys, key=lambda one: (-len(keys[one]), one))
        for rank, one in enumerate(ranked):
            shown = [row["position"] for row in keys[one] if row["position"] is not None]
            name = one if rank < top_k else ""
            found[day, name, "rows"] += len(keys[one])
            found[day, name, "requests"] += len({row["request id"] for row in keys[one]} - {None})
            found[day, name, "impressions"] += len(shown)
            found[day, name, "exposure"] += sum(1 / math.log2(1 + place) for place in shown)
    return {at: value for at, value in found.items() if value}


def found_keys(history: History, measure: Keyed, **slice_: Any) -> Found:
    """The same from a history."""
    contrast = history.keyed(measure, **slice_)
    assert contrast is not None
    found: Found = {}
    names = (*contrast.keys, "")
    for window in WINDOWS:
        counts, days = getattr(contrast, window), getattr(contrast, f"{window}_days")
        for d, k, c in np.argwhere(counts).tolist():
            found[days[d], names[k], contrast.counters[c]] = float(counts[d, k, c])
    return found


def found_cohort(history: History, measure: Cohort) -> tuple[Found, Found]:
    """(day, slice, age) → outcomes; day → unmatched outcomes."""
    contrast = history.cohort(measure)
    assert contrast is not None
    found: Found = {}
    unmatched: Found = {}
    for window in WINDOWS:
        counts, days = getattr(contrast, window), getattr(contrast, f"{window}_days")
        for d, s, a in np.argwhere(counts).tolist():
            found[days[d], str(contrast.slices[s]), contrast.ages[a]] = int(counts[d, s, a])
        alone = getattr(contrast, f"unmatched_{window}")
        unmatched |= {(days[d],): int(alone[d]) for d in np.flatnonzero(alone).tolist()}
    return found, unmatched


def everything(history: History, measures: Iterable[Any]) -> dict[str, Any]:
    """All that a history says of some measures, for comparing two of them exactly."""
    told: dict[str, Any] = {}
    for measure in measures:
        name = repr(measure)
        if isinstance(measure, Cells) and measure.form == "moments":
            told[name] = found_moments(history, measure)
        elif isinstance(measure, Cells | PerRequest):
            contrast = history.cells(measure)
            assert contrast is not None
            told[name] = (contrast.cells, found_cells(contrast))
            if contrast.hourly is not None:
                told[f"{name} by hour"] = found_hours(contrast)
        elif isinstance(measure, Keyed):
            keyed = history.keyed(measure)
            assert keyed is not None
            distinct = (keyed.distinct_reference.tolist(), keyed.distinct_current.tolist())
            told[name] = (found_keys(history, measure), distinct)
        elif isinstance(measure, KeyedSample):
            sample = history.sample(measure)
            assert sample is not None
            told[name] = [
                sorted(zip(keys, map(repr, values.tolist()), strict=True))
                for keys, values in ((sample.reference_keys, sample.reference), (sample.current_keys, sample.current))
            ]
        elif isinstance(measure, Cohort):
            told[name] = found_cohort(history, measure)
    return told
