"""Experiments whose arms no longer get the members they should: nothing measured in them can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsysops.profiles.history import Change, ClusterContrast, Context, History
from recsysops.profiles.measures import Cells, Clusters, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.statistics.between_days import new_day_rate_test
from recsysops.statistics.design_effect import design_effect
from recsysops.statistics.sample_ratio import SampleRatio, against_reference, against_shares
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema
from recsysops.triage.arithmetic import Term
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, percent, where
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.planned import CAUSES
from recsysops.triage.rate_gate import MAX_P, RateLimits, rate_gate
from recsysops.triage.rate_gate import Rate as CellRate
from recsysops.triage.roll_outs import names

Counts = npt.NDArray[np.int64]
EXPERIMENT = "experiment"
MAX_ARMS = 20
_HOURS = Cells("requests", by_hour=True)


class ExperimentBalance:
    """The arms of an experiment get other shares of members than they should.

    Signals:
        ``arm_share``: share of an arm among members (among rows where the log has no members), against the days before;
        both directions. ``declared_arm_share``: the same against declared shares. ``crossover_rate``: members seen in
        more than one arm in a day, over all members; higher is worse.
    Parameters:
        shares: declared share of each arm, such as ``{control: 0.5, treatment: 0.5}``; default none.
        min_change: least change of a share, in points of rate, default 0.01.
        max_crossover: crossover rate from which a rise is told, default 0.005.
    Needs:
        candidates with the role experiment_arm; member_id for members as clusters. A recorded change of kind
        ``experiment``, or one whose scope names the arms, starts the comparison anew on the day after it; on its own day it
        explains no more than what the requests after it can have moved. Declared shares need no history.
    Blind spots:
        Imbalance since the first day of an experiment, or since a recorded change of it, without declared shares; days most
        of whose requests came after such a change; in logs without members, rows of one member count as many.
    Example:
        >>> from recsysops.testing.example_log import example_log, verdicts
        >>> [skipped.kind for skipped in verdicts(ExperimentBalance(), example_log())]
        ['not_applicable']

    Source:
        Fabijan et al., Diagnosing Sample Ratio Mismatch, KDD (2019); Rao & Scott (1981) for clusters.
    """

    meta = DetectorMeta("SYS403", "system.experiment_balance", ("candidates",), "warning", "experiment")
    """Yields to no plan afterwards: what a recorded experiment explains is weighed here, by the requests after it."""

    class Params(Parameters):
        """What is declared of ``system.experiment_balance``."""

        shares: dict[str, float] = Field(default_factory=dict)
        min_change: Rate = 0.01
        max_crossover: Rate = 0.005

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        arm, member = _roles(schema)
        if arm is None:
            return
        yield Clusters("candidates", member.name, arm.name) if member else Cells("candidates", arm.name, "frequencies")
        if member and schema.table("requests") is not None:
            yield _HOURS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        arm, member = _roles(context.schema)
        if arm is None:
            yield Skipped(self.meta.name, "not_applicable", "candidates have no role experiment_arm", "candidates")
            return
        if context.mode == "cohorts":
            yield Skipped(self.meta.name, "not_applicable", "compares times, not cohorts", "candidates")
            return
        if member is None:
            yield from self._by_rows(history, arm)
            return
        contrast = history.clusters(Clusters("candidates", member.name, arm.name))
        if contrast is None or len(contrast.categories) < 2 or not contrast.current.any():
            reason = f"{arm.name} has fewer than two arms with members on the judged day or before"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates", arm.name)
            return
        yield from self._by_members(history, contrast, arm)
        yield Looked(self.meta.name, len(contrast.categories) + 1, f"arms of {arm.name}", len(contrast.categories) + 1)

    def _by_members(self, history: History, contrast: ClusterContrast, arm: Column) -> Iterator[Verdict]:
        context = history.context
        if len(contrast.categories) > MAX_ARMS:
            reason = f"{len(contrast.categories)} values of {arm.name}, expected the arms of one experiment (at most {MAX_ARMS})"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates", arm.name)
            return
        now = contrast.current.sum(axis=0).T  # (32, n_arms)
        yield from self._declared(context, contrast, arm, now)
        begun = _last_change(context, arm, is_today=False)
        kept = [index for index, day in enumerate(contrast.reference_days) if day > begun]
        movable = _movable(history, arm, int(now.sum()))
        reason = _why_not(context, contrast, kept, movable)
        if reason:
            yield Skipped(self.meta.name, "too_little_data", reason, "candidates", arm.name)
            return
        reference = np.swapaxes(contrast.reference[kept], 1, 2)
        found = against_reference(reference, now, movable)
        if abs(found.deviation) >= self.params.min_change and found.p_value <= MAX_P:
            days = reference.sum(axis=1)
            yield self._finding(context, contrast, arm, found, "arm_share", before(context), days)
        yield from self._crossovers(context, contrast, arm, kept, movable)

    def _declared(self, context: Context, contrast: ClusterContrast, arm: Column, now: Counts) -> Iterator[Verdict]:
        shares = self.params.shares
        if not shares:
            return
        unknown = sorted(set(shares) - set(contrast.categories))
        if unknown or abs(sum(shares.values()) - 1.0) > 1e-6 or min(shares.values()) <= 0:
            reason = f"parameter shares: found {shares}, expected shares above 0 that sum to 1, of {', '.join(contrast.categories)}"
            yield Skipped(self.meta.name, "not_applicable", reason, "candidates", arm.name)
            return
        chosen = [contrast.categories.index(name) for name in shares]
        if not now[:, chosen].any():
            return
        found = against_shares(now[:, chosen], list(shares.values()))
        if abs(found.deviation) >= self.params.min_change and found.p_value <= MAX_P:
            names = tuple(shares)
            yield self._finding(context, contrast, arm, found, "declared_arm_share", "declared", None, names)

    def _finding(
        self,
        context: Context,
        contrast: ClusterContrast,
        arm: Column,
        found: SampleRatio,
        statistic: str,
        said: str,
        days: Counts | None,
        names: tuple[str, ...] | None = None,
    ) -> Finding:
        name = (names or contrast.categories)[found.largest]
        value, expected = float(found.observed[found.largest]), float(found.expected[found.largest])
        n = int(contrast.clusters_current.sum())
        series = [] if days is None else [float(day[found.largest] / day.sum()) for day in days if day.sum()]
        change = Stated(
            EVERYTHING, value, abs(found.deviation) / max(self.params.min_change, 1e-4), n, reference=expected,
            p_value=found.p_value, n_reference=int(contrast.clusters_reference.sum()), series=(*series, value),
            arithmetic=(
                Term("counts", "members", float(n), "of the judged day, in any arm"),
                Term("size", "movable", found.movable, "share of the members that a change recorded on the day can have moved"),
                Term("noise", "days of members", found.n_units, "how many independent days the reference is worth"),
                Term("noise", "design effect", found.design_effect, "from 32 buckets of members, and what days differ by"),
                Term("noise", "chi-square", found.statistic, "over the arms, divided by the design effect"),
                Term("chance", "p", found.p_value),
            ),
        )  # fmt: skip
        return finding_of(
            self.meta, context, change,
            table="candidates", column=arm.name, subject=Subject("arm", name), statistic=statistic,
            threshold=self.params.min_change,
            headline=f"arm {name} has {percent(value)} of members, {said} {percent(expected)}",
            query=_query(context, arm),
        )  # fmt: skip

    def _crossovers(
        self, context: Context, contrast: ClusterContrast, arm: Column, kept: list[int], movable: float
    ) -> Iterator[Finding]:
        k, n = contrast.several_current.sum(axis=0), contrast.clusters_current.sum(axis=0)
        before_k, before_n = contrast.several_reference[kept].sum(axis=1), contrast.clusters_reference[kept].sum(axis=1)
        if movable or not n.sum() or k.sum() <= self.params.max_crossover * n.sum():
            return  # a change in the middle of the day moves members from arm to arm
        effect = float(design_effect(k, n))
        test = new_day_rate_test(before_k, before_n, k.sum(), n.sum(), design_effect=effect if effect > 1 else 1.0)
        p_value = max(float(test.p_value), float(test.p_sampling))
        rate, usual = k.sum() / n.sum(), before_k.sum() / max(1, before_n.sum())
        if not p_value <= MAX_P or rate < 2 * usual:
            return
        change = Stated(
            EVERYTHING, float(rate), float(rate / max(self.params.max_crossover, 1e-6)), int(n.sum()),
            reference=float(usual), p_value=p_value, n_reference=int(before_n.sum()),
            series=(*(float(one / max(1, of)) for one, of in zip(before_k, before_n, strict=True)), float(rate)),
        )  # fmt: skip
        yield finding_of(
            self.meta, context, change,
            table="candidates", column=arm.name, statistic="crossover_rate", threshold=self.params.max_crossover,
            headline=f"{percent(float(rate))} of members are in several arms, {before(context)} {percent(float(usual))}",
            query=_query(context, arm),
        )  # fmt: skip

    def _by_rows(self, history: History, arm: Column) -> Iterator[Verdict]:
        """Without members: shares of rows, noise from requests and from what days differ by."""
        context = history.context
        contrast = history.cells(Cells("candidates", arm.name, "frequencies"))
        if contrast is None or not contrast.reference.any():
            yield Skipped(
                self.meta.name, "too_little_data", "no earlier day with arms to compare with; needs 1", "candidates"
            )
            return
        changed = _last_change(context, arm)
        if any(day <= changed for day in contrast.reference_days):
            reason = f"the experiment changed ({changed}); without members, judged when it has left the reference"
            yield Skipped(self.meta.name, "too_little_data", reason, "candidates", arm.name)
            return
        arms = contrast.cells[contrast.n_specials :][:MAX_ARMS]
        of = tuple(range(1, len(contrast.cells)))
        rates = [CellRate(name, (contrast.cell(name),), of) for name in arms]
        limits = RateLimits(self.params.min_change, min_ratio=1e9)
        for change in rate_gate(contrast, rates, limits):
            if change.slice != EVERYTHING:
                continue
            yield finding_of(
                self.meta, context, change,
                table="candidates", column=arm.name, subject=Subject("arm", change.rate.name), statistic="arm_share",
                threshold=self.params.min_change,
                headline=f"arm {change.rate.name} has {percent(change.value)} of rows, {before(context)} {percent(change.reference)}",
                query=_query(context, arm),
            )  # fmt: skip
        yield Looked(self.meta.name, len(arms), f"arms of {arm.name}, by rows", len(arms))


def _roles(schema: Schema) -> tuple[Column | None, Column | None]:
    """The columns of the arm and, if there is one, of the member."""
    candidates = schema.table("candidates")
    if candidates is None:
        return None, None
    return candidates.role("experiment_arm"), candidates.role("member_id")


def _last_change(context: Context, arm: Column, *, is_today: bool = True) -> date:
    """The day of the last recorded change of the arms, with those of the judged day or without; days up to it are no reference."""
    days = [change.ts.date() for change in _changes(context, arm)]
    return max((day for day in days if is_today or day < context.current_days[-1]), default=date.min)


def _why_not(context: Context, contrast: ClusterContrast, kept: list[int], movable: float) -> str:
    """Why the day cannot be compared; empty when it can."""
    if not contrast.reference.any():
        return "no earlier day with arms to compare with; needs 1"
    if not contrast.reference[kept].any():
        return "no day to compare with since the experiment changed; judged again tomorrow"
    if movable >= 1:
        return f"the experiment changed ({context.current_days[-1]}) before most requests of the day; judged again tomorrow"
    return ""


def _changes(context: Context, arm: Column) -> list[Change]:
    """Experiments, and whatever else but a deploy names the arms."""
    arms = (arm.name, arm.role or arm.name)
    return [
        one for one in context.changes if one.kind == EXPERIMENT or (one.kind not in CAUSES and names(one.scope, arms))
    ]


def _movable(history: History, arm: Column, n_members: int) -> float:
    """The largest share of the day's members whose arm a change of that day can have moved, in [0, 1].

    A member is moved by a request after the change: there are no more of them than of such requests. Without hours, all.
    """
    context = history.context
    today = [one.ts for one in _changes(context, arm) if one.ts.date() == context.current_days[-1]]
    if not today:
        return 0.0
    contrast = history.cells(_HOURS) if context.schema.table("requests") is not None else None
    if contrast is None or contrast.hourly is None:
        return 1.0
    after = contrast.hourly("current")[:, min(today).hour :, 0, 0].sum()
    return min(1.0, float(after) / max(1, n_members))


def _query(context: Context, arm: Column) -> str:
    candidates = context.schema.table("candidates")
    names = [candidates.role(role) if candidates else None for role in ("ts", "member_id", "request_id")]
    ts, member, request = (quote_identifier(one.name) if one else "" for one in names)
    counted = f"count(DISTINCT {member or request})"
    rows = where(context, "candidates", EVERYTHING, (*context.reference_days, *context.current_days))
    return (
        f"SELECT CAST({ts} AS DATE) AS day, {quote_identifier(arm.name)} AS arm, {counted} AS n "
        f"FROM candidates {rows} GROUP BY day, arm ORDER BY day, arm"
    )
