"""The facts about an item that may be wrong: what they were, since when, and what putting them right would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsysops.cases.diagnosis import Diagnosis
from recsysops.reporting.drawing import known
from recsysops.reporting.lines import NARROW, Column
from recsysops.reporting.numbers import NOTHING, interval, number
from recsysops.reporting.page_table import PageTable
from recsysops.reporting.plain import literal
from recsysops.reporting.stamps import stamp_text

CAPTION = (
    "Gap: the item's raw score beside the peers in the same requests, less that of the reference. Closes: the share of it that "
    "comes back when the fact is put right; told where the score fell beyond chance"
)


def facts_table(rows: Sequence[Mapping[str, Any]]) -> PageTable:
    """A row for each suspect of the step ``item.facts``."""
    columns = (
        Column("fact", tuple(literal(row["entity"], 80) for row in rows)),
        Column("before → now", tuple(change_text(row) for row in rows)),
        Column("since (UTC)", tuple(stamp_text(row["since"]) for row in rows), is_number=True),
        Column("features made of it", tuple(literal(", ".join(row["features"]), 160) or NOTHING for row in rows)),
        Column("gap", tuple(_gap(row) for row in rows), is_number=True),
        Column("against", tuple(literal(row["reference"] or NOTHING) for row in rows)),
        Column("closes", tuple(_closes(row) for row in rows), is_number=True),
        Column("odd with", tuple(literal(row["odd_with"], 80) or NOTHING for row in rows)),
        Column("plan on record", tuple(literal(row["plan"], 120) or NOTHING for row in rows)),
    )
    return PageTable(CAPTION, tuple(column for column in columns if set(column.values) != {NOTHING}))


def suspect_fact(diagnosis: Diagnosis) -> Mapping[str, Any] | None:
    """The row of the fact that the verdict is about; of several changes of it the one that the proof is of."""
    facts, verdict = diagnosis.step("item.facts"), diagnosis.verdict
    rows = [row for row in facts.rows if row["entity"] == verdict.entity] if facts is not None else []
    proved = [row for row in rows if verdict.proof is not None and row["closes"] == verdict.proof.value]
    return next(iter(proved or rows), None)


def change_text(row: Mapping[str, Any]) -> str:
    """``'nb' → 'fo'``."""
    if row["since"] is None:
        return "never had a value"
    return f"{_value(row['before'])}{NARROW}→{NARROW}{_value(row['now'])}"


def _value(value: Any) -> str:
    if value is None or value != value:
        return "no value"
    return f"{value:.6g}" if isinstance(value, float) else literal(repr(value), 60)


def _gap(row: Mapping[str, Any]) -> str:
    if known(row["gap"]) is None:
        return NOTHING
    return f"{number(row['gap'])} {interval(row['gap_low'], row['gap_high'])}"


def _closes(row: Mapping[str, Any]) -> str:
    """As whole percents, like the words of the proof."""
    if known(row["closes"]) is None:
        return NOTHING
    if row["gap_high"] >= 0:
        return "no loss"
    value, low, high = (f"{100 * row[key]:.0f}".replace("-", "−") for key in ("closes", "closes_low", "closes_high"))
    return f"{value}{NARROW}% [{low}, {high}]".replace(", ", f",{NARROW}")
