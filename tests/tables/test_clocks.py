"""Every way to write a time gives the instant that zoneinfo and pandas give."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.tables.clocks import UTC_TYPE, to_utc

ZONES = ["UTC", "Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
NEAR_CHANGES = st.builds(  # minutes around nights on which clocks change in one of the zones
    lambda day, minutes: datetime.fromisoformat(day) + timedelta(minutes=minutes),
    st.sampled_from(["2025-03-30", "2025-10-26", "2025-03-09", "2025-11-02", "2025-04-06", "2025-10-05"]),
    st.integers(0, 240),
)
MOMENTS = NEAR_CHANGES | st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2037-12-31"))


@given(st.lists(MOMENTS, min_size=1, max_size=20), st.sampled_from(ZONES))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_local_times_as_pandas_reads_them(moments: list[datetime], zone: str) -> None:
    """Twice-occurring times are the first of the two, skipped times the moment after the skip."""
    index = pd.DatetimeIndex(moments).as_unit("us")
    local = index.tz_localize(zone, ambiguous=np.full(len(moments), True), nonexistent="shift_forward")
    expected = local.tz_convert("UTC")
    stamps = to_utc(pa.array(moments, pa.timestamp("us")), zone)
    texts = to_utc(pa.array([moment.isoformat(" ") for moment in moments]), zone)
    assert stamps.type == texts.type == UTC_TYPE
    assert stamps.to_pylist() == texts.to_pylist() == list(expected.to_pydatetime())


@given(MOMENTS, st.integers(-14 * 60, 14 * 60), st.sampled_from(ZONES))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_written_zone_wins(moment: datetime, offset: int, zone: str) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert to_utc(pa.array([aware.isoformat()]), zone).to_pylist() == [aware.astimezone(UTC)]


@pytest.mark.parametrize("zone", ZONES)
def test_dates_are_local_midnights(zone: str) -> None:
    days = [date(2026, 1, 31), date(2026, 7, 1), None]
    expected = [datetime(2026, 1, 31, tzinfo=ZoneInfo(zone)), datetime(2026, 7, 1, tzinfo=ZoneInfo(zone)), None]
    for values in (pa.array(days), pa.array(["2026-01-31", "2026-07-01", None])):
        assert to_utc(values, zone).to_pylist() == expected


@given(MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_numbers_tell_their_unit_by_their_size(moment: datetime) -> None:
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    whole_second = moment.replace(microsecond=0)
    whole_milli = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    values = pa.array([micros // 10**6, micros // 1000, micros, micros * 1000, None])
    assert to_utc(values, "Asia/Kolkata").to_pylist() == [whole_second, whole_milli, moment, moment, None]
    [found, nan] = to_utc(pa.array([micros / 1e6, float("nan")]), "UTC").to_pylist()
    assert abs(found - moment) <= timedelta(microseconds=1)
    assert nan is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T10:00:00.123456789Z", datetime(2026, 1, 31, 10, 0, 0, 123456, UTC)),
        ("2026-01-31 10:00:00 UTC", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31 10:00:00 +0530", datetime(2026, 1, 31, 4, 30, tzinfo=UTC)),
        (" 2026-01-31T10:00 ", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("", None),
    ],
)
def test_spellings_of_other_systems(text: str, expected: datetime | None) -> None:
    assert to_utc(pa.array([text]), "Europe/Oslo").to_pylist() == [expected]
    assert to_utc(pa.array([text]).dictionary_encode(), "Europe/Oslo").to_pylist() == [expected]


def test_a_skipped_day_is_the_moment_after_it() -> None:
    """Samoa had no 30 December 2011 (pandas is an hour off here)."""
    skipped = to_utc(pa.array(["2011-12-30 15:00:00"]), "Pacific/Apia").to_pylist()
    assert skipped == [datetime(2011, 12, 31, tzinfo=ZoneInfo("Pacific/Apia"))]


def test_mixed_zones_in_one_column() -> None:
    texts = pa.array(["2026-07-01 12:00:00", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00-04:00", None])
    hours = [moment and moment.hour for moment in to_utc(texts, "Europe/Oslo").to_pylist()]
    assert hours == [10, 12, 16, None]


@pytest.mark.parametrize("values", [["yesterday"], [20260131, 20260201], ["31/01/2026"], [b"x"], [[1]]])
def test_what_is_no_time_is_refused(values: list[object]) -> None:
    with pytest.raises(pa.ArrowInvalid):
        to_utc(pa.array(values), "UTC")
