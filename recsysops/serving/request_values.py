"""What plans ask a request for: its values of dimensions, its items, its marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from recsysops.serving.served_request import ServedRequest

OWN_DIMENSIONS = ("client_version", "consumer", "experiment_arm", "host", "model_id")
"""Dimensions that every request has beside those of its context."""
Values = Callable[[ServedRequest], tuple[str | None, ...]]


def values_of(names: Sequence[str]) -> Values:
    """A function that gives a request's values of these dimensions; None where it has none."""
    if any(name in OWN_DIMENSIONS for name in names):
        readers = [_reader(name) for name in names]
        return lambda request: tuple([read(request) for read in readers])
    return lambda request: tuple([request.context.get(name) for name in names])


def items_of(request: ServedRequest) -> Iterable[str]:
    """The request's items as text."""
    items = request.item_id
    listed: Sequence[Any] = items.tolist() if isinstance(items, np.ndarray) else items
    return listed if not listed or isinstance(listed[0], str) else map(str, listed)


def _reader(name: str) -> Callable[[ServedRequest], Any]:
    if name in OWN_DIMENSIONS:
        return attrgetter(name)
    return lambda request: request.context.get(name)


def _has_invalid_score(request: ServedRequest) -> bool:
    score = request.score
    if score is None:
        return False
    return not bool(np.isfinite(score if isinstance(score, np.ndarray) else np.asarray(score, np.float64)).all())


IS_MARKED: Mapping[str, Callable[[ServedRequest], bool]] = MappingProxyType(
    {
        "error": lambda request: request.error is not None,
        "fallback": attrgetter("fallback"),
        "invalid_score": _has_invalid_score,
        "overridden": attrgetter("overridden"),
        "randomised": attrgetter("randomised"),
    }
)
"""By mark, whether a request has it; ``low_ranked_play`` is known only later, by an outcome."""


def is_low_ranked(request: ServedRequest, item_id: str, low_rank: int) -> bool:
    """Whether an item of the request was ranked below a place, or not at all."""
    ranks = request.position if request.final_rank is None else request.final_rank
    places = [place for place, item in enumerate(items_of(request)) if item == item_id]
    if not places or ranks is None:
        return not places
    rank = ranks[places[0]]
    return rank is None or not 1 <= float(rank) <= low_rank
