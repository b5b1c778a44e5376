"""A request as it was served: what a recommender hands to the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Texts = Sequence[str | None] | npt.NDArray[Any] | None
Numbers = Sequence[float | None] | npt.NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request with all its candidates, shown or not. References are handed over: nothing is copied.

    Arrays must not be changed after the request was logged; a service that reuses its buffers copies what it logs. Texts and
    numbers are (n_candidates,), one entry per candidate in any order; NaN and None are missing.
    """

    request_id: str
    item_id: Sequence[str] | npt.NDArray[Any]
    _: KW_ONLY
    score: Numbers = None
    """The score the slate was ordered by."""
    raw_score: Numbers = None
    """The model's score before calibration and policy."""
    position: Numbers = None
    """1-based place on the slate; below 1 or missing: not shown."""
    raw_rank: Numbers = None
    final_rank: Numbers = None
    propensity: Numbers = None
    """Probability of this item at this position, as ``explore`` gives it."""
    candidate_source: Texts = None
    filtered_by: Texts = None
    price: Numbers = None
    features: npt.NDArray[Any] | None = None
    """(n_candidates, n_features) as the model saw them, columns in the schema's order; NaN is NaN."""
    absent: npt.NDArray[np.bool_] | None = None
    """(n_candidates, n_features) true where there was no value at all: NULL."""
    defaulted: npt.NDArray[np.bool_] | None = None
    """(n_candidates, n_features) true where the value is what a missing one was filled with."""
    labels: Mapping[str, Texts] = field(default_factory=dict)
    """Features that are text, by name."""
    ts: datetime | None = None
    """When it was served, with its zone; the logger's clock when None."""
    member_id: str | None = None
    context: Mapping[str, str | None] = field(default_factory=dict)
    """Slice dimensions: market, device, surface …"""
    model_id: str | None = None
    override_generation: int | None = None
    seed: int | None = None
    host: str | None = None
    """The machine that served; the logger's own when None, which a plan's rules do not see."""
    client_version: str | None = None
    consumer: str | None = None
    experiment_arm: str | None = None
    latency_ms: float | None = None
    error: str | None = None
    """What went wrong, if anything did."""
    fallback: bool = False
    overridden: bool = False
    """Whether a live override changed this request."""
    randomised: bool = False
    """Whether ``explore`` changed the slate."""
