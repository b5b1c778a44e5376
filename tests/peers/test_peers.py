"""Peers pass the filters, are the nearest, and say so when they are not comparable."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.peers.ages import BANDS, age_bands, age_cohort, ages, wide_age_cohort
from recsysops.peers.balance import balance
from recsysops.peers.catalogue import item_peers, read_catalogue
from recsysops.peers.choosing import choose_peers, similarity_weights
from recsysops.peers.known_rows import known_rows, read_attributes
from recsysops.peers.metadata import metadata
from recsysops.peers.stability import stability
from recsysops.workspace import Workspace

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "streaming"
AT = datetime(2026, 10, 29, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """The sample logs, read where they are."""
    return Workspace(SAMPLE)


def test_metadata_takes_attributes_and_leaves_names_alone() -> None:
    n = 40
    found = metadata(
        pa.array(range(n)),
        {
            "title": pa.array([f"title {row}" for row in range(n)]),
            "genre": pa.array(["drama", "crime"] * 20).dictionary_encode(),
            "launch_at": pa.array(np.arange(n).astype("datetime64[D]").astype("datetime64[us]")),
            "is_new": pa.array([True, False] * 20),
            "constant": pa.array([1.0] * n),
            "tags": pa.array([["a"]] * n),
            "price": pa.array([None, *range(n - 1)], pa.int32()),
            "odd": np.append(np.arange(n - 1.0), np.inf),
        },
        leave_out=["price"],
    )
    assert found.names == ("launch_at", "is_new", "odd", "genre")
    assert found.words["genre"] == ("drama", "crime")
    assert np.diff(found.numbers[:, 0]).tolist() == [1.0] * (n - 1)  # in days
    assert np.isnan(found.numbers[-1, 2])
    with pytest.raises(NotEnoughDataError, match="peers of 'nobody'"):
        found.place("nobody")


def test_filters_come_first_and_the_nearest_of_the_rest_are_peers() -> None:
    rng = np.random.default_rng(0)
    found = metadata(pa.array(range(300)), {"x": rng.random(300), "y": rng.random(300)})
    market = rng.random(300) < 0.5
    peers = choose_peers(found, 4, {"market": market, "live": np.arange(300) % 3 > 0}, k=20)
    passed = market & (np.arange(300) % 3 > 0) & (np.arange(300) != 4)
    assert peers.n_eligible == passed.sum()
    assert passed[peers.rows].all()
    assert list(peers.distances) == sorted(peers.distances)
    assert peers.weights.sum() == pytest.approx(1)
    assert np.all(np.diff(peers.weights) <= 0)
    assert peers.filters == ("market", "live")
    assert peers.first(5).keys == peers.keys[:5]
    nobody = choose_peers(found, 4, {"market": np.zeros(300, bool)})
    assert (nobody.keys, nobody.n_eligible, len(nobody.weights)) == ((), 0, 0)
    assert similarity_weights(np.zeros(4)).tolist() == [0.25] * 4


def test_bands_and_cohorts_of_age() -> None:
    launch = np.array(["2026-10-28", "2026-10-30", "NaT", "2025-01-01"], "datetime64[us]")
    found = ages(launch, np.datetime64("2026-10-29T12:00:00", "s"))
    assert found[:2].tolist() == [1.5, -0.5]
    assert np.isnan(found[2])
    assert [BANDS[band] if band >= 0 else "" for band in age_bands(found)] == [
        "1–2 d",
        "not launched",
        "",
        "365 d and more",
    ]
    assert len(age_cohort(found, 1)) == len(age_cohort(found, 2)) == 0
    days = np.arange(100.0)
    assert age_cohort(days, 20).tolist() == [*range(12, 20), *range(21, 34)]
    few = days < 25
    chosen, low, high = wide_age_cohort(days, 20, few, least=15)
    assert (len(chosen), low, high) == (16, 8.0, 48.0)
    assert set(chosen) == set(range(8, 25)) - {20}


def test_differences_are_in_standard_deviations_of_the_pool() -> None:
    rng = np.random.default_rng(3)
    n = 200
    found = metadata(
        pa.array(range(n)), {"x": rng.normal(5, 2, n), "kind": pa.array(rng.choice(["film", "series"], n))}
    )
    subjects, peers, weights = np.arange(10), np.arange(50, 90), rng.random(40)
    measured = {(one.attribute, one.value): one for one in balance(found, subjects, peers, weights, np.arange(n))}
    x = found.numbers[:, 0]
    expected = (DescrStatsW(x[:10]).mean - DescrStatsW(x[50:90], weights).mean) / DescrStatsW(x, ddof=1).std
    assert measured["x", ""].difference == pytest.approx(float(expected))
    is_film = (found.codes[:, 0] == found.words["kind"].index("film")).astype(float)
    expected = (DescrStatsW(is_film[:10]).mean - DescrStatsW(is_film[50:90], weights).mean) / DescrStatsW(
        is_film, ddof=1
    ).std
    assert measured["kind", "film"].difference == pytest.approx(float(expected))


def test_matching_on_metadata_makes_groups_comparable() -> None:
    """New items are cheaper and shorter than the others; their nearest peers are not."""
    rng = np.random.default_rng(8)
    n = 2000
    is_new = rng.random(n) < 0.05
    price, minutes = rng.normal(np.where(is_new, 40, 50), 10), rng.normal(np.where(is_new, 80, 100), 20)
    found = metadata(pa.array(range(n)), {"price": price, "minutes": minutes})
    subjects, others = np.flatnonzero(is_new), np.flatnonzero(~is_new)
    before = balance(found, subjects, others, np.ones(len(others)), np.arange(n))
    chosen = [choose_peers(found, int(row), {"not new": ~is_new}, k=10) for row in subjects]
    rows, weights = (np.concatenate([getattr(one, name) for one in chosen]) for name in ("rows", "weights"))
    after = balance(found, subjects, rows.astype(np.int64), weights, np.arange(n))
    assert not any(one.is_balanced for one in before)
    assert all(one.is_balanced for one in after)


def test_an_expectation_from_alike_peers_is_stable_and_from_a_trend_is_not() -> None:
    rng = np.random.default_rng(2)
    distances = np.sort(rng.random(200))
    even = stability(rng.normal(10, 1, 200), distances)
    assert even.is_stable
    assert even.low < 10 < even.high
    assert set(even.estimates) == {25, 50, 100}
    trend = stability(10 + 30 * distances + rng.normal(0, 1, 200), distances)
    assert not trend.is_stable
    assert not stability(rng.normal(10, 1, 5), distances[:5]).is_stable
    assert stability(np.full(4, np.nan), distances[:4]).is_stable is False


def test_the_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    distances = np.linspace(0, 0.1, 60)
    hits = 0
    for trial in range(200):
        found = stability(rng.gamma(2, 2, 60), distances, sizes=(25, 50, 60), n_resamples=300, seed=trial)
        hits += found.low <= 4 <= found.high
    assert 0.87 <= hits / 200 <= 0.99


def test_the_catalogue_is_what_was_known_then(workspace: Workspace) -> None:
    before, after = (read_catalogue(workspace.tables, datetime(2026, 10, day, 12, tzinfo=UTC)) for day in (27, 29))
    words = []
    for catalogue in (before, after):
        column = catalogue.metadata.code_names.index("original_language")
        code = catalogue.metadata.codes[catalogue.metadata.place("123"), column]
        words.append(catalogue.metadata.words["original_language"][code])
    assert words[1] == "fo" != words[0]
    assert "title" not in after.metadata.names
    assert "owner" not in after.metadata.names
    newest = known_rows(workspace.tables["items"], AT).to_pandas().set_index("item_id")
    frame = workspace.tables["items"]
    stored = pa.Table.from_batches(
        [batch for part in frame.partitions() for batch in frame.batches(part, ["item_id", "as_of", "price"])]
    ).to_pandas()
    expected = stored[stored.as_of <= AT].sort_values("as_of").groupby("item_id").price.last()
    assert newest.price.equals(expected.reindex(newest.index))


def test_peers_of_the_title_in_the_story(workspace: Workspace) -> None:
    catalogue = read_catalogue(workspace.tables, AT)
    peers = item_peers(catalogue, "123")
    of = catalogue.metadata.place("123")
    assert catalogue.markets is not None
    assert len(peers.keys) == min(50, peers.n_eligible) >= 25
    assert "123" not in peers.keys
    for row in peers.rows:
        assert catalogue.age_days[row] >= 0
        assert catalogue.markets[row] & catalogue.markets[of]
    kind = catalogue.metadata.code_names.index("kind")
    assert len({catalogue.metadata.codes[row, kind] for row in [of, *peers.rows]}) == 1
    unlike = balance(catalogue.metadata, [of], peers.rows, peers.weights, np.flatnonzero(catalogue.is_live))
    assert (unlike[0].attribute, unlike[0].value) == ("original_language", "fo")
    blind = read_catalogue(workspace.tables, AT, leave_out=["original_language"])
    assert "original_language" not in blind.metadata.names


def test_an_item_that_is_not_launched_is_compared_without_an_age(workspace: Workspace) -> None:
    catalogue = read_catalogue(workspace.tables, AT)
    of = int(np.flatnonzero(catalogue.age_days < 0)[0])
    peers = item_peers(catalogue, catalogue.metadata.keys[of])
    assert not any(name.startswith("age") for name in peers.filters)
    assert len(peers.keys) == 50


def test_members_are_compared_by_attributes_that_are_named(workspace: Workspace) -> None:
    table = workspace.tables["member_features"]
    members = read_attributes(table, AT, ["joined_at", "languages"])
    assert members.names == ("joined_at", "languages")
    peers = choose_peers(members, 0, {}, k=200)
    assert len(peers.keys) == 200
    with pytest.raises(ConfigError, match="no column 'shoe_size'"):
        read_attributes(table, AT, ["shoe_size"])


def test_a_workspace_without_a_catalogue_says_so(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="no items table"):
        read_catalogue({}, AT)
    with pytest.raises(NotEnoughDataError, match="peers of '9999999'"):
        item_peers(read_catalogue(workspace.tables, AT), "9999999")
