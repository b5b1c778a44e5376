"""How a logged feature is made of its source, where it is no copy: the age of a time or year, or a difference of two sources.

Serving code computes features that no table holds (days since launch, the gap between two prices). They can be computed again from the
source as of the request, once it is known how; that is found from what they are, as it is for copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from recsysops.replay.values import Flags, Floats, is_same

SLACK_SECONDS = 5.0
"""By how much the moment of computing may differ from the logged time of the request."""
LEAST_ROWS = 30
_UNITS = {"seconds since": 1.0, "minutes since": 60.0, "hours since": 3600.0, "days since": 86_400.0}
_WHOLE = {"whole hours since": 3600.0, "whole days since": 86_400.0}


@dataclass(frozen=True)
class Making:
    """One way: ``make`` gives what the feature would be, (n_rows,), of its source and the times of the requests in seconds since 1970."""

    name: str
    make: Callable[[Floats, Floats], Floats]

    def is_near(self, logged: Floats, source: Floats, at: Floats) -> Flags:
        """Rows that may be made in this way at a moment within ``SLACK_SECONDS`` of the request; both missing is near."""
        early, late = (self.make(source, at + slack) for slack in (-SLACK_SECONDS, SLACK_SECONDS))
        return np.asarray(is_same(logged, self.make(source, at)) | ((early <= logged) & (logged <= late)))

    def match_rate(self, logged: Floats, source: Floats, at: Floats) -> float:
        """Share of near rows among those with both values, in [0, 1]; 0 where these are fewer than 30.

        Example:
            >>> at = np.arange(40) * 86_400.0
            >>> next(of_time()).match_rate(np.arange(40) * 86_400.0 + 60, np.full(40, -60.0), at)
            1.0
        """
        known = ~(np.isnan(logged) | np.isnan(source))
        if known.sum() < LEAST_ROWS:
            return 0.0
        return float(np.mean(self.is_near(logged, source, at)[known]))


def of_time() -> Iterator[Making]:
    """Ages of a time in seconds since 1970."""
    for name, unit in _UNITS.items():
        yield Making(name, partial(_age, unit=unit))
    for name, unit in _WHOLE.items():
        yield Making(name, partial(_whole_age, unit=unit))


def of_number(others: Mapping[str, Floats]) -> Iterator[Making]:
    """What a number is made into: itself, years since a year, and its differences to other sources, (n_rows,) each."""
    yield Making("same", _itself)
    yield Making("years since", _years)
    for other in others.values():
        yield Making("difference", partial(_difference, other=other, sign=1.0))
        yield Making("difference", partial(_difference, other=other, sign=-1.0))


def _itself(source: Floats, _at: Floats) -> Floats:
    return source


def _age(source: Floats, at: Floats, *, unit: float) -> Floats:
    return (at - source) / unit


def _whole_age(source: Floats, at: Floats, *, unit: float) -> Floats:
    return np.floor((at - source) / unit)


def _years(source: Floats, at: Floats) -> Floats:
    return np.asarray(at.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970.0 - source)


def _difference(source: Floats, _at: Floats, *, other: Floats, sign: float) -> Floats:
    return sign * (source - other)
