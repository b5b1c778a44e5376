"""A cohort's outcomes are those that followed its requests, whatever type the ids have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.config.settings import SourceSettings, TableSettings
from recsysops.engines.cohorts import open_cohort, parse_conditions
from recsysops.errors import ConfigError, NotEnoughDataError, SchemaError
from recsysops.tables.open_tables import open_table
from recsysops.tables.table import Table

START = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "b'; DROP TABLE requests --"


def opened(root: Path, name: str, columns: dict[str, Any], roles: list[str], **more: Any) -> Table:
    n_rows = len(columns["request_id"])
    columns = {
        "ts": pa.array([START + timedelta(minutes=n) for n in range(n_rows)], pa.timestamp("us", "UTC")),
        **columns,
    }
    pq.write_table(pa.table(columns), root / f"{name}.parquet")
    source = SourceSettings(path=f"{name}.parquet", format="parquet")
    settings = TableSettings(source=source, roles={role: role for role in ["ts", *roles]}, **more)
    return open_table(name, settings, "UTC", root)


@pytest.fixture(params=[str, int])
def tables(tmp_path: Path, request: pytest.FixtureRequest) -> Mapping[str, Table]:
    own = request.param
    candidates = opened(
        tmp_path,
        "candidates",
        {
            "request_id": [own(n) for n in (1, 1, 2, 3, 3, 4)],
            "item_id": ["x", "y", "x", "x", "z", "x"],
            "shown": [True, False, True, True, True, None],
            "arm": ["a", "a", "a", HOSTILE, HOSTILE, None],
        },
        ["request_id", "item_id", "shown"],
        slices=["arm"],
    )
    outcomes = opened(
        tmp_path,
        "outcomes",
        {
            "request_id": [own(n) for n in (1, 1, 3, 9)] + [None],
            "item_id": ["x"] * 5,
            "kind": ["click", "play", "click", "click", "click"],
        },
        ["request_id", "item_id", "kind"],
    )
    return {"candidates": candidates, "outcomes": outcomes}


def test_counts_by_request_and_item(tables: Mapping[str, Table], tmp_path: Path) -> None:
    with open_cohort(tables, (("arm", "a"),), tmp_path / "spill") as cohort:
        assert (cohort.requests.n_requests, cohort.requests.n_impressions) == (2, 2)
        assert cohort.requests.items() == {"x": 2}
        sums = cohort.requests.outcomes(tables["outcomes"])
        assert {kind: (one.n, one.squares, one.products) for kind, one in sums.items()} == {
            "click": (1, 1.0, 1.0),
            "play": (1, 1.0, 1.0),
        }


@pytest.mark.parametrize(("arm", "kinds"), [("a", ["click", "play"]), (HOSTILE, ["click"])])
def test_the_cohorts_outcomes_are_a_table_of_their_own(
    tables: Mapping[str, Table], tmp_path: Path, arm: str, kinds: list[str]
) -> None:
    with open_cohort(tables, (("arm", arm),), tmp_path / "spill") as cohort:
        followed = cohort.tables["outcomes"]
        (partition,) = followed.partitions()
        rows = [batch.column("kind").to_pylist() for batch in followed.batches(partition, ["kind"])]
        assert [kind for batch in rows for kind in batch] == kinds
        (whole,) = tables["outcomes"].partitions()
        assert partition.fingerprint != whole.fingerprint
        assert followed.binding != tables["outcomes"].binding
        assert cohort.tables["candidates"].schema.slices == ()
        assert cohort.columns == {"arm"}


def test_what_cannot_be_a_cohort(tables: Mapping[str, Table], tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="arm=zz: found no impressions"):
        open_cohort(tables, (("arm", "zz"),), tmp_path)
    with pytest.raises(SchemaError, match="no column 'leg'"):
        open_cohort(tables, (("leg", "a"),), tmp_path)
    with pytest.raises(ConfigError, match="no table candidates"):
        open_cohort({}, (("arm", "a"),), tmp_path)
    with pytest.raises(ConfigError, match="column=value"):
        parse_conditions("arm=a,b", "--reference")
    assert parse_conditions("a=b=c", "--reference") == (("a", "b=c"),)
