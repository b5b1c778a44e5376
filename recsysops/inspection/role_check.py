"""Roles that are mapped and roles that are not, with what each missing one costs."""

from __future__ import annotations

from recsysops.config.settings import TableSettings
from recsysops.inspection.report import Problem
from recsysops.tables.contract import TABLES


def missing_roles(table: str, settings: TableSettings) -> dict[str, str]:
    """role: what it would unlock, for the roles that are not mapped."""
    return {
        role.name: role.unlocks or "anything at all" for role in TABLES[table].roles if role.name not in settings.roles
    }


def role_problems(table: str, settings: TableSettings) -> list[Problem]:
    """An error per required role that is missing; a note of what the optional ones would unlock; columns in two roles."""
    where = f"tables.{table}.roles"
    problems = [
        Problem("error", f"{where}.{role}", "no column", TABLES[table].role(role).meaning, f"map {role}: to a column")  # type: ignore[union-attr]
        for role in TABLES[table].required
        if role not in settings.roles
    ]
    by_column: dict[str, list[str]] = {}
    for role, column in settings.roles.items():
        by_column.setdefault(column, []).append(role)
    for column, roles in by_column.items():
        if len(roles) > 1:
            problems.append(Problem("error", where, f"column {column!r} as {' and '.join(roles)}", "one role each"))
    return problems
