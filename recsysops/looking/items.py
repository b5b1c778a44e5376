"""``recsysops items report``: how each item fares, from its counts. Pure; every estimate has its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.looking.age_cohorts import NO_COHORT, Place, cohort_standing
from recsysops.looking.item_rows import ItemCounts
from recsysops.profiles.catalogue import YOUNG_DAYS
from recsysops.statistics.count_tails import garwood_interval
from recsysops.statistics.estimate import Estimate
from recsysops.statistics.item_health import gamma_poisson, log_ratio
from recsysops.tables.nearest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Flag = Literal["low for its age", "played less than its age", "under-produced", "over-produced", "losing exposure"]

LOW_PLACE, LOW_RATIO = 0.25, 0.5
"""A new item is low when even the upper limits lie in the lowest quarter of its age cohort and below half its median."""
BIAS = math.log(2)
"""Exposure beyond twice, or below half of, what demand would give; the whole interval has to be there."""
LOSS = math.log(0.5)
"""Share in the second half of the days less than half of that in the first, for items beyond their first weeks."""
FLAGS: tuple[Flag, ...] = (
    "low for its age",
    "played less than its age",
    "losing exposure",
    "under-produced",
    "over-produced",
)
"""In the order of urgency."""


@dataclass(frozen=True)
class ItemHealth:
    """One item over the days of the report."""

    item_id: str
    owner: str
    tier: str
    launch: date | None
    age_days: int | None
    """Whole days since launch on the last day; None without a launch time."""
    impressions: float
    """Weighted to all traffic."""
    share: Estimate
    """Of all impressions."""
    series: tuple[float, ...]
    """Share of impressions by day; nan on days without any."""
    trend: Estimate
    """ln(share in the second half of the days / share in the first)."""
    play_rate: Estimate
    """Plays per impression, drawn towards all items."""
    exposure_place: Place
    """Among items at the same age, by share of impressions; only for items in their first weeks."""
    play_place: Place
    demand: float
    """Plays from search or outside."""
    bias: Estimate
    """ln(share of exposure / share of demand), drawn towards all items."""

    @property
    def is_new(self) -> bool:
        """Whether it is in its first weeks, when exposure falls from a launch's height anyway."""
        return self.age_days is not None and self.age_days <= YOUNG_DAYS

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is said of it because its whole interval says so, most urgent first."""
        is_so = {
            "low for its age": _is_low(self.exposure_place),
            "played less than its age": _is_low(self.play_place),
            "losing exposure": self.trend.high < LOSS and not self.is_new,
            "under-produced": self.bias.high < -BIAS,
            "over-produced": self.bias.low > BIAS,
        }
        return tuple(flag for flag in FLAGS if is_so[flag])

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "item_id": self.item_id,
            "owner": self.owner or None,
            "tier": self.tier or None,
            "launch": self.launch.isoformat() if self.launch else None,
            "age_days": self.age_days,
            "impressions": self.impressions,
            "exposure_share": self.share.to_dict(),
            "series": list(self.series),
            "trend": self.trend.to_dict(),
            "play_rate": self.play_rate.to_dict(),
            "cold_start": {"exposure": self.exposure_place.to_dict(), "play_rate": self.play_place.to_dict()},
            "demand": self.demand,
            "production_bias": self.bias.to_dict(),
            "flags": list(self.flags),
        }


@dataclass(frozen=True)
class ItemsReport:
    """Items of one owner, or all, worst first."""

    workspace: str
    owner: str
    days: tuple[date, ...]
    items: tuple[ItemHealth, ...]
    n_all: int
    """Launched items of every owner."""
    kind: str
    missing: tuple[str, ...]
    """What could not be said, and what would make it possible."""

    @property
    def flagged(self) -> tuple[ItemHealth, ...]:
        """Items of which something is said."""
        return tuple(one for one in self.items if one.flags)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "owner": self.owner or None,
            "window": {"start": self.days[0].isoformat(), "end": self.days[-1].isoformat()},
            "outcome_kind": self.kind or None,
            "n_items": len(self.items),
            "n_all_items": self.n_all,
            "n_flagged": len(self.flagged),
            "missing": list(self.missing),
            "items": [one.to_dict() for one in self.items],
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row per item, every estimate with its limits."""
        import pandas as pd

        return pd.DataFrame([flat(one) for one in self.items])

    def _repr_html_(self) -> str:
        from recsysops.reporting.items_view import items_lines
        from recsysops.reporting.page import as_html

        return as_html(items_lines(self, width=100))


