"""What counts over rows mean: pure judgement of :class:`RowFacts`."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.config.yaml_dialect import shown
from recsysops.inspection.report import Problem, Severity
from recsysops.inspection.row_facts import RowFacts
from recsysops.tables.contract import TABLES

_RULES: tuple[tuple[str, Severity, str, str, str], ...] = (
    ("early", "error", "before the year 2000", "moments of the logs", "is the unit or the column right?"),
    ("future", "warning", "after now", "moments of the past", "check the clock of the exporter and timezone:"),
    ("outside", "warning", "outside the day that the path names", "rows of that day", "check timezone:"),
    ("position", "error", "with a position below 1", "1-based positions", "export position + 1"),
    ("fraction", "error", "with a position that is no whole number", "1-based positions", "map another column"),
    ("propensity", "error", "with a propensity outside (0, 1]", "probabilities", "export probabilities, not weights"),
)
"""(count, severity, what those rows are, expected, next step)."""
_MAX_NAMES = 8


def row_problems(facts: RowFacts) -> list[Problem]:
    """Everything wrong with the rows of one partition."""
    where = f"{facts.table} {facts.partition}"
    if facts.n_rows == 0:
        return [Problem("warning", where, "no rows", "at least one", "check the export")]
    problems = [*_missing(facts, where)]
    for name, severity, what, expected, advice in _RULES:
        n = facts.counts.get(name, 0)
        if n:
            problems.append(Problem(severity, where, f"{_share(n, facts.n_rows)} {what}", expected, advice))
    if facts.n_duplicates:
        found = f"{_share(facts.n_duplicates, facts.n_rows)} that repeat a key, e.g. {facts.duplicate_example}"
        problems.append(
            Problem("warning", where, found, "each key once", "is the export at-least-once? deduplicate it")
        )
    problems += _features(facts, where)
    return problems


def _missing(facts: RowFacts, where: str) -> Iterator[Problem]:
    for name, n in facts.counts.items():
        kind, _, role = name.partition(".")
        if kind == "null" and n:
            contract = TABLES[facts.table]
            is_lost = n == facts.n_rows and (contract.clock if role == "clock" else role) in contract.required
            severity: Severity = "error" if is_lost else "note" if role == "member_id" else "warning"
            what = "without a time" if role == "clock" else f"without {role}"
            yield Problem(severity, where, f"{_share(n, facts.n_rows)} {what}", "a value in each", "repair the export")
        if kind == "present" and n == 0:
            yield Problem(
                "warning", where, f"no {role} in any row", "numbers", "map another column or repair the export"
            )


def _features(facts: RowFacts, where: str) -> Iterator[Problem]:
    for names, what in ((facts.empty_features, "without any value"), (facts.constant_features, "with a single value")):
        if names:
            listed = ", ".join(shown(name) for name in names[:_MAX_NAMES])
            more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
            found = f"{len(names)} features {what}: {listed}{more}"
            yield Problem("warning", where, found, "features that vary", "remove them, or repair their pipeline")


def _share(n: int, n_rows: int) -> str:
    rate = n / n_rows
    percent = f"{rate:.1%}" if rate >= 0.001 else "under 0.1%"
    return f"{n:,} of {n_rows:,} rows ({percent})"
