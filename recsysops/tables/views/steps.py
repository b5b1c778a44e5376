"""``item_steps``, ``member_steps``: what became of every upstream value since the day before, entity by entity.

A column of numbers says little about single entities: whether they stand still, jump by a factor or were exchanged. Held against
themselves, they do, and few of them suffice: the same entities are looked at every day.
"""

from __future__ import annotations

from recsysops.tables.contract import Kind, TableContract
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.contracts import ITEM_STEPS, MEMBER_STEPS
from recsysops.tables.views.view import Lookup, feature

N_ENTITIES = 16_384
"""Looked at per day: those whose keys have the smallest hashes, the same ones every day."""
UNITS = (10, 24, 60, 100, 1000, 3600, 86_400, 1_000_000, 1_000_000_000)
"""By which numbers change when a producer changes its unit."""
CLOSE = 0.2
"""A value within a fifth of that many times the one before counts as changed by the unit, and by a day's events."""
NUDGE, NUDGE_SECONDS = 1e-6, 130
"""What 32-bit floats do to a number, relative to it, and to a time in seconds since 1970."""
AGE = "age of "
AGES = ("later", *(str(hour) for hour in range(24)), "older")
STEPS = (
    *("same", "changed", "gone", "appeared", "zeroed", "nudged"),
    *(f"{sign} {unit}" for unit in UNITS for sign in ("times", "over")),
)


class Steps:
    """Steps of the features of one upstream table.

    The column named as a feature is ``same``, ``changed``, ``gone`` (it was known), ``appeared``, ``zeroed`` (it was another number),
    ``nudged`` (by as little as a loss of precision), ``times 60`` or ``over 60`` (by a unit); NULL where it was and is missing, and for
    entities without a row of the day before. ``age of F`` is how many whole hours a time lies before the row's as-of time, ``older``
    than a day or ``later`` than it.
    """

    contract: TableContract
    base: str
    version = 2

    def schema(self, tables: Schema) -> TableSchema | None:
        base = tables.table(self.base)
        if base is None or base.role("as_of") is None or not _watched(base):
            return None
        own: list[Column] = [Column("key", "categorical", "key"), Column("as_of", "timestamp", "as_of")]
        own += [Column(one.name, "categorical", values=STEPS) for one in _watched(base)]
        own += [Column(AGE + one.name, "categorical", values=AGES) for one in _watched(base) if one.kind == "timestamp"]
        return TableSchema(self.contract.name, tuple(own))

    def lookups(self, _tables: Schema) -> tuple[Lookup, ...]:
        return (Lookup(self.base, days_before=1, is_as_of=True, alias="earlier"),)

    def sql(self, tables: Schema) -> str:
        watched = _watched(tables.tables[self.base])
        steps = "".join(f", {_step(one.name, one.kind)} AS {quote_identifier(one.name)}" for one in watched)
        ages = "".join(
            f", {_age(one.name)} AS {quote_identifier(AGE + one.name)}" for one in watched if one.kind == "timestamp"
        )
        return f"""
            WITH latest AS (
                SELECT *, CAST(as_of AS DATE) AS day FROM {quote_identifier(self.base)} WHERE key IS NOT NULL AND as_of IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY key, day ORDER BY as_of DESC) = 1
            ),
            n AS (SELECT * FROM latest QUALIFY row_number() OVER (PARTITION BY day ORDER BY hash(key), key) <= {N_ENTITIES}),
            e AS (
                SELECT *, CAST(as_of AS DATE) AS day FROM earlier SEMI JOIN n ON earlier.key = n.key
                QUALIFY row_number() OVER (PARTITION BY earlier.key, CAST(earlier.as_of AS DATE) ORDER BY earlier.as_of DESC) = 1
            )
            SELECT n.key, n.as_of{steps}{ages}
            FROM n LEFT JOIN e ON e.key = n.key AND e.day = n.day - 1
        """


def _watched(base: TableSchema) -> tuple[Column, ...]:
    """The features that can be told from themselves the day before."""
    return tuple(one for one in base.features if one.kind != "other" and one.name not in ("key", "as_of"))


def _age(name: str) -> str:
    time = f"n.{feature(name)}"
    hours = f"date_diff('millisecond', {time}, n.as_of) // 3600000"
    return (
        f"CASE WHEN {time} IS NULL THEN NULL WHEN {time} > n.as_of THEN 'later' WHEN {hours} >= 24 THEN 'older' "
        f"ELSE CAST({hours} AS VARCHAR) END"
    )


def _step(name: str, kind: Kind) -> str:
    now, then = f"n.{feature(name)}", f"e.{feature(name)}"
    tests = [
        f"WHEN e.key IS NULL OR ({now} IS NULL AND {then} IS NULL) THEN NULL",
        f"WHEN {now} IS NULL THEN 'gone' WHEN {then} IS NULL THEN 'appeared' WHEN {now} = {then} THEN 'same'",
    ]
    if kind == "numeric":
        ratios = (
            f"WHEN abs({now} / nullif({then}, 0) / {unit} - 1) <= {CLOSE} THEN 'times {unit}' "
            f"WHEN abs({then} / nullif({now}, 0) / {unit} - 1) <= {CLOSE} THEN 'over {unit}'"
            for unit in UNITS
        )
        tests += [
            f"WHEN isnan({now}) AND isnan({then}) THEN NULL WHEN isnan({now}) THEN 'gone' WHEN isnan({then}) THEN 'appeared'",
            f"WHEN {now} = 0 THEN 'zeroed' WHEN abs({now} - {then}) <= {NUDGE} * abs({then}) THEN 'nudged'",
            *ratios,
        ]
        tests[1] = tests[1].replace(f"WHEN {now} = {then}", f"WHEN {now} = {then} AND NOT isnan({now})")
    if kind == "timestamp":
        tests.append(f"WHEN abs(date_diff('millisecond', {then}, {now})) <= {1000 * NUDGE_SECONDS} THEN 'nudged'")
    return f"CASE {' '.join(tests)} ELSE 'changed' END"


class ItemSteps(Steps):
    """Steps of the features of items."""

    contract = ITEM_STEPS
    base = "item_features"


class MemberSteps(Steps):
    """Steps of the features of members."""

    contract = MEMBER_STEPS
    base = "member_features"