def flat(one: ItemHealth) -> dict[str, Any]:
    """An item as one row of a table: for CSV and pandas."""
    row: dict[str, Any] = {}
    for key, value in one.to_dict().items():
        if key == "cold_start":
            for name, place in value.items():
                row |= {f"cold_start_{name}_{part}": number for part, number in place.items()}
        elif isinstance(value, dict):
            row |= {key if part == "value" else f"{key}_{part}": number for part, number in value.items()}
        elif key != "series":
            row[key] = "; ".join(value) if isinstance(value, list) else value
    return row


def items_report(counts: ItemCounts, n_days: int, *, workspace: str, owner: str | None = None) -> ItemsReport:
    """How items fared in the last ``n_days`` of the counted days; the days before serve as peers' pasts.

    Raises:
        NotEnoughDataError: if nothing was shown in those days.
        ConfigError: if no item has that owner.
    """
    days = counts.days[-n_days:]
    shown = counts.impressions[:, -n_days:]
    if not shown.any():
        raise NotEnoughDataError("items report", found="no impressions", expected="some", next_step="widen --since")
    _refuse_unknown(owner, counts)
    live = np.flatnonzero([_is_live(counts, index) for index in range(len(counts.items))])
    everything = _judged(counts, live, n_days)
    mine = [one for one in everything if owner is None or one.owner == owner]
    return ItemsReport(
        workspace, owner or "", days, tuple(sorted(mine, key=_urgency)), len(everything), counts.kind, _missing(counts)
    )


def _urgency(one: ItemHealth) -> tuple[int, float, str]:
    first = FLAGS.index(one.flags[0]) if one.flags else len(FLAGS)
    return first, -one.share.value, one.item_id


def _refuse_unknown(owner: str | None, counts: ItemCounts) -> None:
    owners = sorted({entry.owner for entry in counts.catalogue.values() if entry.owner})
    if owner is None or owner in owners:
        return
    advice = did_you_mean(owner, owners, f"owners are {', '.join(owners[:8])}" if owners else "map items.owner")
    raise ConfigError("--owner", found=repr(owner), expected="the owner of an item", next_step=advice)


def _is_live(counts: ItemCounts, index: int) -> bool:
    """Launched by the last day, or shown although the catalogue does not know it."""
    launch = launch_day(counts, index)
    return bool(counts.impressions[index].any()) or (launch is not None and launch <= counts.days[-1])


def launch_day(counts: ItemCounts, index: int) -> date | None:
    """The day an item is launched, as the catalogue knew it."""
    entry = counts.catalogue.get(counts.items[index])
    return entry.launch_at.date() if entry is not None and entry.launch_at is not None else None


