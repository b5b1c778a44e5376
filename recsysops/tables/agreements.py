"""Pairs of columns that may tell one fact, by name or because a team says so; whether they do, the reference tells.

A pair lies within one table (the country and the language of a title) or in two that name the same item or member (its language
in the catalogue and in the features that were served). Pairs of two tables are joined by the views ``served_facts`` and ``item_facts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from recsysops.errors import ConfigError
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import CONTRACTS

ENTITIES = ("items", "item_features", "member_features")
"""Tables of one row per item or member and day: small enough to count many pairs of."""
WITHIN = ("candidates", "outcomes", *ENTITIES)
JOINS = {
    ("candidates", "item_features"): ("served_facts", "item_id", "key"),
    ("candidates", "items"): ("served_facts", "item_id", "item_id"),
    ("candidates", "member_features"): ("served_facts", "member_id", "key"),
    ("item_features", "items"): ("item_facts", "key", "item_id"),
}
"""(table, the one that is looked up) → the view of both, and the role of either that is the key."""
MAX_PAIRS = 15
"""Counted of one table, those whose names speak of one thing first."""
_TOPICS = (
    frozenset({"country", "market", "region", "territory", "locale", "language", "currency", "timezone"}),
    frozenset({"kids", "kid", "children", "adult", "maturity", "certificate", "certification", "parental"}),
    frozenset({"kind", "type", "category", "genre", "subgenre", "format", "department"}),
    frozenset({"device", "client", "platform", "os", "app"}),
)
_NUMBERS = frozenset({"maturity", "certificate", "certification"})
"""Numbers with these names are classes."""
_NAMES = frozenset(
    {"id", "ids", "key", "title", "name", "description", "synopsis", "url", "uri", "path", "seed", "hash",
     "day", "date", "dt", "partition"}
)  # fmt: skip
"""What names one thing has a value of its own for each; days are no facts about it."""
_WHOSE = {"item": ("items", "item_features"), "member": ("member_features",), "user": ("member_features",)}
_OWNERS = frozenset({"item", "member", "user", "feature", "features", "feat", "f", "original"})
_SAME = {"lang": "language", "languages": "language", "countries": "country", "genres": "genre"}
_COUNTABLE = ("categorical", "boolean")


class Side(NamedTuple):
    """A column of the user's."""

    table: str
    column: str


@dataclass(frozen=True)
class Pair:
    """Two columns that may tell one fact. ``counted`` is the table or view with both, ``names`` what they are called there."""

    counted: str
    names: tuple[str, str]
    sides: tuple[Side, Side]
    is_declared: bool = False

    @property
    def join(self) -> tuple[str, str] | None:
        """The roles by which the second table is looked up; None within one table."""
        first, second = (side.table for side in self.sides)
        return None if first == second else JOINS[first, second][1:]


def pairs_of(tables: Schema) -> tuple[Pair, ...]:
    """The pairs to count: those declared, those of two tables, those within one; the same schema gives the same pairs."""
    found: dict[frozenset[Side], Pair] = {}
    for pair in (*_declared(tables), *_across(tables), *_within(tables)):
        found.setdefault(frozenset(pair.sides), pair)
    return tuple(found.values())


def refuse_unknown(tables: Schema) -> None:
    """Every declaration must name a column that can be held against its own.

    Raises:
        ConfigError: with the key, what it names, and what it may.
    """
    for table, column, told in _stated(tables):
        where = f"tables.{table.table}.columns.{column.name}.agrees_with"
        side = _side(told, table, tables)
        other = tables.table(side.table)
        known = [one.name for one in other.columns] if other is not None else []
        if other is None or side.column not in known:
            advice = did_you_mean(side.column, known, f"tables are {', '.join(tables.tables)}")
            expected = "a column of this table, or TABLE.COLUMN"
            raise ConfigError(where, found=f"{told!r}, which there is not", expected=expected, next_step=advice)
        if side == Side(table.table, column.name):
            raise ConfigError(where, found=f"{told!r}, the column itself", expected="another column")
        if _pair(Side(table.table, column.name), side, tables, is_declared=True) is None:
            joins = "; ".join(f"{one} and {two}" for one, two in JOINS)
            raise ConfigError(
                where,
                found=f"{told!r}, which cannot be joined with {table.table}.{column.name} or is no text, number or flag",
                expected=f"two columns of one table with a clock ({', '.join(WITHIN)}), or of {joins}: roles, slices, features",
                next_step="name the column among the features, and map the keys and as_of",
            )


def sources_by_name(tables: Schema) -> dict[tuple[str, str], tuple[str, str]]:
    """(table, column) → the (table, column) of the same fact further upstream, where the names say so."""
    sides = [pair.sides for pair in _across(tables)]
    return {(one.table, one.column): (two.table, two.column) for one, two in sides}


def readable(table: TableSchema, column: Column) -> bool:
    """Whether a view's query can read the column: a role, a slice, a feature, or anything of the catalogue."""
    is_bound = column.role is not None or column.is_feature or column.name in table.slices
    return column.kind in (*_COUNTABLE, "numeric") and (is_bound or column in table.attributes)


def _declared(tables: Schema) -> Iterator[Pair]:
    for table, column, told in _stated(tables):
        pair = _pair(Side(table.table, column.name), _side(told, table, tables), tables, is_declared=True)
        if pair is not None:
            yield pair


