"""The small judgements inside init and check, one table each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from recsysops.inspection.clock_check import named_day, zone_problems, zones_of
from recsysops.inspection.column_facts import column_facts
from recsysops.inspection.state_folder import filesystem_of, state_problems
from recsysops.inspection.synonyms import SYNONYMS, name_score
from recsysops.tables.contract import TABLES
from recsysops.tables.source import Partition

SPELLINGS = [
    ("candidates", "request_id", "impression_id reqid requestId REQUEST-ID log_request_id request_uuid"),
    ("candidates", "member_id", "user_id userId customer_id UserID member_id profile_id"),
    ("candidates", "item_id", "itemId product_id movie_id SKU content_id movieIds"),
    ("candidates", "ts", "timestamp event_time datetime ts_ms eventTimestampUTC served_at unixtime"),
    ("candidates", "position", "rank slot pos Position display_position"),
    ("candidates", "propensity", "pscore propensity_score action_prob"),
    ("candidates", "model_id", "model_version modelId ranker_version model_name"),
    ("outcomes", "kind", "event_type action interaction_type"),
    ("items", "launch_at", "release_date launchDate premiere_date"),
    ("availability", "to", "valid_to end_date windowEnd"),
    ("models", "sha256", "digest artifact_sha256"),
]


@pytest.mark.parametrize(("table", "role", "names"), SPELLINGS)
def test_roles_are_known_in_many_spellings(table: str, role: str, names: str) -> None:
    for name in names.split():
        assert name_score(table, role, name) >= 0.5, name


@pytest.mark.parametrize("name", ["", "x", "f_12", "user_feature_0", "🎬", "genre"])
def test_other_names_are_no_role(name: str) -> None:
    assert all(name_score("candidates", role.name, name) == 0 for role in TABLES["candidates"].roles)


def test_synonyms_name_roles_of_the_contract() -> None:
    for table, roles in SYNONYMS.items():
        assert set(roles) <= {role.name for role in TABLES[table].roles}


MOMENTS = [
    (pa.array([1_770_000_000, None, 1_770_000_060]), "s"),
    (pa.array([1_770_000_000_000]), "ms"),
    (pa.array([1_770_000_000_000_000]), "us"),
    (pa.array([1_770_000_000_000_000_000]), "ns"),
    (pa.array([1_770_000_000.25]), "s"),
    (pa.array([20_260_131]), ""),
    (pa.array([1.0, 2.0, float("nan")]), ""),
    (pa.array([float("inf")]), ""),
]


@pytest.mark.parametrize(("values", "unit"), MOMENTS)
def test_units_of_numbers_that_are_moments(values: pa.Array, unit: str) -> None:
    facts = column_facts("x", pa.chunked_array([values]))
    assert (facts.epoch_unit, facts.is_timelike) == (unit, bool(unit))
    if unit:
        assert facts.first is not None
        assert facts.first.replace(microsecond=0) == datetime(2026, 2, 2, 2, 40, tzinfo=UTC)


ZONES = [
    (pa.array(["2026-01-01T00:00:00Z", "2026-01-01 00:00:00 UTC", "2026-01-01T00:00:00+01:00"]), {"named"}),
    (pa.array(["2026-01-01T00:00:00", None]), {"none"}),
    (pa.array(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00"]).dictionary_encode(), {"named", "none"}),
    (pa.array(["2026-01-01"]), set()),
    (pa.array([1_770_000_000]), {"named"}),
    (pa.array([0], pa.timestamp("us")), {"none"}),
    (pa.array([0], pa.timestamp("us", "Europe/Oslo")), {"named"}),
    (pa.nulls(2), set()),
]


@pytest.mark.parametrize(("values", "expected"), ZONES)
def test_zones_of_a_clock(values: pa.Array, expected: set[str]) -> None:
    assert zones_of(values) == expected


def test_only_missing_zones_are_a_problem() -> None:
    assert zone_problems("candidates", {"named"}, "UTC", is_stated=False) == []
    assert zone_problems("candidates", {"none"}, "UTC", is_stated=True) == []
    assert zone_problems("candidates", {"none"}, "UTC", is_stated=False)[0].severity == "note"
    assert zone_problems("candidates", {"none", "named"}, "UTC", is_stated=True)[0].severity == "warning"


def test_the_day_in_a_path_is_local() -> None:
    day = named_day(Partition("x", "y", values=(("market", "NO"), ("dt", "2026-03-29"))), "Europe/Oslo")
    assert day is not None
    assert [each.astimezone(UTC).hour for each in day] == [23, 22]  # clocks go forward on that day
    assert named_day(Partition("x", "y", values=(("day", "tomorrow"),)), "UTC") is None


MOUNTS = "\n".join(
    [
        "/dev/sda1 / ext4 rw 0 0",
        "server:/a /mnt/a nfs4 rw 0 0",
        "//server/b /mnt/with\\040space cifs rw 0 0",
        "/dev/sdb1 /mnt/a/local xfs rw 0 0",
        "broken",
    ]
)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/a/x/.recsysops", "nfs4"),
        ("/mnt/with space/x", "cifs"),
        ("/mnt/a/local/x", "xfs"),
        ("/mnt/ab", "ext4"),
        ("/", "ext4"),
    ],
)
def test_file_system_of_a_folder_that_need_not_exist(folder: str, kind: str) -> None:
    assert filesystem_of(Path(folder), MOUNTS) == kind
    assert bool(state_problems(Path(folder), MOUNTS)) == (kind in ("nfs4", "cifs"))


def test_a_file_in_place_of_the_state_folder(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert state_problems(tmp_path / "state", "")[0].severity == "error"
    assert state_problems(tmp_path / "state/below", "")[0].severity == "error"
    assert state_problems(tmp_path / "other", "") == []
