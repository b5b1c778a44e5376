"""Findings with one cause are one group, whatever order they come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.findings import Finding, Subject
from recsysops.triage.grouping import group
from recsysops.triage.onset import onset

DAY = date(2026, 11, 20)
NO = Slice("market", "NO")
BASE = Finding(
    "X1", "input.missing_rate", "candidates", Subject("column", "a"), "null_rate", 0.11, 0.01, 0.005, "warning",
    "feature", "a is NULL", DAY, column="a", n_current=1_000,
)  # fmt: skip


def found(column: str = "a", **changes: Any) -> Finding:
    return replace(BASE, subject=Subject("column", column), column=column, **changes)


def output(name: str = "score_shift", **changes: Any) -> Finding:
    values = {"detector": f"output.{name}", "stage": "ranking", "statistic": "w1_over_iqr", "reference_value": None}
    return replace(found("score"), **{**values, **changes})


def test_one_column_is_one_group() -> None:
    groups = group([found(), found(statistic="nan_rate"), found(slice=NO, n_current=100), found("b", value=0.5)])
    assert sorted(len(one.findings) for one in groups) == [1, 3]


def test_rows_that_moved_between_values_of_a_column_belong_to_it() -> None:
    rows = Subject("table", "candidates")
    moved = found(column="genre")
    of_genre = replace(BASE, column="", subject=rows, statistic="rows", slice=Slice("genre", "kids"))
    of_market = replace(BASE, column="", subject=rows, statistic="rows", slice=Slice("market", "NO"))
    assert [(one.headline, len(one.findings)) for one in group([moved, of_genre])] == [(moved, 2)]
    assert sorted(len(one.findings) for one in group([moved, of_genre, of_market])) == [1, 2]


def test_columns_that_made_the_same_jump_broke_together() -> None:
    groups = group([found("a"), found("b", value=0.112), found("c", value=0.4), found("d", onset=DAY - timedelta(1))])
    assert sorted(tuple(finding.column for finding in one.findings) for one in groups) == [("a", "b"), ("c",), ("d",)]


def test_a_score_that_moved_with_an_input_is_its_symptom() -> None:
    (one,) = group(
        [output(severity="critical"), found(), output("item_domination", column="", subject=Subject("item", "7"))]
    )
    assert (one.headline.detector, one.severity, len(one.findings)) == ("input.missing_rate", "critical", 3)


def test_a_standing_check_of_a_score_is_a_symptom_as_the_score_is() -> None:
    moved = output(p_value=1e-9)
    check = replace(moved, detector="check.incident-4", p_value=None)
    (together,) = group([found("a"), moved, check])
    assert together.headline.column == "a"
    assert len(group([found("a"), check])) == 2, "alone it might be of anything"


def test_a_score_that_moved_on_another_day_or_in_another_market_is_not() -> None:
    assert len(group([output(onset=DAY - timedelta(3)), found()])) == 2
    assert len(group([output(slice=Slice("market", "SE")), found(slice=NO)])) == 2


def test_the_most_upstream_of_several_causes_takes_the_symptom() -> None:
    upstream = found("b", table="items", stage="upstream", value=0.9)
    groups = group([found(), upstream, output()])
    assert {one.headline.table: len(one.findings) for one in groups} == {"items": 2, "candidates": 1}


def test_the_headline_is_earliest_then_most_upstream() -> None:
    early = found(statistic="nan_rate", onset=DAY - timedelta(2), stage="ranking")
    (one,) = group([found(severity="critical"), early])
    assert (one.headline, one.onset) == (early, DAY - timedelta(2))


def test_a_fault_of_one_market_names_it_and_a_fault_everywhere_does_not() -> None:
    whole = found(value=0.02, reference_value=0.0)
    (one,) = group([whole, found(slice=NO, value=0.2, reference_value=0.0, n_current=100)])
    assert (one.headline, one.where) == (whole, NO)
    (one,) = group([whole, found(slice=NO, value=0.021, reference_value=0.0, n_current=900)])
    assert one.where == EVERYTHING
    (one,) = group([found(slice=NO)])
    assert one.where == NO


def test_impact_is_the_share_of_rows_concerned() -> None:
    (one,) = group([found(n_current=5_000)], {"candidates": 10_000})
    assert abs(one.impact - 0.05) < 1e-12
    assert group([found()])[0].impact == 0


def test_onset_is_the_first_day_of_the_unbroken_run() -> None:
    days = [DAY - timedelta(number) for number in (5, 4, 3, 2, 1)]
    assert onset(DAY, {days[0], days[3], days[4]}, days) == days[3]
    assert onset(DAY, set(), days) == onset(DAY, {days[0]}, []) == DAY
    assert onset(days[3], set(days), days) == days[0]


findings = st.lists(
    st.builds(
        found,
        column=st.sampled_from(["a", "b", "c", "score"]),
        detector=st.sampled_from(["input.missing_rate", "input.row_volume", "output.score_shift"]),
        statistic=st.sampled_from(["null_rate", "psi"]),
        table=st.sampled_from(["candidates", "items"]),
        value=st.sampled_from([0.1, 0.105, 0.2, 0.5]),
        stage=st.sampled_from(["upstream", "feature", "ranking"]),
        severity=st.sampled_from(["info", "warning", "critical"]),
        slice=st.sampled_from([EVERYTHING, NO, Slice("market", "SE"), Slice("device", "tv")]),
        onset=st.sampled_from([None, DAY - timedelta(1)]),
        n_current=st.sampled_from([0, 10, 1_000]),
    ),
    max_size=12,
    unique_by=lambda finding: finding.id,
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(findings, st.randoms(use_true_random=False))
def test_groups_are_a_partition_that_order_does_not_change(found: list[Finding], random: Any) -> None:
    groups = group(found, {"candidates": 1_000})
    assert sorted(finding.id for one in groups for finding in one.findings) == sorted(finding.id for finding in found)
    assert all(one.headline is one.findings[0] for one in groups)
    random.shuffle(found)
    assert group(found, {"candidates": 1_000}) == groups


LINEAGE = {("candidates", "item_price"): ("item_features", "price"), ("candidates", "a"): ("item_features", "a")}


def test_features_of_one_upstream_table_that_moved_on_one_day_have_one_cause() -> None:
    upstream = found("price", table="item_features", stage="upstream")
    logged, other = found("item_price", value=0.4), found("a", value=0.7)
    (one,) = group([logged, other, upstream], lineage=LINEAGE)
    assert one.headline == upstream
    assert len(group([logged, replace(other, onset=DAY - timedelta(3))], lineage=LINEAGE)) == 2
    assert len(group([logged, found("elsewhere", value=0.7)], lineage=LINEAGE)) == 2
    before = DAY - timedelta(1)  # a day's lag is the upstream table's, not that of its readers
    assert len(group([logged, replace(other, onset=before)], lineage=LINEAGE)) == 2
    assert len(group([other, replace(logged, onset=before)], lineage=LINEAGE)) == 2


def test_what_a_feature_is_made_of_is_a_cause_over_every_hop_and_a_day_before() -> None:
    lineage = {("candidates", "lang"): ("item_features", "lang"), ("item_features", "lang"): ("items", "language")}
    catalogue = found("language", table="items", stage="upstream")
    served = found("lang", value=0.4, onset=DAY + timedelta(1))
    (one,) = group([served, catalogue], lineage=lineage)
    assert one.headline == catalogue
    assert len(group([replace(served, onset=DAY + timedelta(2)), catalogue], lineage=lineage)) == 2
    assert len(group([replace(served, onset=DAY - timedelta(1)), catalogue], lineage=lineage)) == 2
    round_trip = {**lineage, ("items", "language"): ("candidates", "lang")}
    assert len(group([served, catalogue], lineage=round_trip)) == 1


def test_what_is_expected_causes_no_alarm_and_is_no_headline_of_one() -> None:
    planned, alarm = found("price", severity="info"), output("candidate_set")
    assert len(group([planned, alarm])) == 2
    assert len(group([planned, replace(alarm, severity="info")])) == 1
    (one,) = group([planned, replace(found("price"), statistic="null_rate", onset=DAY)])
    assert one.headline.severity != "info"


def table_finding(table: str, **changes: Any) -> Finding:
    return replace(found("", table=table), subject=Subject("table", table), reference_value=100.0, **changes)


def test_whole_tables_of_which_one_thing_is_said_have_one_cause() -> None:
    one = table_finding("candidates", statistic="n_rows", value=202.0)
    other = table_finding("outcomes", statistic="n_rows", value=141.4)
    assert len(group([one, other])) == 1
    assert len(group([one, replace(other, value=60.0)])) == 2  # one grew, the other shrank
    assert len(group([one, replace(other, onset=DAY - timedelta(3))])) == 2
    assert len(group([one, replace(other, statistic="duplicate_row_rate")])) == 2


def test_what_began_in_one_slice_alone_has_one_cause() -> None:
    host = Slice("host", "ranker-2")
    one, other = found("age", slice=host, value=0.4), found("days", slice=host, value=0.9)
    assert len(group([one, other])) == 1
    assert len(group([one, replace(other, slice=Slice("host", "ranker-3"))])) == 2
    everywhere = found("days", value=0.9)  # the slice is but a part of it
    assert len(group([one, other, everywhere])) == 2


def test_how_one_table_is_written_has_one_cause() -> None:
    late = replace(found("ingested_at", table="outcomes", stage="label"), reference_value=0.1)
    silent = table_finding("outcomes", statistic="hours_without_rows", value=3.0, stage="label")
    assert len(group([late, silent])) == 1
    assert len(group([late, replace(silent, table="candidates", subject=Subject("table", "candidates"))])) == 2


def test_outputs_that_moved_on_one_day_have_one_cause() -> None:
    item = output("item_domination", column="", subject=Subject("item", "7"))
    assert len(group([output(), item])) == 1
    assert len(group([output(), replace(item, onset=DAY - timedelta(3))])) == 2
    assert len(group([output(slice=NO), output("calibration", column="label", slice=Slice("market", "SE"))])) == 2


def test_labels_show_their_cause_a_day_later() -> None:
    late = output("calibration", column="label")
    assert len(group([found(onset=DAY - timedelta(1)), late])) == 1
    assert len(group([found(onset=DAY - timedelta(3)), late])) == 2
