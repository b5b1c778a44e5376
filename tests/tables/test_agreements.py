"""Which columns may tell one fact: by name, by declaration, and what is said of declarations that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recsysops.config.load import load_settings
from recsysops.errors import ConfigError
from recsysops.tables.agreements import MAX_PAIRS, WITHIN, pairs_of
from recsysops.tables.open_tables import open_tables, schema_of
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.example_agreements import AGREEMENT_TABLES, example_agreements

FILES = """
tables:
  candidates:
    source: {path: candidates.parquet}
    roles: {request_id: request_id, ts: ts, item_id: item_id, member_id: member_id, position: position}
    features: [item_genre]
    slices: [market]
    columns: {COLUMNS}
  items:
    source: {path: items.parquet}
    roles: {item_id: item_id, as_of: as_of}
  item_features:
    source: {path: item_features.parquet}
    roles: {key: key, as_of: as_of}
    features: [language, genre]
"""


def workspace(folder: Path, columns: str) -> Schema:
    for name, frame in example_agreements(n_days=2, requests_per_day=20).tables.items():
        frame.to_parquet(folder / f"{name}.parquet")
    (folder / "recsysops.yaml").write_text(FILES.replace("{COLUMNS}", columns), encoding="utf-8")
    return schema_of(open_tables(load_settings(folder / "recsysops.yaml", environ={}), folder))


def names(schema: Schema) -> list[tuple[str, str, bool]]:
    return [(".".join(pair.sides[0]), ".".join(pair.sides[1]), pair.is_declared) for pair in pairs_of(schema)]


def test_pairs_are_found_by_name() -> None:
    found = [(one, two) for one, two, is_declared in names(AGREEMENT_TABLES) if not is_declared]
    assert found == [
        ("candidates.item_language", "item_features.language"),
        ("candidates.item_genre", "item_features.genre"),
        ("candidates.market", "member_features.market"),
        ("item_features.language", "items.language"),
        ("item_features.genre", "items.genre"),
        ("candidates.item_language", "candidates.market"),
        ("items.country", "items.language"),
        ("items.country", "items.genre"),
        ("items.language", "items.genre"),
        ("item_features.language", "item_features.genre"),
    ]


def test_a_feature_of_members_is_not_held_against_items() -> None:
    table = AGREEMENT_TABLES.tables["candidates"]
    about = replace(table, columns=(*table.columns, Column("member_language", "categorical", is_feature=True)))
    found = names(Schema({**AGREEMENT_TABLES.tables, "candidates": about}))
    assert not [one for one in found if one[0] == "candidates.member_language" and one[1].startswith("item")]


@pytest.mark.parametrize("n", [3, 40])
def test_wide_tables_give_few_pairs(n: int) -> None:
    columns = tuple(Column(f"c{one}", "categorical", is_feature=True) for one in range(n))
    clocks = {name: "as_of" if name.endswith(("s", "features")) else "ts" for name in WITHIN}
    clocks |= {"candidates": "ts", "outcomes": "ts"}
    tables = {name: TableSchema(name, (Column(clock, "timestamp", clock), *columns)) for name, clock in clocks.items()}
    found = names(Schema({name: table for name, table in tables.items() if name != "items"}))
    assert not [one for one in found if one[0].startswith(("candidates", "outcomes"))]
    assert max(sum(one[0].startswith(name) for one in found) for name in WITHIN) == min(MAX_PAIRS, n * (n - 1) // 2)


@pytest.mark.parametrize("told", ["items.country", "country_of_session"])
def test_declared_pairs_come_first(tmp_path: Path, told: str) -> None:
    if told == "items.country":
        found = names(workspace(tmp_path, "{item_genre: {agrees_with: [items.country, item_features.genre]}}"))
        assert found[:2] == [
            ("candidates.item_genre", "items.country", True),
            ("candidates.item_genre", "item_features.genre", True),
        ]
    else:
        found = names(workspace(tmp_path, "{market: {agrees_with: [item_language]}}"))
        assert found[0] == ("candidates.market", "candidates.item_language", True)
    assert sum(is_declared for *_, is_declared in found) == (2 if told == "items.country" else 1)


@pytest.mark.parametrize(
    ("columns", "key", "said"),
    [
        ("{item_genre: {agrees_with: [items.contry]}}", "item_genre", "did you mean"),
        ("{item_genre: {agrees_with: [catalogue.genre]}}", "item_genre", "which there is not"),
        ("{item_genre: {agrees_with: [genre]}}", "item_genre", "a column of this table, or TABLE.COLUMN"),
        ("{item_genre: {agrees_with: [item_genre]}}", "item_genre", "the column itself"),
        ("{item_genre: {agrees_with: [items.as_of]}}", "item_genre", "name the column among the features"),
        ("{item_language: {agrees_with: [items.language]}}", "item_language", "name the column among the features"),
        ("{item_genre: {agrees_with: items.genre}}", "item_genre", "list"),
    ],
)
def test_declarations_that_cannot_be_are_refused(tmp_path: Path, columns: str, key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"tables.candidates.columns.{key}.agrees_with") as refused:
        workspace(tmp_path, columns)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
