"""The query that shows rows in which two columns disagree, over the user's own tables."""

from __future__ import annotations

from recsysops.profiles.history import Context
from recsysops.profiles.slices import Slice
from recsysops.tables.agreements import Pair, Side
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.dependence import Dependence
from recsysops.triage.evidence import literal, where
from recsysops.triage.own_names import role_column


def agreement_query(context: Context, pair: Pair, dependence: Dependence, slice_: Slice) -> str:
    """Pairs of values of the judged days that are not the usual ones, the most frequent first.

    Args:
        context: of the history that was judged.
        pair: the columns.
        dependence: what is usual.
        slice_: of the first column's table, in its own names.
    """
    one, two = (_value(context.schema, side, relation) for side, relation in zip(pair.sides, "ab", strict=True))
    table = quote_identifier(pair.sides[0].table)
    rows = f"(SELECT * FROM {table} {where(context, pair.sides[0].table, slice_)}) a"
    if pair.join is None:
        two = _value(context.schema, pair.sides[1], "a")
    else:
        keys = [
            quote_identifier(role_column(context.schema, side.table, key))
            for side, key in zip(pair.sides, pair.join, strict=True)
        ]
        as_of = quote_identifier(role_column(context.schema, pair.sides[1].table, "as_of"))
        rows += (
            f" JOIN (SELECT * FROM {quote_identifier(pair.sides[1].table)} "
            f"WHERE CAST({as_of} AS DATE) <= DATE '{context.current_days[-1]}' "
            f"QUALIFY row_number() OVER (PARTITION BY {keys[1]} ORDER BY {as_of} DESC) = 1) b "
            f"ON CAST(a.{keys[0]} AS VARCHAR) = CAST(b.{keys[1]} AS VARCHAR)"
        )
    unusual = f"{one} <> {two}"
    if not dependence.is_identity:
        usual = ", ".join(f"({literal(first)}, {literal(second)})" for first, second in dependence.pairs())
        unusual = f"{one} IS NOT NULL AND {two} IS NOT NULL AND ({one}, {two}) NOT IN ({usual})"
    return (
        f"SELECT {one} AS {quote_identifier(_name(pair, 0))}, {two} AS {quote_identifier(_name(pair, 1))}, count(*) AS n "
        f"FROM {rows} WHERE {unusual} GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 50"
    )


def _name(pair: Pair, index: int) -> str:
    side = pair.sides[index]
    return side.column if pair.join is None else ".".join(side)


def _value(schema: Schema, side: Side, relation: str) -> str:
    """The column as the text that was counted: whole numbers without a point."""
    table = schema.table(side.table)
    column = table.column(side.column) if table is not None else None
    name = f"{relation}.{quote_identifier(side.column)}"
    text = f"CAST({name} AS VARCHAR)"
    return f"regexp_replace({text}, '\\.0$', '')" if column is not None and column.kind == "numeric" else text
