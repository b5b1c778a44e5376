"""Findings that a recorded plan explains: they are told as information, with the plan's name, and wake nobody.

A plan explains a finding when a detector that yields to plans says it, when the plan took effect shortly before the finding
began, and when its scope names the very thing: the column, the slice, the item. A deploy or a change of schema is no plan in
this sense: it is what breaks things. Missing, defaulted, invalid or duplicated values are never planned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from recsysops.profiles.history import Change
from recsysops.tables.schema import Schema
from recsysops.triage.findings import Finding

CAUSES = frozenset({"deploy", "schema"})
"""Kinds of change that explain nothing away."""
ENTITIES = frozenset({"item", "member", "request"})
"""``item=12`` names an item; it says nothing of the columns that hold something about items."""
WITHIN = timedelta(days=3)
"""How long before its finding a plan may have taken effect."""


def with_plans(
    findings: Iterable[Finding], yielding: Collection[str], changes: Sequence[Change], schema: Schema
) -> tuple[Finding, ...]:
    """The findings, those that a plan explains as information.

    Args:
        findings: with their onsets.
        yielding: names of the detectors that yield to plans.
        changes: recorded up to now.
        schema: of the workspace, to know columns by their roles.
    """
    plans = [change for change in changes if change.kind not in CAUSES and change.scope]
    return tuple(
        replace(finding, severity="info", follows=_said(plan))
        if finding.detector in yielding and (plan := explaining(finding, plans, schema)) is not None
        else finding
        for finding in findings
    )


def explaining(finding: Finding, plans: Iterable[Change], schema: Schema) -> Change | None:
    """The plan that explains the finding, the latest of them; None if none does."""
    onset = finding.onset or finding.day
    near = [plan for plan in plans if onset - WITHIN <= plan.ts.date() <= onset]
    names = _names(finding, schema)
    named = [plan for plan in near if any(_is_named(token, finding, names) for token in tokens(plan.scope))]
    return max(named, key=lambda plan: plan.ts, default=None)


def tokens(scope: str) -> Iterator[tuple[str, str]]:
    """A scope in parts: ``market=SE item=121`` gives (market, SE) and (item, 121), ``prices`` gives (prices, "").

    Example:
        >>> list(tokens("market=SE item=121")), list(tokens("prices"))
        ([('market', 'SE'), ('item', '121')], [('prices', '')])
    """
    for part in scope.replace(",", " ").split():
        name, _, value = part.partition("=")
        if name:
            yield name, value


def _names(finding: Finding, schema: Schema) -> frozenset[str]:
    """The words by which a plan may call the finding's column: those of its name and of its role."""
    table = schema.table(finding.table)
    column = table.column(finding.column) if table is not None and finding.column else None
    known = [finding.column, column.role if column is not None and column.role else ""]
    return frozenset(word for name in known if name for word in (name, *name.split("_")))


def _is_named(token: tuple[str, str], finding: Finding, names: frozenset[str]) -> bool:
    name, value = token
    if value:
        in_slice = finding.slice.value == value and name in _spellings(finding.slice.dimension)
        is_subject = (finding.subject.kind, finding.subject.id) == (name, value)
        return in_slice or is_subject or (name in names and name not in ENTITIES)
    singular = name.removesuffix("s")
    return bool(singular) and (name in names or singular in names)


def _spellings(dimension: str) -> frozenset[str]:
    return frozenset({dimension, *dimension.split("_")})


def _said(plan: Change) -> str:
    day: date = plan.ts.date()
    return f"{plan.kind} {plan.scope} of {day.isoformat()}"
