"""The same slate for everybody: the chance that two requests get the same first item."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsysops.profiles.history import Context, History, KeyedContrast
from recsysops.profiles.measures import Cells, Keyed, Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.statistics.diversity import collision_noise
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, percent, without_reference
from recsysops.triage.exposure_gate import concentration
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import MAX_P
from recsysops.triage.shown import chosen, named, under_own_name

_FIRST, _REQUESTS = Keyed("requests", "first_item", ("rows",)), Cells("requests")
_MIN_REQUESTS = 100
_PRIOR_SD = 0.15
"""Of ln(chance) between healthy days: hits come and go."""


class PersonalisationCollapse:
    """Different requests get the same first item more often than before.

    Signals:
        ``first_item_collision``: chance that two requests of a day have one first item, without replacement, in [0, 1]; higher is
        worse, 1 is one slate for all. Over all requests and by the user's slices, the market first of all.
    Parameters:
        min_ratio: least growth, as a factor, default 1.6; a fall as large is information.
    Needs:
        ``candidates`` with position.
    Blind spots:
        First items that differ while the rest of the slates agree (``output.concentration`` sees those); items beyond the
        top 1,000 (200 in a slice) count as all different.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates(requests_per_day=600)
        >>> log = log.set("candidates", "item_id", "item_02", where="position == 1 and market == 'DK'")
        >>> [str(found.slice) for found in findings(PersonalisationCollapse(), log)]
        ['market=DK']

    Source:
        Simpson, Nature 163 (1949), for the chance; Hoeffding (1948) for its variance; Smyth (2004) between days.
    """

    meta = DetectorMeta("OUT213", "output.personalisation_collapse", ("candidates",), "warning", "ranking", yields_to_plans=True)  # fmt: skip

    class Params(Parameters):
        """Floors of ``output.personalisation_collapse``."""

        min_ratio: Positive = 1.6

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        table = schema.table("candidates")
        has_slates = table is not None and (table.role("shown") or table.role("raw_rank")) is not None
        if (
            has_slates
            and table is not None
            and table.role("position") is not None
            and schema.table("requests") is not None
        ):
            yield from (_FIRST, _REQUESTS)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        requests = history.cells(_REQUESTS) if list(self.measures(context.schema)) else None
        if requests is None:
            yield Skipped(self.meta.name, "not_applicable", "the log tells no slates with positions", "candidates")
            return
        skipped = without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        table, n_series = context.schema.tables["candidates"], 0
        for slice_ in requests.slices:
            if slice_ != EVERYTHING and slice_.dimension not in table.slices:
                continue
            keyed = history.keyed(_FIRST, slice_)
            if keyed is not None and _is_enough(keyed):
                n_series += 1
                yield from self._judged(context, keyed, slice_)
        yield Looked(self.meta.name, n_series, "first items of requests", 1)

    def _judged(self, context: Context, keyed: KeyedContrast, slice_: Slice) -> Iterator[Finding]:
        days, now = keyed.reference[..., 0], keyed.current[..., 0].sum(axis=0)
        levels, level_now = concentration(days), float(concentration(now[None])[0])
        if not (levels > 0).all() or level_now <= 0:
            return
        level = level_gate(
            levels, np.asarray(level_now), LevelLimits(self.params.min_ratio, _PRIOR_SD),
            noise=(collision_noise(days[:, :-1]), float(collision_noise(now[:-1]))),
        )  # fmt: skip
        if float(level.effect) < 1 or float(level.p_value) > MAX_P:
            return
        change = Stated(
            slice_, level_now, float(level.effect), int(now.sum()), reference=float(level.expected),
            p_value=float(level.p_value), n_reference=int(days.sum()), series=(*(float(day) for day in levels), level_now),
        )  # fmt: skip
        yield self._finding(context, change)

    def _finding(self, context: Context, change: Stated) -> Finding:
        schema, item = context.schema, named(context.schema, "item_id")
        rows = chosen(context, own_slice(schema, change.slice), f"{named(schema, 'position')} = 1")
        is_up = change.value > change.reference
        everybody = change.slice == EVERYTHING and change.value >= 0.8
        return finding_of(
            self.meta, context, under_own_name(schema, change),
            table="candidates", column=role_column(schema, "candidates", "item_id"), statistic="first_item_collision",
            threshold=self.params.min_ratio, severity=("critical" if everybody else "warning") if is_up else "info",
            headline=f"two requests begin with the same item in {percent(change.value)} of cases, {before(context)} "
            f"{percent(change.reference)}",
            query=f'SELECT {item}, count(*) AS n FROM "candidates" {rows} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 20',
        )  # fmt: skip


def _is_enough(keyed: KeyedContrast) -> bool:
    units = [*keyed.reference[..., 0].sum(axis=1), keyed.current[..., 0].sum()]
    return len(units) > 1 and min(units) >= _MIN_REQUESTS
