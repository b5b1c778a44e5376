"""``recsysops show``: the daily series of a measure with its reference band, from stored profiles. Judges nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.incidents.calendar import reference_days
from recsysops.looking.daily import Daily, daily, days_of, slices_by
from recsysops.looking.measure_names import Shown
from recsysops.profiles.history import Context, History
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.contract import TABLES
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.nearest import did_you_mean
from recsysops.triage.evidence import where
from recsysops.triage.prediction_bands import CONFIDENCE, NO_BAND, Band, range_band, rate_band
from recsysops.triage.volume_gate import volume_gate

Floats = npt.NDArray[np.float64]
BandKind = Literal["prediction", "range"]
MAX_SLICES = 24


@dataclass(frozen=True)
class Point:
    """One day of a series; nan where there is nothing, or too little to say."""

    day: date
    value: float
    n: int
    """Rows (of a share, impressions) behind the value."""
    expected: float
    low: float
    high: float

    @property
    def is_outside(self) -> bool:
        """Whether the value lies outside its band."""
        return self.value < self.low or self.value > self.high

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "day": self.day.isoformat(),
            "value": self.value,
            "n": self.n,
            "expected": self.expected,
            "low": self.low,
            "high": self.high,
            "is_outside": self.is_outside,
        }


@dataclass(frozen=True)
class Series:
    """A slice's points in order of time."""

    slice: Slice
    points: tuple[Point, ...]

    @property
    def n_outside(self) -> int:
        """Days outside their band."""
        return sum(one.is_outside for one in self.points)


@dataclass(frozen=True)
class ShowReport:
    """A measure over some days, by slice."""

    workspace: str
    shown: Shown
    by: str
    days: tuple[date, ...]
    series: tuple[Series, ...]
    n_hidden: int
    """Slices beyond those shown, which have the most rows."""
    band: BandKind
    n_reference_days: int
    """The band of each day comes from as many days before it, at most, without those of incidents."""
    query: str

    @property
    def title(self) -> str:
        """What is shown, in words."""
        return self.shown.title

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "measure": self.shown.name,
            "table": self.shown.table,
            "column": self.shown.column or None,
            "value": self.shown.value or None,
            "by": self.by or None,
            "window": {"start": self.days[0].isoformat(), "end": self.days[-1].isoformat()},
            "band": {"kind": self.band, "confidence": CONFIDENCE if self.band == "prediction" else None},
            "series": [
                {"slice": one.slice.to_dict(), "points": [point.to_dict() for point in one.points]}
                for one in self.series
            ],
            "n_slices_hidden": self.n_hidden,
            "query": self.query,
        }

    def _repr_html_(self) -> str:
        from recsysops.reporting.page import as_html
        from recsysops.reporting.show_view import show_lines

        return as_html(show_lines(self, width=100))


@dataclass(frozen=True)
class Asked:
    """What of a measure is wanted: its slices, and the days from the first to the last."""

    shown: Shown
    by: str
    first: date
    last: date

    def folded_days(self, n_days: int) -> tuple[date, ...]:
        """The days to fold: those shown, and those before the first that its band rests on."""
        start = self.first - timedelta(days=n_days)
        return tuple(start + timedelta(days=number) for number in range((self.last - start).days + 1))


def dimension(by: str | None, shown: Shown, known: Sequence[str]) -> str:
    """The slice dimension that was asked for, "" for none.

    Raises:
        ConfigError: if the table is not sliced by it.
    """
    by = by or shown.by
    if not by:
        return ""
    if shown.declared is not None and shown.declared.per == "item":
        if by != shown.by:
            raise ConfigError("--by", found=repr(by), expected=f"no slice: {shown.name} is about every {shown.by}")
        return by
    if by not in known:
        advice = did_you_mean(by, known, f"slices of {shown.table} are {', '.join(known) or 'not configured'}")
        raise ConfigError("--by", found=repr(by), expected=f"a slice of {shown.table}", next_step=advice)
    if shown.kind == "distinct":
        raise ConfigError("--by", found=f"{by!r} for distinct", expected="no slice: distinct is counted over all rows")
    return by


