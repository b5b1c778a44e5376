"""How far the model's opinion of an item fell, and how much of that comes back when suspect features are put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsysops.cases.item_case import ItemCase
from recsysops.models.scoring import score

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
PAST_DAYS, LEAST_ROWS, MOST_ROWS = 7, 20, 600
N_DRAWS, N_RESAMPLES = 16, 400


@dataclass(frozen=True)
class Gap:
    """Margins of the item's rows less those of a reference, on the model's raw scale.

    Each row counts relative to the mean of the peers in the same request, so that neither the members nor the hour matter.
    """

    reference: Literal["its own past", "its peers in the same requests"]
    value: float
    low: float
    high: float
    """Bootstrap over requests, 95 %."""
    own: Integers
    """Rows of the case: the item's, as it is now."""
    others: Integers
    """Rows of the reference."""
    levels: Floats
    """(n_rows,) the margins less the peers' mean in the same request; for the reference rows and the item's own."""

    @property
    def has_fallen(self) -> bool:
        """Whether the item fares worse than the reference, beyond chance."""
        return self.high < 0


@dataclass(frozen=True)
class Repair:
    """What comes back when features are replaced by draws from the reference."""

    features: tuple[str, ...]
    value: float
    """Share of the gap that is closed; 1 is all of it."""
    low: float
    high: float
    margin_change: float
    """Mean change of the margin."""


def gap_since(case: ItemCase, since: datetime) -> Gap | None:
    """The item after a moment against itself in the week before it; None with too few rows on either side."""
    levels = _levels(case)
    if levels is None:
        return None
    moment = np.datetime64(since.astimezone(UTC).replace(tzinfo=None), "us")
    known = case.log.is_item & ~np.isnan(levels)
    own = np.flatnonzero(known & (case.times >= moment))[-MOST_ROWS:]
    first = moment - np.timedelta64(int(timedelta(days=PAST_DAYS).total_seconds()), "s")
    before = np.flatnonzero(known & (case.times < moment) & (case.times >= first))
    if min(len(own), len(before)) < LEAST_ROWS:
        return None
    return _gap(levels, own, before, "its own past")


def gap_to_peers(case: ItemCase) -> Gap | None:
    """The item against its peers in the same requests, over the window; None without a model, peers or rows enough."""
    levels = _levels(case)
    if levels is None:
        return None
    start = np.datetime64(case.window.start.astimezone(UTC).replace(tzinfo=None), "us")
    known = (case.times >= start) & ~np.isnan(levels)
    own, others = np.flatnonzero(case.log.is_item & known), np.flatnonzero(~case.log.is_item & known)
    if min(len(own), len(others)) < LEAST_ROWS:
        return None
    return _gap(levels, own[-MOST_ROWS:], others, "its peers in the same requests")


def _levels(case: ItemCase) -> Floats | None:
    """Margins less the mean of the peers in the same request; NaN where a request has none of them."""
    if case.margins is None:
        return None
    request, is_peer = case.rows.request, ~case.log.is_item
    n = np.bincount(request[is_peer], minlength=case.rows.n_requests)
    total = np.bincount(request[is_peer], case.margins[is_peer], minlength=case.rows.n_requests)
    with np.errstate(invalid="ignore"):
        return np.asarray(case.margins - (total / n)[request])


def repair(case: ItemCase, gap: Gap, features: Sequence[str], *, seed: int = 0) -> Repair | None:
    """Replace features of the item's rows by joint draws from the reference, and score again.

    Drawn rows keep a feature's values together (a language and whether it matches), and are drawn several times. The
    interval is a bootstrap over the item's rows and the reference's. None where the model reads none of the features.

    Source: Breiman, Machine Learning 45 (2001), section 10, who replaces one feature at a time by draws of its column.
    """
    assert case.artifact is not None, "there is no gap without a model"
    assert case.matrix is not None, "nor without its matrix"
    assert case.margins is not None, "nor without margins"
    places = [case.artifact.features.index(name) for name in features if name in case.artifact.features]
    if not places or abs(gap.value) < 1e-9:
        return None
    random = np.random.default_rng(seed)
    repaired = np.zeros((N_DRAWS, len(gap.own)))
    for draw in range(N_DRAWS):
        rows = case.matrix[gap.own].copy()
        donors = random.choice(gap.others, len(gap.own))
        rows[:, places] = case.matrix[donors][:, places]
        repaired[draw] = score(case.artifact, rows, n_threads=2)
    change = repaired.mean(axis=0) - case.margins[gap.own]
    shares = np.empty(N_RESAMPLES)
    own, others = gap.levels[gap.own], gap.levels[gap.others]
    for number in range(N_RESAMPLES):
        mine = random.integers(0, len(own), len(own))
        theirs = random.integers(0, len(others), len(others))
        apart = own[mine].mean() - others[theirs].mean()
        shares[number] = -change[mine].mean() / apart if abs(apart) > 1e-12 else np.nan
    low, high = np.nanquantile(shares, [0.025, 0.975])
    names = tuple(case.artifact.features[place] for place in places)
    return Repair(names, float(-change.mean() / gap.value), float(low), float(high), float(change.mean()))


def _gap(
    levels: Floats,
    own: Integers,
    others: Integers,
    reference: Literal["its own past", "its peers in the same requests"],
) -> Gap:
    random = np.random.default_rng(0)
    mine, theirs = levels[own], levels[others]
    means = [
        random.choice(mine, len(mine)).mean() - random.choice(theirs, len(theirs)).mean() for _ in range(N_RESAMPLES)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return Gap(reference, float(mine.mean() - theirs.mean()), float(low), float(high), own, others, levels)
