"""Every kind of difference that is planted is told by its name, with its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from traced_logs import N_ITEMS, N_ROWS, NAMES, log, traced, upstream

from recsysops.replay.differences import ColumnDifferences
from recsysops.replay.tracing import copy_rates, differing_rows, feature_differences

SOURCE = upstream()
HIT = np.random.default_rng(5).random(N_ROWS) < 0.2
Columns = dict[str, Any]


def _judged(plant: Callable[[Columns, Any], Columns], **stated: Any) -> dict[str, ColumnDifferences]:
    columns, schema, rows = log(SOURCE, **stated)
    found = feature_differences(traced(columns | plant(columns, rows), schema, SOURCE), NAMES)
    return {one.column: one for one in found}


def _where(columns: Columns, name: str, values: Any, hit: Any = HIT) -> Columns:
    """The column with other values in the rows that are hit."""
    mixed = np.where(hit, values, columns[name].to_numpy(zero_copy_only=False))
    return {name: pa.array(mixed.astype(np.float32), from_pandas=True)}


def _source(name: str, rows: Any) -> Any:
    return SOURCE.columns[name].to_numpy(zero_copy_only=False)[rows]


def test_a_clean_log_is_all_the_same() -> None:
    found = _judged(lambda columns, rows: {})
    assert {name: one.counts for name, one in found.items()} == {name: {"same": N_ROWS} for name in NAMES}
    assert found["plays"].main_class == "same"


def test_missing_and_unexpected_values() -> None:
    found = _judged(lambda columns, rows: _where(columns, "minutes", np.nan) | _where(columns, "rate", 0.25))
    assert found["minutes"].counts == {"same": N_ROWS - HIT.sum(), "missing": HIT.sum()}
    rows = log(SOURCE)[2]
    n_unexpected = int((HIT & np.isnan(_source("rate", rows))).sum())
    assert n_unexpected > 0
    assert found["rate"].counts["unexpected_value"] == n_unexpected
    assert found["rate"].counts["defaulted"] == HIT.sum() - n_unexpected


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_default_in_the_place_of_values(is_declared: bool) -> None:
    stated = {"minutes": {"default": -1.0}} if is_declared else {}
    found = _judged(lambda columns, rows: _where(columns, "minutes", -1), **stated)["minutes"]
    assert found.counts == {"same": N_ROWS - HIT.sum(), "defaulted": HIT.sum()}
    assert found.details == ({} if is_declared else {"default": -1.0})


def test_a_mask_says_what_was_filled_in_and_a_declared_fill_of_nothing_is_right() -> None:
    mask = {"is_filled": pa.array(HIT)}
    found = _judged(lambda columns, rows: _where(columns, "plays", 6) | mask, plays={"mask": "is_filled"})["plays"]
    assert set(found.counts) == {"same", "defaulted"}
    filled = _judged(
        lambda columns, rows: _where(columns, "rate", 0, np.isnan(_source("rate", rows))), rate={"default": 0.0}
    )
    assert filled["rate"].counts == {"same": N_ROWS}


@pytest.mark.parametrize("name", ["plays", "minutes"])
def test_stale_rows_and_how_old_they_are(name: str) -> None:
    def plant(columns: Columns, rows: Any) -> Columns:
        return _where(columns, name, _source(name, rows - 2 * N_ITEMS))

    found = _judged(plant)[name]
    assert found.main_class == "stale"
    assert set(found.counts) <= {"same", "stale"}
    assert found.details["lag_versions"] == 2
    assert found.details["lag_seconds"] == 2 * 86_400


@pytest.mark.parametrize(("factor", "shift"), [(60.0, 0.0), (1 / 1000, 0.0), (1.0, 3.0), (1.0, -273.15)])
def test_another_unit(factor: float, shift: float) -> None:
    found = _judged(lambda columns, rows: _where(columns, "minutes", _source("minutes", rows) * factor + shift))[
        "minutes"
    ]
    assert found.counts == {"same": N_ROWS - HIT.sum(), "scaled": HIT.sum()}
    expected = {"offset": shift} if shift else {"ratio": factor}
    assert found.details == {key: pytest.approx(value, rel=1e-4) for key, value in expected.items()}


def test_swapped_columns() -> None:
    def plant(columns: Columns, rows: Any) -> Columns:
        return {"plays": columns["minutes"], "minutes": columns["plays"]}

    found = _judged(plant)
    for one, other in (("plays", "minutes"), ("minutes", "plays")):
        assert found[one].main_class == "swapped"
        assert found[one].counts["swapped"] > 0.99 * N_ROWS
        assert found[one].details["swapped_with"] == other


def test_the_row_of_another_item() -> None:
    def plant(columns: Columns, rows: Any) -> Columns:
        another = np.where(HIT, rows - rows % N_ITEMS + (rows % N_ITEMS + 7) % N_ITEMS, rows)
        taken = {name: SOURCE.columns[name].take(pa.array(another)) for name in NAMES}
        return {name: values if name == "genre" else values.cast(pa.float32()) for name, values in taken.items()}

    found = _judged(plant)
    for name in ("plays", "rate", "minutes", "price", "genre"):
        assert found[name].main_class == "wrong_key", name
        assert set(found[name].counts) == {"same", "wrong_key"}, name
    assert found["minutes"].counts == {"same": N_ROWS - HIT.sum(), "wrong_key": HIT.sum()}


@pytest.mark.parametrize(
    "how", [lambda x: np.round(x), lambda x: x.astype(np.float16), lambda x: np.trunc(x * 10) / 10]
)
def test_fewer_digits(how: Callable[[Any], Any]) -> None:
    found = _judged(lambda columns, rows: _where(columns, "minutes", how(_source("minutes", rows))))["minutes"]
    assert found.main_class == "precision"
    assert set(found.counts) == {"same", "precision"}


def test_what_nothing_explains_is_said_to_be_so() -> None:
    noise = np.random.default_rng(3).normal(0, 100, N_ROWS)
    found = _judged(lambda columns, rows: _where(columns, "minutes", _source("minutes", rows) + noise))["minutes"]
    assert found.counts["unexplained"] >= 0.97 * HIT.sum()


def test_two_faults_at_once_are_both_told() -> None:
    first, second = HIT & (np.arange(N_ROWS) % 3 > 0), HIT & (np.arange(N_ROWS) % 3 == 0)

    def plant(columns: Columns, rows: Any) -> Columns:
        one = _where(columns, "minutes", _source("minutes", rows) * 60, first)
        return _where(one, "minutes", _source("minutes", rows - N_ITEMS), second)

    found = _judged(plant)["minutes"]
    assert found.counts == {"same": N_ROWS - HIT.sum(), "scaled": first.sum(), "stale": second.sum()}


def test_texts_are_compared_too() -> None:
    def plant(columns: Columns, rows: Any) -> Columns:
        words = np.array(columns["genre"].to_pylist(), object)
        words[HIT] = "unheard of"
        words[0] = None
        return {"genre": pa.array(words).dictionary_encode()}

    found = _judged(plant)["genre"]
    assert found.counts["missing"] == 1
    assert found.counts["same"] == N_ROWS - (HIT | (np.arange(N_ROWS) == 0)).sum()
    assert found.main_class == "defaulted"  # one word in the place of three


def test_infinite_values_are_a_difference_and_no_crash() -> None:
    found = _judged(lambda columns, rows: _where(columns, "minutes", np.inf) | _where(columns, "plays", -np.inf))
    assert found["minutes"].mismatch_rate == pytest.approx(HIT.mean())
    assert found["plays"].main_class == "defaulted"


def test_copies_are_found_by_what_they_do() -> None:
    columns, schema, _ = log(SOURCE)
    derived = pa.array(columns["price"].to_numpy() - 20.0)
    rates = {rate.column: rate for rate in copy_rates(traced(columns | {"price": derived}, schema, SOURCE))}
    assert {name for name, rate in rates.items() if rate.is_copy} == {"plays", "rate", "minutes", "genre"}
    one_day = columns["ts"].cast(pa.int64()).to_numpy() // 86_400_000_000
    bad = np.where(one_day == one_day.min(), np.nan, columns["minutes"].to_numpy())
    rates = {
        rate.column: rate
        for rate in copy_rates(traced(columns | {"minutes": pa.array(bad, from_pandas=True)}, schema, SOURCE))
    }
    assert rates["minutes"].is_copy  # two of three days are right


def test_rows_are_flagged_where_they_stand() -> None:
    columns, schema, _ = log(SOURCE)
    pair = traced(columns | _where(columns, "minutes", 1.5), schema, SOURCE)
    assert np.array_equal(differing_rows(pair, feature_differences(pair, NAMES)), HIT)
