"""``traced``: sampled candidates of a day, each feature held against the upstream value that serving could see.

A lineage says where a feature comes from, not how it is made of it. Values that are taken as they are, and a few things that serving
code makes of a time, a year or two numbers, are recognised from what they are; what is made in another way cannot be followed.
"""

from __future__ import annotations

from collections.abc import Mapping

from recsysops.tables.contract import Kind
from recsysops.tables.identifiers import quote_identifier, quote_text
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import TRACED
from recsysops.tables.views.view import Lookup, feature, slices_of

N_REQUESTS = 1000
"""Of each day: those with the smallest hash, ``recsysops replay``'s first among them."""
N_ROWS = 4
"""Of each request: features of a member are the same in all its rows, so further requests tell more than further rows."""
SALT = "replay"
DAYS_BEFORE = 8
"""How old the upstream row may be: a table that is renewed weekly has one. Older ones are not compared."""
KEYS = {"item_features": ("key", "item_id"), "member_features": ("key", "member_id"), "items": ("item_id", "item_id")}
"""Upstream tables: the role of their key, and that of candidates which holds it."""
SAME = "same"
OF_TIME = ("seconds since", "minutes since", "hours since", "days since", "whole hours since", "whole days since")
OF_NUMBER = ("years since", "difference")
MADE = (*OF_TIME, *OF_NUMBER)
"""How a feature may be made of its source: as the age of a time, of a year, or as a difference to another source."""
DIFFERENT = (
    *("missing", "unexpected_value", "defaulted", "stale", "scaled"),
    *("swapped", "wrong_key", "precision", "unexplained"),
)
"""Classes of difference, as ``recsysops.replay.differences`` has them."""
COLUMNS: dict[str, Kind] = {
    "request_id": "categorical",
    "ts": "timestamp",
    "member_id": "categorical",
    "item_id": "categorical",
}


class TracedFeatures:
    """A column per feature with a lineage, under its name: ``same``, how else it is made of its source, or how it differs.

    NULL where there is nothing to compare: no upstream row of the last days, no value on both sides, kinds that cannot be compared.
    The query gives candidates and upstream rows, told apart by ``of``; ``recsysops.replay.traced_rows`` makes the view's rows of them.
    """

    contract = TRACED
    base = "candidates"
    version = 2

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table("candidates")
        names = {name for of_table in sources_of(tables).values() for name in of_table}
        if base is None or base.role("request_id") is None or not names:
            return None
        roles = {role.name for role in TRACED.roles}
        own = [Column(name, kind, name if name in roles else None) for name, kind in COLUMNS.items()]
        own += [
            Column(one.name, "categorical", values=_values(tables, one, sources_of(tables)))
            for one in base.columns
            if one.name in names
        ]
        dims = slices_of(base, [one.name for one in own])
        return TableSchema("traced", (*own, *(Column(name, "categorical") for name in dims)), tuple(dims))

    def lookups(self, tables: Schema) -> tuple[Lookup, ...]:
        return tuple(Lookup(name, days_before=DAYS_BEFORE, is_as_of=True) for name in sources_of(tables))

    def sql(self, tables: Schema) -> str:
        base, sources = tables.tables["candidates"], sources_of(tables)
        names = [name for of_table in sources.values() for name in of_table]
        own = [*COLUMNS, *names]
        taken = [f"c.{name}" for name in COLUMNS]
        taken += [f"c.{feature(name)} AS {quote_identifier(f'feature {name}')}" for name in names]
        taken += [
            f"c.{expression} AS {quote_identifier(f'slice {name}')}"
            for name, expression in slices_of(base, own).items()
        ]
        # the lineage is part of the query, so that another one has everything counted again
        said = "; ".join(f"{name}: {table}.{one}" for table, of in sources.items() for name, one in of.items())
        return f"""
            WITH wanted AS MATERIALIZED (
                SELECT request_id FROM candidates WHERE request_id IS NOT NULL GROUP BY request_id
                QUALIFY row_number() OVER (PARTITION BY CAST(min(ts) AS DATE)
                    ORDER BY md5_number_lower('{SALT}' || request_id), request_id) <= {N_REQUESTS}
            ),
            sampled AS MATERIALIZED (
                SELECT {", ".join(taken)} FROM candidates c SEMI JOIN wanted ON c.request_id = wanted.request_id
                QUALIFY row_number() OVER (PARTITION BY c.request_id
                    ORDER BY md5_number_lower(c.request_id || c.item_id), c.item_id) <= {N_ROWS}
            )
            SELECT 'candidates' AS "of", {quote_text(said)} AS lineage, * FROM sampled
            {" ".join(_upstream(tables, table, tuple(dict.fromkeys(of.values()))) for table, of in sources.items())}
        """


def _values(tables: Schema, column: Column, sources: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """What may be said of a feature, by its kind and that of its source: each value costs a count in every slice."""
    [source] = (tables.tables[table].column(of[column.name]) for table, of in sources.items() if column.name in of)
    kinds = (column.kind, source.kind if source is not None else "other")
    made = {("numeric", "timestamp"): OF_TIME, ("numeric", "numeric"): (SAME, *OF_NUMBER)}
    return (*made.get(kinds, (SAME,)), *DIFFERENT)


def sources_of(tables: Schema) -> dict[str, Mapping[str, str]]:
    """Per upstream table of the workspace, the logged features that come from it, with the upstream column of each."""
    base = tables.table("candidates")
    found: dict[str, dict[str, str]] = {}
    for column in base.features if base is not None else ():
        table, _, source = (column.lineage or "").partition(".")
        if column.name not in COLUMNS and _is_there(tables, table, source):
            found.setdefault(table, {})[column.name] = source
    return {name: found[name] for name in KEYS if name in found}


def _is_there(tables: Schema, table: str, source: str) -> bool:
    upstream, base = tables.table(table), tables.table("candidates")
    if table not in KEYS or upstream is None or base is None or upstream.role("as_of") is None:
        return False
    column = upstream.column(source)
    is_known = column is not None and (column.is_feature or column.role is not None or column in upstream.attributes)
    return is_known and column is not None and column.kind != "other" and base.role(KEYS[table][1]) is not None


def _upstream(tables: Schema, table: str, sources: tuple[str, ...]) -> str:
    schema = tables.tables[table]
    key, asked = KEYS[table]
    seen = "available_at" if schema.role("available_at") is not None else "NULL"
    values = "".join(f", u.{_expression(schema, name)} AS {quote_identifier(f'{table} {name}')}" for name in sources)
    return (
        f'UNION ALL BY NAME SELECT {quote_text(table)} AS "of", u.{key} AS key, u.as_of, CAST({seen} AS TIMESTAMPTZ) AS available_at'
        f"{values} FROM {quote_identifier(table)} u SEMI JOIN sampled ON sampled.{asked} = u.{key}"
    )


def _expression(schema: TableSchema, name: str) -> str:
    column = schema.column(name)
    assert column is not None, "sources_of has looked"
    return quote_identifier(column.role) if column.role is not None and not column.is_feature else feature(name)
