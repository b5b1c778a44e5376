"""What became of upstream values since the day before, as measures and rates: see ``recsysops.tables.views.steps``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import CellContrast, Context
from recsysops.profiles.measures import Cells
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.tables.views.steps import AGE
from recsysops.triage.detector import DetectorMeta
from recsysops.triage.evidence import lacking, not_between_cohorts, without_reference
from recsysops.triage.findings import Skipped
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import Rate

BASES = {"item_steps": "item_features", "member_steps": "member_features"}
ENTITY = {"item_features": "items", "member_features": "members"}
MISSING = ("gone", "appeared")


@dataclass(frozen=True)
class Stepped:
    """A feature of an upstream table whose steps are counted."""

    base: str
    column: str
    kind: str
    measure: Cells


def stepped(schema: Schema) -> Iterator[Stepped]:
    """Every feature of the upstream tables that the workspace has."""
    for view, base in BASES.items():
        table, own = schema.table(view), schema.table(base)
        if table is None or own is None:
            continue
        for column in table.columns:
            known = own.column(column.name)
            if column.role is None and not column.name.startswith(AGE) and known is not None:
                yield Stepped(base, column.name, known.kind, Cells(view, column.name, "frequencies"))


def without_steps(meta: DetectorMeta, context: Context, watched: Sequence[Stepped]) -> Skipped | None:
    """Why steps cannot be judged: there are no features of entities, these are cohorts, or there is no earlier day."""
    return (
        lacking(meta, watched, "needs features of items or members with as_of", "item_features")
        or not_between_cohorts(meta, context)
        or without_reference(meta, context)
    )


def cells_named(contrast: CellContrast, *names: str, prefixes: tuple[str, ...] = ()) -> tuple[int, ...]:
    """The cells of some steps, by name or by how their name begins."""
    return tuple(
        index
        for index, name in enumerate(contrast.cells)
        if index >= contrast.n_specials and (name in names or (prefixes and name.startswith(prefixes)))
    )


def step_rate(contrast: CellContrast, name: str, flagged: tuple[int, ...], *, without: tuple[str, ...] = ()) -> Rate:
    """Entities with a step over all entities with a step, without some kinds; steps never seen before are no kind of theirs."""
    left_out = set(cells_named(contrast, *without)) | {contrast.cell("null")}
    return Rate(name, flagged, tuple(index for index in range(len(contrast.cells)) if index not in left_out))


def shares(contrast: CellContrast, rate: Rate) -> tuple[npt.NDArray[np.float64], float]:
    """The rate of every reference day that has entities, and of the current ones; NaN without any."""
    days = contrast.reference[:, 0].astype(np.float64)
    now = contrast.current[:, 0].sum(axis=0).astype(np.float64)
    flagged, of = list(rate.flagged), list(rate.of)
    known = days[:, of].sum(axis=1) > 0
    reference = days[known][:, flagged].sum(axis=1) / days[known][:, of].sum(axis=1)
    total = now[of].sum()
    return np.asarray(reference), float(now[flagged].sum() / total) if total else float("nan")


def step_query(context: Context, base: str, column: str) -> str:
    """Entities whose value is another than the day before, both values beside one another."""
    key, as_of = (quote_identifier(role_column(context.schema, base, role)) for role in ("key", "as_of"))
    name, table, day = quote_identifier(column), quote_identifier(base), context.current_days[-1]
    return (
        f"SELECT n.{key}, e.{name} AS before, n.{name} AS now, n.{name} IS NOT DISTINCT FROM e.{name} AS is_same "
        f"FROM {table} n JOIN {table} e ON n.{key} = e.{key} AND CAST(e.{as_of} AS DATE) = CAST(n.{as_of} AS DATE) - 1 "
        f"WHERE CAST(n.{as_of} AS DATE) = DATE '{day}' ORDER BY is_same, n.{key} LIMIT 50"
    )
