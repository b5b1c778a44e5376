"""Counting small tables the slow and obvious way, one boolean mask at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.profiles.categories import PAIR_SEPARATOR
from recsysops.profiles.edges import learn_edges
from recsysops.profiles.history import (
    FREQUENCY_SPECIALS,
    HISTOGRAM_SPECIALS,
    CellContrast,
    KeyedContrast,
    PartitionFacts,
    SampleContrast,
    Window,
)
from recsysops.profiles.measures import N_BUCKETS, Cells, Facts, Keyed, KeyedSample, PerRequest
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Column, TableSchema
from recsysops.tables.views.contracts import CONTRACTS

if TYPE_CHECKING:
    import pandas as pd

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
TOP_CATEGORIES = 200


@dataclass(frozen=True)
class Windows:
    """A table with the days of both windows."""

    frame: pd.DataFrame
    table: TableSchema
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]

    @cached_property
    def day(self) -> npt.NDArray[np.object_]:
        import pandas as pd

        clock = self.table.role(CONTRACTS[self.table.table].clock)
        assert clock is not None
        return np.asarray(pd.to_datetime(self.frame[clock.name], utc=True).dt.date)

    @cached_property
    def hour(self) -> Counts:
        import pandas as pd

        clock = self.table.role(CONTRACTS[self.table.table].clock)
        assert clock is not None
        return np.asarray(pd.to_datetime(self.frame[clock.name], utc=True).dt.hour, np.int64)

    @cached_property
    def request(self) -> npt.NDArray[np.object_]:
        """The request of each row, or the key where the table has no requests."""
        roles = ("request_id",) if self.table.role("request_id") else CONTRACTS[self.table.table].key
        names = [column.name for role in roles if (column := self.table.role(role)) is not None]
        return np.asarray(["\x1f".join(map(str, row)) for row in self.frame[names].itertuples(index=False)], object)

    @cached_property
    def digest(self) -> npt.NDArray[np.uint64]:
        known = {one: int.from_bytes(hashlib.md5(one.encode()).digest()[:8]) for one in set(self.request)}  # noqa: S324
        return np.array([known[one] for one in self.request], np.uint64)

    @cached_property
    def bucket(self) -> Counts:
        return np.asarray(self.digest % np.uint64(N_BUCKETS), np.int64)

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """Every row first, then each value seen in either window."""
        seen = self.within((*self.reference_days, *self.current_days))
        values = [
            Slice(name, value)
            for name in self.table.slices
            for value in sorted({str(value) for value in self.frame[name][seen].dropna()})
        ]
        return (EVERYTHING, *values)

    def within(self, days: tuple[date, ...]) -> Mask:
        return np.array([day in days for day in self.day], np.bool_)

    def days(self, window: Window) -> tuple[date, ...]:
        return self.reference_days if window == "reference" else self.current_days

    @cached_property
    def _slice_masks(self) -> dict[Slice, Mask]:
        texts = {name: np.asarray(self.frame[name].astype(str), object) for name in self.table.slices}
        masks = {one: np.asarray(texts[one.dimension] == one.value, np.bool_) for one in self.slices[1:]}
        return {EVERYTHING: np.ones(len(self.frame), np.bool_), **masks}

    def in_slice(self, slice_: Slice) -> Mask:
        return self._slice_masks[slice_]

    @cached_property
    def _day_masks(self) -> dict[date, Mask]:
        days = {*self.reference_days, *self.current_days}
        return {day: np.asarray(self.day == day, np.bool_) for day in days}

    def on(self, day: date) -> Mask:
        """The rows of one day of either window."""
        return self._day_masks[day]


def contrast(windows: Windows, cell: Counts, cells: tuple[str, ...], edges: Any = None) -> CellContrast:
    """Count rows by the index of their cell; a negative index is no cell."""
    n_cells = len(cells)

    def count(mask: Mask) -> Counts:
        return np.bincount(cell[mask & (cell >= 0)], minlength=n_cells).astype(np.int64)

    def load_buckets(window: Window, index: int) -> Counts:
        rows = windows.in_slice(windows.slices[index])
        parts = [
            count(rows & windows.on(day) & (windows.bucket == bucket))
            for day in windows.days(window)
            for bucket in range(N_BUCKETS)
        ]
        return np.array(parts, np.int64).reshape(-1, n_cells)

    def hourly(window: Window) -> Counts:
        parts = [
            [
                [count(windows.in_slice(one) & windows.on(day) & (windows.hour == hour)) for one in windows.slices]
                for hour in range(24)
            ]
            for day in windows.days(window)
        ]
        return np.array(parts, np.int64).reshape(-1, 24, len(windows.slices), n_cells)

    def whole(window: Window) -> Counts:
        parts = [
            [count(windows.in_slice(one) & windows.on(day)) for one in windows.slices] for day in windows.days(window)
        ]
        return np.array(parts, np.int64).reshape(-1, len(windows.slices), n_cells)

    return CellContrast(
        windows.slices, cells, windows.reference_days, windows.current_days,
        whole("reference"), whole("current"), load_buckets, edges, hourly,
    )  # fmt: skip


def cells(measure: Cells, windows: Windows) -> CellContrast | None:
    if measure.form == "rows":
        return contrast(windows, np.zeros(len(windows.frame), np.int64), ("rows",))
    column = windows.table.column(measure.column)
    if column is None or measure.form == "moments" or (measure.pair and windows.table.column(measure.pair) is None):
        return None
    return _histogram(column, windows) if measure.form == "histogram" else _frequencies(column, measure.pair, windows)


def _histogram(column: Column, windows: Windows) -> CellContrast:
    series = windows.frame[column.name]
    is_null = np.array([value is None for value in series.astype(object)], np.bool_)
    dtype: Any = np.float64 if series.dtype == object else series.dtype
    values = np.array([np.nan if value is None else value for value in series], dtype)
    reference = windows.within(windows.reference_days or windows.current_days)
    default = column.default if isinstance(column.default, float) else None
    learnt = learn_edges(values[reference & ~is_null & ~np.isnan(values)], default=default)
    edges = np.array(learnt.edges, np.float64)
    cell = np.searchsorted(edges, values.astype(np.float64), side="left") + len(HISTOGRAM_SPECIALS)
    cell[values == np.inf], cell[values == -np.inf] = 3, 2
    if default is not None:
        cell[values == default] = 4
    cell = np.where(is_null, 0, np.where(np.isnan(values), 1, cell))
    if column.mask:
        cell[np.asarray(windows.frame[column.mask], np.bool_) & (cell > 1)] = 4
    names = (*HISTOGRAM_SPECIALS, *(f"bin {index}" for index in range(len(edges) + 1)))
    return contrast(windows, cell, names, edges)


def _frequencies(column: Column, pair: str, windows: Windows) -> CellContrast:
    import pandas as pd

    named = [windows.frame[name] for name in (column.name, *([pair] if pair else []))]
    is_null = np.logical_or.reduce([np.asarray(pd.isna(series), np.bool_) for series in named])
    texts = np.array([PAIR_SEPARATOR.join(map(_text, values)) for values in zip(*named, strict=True)], object)
    reference = windows.within(windows.reference_days or windows.current_days) & ~is_null
    seen = pd.Series(texts[reference]).value_counts()
    ranked = sorted(column.values) or sorted(seen.index, key=lambda text: (-int(seen[text]), text))
    place = {
        text: (len(FREQUENCY_SPECIALS) + index if index < TOP_CATEGORIES else 3) for index, text in enumerate(ranked)
    }
    cell = np.array([0 if null else place.get(text, 2) for text, null in zip(texts, is_null, strict=True)], np.int64)
    if column.default is not None and not pair:
        cell[(texts == str(column.default)) & ~is_null] = 1
    return contrast(windows, cell, (*FREQUENCY_SPECIALS, *ranked[:TOP_CATEGORIES]))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def per_request(measure: PerRequest, windows: Windows) -> CellContrast | None:
    """One row per request with its number of rows and of flagged rows, then summed."""
    frame = windows.frame
    if any(column not in frame for column in measure.columns):
        return None
    flagged = _flagged(measure, windows)
    first = ~_repeated(windows.request)
    n_rows, n_flagged = _per(windows.request, np.ones(len(frame))), _per(windows.request, flagged)
    weights = np.stack([first, first & (n_flagged > 0), n_rows * first, n_flagged * first], axis=1).astype(np.int64)

    def load_buckets(window: Window, index: int) -> Counts:
        rows = windows.in_slice(windows.slices[index])
        parts = [
            weights[rows & windows.on(day) & (windows.bucket == bucket)].sum(axis=0)
            for day in windows.days(window)
            for bucket in range(N_BUCKETS)
        ]
        return np.array(parts, np.int64).reshape(-1, 4)

    def whole(window: Window) -> Counts:
        parts = [
            [weights[windows.in_slice(one) & windows.on(day)].sum(axis=0) for one in windows.slices]
            for day in windows.days(window)
        ]
        return np.array(parts, np.int64).reshape(-1, len(windows.slices), 4)

    names = ("requests", "flagged_requests", "rows", "flagged_rows")
    return CellContrast(
        windows.slices, names, windows.reference_days, windows.current_days,
        whole("reference"), whole("current"), load_buckets,
    )  # fmt: skip


def _flagged(measure: PerRequest, windows: Windows) -> npt.NDArray[np.float64]:
    import pandas as pd

    if measure.predicate == "duplicate_key":
        keys = ["\x1f".join(map(str, row)) for row in windows.frame[list(measure.columns)].itertuples(index=False)]
        return _repeated(np.array([f"{a}\x1e{b}" for a, b in zip(windows.request, keys, strict=True)], object)).astype(
            np.float64
        )
    values = windows.frame[measure.columns[0]]
    if measure.predicate == "any_row":
        return np.asarray(values.fillna(False).astype(np.bool_), np.float64)
    numbers = np.asarray(pd.to_numeric(values, errors="coerce"), np.float64)
    if measure.predicate == "invalid_number":
        return np.asarray(~np.isfinite(numbers), np.float64)
    grouped = pd.Series(numbers).groupby(windows.request)
    is_constant = (grouped.transform("nunique") == 1) & (grouped.transform("size") > 1)
    return np.asarray(is_constant & (grouped.transform("count") == grouped.transform("size")), np.float64)


def _repeated(keys: npt.NDArray[np.object_]) -> Mask:
    """True for every row whose key was there before."""
    import pandas as pd

    return np.asarray(pd.Series(keys, dtype=object).duplicated())


def _per(keys: npt.NDArray[np.object_], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import pandas as pd

    return np.asarray(pd.Series(weights).groupby(pd.Series(keys, dtype=object)).transform("sum"), np.float64)


def keyed(measure: Keyed, windows: Windows, slice_: Slice = EVERYTHING) -> KeyedContrast | None:
    import pandas as pd

    frame = windows.frame
    if measure.key not in frame or any(name not in frame for name in measure.sums):
        return None
    keys = np.asarray(frame[measure.key].astype(str), object)
    inside = windows.in_slice(slice_) & ~np.asarray(pd.isna(frame[measure.key]), np.bool_)
    weights = _counters(windows, keys)
    added = [
        *(weights[counter] for counter in measure.counters),
        *(np.nan_to_num(np.asarray(pd.to_numeric(frame[name]), np.float64)).round(6) for name in measure.sums),
    ]
    tops = {
        key
        for day in {*windows.days("reference"), *windows.days("current")}
        for key in _top(keys[inside & windows.on(day)], measure.top_k)
    }
    ranked = sorted(tops)

    def count(days: tuple[date, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        counts = np.zeros((len(days), len(ranked) + 1, len(added)))
        place = {key: index for index, key in enumerate(ranked)}
        for unit, day in enumerate(days):
            rows = inside & windows.on(day)
            at = np.array([place.get(key, len(ranked)) for key in keys[rows]], np.int64)
            for index, weight in enumerate(added):
                counts[unit, :, index] = np.bincount(at, weight[rows], minlength=len(ranked) + 1)
        return counts, np.array([len(set(keys[inside & windows.on(day)])) for day in days], np.float64)

    reference, distinct_reference = count(windows.reference_days)
    current, distinct_current = count(windows.current_days)
    return KeyedContrast(
        tuple(ranked), measure.totals, windows.reference_days, windows.current_days,
        reference, current, distinct_reference, distinct_current,
    )  # fmt: skip


def _counters(windows: Windows, keys: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[np.float64]]:
    """What each row adds to each counter."""
    frame, table = windows.frame, windows.table
    shown, position = table.role("shown"), table.role("position")
    is_shown = np.asarray(frame[shown.name].astype(np.bool_)) if shown else np.ones(len(frame), np.bool_)
    places = np.asarray(frame[position.name], np.float64) if position else np.ones(len(frame))
    per_key = np.array([f"{a}\x1f{b}" for a, b in zip(windows.request, keys, strict=True)], object)
    return {
        "rows": np.ones(len(frame)),
        "requests": (~_repeated(per_key)).astype(np.float64),
        "impressions": is_shown.astype(np.float64),
        "exposure": np.where(is_shown, 1.0 / np.log2(1.0 + np.nan_to_num(places, nan=1.0)), 0.0),
    }


def _top(keys: npt.NDArray[np.object_], top_k: int) -> list[str]:
    values, counts = np.unique(keys.astype(str), return_counts=True)
    return [str(value) for value in values[np.argsort(-counts, kind="stable")][:top_k]]


def sample(measure: KeyedSample, windows: Windows) -> SampleContrast | None:
    import pandas as pd

    if any(column not in windows.frame for column in measure.columns):
        return None
    first = ~_repeated(windows.request)
    numbers = windows.frame[list(measure.columns)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    chosen: dict[Window, list[int]] = {"reference": [], "current": []}
    for window, rows in chosen.items():
        for day in windows.days(window):
            at = np.flatnonzero(first & windows.on(day))
            rows.extend(int(index) for index in at[np.argsort(windows.digest[at])][: measure.k])
    request = windows.request
    return SampleContrast(
        measure.columns, tuple(request[chosen["reference"]]), tuple(request[chosen["current"]]),
        numbers[chosen["reference"]], numbers[chosen["current"]],
    )  # fmt: skip


def facts(measure: Facts, windows: Windows) -> tuple[PartitionFacts, ...]:
    """One partition per day that has rows, as if written at its end."""
    import pandas as pd

    clock = windows.table.role(CONTRACTS[measure.table].clock)
    assert clock is not None
    ts = pd.to_datetime(windows.frame[clock.name], utc=True)
    names = tuple((str(name), str(kind)) for name, kind in windows.frame.dtypes.items())
    found = []
    for day in sorted({one for one in windows.day if one == one}):  # NaT differs from itself
        rows = ts[np.asarray(windows.day == day, np.bool_)]
        written = datetime.combine(day + timedelta(days=1), time(), UTC)
        found.append(
            PartitionFacts(
                measure.table, f"day={day}", f"{day}-{len(rows)}", len(rows), 0, written,
                rows.min().to_pydatetime(), rows.max().to_pydatetime(), names, ((day, len(rows)),),
            )
        )  # fmt: skip
    return tuple(found)
