"""The screen of ``drill run`` and the JSON of a card, from cards made by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from example_cards import HOSTILE, MULTIPLES, card, clean, curve, hostile, meta, usual
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.cli.output import without_nan
from recsysops.drills.scorecard.results import Card, FaultCurve
from recsysops.drills.views import words
from recsysops.drills.views.screen import card_lines
from recsysops.reporting.lines import NARROW
from recsysops.reporting.plain import cells


def shown(value: Card, width: int = 100, *, verbose: bool = False) -> str:
    return "\n".join(line.text for line in card_lines(value, width, verbose=verbose)).replace(NARROW, " ")


def test_the_first_line_is_the_answer_and_the_last_can_be_pasted() -> None:
    lines = shown(usual()).splitlines()
    assert lines[0] == "Found in time: 3 of 6 faults at the stated size · simulated service · 120 trials · 54 min"
    assert lines[-2:] == [
        "next   recsysops drill run --fault silent_default --html drill.html",
        "       recsysops drill list",
    ]
    assert len(lines) <= 40


def test_nothing_is_claimed_of_a_baseline_that_could_judge_no_day() -> None:
    value = usual()
    short = replace(value, baselines={**value.baselines, "static_psi": clean(0, n_days=0)})
    row = next(line for line in shown(short).splitlines() if line.strip().startswith("PSI > 0.2"))
    assert set(row.split()[3:]) == {"–"}
    assert "The log is too short for PSI > 0.2: they compare" in shown(short)
    assert "too short" not in shown(value)


def test_what_was_missed_says_since_which_size_it_is_found_and_who_else_finds_it() -> None:
    text = shown(usual())
    missed = text.partition("Missed at the stated size\n")[2].partition("True changes")[0].splitlines()
    assert [line.split()[0] for line in missed] == ["fault", "silent_default", "bot_burst", "label_delay"]
    cleaned = [[word.strip() for word in line.split("  ") if word.strip()] for line in missed[1:]]
    assert cleaned[0][1:] == ["1 of 3", "2.4 % (2×)", "PSI > 0.2, 3 σ, largest change", "1.2 % of rows"]
    assert cleaned[1][2:] == ["8 % (8×)", "–", "1 % of events"]
    assert cleaned[2][2:] == ["not up to 40 (8×)", "–", "5 hours"]


def test_we_stand_beside_the_baselines_with_intervals() -> None:
    rows = [line.split("  ") for line in shown(usual()).splitlines()[2:7]]
    cleaned = [[word.strip() for word in row if word.strip()] for row in rows]
    assert cleaned[0] == ["found at 1×", "found at 4×", "right cause", "alarms per 30 days"]
    assert cleaned[1] == ["these checks", "3 of 6", "4 of 6", "3 of 6", "0.3 [0.0, 1.3]"]
    assert cleaned[2][:3] == ["PSI > 0.2", "2 of 6", "2 of 6"]


def test_true_changes_of_the_world_are_not_counted_as_faults() -> None:
    text = shown(usual())
    assert "True changes, no faults: an alarm for 1 of 1 (taste_shift)" in text
    assert "6 faults" in text.splitlines()[0]


def test_a_size_found_once_and_lost_again_is_not_the_smallest_found() -> None:
    text = shown(card([curve(meta("flicker"), (0, 0, 3, 0, 3))]))
    assert "4 % (8×)" in text
    assert "1 % (2×)" not in text


def test_a_quick_card_states_its_own_size() -> None:
    points = curve(meta("null_spike"), (0, 0, 0, 3)).points[3:]
    quick = card([replace(curve(meta("null_spike"), ()), points=points)])
    assert shown(quick).startswith("Found in time: 1 of 1 faults at 4× the stated size · ")


def test_a_fault_without_degrees_is_the_same_at_every_size() -> None:
    ungraded = curve(meta("unit_change", is_graded=False, knob="one feature × 1,000"), (0,))
    text = shown(card([ungraded, curve(meta("null_spike"), (3, 3, 3, 3, 3))]))
    assert "unit_change  0 of 3  never" in text
    assert "1 of 2" in text.splitlines()[0]
    assert "never" in text


def test_alarms_on_own_logs_are_not_called_false() -> None:
    text = " ".join(shown(replace(usual(), is_own_logs=True)).split())
    assert (
        "Alarms on your logs as they are: 0.3 per 30 days [0.0, 1.3] (2 alarms in 184 days, which may be real)" in text
    )
    assert "alse alarms" not in text
    assert "recsysops drill run --own-logs --fault silent_default" in text


@pytest.mark.parametrize(
    ("knob", "is_graded", "told"),
    [
        ("share of members without the value", True, "0.5 % of members without the value"),
        ("rise of the base rate, relative", True, "0.5 % rise of the base rate"),
        ("requests added, as a share", True, "0.5 % requests added"),
        ("hours", True, "0.005 hours"),
        ("nights", False, "there or not"),
    ],
)
def test_a_severity_is_said_in_its_unit(knob: str, is_graded: bool, told: str) -> None:
    about = meta("any", knob=knob, is_graded=is_graded)
    assert words.severity(about, 0.005).replace(NARROW, " ") == told
    assert words.stated(replace(curve(about, (3,)), unit=7.0)).replace(NARROW, " ").startswith(("100 %", "1 ", "there"))


def test_all_that_was_missed_is_named() -> None:
    text = shown(card([curve(meta(f"fault_{n}"), (0, 0, 0, 0, 0)) for n in range(30)]))
    assert all(f"fault_{n}" in text for n in range(30))
    assert len(text.splitlines()) <= 40


def test_no_trial_at_all_is_said() -> None:
    cannot = FaultCurve(meta("host_clock_skew"), 0.0, 0.005, (), "no hosts")
    text = shown(card([cannot]))
    assert text.startswith("No fault was planted · ")
    assert "Could not plant: host_clock_skew (no hosts)" in text


def test_verbose_has_every_curve_and_every_alarm() -> None:
    text = shown(usual(), verbose=True)
    assert text.count("bot_burst") == 1 + len(MULTIPLES)
    assert "67 % [21, 94]" in text
    assert "2026-05-02 · 12 % more rows than expected" in text


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_text_from_data_is_shown_as_text_and_fits(width: int, verbose: bool) -> None:
    for line in card_lines(hostile(), width, verbose=verbose):
        assert "\x1b" not in line.text
        assert "\u202e" not in line.text
        if not line.text.startswith(("next   ", "       ")) and "x" * 30 not in line.text:
            assert cells(line.text) <= width, line.text


names = st.from_regex(r"[a-z][a-z_]{0,30}", fullmatch=True)
curves = st.builds(
    lambda name, stage, found, target, visible, is_fault: curve(
        meta(name, stage, target=target, is_fault=is_fault), found, visible=visible
    ),
    names,
    st.sampled_from(["feature", "logging", "world"]),
    st.lists(st.integers(0, 3), max_size=5),
    st.floats(1e-6, 50.0),
    st.floats(0.0, 1.0),
    st.booleans(),
)
cards = st.builds(card, st.lists(curves, max_size=12))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(value=cards, width=st.integers(40, 100), verbose=st.booleans())
def test_no_screen_is_wider_than_it_may_be(value: Card, width: int, verbose: bool) -> None:
    for line in card_lines(value, width, verbose=verbose):
        if not line.text.startswith(("next   ", "       ")):
            assert cells(line.text) <= width


@settings(deadline=None, derandomize=True, max_examples=40)
@given(value=cards)
def test_the_json_has_the_contracts_keys_and_no_nan(value: Card) -> None:
    told = json.loads(json.dumps(without_nan(value.to_dict()), allow_nan=False))
    assert told["schema_version"] == 1
    assert set(told["alarms_per_30_days"]) == {"value", "low", "high"}
    assert isinstance(told["clean_days"], int)
    for fault, source in zip(told["faults"], value.faults, strict=True):
        assert {"name", "stage", "cause", "entity", "severities"} <= set(fault)
        for point, one in zip(fault["severities"], source.points, strict=True):
            assert {"severity", "detected_rate", "delay_runs", "top1_rate", "top3_rate"} <= set(point)
            assert math.isclose(point["detected_rate"], one.detected.value)


def test_hostile_names_survive_json() -> None:
    assert json.loads(json.dumps(hostile().to_dict()))["faults"][0]["name"] == HOSTILE
