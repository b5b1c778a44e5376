"""Features beside their sources, judged: what rises, where it is, what is usual, and what could not be looked at."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from recsysops import registry
from recsysops.tables.schema import Schema
from recsysops.tables.views.traced import DIFFERENT
from recsysops.testing.example_log import ExampleLog, findings, verdicts
from recsysops.testing.example_traces import TRACE_SCHEMA, example_traces
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding, Looked, Skipped

MADE = {one.name: one for one in registry.plugins("detectors")}["input.training_serving_skew"].load()
SKEW: Detector = MADE(MADE.Params())
HEALTHY = example_traces()


@pytest.mark.parametrize("seed", range(4))
def test_a_healthy_log_is_left_alone(seed: int) -> None:
    told = verdicts(SKEW, example_traces(seed=seed))
    assert told == [Looked("input.training_serving_skew", 2, told[0].what, 2)]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", DIFFERENT)
def test_every_class_is_told(kind: str) -> None:
    [found] = findings(SKEW, HEALTHY.set("traced", "item_price", kind, rate=0.03))
    assert (found.table, found.column, found.statistic) == ("candidates", "item_price", "difference_rate")
    assert found.value == pytest.approx(0.03, abs=0.01)
    assert found.slice.dimension == ""


def test_a_single_host_is_named() -> None:
    [found] = findings(SKEW, HEALTHY.set("traced", "item_age_days", "unexplained", where="host == 'h1'"))
    assert (found.slice.dimension, found.slice.value, found.value) == ("host", "h1", 1.0)
    assert found.n_current < HEALTHY.tables["traced"].groupby(HEALTHY.tables["traced"]["ts"].dt.date).size().iloc[-1]


@pytest.mark.parametrize(("n_requests", "dimension"), [(6, ""), (40, "host")])
def test_a_few_requests_of_one_host_are_no_host(n_requests: int, dimension: str) -> None:
    rows = HEALTHY.tables["traced"]
    hit = rows[(rows["host"] == "h1") & (rows["ts"].dt.date == HEALTHY.days[-1])]["request_id"].unique()[:n_requests]
    log = HEALTHY.set("traced", "item_price", "stale", where=f"request_id in {list(hit)}")
    assert [found.slice.dimension for found in findings(SKEW, log)] == [dimension]


def test_another_unit_is_another_way_of_making() -> None:
    [found] = findings(SKEW, HEALTHY.set("traced", "item_age_days", "hours since"))
    assert "item_age_days of 100 % of sampled candidates is made in another way" in found.headline
    assert "item_features.launch_at" in found.headline


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_what_is_usual_is_no_finding(rate: float) -> None:
    """Ten in a hundred is a rate that does not change; with a half, there is no usual way."""
    log = HEALTHY.set("traced", "item_price", "unexplained", rate=rate, days=9)
    assert findings(SKEW, log) == []
    [looked] = verdicts(SKEW, log)
    assert isinstance(looked, Looked)
    assert looked.n_series == (2 if rate == 0.1 else 1)
    assert ("1 more have no lineage" in looked.what) == (rate == 0.5)


def test_a_usual_rate_that_doubles_is_one() -> None:
    log = HEALTHY.set("traced", "item_price", "stale", rate=0.05, days=9).set(
        "traced", "item_price", "stale", rate=0.15
    )
    assert [found.column for found in findings(SKEW, log)] == ["item_price"]


def test_a_day_without_its_source_is_told() -> None:
    log = HEALTHY.set("traced", "item_price", None).set("traced", "item_age_days", None)
    skipped = [one for one in verdicts(SKEW, log) if isinstance(one, Skipped)]
    assert [(one.kind, one.table) for one in skipped] == [("too_little_data", "item_features")]
    assert "item_price, item_age_days" in skipped[0].reason


def test_without_lineage_nothing_is_counted() -> None:
    candidates = TRACE_SCHEMA.tables["candidates"]
    bare = replace(candidates, columns=tuple(replace(one, lineage=None) for one in candidates.columns))
    schema = Schema({"candidates": bare, "item_features": TRACE_SCHEMA.tables["item_features"]})
    assert list(SKEW.measures(schema)) == []
    [skipped] = verdicts(SKEW, replace(HEALTHY, schema=schema))
    assert isinstance(skipped, Skipped)
    assert skipped.kind == "not_applicable"


def test_the_first_day_asks_for_another() -> None:
    log: ExampleLog = replace(HEALTHY, days=HEALTHY.days[-1:])
    [skipped] = verdicts(SKEW, log)
    assert isinstance(skipped, Skipped)
    assert skipped.kind == "too_little_data"


def test_its_query_shows_both_values() -> None:
    [found] = findings(SKEW, HEALTHY.set("traced", "item_price", "stale", where="host == 'h1'"))
    rows = shown(found)
    assert set(rows["served"]) == {12.0}
    assert set(rows["source"]) == {10.0}  # not 11.0, which could not be read yet


def shown(found: Finding) -> pd.DataFrame:
    """What the finding's query gives, over prices of 12 that were served where the source had 10."""
    candidates = HEALTHY.tables["candidates"].assign(item_price=12.0, item_age_days=1.0)
    candidates["ts"] = candidates["ts"].dt.tz_localize(None)
    first, last = candidates["ts"].min(), candidates["ts"].max()
    versions = [(first - pd.Timedelta(days=1), 10.0), (last + pd.Timedelta(days=1), 11.0)]
    source = pd.concat(
        pd.DataFrame({"key": candidates["item_id"].unique(), "as_of": at, "price": price}) for at, price in versions
    )
    with duckdb.connect() as connection:
        connection.register("candidates", candidates)
        connection.register("item_features", source)
        rows: pd.DataFrame = connection.sql(found.query).df()
    assert len(rows) == 50
    return rows
