"""Cards made by hand, for the tests of what people see."""

from __future__ import annotations

from collections.abc import Sequence

from recsysops.drills.fault import FaultMeta
from recsysops.drills.scorecard.results import Card, CleanAlarms, CurvePoint, FaultCurve
from recsysops.statistics.estimate import Estimate

BASELINES = ("static_psi", "three_sigma", "largest_change")
MULTIPLES = (0.5, 1.0, 2.0, 4.0, 8.0)
INTERVALS = (
    Estimate(0.0, 0.0, 0.54),
    Estimate(1 / 3, 0.06, 0.79),
    Estimate(2 / 3, 0.21, 0.94),
    Estimate(1.0, 0.46, 1.0),
)
"""Jeffreys intervals of 0 to 3 in 3."""
HOSTILE = "la[red]ng\x1b[31m\u202e'; <script>alert(1)</script> -->" + "x" * 80


def meta(name: str, stage: str = "feature", **more: object) -> FaultMeta:
    """A fault of 0.5 % of rows, in a stage."""
    fields: dict[str, object] = {
        "cause": "input", "entity": "a numeric feature", "knob": "share of rows", "target": 0.005,
        "symptom": "the null rate rises", "cure": "run the upstream job again",
    }  # fmt: skip
    return FaultMeta(name=name, stage=stage, **{**fields, **more})  # type: ignore[arg-type]


def curve(about: FaultMeta, found: Sequence[int], *, visible: float = 0.004, by_baseline: int = 0) -> FaultCurve:
    """A curve over the first of the five sizes; ``found`` counts those of three trials, at each size."""
    unit = max(about.target, visible)
    points = tuple(
        CurvePoint(
            multiple, min(multiple * unit, about.most), 3, INTERVALS[n], 1.0 if n else None, 0.8 if n else None,
            top1_rate=n / 3, top3_rate=n / 3, scope_overlap=0.7 if n else None,
            baselines=dict.fromkeys(BASELINES, by_baseline / 3),
        )
        for multiple, n in zip(MULTIPLES, found, strict=False)
    )  # fmt: skip
    return FaultCurve(about, visible, unit, points)


def clean(n_alarms: int, n_days: int = 184, told: tuple[str, ...] = ()) -> CleanAlarms:
    """So many alarms; the interval is about right."""
    per = 30 / n_days if n_days else float("nan")
    rate = Estimate(
        n_alarms * per, max(n_alarms - 2 * n_alarms**0.5, 0) * per, (n_alarms + 3 + 2 * n_alarms**0.5) * per
    )
    return CleanAlarms(n_days, n_alarms, rate, 0, Estimate(0.0, 0.0, 3.7 * per), told)


def card(faults: Sequence[FaultCurve], what: str = "simulated service", cannot_look: tuple[str, ...] = ()) -> Card:
    """A card with these curves, two clean alarms and three baselines."""
    told = (
        "2026-03-14 · score moved in market=NO · benign event: a public holiday",
        "2026-05-02 · 12 % more rows than expected",
    )
    baselines = {name: clean(n) for name, n in zip(BASELINES, (41, 63, 7), strict=True)}
    return Card(what, clean(2, told=told), baselines, tuple(faults), 15 * len(faults), 3_240.0, cannot_look)


def usual() -> Card:
    """Some found, some missed, one without degrees, one that is no fault, one that could not be planted."""
    return card(
        (
            curve(meta("null_spike"), (1, 3, 3, 3, 3)),
            curve(meta("silent_default", target=0.01), (0, 1, 3, 3, 3), visible=0.012, by_baseline=3),
            curve(meta("unit_change", is_graded=False, knob="one feature × 1,000"), (3, 3, 3, 3, 3)),
            curve(meta("duplicate_events", "logging"), (3, 3, 3, 3, 3), by_baseline=3),
            curve(meta("bot_burst", "logging", knob="share of events", target=0.01), (0, 0, 1, 2, 3)),
            curve(meta("label_delay", "label", knob="hours", target=3.0, most=100.0), (0, 0, 0, 0, 0), visible=5.0),
            curve(meta("taste_shift", "world", cause="legitimate", is_fault=False), (0, 0, 0, 0, 3)),
            FaultCurve(
                meta("host_clock_skew", "logging"), 0.0, 0.005, (), "needs outcomes.ingested_at, which the log lacks"
            ),
        ),
        cannot_look=("output.calibration: no outcomes older than the label delay",),
    )


def hostile() -> Card:
    """Names and texts from data that would like to be more than text."""
    nasty = meta(HOSTILE, knob=f"share of {HOSTILE}", entity=HOSTILE, symptom=HOSTILE, cure=HOSTILE)
    return card(
        (curve(nasty, (0, 0, 1, 3, 3)), FaultCurve(nasty, 0.0, 1.0, (), HOSTILE)), what=HOSTILE, cannot_look=(HOSTILE,)
    )
