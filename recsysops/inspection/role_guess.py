"""Which column plays which role: by name, then by whether the content agrees, and for required roles by content alone."""

from __future__ import annotations

from dataclasses import dataclass

from recsysops.inspection.role_content import plausibility
from recsysops.inspection.synonyms import name_score, tokens
from recsysops.inspection.values import ColumnFacts, Doubt, TableSample
from recsysops.tables.contract import TABLES

MIN_SCORE = 0.3
_CLOSE = 0.2
_SURE = 0.7


@dataclass(frozen=True)
class Match:
    """A column that may play a role; ``score`` in [0, 1]."""

    role: str
    column: str
    score: float
    why: str = ""


def matches(sample: TableSample, table: str) -> list[Match]:
    """Every column that may play a role of the table by its name, best first; required roles win ties."""
    found: list[tuple[float, int, int, Match]] = []
    for order, role in enumerate(TABLES[table].roles):
        for place, column in enumerate(sample.columns):
            by_name = name_score(table, role.name, column.name)
            if by_name:
                factor, why = plausibility(role, column)
                if (table, role.name) == ("candidates", "request_id") and _is_own(column, sample):
                    factor, why = factor * 0.8, "every row has one of its own, so every slate is a single candidate"
                match = Match(role.name, column.name, by_name * factor, why)
                found.append((-match.score, order, place, match))
    return [match for *_, match in sorted(found, key=lambda entry: entry[:3]) if match.score >= MIN_SCORE]


def assign(candidates: list[Match]) -> dict[str, Match]:
    """One column per role and one role per column, greedily from the best."""
    roles: dict[str, Match] = {}
    used: set[str] = set()
    for match in candidates:
        if match.role not in roles and match.column not in used:
            roles[match.role] = match
            used.add(match.column)
    return roles


def guess_roles(sample: TableSample, table: str) -> tuple[dict[str, str], list[Doubt]]:
    """(role: column in the contract's order, doubts) for a source that is taken as ``table``."""
    candidates = matches(sample, table)
    chosen = assign(candidates)
    doubts = [doubt for match in chosen.values() if (doubt := _doubt(match, candidates, chosen, table))]
    for role in TABLES[table].required:
        if role not in chosen:
            match = _by_content(sample, role, {each.column for each in chosen.values()})
            if match:
                chosen[role] = match
            doubts.append(_missing_doubt(table, role, match))
    return {role.name: chosen[role.name].column for role in TABLES[table].roles if role.name in chosen}, doubts


def _doubt(match: Match, candidates: list[Match], chosen: dict[str, Match], table: str) -> Doubt | None:
    taken = {each.column for each in chosen.values()}
    others = tuple(
        other.column
        for other in candidates
        if other.role == match.role and other.column not in taken and other.score >= match.score - _CLOSE
    )
    if match.score >= _SURE and not others and not match.why:
        return None
    why = match.why or ("other columns fit nearly as well" if others else "only the name hints at it")
    return Doubt(f"tables.{table}.roles.{match.role}", match.column, others, why)


def _missing_doubt(table: str, role: str, match: Match | None) -> Doubt:
    where = f"tables.{table}.roles.{role}"
    if match is None:
        return Doubt(where, "", (), f"no column looks like {role}, which {table} cannot do without")
    return Doubt(where, match.column, (), f"no column is named like {role}; {match.why}")


def _by_content(sample: TableSample, role: str, used: set[str]) -> Match | None:
    free = [column for column in sample.columns if column.name not in used]
    if role in ("ts", "as_of"):
        times = [column for column in free if column.is_timelike]
        return Match(role, times[0].name, MIN_SCORE, "the first column that holds moments") if times else None
    if role in ("request_id", "item_id", "key"):
        ids = sorted((column for column in free if _is_id(column)), key=lambda column: -column.n_distinct)
        wanted = next((column for column in ids if role != "request_id" or column.n_distinct < column.n_rows), None)
        return Match(role, wanted.name, MIN_SCORE, "a column of identifiers") if wanted else None
    return None


def _is_own(column: ColumnFacts, sample: TableSample) -> bool:
    """Whether the column differs in every row of a log that is not slate-shaped."""
    has_arrays = any(each.is_list for each in sample.columns)
    return not has_arrays and column.n_present >= 50 and column.n_distinct == column.n_present


def _is_id(column: ColumnFacts) -> bool:
    is_named = bool({"id", "uuid", "key", "hash"} & set(tokens(column.name)))
    is_typed = column.kind == "categorical" or (column.kind == "numeric" and column.is_whole)
    return is_named and is_typed and not column.is_timelike and column.n_distinct > 1
