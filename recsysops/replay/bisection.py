"""Where the first difference arises: features, raw score, calibration, rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.replay.grades import Floats, Integers
from recsysops.statistics.proportions import wilson_interval

STAGES = ("features", "raw_score", "calibration", "rank")
"""In the order in which a request passes them."""
AGREES = len(STAGES)
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Divergence:
    """Requests of one group that diverge first at one stage."""

    dimension: str
    """Column of the log, empty for all requests."""
    value: str
    stage: str
    n_requests: int
    n_diverging: int
    rate: float
    low: float
    high: float
    """Wilson's interval of the rate, 95 %."""


def first_stage(diverges: Mapping[str, npt.NDArray[np.bool_]], n_requests: int) -> Codes:
    """Place in ``STAGES`` of the first stage that each request diverges at, ``AGREES`` for none, (n_requests,).

    Args:
        diverges: by stage, (n_requests,); a stage that could not be looked at is left out.
    """
    first = np.full(n_requests, AGREES, np.int8)
    for place in reversed(range(len(STAGES))):
        if STAGES[place] in diverges:
            first[diverges[STAGES[place]]] = place
    return first


def any_row(flags: npt.NDArray[np.bool_], request: Integers, n_requests: int) -> npt.NDArray[np.bool_]:
    """Whether any candidate of each request is flagged, (n_requests,)."""
    return np.asarray(np.bincount(request, flags, minlength=n_requests) > 0)


def is_out_of_order(rank: Floats, scores: Floats, request: Integers, n_requests: int) -> npt.NDArray[np.bool_]:
    """Whether the logged ranks of a request are not by decreasing score, (n_requests,); equal scores may stand either way.

    Only some of a request's candidates need be there. A missing score belongs at the end.
    """
    order = np.lexsort((rank, request))
    of, score = request[order], np.nan_to_num(scores[order], nan=-np.inf)
    rises = (of[1:] == of[:-1]) & (score[1:] > score[:-1]) & ~np.isnan(rank[order][1:])
    return np.asarray(np.bincount(of[1:], rises, minlength=n_requests) > 0)


def divergences(first: Codes, groups: Mapping[str, Sequence[str]]) -> tuple[Divergence, ...]:
    """Rates of first divergence, for all requests and by every value of each dimension; groups without any are left out.

    Args:
        first: (n_requests,) as ``first_stage`` gives it.
        groups: per dimension, each request's value.
    """
    found = _of_group("", "", first)
    for dimension, values in groups.items():
        known, which = np.unique(np.asarray(values, str), return_inverse=True)
        for number, value in enumerate(known):
            found += _of_group(dimension, str(value), first[which == number])
    return tuple(found)


def _of_group(dimension: str, value: str, first: Codes) -> list[Divergence]:
    counts = np.bincount(first, minlength=len(STAGES) + 1)[: len(STAGES)]
    rows = []
    for stage, n in zip(STAGES, counts, strict=True):
        if n:
            interval = wilson_interval(int(n), len(first))
            low, high = float(interval.low), float(interval.high)
            rows.append(Divergence(dimension, value, stage, len(first), int(n), int(n) / len(first), low, high))
    return rows
