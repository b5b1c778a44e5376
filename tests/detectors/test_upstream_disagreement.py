"""Facts that are told twice and part: found on the side that moved, with a query that shows them; plans and gaps are no finding."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from recsysops import registry
from recsysops.tables.schema import Schema
from recsysops.tables.views.registered import with_views
from recsysops.testing.example_agreements import AGREEMENT_TABLES, example_agreements
from recsysops.testing.example_log import ExampleLog, findings, verdicts
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding, Looked, Skipped

HEALTHY = example_agreements()
DETECTOR: Detector = next(
    made(made.Params())
    for plugin in registry.plugins("detectors")
    if plugin.name == "input.upstream_disagreement" and (made := plugin.load())
)
MEMBERS = [f"m{one}" for one in range(80)]


def of_item(log: ExampleLog, table: str, column: str, value: str, item: str = "item_7") -> ExampleLog:
    key = "item_id" if table == "items" else "key"
    return log.set(table, column, value, where=f"{key} == '{item}'")


FAULTS = {
    "one title with another country": (of_item(HEALTHY, "items", "country", "NO"), "items", "country"),
    "one title with another language": (of_item(HEALTHY, "items", "language", "sv"), "items", "language"),
    "one feature row with another genre": (of_item(HEALTHY, "item_features", "genre", "poetry"), "item_features", "genre"),
    "served with another language": (
        HEALTHY.set("candidates", "item_language", "en", rate=0.2), "candidates", "item_language"
    ),
    "served without a language": (HEALTHY.set("candidates", "item_language", "", rate=0.03), "candidates", "item_language"),
    "logged with another market": (HEALTHY.set("candidates", "market", "DK", rate=0.1), "candidates", "market"),
    "members moved": (HEALTHY.set("member_features", "market", "DK", where=f"key in {MEMBERS}", days=2), "member_features", "market"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found_where_it_is(name: str) -> None:
    log, table, column = FAULTS[name]
    found = findings(DETECTOR, log)
    assert (table, column) in {(one.table, one.column) for one in found}, [one.headline for one in found]
    assert {one.severity for one in found} == {"warning"}


@pytest.mark.parametrize("name", FAULTS)
def test_its_query_shows_what_pandas_finds(name: str) -> None:
    log, table, column = FAULTS[name]
    found = next(one for one in findings(DETECTOR, log) if (one.table, one.column) == (table, column))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for one, frame in log.tables.items():
            connection.register(one, frame)
        shown = connection.sql(found.query).df()
    assert len(shown)
    expected = by_hand(log, found)
    assert dict(zip(zip(shown.iloc[:, 0], shown.iloc[:, 1], strict=True), shown["n"], strict=True)) == expected


def by_hand(log: ExampleLog, found: Finding) -> dict[tuple[str, str], int]:
    """Pairs of the judged day that the days before never had, from the rows."""
    tables = {
        name: frame[frame["ts" if "ts" in frame else "as_of"].dt.date == log.days[-1]]
        for name, frame in log.tables.items()
    }
    if "country and language of items" in found.headline:
        rows = tables["items"][["country", "language"]]
        before = log.tables["items"]
        before = before[before["as_of"].dt.date < log.days[-1]].groupby("country")["language"].first()
        rows = rows[rows["language"] != rows["country"].map(before)]
    else:
        words = found.headline.split(" disagree")[0].split(" and ")
        (base, own), (other, word) = (one.split(".") for one in words)
        key = {"candidates": "member_id" if other == "member_features" else "item_id", "item_features": "key"}[base]
        known = tables[other].set_index("item_id" if other == "items" else "key")[word]
        rows = pd.DataFrame({"one": tables[base][own], "two": tables[base][key].map(known)})
        rows = rows[rows["one"] != rows["two"]]
    return {(str(one), str(two)): len(part) for (one, two), part in rows.groupby(list(rows.columns))}


def both(log: ExampleLog, old: str, new: str, n: int) -> ExampleLog:
    """Some members get another market on the judged day, in their features and in the log."""
    members = [f"m{one}" for one in range(n)]
    log = log.set("member_features", "market", new, where=f"key in {members} and market == '{old}'")
    return log.set("candidates", "market", new, where=f"member_id in {members} and market == '{old}'")


def one_by_one(log: ExampleLog, value: str) -> ExampleLog:
    """A title retagged in the catalogue, in the features and in the log."""
    log = of_item(of_item(log, "items", "genre", value), "item_features", "genre", value)
    return log.set("candidates", "item_genre", value, where="item_id == 'item_7'")


HARMLESS = {
    "healthy": HEALTHY,
    "a new market": both(HEALTHY, "NO", "FI", 40),
    "members that moved, told by both": both(HEALTHY, "NO", "SE", 40),
    "a title retagged everywhere": one_by_one(HEALTHY, "poetry"),
    "a new country with a new language": of_item(
        of_item(HEALTHY, "items", "country", "FI"), "items", "language", "fi", "x"
    ),
    "missing on one side": HEALTHY.set("candidates", "item_language", None, rate=0.3),
    "another mix of items": HEALTHY.drop("candidates", rate=0.6, where="item_language == 'nb'"),
    "no catalogue today": HEALTHY.drop("items"),
    "features that lag by a day": of_item(HEALTHY, "item_features", "language", "nb", "x"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_disagreement_is_not_found(name: str) -> None:
    said = verdicts(DETECTOR, HARMLESS[name])
    assert not [one.headline for one in said if isinstance(one, Finding)]
    assert any(isinstance(one, Looked) and one.n_series >= 6 for one in said)


def test_a_catalogue_that_speaks_first_is_not_contradicted_on_that_day() -> None:
    """Features and log have yesterday's word on the day of a retagging, and the new one from then on."""
    log = of_item(HEALTHY.set("items", "genre", "poetry", where="item_id == 'item_7'", days=1), "items", "title", "new")
    told = [one for one in findings(DETECTOR, log) if "item_features" in one.headline or "candidates" in one.headline]
    assert not told


