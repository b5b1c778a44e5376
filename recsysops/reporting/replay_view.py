"""The screen of ``recsysops replay``."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.replay.bisection import Divergence
from recsysops.replay.differences import ColumnDifferences
from recsysops.replay.grades import GRADES
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.numbers import count, interval, number, percent
from recsysops.reporting.plain import literal
from recsysops.reporting.replay_report import ReplayReport

STAGE_WORDS = {
    "features": "features differ from their source",
    "raw_score": "the model gives another raw score",
    "calibration": "the score is not the calibrated raw score",
    "rank": "ranks do not follow the raw score",
}
N_GROUPS = 6


def replay_lines(
    report: ReplayReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, where it diverges, features, grades, what could not be replayed, what to do next."""
    style = "red" if report.replay.divergences else "yellow" if report.problems else "green"
    yield from wrapped(_answer(report), width, style=style)  # type: ignore[arg-type]
    yield from _divergence_lines(report, width, verbose=verbose)
    yield from _feature_lines(report, width, verbose=verbose)
    yield Line("")
    yield from _grade_lines(report, width)
    for reason, n in report.replay.not_replayed.items():
        yield from wrapped(f"Not replayed: {count(n, 'row')}, {literal(reason)}", width)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in _next(report, verbose=verbose))


def _answer(report: ReplayReport) -> str:
    found = report.replay
    of = f"{count(found.n_requests, 'request')} ({count(found.n_rows, 'candidate')}) of {report.day}"
    if not found.divergences:
        return f"Replayed {of}: all agree at every stage looked at ({_stages(report)})"
    first = [one for one in found.divergences if not one.dimension]
    told = "; ".join(
        f"in {percent(one.rate)} {interval(one.low, one.high, 'rate_rate')} {STAGE_WORDS[one.stage]}" for one in first
    )
    return f"Replayed {of}: {percent(1 - found.match_rate)} diverge; first, {told}"


def _divergence_lines(report: ReplayReport, width: int, *, verbose: bool) -> Iterator[Line]:
    """By model, host and slice, where the rate is unlike the others'."""
    groups = [one for one in report.replay.divergences if one.dimension]
    if not groups:
        return
    groups.sort(key=lambda one: (-one.low, one.dimension, one.value))
    shown = groups if verbose else groups[:N_GROUPS]
    yield Line("")
    columns = (
        Column("first stage", tuple(one.stage for one in shown)),
        Column("of", tuple(f"{literal(one.dimension)} {literal(one.value, 30)}" for one in shown)),
        Column("requests", tuple(f"{one.n_diverging:,} of {one.n_requests:,}" for one in shown), is_number=True),
        Column("rate", tuple(_rate(one) for one in shown), is_number=True),
    )
    yield from table(columns, width)
    if len(groups) > len(shown):
        yield Line(f"  {len(groups) - len(shown)} more with --verbose", "dim")


def _feature_lines(report: ReplayReport, width: int, *, verbose: bool) -> Iterator[Line]:
    shown = report.replay.differences if verbose else report.differing
    if not shown:
        return
    yield Line("")
    columns = (
        Column("feature", tuple(literal(one.column) for one in shown)),
        Column("source", tuple(literal(one.source) for one in shown), drop=1),
        Column("differs in", tuple(percent(one.mismatch_rate) for one in shown), is_number=True),
        Column("how", tuple(_how(one) for one in shown), is_last=True),
    )
    yield from table(columns, width)


def _how(one: ColumnDifferences) -> str:
    if one.main_class == "same":
        return "the same"
    parts = [f"{name} {n:,}" for name, n in sorted(one.counts.items(), key=lambda pair: -pair[1]) if name != "same"]
    sized = [
        f"{name.replace('_', ' ')} {literal(value) if isinstance(value, str) else number(value)}"
        for name, value in one.details.items()
    ]
    return ", ".join(parts) + (f" ({', '.join(sized)})" if sized else "")


def _grade_lines(report: ReplayReport, width: int) -> Iterator[Line]:
    for name, counts in report.replay.grades.items():
        told = ", ".join(f"{counts[grade]:,} {grade}" for grade in GRADES if counts[grade])
        if told:
            yield from wrapped(f"Requests by equality of {name}: {told}", width)
    copies = [one for one in report.replay.copies if one.is_copy]
    if report.replay.copies:
        yield from wrapped(
            f"{len(copies)} of {count(len(report.replay.copies), 'feature')} with a lineage are plain copies of their source "
            "and were compared value by value; the others are made from it",
            width,
            style="dim",
        )


def _rate(one: Divergence) -> str:
    return f"{percent(one.rate)} {interval(one.low, one.high, 'rate_rate')}"


def _stages(report: ReplayReport) -> str:
    return ", ".join(stage.replace("_", " ") for stage in report.replay.stages)


def _next(report: ReplayReport, *, verbose: bool) -> Iterator[str]:
    if report.problems:
        yield "check"
    yield f"replay --day {report.day} --requests 0 {'' if verbose else '--verbose'}".rstrip()
