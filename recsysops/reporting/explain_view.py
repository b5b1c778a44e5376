"""The screen of ``--explain``: from counts to verdict, a number on each line."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.looking.explain import Budgeting, Explanation
from recsysops.profiles.slices import EVERYTHING
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.not_looked import span
from recsysops.reporting.numbers import count, number, of_statistic
from recsysops.reporting.plain import literal
from recsysops.reporting.sparkline import sparkline
from recsysops.triage.arithmetic import GATES, Gate

TITLES: dict[Gate, str] = {
    "counts": "Counts",
    "size": "1  Is it large enough?",
    "noise": "2  Is it beyond the noise of rows clustered in requests?",
    "days": "3  Is it beyond what days differ by?",
    "chance": "What chance remains",
}


def explain_lines(told: Explanation, width: int, *, command: str = "recsysops") -> Iterator[Line]:
    """Answer, the terms gate by gate, the limit of the day, the days, the query."""
    finding = told.finding
    where = "" if finding.slice == EVERYTHING else f", only {literal(finding.slice)}"
    verdict = "reported" if told.is_reported else "below the limit of its day, not reported"
    yield from wrapped(f"{literal(finding.headline)}{where} · {finding.day} · {verdict}", width, style="bold")
    yield from wrapped(f"{finding.id} · {literal(finding.detector)} · {finding.statistic}", width, style="dim")
    yield from _reproduced(told, width)
    for gate in GATES:
        yield from _gate(told, gate, width)
    if not finding.arithmetic:
        yield from _without_terms(told, width)
    yield Line("")
    yield from _limit(told, width)
    yield Line("")
    yield from _days(told, width)
    if finding.query:
        yield Line("")
        yield Line("Query (DuckDB, on the table's own files)")
        yield Line("  " + literal(finding.query), "dim")
    yield Line("")
    yield from next_lines(
        [f"{command} detect --date {finding.day} --verbose", f"{command} detectors show {finding.detector}"]
    )


def _reproduced(told: Explanation, width: int) -> Iterator[Line]:
    if not told.differs:
        yield from wrapped("Recomputed from the stored counts: value, p and effect are exactly those kept.", width)
        return
    changes = "; ".join(f"{name} was {exact(old)}, is {exact(new)}" for name, old, new in told.differs)
    text = f"Recomputed, it differs from what was kept: {changes}. Rows, settings or reference days have changed since."
    yield from wrapped(text, width, style="yellow")


def _gate(told: Explanation, gate: Gate, width: int) -> Iterator[Line]:
    terms = [term for term in told.finding.arithmetic if term.gate == gate]
    if not terms:
        return
    yield Line("")
    yield Line(TITLES[gate])
    columns = (
        Column("", tuple(literal(term.name) for term in terms)),
        Column("", tuple(exact(term.value) for term in terms), is_number=True),
        Column("", tuple(literal(term.how) for term in terms), is_last=True),
    )
    yield from list(table(columns, width))[1:]


def _without_terms(told: Explanation, width: int) -> Iterator[Line]:
    finding = told.finding
    yield Line("")
    chance = "none: a rule that tolerates nothing" if finding.p_value is None else exact(finding.p_value)
    rows = (
        (finding.statistic, exact(finding.value)),
        ("before", exact(finding.reference_value)),
        ("floor", exact(finding.threshold)),
        ("effect, times its floor", exact(finding.effect)),
        ("p", chance),
        ("rows, reference", f"{finding.n_reference:,}"),
        ("rows, current", f"{finding.n_current:,}"),
    )
    yield Line("The numbers of the finding (this detector tells no steps between them)")
    columns = (
        Column("", tuple(name for name, _ in rows)),
        Column("", tuple(value for _, value in rows), is_number=True),
    )
    yield from list(table(columns, width))[1:]


def _limit(told: Explanation, width: int) -> Iterator[Line]:
    budget, p_value = told.budgeting, told.finding.p_value
    yield Line("The limit of the day")
    kind = "over all rows" if budget.is_whole else "over slices and single items"
    yield from wrapped(
        f"{number(budget.digest_per_week)} digest entries per week / 7 days × {number(budget.share)} of the budget / "
        f"{count(budget.n_series, 'series', 'series')} {kind} = {exact(budget.nominal.digest)}",
        width,
        indent=2,
    )
    yield from wrapped(
        f"to page: {number(budget.page_per_30_days)} per 30 days, likewise = {exact(budget.nominal.page)}; "
        f"two judged days running: {exact(budget.nominal.near)}",
        width,
        indent=2,
    )
    if budget.limits != budget.nominal:
        text = f"series like it were loud before; for the budget to hold: {exact(budget.limits.digest)}, to page "
        yield from wrapped(
            f"{text}{exact(budget.limits.page)}, two days running {exact(budget.limits.near)}", width, indent=2
        )
    yield from wrapped(_verdict(told, budget, p_value), width, indent=2)


def _verdict(told: Explanation, budget: Budgeting, p_value: float | None) -> str:
    if p_value is None:
        return "a rule that tolerates nothing needs no limit: reported"
    if p_value <= budget.limits.digest:
        return f"p {exact(p_value)} ≤ {exact(budget.limits.digest)}: reported"
    if told.is_reported:
        return (
            f"p {exact(p_value)} ≤ {exact(budget.limits.near)}, and it was near or kept the judged day before: reported"
        )
    before = "it was there the judged day before" if budget.was_near_before else "and not there the judged day before"
    return f"p {exact(p_value)} > {exact(budget.limits.digest)}, {before}: not reported"


def _days(told: Explanation, width: int) -> Iterator[Line]:
    finding, days = told.finding, told.reference
    yield from wrapped(f"Reference: {count(len(days), 'day')} ({span(days)}); then {finding.day}", width)
    if len(finding.series) > 1:
        yield Line("  " + sparkline(finding.series, 60))
    if len(finding.series) == len(days) + 1:
        shown = list(zip((*days, finding.day), finding.series, strict=True))
        words = [f"{day:%m-%d} {of_statistic(finding.statistic, value)}" for day, value in shown]
        yield from wrapped(" · ".join(words), width, indent=2, style="dim")


def exact(value: float | None) -> str:
    """A number with the digits that a person needs to repeat the arithmetic."""
    if value is None or value != value:
        return "–"
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.6g}" if "e" in f"{value:.6g}" else f"{value:.6g}".replace("-", "−")
