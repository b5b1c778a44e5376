"""Keyed, per-request, cohort, sample and facts measures through the whole engine against row-by-row counting."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_logs import (
    CANDIDATE_SETTINGS,
    FIRST_DAY,
    OUTCOME_SETTINGS,
    OUTCOMES,
    Row,
    candidate_rows,
    open_engine,
    outcome_rows,
    write_partitions,
)
from engine_oracle import (
    NOW,
    digest,
    expect_keys,
    expect_requests,
    found_buckets,
    found_cells,
    found_cohort,
    found_keys,
    label,
    placed,
    requests_of,
    row_digest,
    slices_of,
)

from recsysops.engines.folded_history import FoldedHistory
from recsysops.profiles.measures import Cells, Cohort, Facts, Keyed, KeyedSample, Measure, PerRequest
from recsysops.profiles.measures import Counter as Counter_
from recsysops.profiles.slices import Slice

DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(-1, 8)]
SLICES = CANDIDATE_SETTINGS["slices"]
ITEM = 'it"em'
ALL_COUNTERS: tuple[Counter_, ...] = ("rows", "requests", "impressions", "exposure")
KEYS = Keyed("candidates", ITEM, ALL_COUNTERS)
TOP = Keyed("candidates", ITEM, ALL_COUNTERS, top_k=3)
DUPLICATES = PerRequest("candidates", "duplicate_key", ("request id", ITEM, "position"))
INVALID = PerRequest("candidates", "invalid_number", ("score",))
CONSTANT = PerRequest("candidates", "constant_number", ("feature.1",))
ANY = PerRequest("candidates", "any_row", ("filled",))
CLICKS = Cohort(outcome_kind="click")
OUTCOME_COHORT = Cohort()
SAMPLE = KeyedSample("candidates", ("score", "position"), k=5)
FACTS = Facts("candidates")
MEASURES: list[Measure] = [
    KEYS,
    TOP,
    DUPLICATES,
    INVALID,
    CONSTANT,
    ANY,
    CLICKS,
    OUTCOME_COHORT,
    SAMPLE,
    FACTS,
    Cells("candidates"),
]
Log = tuple[list[Row], list[Row], FoldedHistory]


@pytest.fixture(scope="module", params=[1, 2, 3])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Log:
    candidates = candidate_rows(request.param, n_requests=60)
    outcomes = outcome_rows(request.param, candidates)
    root = tmp_path_factory.mktemp("log")
    write_partitions(root / "candidates", [candidates])
    write_partitions(root / "outcomes", [outcomes[0::2], outcomes[1::2]], OUTCOMES)
    engine = open_engine(root, root / "state", candidates=CANDIDATE_SETTINGS, outcomes=OUTCOME_SETTINGS)
    assert not engine.profile(MEASURES).skipped
    return placed(candidates, DAYS), outcomes, engine.history(DAYS[:3], DAYS[3:], now=NOW)


def test_keys_of_all_rows(log: Log) -> None:
    rows, _, history = log
    assert found_keys(history, KEYS) == pytest.approx(expect_keys(rows, ITEM, 1000), rel=1e-12)


@pytest.mark.parametrize("slice_", [Slice("market", "N'O"), Slice("market", "(null)"), Slice("tv", "true")])
def test_keys_of_a_slice(log: Log, slice_: Slice) -> None:
    rows, _, history = log
    own = [row for row in rows if label(row[slice_.dimension]) == slice_.value]
    assert found_keys(history, KEYS, slice_=slice_) == pytest.approx(expect_keys(own, ITEM, 1000), rel=1e-12)
    contrast = history.keyed(KEYS, slice_)
    assert contrast is not None
    assert np.isnan(contrast.distinct_current).all()


def test_the_top_keys_and_their_tail(log: Log) -> None:
    rows, _, history = log
    assert found_keys(history, TOP) == pytest.approx(expect_keys(rows, ITEM, 3), rel=1e-12)


def test_distinct_keys(log: Log) -> None:
    rows, _, history = log
    contrast = history.keyed(KEYS)
    assert contrast is not None
    exact = defaultdict(set)
    for row in rows:
        exact[row["ts"].date()].add(row[ITEM])
    expected = [len(exact[day] - {None}) for day in contrast.reference_days]
    assert contrast.distinct_reference == pytest.approx(expected, rel=0.02)


def _duplicates(request: list[Row]) -> int:
    counted = Counter((row["request id"], row[ITEM], row["position"]) for row in request)
    return len(request) - len(counted)


def _invalid(request: list[Row]) -> int:
    return sum(row["score"] is None or not math.isfinite(row["score"]) for row in request)


def _constant(request: list[Row]) -> int:
    values = {row["feature.1"] for row in request}
    is_constant = len(request) > 1 and len(values) == 1 and None not in values and not any(v != v for v in values)
    return len(request) if is_constant else 0


def _any(request: list[Row]) -> int:
    return sum(bool(row["filled"]) for row in request)


PREDICATES = [(DUPLICATES, _duplicates), (INVALID, _invalid), (CONSTANT, _constant), (ANY, _any)]


@pytest.mark.parametrize(("measure", "flagged"), PREDICATES, ids=lambda one: getattr(one, "predicate", ""))
def test_predicates_of_requests(log: Log, measure: PerRequest, flagged: Callable[[list[Row]], int]) -> None:
    rows, _, history = log
    contrast = history.cells(measure)
    assert contrast is not None
    assert found_cells(contrast) == expect_requests(rows, SLICES, flagged)


def test_requests_lie_in_the_bucket_of_their_hash(log: Log) -> None:
    rows, _, history = log
    contrast = history.cells(INVALID)
    assert contrast is not None
    expected = Counter(
        (DAYS.index(min(row["ts"] for row in request).date()) * 32 + digest(request[0]["request id"]) % 32)
        for request in requests_of(rows)
        if min(row["ts"] for row in request).date() in DAYS[:3]
    )
    found = {
        (unit): n
        for (unit, slice_, cell), n in found_buckets(contrast, "reference").items()
        if (slice_, cell) == ("all rows", "requests")
    }
    first = min(day for day in DAYS[:3] if any(row["ts"].date() == day for row in rows))
    offset = DAYS.index(first) * 32  # days of which no profile has buckets are left out
    assert {unit + offset: n for unit, n in found.items()} == expected


@pytest.mark.parametrize("measure", [CLICKS, OUTCOME_COHORT])
def test_outcomes_by_request_day_and_age(log: Log, measure: Cohort) -> None:
    rows, outcomes, history = log
    aged: Counter[tuple[Any, ...]] = Counter()
    unmatched: Counter[tuple[date]] = Counter()
    by_key = defaultdict(list)
    for row in rows:
        by_key[row["request id"], row[ITEM]].append(row)
    for outcome in outcomes:
        if measure.outcome_kind and outcome["kind"] != measure.outcome_kind:
            continue
        found = [
            row
            for row in by_key[outcome["request"], outcome["item"]]
            if row["request id"] is not None and timedelta(0) <= outcome["ts"] - row["ts"] < timedelta(days=2)
        ]
        if not found:
            unmatched[(outcome["ts"].date(),)] += 1
            continue
        last = max(row["ts"] for row in found)
        names = {"all rows", *(f"{name}={min(label(row[name]) for row in found)}" for name in SLICES)}
        aged.update((last.date(), slice_, (outcome["ts"] - last).days) for slice_ in names)
    assert found_cohort(history, measure) == (aged, unmatched)
    assert aged
    assert unmatched


def test_the_sample_is_the_requests_with_the_smallest_hash(log: Log) -> None:
    rows, _, history = log
    sample = history.sample(SAMPLE)
    assert sample is not None
    expected = []
    for day in DAYS[:3]:
        grouped = list(requests_of(row for row in rows if row["ts"].date() == day))
        chosen = sorted(grouped, key=lambda request: digest(request[0]["request id"]))[:5]
        expected += [(request[0]["request id"], _picked(request)) for request in chosen]
    found = list(zip(sample.reference_keys, map(str, sample.reference.tolist()), strict=True))
    assert found == [(key, str(values)) for key, values in expected]


def _picked(request: list[Row]) -> list[float]:
    def key(row: Row) -> int:
        return row_digest(row["request id"], row[ITEM], row["position"])

    def values(row: Row) -> tuple[float, ...]:
        return tuple(math.nan if row[name] is None else float(row[name]) for name in ("score", "position"))

    least = min(map(key, request))
    ties = [values(row) for row in request if key(row) == least]
    return list(min(ties, key=lambda one: tuple((value != value, value) for value in one)))


def test_facts_name_rows_days_and_times(log: Log) -> None:
    rows, _, history = log
    facts = history.facts(FACTS)
    assert facts is not None
    (one,) = facts
    assert one.n_rows >= len(rows)
    assert dict(one.days) == Counter(row["ts"].date() for row in rows)
    assert (one.first_ts, one.last_ts) == (min(row["ts"] for row in rows), max(row["ts"] for row in rows))
    assert [name for name, _ in one.columns][:2] == ["request id", "ts"]


def test_slices_have_the_same_names_in_kernel_and_sql(log: Log) -> None:
    rows, _, history = log
    contrast = history.cells(Cells("candidates"))
    assert contrast is not None
    expected = {"all rows", *(name for row in rows for name in slices_of(row, SLICES))}
    assert {str(one) for one in contrast.slices} == expected


def test_unmeasured_things_are_absent(log: Log, tmp_path: Path) -> None:
    history = log[2]
    assert history.cells(Cells("candidates", "no such column", "histogram")) is None
    assert history.keyed(Keyed("items", "item")) is None
    assert history.facts(Facts("items")) is None