def show(asked: Asked, history: History, *, workspace: str, n_days: int, unfit: Collection[date]) -> ShowReport:
    """The report, from a history whose windows together are ``asked.folded_days``.

    Raises:
        NotEnoughDataError: if there are no rows in those days.
        ConfigError: if a category or key never occurs.
    """
    shown = asked.shown
    wanted = slices_by(history, shown, asked.by)
    days = days_of(history, shown)
    found = daily(shown, history, wanted[:MAX_SLICES])
    n_rows = dict(zip(days, (int(n) for n in _rows(found, len(days))), strict=True))
    kept = [day for day in days if asked.first <= day <= asked.last]
    if not kept or not any(n_rows[day] for day in kept):
        raise NotEnoughDataError(
            f"show {shown.title}",
            found=f"no rows from {asked.first} to {asked.last}",
            expected="some",
            next_step="ask for an earlier --since",
        )
    bands = _Bands(shown, days, n_rows, n_days, unfit)
    series = tuple(Series(one.slice, tuple(bands.point(one, day) for day in kept)) for one in found)
    return ShowReport(
        workspace,
        shown,
        asked.by,
        tuple(kept),
        series,
        max(0, len(wanted) - MAX_SLICES),
        "range" if shown.kind in ("number", "distinct") else "prediction",
        n_days,
        _query(shown, history.context, asked, kept),
    )


@dataclass(frozen=True)
class _Bands:
    """Each day against the days before it, as ``detect`` would."""

    shown: Shown
    days: tuple[date, ...]
    n_rows: Mapping[date, int]
    n_days: int
    unfit: Collection[date]

    def point(self, one: Daily, day: date) -> Point:
        """The day's value beside its band."""
        before = reference_days(day, self.n_rows, n_days=self.n_days, unfit=[bad for bad in self.unfit if bad < day])
        at, index = [self.days.index(other) for other in before], self.days.index(day)
        expected, low, high = self._band(one, at, index)
        return Point(day, float(one.values[index]), int(one.n[index]), expected, low, high)

    def _band(self, one: Daily, at: list[int], index: int) -> Band:
        if not at:
            return NO_BAND
        if self.shown.is_rate and one.flagged is not None:
            return rate_band(one.flagged[at], one.n[at], float(one.n[index]), one.clustering)
        if self.shown.kind == "volume":
            return self._volume(one, at, index)
        return range_band(one.values[at])

    def _volume(self, one: Daily, at: list[int], index: int) -> Band:
        volumes = volume_gate(
            one.values[at], one.values[index], min_change=0.2, rows_per_cluster=one.clustering,
            days=[self.days[place] for place in at], day=self.days[index],
        )  # fmt: skip
        low, high = (max(float(limit) - 0.5, 0.0) * one.clustering for limit in volumes.level.band(CONFIDENCE))
        return max(float(volumes.level.expected) - 0.5, 0.0) * one.clustering, low, high


def _rows(found: Sequence[Daily], n_days: int) -> Floats:
    return np.asarray(sum((one.n for one in found if len(one.n) == n_days), np.zeros(n_days)))


def _query(shown: Shown, context: Context, asked: Asked, days: Sequence[date]) -> str:
    schema = context.schema.table(shown.table)
    if not shown.sql:
        return ""
    clock = schema.role(TABLES[shown.table].clock) if schema else None
    day = f"CAST({quote_identifier(clock.name)} AS DATE)" if clock else "NULL"
    by = f", {quote_identifier(asked.by)}" if asked.by else ""
    rows = where(context, shown.table, EVERYTHING, days)
    return (
        f"SELECT {day} AS day{by}, {shown.sql} AS {quote_identifier(shown.name)}, count(*) AS n_rows "
        f"FROM {quote_identifier(shown.table)} {rows} GROUP BY ALL ORDER BY ALL"
    )
