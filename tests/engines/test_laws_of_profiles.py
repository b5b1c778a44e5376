"""What must hold of any log, however it is split, delivered, rewritten and counted again."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_logs import FIRST_DAY, Row, candidate_rows, candidates_engine, write_parquet, write_partitions
from engine_oracle import NOW, everything, found_buckets, found_cells
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recsysops.engines.in_process import Engine
from recsysops.profiles.measures import Cells, Keyed, KeyedSample, Measure, PerRequest

DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(-1, 5)]
ROWS = Cells("candidates", by_hour=True)
MEASURES: list[Measure] = [
    ROWS,
    Cells("candidates", "score", "histogram"),
    Cells("candidates", "score", "moments"),
    Cells("candidates", "genre", "frequencies"),
    Cells("candidates", "genre", "frequencies", pair="tv"),
    Keyed("candidates", 'it"em', ("rows", "requests", "impressions", "exposure")),
    PerRequest("candidates", "duplicate_key", ("request id", 'it"em', "position")),
    KeyedSample("candidates", ("position", "score"), k=7),
]
LAWS = settings(
    max_examples=6,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def told(engine: Engine, measures: Sequence[Measure] = MEASURES) -> dict[str, Any]:
    """Everything counted, after counting what is new."""
    assert not engine.profile(measures).skipped
    return everything(engine.history(DAYS[:3], DAYS[3:], now=NOW), measures)


def split(rows: Sequence[Row], n_parts: int, seed: int) -> list[list[Row]]:
    """Rows at random into parts, each request whole, in any order."""
    rng = random.Random(seed)
    home: dict[Any, int] = defaultdict(lambda: rng.randrange(n_parts))
    parts: list[list[Row]] = [[] for _ in range(n_parts)]
    for row in rng.sample(list(rows), len(rows)):
        request = row["request id"]
        parts[home[request] if request is not None else rng.randrange(n_parts)].append(row)
    return parts


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Counts are equal, sums agree to 12 digits."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if "'moments'" in name:
            assert value.keys() == other[name].keys()
            for at, moments in value.items():
                assert moments == pytest.approx(other[name][at], rel=1e-12, abs=1e-12, nan_ok=True)
        elif name.startswith("Keyed("):
            assert value[0] == pytest.approx(other[name][0], rel=1e-12)
            assert value[1] == other[name][1]
        else:
            assert value == other[name], name


@LAWS
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 10**6))
def test_any_split_into_partitions_gives_the_same_history(seed: int, n_parts: int, order: int) -> None:
    rows = candidate_rows(seed, n_requests=25)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_partitions(root / "one/candidates", [rows])
        write_partitions(root / "many/candidates", split(rows, n_parts, order))
        whole = told(candidates_engine(root / "one", root / "state one"))
        same(told(candidates_engine(root / "many", root / "state many")), whole)


@LAWS
@given(st.integers(0, 10**6), st.permutations(range(4)))
def test_partitions_delivered_over_several_runs_give_the_same_history(seed: int, order: list[int]) -> None:
    parts = split(candidate_rows(seed, n_requests=25), 4, seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_partitions(root / "at once/candidates", parts)
        whole = told(candidates_engine(root / "at once", root / "state"))
        frozen = (root / "state/frozen/candidates.json").read_bytes()
        (root / "bit by bit state/frozen").mkdir(parents=True)
        (root / "bit by bit state/frozen/candidates.json").write_bytes(frozen)  # the edges of the first run hold
        for number in order:
            write_parquet(parts[number], root / f"bit by bit/candidates/part-{number:02d}.parquet")
            last = told(candidates_engine(root / "bit by bit", root / "bit by bit state"))
        same(last, whole)


@pytest.fixture
def parts() -> list[list[Row]]:
    return split(candidate_rows(11), 3, 11)


@pytest.fixture
def root(tmp_path: Path, parts: list[list[Row]]) -> Path:
    write_partitions(tmp_path / "candidates", parts)
    return tmp_path


def engine_of(root: Path, **changed: Any) -> Engine:
    return candidates_engine(root, root / "state", **changed)


def row_counts(engine: Engine) -> Counter[tuple[Any, ...]]:
    contrast = engine.history(DAYS[:3], DAYS[3:], now=NOW).cells(ROWS)
    assert contrast is not None
    return found_cells(contrast)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below, with its bytes."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_running_again_reads_and_writes_nothing(root: Path) -> None:
    first = told(engine_of(root))
    before = {name: (root / "state" / name).stat().st_mtime_ns for name in files(root / "state")}
    again = engine_of(root)
    summary = again.profile(MEASURES)
    assert (summary.n_partitions_read, summary.n_rows_read, summary.n_partitions_known) == (0, 0, 3)
    assert {name: (root / "state" / name).stat().st_mtime_ns for name in files(root / "state")} == before
    same(everything(again.history(DAYS[:3], DAYS[3:], now=NOW), MEASURES), first)


def test_the_same_partitions_give_the_same_bytes_under_the_same_names(root: Path) -> None:
    told(engine_of(root))
    told(candidates_engine(root, root / "other state", n_threads=2))
    assert files(root / "state") == files(root / "other state")


def test_a_rewritten_partition_replaces_only_its_own_part(root: Path, parts: list[list[Row]]) -> None:
    told(engine_of(root))
    kept = {name for name in files(root / "state/profiles") if not name.endswith(".buckets.parquet")}
    write_parquet(parts[1][: len(parts[1]) // 2], root / "candidates/part-01.parquet")
    engine = engine_of(root)
    assert engine.profile(MEASURES).n_partitions_read == 1
    expected = Counter(
        row["ts"].date() for part in (parts[0], parts[1][: len(parts[1]) // 2], parts[2]) for row in part if row["ts"]
    )
    counts = row_counts(engine)
    assert {at[0]: n for at, n in counts.items() if at[1] == "all rows"} == expected
    now = {name for name in files(root / "state/profiles") if not name.endswith(".buckets.parquet")}
    assert len(now & kept) == 2
    assert len(now) == 3, "profiles of bytes that are gone are deleted"


def test_late_rows_add_up(root: Path, parts: list[list[Row]]) -> None:
    engine = engine_of(root)
    told(engine)
    before = row_counts(engine)
    write_parquet(parts[0], root / "candidates/late.parquet")
    engine = engine_of(root)
    assert engine.profile(MEASURES).n_partitions_read == 1
    late = Counter(row["ts"].date() for row in parts[0] if row["ts"])
    for day in DAYS:
        at = (day, "all rows", "rows")
        assert row_counts(engine)[at] == before[at] + late[day]


def test_a_vanished_partition_stays_until_its_days_are_delivered_again(root: Path, parts: list[list[Row]]) -> None:
    before = told(engine_of(root))
    (root / "candidates/part-01.parquet").unlink()
    for _ in range(2):
        engine = engine_of(root)
        summary = engine.profile(MEASURES)
        assert summary.vanished == ("candidates: candidates/part-01.parquet",)
        same(everything(engine.history(DAYS[:3], DAYS[3:], now=NOW), MEASURES), before)
    for name in ("part-00", "part-02"):
        (root / f"candidates/{name}.parquet").unlink()
    write_parquet([row for part in parts for row in part], root / "candidates/compacted.parquet")
    engine = engine_of(root)
    assert engine.profile(MEASURES).vanished == ()
    same(everything(engine.history(DAYS[:3], DAYS[3:], now=NOW), MEASURES), before)


def test_dropped_buckets_change_nothing_else(root: Path) -> None:
    before = told(engine_of(root))
    for path in (root / "state/profiles/candidates").glob("*.buckets.parquet"):
        path.unlink()
    engine = engine_of(root)
    same(told(engine), before)
    contrast = engine.history(DAYS[:3], DAYS[3:], now=NOW).cells(ROWS)
    assert contrast is not None
    assert not found_buckets(contrast, "reference")


def test_buckets_of_days_long_past_are_dropped_by_itself(tmp_path: Path) -> None:
    rows = candidate_rows(3, n_requests=10)
    later = [{**row, "ts": row["ts"] + timedelta(days=60)} for row in rows if row["ts"]]
    write_partitions(tmp_path / "candidates", [rows, later])
    kept = tmp_path / "state/profiles/candidates"
    told(engine_of(tmp_path))
    assert len(list(kept.glob("*.buckets.parquet"))) == 2  # the run that counted a day may judge it
    told(engine_of(tmp_path))
    assert len(list(kept.glob("*.buckets.parquet"))) == 1


def test_one_row_from_the_future_does_not_drop_all_buckets(tmp_path: Path) -> None:
    rows = candidate_rows(3, n_requests=10)
    future = {**rows[0], "ts": datetime(2999, 1, 1, tzinfo=UTC)}
    write_partitions(tmp_path / "candidates", [rows, [future]])
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
    for path in (tmp_path / "candidates").iterdir():
        os.utime(path, (noon, noon))
    told(engine_of(tmp_path))
    assert len(list((tmp_path / "state/profiles/candidates").glob("*.buckets.parquet"))) == 2


def test_a_new_measure_counts_only_itself(root: Path) -> None:
    told(engine_of(root))
    before = files(root / "state/profiles")
    engine = engine_of(root)
    new = Cells("candidates", "position", "histogram")
    assert engine.profile([*MEASURES, new]).n_partitions_read == 3
    after = files(root / "state/profiles")
    assert before.items() <= after.items()
    added = [name for name in after.keys() - before.keys() if not name.endswith(".buckets.parquet")]
    assert len(added) == 3
    assert engine.history(DAYS[:3], DAYS[3:], now=NOW).cells(new) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"slices": ["market"]},
        {"columns": {"score": {"default": -2.0}}},
        {"columns": {"score": {"default": -1.0}, "position": {"kind": "categorical"}}, "roles": {"request_id": "request id", "ts": "ts", "item_id": 'it"em'}},
        {"timezone": "Europe/Oslo"},
    ],
    ids=["slices", "default", "roles", "timezone"],
)  # fmt: skip
def test_settings_that_change_the_meaning_of_counts_count_again(root: Path, changed: dict[str, Any]) -> None:
    rows_alone: list[Measure] = [ROWS, Cells("candidates", "score", "histogram")]
    told(engine_of(root), rows_alone)
    engine = engine_of(root, **changed)
    assert engine.profile(rows_alone).n_partitions_read == 3
    assert engine_of(root).profile(rows_alone).n_partitions_read == 0, "what was counted before is still there"


def test_edges_and_categories_stay_frozen_when_new_data_arrive(root: Path) -> None:
    score = Cells("candidates", "score", "histogram")
    genre = Cells("candidates", "genre", "frequencies")
    told(engine_of(root))
    frozen = (root / "state/frozen/candidates.json").read_bytes()
    new = [{**row, "score": 1e6, "genre": "never seen"} for row in candidate_rows(5, n_requests=5) if row["ts"]]
    write_parquet(new, root / "candidates/part-99.parquet")
    engine = engine_of(root)
    assert engine.profile(MEASURES).n_partitions_read == 1
    assert (root / "state/frozen/candidates.json").read_bytes() == frozen
    history = engine.history(DAYS[:-1], DAYS[-1:], now=NOW)
    for measure, cell in ((score, -1), (genre, 2)):
        contrast = history.cells(measure)
        assert contrast is not None
        assert contrast.reference[:, 0, cell].sum() == len(new)


def test_moments_and_histogram_of_a_column_share_no_set_with_its_categories(root: Path) -> None:
    measures: list[Measure] = [
        Cells("candidates", "position", "frequencies"),
        Cells("candidates", "position", "histogram"),
        Cells("candidates", "position", "moments"),
    ]
    engine = engine_of(root)
    told(engine, measures)
    history = engine.history(DAYS[:-1], DAYS[-1:], now=NOW)
    labels, bins = (
        history.cells(Cells("candidates", "position", "frequencies")),
        history.cells(Cells("candidates", "position", "histogram")),
    )
    assert labels is not None
    assert bins is not None
    assert set(labels.cells[4:]) == {"1", "2", "3", "4", "5"}
    assert bins.edges is not None
    assert len(bins.edges) > 3


def test_a_day_is_the_sum_over_partitions_that_know_it(root: Path, parts: list[list[Row]]) -> None:
    engine = engine_of(root)
    told(engine)
    expected: Counter[date] = Counter(row["ts"].date() for part in parts for row in part if row["ts"])
    assert dict(engine.event_days("candidates")) == dict(sorted(expected.items()))
