"""From counts to the daily values of what is shown, by slice: values, rows, and what a reference band needs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from recsysops.errors import ConfigError
from recsysops.looking.measure_names import Shown
from recsysops.looking.rule_days import rule_values
from recsysops.profiles.history import CellContrast, History, KeyedContrast, MomentContrast, Window
from recsysops.profiles.measures import Cells, Keyed
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.bin_quantiles import bin_quantiles
from recsysops.tables.nearest import did_you_mean
from recsysops.triage.rate_gate import Rate, clustered
from recsysops.triage.volume_gate import rows_that_come_together

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Daily:
    """One slice over all days that were folded; arrays (n_days,)."""

    slice: Slice
    values: Floats
    """nan on days without rows."""
    n: Floats
    """Rows (of a share, impressions) that each value rests on."""
    flagged: Floats | None = None
    """Of a rate: rows that meet the condition."""
    clustering: float = 1.0
    """Design effect of a rate; rows that come together of a volume."""


def daily(shown: Shown, history: History, slices: Sequence[Slice]) -> list[Daily]:
    """The values of some slices over the days of both windows, in order of time.

    Raises:
        ConfigError: if a category or key never occurs.
    """
    if shown.declared is not None:
        return _declared(shown, history, slices)
    if isinstance(shown.measure, Keyed):
        return [_keyed(shown, history, one) for one in slices]
    assert isinstance(shown.measure, Cells)
    if shown.measure.form == "moments":
        moments = history.moments(shown.measure)
        return [_moments(shown, moments, one) for one in slices if moments is not None and one in moments.slices]
    contrast = history.cells(shown.measure)
    if contrast is None:
        return []
    return [_cells(shown, contrast, one) for one in slices if one in contrast.slices]


def slices_by(history: History, shown: Shown, dimension: str | None) -> tuple[Slice, ...]:
    """Every row, or the values of a dimension by their rows, most first."""
    if not dimension:
        return (EVERYTHING,)
    if shown.declared is not None:
        values = rule_values(shown, history, dimension)
        own = zip(-np.nansum(values.rows, axis=0), values.slices, strict=True)
        return tuple(one for _, one in sorted(pair for pair in own if pair[1].dimension == dimension))
    rows = history.cells(Cells(shown.table, by_hour=True))
    if rows is None:
        return ()
    totals = rows.reference.sum(axis=(0, 2)) + rows.current.sum(axis=(0, 2))
    wanted = [(-int(n), one) for one, n in zip(rows.slices, totals, strict=True) if one.dimension == dimension]
    return tuple(one for _, one in sorted(wanted))


def days_of(history: History, shown: Shown) -> tuple[date, ...]:
    """The days that were folded, in order of time."""
    rows = history.cells(Cells(shown.table, by_hour=True))
    return (*rows.reference_days, *rows.current_days) if rows is not None else ()


def _declared(shown: Shown, history: History, slices: Sequence[Slice]) -> list[Daily]:
    """On the days of the table; nan and no rows where the rule has no number."""
    values = rule_values(shown, history, next((one.dimension for one in slices), ""))
    place = {day: row for row, day in enumerate(values.days)}
    days = days_of(history, shown)
    at, known = [place.get(day, 0) for day in days], np.array([day in place for day in days])
    return [
        Daily(one, np.where(known, values.values[at, index], np.nan), np.where(known, values.rows[at, index], 0.0))
        for index, one in enumerate(values.slices)
        if one in slices
    ]


def _cells(shown: Shown, contrast: CellContrast, slice_: Slice) -> Daily:
    index = contrast.slices.index(slice_)
    counts = np.concatenate([contrast.reference[:, index], contrast.current[:, index]]).astype(np.float64)
    rows = counts.sum(axis=-1)
    if shown.kind == "volume":
        return Daily(slice_, rows, rows, clustering=rows_that_come_together(contrast, index))
    if shown.kind == "number":
        assert contrast.edges is not None
        bins = counts[:, contrast.n_specials :]
        return Daily(slice_, bin_quantiles(bins, contrast.edges, shown.level), bins.sum(axis=-1))
    places = [_place(shown, contrast, name) for name in shown.cells]
    flagged = counts[:, places].sum(axis=-1)
    rate = Rate(shown.name, tuple(places))
    known = [deff for window in _WINDOWS if (deff := clustered(contrast, rate, window, index)) is not None]
    values = np.divide(flagged, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    return Daily(slice_, values, rows, flagged, max(known, default=1.0))


_WINDOWS: tuple[Window, Window] = ("reference", "current")


def _place(shown: Shown, contrast: CellContrast, name: str) -> int:
    """A special cell, or a category among those counted; special names and categories may be spelled alike."""
    n = contrast.n_specials
    if not shown.value:
        return contrast.cells.index(name, 0, n)
    known = contrast.cells[n:]
    if name not in known:
        advice = did_you_mean(name, known, "new values count as new_rate, rare ones only together")
        where = f"{shown.table}.{shown.column}"
        raise ConfigError(where, found=f"no category {name!r}", expected="one that is counted", next_step=advice)
    return n + known.index(name)


def _moments(shown: Shown, moments: MomentContrast, slice_: Slice) -> Daily:
    index = moments.slices.index(slice_)
    values, n = (
        np.concatenate([getattr(window, name)[:, index] for window in (moments.reference, moments.current)])
        for name in (shown.name, "count")
    )
    return Daily(slice_, values.astype(np.float64), n.astype(np.float64))


def _keyed(shown: Shown, history: History, slice_: Slice) -> Daily:
    assert isinstance(shown.measure, Keyed)
    keyed = history.keyed(shown.measure, slice_)
    if keyed is None:
        return Daily(slice_, np.zeros(0), np.zeros(0))
    counts = np.concatenate([keyed.reference[..., 0], keyed.current[..., 0]])
    total = counts.sum(axis=1)
    if shown.kind == "distinct":
        values = np.concatenate([keyed.distinct_reference, keyed.distinct_current])
        return Daily(slice_, np.where(total > 0, values, np.nan), total)
    flagged = counts[:, _key(shown, keyed)] if shown.value in keyed.keys else np.zeros(len(total))
    if shown.value not in keyed.keys and slice_ == EVERYTHING:
        _key(shown, keyed)
    values = np.divide(flagged, total, out=np.full(len(total), np.nan), where=total > 0)
    return Daily(slice_, values, total, flagged)


def _key(shown: Shown, keyed: KeyedContrast) -> int:
    if shown.value not in keyed.keys:
        advice = did_you_mean(shown.value, keyed.keys, "only keys among a day's top are counted one by one")
        where = f"{shown.table}.{shown.column}"
        raise ConfigError(where, found=f"no key {shown.value!r}", expected="one that was shown", next_step=advice)
    return keyed.keys.index(shown.value)