def _judged(counts: ItemCounts, live: npt.NDArray[np.int64], n_days: int) -> list[ItemHealth]:
    recent = [one[live][:, -n_days:] for one in (counts.impressions, counts.impression_squares, counts.plays)]
    shown, squares, plays = (one.sum(axis=1) for one in recent)
    play_squares = counts.play_squares[live][:, -n_days:].sum(axis=1)
    demand = counts.demand[live][:, -n_days:].sum(axis=1)
    worth = design_effects(shown, squares)
    shares = _shares(recent[0])
    plays = np.where(shown > 0, plays, 0.0)  # what followed a request that did not show the item is no play rate
    clusters = np.maximum(worth, design_effects(plays, play_squares))
    rates = gamma_poisson(plays / clusters, shown / clusters)
    bias = log_ratio(shown, demand, exposure_design_effect=worth)
    total = shown.sum()
    limits = garwood_interval(shown / worth, shown.sum() / worth)
    cold = cohort_standing(counts, live, n_days)
    found = []
    for row, index in enumerate(live):
        entry = counts.catalogue.get(counts.items[index])
        launch = launch_day(counts, int(index))
        age = (counts.days[-1] - launch).days if launch is not None and launch <= counts.days[-1] else None
        found.append(
            ItemHealth(
                counts.items[index], entry.owner if entry else "", entry.tier if entry else "", launch, age,
                float(shown[row]), Estimate(float(shown[row] / total), float(limits.low[row]), float(limits.high[row])),
                tuple(float(one) for one in shares[row]), _trend(recent[0][row], recent[1][row], recent[0].sum(axis=0)),
                _estimate(rates, row) if plays.any() else _UNKNOWN,
                cold[row][0] if cold else NO_COHORT, cold[row][1] if cold else NO_COHORT,
                float(demand[row]), _estimate(bias, row) if counts.has_origin else _UNKNOWN,
            )
        )  # fmt: skip
    return found


def _is_low(place: Place) -> bool:
    return place.high <= LOW_PLACE and place.of_median[2] < LOW_RATIO


_UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


def _estimate(many: Any, row: int) -> Estimate:
    return Estimate(float(many.estimate[row]), float(many.low[row]), float(many.high[row]))


def design_effects(totals: Floats, squares: Floats) -> Floats:
    """Variance of weighted counts over their totals, (n,), at least 1: what one counted event is worth.

    Example:
        >>> design_effects(np.array([80.0, 3.0, 0.0]), np.array([640.0, 3.0, 0.0])).tolist()
        [8.0, 1.0, 1.0]
    """
    return np.asarray(np.maximum(np.divide(squares, totals, out=np.ones_like(totals), where=totals > 0), 1.0))


def _shares(shown: Floats) -> Floats:
    days = shown.sum(axis=0)
    return np.asarray(np.divide(shown, days, out=np.full(shown.shape, np.nan), where=days > 0))


def _trend(shown: Floats, squares: Floats, totals: Floats) -> Estimate:
    """ln ratio of the shares of both halves, with the noise of weighted counts; nan with nothing in a half."""
    half = len(shown) // 2
    parts = [(shown[at].sum(), squares[at].sum(), totals[at].sum()) for at in (slice(0, half), slice(half, None))]
    if half == 0 or any(total <= 0 for _, _, total in parts) or parts[0][0] <= 0:
        return _UNKNOWN
    worth = [max(square / k, 1.0) if k > 0 else 1.0 for k, square, _ in parts]
    logs = [math.log((k / d + 0.5) * d / total) for (k, _, total), d in zip(parts, worth, strict=True)]
    error = math.sqrt(sum(1.0 / (k / d + 0.5) for (k, _, _), d in zip(parts, worth, strict=True)))
    change = logs[1] - logs[0]
    return Estimate(change, change - 1.96 * error, change + 1.96 * error)


def _missing(counts: ItemCounts) -> tuple[str, ...]:
    gaps = []
    if not counts.catalogue:
        gaps.append("owners, launches and cold starts (add a table of items)")
    if not counts.kind:
        gaps.append("play rates (add a table of outcomes)")
    elif not counts.plays.any():
        gaps.append("play rates (no outcome names a logged request)")
    if not counts.has_origin:
        gaps.append("production bias (map outcomes.origin: slate, search or external)")
    elif not counts.demand.any():
        gaps.append("production bias (no outcome from search or external)")
    return tuple(gaps)


def days_to_read(last: date, first: date, n_before: int) -> Sequence[date]:
    """The report's days, and those before them in which peers were young."""
    start = first - timedelta(days=n_before)
    return [start + timedelta(days=number) for number in range((last - start).days + 1)]
