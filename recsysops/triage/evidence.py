"""From a change that passed the gates to a finding: words, numbers and the query that shows the fact again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from recsysops.profiles.history import Context
from recsysops.profiles.slices import Slice
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.views.contracts import CONTRACTS
from recsysops.triage.arithmetic import Term
from recsysops.triage.detector import DetectorMeta
from recsysops.triage.findings import Finding, Severity, Skipped, Stage, Subject


class Change(Protocol):
    """What the gates yield."""

    @property
    def slice(self) -> Slice: ...
    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def reference(self) -> float: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def effect(self) -> float: ...
    @property
    def n_reference(self) -> int: ...
    @property
    def n_current(self) -> int: ...
    @property
    def series(self) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Stated:
    """A change that no gate judged because nothing has to be compared: an invariant is broken, a clock stands still."""

    slice: Slice
    value: float
    effect: float
    n_current: int
    low: float | None = None
    high: float | None = None
    reference: float = 0.0
    p_value: float | None = None
    n_reference: int = 0
    series: tuple[float, ...] = ()
    arithmetic: tuple[Term, ...] = ()


def finding_of(
    meta: DetectorMeta,
    context: Context,
    change: Change,
    *,
    table: str,
    statistic: str,
    threshold: float,
    headline: str,
    query: str,
    column: str = "",
    subject: Subject | None = None,
    severity: Severity | None = None,
    stage: Stage | None = None,
) -> Finding:
    """The finding about one change; its subject is the column unless another is given."""
    return Finding(
        code=meta.code,
        detector=meta.name,
        table=table,
        subject=subject or (Subject("column", column) if column else Subject("table", table)),
        statistic=statistic,
        value=change.value,
        reference_value=change.reference,
        threshold=threshold,
        severity=severity or meta.severity,
        stage=stage or meta.stage,
        headline=headline,
        day=context.current_days[-1],
        column=column,
        slice=change.slice,
        low=change.low,
        high=change.high,
        p_value=change.p_value,
        effect=change.effect,
        n_reference=change.n_reference,
        n_current=change.n_current,
        series=change.series,
        query=query,
        arithmetic=getattr(change, "arithmetic", ()),  # a plugin's own change may not tell its arithmetic
    )


def lacking(meta: DetectorMeta, watched: object, needs: str, table: str) -> Skipped | None:
    """What the detector needs, when ``watched`` is empty or None: nothing of it is there."""
    return None if watched else Skipped(meta.name, "not_applicable", needs, table)


def without_reference(meta: DetectorMeta, context: Context) -> Skipped | None:
    """What is still needed, when there is nothing to compare with."""
    if context.reference_days:
        return None
    return Skipped(
        meta.name, "too_little_data", "no earlier day to compare with; needs 1, and 7 to know healthy movement"
    )


def not_between_cohorts(meta: DetectorMeta, context: Context) -> Skipped | None:
    """For detectors of times: two cohorts may well differ in size and age."""
    if context.mode == "days":
        return None
    return Skipped(meta.name, "not_applicable", "compares times, not cohorts")


def percent(rate: float) -> str:
    """A rate in words: ``11.4 %``.

    Example:
        >>> percent(0.114), percent(0.00042), percent(0.0), percent(1.0)
        ('11.4 %', '0.042 %', '0 %', '100 %')
    """
    points = 100 * rate
    if points == 0 or abs(points) >= 99.95:
        return f"{points:.0f} %"
    return f"{points:.1f} %" if abs(points) >= 0.1 else f"{points:.2g} %"


def before(context: Context) -> str:
    """How the reference is called in a headline."""
    return "before" if context.mode == "days" else "in the reference"


def literal(value: str | float) -> str:
    """A value as SQL text, for queries that people paste: quotes doubled, no escapes."""
    return repr(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def where(context: Context, table: str, slice_: Slice, days: Sequence[date] | None = None) -> str:
    """The WHERE clause that keeps the judged days of a slice."""
    schema = context.schema.table(table)
    clock = schema.role(CONTRACTS[table].clock) if schema else None
    days = context.current_days if days is None else days
    parts = []
    if clock is not None and days:
        ts = f"CAST({quote_identifier(clock.name)} AS DATE)"
        parts.append(f"{ts} BETWEEN DATE '{min(days)}' AND DATE '{max(days)}'")
        if context.hour is not None:
            parts.append(f"hour({quote_identifier(clock.name)}) = {context.hour}")
    if slice_.dimension:
        parts.append(f"CAST({quote_identifier(slice_.dimension)} AS VARCHAR) = {literal(slice_.value)}")
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def rate_query(context: Context, table: str, slice_: Slice, condition: str) -> str:
    """How many of the judged rows meet a condition, by day."""
    schema = context.schema.table(table)
    clock = schema.role(CONTRACTS[table].clock) if schema else None
    day = f"CAST({quote_identifier(clock.name)} AS DATE)" if clock else "NULL"
    days = (*context.reference_days, *context.current_days)
    return (
        f"SELECT {day} AS day, count(*) FILTER ({condition}) AS n_flagged, count(*) AS n_rows "
        f"FROM {quote_identifier(table)} {where(context, table, slice_, days)} GROUP BY day ORDER BY day"
    )
