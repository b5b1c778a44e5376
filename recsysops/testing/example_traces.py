"""A small healthy log whose features were held against their sources, for detectors of what that finds."""

from __future__ import annotations

from dataclasses import replace

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.registered import with_views
from recsysops.testing.example_log import ExampleLog
from recsysops.testing.example_slates import SLATE_SCHEMA, example_slates

LINEAGE = {"item_price": "item_features.price", "item_age_days": "item_features.launch_at"}
_CANDIDATES = SLATE_SCHEMA.tables["candidates"]
TRACE_SCHEMA = with_views(
    Schema(
        {
            "candidates": replace(
                _CANDIDATES,
                columns=(
                    *_CANDIDATES.columns,
                    *(Column(name, "numeric", is_feature=True, lineage=source) for name, source in LINEAGE.items()),
                ),
            ),
            "item_features": TableSchema(
                "item_features",
                (
                    Column("key", "categorical", "key"),
                    Column("as_of", "timestamp", "as_of"),
                    Column("price", "numeric", is_feature=True),
                    Column("launch_at", "timestamp", is_feature=True),
                ),
            ),
        }
    )
)


def example_traces(n_days: int = 9, requests_per_day: int = 150, seed: int = 0) -> ExampleLog:
    """Candidates whose price is its source's and whose age is computed of it, in every row.

    Args:
        n_days: days, the last of which is judged.
        requests_per_day: sampled.
        seed: of everything.
    """
    log = example_slates(n_days, requests_per_day, seed=seed)
    candidates = log.tables["candidates"]
    names = [one.name for one in TRACE_SCHEMA.tables["traced"].columns if one.name in candidates.columns]
    traced = candidates[names].assign(item_price="same", item_age_days="days since").reset_index(drop=True)
    return ExampleLog({"candidates": candidates, "traced": traced}, TRACE_SCHEMA, log.days, seed)
