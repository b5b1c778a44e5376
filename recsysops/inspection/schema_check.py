"""Columns and types: what the settings name must exist, fit its role, and stay the same from partition to partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import pairwise

from recsysops.config.settings import TableSettings
from recsysops.config.yaml_dialect import shown
from recsysops.inspection.report import Problem
from recsysops.tables.contract import ID, TABLES, TIME, Kind, Role
from recsysops.tables.slates import INDEX_COLUMN

Columns = Mapping[str, tuple[str, Kind]]
"""column: (Arrow type, kind); of arrays that are unnested, the type and kind of their entries."""
_MAX_DRIFTS = 10


def column_problems(table: str, settings: TableSettings, columns: Columns) -> list[Problem]:
    """Columns named in the settings that the newest partition does not have, and roles of the wrong type."""
    where = f"tables.{table}"
    problems: list[Problem] = []
    for role, column in settings.roles.items():
        known = TABLES[table].role(role)
        if column == INDEX_COLUMN and settings.unnest:
            continue
        if column not in columns:
            problems.append(_absent(f"{where}.roles.{role}", column, columns))
        elif known and (problem := _type_problem(f"{where}.roles.{role}", known, column, columns[column])):
            problems.append(problem)
    for section, names in (("slices", settings.slices), ("unnest", settings.unnest), ("columns", settings.columns)):
        problems += [_absent(f"{where}.{section}", name, columns) for name in names if name not in columns]
    masks = [stated.mask for stated in settings.columns.values() if stated.mask is not None]
    problems += [_absent(f"{where}.columns mask", mask, columns) for mask in masks if mask not in columns]
    for pattern in settings.features:
        if pattern not in columns and not any(fnmatchcase(name, pattern) for name in columns):
            problems.append(_absent(f"{where}.features", pattern, columns))
    return problems


def drift_problems(table: str, history: Sequence[tuple[str, Columns]]) -> list[Problem]:
    """Columns added, removed or retyped between neighbouring partitions, oldest first.

    Args:
        table: its name.
        history: (partition key, columns) in the order of time.
    """
    problems: list[Problem] = []
    for (_, before), (key, after) in pairwise(history):
        changes = [f"{shown(name)} added ({after[name][0]})" for name in after if name not in before]
        changes += [f"{shown(name)} removed" for name in before if name not in after]
        changes += [
            f"{shown(name)} retyped from {before[name][0]} to {after[name][0]}"
            for name in after
            if name in before and before[name][0] != after[name][0]
        ]
        if changes:
            more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
            found = ", ".join(changes[:5]) + more
            problems.append(Problem("warning", f"{table} {key}", found, "the columns of the partition before it"))
    return problems[-_MAX_DRIFTS:]


def _absent(where: str, column: str, columns: Columns) -> Problem:
    near = get_close_matches(column, list(columns)[:2000], n=1)
    advice = f"did you mean {shown(near[0])}?" if near else "the export has no such column; correct the settings"
    return Problem("error", where, f"no column {shown(column)}", "a column of the newest partition", advice)


def _type_problem(where: str, role: Role, column: str, found: tuple[str, Kind]) -> Problem | None:
    type_, kind = found
    if kind in role.kinds or type_ == "null" or (role.kinds == TIME and kind in ID):
        return None  # moments may come as numbers or text; whether they parse is seen in the rows
    wanted = " or ".join(role.kinds)
    return Problem(
        "error", where, f"{shown(column)} of type {type_}", f"{role.meaning} ({wanted})", "correct the export"
    )
