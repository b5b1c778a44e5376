"""A fixed sample of each day's logged candidates, drawn by a hash of request and item, and the days before as a reference.

The rows with the least hashes are taken, so that a smaller sample of a day is part of a larger one, and a planted fault
is seen on the same rows as the clean day (as far as it leaves them in the log).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.drills.scorecard.baselines import LEAST_DAYS, WINDOW
from recsysops.drills.scorecard.daily_statistics import values_of_day
from recsysops.tables.table import Table

N_ROWS = 5_000
"""Of a day, and of a reference."""
Values = npt.NDArray[Any]
Sample = Mapping[str, Values]
"""Column → (n_rows,) floats with NaN for what is missing, or texts with None; rows in the order of their hashes."""


def is_text(values: Values) -> bool:
    """Whether a column of a sample is one of texts."""
    return values.dtype == object


def sample_of_day(candidates: Table, day: date, kinds: Mapping[str, bool], n_rows: int = N_ROWS) -> Sample:
    """The sample of a day.

    Args:
        candidates: the log.
        day: has a partition of its own.
        kinds: column → whether it is numeric on clean days; values of another kind count as missing.
        n_rows: at most.
    """
    keys = [candidates.settings.roles[role] for role in ("request_id", "item_id")]
    values = values_of_day(candidates, day, tuple(dict.fromkeys([*keys, *kinds])))
    hashes = [_hash(*row) for row in zip(*(values[key] for key in keys), strict=True)]
    order = np.argsort(np.array(hashes, np.uint64), kind="stable")[:n_rows]
    return {name: _fitting(values[name][order], is_numeric) for name, is_numeric in kinds.items()}


def reference_of(before: Sequence[Sample], n_rows: int = N_ROWS) -> Sample:
    """About as many rows of each of the last 28 days, ``n_rows`` together.

    Args:
        before: samples of all the days before the judged one, oldest first; at least 14.

    Raises:
        ValueError: with fewer days.
    """
    if len(before) < LEAST_DAYS:
        raise ValueError(f"reference: found {len(before)} days, expected at least {LEAST_DAYS}")
    days = before[-WINDOW:]
    n_each = ceil(n_rows / len(days))
    return {name: np.concatenate([day[name][:n_each] for day in days])[:n_rows] for name in days[-1]}


def as_reference(sample: Sample) -> Sample:
    """What of a day's sample can ever be part of a reference: the rest need not be kept."""
    return {name: values[: ceil(N_ROWS / LEAST_DAYS)].copy() for name, values in sample.items()}


def _hash(*keys: object) -> int:
    text = "\x1f".join(map(str, keys))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _fitting(values: Values, is_numeric: bool) -> Values:
    if is_numeric == is_text(values):
        return np.full(len(values), np.nan if is_numeric else None, np.float64 if is_numeric else object)
    return np.where(np.isfinite(values), values, np.nan) if is_numeric else values
