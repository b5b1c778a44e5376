"""Packing a service's files changes their form and no value; what is rebuilt is the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.drills.world.size import WorldSize
from recsysops.sample_logs.streaming import packing, rebuild, story

SIZE = WorldSize(
    n_members=120,
    n_titles=110,
    launches_per_day=1.0,
    requests_per_day=60,
    log_rate=0.5,
    n_days=5,
    first_launch=int(story.ITEM) - 16,
    has_benign_events=False,
)
"""Item 123 is the seventeenth launch: of the third week, before the log begins."""
SEED = 3
TABLES = (*packing.DAILY, *packing.SORTED)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    story.simulate(folder, SIZE, SEED)
    return folder


@pytest.fixture(scope="module")
def packed(service: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    packing.pack(service, folder, share=1.0)
    return folder


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_there_once_with_every_value(service: Path, packed: Path, table: str) -> None:
    rounded = "* REPLACE (CAST(score AS FLOAT) AS score)" if table == "candidates" else "*"
    one, other = (
        f"(SELECT {rounded} FROM read_parquet('{root}/logs/{table}/**/*.parquet', hive_partitioning = false))"
        for root in (service, packed)
    )
    assert _rows(f"FROM {one} EXCEPT ALL FROM {other}") == []
    assert _rows(f"FROM {other} EXCEPT ALL FROM {one}") == []
    assert _rows(f"SELECT count(*) FROM {other}") != [(0,)]
    names = [[row[0] for row in _rows(f"DESCRIBE FROM {rows}")] for rows in (one, other)]
    assert names[0] == names[1]


def test_the_margin_is_not_rounded_and_slow_tables_are_one_file(packed: Path) -> None:
    (day, *_) = sorted((packed / "logs" / "candidates").rglob("*.parquet"))
    schema = pq.read_schema(day)
    assert schema.field("raw_score").type == pa.float64()
    assert schema.field("score").type == pa.float32()
    for table in packing.SORTED:
        assert [file.name for file in (packed / "logs" / table).rglob("*.parquet")] == ["part-0.parquet"]


def test_a_share_of_sampled_requests_is_kept_whole_and_the_rate_says_so() -> None:
    n, size = 2_000, 3
    sampled = pa.table(
        {
            "request_id": np.repeat([f"r{number}" for number in range(n)], size),
            "sampling_rate": np.repeat(np.where(np.arange(n) % 5 == 0, 1.0, 0.5), size),
        }
    )
    thin = packing.thinned(sampled, 0.25).to_pandas()
    requests = thin.groupby("request_id")["sampling_rate"].agg(["size", "first"])
    assert set(requests["size"]) == {size}
    counted = requests["first"].value_counts()
    assert counted[1.0] == n / 5
    assert set(counted.index) == {1.0, 0.125}
    assert counted[0.125] == pytest.approx(0.8 * n * 0.25, abs=4 * (0.8 * n * 0.25 * 0.75) ** 0.5)


def test_models_and_settings_are_copied_as_they_are(service: Path, packed: Path) -> None:
    for name in ("recsysops.yaml", *(f"models/{file.name}" for file in (service / "models").iterdir())):
        assert (packed / name).read_bytes() == (service / name).read_bytes()


def test_the_wrong_language_begins_on_its_day_and_reaches_the_feature_store(service: Path) -> None:
    features = f"read_parquet('{service}/*/item_features/*/*.parquet', hive_partitioning = false)"
    query = f"SELECT DISTINCT language FROM {features} WHERE key = '{story.ITEM}' AND as_of {{}}"
    before, since = (_rows(query.format(f"{sign} '{story.onset(SIZE)}'")) for sign in ("<", ">="))
    assert since == [(story.LANGUAGE,)]
    assert before
    assert (story.LANGUAGE,) not in before


def test_a_rebuilt_sample_repeats_itself_and_lists_its_digests(service: Path, tmp_path: Path) -> None:
    rebuild.rebuild(tmp_path / "again", size=SIZE, seed=SEED)
    found = rebuild.digests(tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["again"]
    packing.pack(service, tmp_path / "packed")
    assert found == rebuild.digests(tmp_path / "packed")
    lines = (tmp_path / "again" / rebuild.SUMS).read_text(encoding="ascii").splitlines()
    assert lines == [f"{digest}  {name}" for name, digest in found.items()]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("precious")
    assert rebuild.main(["--out", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "found a folder that is not empty" in message
    assert message.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def _rows(query: str) -> list[tuple[Any, ...]]:
    return duckdb.execute(query).fetchall()
