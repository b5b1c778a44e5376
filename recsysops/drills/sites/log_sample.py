"""Rows of the last days of a log of candidates, and what an ordinary day of them is like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsysops.drills.site import ColumnFacts
from recsysops.drills.sites.column_facts import Grouped, category_facts, codes_of, number_facts

if TYPE_CHECKING:
    import pyarrow as pa

    from recsysops.tables.schema import TableSchema

N_ITEMS = 50
MAX_SLICE_VALUES = 50
NUMERIC_ROLES = ("score", "price")


class LogSample:
    """Rows of some days, and what they say."""

    def __init__(self, schema: TableSchema, days: Sequence[pa.Table]) -> None:
        import pyarrow as pa

        self._schema = schema
        self._days = days
        self._rows = pa.concat_tables(days, promote_options="permissive").combine_chunks()
        self._day = np.repeat(np.arange(len(days)), [len(day) for day in days])
        items = self._rows.column(self._name("item_id")).filter(self._shown())
        counts = sorted(_counts(items).items(), key=lambda each: (-each[1], each[0]))
        self.n_impressions = int(np.count_nonzero(self._shown().to_numpy(zero_copy_only=False)))
        self.item_ids = tuple(name for name, _ in counts[:N_ITEMS])
        self.top_item_share = counts[0][1] / self.n_impressions if counts else 0.0

    def _name(self, role: str) -> str:
        column = self._schema.role(role)
        return column.name if column is not None else ""

    def _shown(self) -> pa.Array:
        """What the log calls an impression: as it says, else rows with a position, else all."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if shown := self._name("shown"):
            return pc.fill_null(self._rows.column(shown).cast(pa.bool_()), False).combine_chunks()
        if position := self._name("position"):
            return pc.is_valid(self._rows.column(position)).combine_chunks()
        return pa.array(np.ones(len(self._rows), bool))

    def distinct(self, role: str) -> float:
        """Different values on an ordinary day; 0 without the role."""
        import pyarrow.compute as pc

        name = self._name(role)
        return float(np.mean([pc.count_distinct(day.column(name)).as_py() for day in self._days])) if name else 0.0

    def columns(self) -> Mapping[str, ColumnFacts]:
        """Facts of the features, and of the numeric roles that are mapped, under the names that faults know them by."""
        roles = {role: column for role in NUMERIC_ROLES if (column := self._schema.role(role)) is not None}
        played = {column.name for column in roles.values()}
        named = {one.name: one for one in self._schema.features if one.name not in played} | roles
        grouped = self._grouped()
        return {
            name: (number_facts if column.kind == "numeric" else category_facts)(self._of(column.name), grouped)
            for name, column in named.items()
            if column.kind in ("numeric", "categorical", "boolean")
        }

    def _of(self, name: str) -> pa.Array:
        column = self._rows.column(name)
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

    def _grouped(self) -> Grouped:
        rows = self._rows
        requests = rows.column(self._name("request_id"))
        member = self._name("member_id")
        return Grouped.of(
            codes_of(requests),
            codes_of(rows.column(member), self._day) if member else None,
            codes_of(rows.column(self._name("item_id")), self._day),
        )

    def slices(self) -> Mapping[str, Mapping[str, float]]:
        """Shares of the values of each dimension, largest first; NULL is none of them."""
        n_rows = max(len(self._rows), 1)
        return {
            name: {value: n / n_rows for value, n in _largest(_counts(self._rows.column(name)), MAX_SLICE_VALUES)}
            for name in self._schema.slices
        }


def _counts(values: pa.ChunkedArray | pa.Array) -> Mapping[str, int]:
    """Rows by value as text; NULL is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.value_counts(values.drop_null().cast(pa.string()))
    return {one["values"]: one["counts"] for one in found.to_pylist()}


def _largest(counts: Mapping[str, int], n: int) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:n]
