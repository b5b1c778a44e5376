"""``served_facts``, ``item_facts``: what one table says of an item or member beside what another says of it, row by row.

A copy lags: on the day on which the other table changes its word, either of its two words counts as the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from recsysops.tables.agreements import JOINS, Pair, joined_by, pairs_of
from recsysops.tables.contract import Kind
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import ITEM_FACTS, SERVED_FACTS
from recsysops.tables.views.requests import is_shown
from recsysops.tables.views.view import Lookup, dimension, feature, select_dimensions, view_schema

DAYS = {"items": 45, "item_features": 3, "member_features": 3}
"""How far back the last word of each table may lie: catalogues may be kept as changes only."""


class ServedFacts:
    """Impressions with facts of the log beside what the upstream tables say of the item and the member.

    Each pair of ``recsysops.tables.agreements`` has two columns of texts, ``TABLE.COLUMN``: NULL where a table does not say.
    """

    contract = SERVED_FACTS
    base = "candidates"
    version = 1

    def schema(self, tables: Schema) -> TableSchema | None:
        base, columns = tables.table(self.base), _columns(tables, self.contract.name)
        kept: dict[str, Kind] = {"request_id": "categorical", "ts": "timestamp", "item_id": "categorical"}
        return view_schema(self.contract, base, {**kept, **columns}) if base is not None and columns else None

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        return _lookups(tables, self.contract.name)

    def sql(self, tables: Schema) -> str:
        base = tables.tables[self.base]
        dims = select_dimensions(base, _columns(tables, self.contract.name), "b")
        rows = f"SELECT *, CAST(ts AS DATE) AS day FROM candidates WHERE request_id IS NOT NULL AND {is_shown(base)}"
        return _joined(tables, self.contract.name, base, rows, f"b.request_id, b.ts, b.item_id{dims}")


class ItemFacts:
    """Rows of item features with facts of theirs beside what the catalogue says; columns as in ``ServedFacts``."""

    contract = ITEM_FACTS
    base = "item_features"
    version = 1

    def schema(self, tables: Schema) -> TableSchema | None:
        columns = _columns(tables, self.contract.name)
        own = (Column("key", "categorical", "key"), Column("as_of", "timestamp", "as_of"))
        told = tuple(Column(name, kind) for name, kind in columns.items())
        return TableSchema(self.contract.name, (*own, *told)) if columns else None

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        return _lookups(tables, self.contract.name)

    def sql(self, tables: Schema) -> str:
        rows = "SELECT *, CAST(coalesce(available_at, as_of) AS DATE) AS day FROM item_features WHERE as_of IS NOT NULL"
        return _joined(tables, self.contract.name, tables.tables[self.base], rows, "b.key, b.as_of")


def _columns(tables: Schema, view: str) -> dict[str, Kind]:
    pairs = [pair for pairs in joined_by(pairs_of(tables), view).values() for pair in pairs]
    return dict.fromkeys((name for pair in pairs for name in pair.names), "categorical")


def _lookups(tables: Schema, view: str) -> tuple[Lookup, ...]:
    named = joined_by(pairs_of(tables), view)
    return tuple(Lookup(name, days_before=DAYS[name], is_as_of=True) for name in named)


def _joined(tables: Schema, view: str, base: TableSchema, rows: str, kept: str) -> str:
    """The base's rows with both words of every pair; each other table is joined once."""
    told: dict[str, str] = {}
    joins = []
    for number, (name, pairs) in enumerate(joined_by(pairs_of(tables), view).items()):
        other, (_, by, key) = tables.tables[name], JOINS[base.table, name]
        told |= {pair.names[0]: _text(base, pair.sides[0].column, "b") for pair in pairs}
        seconds = {pair.names[1]: pair for pair in pairs}
        told |= {
            second: _second(told[pair.names[0]], f"k{number}", place)
            for place, (second, pair) in enumerate(seconds.items())
        }
        joins.append(
            f"LEFT JOIN ({_known(other, by, key, list(seconds.values()))}) k{number} ON k{number}.key = b.{by} AND k{number}.day = b.day"
        )
    columns = ", ".join(f"{value} AS {quote_identifier(name)}" for name, value in told.items())
    return f"WITH b AS ({rows}) SELECT {kept}, {columns} FROM b {' '.join(joins)}"


def _second(first: str, known: str, place: int) -> str:
    """The other table's word: the base's own if it is among the words that count on the day, else the last one."""
    return f"CASE WHEN list_contains({known}.all_{place}, {first}) THEN {first} ELSE {known}.last_{place} END"


def _known(other: TableSchema, by: str, key: str, pairs: Sequence[Pair]) -> str:
    """For every entity and day of the base: the words of the other table that count on it, and the last of them."""
    since = "coalesce(available_at, as_of)" if other.table != "items" else "as_of"
    words = "".join(
        f", list(DISTINCT {word}) AS all_{place}, arg_max({word}, u.since) AS last_{place}"
        for place, pair in enumerate(pairs)
        for word in (_text(other, pair.sides[1].column, "u"),)
    )
    return (
        f"SELECT a.key, a.day{words} FROM (SELECT DISTINCT {by} AS key, day FROM b) a JOIN ("
        f"SELECT *, {since} AS since, lead({since}, 1, TIMESTAMPTZ 'infinity') OVER (PARTITION BY {key} ORDER BY {since}) AS until "
        f"FROM {other.table} WHERE as_of IS NOT NULL) u "
        f"ON u.{key} = a.key AND u.since < CAST(a.day + 1 AS TIMESTAMPTZ) AND u.until >= CAST(a.day AS TIMESTAMPTZ) "
        f"GROUP BY a.key, a.day"
    )


def _text(table: TableSchema, name: str, relation: str) -> str:
    column = table.column(name)
    if column is not None and (column.is_feature or column in table.attributes):
        value = feature(name)
    else:
        value = dimension(name) if name in table.slices else quote_identifier(str(column and column.role))
    return f"CAST({relation}.{value} AS VARCHAR)"
