"""Whole requests of a subject beside those of others, and where the subject stands among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.models.matrix import as_array
from recsysops.replay.candidates import Candidates
from recsysops.replay.values import micros
from recsysops.statistics.conformal import conformal_p

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
DAY = 86_400_000_000


@dataclass(frozen=True)
class Rank:
    """A number of the subject among the same number of others."""

    own: float
    """Mean over the subject's requests, NaN where it has nothing to compare."""
    usual: float
    """Mean over others on typical days, NaN without any."""
    most: float
    """The strangest of them."""
    nearby: float
    """Mean over others on the subject's own days."""
    p_value: float
    """``(1 + #{others as strange}) / (n_others + 1)``."""
    n_others: int

    @property
    def is_beyond(self) -> bool:
        """Whether no other is as strange."""
        return self.n_others > 0 and self.own > self.most


@dataclass(frozen=True)
class SubjectRequests:
    """Rows of whole requests, a subject's own among those of others."""

    rows: Candidates
    is_own_row: Flags
    """(n_rows,)."""
    by_member: bool = False
    """Others are compared as members on a day; otherwise each request stands for itself."""

    @cached_property
    def is_own(self) -> Flags:
        """(n_requests,)."""
        return np.asarray(self.is_own_row[self.rows.first_rows], bool)

    @property
    def n_own(self) -> int:
        """The subject's requests."""
        return int(self.is_own.sum())

    @property
    def n_others(self) -> int:
        """Requests to compare with."""
        return len(self.is_own) - self.n_own

    @cached_property
    def own(self) -> Candidates:
        """The subject's rows alone."""
        return taken(self.rows, np.flatnonzero(self.is_own_row))

    @cached_property
    def days(self) -> Integers:
        """(n_requests,) day of each request since 1970 UTC."""
        return np.asarray(micros(self.rows.role("ts"))[self.rows.first_rows] // DAY, np.int64)

    @cached_property
    def _units(self) -> Integers:
        """(n_requests,) number of the one that is compared."""
        members = self.rows.role("member_id") if self.by_member else None
        if members is None:
            return np.arange(len(self.is_own))
        names = np.array(texts(members).take(pa.array(self.rows.first_rows)).fill_null("").to_pylist(), object)
        pairs = np.array([f"{day} {name}" for day, name in zip(self.days, names, strict=True)], object)
        return np.unique(pairs.astype(str), return_inverse=True)[1].astype(np.int64)

    def share(self, flags: Flags) -> Floats:
        """Share of each request's rows that are flagged, (n_requests,)."""
        request = self.rows.request
        n = np.bincount(request, minlength=self.rows.n_requests)
        return np.asarray(np.bincount(request, flags, minlength=self.rows.n_requests) / n)

    def rank(self, values: Floats) -> Rank:
        """Where the subject stands; the higher a value is, the stranger.

        Others count on *typical* days alone: those whose mean is at most the median of all days' means, so that a fault
        of some days does not become what is usual.

        Args:
            values: (n_requests,), NaN where there is nothing to compare.

        Source:
            Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), chapter 2, for the p-value.
        """
        known = ~np.isnan(values)
        own, others = values[self.is_own & known], ~self.is_own & known
        if not others.any():
            return Rank(_mean(own), float("nan"), float("nan"), float("nan"), 1.0, 0)
        units, which = np.unique(self._units[others], return_inverse=True)
        of_unit = np.bincount(which, values[others]) / np.bincount(which)
        days = np.zeros(len(units), np.int64)
        days[which] = self.days[others]
        typical = of_unit[typical_days(of_unit, days)]
        nearby = of_unit[np.isin(days, self.days[self.is_own])]
        p_value = float(conformal_p(np.concatenate([[own.mean()], typical]))) if len(own) else 1.0
        return Rank(_mean(own), _mean(typical), float(typical.max()), _mean(nearby), p_value, len(typical))


def typical_days(values: Floats, days: Integers) -> Flags:
    """Entries of the days whose mean is at most the median of the days' means.

    Example:
        >>> typical_days(np.array([0.0, 0.2, 1.0, 1.0, 0.1, 0.1]), np.array([1, 1, 2, 2, 3, 3])).tolist()
        [True, True, False, False, True, True]
    """
    known, which = np.unique(days, return_inverse=True)
    means = np.bincount(which, values, minlength=len(known)) / np.bincount(which, minlength=len(known))
    return np.asarray((means <= np.median(means) + 1e-12)[which])


def taken(rows: Candidates, places: Integers) -> Candidates:
    """Some of the rows."""
    wanted = pa.array(places)
    columns: Mapping[str, Any] = {name: as_array(values).take(wanted) for name, values in rows.columns.items()}
    return Candidates(columns, rows.schema)


def texts(values: Any) -> pa.Array:
    """A column as plain texts."""
    array = as_array(values)
    return (array.dictionary_decode() if pa.types.is_dictionary(array.type) else array).cast(pa.string())


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
