"""``served_facts`` and ``item_facts`` against pandas, row by row, with catalogues that change their word and rows that are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsysops.tables.schema import Column, Schema
from recsysops.tables.views.registered import VIEWS
from recsysops.testing.derived_tables import derived_table
from recsysops.testing.example_agreements import AGREEMENT_TABLES, example_agreements

WORDS = np.array(["nb", "sv", "en", None], object)


def messy(seed: int) -> dict[str, pd.DataFrame]:
    """Upstream tables that change their word between days, lack it, or lack the row; one of them by the hour."""
    rng = np.random.default_rng(seed)
    tables = dict(example_agreements(n_days=5, requests_per_day=40, seed=seed).tables)
    for name, column in (("items", "language"), ("item_features", "language"), ("member_features", "market")):
        frame = tables[name].copy()
        hit = rng.random(len(frame)) < 0.3
        frame.loc[hit, column] = rng.choice(WORDS, int(hit.sum()))
        frame["as_of"] += pd.to_timedelta(rng.choice([0, 0, 7], len(frame)), unit="h")
        tables[name] = frame[rng.random(len(frame)) < 0.8].reset_index(drop=True)
    candidates = tables["candidates"].copy()
    hit = rng.random(len(candidates)) < 0.2
    candidates.loc[hit, "item_language"] = rng.choice(WORDS, int(hit.sum()))
    return {**tables, "candidates": candidates}


def second_word(known: pd.DataFrame, key: str, word: str, entity: str, at: pd.Timestamp, own: object) -> object:
    """Of the rows that held at some moment of the day: the base's own word if one of them has it, else the latest that has any."""
    rows = known[known[key] == entity].sort_values("as_of")
    until = rows["as_of"].shift(-1)
    midnight = at.normalize()
    rows = rows[(rows["as_of"] < midnight + pd.Timedelta(days=1)) & (until.isna() | (until >= midnight))]
    words = rows[word].dropna().tolist()
    return own if own in words else words[-1] if words else None


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("view", "base", "own", "by", "other", "key", "word"),
    [
        ("served_facts", "candidates", "item_language", "item_id", "item_features", "key", "language"),
        ("served_facts", "candidates", "market", "member_id", "member_features", "key", "market"),
        ("item_facts", "item_features", "language", "key", "items", "item_id", "language"),
    ],
)
def test_second_words(seed: int, view: str, base: str, own: str, by: str, other: str, key: str, word: str) -> None:
    tables = messy(seed)
    found = derived_table(view, tables, AGREEMENT_TABLES)
    assert found is not None
    clock = "ts" if base == "candidates" else "as_of"
    keys = ["request_id", "item_id"] if base == "candidates" else ["key", "as_of"]
    rows = tables[base].sort_values(keys).reset_index(drop=True)
    found = found.sort_values(keys).reset_index(drop=True)
    assert len(found) == len(rows)
    expected = [
        second_word(tables[other], key, word, entity, at, told if isinstance(told, str) else None)
        for entity, at, told in zip(rows[by], rows[clock], rows[own], strict=True)
    ]
    first = [told if isinstance(told, str) else None for told in rows[own]]
    assert found[f"{base}.{own}"].tolist() == first
    assert found[f"{other}.{word}"].tolist() == expected
    kinds = {(one is None, two is None, one == two) for one, two in zip(first, expected, strict=True)}
    assert len(kinds) >= 3, "the example lacks holes, agreement or disagreement"


def test_features_that_are_not_available_yet_are_not_known() -> None:
    table = AGREEMENT_TABLES.tables["item_features"]
    clock = Column("available_at", "timestamp", "available_at")
    schema = Schema({**AGREEMENT_TABLES.tables, "item_features": replace(table, columns=(*table.columns, clock))})
    tables = dict(example_agreements(n_days=3, requests_per_day=40).tables)
    features = tables["item_features"]
    last = features["as_of"].max()
    features = features.assign(available_at=features["as_of"] + pd.Timedelta(hours=3))
    features.loc[features["as_of"] == last, ["language", "available_at"]] = ["xx", last + pd.Timedelta(days=2)]
    found = derived_table("served_facts", {**tables, "item_features": features}, schema)
    assert found is not None
    assert (found["item_features.language"] == found["candidates.item_language"]).all()


def test_without_pairs_there_is_no_view() -> None:
    bare = Schema({"candidates": AGREEMENT_TABLES.tables["candidates"]})
    assert VIEWS["served_facts"].schema(bare) is None
    assert VIEWS["item_facts"].schema(bare) is None