def _stated(tables: Schema) -> Iterator[tuple[TableSchema, Column, str]]:
    for table in tables.tables.values():
        for column in table.columns:
            yield from ((table, column, told) for told in column.agrees_with)


def _side(told: str, table: TableSchema, tables: Schema) -> Side:
    """``column`` of the same table, or ``table.column``."""
    name, dot, column = told.partition(".")
    is_own = table.column(told) is not None or not dot or name not in tables.tables
    return Side(table.table, told) if is_own else Side(name, column)


def _across(tables: Schema) -> Iterator[Pair]:
    """Columns of two tables that have one name, but for whose it is; each served column against one table of items."""
    done: set[tuple[Side, str]] = set()
    for first, second in JOINS:
        base, other = tables.table(first), tables.table(second)
        if base is None or other is None:
            continue
        known = {_fact(one.name): one.name for one in reversed([one for one in other.columns if _may_tell(other, one)])}
        for column in base.columns:
            side = Side(first, column.name)
            told = known.get(_fact(column.name))
            once = (side, JOINS[first, second][1])
            if told is None or once in done or not _may_tell(base, column) or not _is_of(column, second):
                continue
            pair = _pair(side, Side(second, told), tables)
            if pair is not None:
                done.add(once)
                yield pair


def _within(tables: Schema) -> Iterator[Pair]:
    """Of entities the first pairs of all classes; of logs, which are large, those whose names speak of one thing."""
    for name in WITHIN:
        table = tables.table(name)
        if table is None:
            continue
        columns = [one for one in table.columns if _may_tell(table, one) or _is_class(table, one)]
        ranked = sorted(combinations(columns, 2), key=lambda both: not _is_one_topic(*both))
        is_small = name in ENTITIES
        wanted = [both for both in ranked if _is_one_topic(*both) or (is_small and "numeric" not in _kinds(both))]
        for one, two in wanted[:MAX_PAIRS]:
            pair = _pair(Side(name, one.name), Side(name, two.name), tables)
            if pair is not None:
                yield pair


def _pair(one: Side, two: Side, tables: Schema, *, is_declared: bool = False) -> Pair | None:
    """Both sides in the order in which they can be counted, or None if they cannot."""
    if one.table == two.table:
        table = tables.tables[one.table]
        kinds = [column.kind for side in (one, two) if (column := table.column(side.column)) is not None]
        is_sound = one.table in WITHIN and len(kinds) == 2 and set(kinds) <= {*_COUNTABLE, "numeric"}
        return (
            Pair(one.table, (one.column, two.column), (one, two), is_declared)
            if is_sound and _has(table, CONTRACTS[one.table].clock)
            else None
        )
    sides = (one, two) if (one.table, two.table) in JOINS else (two, one)
    if (sides[0].table, sides[1].table) not in JOINS:
        return None
    view, key, other = JOINS[sides[0].table, sides[1].table]
    base, looked_up = (tables.tables[side.table] for side in sides)
    if not _has(base, key) or not _has(looked_up, other) or not _has(looked_up, "as_of"):
        return None
    for side in sides:
        table = tables.tables[side.table]
        column = table.column(side.column)
        if column is None or not readable(table, column):
            return None
    return Pair(view, (".".join(sides[0]), ".".join(sides[1])), sides, is_declared)


def _has(table: TableSchema, role: str) -> bool:
    return table.role(role) is not None


def _may_tell(table: TableSchema, column: Column) -> bool:
    """Classes: texts and flags that are no names, of what the log says of members and items (roles say how they were served)."""
    is_used = column.is_feature or column.name in table.slices or column in table.attributes
    is_used = is_used or (table.table == "items" and column.role == "owner")
    return column.kind in _COUNTABLE and is_used and not _tokens(column.name) & _NAMES


def _is_class(table: TableSchema, column: Column) -> bool:
    is_used = column.is_feature or column in table.attributes
    return table.table in ENTITIES and column.kind == "numeric" and is_used and bool(_tokens(column.name) & _NUMBERS)


def _kinds(columns: Iterable[Column]) -> tuple[str, ...]:
    return tuple(one.kind for one in columns)


def _is_of(column: Column, table: str) -> bool:
    """Whether a served column can be about what the table has rows of: not if its name says otherwise."""
    said = [tables for token, tables in _WHOSE.items() if token in _tokens(column.name)]
    return not said or any(table in tables for tables in said)


def _is_one_topic(one: Column, two: Column) -> bool:
    return any(_tokens(one.name) & topic and _tokens(two.name) & topic for topic in _TOPICS)


def _tokens(name: str) -> frozenset[str]:
    return frozenset(_SAME.get(token, token) for token in name.lower().replace("-", "_").replace(".", "_").split("_"))


def _fact(name: str) -> frozenset[str]:
    """What a column tells, without whose it is: ``item_language`` and ``original_language`` are both the language."""
    tokens = _tokens(name)
    return tokens - _OWNERS or tokens


def joined_by(pairs: Iterable[Pair], view: str) -> dict[str, list[Pair]]:
    """The pairs that a view joins, by the table that it looks up."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.counted == view:
            found.setdefault(pair.sides[1].table, []).append(pair)
    return found
