"""How well the slice that was named fits the one that was broken: rows in both beside rows in either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from recsysops.drills.fault import Truth
from recsysops.drills.rows import Mask
from recsysops.drills.scorecard.matching import where_of
from recsysops.incidents.incident import Incident
from recsysops.triage.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.table import Table


@dataclass(frozen=True)
class Scope:
    """Rows with these values (column → value) that are of one of these items, if any are named."""

    slice: Mapping[str, str] = field(default_factory=dict)
    items: tuple[str, ...] = ()

    @classmethod
    def of_truth(cls, truth: Truth) -> Scope:
        """Where the fault is."""
        return cls(dict(truth.slice), truth.items)

    @classmethod
    def of_incident(cls, incident: Incident, findings: Mapping[str, Finding]) -> Scope:
        """Where the incident says it is."""
        head = findings.get(incident.finding_ids[0]) if incident.finding_ids else None
        is_item = head is not None and head.subject.kind == "item"
        return cls(where_of(incident).to_dict(), (head.subject.id,) if head is not None and is_item else ())

    def columns(self, item_id: str) -> tuple[str, ...]:
        """The columns by which its rows are known."""
        return (*self.slice, *([item_id] if self.items else []))

    def mask(self, rows: pa.Table, item_id: str) -> Mask:
        """(n_rows,) which rows are in it; values are compared as texts."""
        inside = np.ones(rows.num_rows, bool)
        for column, value in self.slice.items():
            inside &= _is_one_of(rows, column, [value])
        return inside & _is_one_of(rows, item_id, self.items) if self.items else inside


def _is_one_of(rows: pa.Table, column: str, values: Sequence[Any]) -> Mask:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array([str(value) for value in values], pa.string())
    return np.asarray(pc.is_in(rows.column(column).cast(pa.string()), wanted).to_numpy(), bool)


def columns_needed(candidates: Table, *scopes: Scope) -> tuple[str, ...] | None:
    """The columns that decide which rows are in the scopes; None if the candidates lack one."""
    item = candidates.schema.role("item_id")
    names = tuple(dict.fromkeys(name for scope in scopes for name in scope.columns(item.name if item else "")))
    is_there = all(name and candidates.schema.column(name) is not None for name in names)
    return names if is_there else None


def scope_overlap(rows: pa.Table, found: Scope, true: Scope, item_id: str) -> float:
    """Rows in both scopes beside rows in either, in [0, 1]; 0 when neither has a row.

    Args:
        rows: of the first day with the fault, with the columns of both scopes.
        item_id: name of the items' column.
    """
    one, other = found.mask(rows, item_id), true.mask(rows, item_id)
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else 0.0
