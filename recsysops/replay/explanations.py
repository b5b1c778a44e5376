"""Explanations of many differing rows at once, each by its own look at what was logged and what the source had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recsysops.replay.values import NUMBERS, TIMES, Flags, Floats, Tolerance, is_same

LEAST_ROWS = 3
"""Rows, and different values of the source, that a ratio, an offset, a swap or a filled-in value needs: one row has always
a ratio."""
MOST_LAG = 30
"""Versions back that staleness is looked for."""
_ROUNDED = 1e-3
_DIGITS = (0, 1, 2, 3, 4)
_WHOLE_MICROS = (1e6, 6e7, 3.6e9, 8.64e10)
"""A second, a minute, an hour, a day."""


@dataclass(frozen=True)
class Mismatch:
    """A logged column beside what its source had, (n_rows,) each, NaN where missing."""

    column: str
    source_name: str
    logged: Floats
    source: Floats
    is_text: bool = False
    tolerance: Tolerance = NUMBERS
    default: float | None = None
    """What a missing value is filled with, as declared."""
    is_defaulted: Flags | None = None
    """Where the log says so itself (a mask column)."""
    older: Floats | None = None
    """(n_versions, n_rows): what the source had one, two, … versions before."""
    older_seconds: Floats | None = None
    """The same shape: how much older that version is."""
    others: Mapping[str, Floats] = field(default_factory=dict)
    """What the sources of the other columns had."""
    is_of_another: Flags | None = None
    """Rows whose logged values together are those of another entity."""


@dataclass(frozen=True)
class Explanation:
    """A class of difference and the rows it covers."""

    kind: str
    covers: Flags
    details: Mapping[str, float | str] = field(default_factory=dict)


def filled(pair: Mismatch, left: Flags) -> Explanation | None:
    """One value in the place of many: a default that nobody declared."""
    value = _most_frequent(pair.logged[left])
    if value is None:
        return None
    covers = left & is_same(pair.logged, np.full(len(left), value), pair.tolerance)
    # it must stand for many, and not be what the source itself keeps giving
    is_usual = np.mean(is_same(pair.source, np.full(len(left), value), pair.tolerance)) >= 0.5
    if is_usual or not _is_founded(pair.source[covers]) or covers.sum() < 0.5 * left.sum():
        return None
    return Explanation("defaulted", covers, {"default": value})


def ratio(pair: Mismatch, left: Flags) -> Explanation | None:
    """Logged in another unit: a constant factor."""
    usable = left & (pair.source != 0) & (pair.logged != 0)
    if pair.is_text or not usable.any():
        return None
    factors = pair.logged[usable] / pair.source[usable]
    factor = _typical(factors)
    covers = left & is_same(pair.logged, factor * pair.source, pair.tolerance)
    return Explanation("scaled", covers, {"ratio": factor}) if _is_founded(pair.source[covers]) else None


def offset(pair: Mismatch, left: Flags) -> Explanation | None:
    """Logged from another zero: a constant difference."""
    if pair.is_text or not left.any():
        return None
    shift = _typical(pair.logged[left] - pair.source[left])
    covers = left & is_same(pair.logged, pair.source + shift, pair.tolerance)
    return Explanation("scaled", covers, {"offset": shift}) if _is_founded(pair.source[covers]) else None


def swapped(pair: Mismatch, left: Flags) -> Explanation | None:
    """Logged under this name what belongs to another."""
    best, name = np.zeros(len(left), bool), ""
    for other, values in pair.others.items():
        covers = np.asarray(left & is_same(pair.logged, values, pair.tolerance) & ~np.isnan(values))
        if np.count_nonzero(covers) > np.count_nonzero(best):
            best, name = covers, other
    if best.sum() < 0.5 * left.sum() or not _is_founded(pair.logged[best]):
        return None
    return Explanation("swapped", best, {"swapped_with": name})


def older(pair: Mismatch, left: Flags) -> Explanation | None:
    """What the source had before: the age is that of the version which explains most rows."""
    if pair.older is None or pair.older_seconds is None:
        return None
    fits = np.array(
        [left & ~np.isnan(version) & is_same(pair.logged, version, pair.tolerance) for version in pair.older], bool
    )
    if not fits.any():
        return None
    lag = int(np.argmax(fits.sum(axis=1)))
    seconds = float(np.median(pair.older_seconds[lag][fits[lag]]))
    return Explanation("stale", np.asarray(fits.any(axis=0)), {"lag_versions": float(lag + 1), "lag_seconds": seconds})


def of_another_key(pair: Mismatch, left: Flags) -> Explanation | None:
    """Looked up under the key of another."""
    return None if pair.is_of_another is None else Explanation("wrong_key", left & pair.is_of_another)


def rounded(pair: Mismatch, left: Flags) -> Explanation | None:
    """Fewer digits: rounded, cut off, or kept in 16 bits; a time to whole seconds, minutes, hours or days."""
    if pair.is_text:
        return None
    logged, source = pair.logged, pair.source
    if pair.tolerance == TIMES:
        coarser = [turned(source / unit) * unit for unit in _WHOLE_MICROS for turned in (np.round, np.floor)]
        is_near = np.any([is_same(logged, one, TIMES) for one in coarser], axis=0)
    else:
        is_near = np.abs(logged - source) <= _ROUNDED * np.maximum(np.abs(logged), np.abs(source))
        for digits in _DIGITS:
            cut = np.trunc(source * 10**digits) / 10**digits
            is_near |= is_same(logged, np.round(source, digits)) | is_same(logged, cut)
    return Explanation("precision", left & is_near)


def _typical(values: Floats) -> float:
    """The value that occurs most often to six digits: a median among the rows that have it."""
    values = values[np.isfinite(values)]
    digits = np.floor(np.log10(np.where(values == 0, 1.0, np.abs(values))))
    scale = 10.0 ** np.clip(5 - digits, -300, 300)
    coarse = np.round(values * scale) / scale
    commonest = _most_frequent(coarse)
    if commonest is None:
        return float("nan")
    return float(np.median(values[np.abs(values - commonest) <= 1e-5 * abs(commonest)]))


def _most_frequent(values: Floats) -> float | None:
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return float(known[np.argmax(counts)]) if len(known) else None


def _is_founded(source: Floats) -> bool:
    return len(source) >= LEAST_ROWS and len(np.unique(source)) >= LEAST_ROWS
