"""The benchmark beside another tool: what is sampled, what is counted, and a small service watched by a fake of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from small_service import Holes, Homeless, SmallService, SmallSize, Tripwire, small_site

from benchmarks.evidently_card import clean_alarm_days, fault_rows
from benchmarks.evidently_table import FaultRow, card_lines
from benchmarks.finished_drill import FinishedDrill
from benchmarks.rival_on_drill import CleanDays
from benchmarks.rival_watch import AlarmDays, RivalWatch, Said
from benchmarks.sampled_days import N_ROWS, Sample, as_reference, reference_of, sample_of_day
from recsysops.drills.fault import Truth
from recsysops.drills.scorecard.clean_run import CleanDay, CleanRun, write_clean_run
from recsysops.drills.scorecard.daily_statistics import day_statistics, learn_bins
from recsysops.drills.scorecard.fork import fork
from recsysops.drills.scorecard.results import Found, TrialResult
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import LogStatistics, write_statistics
from recsysops.drills.scorecard.stored_trials import write_trial
from recsysops.errors import StateError
from recsysops.workspace import Workspace

N_DAYS, N_BEFORE = 20, 17
RIG = Rig(SmallService, small_site)
TRUTH = Truth((), ("candidates.age", "candidates.score"))
AGE, GENRE = "candidates.age", "candidates.genre"


def finished(root: Path) -> FinishedDrill:
    """A clean run of the small service that nobody judged, with one onset."""
    folder = SeedFolder(root / "seed-0-small")
    service = SmallService.begin(folder.workspace, SmallSize(n_days=N_DAYS), 0)
    days = []
    for number in range(N_DAYS):
        if number == N_BEFORE:
            onset = service.next_day
            fork(folder.workspace, folder.forked(onset))
            folder.checkpoint(onset).mkdir()
            service.save(folder.checkpoint(onset))
        days.append(service.run_day())
    candidates = Workspace(folder.workspace).tables["candidates"]
    bins = learn_bins(candidates, days)
    statistics = LogStatistics(bins, tuple(day_statistics(candidates, day, bins) for day in days))
    write_statistics(statistics, folder.statistics)
    judged = tuple(CleanDay(day, frozenset(), frozenset(), (), ()) for day in days[13:])
    write_clean_run(CleanRun(0, "test", judged, (onset,), 1.0), folder.clean_run)
    (root / "trials").mkdir()
    seen = {"three_sigma": Found(is_found=True, delay_runs=1)}
    for severity, name in ((0.8 + 1e-15, "same"), (0.7, "other")):
        trial = TrialResult("holes", 4.0, severity, 0, onset, TRUTH, Found(True, 2), True, True, None, "", seen)
        write_trial(trial, root / "trials" / f"{name}.json")
        if name == "other":  # of another seed
            text = (root / "trials" / "other.json").read_text(encoding="utf-8").replace('"seed": 0', '"seed": 1')
            (root / "trials" / "other.json").write_text(text, encoding="utf-8")
    return FinishedDrill.read(root, 0)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> FinishedDrill:
    return finished(tmp_path_factory.mktemp("drill"))


@dataclass
class Suspicious:
    """Says that the genre drifts on every day, and a column that has lost a tenth of its values too."""

    sizes: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, reference: Sample, current: Sample) -> Said:
        self.sizes.append((len(reference["age"]), len(current["age"])))
        lost = {AGE} if np.isnan(current["age"]).mean() > np.isnan(reference["age"]).mean() + 0.1 else set()
        return Said(frozenset({GENRE} | lost), bool(np.isnan(current["age"]).mean() > 0.9))


def test_clean_days_on_which_something_is_said_are_counted_once() -> None:
    days = [Said(frozenset({AGE, GENRE})), Said(frozenset({AGE}), is_dataset=True), Said(), Said()]
    told = AlarmDays.of(days)
    assert (told.of_columns.n_days, told.of_columns.n_alarms) == (4, 2)
    assert told.of_columns.per_30_days.value == pytest.approx(15)
    assert told.of_dataset.told == (AGE,)
    assert told.by_column == {AGE: 2, GENRE: 1}
    assert told.n_without_constant == 2
    assert AlarmDays.of([Said(frozenset({AGE})), Said(frozenset({AGE, GENRE}))]).n_without_constant == 1


def test_what_is_said_without_the_fault_too_or_outside_its_scope_does_not_count() -> None:
    watch = RivalWatch(TRUTH)
    watch.look(Said(frozenset({AGE, GENRE}), is_dataset=True), Said(frozenset({AGE}), is_dataset=True))
    assert (watch.by_column, watch.by_dataset) == (None, None)
    watch.look(Said(frozenset({AGE})), Said(frozenset({GENRE})))
    assert (watch.by_column, watch.by_dataset, watch.is_done) == (2, None, False)
    watch.look(Said(frozenset({AGE}), is_dataset=True), Said())
    assert (watch.by_column, watch.by_dataset, watch.is_done) == (2, 3, True)


def test_a_smaller_sample_is_part_of_a_larger_one_and_is_drawn_without_order(drill: FinishedDrill) -> None:
    candidates = Workspace(drill.folder.workspace).tables["candidates"]
    kinds = {name: one.is_numeric for name, one in drill.statistics.bins.items()}
    few, many = (sample_of_day(candidates, drill.run.days[0].day, kinds, n) for n in (100, 10_000))
    assert {name: len(values) for name, values in few.items()} == dict.fromkeys(("age", "fame", "genre", "score"), 100)
    assert len(many["age"]) == 4 * SmallSize().n_requests
    for name, values in few.items():
        np.testing.assert_array_equal(values, many[name][:100])
    assert not np.array_equal(np.sort(few["fame"]), np.sort(many["fame"])[:100])


def test_values_of_another_kind_are_missing(drill: FinishedDrill) -> None:
    candidates = Workspace(drill.folder.workspace).tables["candidates"]
    swapped = sample_of_day(candidates, drill.run.days[0].day, {"age": False, "genre": True}, 10)
    assert list(swapped["age"]) == [None] * 10
    assert np.isnan(swapped["genre"]).all()


def test_a_reference_is_the_last_28_days_alike() -> None:
    days = [{"x": np.full(N_ROWS, float(number))} for number in range(40)]
    values, counts = np.unique(reference_of(days)["x"], return_counts=True)
    assert values.tolist() == list(range(12, 40))
    assert counts.sum() == N_ROWS
    assert counts[:-1].tolist() == [179] * 27
    kept = reference_of([as_reference(day) for day in days[:14]])
    np.testing.assert_array_equal(kept["x"], reference_of(days[:14])["x"])
    with pytest.raises(ValueError, match="found 13 days"):
        reference_of(days[:13])


def test_the_clean_days_and_the_faults_of_a_drill_are_watched(drill: FinishedDrill) -> None:
    rival = Suspicious()
    clean = CleanDays(drill, rival)
    alarms = clean_alarm_days(clean)
    assert (alarms.of_columns.n_days, alarms.of_columns.n_alarms, alarms.of_dataset.n_alarms) == (6, 6, 0)
    assert rival.sizes[0] == (N_ROWS, 600)
    rows = fault_rows(clean, RIG, (Holes, Homeless), 4.0)
    assert len(rival.sizes) == 6 + 2  # the clean days are not asked about again
    holes, homeless = rows
    assert (holes.severity, holes.by_column, holes.by_dataset) == (0.8, 1, None)
    assert holes.trial is not None
    assert "no place" in homeless.cannot
    assert not list((drill.root / "forks").iterdir())
    text = "\n".join(card_lines(drill, alarms, rows, 4.0))
    assert "| these checks | 1 of 1 (0.15–1.00) | 6 | 0 | 0.0 (" in text
    assert "| Evidently, any column | 1 of 1 (0.15–1.00) | 6 | 6 | 30.0 (11.0–65.3) |" in text
    assert "| Evidently, dataset drift | 0 of 1" in text
    assert "| holes | run 2 | run 1 | run 1 | not |" in text


def test_a_fault_that_was_planted_otherwise_in_the_drill_is_not_compared(drill: FinishedDrill) -> None:
    row = fault_rows(CleanDays(drill, Suspicious()), RIG, (Holes,), 2.0)[0]
    assert (row.severity, row.trial) == (0.4, None)


def test_a_fork_is_not_left_behind_by_a_fault_that_fails(drill: FinishedDrill) -> None:
    with pytest.raises(ValueError, match="wire"):
        fault_rows(CleanDays(drill, Suspicious()), RIG, (Tripwire,), 4.0)
    assert not list((drill.root / "forks").iterdir())


def test_a_true_change_of_the_world_is_shown_and_not_counted(drill: FinishedDrill) -> None:
    row = FaultRow(replace(Holes.meta, is_fault=False), 0.8, None, by_column=1)
    text = "\n".join(card_lines(drill, AlarmDays.of([]), [row], 4.0))
    assert "| holes (a true change) | – | – | run 1 | not |" in text
    assert "| Evidently, any column | – | 0 | 0 | – |" in text


def test_a_folder_without_a_drill_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no finished clean run of seed 0"):
        FinishedDrill.read(tmp_path, 0)
