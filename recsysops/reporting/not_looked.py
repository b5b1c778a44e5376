"""What was looked at and what could not be: never to be mistaken for clean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from recsysops.reporting.lines import Line, wrapped
from recsysops.reporting.numbers import count, number
from recsysops.reporting.plain import literal
from recsysops.triage.budget import BudgetReport, Realised
from recsysops.triage.findings import Finding, Looked, Skipped

N_SHOWN = 4
_SAID = {"failed": "failed: ", "too_little_data": "too little data: ", "not_applicable": ""}
_ORDER = ("failed", "too_little_data", "not_applicable")


def skipped_lines(skipped: Sequence[Skipped], width: int, *, verbose: bool) -> Iterator[Line]:
    """``Could not look: …``, failures first, equal reasons once; nothing when everything could."""
    if not skipped:
        return
    reasons = Counter(_reason(one) for one in sorted(skipped, key=lambda one: _ORDER.index(one.kind)))
    shown = [text + (f", {n} times" if n > 1 else "") for text, n in reasons.items()]
    if verbose:
        yield Line("Could not look:")
        for text in shown:
            yield from wrapped(text, width, indent=2)
        return
    more = [f"{len(shown) - N_SHOWN} more (--verbose)"] if len(shown) > N_SHOWN else []
    yield from wrapped("Could not look: " + " · ".join([*shown[:N_SHOWN], *more]), width)


def _reason(skipped: Skipped) -> str:
    about = f" {skipped.table}.{skipped.column}" if skipped.column else f" {skipped.table}" if skipped.table else ""
    return literal(f"{skipped.detector}{about} ({_SAID[skipped.kind]}{skipped.reason})")


def looked_lines(
    looked: Sequence[Looked],
    n_rows: Mapping[str, int],
    reference: Sequence[date],
    width: int,
    *,
    verbose: bool,
) -> Iterator[Line]:
    """``Looked at: …``: series, rows and reference days."""
    n_series = sum(one.n_series for one in looked)
    rows = ", ".join(f"{n:,} rows of {literal(table)}" for table, n in n_rows.items() if n)
    days = f"against {count(len(reference), 'day')} ({span(reference)}{_gaps(reference)})" if reference else ""
    days = days or "against no earlier day"
    parts = [
        f"{count(n_series, 'series', 'series')} by {count(len({one.detector for one in looked}), 'detector')}",
        rows,
        days,
    ]
    yield from wrapped("Looked at: " + " · ".join(part for part in parts if part), width)
    if verbose:
        for one in looked:
            yield from wrapped(
                literal(f"{one.detector}: {one.what}, {one.n_series:,} series"), width, indent=2, style="dim"
            )


def _gaps(reference: Sequence[date]) -> str:
    n_missing = (reference[-1] - reference[0]).days + 1 - len(reference)
    return f", {n_missing} left out" if n_missing else ""


def below_lines(below: Sequence[Finding], width: int, *, verbose: bool) -> Iterator[Line]:
    """Findings that chance explains within the alarm budget."""
    if not below:
        return
    text = f"Below the limit: {count(len(below), 'finding')} that chance explains within the alarm budget"
    yield from wrapped(text + ("" if verbose else " (--verbose lists them)"), width)
    if verbose:
        for one in sorted(below, key=lambda one: (1.0 if one.p_value is None else one.p_value, one.id)):
            where = literal(one.slice)
            yield from wrapped(
                literal(f"{one.detector} · {one.headline} · {where} · p {number(one.p_value)}"),
                width,
                indent=2,
                style="dim",
            )


def budget_lines(budget: BudgetReport, width: int) -> Iterator[Line]:
    """Allowed and realised alarms, over the days judged so far."""
    page, digest = _realised(budget.page), _realised(budget.digest)
    text = f"Alarm budget: page {number(budget.page.allowed)} per 30 days{page}"
    days = f" over {count(budget.page.n_days, 'day')}" if budget.page.n_days else ""
    yield from wrapped(f"{text}; digest {number(budget.digest.allowed)} per week{digest}{days}.", width)


def _realised(one: Realised) -> str:
    return f", raised {one.value:.1f} [{one.low:.1f}, {one.high:.1f}]" if one.n_days else ""


def span(days: Sequence[date]) -> str:
    """``2026-11-20``, or the first and the last of several."""
    if not days:
        return "no day"
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} … {days[-1]}"
