"""How features are made of their sources, recognised; and what differs, told, where most or all rows do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recsysops.replay.candidates import Candidates
from recsysops.replay.making import SLACK_SECONDS, of_number, of_time
from recsysops.replay.traced_rows import compared
from recsysops.replay.tracing import trace
from recsysops.replay.upstream import Upstream
from recsysops.tables.schema import Column, TableSchema

N = 400
NOW = np.datetime64("2026-03-20T00:00:00", "us")
UTC = pa.timestamp("us", "UTC")
RNG = np.random.default_rng(3)
SECONDS = RNG.integers(0, 86_400, N).astype(float)
BORN = NOW - RNG.integers(86_400, 500 * 86_400, N).astype("timedelta64[s]")
AGE = (NOW - BORN) / np.timedelta64(1, "s") + SECONDS
PRICE, USUAL = np.round(RNG.gamma(2.0, 20.0, N), 2), np.round(RNG.gamma(2.0, 15.0, N), 2)
YEAR = RNG.integers(1990, 2026, N).astype(float)
MADE: dict[str, tuple[str, Any]] = {
    "seconds since": ("born", AGE),
    "minutes since": ("born", AGE / 60),
    "hours since": ("born", AGE / 3600),
    "days since": ("born", AGE / 86_400),
    "whole hours since": ("born", np.floor(AGE / 3600)),
    "whole days since": ("born", np.floor(AGE / 86_400)),
    "years since": ("year", 2026 - YEAR),
    "difference": ("price", USUAL - PRICE),
    "same": ("price", PRICE),
}


def told(source: str, values: Any, n: int = N, default: float | None = None) -> list[str | None]:
    """What is said of a feature made of a source, beside a copied feature; each item is a candidate once."""
    utc = NOW + SECONDS.astype("timedelta64[s]")
    keys = pa.array([f"i{one}" for one in range(N)])
    columns = {
        "request_id": pa.array([f"r{one}" for one in range(N)]),
        "ts": pa.array(utc, UTC),
        "item_id": keys,
        "feature": pa.array(np.asarray(values, np.float32), from_pandas=True),
        "usual": pa.array(USUAL.astype(np.float32)),
    }
    kinds: dict[str, Any] = {"ts": "timestamp", "feature": "numeric", "usual": "numeric"}
    roles = ("request_id", "ts", "item_id")
    schema = TableSchema(
        "candidates",
        tuple(
            Column(
                name,
                kinds.get(name, "categorical"),
                name if name in roles else None,
                default=default if name == "feature" else None,
            )
            for name in columns
        ),
    )
    numbers = {"price": PRICE, "usual": USUAL, "year": YEAR}
    upstream = Upstream(
        "item_features",
        keys,
        pa.array(np.repeat(NOW, N), UTC),
        None,
        {
            "born": pa.array(BORN.astype("datetime64[us]"), UTC),
            **{name: pa.array(one) for name, one in numbers.items()},
        },
    )
    candidates = Candidates({name: values.slice(0, n) for name, values in columns.items()}, schema)
    lineage = {"feature": source, "usual": "usual"}
    found = compared([trace(candidates, upstream, lineage)], candidates)
    assert set(found["usual"]) == {"same"}
    return list(found["feature"])


@pytest.mark.parametrize("way", MADE)
def test_every_way_is_recognised(way: str) -> None:
    source, values = MADE[way]
    assert set(told(source, values)) == {way}


@pytest.mark.parametrize("way", MADE)
def test_a_tenth_that_is_otherwise_is_told(way: str) -> None:
    source, values = MADE[way]
    hit = np.arange(N) % 10 == 0
    found = np.array(told(source, np.where(hit, np.nan, values)), object)
    assert set(found[hit]) == {"missing"}
    assert set(found[~hit]) == {way}


@pytest.mark.parametrize("way", [*list(MADE)[:4], "years since", "difference", "same"])
def test_a_shift_of_every_row_is_told(way: str) -> None:
    source, values = MADE[way]
    shifted = np.asarray(values) + 0.03 * np.std(values)
    found = told(source, shifted)
    assert found.count("scaled") >= 0.95 * N
    assert way not in found


def test_another_unit_is_another_way() -> None:
    assert set(told("born", AGE / 3600)) == {"hours since"} != set(told("born", AGE / 86_400))


@pytest.mark.parametrize(("seconds", "is_near"), [(0.9, True), (1.1, False)])
def test_the_moment_of_computing_may_differ_a_little(seconds: float, is_near: bool) -> None:
    at = np.linspace(1e9, 1e9 + 49, 50)
    source = np.full(50, 1e9 - 4000.0)
    logged = at - source + seconds * SLACK_SECONDS
    assert next(of_time()).match_rate(logged, source, at) == float(is_near)


@pytest.mark.parametrize("step", [-4.0, 4.0])
def test_whole_days_turn_a_little_early_or_late(step: float) -> None:
    whole = {one.name: one for one in of_time()}["whole days since"]
    at, source = np.full(40, 10 * 86_400.0), np.full(40, step)
    early, late = (np.full(40, days) for days in (9.0, 10.0))
    assert whole.match_rate(early, source, at) == whole.match_rate(late, source, at) == 1.0
    assert whole.match_rate(np.full(40, 11.0), source, at) == 0.0


def test_an_age_of_nothing_is_told() -> None:
    """What is no age of its source is so in every row; what is missing is missing."""
    values = np.where(np.arange(N) % 4 == 0, np.nan, RNG.random(N) * 1e6)
    found = np.array(told("born", values), object)
    assert set(found[::4]) == {"missing"}
    assert set(np.delete(found, np.arange(0, N, 4))) == {"unexplained"}
    assert set(told("born", np.full(N, np.nan))) == {"missing"}


def test_a_declared_default_stands_for_what_is_not_there() -> None:
    born = np.where(np.arange(N) % 4 == 0, np.nan, AGE / 86_400)
    found = np.array(told("born", np.where(np.isnan(born), -1.0, born), default=-1.0), object)
    assert set(found[::4]) == {"defaulted"}  # the source has them
    assert set(np.delete(found, np.arange(0, N, 4))) == {"days since"}


@pytest.mark.parametrize(("source", "values"), [("born", AGE), ("price", USUAL - PRICE)])
def test_few_rows_are_left_alone(source: str, values: Any) -> None:
    assert set(told(source, values, n=29)) == {None}
    assert set(told(source, values, n=30)) != {None}


def test_a_handful_of_rows_tells_nothing() -> None:
    few: Callable[[float], Any] = lambda value: np.full(29, value)  # noqa: E731
    ways = list(of_number({}))
    assert [one.match_rate(few(1.0), few(1.0), few(0.0)) for one in ways] == [0.0, 0.0]
    assert set(told("price", RNG.random(N) * 1e6)) <= {"unexplained", "precision", "stale", "swapped"}