def test_a_column_that_parts_from_two_others_is_told_once() -> None:
    found = findings(DETECTOR, of_item(HEALTHY, "items", "language", "xx"))
    assert [(one.table, one.column) for one in found] == [("items", "language")]
    many = findings(DETECTOR, HEALTHY.set("candidates", "item_language", "xx", rate=0.5).set("items", "genre", "x"))
    assert len({one.id for one in many}) == len(many)


def test_a_slice_is_told_where_it_is_alone() -> None:
    found = findings(DETECTOR, HEALTHY.set("candidates", "item_language", "xx", where="market == 'DK'"))
    assert [str(one.slice) for one in found if one.value > 0.9] == ["market=DK"]


@pytest.mark.parametrize("seed", range(3))
def test_healthy_logs_are_silent(seed: int) -> None:
    assert not findings(DETECTOR, example_agreements(seed=10 + seed))


def test_exceptions_that_always_were_are_no_rule() -> None:
    log = of_item(HEALTHY, "items", "country", "NO", "item_4")
    frame = log.tables["items"].copy()
    frame.loc[frame["item_id"].isin(["item_4", "item_11"]), "country"] = "US"
    frame.loc[frame["item_id"].isin(["item_4", "item_11"]), "language"] = "nb"
    log = replace(log, tables={**log.tables, "items": frame})
    again = of_item(log, "items", "language", "sv")
    assert not [one for one in findings(DETECTOR, again) if "country" in one.headline]


def declared(table: str, column: str, *told: str) -> ExampleLog:
    """The healthy log with one declaration."""
    stated = AGREEMENT_TABLES.tables[table]
    columns = tuple(replace(one, agrees_with=told) if one.name == column else one for one in stated.columns)
    schema = Schema({**AGREEMENT_TABLES.tables, table: replace(stated, columns=columns)})
    return replace(HEALTHY, schema=with_views(schema))


def test_declared_pairs_are_judged_however_they_are_called() -> None:
    log = declared("items", "country", "candidates.item_language")
    log = log.set("candidates", "item_language", "en", rate=0.2)
    assert any("candidates.item_language and items.country disagree" in one.headline for one in findings(DETECTOR, log))


def test_declared_pairs_that_do_not_agree_are_told() -> None:
    said = verdicts(DETECTOR, declared("candidates", "market", "item_genre"))
    (skipped,) = [one for one in said if isinstance(one, Skipped)]
    assert skipped.column == "market"
    assert "candidates.item_genre" in skipped.reason


def test_measures_are_few_and_none_without_pairs() -> None:
    schema = HEALTHY.schema
    assert len(list(DETECTOR.measures(schema))) <= 40
    assert not list(DETECTOR.measures(Schema({})))
